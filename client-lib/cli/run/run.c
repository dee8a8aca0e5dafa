/* SPDX-License-Identifier: MIT */
/*
 * fdbroker run: starts a program that knows nothing of a broker under a supervisor, which gets for
 * it what the policy grants. This process is the command: it stays what the shell has started, until
 * the program has ended.
 *
 *	fdbroker run      passes signals on, and ends as the program does: relay.c
 *	  supervisor      supervisor.c; watches over the processes: watch.c; and answers the
 *	    |             program's calls, in threads: receivers.c
 *	    the program   no_new_privs, Landlock, the filters: program.c, filter.c
 *
 *	open(2) in the program -> filter -> receivers.c -> open.c: which file? (target.c, name.c)
 *	  might the policy grant it? (grants.c) -> the broker (connection.c) -> its descriptor appears
 *	  in the program; or else the kernel goes on with the call, by the program's own rights.
 *
 * Must never: run the program less confined than was asked for.
 */
#include "cleanup.h"
#include "cli.h"
#include "confinement.h"
#include "nested.h"
#include "notification.h"
#include "relay.h"
#include "setting.h"
#include "supervisor.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char run_help[] =
	"Usage: fdbroker run [--sandbox [-r DIR]... [-w DIR]...|--policy-only]\n"
	"                    [--] PROGRAM [ARGS]...\n"
	"\n"
	"Runs PROGRAM as it is. Files that it opens and ports that it binds it gets from the\n"
	"broker where the policy grants them; everything else is up to its own rights.\n"
	"\n"
	"  --sandbox      by itself it can use the system's folders and that of PROGRAM, to read\n"
	"                 and to execute, and bind no TCP port\n"
	"  -r DIR         in the sandbox it can read and execute what is below DIR, too\n"
	"  -w DIR         in the sandbox it can do everything with what is below DIR, too\n"
	"  --policy-only  it opens and binds what the policy grants, and nothing else: not even\n"
	"                 its own libraries\n"
	"\n"
	"Exit status: 125 it failed itself, 126 PROGRAM cannot be run, 127 it is not there,\n"
	"64 wrong usage; else PROGRAM's.\n";

struct run {
	struct program program;
	struct confinement_wishes wishes;
	bool wants_sandbox, wants_policy_only, wants_help;
};

/* ---- the command line ---- */

static int usage_error(const char *what)
{
	return tool_usage_error("run ", "run: %s", what);
}

static int check_arguments(struct run *run)
{
	if (run->program.arguments[0] == NULL)
		return usage_error("a program is missing");
	if (run->wants_sandbox && run->wants_policy_only)
		return usage_error("--sandbox and --policy-only exclude each other");
	if (!run->wants_sandbox && run->wishes.readable_count + run->wishes.writable_count > 0)
		return usage_error("-r and -w go with --sandbox");
	if (run->wants_sandbox)
		run->program.mode = RUN_SANDBOX;
	if (run->wants_policy_only)
		run->program.mode = RUN_POLICY_ONLY;
	run->wishes.program = run->program.arguments[0];
	return 0;
}

/* False: it is none, or not complete. The lists of folders have room for all that there are. */
static bool take_option(struct run *run, int option)
{
	switch (option) {
	case 's':
		run->wants_sandbox = true;
		return true;
	case 'p':
		run->wants_policy_only = true;
		return true;
	case 'h':
		run->wants_help = true;
		return true;
	case 'r':
		run->wishes.readable[run->wishes.readable_count++] = optarg;
		return true;
	case 'w':
		run->wishes.writable[run->wishes.writable_count++] = optarg;
		return true;
	default:
		return false;
	}
}

/* Options end at the program. */
static int parse_arguments(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {{"sandbox", no_argument, NULL, 's'},
		{"policy-only", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'}, {0}};
	int option;
	char letter[3];

	opterr = 0; /* its messages do not name the subcommand */
	optind = 0; /* begin anew, whatever main() did with it (man 3 getopt) */
	while ((option = getopt_long(argc, argv, "+:r:w:h", options, NULL)) != -1) {
		if (take_option(run, option))
			continue;
		if (option == ':')
			return tool_usage_error(
				"run ", "run: %s: its argument is missing", argv[optind - 1]);
		return tool_usage_error(
			"run ", "run: there is no option '%s'", tool_wrong_option(argv, letter));
	}
	if (run->wants_help)
		return tool_print(run_help);
	run->program.arguments = argv + optind;
	return check_arguments(run);
}

/* ---- what it takes ---- */

/* Yama, Documentation/admin-guide/LSM/Yama.rst of the kernel: from 2 on it takes an administrator to
   look into another process. */
static bool may_look_into_programs(void)
{
	static const char setting[] = "/proc/sys/kernel/yama/ptrace_scope";
	unsigned int scope = setting_read(setting, 0);

	if (scope >= 2)
		fprintf(stderr,
			"fdbroker: run: what a program asks for can be seen by no supervisor, as "
			"%s is %u; it has to be 0 or 1\n",
			setting, scope);
	return scope < 2;
}

/* Root's programs become other users, also for single files (setfsuid(2)), and would still be served
   as root; and they may do without the broker what it is there for. */
static bool is_ordinary_user(void)
{
	if (getuid() != 0 && geteuid() != 0)
		return true;
	fprintf(stderr,
		"fdbroker: run: not for root: start it as the user that the program is to "
		"be, as in 'setpriv --reuid=app --regid=app --init-groups fdbroker run ...'\n");
	return false;
}

static bool is_possible(void)
{
	if (!is_ordinary_user() || !may_look_into_programs())
		return false;
	if (notification_fits())
		return true;
	tool_fail("run", "the kernel's seccomp_unotify(2)");
	return false;
}

/* ---- all together ---- */

static int start(struct run *run)
{
	int channel;

	if (sigprocmask(SIG_BLOCK, NULL, &run->program.mask) != 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
		!supervisor_start(&run->program, &channel))
		return tool_fail("run", "starting the supervisor (see 'ulimit -u')");
	return relay(channel);
}

/* The outer supervisor serves it as it serves this process. */
static int become(const struct run *run)
{
	if (run->program.mode == RUN_POLICY_ONLY) {
		fprintf(stderr, "fdbroker: run: --policy-only does not work inside of another "
				"'fdbroker run', whose supervisor answers here\n");
		return EXIT_OWN_FAILURE;
	}
	return program_become(&run->program);
}

static int run_program(struct run *run)
{
	if (!is_possible())
		return EXIT_OWN_FAILURE;
	if (run->program.mode != RUN_OPEN) {
		run->program.confinement = confinement_make(&run->wishes);
		if (run->program.confinement < 0)
			return EXIT_OWN_FAILURE;
	}
	return nested_is_supervised() ? become(run) : start(run);
}

int run_main(int argc, char **argv)
{
	struct run run = {.program.confinement = -1};
	_cleanup_free_ char **readable = calloc((size_t)argc, sizeof(char *));
	_cleanup_free_ char **writable = calloc((size_t)argc, sizeof(char *));
	int status;

	if (readable == NULL || writable == NULL)
		return tool_fail("run", "its arguments");
	run.wishes.readable = readable;
	run.wishes.writable = writable;
	status = parse_arguments(&run, argc, argv);
	return status != 0 || run.wants_help ? status : run_program(&run);
}

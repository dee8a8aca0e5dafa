/* SPDX-License-Identifier: MIT */
/*
 * fdbroker run: starts a program that knows nothing of a broker under a supervisor, which gets for
 * it what the policy grants. This process is the command: it stays what the shell has started, until
 * the program has ended.
 *
 *	fdbroker run      passes signals on, and ends as the program does    (run.c)
 *	  supervisor      receives the program's calls: supervisor.c, receivers.c
 *	    the program   no_new_privs, Landlock, the filter: program.c, filter.c
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
#include "descriptors.h"
#include "nested.h"
#include "supervisor.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char run_help[] =
	"Usage: fdbroker run [--sandbox [-r DIR]... [-w DIR]...|--policy-only] [--] PROGRAM "
	"ARGS...\n"
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

static int fail(const char *what)
{
	tool_fail("run", what);
	return EXIT_OWN_FAILURE;
}

/* Yama, Documentation/admin-guide/LSM/Yama.rst of the kernel: from 2 on it takes an administrator to
   look into another process. */
static bool may_look_into_programs(void)
{
	static const char setting[] = "/proc/sys/kernel/yama/ptrace_scope";
	FILE *file = fopen(setting, "re");
	int scope = 0;

	if (file == NULL)
		return true;
	if (fscanf(file, "%d", &scope) != 1)
		scope = 0;
	fclose(file);
	if (scope >= 2)
		fprintf(stderr,
			"fdbroker: run: what a program asks for can be seen by no supervisor, as "
			"%s is %d; it has to be 0 or 1\n",
			setting, scope);
	return scope < 2;
}

/* Its files are root's, whose modes it may change without opening them, and Landlock does not mind. */
static bool may_be_confined(void)
{
	if (getuid() != 0 && geteuid() != 0)
		return true;
	fprintf(stderr, "fdbroker: run: there is no sandbox for root; start it as the user that "
			"the program is to be, as with setpriv(1)\n");
	return false;
}

static bool is_possible(const struct run *run)
{
	if (run->program.mode != RUN_OPEN && !may_be_confined())
		return false;
	if (!may_look_into_programs())
		return false;
	if (notification_fits())
		return true;
	fail("the kernel's seccomp_unotify(2)");
	return false;
}

/* ---- until the program has ended ---- */

/* Those that mean this process: of its child, and of its own mistakes. */
static void choose_signals(sigset_t *signals)
{
	static const int own[] = {
		SIGCHLD, SIGPIPE, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT};

	sigfillset(signals);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(signals, own[i]);
}

/* What the kernel sends to all processes of a terminal, the program gets by itself; not so what a
   timer sends that was set before execve(2). */
static bool is_from_terminal(const struct signalfd_siginfo *information)
{
	static const int sent[] = {
		SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP, SIGCONT, SIGWINCH};

	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		if ((int)information->ssi_signo == sent[i])
			return information->ssi_code == SI_KERNEL;
	}
	return false;
}

static void pass_signal_on(int signals, int channel)
{
	struct signalfd_siginfo information;
	int number;

	if (read(signals, &information, sizeof(information)) != sizeof(information) ||
		is_from_terminal(&information))
		return;
	number = (int)information.ssi_signo;
	(void)send(channel, &number, sizeof(number), MSG_NOSIGNAL);
}

/* Job control: whoever waits for this process sees a stopped job, and lets its whole process group
   go on. */
static void stop_like(int status)
{
	sigset_t stopping;

	sigemptyset(&stopping);
	sigaddset(&stopping, WSTOPSIG(status));
	raise(WSTOPSIG(status));
	sigprocmask(SIG_UNBLOCK, &stopping, NULL);
	/* And here it has been let go on. */
	sigprocmask(SIG_BLOCK, &stopping, NULL);
}

/* False: the supervisor has died. */
static bool wait_for_status(int signals, int channel, int *status)
{
	for (;;) {
		struct pollfd ready[] = {
			{.fd = channel, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

		if (poll(ready, sizeof(ready) / sizeof(ready[0]), -1) < 0)
			continue;
		if (ready[1].revents != 0)
			pass_signal_on(signals, channel);
		if (ready[0].revents == 0)
			continue;
		if (recv(channel, status, sizeof(*status), 0) != sizeof(*status))
			return false;
		if (!WIFSTOPPED(*status))
			return true;
		stop_like(*status);
	}
}

/* As the program has ended: whoever waits for this process is to see the same. */
static int end_like(int status)
{
	sigset_t all;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	/* This process is not dumpable, so there is no second core(5). */
	signal(WTERMSIG(status), SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status); /* process 1 of a pid namespace survives its own signals */
}

static int stay_until_end(int channel, const sigset_t *passed)
{
	int signals = signalfd(-1, passed, SFD_CLOEXEC);
	int status;

	if (signals < 0)
		return fail("signalfd");
	if (!descriptors_keep((int[]){channel, signals}, 2))
		return fail("close_range");
	descriptors_leave_standard(STDOUT_FILENO);
	if (wait_for_status(signals, channel, &status))
		return end_like(status);
	fprintf(stderr,
		"fdbroker: run: the supervisor has died; what the program opens and binds from "
		"now on fails\n");
	return EXIT_OWN_FAILURE;
}

/* ---- all together ---- */

static int start(struct run *run)
{
	sigset_t passed;
	int channel;

	choose_signals(&passed);
	if (sigprocmask(SIG_BLOCK, &passed, &run->program.mask) != 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
		!supervisor_start(&run->program, &channel))
		return fail("starting the supervisor");
	return stay_until_end(channel, &passed);
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
	if (!is_possible(run))
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
		return fail("its arguments");
	run.wishes.readable = readable;
	run.wishes.writable = writable;
	status = parse_arguments(&run, argc, argv);
	return status != 0 || run.wants_help ? status : run_program(&run);
}

/* SPDX-License-Identifier: MIT */
/*
 * The same loader and compiler as the broker's, with all that they have to say printed. Nothing is
 * asked of a running broker, and no privilege is needed beyond reading the files.
 *
 * Must never: have an opinion of its own on what a policy means, or stop at the first problem.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "cleanup.h"
#include "load.h"

enum { CHECK_FINE = 0, CHECK_ERRORS = 1, CHECK_WARNINGS = 2 };

static const char check_help[] =
	"Usage: fdbroker check [--strict] [FILE|DIR]...\n"
	"\n"
	"Looks for problems in policy files. Without FILE or DIR: in the installed ones,\n"
	"and whether nobody but root could have written or placed them.\n"
	"\n"
	"  --strict   exit with 2 when there are warnings\n"
	"  --help     show this text\n"
	"\n"
	"Exit status: 0 fine, 1 errors, 2 warnings and --strict, 64 wrong usage.\n";

struct check {
	bool strict;
	const char *const *paths;
	size_t path_count;
	struct policy_set *set;
	struct trusted_mounts *mounts;
	void *image;
	size_t image_size;
	int file_count;
};

static void check_end(struct check *check)
{
	policy_set_free(check->set);
	free(check->mounts);
	free(check->image);
}

static int check_usage_error(const char *problem, const char *word)
{
	(void)fprintf(stderr,
		"fdbroker check: %s '%s'\nTry 'fdbroker check --help' for more information.\n",
		problem, word);
	return EX_USAGE;
}

/* Beyond all letters: getopt_long(3) leaves them in optopt, or 0, when a long option is wrong. */
enum { OPTION_STRICT = 256, OPTION_HELP };

static int check_option_error(char *const *argv)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	if (optopt == 0 || optopt >= OPTION_STRICT)
		return check_usage_error("bad option", argv[optind - 1]);
	return check_usage_error("bad option", letter);
}

/* -1: go on; else the exit status. */
static int check_parse_arguments(struct check *check, int argc, char **argv)
{
	static const struct option options[] = {{"strict", no_argument, NULL, OPTION_STRICT},
		{"help", no_argument, NULL, OPTION_HELP}, {0}};
	int option;

	opterr = 0; /* its messages do not name the subcommand */
	optind = 0; /* begin anew, whatever main() did with it (man 3 getopt) */
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPTION_STRICT:
			check->strict = true;
			break;
		case OPTION_HELP:
		case 'h':
			return fputs(check_help, stdout) == EOF ? CHECK_ERRORS : CHECK_FINE;
		default:
			return check_option_error(argv);
		}
	}
	check->paths = (const char *const *)argv + optind;
	check->path_count = (size_t)(argc - optind);
	return -1;
}

/* The check itself failed; what it failed at is not a problem of the policy. */
static int check_fail(const char *action, int error)
{
	(void)fprintf(stderr, "fdbroker check: %s: %s\n", action, strerror(-error));
	return error;
}

/*
 * The installed policy is read by the broker's user, so root looks at it as that user: what the
 * broker could not read is found out.
 */
static int check_become_broker(void)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return 0;
	user = getpwnam(FDBROKER_USER);
	if (user == NULL) {
		(void)fprintf(stderr, "fdbroker check: there is no user '" FDBROKER_USER
				      "' yet: whether it may read the files is not checked\n");
		return 0;
	}
	if (setgroups(0, NULL) < 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
		setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return check_fail("cannot become user '" FDBROKER_USER "'", -errno);
	return 0;
}

static int check_load_files(struct check *check)
{
	int r;

	if (check->path_count == 0) {
		r = check_become_broker();
		if (r < 0)
			return r;
	}
	check->set = policy_set_new();
	if (check->set == NULL)
		return check_fail("cannot begin", -ENOMEM);
	if (check->path_count == 0) {
		r = trusted_mounts_read(&check->mounts);
		if (r < 0)
			return check_fail("cannot read /proc/self/mountinfo", r);
	}
	check->file_count =
		policy_load_files(check->set, check->mounts, check->paths, check->path_count);
	if (check->file_count < 0)
		return check_fail("cannot load the policy files", check->file_count);
	return 0;
}

static int check_load_names(struct check *check)
{
	struct policy_name *names;
	size_t count, failed;
	int r;

	names = policy_set_names(check->set, &count);
	r = policy_load_names(names, count, &failed);
	if (r < 0)
		(void)fprintf(stderr,
			"fdbroker check: the name service failed at '%s': %s\n"
			"Look at nsswitch.conf(5) and at the services that it names.\n",
			names[failed].name, policy_load_names_error(r));
	return r;
}

static int check_compile(struct check *check)
{
	int r;

	r = policy_set_compile(check->set, &check->image, &check->image_size);
	if (r == -EINVAL)
		return 0; /* the diagnostics say why */
	return r < 0 ? check_fail("cannot compile the policy", r) : 0;
}

static void check_print_diagnostics(const struct check *check)
{
	const struct policy_diagnostic *diagnostics;
	size_t count;

	diagnostics = policy_set_diagnostics(check->set, &count);
	for (size_t i = 0; i < count; i++)
		policy_diagnostic_print(&diagnostics[i], stderr);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* "3 files, 12 rules: 0 errors, 1 warning". Without an image nobody knows the number of rules. */
static int check_print_summary(const struct check *check)
{
	size_t files = (size_t)check->file_count;
	size_t errors = policy_set_count(check->set, POLICY_ERROR);
	size_t warnings = policy_set_count(check->set, POLICY_WARNING);

	(void)printf("%zu file%s", files, plural(files));
	if (check->image != NULL) {
		size_t rules =
			policy_image_rule_count(policy_image_open(check->image, check->image_size));

		(void)printf(", %zu rule%s", rules, plural(rules));
	}
	(void)printf(": %zu error%s, %zu warning%s\n", errors, plural(errors), warnings,
		plural(warnings));
	if (fflush(stdout) != 0 || errors > 0)
		return CHECK_ERRORS;
	return check->strict && warnings > 0 ? CHECK_WARNINGS : CHECK_FINE;
}

int check_main(int argc, char **argv)
{
	_cleanup_(check_end) struct check check = {0};
	int status;

	status = check_parse_arguments(&check, argc, argv);
	if (status >= 0)
		return status;
	if (check_load_files(&check) < 0)
		return CHECK_ERRORS;
	if (check_load_names(&check) < 0 || check_compile(&check) < 0) {
		/* What was found before that is true all the same. */
		check_print_diagnostics(&check);
		return CHECK_ERRORS;
	}
	check_print_diagnostics(&check);
	return check_print_summary(&check);
}

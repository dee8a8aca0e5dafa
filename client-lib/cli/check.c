/* SPDX-License-Identifier: MIT */
/*
 * The same loader and compiler as the broker's, with all that they have to say printed. Nothing is
 * asked of a running broker, and no privilege is needed beyond reading the files.
 *
 * Must never: have an opinion of its own on what a policy means, or stop at the first problem.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "check-json.h"
#include "check.h"
#include "cleanup.h"
#include "load.h"
#include "policy-files.h"

enum { CHECK_FINE = 0, CHECK_ERRORS = 1, CHECK_WARNINGS = 2 };

static const char check_help[] =
	"Usage: fdbroker check [--strict] [--json] [FILE|DIR]...\n"
	"\n"
	"Looks for problems in policy files. Without FILE or DIR: in the installed ones,\n"
	"and whether nobody but root could have written or placed them.\n"
	"\n"
	"  --strict   exit with 2 when there are warnings\n"
	"  --json     print what was found as one JSON object\n"
	"  --help     show this text\n"
	"\n"
	"Exit status: 0 fine, 1 errors, 2 warnings and --strict, 64 wrong usage.\n";

struct check {
	bool strict, json;
	const char *const *paths;
	size_t path_count;
	struct loaded_policy policy;
};

static void check_end(struct check *check)
{
	policy_release(&check->policy);
}

static int check_usage_error(const char *problem, const char *word)
{
	(void)fprintf(stderr,
		"fdbroker check: %s '%s'\nTry 'fdbroker check --help' for more information.\n",
		problem, word);
	return EX_USAGE;
}

/* Beyond all letters: getopt_long(3) leaves them in optopt, or 0, when a long option is wrong. */
enum { OPTION_STRICT = 256, OPTION_JSON, OPTION_HELP };

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
		{"json", no_argument, NULL, OPTION_JSON}, {"help", no_argument, NULL, OPTION_HELP},
		{0}};
	int option;

	opterr = 0; /* its messages do not name the subcommand */
	optind = 0; /* begin anew, whatever main() did with it (man 3 getopt) */
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPTION_STRICT:
			check->strict = true;
			break;
		case OPTION_JSON:
			check->json = true;
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

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* "3 files, 12 rules: 0 errors, 1 warning, 0 notes". Without an image nobody knows the rules. */
static void check_print_summary(const struct check *check)
{
	size_t files = check->policy.file_count;
	size_t errors = policy_set_count(check->policy.set, POLICY_ERROR);
	size_t warnings = policy_set_count(check->policy.set, POLICY_WARNING);
	size_t notes = policy_set_count(check->policy.set, POLICY_NOTE);

	(void)printf("%zu file%s", files, plural(files));
	if (check->policy.image != NULL) {
		size_t rules = policy_image_rule_count(check->policy.image);

		(void)printf(", %zu rule%s", rules, plural(rules));
	}
	(void)printf(": %zu error%s, %zu warning%s, %zu note%s\n", errors, plural(errors), warnings,
		plural(warnings), notes, plural(notes));
}

/* Returns whether all of it could be written. */
static bool check_print(const struct check *check, enum policy_loaded loaded)
{
	if (check->json)
		return check_json_print(&check->policy, stdout);
	if (!policy_print(&check->policy, POLICY_NOTE))
		return false;
	if (loaded == POLICY_LOADED)
		check_print_summary(check);
	return fflush(stdout) == 0;
}

static int check_find_status(const struct check *check)
{
	if (policy_set_count(check->policy.set, POLICY_ERROR) > 0)
		return CHECK_ERRORS;
	if (check->strict && policy_set_count(check->policy.set, POLICY_WARNING) > 0)
		return CHECK_WARNINGS;
	return CHECK_FINE;
}

/* What is right, and yet probably not meant. False after telling the user what failed. */
static bool check_review(struct check *check)
{
	struct loaded_policy *policy = &check->policy;
	int r = 0;

	if (policy->mounts == NULL)
		r = trusted_mounts_read(&policy->mounts);
	if (r == 0 && policy->image != NULL)
		r = policy_set_review(policy->set, policy->image);
	if (r == 0)
		r = policy_load_ground(policy->set, policy->mounts);
	if (r < 0)
		(void)fprintf(
			stderr, "fdbroker check: cannot look for warnings: %s\n", strerror(-r));
	return r == 0;
}

int check_main(int argc, char **argv)
{
	_cleanup_(check_end) struct check check = {0};
	enum policy_loaded loaded;
	int status;

	status = check_parse_arguments(&check, argc, argv);
	if (status >= 0)
		return status;
	loaded = policy_load(&check.policy, "fdbroker check", check.paths, check.path_count);
	if (loaded == POLICY_NOT_LOADED)
		return CHECK_ERRORS;
	if (loaded == POLICY_LOADED && !check_review(&check))
		loaded = POLICY_PARTLY_LOADED;
	if (!check_print(&check, loaded)) {
		(void)fputs("fdbroker check: cannot write what was found\n", stderr);
		return CHECK_ERRORS;
	}
	return loaded == POLICY_LOADED ? check_find_status(&check) : CHECK_ERRORS;
}

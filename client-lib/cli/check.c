/* SPDX-License-Identifier: MIT */
/*
 * The same loader and compiler as the broker's, with all that they have to say printed. Nothing is
 * asked of a running broker, and no privilege is needed beyond reading the files.
 *
 * Must never: have an opinion of its own on what a policy means, or stop at the first problem.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check-json.h"
#include "check.h"
#include "cleanup.h"
#include "cli.h"
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

/* -1: go on; else the exit status. Options may stand behind files too, but not behind "--". */
static int check_parse_arguments(struct check *check, int argc, char **argv)
{
	bool is_option_next = true;

	check->paths = (const char *const *)argv + 1;
	for (int i = 1; i < argc; i++) {
		char *word = argv[i];

		if (!is_option_next || word[0] != '-' || word[1] == '\0')
			argv[1 + check->path_count++] = word;
		else if (tool_wants_help(word))
			return tool_print(check_help) == EXIT_SUCCESS ? CHECK_FINE : CHECK_ERRORS;
		else if (strcmp(word, "--") == 0)
			is_option_next = false;
		else if (strcmp(word, "--strict") == 0)
			check->strict = true;
		else if (strcmp(word, "--json") == 0)
			check->json = true;
		else
			return tool_usage_error("check ", "check: there is no option '%s'", word);
	}
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

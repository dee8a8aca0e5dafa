/* SPDX-License-Identifier: MIT */
/*
 * fdbroker suggest: what the audit log says was denied, as rules to look at. Reads the journal, by
 * a journalctl(1) of its own, or a file.
 *
 * Must never write into a policy by itself: whoever asked chose the names.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit-log.h"
#include "bounds.h"
#include "denials.h"
#include "since.h"
#include "suggestions.h"
#include "write.h"

static const char suggest_help[] =
	"Usage: fdbroker suggest [--since TIME] [--client NAME] [FILE|-]\n"
	"\n"
	"Prints rules for what the broker denied for want of one, from its audit log: that of\n"
	"the journal, or of FILE (- is stdin), as text or JSON lines. They are to be looked at\n"
	"and pasted into a policy; nothing is changed.\n"
	"\n"
	"  --since TIME    the log from then on: -1h, '10min ago', today, yesterday,\n"
	"                  '2026-11-21 21:35:13'; records without a time count too\n"
	"  --client NAME   only for the unit, user or client block NAME, as a block of this name\n"
	"  --help          show this text\n"
	"\n"
	"Exit status: 0 fine, 1 the log cannot be read, 64 wrong usage.\n";

struct suggest {
	const char *since, *client, *file;
	pid_t journal; /* journalctl, or 0 */
	struct audit_reader reader;
	struct denials denials;
	unsigned long long lines, other, broken, foreign; /* of all of them, these */
};

/* ---- the command line ---- */

static bool client_is_valid(const char *client)
{
	size_t length = strlen(client);

	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)client[i] < ' ' || client[i] == 0x7f)
			return false;
	}
	return length > 0 && length <= POLICY_CLIENT_NAME_MAX;
}

static bool take_since(struct suggest *suggest)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return since_read(suggest->since, now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000,
		&suggest->denials.since_usec);
}

static int check_arguments(struct suggest *suggest, int count)
{
	if (count > 1)
		return tool_usage_error("suggest ", "suggest: one FILE, or none for the journal");
	if (suggest->since != NULL && !take_since(suggest))
		return tool_usage_error("suggest ",
			"suggest: --since %s: no time that is understood: " SINCE_FORMS,
			suggest->since);
	if (suggest->client != NULL && !client_is_valid(suggest->client))
		return tool_usage_error("suggest ",
			"suggest: the name of a client has 1 to %u bytes, none of them a control "
			"character",
			POLICY_CLIENT_NAME_MAX);
	return -1;
}

/* -1: go on; else the exit status. */
static int parse_arguments(struct suggest *suggest, int argc, char **argv)
{
	static const struct option options[] = {{"since", required_argument, NULL, 's'},
		{"client", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
	int option;
	char letter[3];

	opterr = 0; /* its messages do not name the subcommand */
	optind = 0; /* begin anew, whatever main() did with it (man 3 getopt) */
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			suggest->since = optarg;
			break;
		case 'c':
			suggest->client = optarg;
			break;
		case 'h':
			return tool_print(suggest_help);
		case ':':
			return tool_usage_error("suggest ", "suggest: %s: its argument is missing",
				argv[optind - 1]);
		default:
			return tool_usage_error("suggest ", "suggest: there is no option '%s'",
				tool_wrong_option(argv, letter));
		}
	}
	suggest->file = argv[optind];
	return check_arguments(suggest, argc - optind);
}

/* ---- where the log comes from ---- */

static int fail(const char *what, int error)
{
	fprintf(stderr, "fdbroker: suggest: %s: %s\n", what, strerror(error));
	return EXIT_FAILURE;
}

/*
 * --all: a name of more than 4096 bytes is left out without it, and each byte that is not printable
 * is in the log as four.
 */
static int journal_spawn(struct suggest *suggest, int out)
{
	char *since = NULL;
	char *arguments[] = {
		"journalctl", "-u", "fdbroker", "-o", "json", "--no-pager", "--all", NULL, NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	/* As a number, which every version of it understands in the same way, systemd.time(7). */
	if (suggest->since != NULL && asprintf(&since, "--since=@%" PRId64 ".%06" PRId64,
					      suggest->denials.since_usec / 1000000,
					      suggest->denials.since_usec % 1000000) < 0)
		error = ENOMEM;
	arguments[7] = since;
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawnp(
			&suggest->journal, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(since);
	return error;
}

static int open_journal(struct suggest *suggest)
{
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("pipe", errno);
	error = journal_spawn(suggest, ends[1]);
	close(ends[1]);
	if (error == 0)
		suggest->reader.in = fdopen(ends[0], "r");
	if (suggest->reader.in != NULL)
		return EXIT_SUCCESS;
	if (error == 0)
		error = errno;
	close(ends[0]);
	fprintf(stderr,
		"fdbroker: suggest: journalctl: %s (where the log is a file: fdbroker suggest "
		"FILE)\n",
		strerror(error));
	return EXIT_FAILURE;
}

static int open_log(struct suggest *suggest)
{
	const struct passwd *user = getpwnam(FDBROKER_USER);

	suggest->reader.broker_uid = user != NULL ? user->pw_uid : 0;
	if (suggest->file == NULL)
		return open_journal(suggest);
	suggest->reader.in = strcmp(suggest->file, "-") == 0 ? stdin : fopen(suggest->file, "re");
	return suggest->reader.in != NULL ? EXIT_SUCCESS : fail(suggest->file, errno);
}

/* journalctl has said itself what was wrong. */
static int close_journal(struct suggest *suggest)
{
	int status;

	if (suggest->journal <= 0)
		return EXIT_SUCCESS;
	while (waitpid(suggest->journal, &status, 0) < 0) {
		if (errno != EINTR)
			return fail("journalctl", errno);
	}
	suggest->journal = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "fdbroker: suggest: journalctl has failed (where the log is a file: "
			"fdbroker suggest FILE)\n");
	return EXIT_FAILURE;
}

/* ---- reading ---- */

/*
 * A name service that fails has nothing to tell. Two users may have one name, for instance where a
 * directory has the one and a file the other; a rule with the name is for whom it leads to.
 */
static void user_find(struct asker *asker)
{
	const struct passwd *user = getpwuid(asker->uid);

	if (user == NULL)
		return;
	asker->user = strdup(user->pw_name);
	/* So nss-systemd(8) calls those of DynamicUser=. */
	asker->is_made_up = user->pw_gecos != NULL && strcmp(user->pw_gecos, "Dynamic User") == 0;
	user = asker->user != NULL ? getpwnam(asker->user) : NULL;
	asker->user_uid = user != NULL ? user->pw_uid : UINT32_MAX;
}

/* Takes a line into account. False: it failed, errno. */
static bool take_line(
	struct suggest *suggest, enum audit_line kind, const struct audit_record *record)
{
	suggest->lines++;
	suggest->other += kind == AUDIT_OTHER;
	suggest->broken += kind == AUDIT_BROKEN;
	suggest->foreign += kind == AUDIT_FOREIGN;
	if (kind == AUDIT_RECORD && denials_add(&suggest->denials, record) < 0) {
		errno = ENOMEM;
		return false;
	}
	return kind != AUDIT_FAILED;
}

static int read_log(struct suggest *suggest)
{
	struct audit_record record;
	enum audit_line kind;

	while (audit_read(&suggest->reader, &kind, &record)) {
		if (!take_line(suggest, kind, &record))
			return fail(suggest->file != NULL ? suggest->file : "journalctl", errno);
	}
	return close_journal(suggest);
}

/* ---- saying ---- */

/* Whoever sees nothing for a name may have got it wrong. */
static void say_askers(const struct suggest *suggest)
{
	const struct denials *denials = &suggest->denials;

	fprintf(stderr, "fdbroker: suggest: nothing was denied to '%s'; the log has denials of",
		suggest->client);
	for (size_t i = 0; i < denials->asker_count && i < 8; i++) {
		const struct asker *asker = denials->askers[i];

		fputs(i > 0 ? ", " : " ", stderr);
		if (asker->unit != NULL)
			policy_write_comment(asker->unit, strlen(asker->unit), stderr);
		else if (asker->user != NULL)
			policy_write_comment(asker->user, strlen(asker->user), stderr);
		else
			fprintf(stderr, "%u", asker->uid);
	}
	fputs(denials->asker_count == 0    ? " nobody\n"
		: denials->asker_count > 8 ? ", and others\n"
					   : "\n",
		stderr);
}

/* Records of others, and what to do where the broker is one of them. */
static void say_foreign(const struct suggest *suggest)
{
	fprintf(stderr,
		"fdbroker: suggest: the journal says that %llu record%s written by uid %u, who is "
		"neither root nor %s: passed over (where the broker runs as that user: journalctl "
		"-u UNIT -o cat | fdbroker suggest -)\n",
		suggest->foreign, suggest->foreign == 1 ? " was" : "s were, the last one,",
		suggest->reader.foreign_uid, FDBROKER_USER);
}

static void say_lines(const struct suggest *suggest)
{
	if (suggest->lines == 0 && suggest->file == NULL)
		fprintf(stderr,
			"fdbroker: suggest: the journal has nothing of fdbroker%s that you may "
			"read (root and the group systemd-journal may read all of it)\n",
			suggest->since != NULL ? " since then" : "");
	if (suggest->other > 0)
		fprintf(stderr, "fdbroker: suggest: %llu line%s of the log %s\n", suggest->other,
			suggest->other == 1 ? "" : "s",
			suggest->other == 1 ? "is no record" : "are no records");
	if (suggest->broken > 0)
		fprintf(stderr,
			"fdbroker: suggest: %llu record%s cannot be read: cut off, or not of "
			"fdbrokerd's making\n",
			suggest->broken, suggest->broken == 1 ? "" : "s");
	if (suggest->foreign > 0)
		say_foreign(suggest);
}

static void say_the_rest(const struct suggest *suggest)
{
	if (suggest->client != NULL && suggest->denials.total == 0)
		say_askers(suggest);
	say_lines(suggest);
	if (suggest->denials.beyond > 0)
		fprintf(stderr,
			"fdbroker: suggest: more than %u different denials, or very long ones: "
			"%llu are left out (see --client and --since)\n",
			DENIALS_MAX, (unsigned long long)suggest->denials.beyond);
}

static int suggest_run(struct suggest *suggest)
{
	int status = open_log(suggest);

	if (status == EXIT_SUCCESS)
		status = read_log(suggest);
	if (status != EXIT_SUCCESS)
		return status;
	if (suggestions_write(&suggest->denials, suggest->client, stdout) < 0)
		return fail("the rules", ENOMEM);
	say_the_rest(suggest);
	return tool_print("");
}

int suggest_main(int argc, char **argv)
{
	struct suggest suggest = {.denials.user_find = user_find};
	int status = parse_arguments(&suggest, argc, argv);

	if (status >= 0)
		return status;
	suggest.denials.client = suggest.client;
	status = suggest_run(&suggest);
	if (suggest.reader.in != NULL)
		fclose(suggest.reader.in);
	close_journal(&suggest);
	audit_reader_release(&suggest.reader);
	denials_release(&suggest.denials);
	return status;
}

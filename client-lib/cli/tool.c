/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands tell the user when something fails: the object first, then what is the
 * matter, then the way out. Only words are made here; nothing here decides or exits.
 */
#include "cli.h"
#include "set.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int tool_print(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "fdbroker: stdout: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

int tool_become(char **program)
{
	execvp(program[0], program);
	int status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	const char *error = strerror(errno);

	/* In quotes, since it may be empty, as where a variable of the shell was. */
	fputs("fdbroker: '", stderr);
	text_print(program[0], strlen(program[0]), stderr);
	fprintf(stderr, "': %s\n", error);
	return status;
}

/* ---- words ---- */

/* What the errnos of fdbroker_dial() mean when they come from the name service. */
static const char *names_problem(int error)
{
	switch (error) {
	case ENOENT:
		return "no such host";
	case EINVAL:
		return "no such service";
	case EAGAIN:
		return "the name service does not answer now; try again later";
	default:
		return strerror(error);
	}
}

void tool_complain(const char *object)
{
	const bool is_too_large = errno == EFBIG;
	const char *error = strerror(errno);
	enum fdbroker_reason reason = fdbroker_last_reason();

	switch (reason) {
	case FDBROKER_REASON_NONE:
	case FDBROKER_REASON_KERNEL:
	case FDBROKER_REASON_LOCAL:
		fprintf(stderr, "fdbroker: %s: %s\n", object, error);
		break;
	case FDBROKER_REASON_POLICY:
		if (is_too_large) {
			fprintf(stderr,
				"fdbroker: %s: larger than the `max` of its rule's `copy`\n",
				object);
			break;
		}
		fprintf(stderr, "fdbroker: %s: denied by policy (see 'fdbroker list')\n", object);
		break;
	case FDBROKER_REASON_BROKER:
		fprintf(stderr,
			"fdbroker: %s: the broker has closed the connection: it ended, or no "
			"client "
			"block of its policy is for uid %u, or this uid has too many connections "
			"(see journalctl -u fdbroker)\n",
			object, geteuid());
		break;
	case FDBROKER_REASON_NAMES:
		fprintf(stderr, "fdbroker: %s: %s (names)\n", object, names_problem(errno));
		break;
	default:
		fprintf(stderr, "fdbroker: %s: %s (%s)\n", object, error,
			fdbroker_strreason(reason));
	}
}

int tool_fail(const char *command, const char *what)
{
	fprintf(stderr, "fdbroker: %s: %s: %s\n", command, what, strerror(errno));
	return EXIT_OWN_FAILURE;
}

/* ---- the command line ---- */

bool tool_wants_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

bool tool_takes_option(const char *name, char **argv, int *next, char **text)
{
	size_t length = strlen(name);
	char *argument = argv[*next];

	if (strncmp(argument, name, length) != 0)
		return false;
	if (argument[length] == '=') {
		*text = argument + length + 1;
		*next += 1;
		return true;
	}
	if (argument[length] != '\0')
		return false;
	*text = argv[*next + 1];
	*next += *text != NULL ? 2 : 1;
	return true;
}

const char *tool_wrong_option(char **argv, char letter[static 3])
{
	const char *next = argv[optind];

	/* Of several letters in one word optind is still at the word. */
	if (optopt == 0 || next == NULL || next[0] != '-' || next[1] != optopt || next[2] == '\0')
		return argv[optind - 1];
	letter[0] = '-';
	letter[1] = (char)optopt;
	letter[2] = '\0';
	return letter;
}

int tool_usage_error(const char *command, const char *format, ...)
{
	va_list arguments;

	fputs("fdbroker: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, " (see 'fdbroker %s--help')\n", command);
	return EXIT_USAGE;
}

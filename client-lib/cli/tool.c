/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands tell the user when something fails: the object first, then what is the
 * matter, then the way out. Only words are made here; nothing here decides or exits.
 */
#include "cli.h"

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

static const char *socket_path(void)
{
	const char *path = secure_getenv("FDBROKER_SOCKET");

	return path != NULL && path[0] != '\0' ? path : FDBROKER_SOCKET_PATH;
}

/* The way out for those errnos of fdbroker_new() that have one. */
static const struct {
	int error;
	const char *hint;
} connect_hints[] = {
	{ENOENT, "is fdbrokerd running? FDBROKER_SOCKET names another socket"},
	{ECONNREFUSED, "is fdbrokerd running? FDBROKER_SOCKET names another socket"},
	{EPERM, "who listens there is neither root nor the user " FDBROKER_USER},
	{ENAMETOOLONG, "the name of a socket has at most 107 bytes"},
	{EPROTOTYPE, "this is not the socket of a broker"},
	{EACCES, "its mode should be 0666, and every folder above it open to all: chmod a+x"},
};

static const char *connect_hint(int error)
{
	for (size_t i = 0; i < sizeof(connect_hints) / sizeof(connect_hints[0]); i++) {
		if (connect_hints[i].error == error)
			return connect_hints[i].hint;
	}
	return "see fdbroker(1)";
}

struct fdbroker *tool_connect(void)
{
	struct fdbroker *broker = fdbroker_new(NULL);

	if (broker == NULL)
		fprintf(stderr, "fdbroker: cannot connect to the broker at %s: %s (%s)\n",
			socket_path(), strerror(errno), connect_hint(errno));
	return broker;
}

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
	const char *error = strerror(errno);
	enum fdbroker_reason reason = fdbroker_last_reason();

	switch (reason) {
	case FDBROKER_REASON_NONE:
	case FDBROKER_REASON_KERNEL:
	case FDBROKER_REASON_LOCAL:
		fprintf(stderr, "fdbroker: %s: %s\n", object, error);
		break;
	case FDBROKER_REASON_POLICY:
		fprintf(stderr,
			"fdbroker: %s: denied by policy (the broker's audit log has the details: "
			"journalctl -u fdbroker)\n",
			object);
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

bool tool_wants_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
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

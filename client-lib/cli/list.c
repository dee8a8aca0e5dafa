/* SPDX-License-Identifier: MIT */
/*
 * fdbroker list: what this user may have, as the running broker says. On a terminal what is no
 * plain text is escaped: names of files and users were chosen by somebody else. Elsewhere it goes
 * out as it is, so that a policy can be made of it.
 */
#include "cli.h"
#include "policy.h"
#include "set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char list_help[] =
	"Usage: fdbroker list\n"
	"\n"
	"Shows what the broker's policy grants to whoever asks: the client blocks that are\n"
	"for this user and this service, with their rules and limits.\n"
	"\n"
	"Exit status: 0 fine, 1 there is no answer, 64 wrong usage.\n";

/* Tabs and the ends of lines are ours. */
static void print_safely(char *line, size_t length)
{
	bool has_end = length > 0 && line[length - 1] == '\n';

	text_print(line, has_end ? length - 1 : length, stdout);
	if (has_end)
		putchar('\n');
}

/* Returns the exit status. */
static int print_grants(FILE *grants)
{
	const bool is_terminal = isatty(STDOUT_FILENO);
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int error;

	while ((length = getline(&line, &size, grants)) > 0) {
		if (is_terminal)
			print_safely(line, (size_t)length);
		else
			(void)fwrite(line, 1, (size_t)length, stdout);
	}
	error = errno;
	free(line);
	/* Out of memory, getline(3) sets no flag of the stream. */
	if (feof(grants) == 0) {
		fprintf(stderr, "fdbroker: list: %s\n", strerror(error));
		return EXIT_FAILURE;
	}
	if (ferror(stdout)) {
		fprintf(stderr, "fdbroker: stdout: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return tool_print("");
}

static int list_grants(struct fdbroker *broker)
{
	int fd = fdbroker_grants(broker), status;
	FILE *grants;

	if (fd < 0) {
		tool_complain("list");
		return EXIT_FAILURE;
	}
	grants = fdopen(fd, "r");
	if (grants == NULL) {
		fprintf(stderr, "fdbroker: list: %s\n", strerror(errno));
		close(fd);
		return EXIT_FAILURE;
	}
	status = print_grants(grants);
	fclose(grants);
	return status;
}

int list_main(int argc, char **argv)
{
	struct fdbroker *broker;
	int status;

	if (argc > 1 && tool_wants_help(argv[1]))
		return tool_print(list_help);
	if (argc > 1)
		return tool_usage_error("list ", "list: it takes no '%s'", argv[1]);
	broker = tool_connect();
	if (broker == NULL)
		return EXIT_FAILURE;
	status = list_grants(broker);
	fdbroker_free(broker);
	return status;
}

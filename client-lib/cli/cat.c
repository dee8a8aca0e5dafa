/* SPDX-License-Identifier: MIT */
/*
 * fdbroker cat: files that only the broker can open, to stdout. A file that fails is reported and
 * the next one is tried, as cat(1) does.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char cat_help[] = "Usage: fdbroker cat PATH...\n"
			       "\n"
			       "Writes files to stdout, as far as the broker's policy goes.\n"
			       "\n"
			       "Exit status: 0 fine, 1 if one or more failed, 64 wrong usage.\n";

enum copied {
	COPIED,
	READ_FAILED,
	WRITE_FAILED, /* there is no use in going on with other files */
};

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return true;
}

/* read(2) and write(2): they work with every pair of files, and splice(2) and its kin do not. */
static enum copied copy_to_stdout(int fd)
{
	static char buffer[128 * 1024];

	for (;;) {
		ssize_t length = read(fd, buffer, sizeof(buffer));

		if (length == 0)
			return COPIED;
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return READ_FAILED;
		if (!write_all(STDOUT_FILENO, buffer, (size_t)length))
			return WRITE_FAILED;
	}
}

static enum copied cat_file(struct fdbroker *broker, const char *path)
{
	int fd = fdbroker_open(broker, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		tool_complain(path);
		return READ_FAILED;
	}
	enum copied copied = copy_to_stdout(fd);
	if (copied == READ_FAILED)
		fprintf(stderr, "fdbroker: %s: %s\n", path, strerror(errno));
	/* EPIPE: the reader has seen enough, which is nothing to complain of (SIGPIPE, signal(7)).
	 */
	if (copied == WRITE_FAILED && errno != EPIPE)
		fprintf(stderr, "fdbroker: stdout: %s\n", strerror(errno));
	close(fd);
	return copied;
}

static int cat_files(char *const *paths)
{
	struct fdbroker *broker = tool_connect();
	enum copied copied = COPIED;
	int status = EXIT_SUCCESS;

	if (broker == NULL)
		return EXIT_FAILURE;
	for (; *paths != NULL && copied != WRITE_FAILED; paths++) {
		copied = cat_file(broker, *paths);
		if (copied != COPIED)
			status = EXIT_FAILURE;
	}
	fdbroker_free(broker);
	return status;
}

int cat_main(int argc, char **argv)
{
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

	if (argc > 1 && tool_wants_help(argv[1]))
		return tool_print(cat_help);
	if (first == 1 && argc > 1 && argv[1][0] == '-')
		return tool_usage_error("cat ", "cat: there is no option '%s'", argv[1]);
	if (first >= argc)
		return tool_usage_error("cat ", "cat: a path is missing");
	return cat_files(argv + first);
}

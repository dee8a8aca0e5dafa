/* SPDX-License-Identifier: MIT */
/*
 * tail -F for a log that only root can read: follow PATH prints what is in it and what comes to it,
 * through rotations and truncations, until a line says "end". It waits for events, and looks by
 * itself only while the file was moved away and there is no other one.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdbroker.h"

#define MASK (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define PATIENCE_MSEC 20000
#define AGAIN_MSEC 20

static struct fdbroker *broker;
static const char *path;
static int inotify, watch;
static FILE *log_file;
static bool may_have_moved; /* it was moved, or deleted: is there another one? */

/* The file that bears the name now. The watch is first: nothing that is written is missed. */
static bool find(void)
{
	int fd;

	watch = fdbroker_watch(broker, inotify, path, MASK);
	if (watch < 0) {
		if (errno != ENOENT)
			err(1, "watch: %s", fdbroker_strreason(fdbroker_last_reason()));
		return false;
	}
	fd = fdbroker_open(broker, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* rotated away in between */
	log_file = fdopen(fd, "r");
	return log_file != NULL;
}

/* True: that was the last line. */
static bool print_new_lines(void)
{
	char line[4096];
	struct stat status;

	if (fstat(fileno(log_file), &status) == 0 && status.st_size < ftell(log_file))
		rewind(log_file);
	clearerr(log_file);
	while (fgets(line, sizeof(line), log_file) != NULL) {
		if (strcmp(line, "end\n") == 0)
			return true;
		fputs(line, stdout);
		fflush(stdout);
	}
	return false;
}

static void read_events(void)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t length = read(inotify, events, sizeof(events));

	for (ssize_t at = 0; at < length;) {
		const struct inotify_event *event = (const void *)(events + at);

		if (event->len != 0)
			errx(1, "an event with a name: %s", event->name);
		if (event->wd == watch && (event->mask & ~(uint32_t)IN_MODIFY) != 0)
			may_have_moved = true;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* The old one is read until there is a new one: its writer may not know yet. */
static void wait_for_events(void)
{
	struct pollfd ready = {.fd = inotify, .events = POLLIN};
	int events = poll(&ready, 1, may_have_moved ? AGAIN_MSEC : PATIENCE_MSEC);

	if (events == 1)
		read_events();
	else if (!may_have_moved)
		errx(1, "no event in %d ms", PATIENCE_MSEC);
}

/* Does another file bear the name? */
static bool has_moved(void)
{
	struct stat open_one, named;

	if (!may_have_moved || fdbroker_stat(broker, path, &named) < 0 ||
		fstat(fileno(log_file), &open_one) < 0)
		return false;
	may_have_moved = false;
	return open_one.st_ino != named.st_ino;
}

int main(int argc, char **argv)
{
	bool is_over = false;

	if (argc != 2)
		errx(64, "usage: follow PATH");
	path = argv[1];
	broker = fdbroker_new(NULL);
	inotify = inotify_init1(IN_CLOEXEC);
	if (broker == NULL || inotify < 0)
		err(1, "cannot start");
	while (!is_over) {
		while (!find())
			poll(NULL, 0, AGAIN_MSEC);
		is_over = print_new_lines();
		while (!is_over && !has_moved()) {
			wait_for_events();
			is_over = print_new_lines();
		}
		/* What came to it while the new one was looked for. */
		is_over = is_over || print_new_lines();
		inotify_rm_watch(inotify, watch);
		fclose(log_file);
	}
	return 0;
}

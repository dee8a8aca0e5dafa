/* SPDX-License-Identifier: MIT */
/*
 * A client with an inotify descriptor that does what it is told: watcher [COMMAND...], each one
 * argument, or one on each line of the standard input. Every command prints one line at once.
 *
 *	direct             from now on by inotify_add_watch(2), without the broker
 *	add MASK PATH      MASK is words of inotify(7) without IN_, or numbers, joined by |;
 *	                   "ok NUMBER", or an errno and the library's reason
 *	add-to WHAT MASK PATH   to another descriptor: pipe, file, epoll, socket, path, closed
 *	remove NUMBER
 *	events             what has come: for each its number and its mask, and its name if it has one
 *	new                another inotify descriptor
 *	say TEXT
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdbroker.h"

#define SETTLE_MSEC 100

static const struct {
	const char *name;
	uint32_t bit;
} words[] = {
	{"ACCESS", IN_ACCESS},
	{"MODIFY", IN_MODIFY},
	{"ATTRIB", IN_ATTRIB},
	{"CLOSE_WRITE", IN_CLOSE_WRITE},
	{"CLOSE_NOWRITE", IN_CLOSE_NOWRITE},
	{"OPEN", IN_OPEN},
	{"MOVED_FROM", IN_MOVED_FROM},
	{"MOVED_TO", IN_MOVED_TO},
	{"CREATE", IN_CREATE},
	{"DELETE", IN_DELETE},
	{"DELETE_SELF", IN_DELETE_SELF},
	{"MOVE_SELF", IN_MOVE_SELF},
	{"UNMOUNT", IN_UNMOUNT},
	{"Q_OVERFLOW", IN_Q_OVERFLOW},
	{"IGNORED", IN_IGNORED},
	{"ONLYDIR", IN_ONLYDIR},
	{"DONT_FOLLOW", IN_DONT_FOLLOW},
	{"EXCL_UNLINK", IN_EXCL_UNLINK},
	{"MASK_CREATE", IN_MASK_CREATE},
	{"MASK_ADD", IN_MASK_ADD},
	{"ISDIR", IN_ISDIR},
	{"ONESHOT", IN_ONESHOT},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static struct fdbroker *broker;
static bool is_direct;
static int inotify = -1;

static uint32_t mask_from(char *text)
{
	uint32_t mask = 0;

	for (const char *word; (word = strsep(&text, "|")) != NULL;) {
		size_t i = 0;

		while (i < WORDS && strcmp(words[i].name, word) != 0)
			i++;
		mask |= i < WORDS ? words[i].bit : (uint32_t)strtoul(word, NULL, 0);
	}
	return mask;
}

static void print_mask(uint32_t mask)
{
	const char *bar = "";

	for (size_t i = 0; i < WORDS; i++) {
		if ((mask & words[i].bit) != 0) {
			printf("%s%s", bar, words[i].name);
			bar = "|";
		}
	}
}

static void add(int fd, char *mask, const char *path)
{
	int number = is_direct ? inotify_add_watch(fd, path, mask_from(mask))
			       : fdbroker_watch(broker, fd, path, mask_from(mask));

	if (number >= 0)
		printf("ok %d\n", number);
	else if (is_direct)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%s %.*s\n", strerrorname_np(errno),
			(int)strcspn(fdbroker_strreason(fdbroker_last_reason()), ":"),
			fdbroker_strreason(fdbroker_last_reason()));
}

static int other_descriptor(const char *what)
{
	int pipes[2];

	if (strcmp(what, "pipe") == 0)
		return pipe(pipes) < 0 ? -1 : pipes[1];
	if (strcmp(what, "file") == 0)
		return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	if (strcmp(what, "epoll") == 0)
		return epoll_create1(EPOLL_CLOEXEC);
	if (strcmp(what, "socket") == 0)
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strcmp(what, "path") == 0)
		return open("/etc/passwd", O_PATH | O_CLOEXEC);
	return 999;
}

static void print_events(void)
{
	_Alignas(struct inotify_event) char events[16384];
	struct pollfd ready = {.fd = inotify, .events = POLLIN};

	printf("ok");
	while (poll(&ready, 1, SETTLE_MSEC) == 1) {
		ssize_t length = read(inotify, events, sizeof(events));

		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event = (const void *)(events + at);

			printf(" %d:", event->wd);
			print_mask(event->mask);
			if (event->len > 0)
				printf("(%s)", event->name);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	printf("\n");
}

static void obey(char *line)
{
	char *rest = line, *command = strsep(&rest, " ");

	if (strcmp(command, "direct") == 0) {
		is_direct = true;
		printf("ok\n");
	} else if (strcmp(command, "add") == 0) {
		char *mask = strsep(&rest, " ");

		add(inotify, mask, rest);
	} else if (strcmp(command, "add-to") == 0) {
		int fd = other_descriptor(strsep(&rest, " "));
		char *mask = strsep(&rest, " ");

		add(fd, mask, rest);
	} else if (strcmp(command, "remove") == 0) {
		printf("%s\n",
			inotify_rm_watch(inotify, atoi(rest)) < 0 ? strerrorname_np(errno) : "ok");
	} else if (strcmp(command, "events") == 0) {
		print_events();
	} else if (strcmp(command, "new") == 0) {
		close(inotify);
		inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		printf("ok\n");
	} else if (strcmp(command, "say") == 0) {
		printf("%s\n", rest);
	} else {
		errx(64, "no such command: %s", command);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;

	inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	broker = fdbroker_new(NULL);
	if (inotify < 0 || broker == NULL)
		err(1, "cannot start");
	for (int i = 1; i < argc; i++)
		obey(argv[i]);
	while (argc == 1 && getline(&line, &size, stdin) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	free(line);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Follows a log that only root can read, as tail -F does: prints what is in it and what comes to it,
 * through rotations and truncations, until it is killed. It waits for events, and looks by itself
 * only while the log was moved away or removed and there is no other one yet.
 *
 *	example-follow LOG
 *
 *	cc -D_GNU_SOURCE follow.c -o example-follow \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow read,watch LOG
 */
#include <fdbroker.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* Truncation is IN_MODIFY too. A file that is removed while it is open shows it by IN_ATTRIB alone:
   one name less. IN_DELETE_SELF comes only when nobody has it open any more: inotify(7). */
#define EVENTS (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define PAUSE_MSEC 100

static struct fdbroker *broker;
static const char *path;
static int inotify;
static int watch;           /* on the log that is open */
static bool may_have_moved; /* ask whether another one has its name */

static void fail(const char *what)
{
	err(1, "%s: %s (%s)", path, what, fdbroker_strreason(fdbroker_last_reason()));
}

/* Of one file all watches are one, and have the same number: inotify_add_watch(2). -1: there is no
   file of that name now. */
static int watch_log(void)
{
	int number = fdbroker_watch(broker, inotify, path, EVENTS);

	if (number < 0 && errno != ENOENT)
		fail("watch");
	return number;
}

/* First the watch, then the file, so that nothing that is written is missed; then the watch again:
   if the log was rotated in between, they are of two files. -1: there is none now. */
static int find_log(void)
{
	watch = watch_log();
	while (watch >= 0) {
		int fd = fdbroker_open(broker, path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 && errno != ENOENT)
			fail("open");
		int number = watch_log();
		if (fd >= 0 && number == watch)
			return fd;
		if (fd >= 0)
			close(fd);
		if (number != watch)
			inotify_rm_watch(inotify, watch);
		watch = number;
	}
	return -1;
}

/* By name, for a name cannot be watched for: that would show other names of its folder. */
static int wait_for_log(void)
{
	int fd;

	while ((fd = find_log()) < 0)
		poll(NULL, 0, PAUSE_MSEC);
	return fd;
}

static void print(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, length);

		if (written < 0)
			err(1, "stdout");
		bytes += written;
		length -= (size_t)written;
	}
}

static void print_what_is_new(int fd)
{
	char bytes[4096];
	ssize_t length;
	struct stat status;

	if (fstat(fd, &status) == 0 && status.st_size < lseek(fd, 0, SEEK_CUR))
		lseek(fd, 0, SEEK_SET); /* it was truncated */
	while ((length = read(fd, bytes, sizeof(bytes))) > 0)
		print(bytes, (size_t)length);
	if (length < 0)
		err(1, "%s", path);
}

/* They are nothing but a reason to look; and some may be missing, IN_Q_OVERFLOW. */
static void read_events(void)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t length = read(inotify, events, sizeof(events));

	for (ssize_t at = 0; at < length;) {
		const struct inotify_event *event = (const void *)(events + at);
		bool is_about_name = (event->mask & ~(uint32_t)IN_MODIFY) != 0;

		if (is_about_name && (event->wd == watch || (event->mask & IN_Q_OVERFLOW) != 0))
			may_have_moved = true;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

static void wait_for_events(void)
{
	struct pollfd ready = {.fd = inotify, .events = POLLIN};

	if (poll(&ready, 1, may_have_moved ? PAUSE_MSEC : -1) == 1)
		read_events();
}

/* Has another file the name of the log? While there is none, the old one is gone on with: who writes
   to it may not know yet. */
static bool is_replaced(void)
{
	int number;

	if (!may_have_moved)
		return false;
	number = watch_log();
	may_have_moved = number < 0;
	if (number < 0 || number == watch)
		return false;
	inotify_rm_watch(inotify, watch);
	return true;
}

static void follow(void)
{
	int fd = wait_for_log();

	do {
		print_what_is_new(fd);
		wait_for_events();
	} while (!is_replaced());
	print_what_is_new(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(64, "usage: %s LOG", argv[0]);
	path = argv[1];
	broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	inotify = inotify_init1(IN_CLOEXEC);
	if (inotify < 0)
		err(1, "inotify_init1");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");
	for (;;)
		follow();
}

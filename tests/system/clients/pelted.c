/* SPDX-License-Identifier: MIT */
/*
 * Opens files while signals come in. A timer sends a thousand a second, and their handler has
 * SA_RESTART, or has not.
 *
 *	pelted restart|interrupt TIMES PATH    prints how often the open succeeded and how often it was
 *	                        interrupted, as "ok=3 EINTR=0"
 *	pelted create TIMES PATH    with SA_RESTART, each time another file that is not there: PATH
 *	                        and a number
 *	pelted copy TIMES PATH  with SA_RESTART; opens the file so often, and copies it to the output,
 *	                        or the input if PATH is "-"
 *
 * The status is 1 if anything else came of a call, or, but for copy, if no signal came at all.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t came;

static void take(int number)
{
	(void)number;
	came = 1;
}

static void begin(int flags)
{
	const struct timeval period = {.tv_usec = 1000};
	const struct itimerval timer = {.it_interval = period, .it_value = period};
	struct sigaction action = {.sa_handler = take, .sa_flags = flags};

	if (sigaction(SIGALRM, &action, NULL) < 0 || setitimer(ITIMER_REAL, &timer, NULL) < 0)
		err(1, "the timer");
}

/* -1: it was interrupted. */
static int open_one(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EINTR)
		err(1, "%s", path);
	return fd;
}

static void open_often(unsigned long times, const char *path, bool creates)
{
	unsigned long opened = 0, interrupted = 0;
	char name[4096];

	while (opened + interrupted < times) {
		int fd;

		snprintf(name, sizeof(name), "%s%lu", path, opened);
		fd = creates ? open_one(name, O_WRONLY | O_CREAT | O_EXCL)
			     : open_one(path, O_RDONLY);
		if (fd < 0) {
			interrupted++;
			continue;
		}
		opened++;
		close(fd);
	}
	printf("ok=%lu EINTR=%lu\n", opened, interrupted);
}

static void copy(unsigned long times, const char *path)
{
	char bytes[256];
	ssize_t length;
	int fd = STDIN_FILENO;

	while (strcmp(path, "-") != 0 && times-- > 0) {
		if (fd > STDIN_FILENO)
			close(fd);
		fd = open_one(path, O_RDONLY);
		if (fd < 0)
			err(1, "%s", path);
	}
	while ((length = read(fd, bytes, sizeof(bytes))) > 0) {
		if (write(STDOUT_FILENO, bytes, (size_t)length) != length)
			err(1, "write");
	}
	if (length < 0)
		err(1, "read");
}

int main(int argc, char **argv)
{
	unsigned long times;

	if (argc != 4)
		errx(64, "usage: pelted restart|interrupt|create|copy TIMES PATH");
	times = strtoul(argv[2], NULL, 10);
	begin(strcmp(argv[1], "interrupt") == 0 ? 0 : SA_RESTART);
	if (strcmp(argv[1], "copy") == 0) {
		copy(times, argv[3]);
		return 0;
	}
	open_often(times, argv[3], strcmp(argv[1], "create") == 0);
	return came != 0 ? 0 : 1;
}

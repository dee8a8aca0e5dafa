/* SPDX-License-Identifier: MIT */
/*
 * Opens a file while signals come in: pelted restart|interrupt TIMES PATH. A timer sends a thousand
 * a second, and their handler has SA_RESTART, or has not. Prints how often the open succeeded and how
 * often it was interrupted, as "ok=3 EINTR=0", and ends with 1 if anything else came of one, or if no
 * signal came at all.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

int main(int argc, char **argv)
{
	unsigned long opened = 0, interrupted = 0, times;

	if (argc != 4)
		errx(64, "usage: pelted restart|interrupt TIMES PATH");
	times = strtoul(argv[2], NULL, 10);
	begin(strcmp(argv[1], "restart") == 0 ? SA_RESTART : 0);
	while (opened + interrupted < times) {
		int fd = open(argv[3], O_RDONLY | O_CLOEXEC);

		if (fd < 0 && errno != EINTR)
			err(1, "%s", argv[3]);
		if (fd < 0) {
			interrupted++;
			continue;
		}
		opened++;
		close(fd);
	}
	printf("ok=%lu EINTR=%lu\n", opened, interrupted);
	return came != 0 ? 0 : 1;
}

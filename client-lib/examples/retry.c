/* SPDX-License-Identifier: MIT */
/*
 * Greets a server that may still be starting: as long as nobody listens, it tries again, and waits
 * twice as long each time, so that many clients do not keep a machine from ever getting up.
 *
 *	example-retry HOST SERVICE
 *
 *	cc retry.c service.c stream.c -o example-retry \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow connect tcp:classics.example:811
 */
#include "service.h"
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIRST_WAIT_MSEC 50L
#define LAST_WAIT_MSEC 6400L

static void wait_msec(long msec)
{
	struct timespec wait = {.tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000};

	nanosleep(&wait, NULL);
}

/* Only what time may heal is worth another try: what the policy denies, it will deny again. */
static int is_temporary(int error)
{
	return error == ECONNREFUSED || error == ETIMEDOUT || error == EHOSTUNREACH ||
	       error == ENETUNREACH;
}

static int dial_patiently(struct fdbroker *broker, const char *host, const char *service)
{
	for (long wait = FIRST_WAIT_MSEC;; wait *= 2) {
		int fd = dial_service(broker, host, service, SOCK_STREAM);

		if (fd >= 0)
			return fd;
		if (!is_temporary(errno) || wait > LAST_WAIT_MSEC)
			err(1, "%s %s (%s)", host, service,
				fdbroker_strreason(fdbroker_last_reason()));
		warn("%s %s: again in %ld ms", host, service, wait);
		wait_msec(wait);
	}
}

int main(int argc, char **argv)
{
	static const char greeting[] = "Hello at last\n";

	if (argc != 3)
		errx(64, "usage: %s HOST SERVICE", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int server = dial_patiently(broker, argv[1], argv[2]);
	if (send_all(server, greeting, strlen(greeting)) != 0)
		err(1, "send");
	print_all(server);
	close(server);
	fdbroker_free(broker);
	return 0;
}

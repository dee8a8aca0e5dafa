/* SPDX-License-Identifier: MIT */
/*
 * Asks another machine over UDP how long it has been up. Datagrams get lost: after a while without
 * an answer the question is asked again, each time with more patience, and at last given up.
 *
 *	example-uruptime HOST SERVICE
 *
 *	cc uruptime.c service.c -o example-uruptime \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow connect udp:classics.example:812
 */
#include "service.h"

#include <fdbroker.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#define QUESTIONS 4
#define FIRST_TIMEOUT_MSEC 250

/* Asks once. Returns the length of the answer, or -1 with errno. */
static ssize_t ask(int server, char *answer, size_t size, int timeout_msec)
{
	struct pollfd waiting = {.fd = server, .events = POLLIN};

	if (send(server, "?", 1, 0) < 0)
		return -1;
	int ready = poll(&waiting, 1, timeout_msec);
	if (ready == 0)
		errno = ETIMEDOUT;
	if (ready <= 0)
		return -1;
	return recv(server, answer, size, 0);
}

int main(int argc, char **argv)
{
	char answer[512];
	int timeout_msec = FIRST_TIMEOUT_MSEC;

	if (argc != 3)
		errx(64, "usage: %s HOST SERVICE", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int server = dial_service(broker, argv[1], argv[2], SOCK_DGRAM);
	if (server < 0)
		err(1, "%s %s (%s)", argv[1], argv[2], fdbroker_strreason(fdbroker_last_reason()));
	fdbroker_free(broker);
	/* The socket is connected: it hears nobody else, and it learns when nobody listens there
	   (ECONNREFUSED, udp(7)), which may change as well. */
	for (int i = 0; i < QUESTIONS; i++) {
		ssize_t length = ask(server, answer, sizeof(answer), timeout_msec);

		if (length >= 0) {
			fwrite(answer, 1, (size_t)length, stdout);
			return fflush(stdout) == 0 ? 0 : 1;
		}
		int error = errno;

		warn("question %d", i + 1);
		if (error != ETIMEDOUT)
			poll(NULL, 0, timeout_msec);
		timeout_msec *= 2;
	}
	errx(1, "%s %s: no answer", argv[1], argv[2]);
}

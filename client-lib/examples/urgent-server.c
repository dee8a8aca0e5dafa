/* SPDX-License-Identifier: MIT */
/*
 * Urgent data, the receiver's side: waits for SIGURG, discards what came before the urgent byte,
 * reads that byte, out of line or inline (SO_OOBINLINE, socket(7)), and prints what comes after.
 *
 * TCP has one urgent byte at most, the last that was sent so (tcp(7), RFC 6093, which also says why
 * new protocols should not use it).
 *
 *	example-urgent-server inline|outofline ENDPOINT		such as tcp:814
 *
 *	cc -D_GNU_SOURCE urgent-server.c stream.c -o example-urgent-server \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow bind tcp:814
 */
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t is_urgent;

static void on_urgent(int number)
{
	(void)number;
	is_urgent = 1;
}

/* The signal stays blocked, but for the time that it is waited for: else it could come between the
   look at is_urgent and the waiting. */
static void prepare_signal(void)
{
	struct sigaction action = {.sa_handler = on_urgent};
	sigset_t urgent;

	sigemptyset(&action.sa_mask);
	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	if (sigaction(SIGURG, &action, NULL) != 0 || sigprocmask(SIG_BLOCK, &urgent, NULL) != 0)
		err(1, "SIGURG");
}

static void wait_for_signal(void)
{
	sigset_t none;

	sigemptyset(&none);
	while (!is_urgent)
		sigsuspend(&none);
	printf("SIGURG\n");
}

/* A read never goes past the mark, sockatmark(3): so this ends there. */
static void discard_up_to_mark(int fd)
{
	char buffer[64];
	ssize_t discarded = 0;
	int at_mark;

	while ((at_mark = sockatmark(fd)) == 0) {
		ssize_t length = recv(fd, buffer, sizeof(buffer), 0);

		if (length <= 0)
			errx(1, "the stream ended before the mark");
		discarded += length;
	}
	if (at_mark < 0)
		err(1, "sockatmark");
	printf("discarded %zd bytes up to the mark\n", discarded);
}

static void read_urgent_byte(int fd, bool is_inline)
{
	char byte;

	if (recv(fd, &byte, 1, is_inline ? 0 : MSG_OOB) != 1)
		err(1, "the urgent byte");
	printf("urgent byte, %s: %c\n", is_inline ? "inline" : "out of line", byte);
}

/* Who gets SIGURG must be said before the client sends anything: so it waits until it is told. */
static void serve(int client, bool is_inline)
{
	int on = is_inline;
	char rest[256];

	if (setsockopt(client, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) != 0)
		err(1, "SO_OOBINLINE");
	if (fcntl(client, F_SETOWN, getpid()) != 0)
		err(1, "F_SETOWN");
	if (send_all(client, "ready\n", 6) != 0)
		err(1, "send");
	wait_for_signal();
	discard_up_to_mark(client);
	read_urgent_byte(client, is_inline);
	if (receive_all(client, rest, sizeof(rest)) < 0)
		err(1, "recv");
	printf("after it: %s\n", rest);
}

int main(int argc, char **argv)
{
	if (argc != 3 || (strcmp(argv[1], "inline") != 0 && strcmp(argv[1], "outofline") != 0))
		errx(64, "usage: %s inline|outofline ENDPOINT", argv[0]);
	bool is_inline = strcmp(argv[1], "inline") == 0;
	prepare_signal();
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int listener = fdbroker_listen(broker, argv[2], 1);
	if (listener < 0)
		err(1, "%s (%s)", argv[2], fdbroker_strreason(fdbroker_last_reason()));
	fdbroker_free(broker);
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		err(1, "accept");
	serve(client, is_inline);
	return fflush(stdout) == 0 ? 0 : 1;
}

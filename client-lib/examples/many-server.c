/* SPDX-License-Identifier: MIT */
/*
 * A server for many clients at a time in one process: poll(2) says who has sent something, and
 * gets it back. When the last client has left, prints how many there were, and how many at a time.
 *
 *	example-many-server ENDPOINT		such as tcp:813
 *
 *	cc -D_GNU_SOURCE many-server.c -o example-many-server \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow bind tcp:813
 */
#include <fdbroker.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 2000
#define BACKLOG 1024

/* The listener is the first, the clients follow without gaps. */
static struct pollfd waiting[1 + CLIENTS_MAX];
static nfds_t count = 1;
static unsigned int clients, most_at_a_time;

/* A descriptor for each client is more than the usual limit of 1024 allows. */
static void allow_many_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		err(1, "RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		err(1, "RLIMIT_NOFILE");
}

/* When there is no room, those who connect wait in the queue of the listener. */
static void listen_if_there_is_room(void)
{
	waiting[0].events = count < 1 + CLIENTS_MAX ? POLLIN : 0;
}

static void welcome(void)
{
	int client = accept4(waiting[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client < 0) {
		warn("accept");
		return;
	}
	waiting[count++] = (struct pollfd){.fd = client, .events = POLLIN};
	clients++;
	if (most_at_a_time < count - 1)
		most_at_a_time = (unsigned int)(count - 1);
}

/* The last one takes the place of the one that leaves. */
static void take_leave(nfds_t i)
{
	close(waiting[i].fd);
	waiting[i] = waiting[--count];
	if (count > 1)
		return;
	printf("%u clients, %u at a time\n", clients, most_at_a_time);
	clients = most_at_a_time = 0;
}

/* Nobody is waited for: a client that does not read what it gets has to leave. */
static void answer(nfds_t i)
{
	char buffer[4096];
	ssize_t length = recv(waiting[i].fd, buffer, sizeof(buffer), 0);

	if (length <= 0 || send(waiting[i].fd, buffer, (size_t)length, MSG_NOSIGNAL) != length)
		take_leave(i);
}

static void serve(void)
{
	for (;;) {
		listen_if_there_is_room();
		if (poll(waiting, count, -1) < 0)
			err(1, "poll");
		/* From the end: who takes the place of one that left has had its turn already. */
		for (nfds_t i = count - 1; i > 0; i--) {
			if (waiting[i].revents != 0)
				answer(i);
		}
		if (waiting[0].revents != 0)
			welcome();
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2)
		errx(64, "usage: %s ENDPOINT", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	allow_many_descriptors();
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	waiting[0].fd = fdbroker_listen(broker, argv[1], BACKLOG);
	if (waiting[0].fd < 0)
		err(1, "%s (%s)", argv[1], fdbroker_strreason(fdbroker_last_reason()));
	fdbroker_free(broker);
	printf("listening\n");
	serve();
}

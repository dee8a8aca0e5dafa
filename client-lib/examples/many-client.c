/* SPDX-License-Identifier: MIT */
/*
 * Many clients in one process: connects so many times, then sends a line over each connection, and
 * then waits for each to come back. Prints how many did; the status is 0 only if all of them did.
 *
 *	example-many-client ENDPOINT COUNT	such as tcp:127.0.0.1:813 1000
 *
 *	cc many-client.c stream.c -o example-many-client \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow connect tcp:127.0.0.1:813
 */
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define CLIENTS_MAX 2000UL
#define LINE_SIZE 32

static struct pollfd waiting[CLIENTS_MAX];

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

static void connect_all(struct fdbroker *broker, const char *endpoint, unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		waiting[i].fd = fdbroker_dial(broker, endpoint);
		waiting[i].events = POLLIN;
		if (waiting[i].fd < 0)
			err(1, "%s, client %lu (%s)", endpoint, i + 1,
				fdbroker_strreason(fdbroker_last_reason()));
	}
}

static void line_of(unsigned long i, char line[static LINE_SIZE])
{
	snprintf(line, LINE_SIZE, "client %lu", i + 1);
}

static void send_lines(unsigned long count)
{
	char line[LINE_SIZE];

	for (unsigned long i = 0; i < count; i++) {
		line_of(i, line);
		strcat(line, "\n");
		if (send_all(waiting[i].fd, line, strlen(line)) != 0)
			err(1, "client %lu", i + 1);
	}
}

/*
 * Returns whether what comes back is what was sent. From then on poll(2) passes over this one, but
 * it stays connected, as all of them do until the process ends: they are to be there together.
 */
static unsigned int check_answer(unsigned long i)
{
	char expected[LINE_SIZE], line[LINE_SIZE] = "";

	line_of(i, expected);
	if (receive_line(waiting[i].fd, line, sizeof(line)) < 0)
		warn("client %lu", i + 1);
	waiting[i].fd = -1;
	return strcmp(line, expected) == 0;
}

static unsigned int count_right_answers(unsigned long count)
{
	unsigned int right = 0;

	for (unsigned long left = count; left > 0;) {
		if (poll(waiting, count, -1) < 0)
			err(1, "poll");
		for (unsigned long i = 0; i < count; i++) {
			if (waiting[i].fd >= 0 && waiting[i].revents != 0) {
				right += check_answer(i);
				left--;
			}
		}
	}
	return right;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(64, "usage: %s ENDPOINT COUNT", argv[0]);
	unsigned long count = strtoul(argv[2], NULL, 10);
	if (count == 0 || count > CLIENTS_MAX)
		errx(64, "COUNT is 1 to %lu", CLIENTS_MAX);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	allow_many_descriptors();
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	connect_all(broker, argv[1], count);
	fdbroker_free(broker);
	send_lines(count);
	unsigned int right = count_right_answers(count);
	printf("%lu clients, %u right answers\n", count, right);
	return right == count ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * A client that asks and reads the answers when it is told to. Each line of the standard input is a
 * command, and each prints one line at once:
 *
 *	connect COUNT     has so many connections more
 *	send COUNT PATH   asks so many times over each to open the file to read, a packet each
 *	read              takes all answers that come until none does for half a second; prints how
 *	                  many there were, and "closed" if a connection has ended
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
#include <sys/socket.h>
#include <unistd.h>

#include "fdbroker.h"
#include "protocol.h"

#define SILENCE_MSEC 500

#define CONNECTIONS_MAX 256

static struct pollfd connections[CONNECTIONS_MAX];
static nfds_t connected;

static void connect_one_more(void)
{
	struct fdbroker *broker = fdbroker_new(NULL);

	if (connected == CONNECTIONS_MAX)
		errx(64, "too many connections");
	if (broker == NULL)
		err(1, "no broker");
	connections[connected].fd = fdbroker_fd(broker); /* until the end */
	connections[connected++].events = POLLIN;
}

static void do_connect(const char *arguments)
{
	for (unsigned long count = strtoul(arguments, NULL, 10); count > 0; count--)
		connect_one_more();
	printf("ok\n");
}

static void do_send(const char *arguments)
{
	static uint32_t id;
	unsigned char bytes[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;
	char *path;
	unsigned long count = strtoul(arguments, &path, 10);
	struct fdbroker_request request = {.operation = FDBROKER_OPEN};

	request.open.flags = O_RDONLY;
	request.path = (struct fdbroker_text){path + 1, strlen(path + 1)};
	for (; count > 0; count--) {
		fdbroker_packet_begin(&packet, bytes, FDBROKER_PACKET_REQUEST, id++);
		if (!fdbroker_packet_add_request(&packet, &request))
			errx(1, "no packet can hold that");
		for (nfds_t i = 0; i < connected; i++)
			if (send(connections[i].fd, packet.bytes, packet.length, MSG_NOSIGNAL) < 0)
				err(1, "send");
	}
	printf("ok\n");
}

/* Takes one answer; what came with it is closed. False: the connection has ended. */
static bool take_answer(int connection)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDBROKER_REQUESTS_MAX * sizeof(int))];
	} control;
	unsigned char bytes[FDBROKER_REPLY_MAX];
	struct iovec space = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &space,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *part;
	int fd;

	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) <= 0)
		return false;
	part = CMSG_FIRSTHDR(&message);
	if (part != NULL && part->cmsg_type == SCM_RIGHTS) {
		memcpy(&fd, CMSG_DATA(part), sizeof(fd));
		close(fd);
	}
	return true;
}

static void do_read(void)
{
	unsigned int count = 0;

	while (poll(connections, connected, SILENCE_MSEC) > 0)
		for (nfds_t i = 0; i < connected; i++) {
			if (connections[i].revents == 0)
				continue;
			if (!take_answer(connections[i].fd)) {
				printf("%u closed\n", count);
				return;
			}
			count++;
		}
	printf("%u\n", count);
}

int main(void)
{
	char line[4300];

	connect_one_more();
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "send ", 5) == 0)
			do_send(line + 5);
		else if (strncmp(line, "connect ", 8) == 0)
			do_connect(line + 8);
		else if (strcmp(line, "read") == 0)
			do_read();
		else if (strncmp(line, "say ", 4) == 0)
			puts(line + 4);
		else
			errx(64, "no such command: %s", line);
	}
	return 0;
}

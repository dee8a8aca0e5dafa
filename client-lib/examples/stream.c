/* SPDX-License-Identifier: MIT */
/*
 * What several examples do with a stream socket: send everything, receive to the end, copy between
 * the socket and the terminal. A stream has no packets: one send(2) may be received in pieces, so
 * every loop here goes on until the end that the two sides agreed on.
 */
#include "stream.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* MSG_NOSIGNAL: a peer that has gone is an error like others, EPIPE, not a signal that kills. */
int send_all(int fd, const void *bytes, size_t length)
{
	const char *next = bytes;

	while (length > 0) {
		ssize_t sent = send(fd, next, length, MSG_NOSIGNAL);

		if (sent < 0)
			return -1;
		next += sent;
		length -= (size_t)sent;
	}
	return 0;
}

ssize_t receive_all(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length < size - 1) {
		ssize_t received = recv(fd, text + length, size - 1 - length, 0);

		if (received < 0)
			return -1;
		if (received == 0)
			break;
		length += (size_t)received;
	}
	text[length] = '\0';
	return (ssize_t)length;
}

/* A byte at a time, so that nothing after the line is taken from the socket. */
ssize_t receive_line(int fd, char *line, size_t size)
{
	size_t length = 0;

	while (length < size - 1) {
		ssize_t received = recv(fd, line + length, 1, 0);

		if (received < 0)
			return -1;
		if (received == 0 || line[length] == '\n')
			break;
		length++;
	}
	line[length] = '\0';
	return (ssize_t)length;
}

static void write_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, length);

		if (written < 0)
			err(1, "standard output");
		bytes += written;
		length -= (size_t)written;
	}
}

/* Returns whether there is more to come. */
static int copy_to_output(int fd)
{
	char buffer[4096];
	ssize_t received = recv(fd, buffer, sizeof(buffer), 0);

	if (received < 0)
		err(1, "recv");
	write_all(buffer, (size_t)received);
	return received > 0;
}

static int copy_from_input(int fd)
{
	char buffer[4096];
	ssize_t length = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (length < 0)
		err(1, "standard input");
	if (send_all(fd, buffer, (size_t)length) != 0)
		err(1, "send");
	return length > 0;
}

void print_all(int fd)
{
	while (copy_to_output(fd))
		;
}

void converse(int fd)
{
	struct pollfd waiting[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
	};

	for (;;) {
		if (poll(waiting, 2, -1) < 0)
			err(1, "poll");
		if (waiting[0].revents != 0 && !copy_to_output(fd))
			return;
		if (waiting[1].revents != 0 && !copy_from_input(fd)) {
			shutdown(fd, SHUT_WR);
			waiting[1].fd = -1; /* poll(2) passes over it */
		}
	}
}

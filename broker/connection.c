/* SPDX-License-Identifier: MIT */
/* Ending a connection without ever closing a stranger's descriptor by accident: see connection.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"

void connection_shut(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
}

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

void connection_refuse_descriptors(int listener)
{
	int off = 0;

	(void)setsockopt(listener, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
}

void connection_permit_descriptors(int fd)
{
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &on, sizeof(on));
}

static uint64_t socket_cookie(int fd, int option)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, option, &cookie, &length) == 0 ? cookie : 0;
}

uint64_t connection_cookie(int fd)
{
	return socket_cookie(fd, SO_COOKIE);
}

uint64_t netns_cookie(int fd)
{
	return socket_cookie(fd, SO_NETNS_COOKIE);
}

static void set_passcred(int fd, int value)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof(value));
}

enum peeked { PEEKED_END, PEEKED_NOTHING, PEEKED_CONTROL };

/* What is at the head of the queue? No room is given for a control message: MSG_CTRUNC shows one.
 */
static enum peeked peek(int fd)
{
	struct msghdr packet = {.msg_iov = NULL};

	/* ECONNRESET is said once, whatever is in the queue. */
	while (recvmsg(fd, &packet, MSG_PEEK | MSG_DONTWAIT) < 0)
		if (errno != EINTR && errno != ECONNRESET)
			return PEEKED_END;
	return (packet.msg_flags & MSG_CTRUNC) != 0 ? PEEKED_CONTROL : PEEKED_NOTHING;
}

/*
 * An empty packet and the end of file both read as 0. With SO_PASSCRED every packet has a control
 * message, so that tells one from the other; without it, only one with descriptors does.
 */
bool connection_is_drained(int fd)
{
	for (;;) {
		set_passcred(fd, 1);
		if (peek(fd) != PEEKED_CONTROL)
			return true;
		set_passcred(fd, 0);
		if (peek(fd) == PEEKED_CONTROL)
			return false;
		(void)recv(fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
	}
}

int connection_first_descriptor(struct msghdr *packet, unsigned int *count)
{
	int first = -1;

	*count = 0;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part != NULL;
		part = CMSG_NXTHDR(packet, part)) {
		size_t fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < fds; i++, (*count)++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
			if (first < 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

bool connection_discard(int fd)
{
	static union connection_control control;
	struct msghdr packet = {.msg_control = &control, .msg_controllen = sizeof(control)};
	unsigned int count;
	int first;

	if (recvmsg(fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return false;
	first = connection_first_descriptor(&packet, &count);
	if (first >= 0)
		close(first);
	return true;
}

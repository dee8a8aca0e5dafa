/* SPDX-License-Identifier: MIT */
/* Ending a connection without ever closing a stranger's descriptor by accident: see connection.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"

/* The kernel's SCM_MAX_FD: the most descriptors that one packet can carry. */
#define SCM_MAX_FD 253

void connection_shut(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
}

bool connection_is_drained(int fd)
{
	struct msghdr packet = {.msg_iov = NULL};
	int on = 1;

	/*
	 * An empty packet and the end of file both read as 0. With SO_PASSCRED every packet has a
	 * control message, for which no room is given, so MSG_CTRUNC tells one from the other.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return false;
	/* ECONNRESET is said once, whatever is in the queue. */
	while (recvmsg(fd, &packet, MSG_PEEK | MSG_DONTWAIT) < 0)
		if (errno != EINTR && errno != ECONNRESET)
			return errno == EAGAIN || errno == ENOTCONN;
	return (packet.msg_flags & MSG_CTRUNC) == 0;
}

bool connection_discard(int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(SCM_MAX_FD * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct msghdr packet = {.msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *part;

	if (recvmsg(fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return false;
	for (part = CMSG_FIRSTHDR(&packet); part != NULL; part = CMSG_NXTHDR(&packet, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int received;

			memcpy(&received, CMSG_DATA(part) + i * sizeof(int), sizeof(received));
			close(received);
		}
	}
	return true;
}

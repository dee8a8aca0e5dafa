/* SPDX-License-Identifier: MIT */
/*
 * Descriptors sent from process to process. What arrives is a descriptor of the same open file,
 * whatever number it has there: who receives it can use it without a right to open that file.
 */
#include "descriptor.h"

#include <err.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one descriptor. Whoever gets more than there is room for, does not get the rest. */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header; /* for the alignment: cmsg(3) */
};

void send_descriptor(int socket, int fd)
{
	char byte = '.'; /* on a stream a descriptor needs a byte to travel with: unix(7) */
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	union control control;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	if (sendmsg(socket, &message, MSG_NOSIGNAL) != 1)
		err(1, "sending a descriptor");
}

int receive_descriptor(int socket, int *fd)
{
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union control control;
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);

	if (length < 0)
		err(1, "receiving a descriptor");
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*fd = -1;
	if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return length > 0;
}

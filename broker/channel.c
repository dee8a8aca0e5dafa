/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving messages between the broker's processes: the only file that unpacks
 * descriptors sent by the broker itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "cleanup.h"

int channel_pair(int ends[static 2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		int error = -errno;

		close(ends[0]);
		close(ends[1]);
		return error;
	}
	return 0;
}

static int packet_send(int channel, const struct msghdr *packet)
{
	for (;;) {
		if (sendmsg(channel, packet, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

int channel_send(int channel, const struct message *message, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = (void *)message, .iov_len = sizeof(*message)};
	struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};

	if (fd >= 0) {
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		packet.msg_control = &control;
		packet.msg_controllen = sizeof(control);
	}
	return packet_send(channel, &packet);
}

int channel_send_bytes(int channel, const struct message *message, const void *bytes, size_t length)
{
	struct iovec data[] = {
		{.iov_base = (void *)message, .iov_len = sizeof(*message)},
		{.iov_base = (void *)bytes, .iov_len = length},
	};

	return packet_send(channel, &(struct msghdr){.msg_iov = data, .msg_iovlen = 2});
}

/* Returns the length of what follows the message, 0 or more, or a negative errno (-EPIPE: the end
 * of the file). */
static ssize_t packet_receive(
	int channel, struct message *message, int *fd, char *bytes, size_t room)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	_cleanup_close_ int received = -1;
	struct iovec data[] = {
		{.iov_base = message, .iov_len = sizeof(*message)},
		{.iov_base = bytes, .iov_len = room},
	};
	/* CMSG_LEN, not CMSG_SPACE: the padding of the latter has room for a second descriptor. */
	struct msghdr packet = {.msg_iov = data,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t length;

	*fd = -1;
	do
		length = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (packet.msg_controllen >= sizeof(struct cmsghdr) &&
		control.header.cmsg_level == SOL_SOCKET && control.header.cmsg_type == SCM_RIGHTS &&
		control.header.cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&received, CMSG_DATA(&control.header), sizeof(received));
	if (length == 0)
		return -EPIPE;
	if (length < (ssize_t)sizeof(*message) ||
		(packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return -EPROTO;

	*fd = take_fd(&received);
	return length - (ssize_t)sizeof(*message);
}

int channel_receive(int channel, struct message *message, int *fd)
{
	ssize_t more = packet_receive(channel, message, fd, NULL, 0);

	return more == -EPIPE ? 0 : more < 0 ? (int)more : 1;
}

int channel_receive_bytes(int channel, struct message *message, int *fd,
	char bytes[static CHANNEL_BYTES_MAX], size_t *length)
{
	ssize_t more = packet_receive(channel, message, fd, bytes, CHANNEL_BYTES_MAX);

	*length = more > 0 ? (size_t)more : 0;
	return more == -EPIPE ? 0 : more < 0 ? (int)more : 1;
}

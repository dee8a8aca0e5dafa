/* SPDX-License-Identifier: MIT */
/*
 * The executor: one packet of one client at a time, and it may take its time. It is lent the
 * connection, takes the packet from its queue, with the descriptor if one came along, does what was
 * asked, answers, and gives the connection back. When it hangs in the kernel, only the peer whose
 * packet it took waits.
 *
 * It decides anew what it does: nothing of a worker's opinion travels with the work.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "child.h"
#include "cleanup.h"
#include "connection.h"
#include "log.h"
#include "role.h"

/* What was received: the descriptor that came along, or -1; *many when there were several. */
static int received_descriptor(struct msghdr *packet, bool *many)
{
	int first = -1;

	*many = (packet->msg_flags & MSG_CTRUNC) != 0;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part != NULL;
		part = CMSG_NXTHDR(packet, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
			if (first < 0) {
				first = fd;
				continue;
			}
			*many = true;
			close(fd);
		}
	}
	return first;
}

/* Takes the next packet. Returns its length, 0 for nothing there, or a negative errno. */
static ssize_t take_packet(int connection, void *bytes, int *received, bool *many)
{
	/* The kernel's SCM_MAX_FD, so that none is discarded by the kernel on the way. */
	static union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control;
	struct iovec data = {.iov_base = bytes, .iov_len = FDBROKER_PACKET_MAX};
	struct msghdr packet = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(connection, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (length < 0)
		return errno == EAGAIN || errno == ECONNRESET ? 0 : -errno;
	*received = received_descriptor(&packet, many);
	return (packet.msg_flags & MSG_TRUNC) != 0 ? -EPROTO : length;
}

/* Returns 0 when the connection can go on, or a negative errno: it is to be ended. */
static int executor_take(const struct server *server, const struct message *job, int connection)
{
	static unsigned char bytes[FDBROKER_PACKET_MAX];
	static struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
	const struct asker asker = {.peer = &job->peer, .pid = job->pid};
	_cleanup_close_ int received = -1;
	const char *why = NULL;
	uint32_t first_id;
	bool many = false;
	ssize_t length;
	int count;

	length = take_packet(connection, bytes, &received, &many);
	if (length <= 0)
		return (int)length;
	count = fdbroker_packet_decode(bytes, (size_t)length, &first_id, requests, &why);
	if (count < 0)
		return count;
	/* The worker has seen as much when it peeked; a client cannot change a packet it has sent.
	 */
	if (many || (received >= 0) != fdbroker_operation_takes_descriptor(requests[0].operation)) {
		log_message(LOG_NOTICE, "protocol error: uid=%u pid=%d: %s", job->peer.uid,
			job->pid,
			many ? "several descriptors" : "a descriptor too many or too few");
		return -EPROTO;
	}
	return serve_packet(server, &asker, connection, first_id, requests, (unsigned int)count,
		take_fd(&received));
}

static void executor_drain(int connection)
{
	while (!connection_is_drained(connection) && connection_discard(connection))
		;
}

int executor_main(void)
{
	struct server server;
	struct message job;
	int connection, error;

	if (role_begin(ROLE_EXECUTOR, &server) < 0)
		return 1;
	while (channel_receive(CHILD_CHANNEL, &job, &connection) == 1) {
		struct message done = {
			.type = MESSAGE_DONE, .slot = job.slot, .serial = job.serial};

		error = 0;
		if (job.type == MESSAGE_TAKE)
			error = executor_take(&server, &job, connection);
		else if (job.type == MESSAGE_DRAIN)
			executor_drain(connection);
		close(connection);
		role_wake_log(&server);
		done.flag = error < 0;
		if (channel_send(CHILD_CHANNEL, &done, -1) < 0)
			break;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The executor: one packet of one client at a time, and it may take its time. It is lent the
 * connection, takes the packet from its queue, with the descriptor if one came along, does what was
 * asked, answers, and gives the connection back. When it hangs in the kernel, only the peer whose
 * packet it took waits.
 *
 * It decides anew what it does, for the peer that the supervisor's table names: nothing of a
 * worker's opinion travels with the work.
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

/* Takes the next packet. Returns its length, 0 for nothing there, or a negative errno. */
static ssize_t take_packet(int connection, void *bytes, int *received, unsigned int *count)
{
	static union connection_control control;
	struct iovec data = {.iov_base = bytes, .iov_len = FDBROKER_PACKET_MAX};
	struct msghdr packet = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(connection, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (length < 0)
		return errno == EAGAIN || errno == ECONNRESET ? 0 : -errno;
	*received = connection_first_descriptor(&packet, count);
	return (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? -EPROTO : length;
}

/*
 * Whose connection is it? What the supervisor wrote, if it was dealt under this serial, and if the
 * kernel says the same: a worker can lend what it was dealt, but not in another's name.
 */
static bool find_peer(
	const struct peers *peers, const struct message *job, int connection, struct peer *peer)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (job->slot >= SESSIONS_MAX)
		return false;
	/* A copy: the slot may be another's before this is over. */
	*peer = peers->table[job->slot];
	return peer->serial == job->serial &&
	       getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 &&
	       credentials.uid == peer->policy.uid;
}

/* Returns 0 when the connection can go on, or a negative errno: it is to be ended. */
static int executor_take(const struct server *server, const struct peer *peer, int connection)
{
	static unsigned char bytes[FDBROKER_PACKET_MAX];
	static struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
	const struct asker asker = {
		.peer = &peer->policy, .pid = peer->pid, .connection = connection};
	_cleanup_close_ int received = -1;
	unsigned int descriptors = 0;
	const char *why = NULL;
	enum served served;
	uint32_t first_id;
	ssize_t length;
	int count;

	length = take_packet(connection, bytes, &received, &descriptors);
	if (length <= 0)
		return (int)length;
	count = fdbroker_packet_decode(bytes, (size_t)length, &first_id, requests, &why);
	if (count > 0 &&
		descriptors != fdbroker_operation_traits(requests[0].operation)->takes_descriptor) {
		why = "not the one descriptor that the request needs";
		count = -EPROTO;
	}
	if (count < 0) {
		log_message(LOG_NOTICE, "protocol error: uid=%u pid=%d: %s; connection ended",
			peer->policy.uid, peer->pid, why);
		return count;
	}
	return serve_packet(server, &asker, connection, first_id, requests, (unsigned int)count,
		take_fd(&received), &served);
}

static void executor_drain(int connection)
{
	while (!connection_is_drained(connection) && connection_discard(connection))
		;
}

int executor_main(void)
{
	static struct server server;
	const struct peers *peers;
	struct message job;
	struct peer peer;
	int connection, error;

	if (role_begin(ROLE_EXECUTOR, &server, &peers) < 0)
		return 1;
	while (channel_receive(CHILD_CHANNEL, &job, &connection) == 1) {
		struct message done = {
			.type = MESSAGE_DONE, .slot = job.slot, .serial = job.serial};

		error = -EPROTO;
		if (job.type == MESSAGE_DRAIN)
			executor_drain(connection);
		else if (job.type == MESSAGE_TAKE && find_peer(peers, &job, connection, &peer))
			error = executor_take(&server, &peer, connection);
		close(connection);
		role_wake_log(&server);
		done.flag = error < 0;
		if (channel_send(CHILD_CHANNEL, &done, -1) < 0)
			break;
	}
	return 0;
}

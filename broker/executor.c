/* SPDX-License-Identifier: MIT */
/*
 * The executor: one packet of one client at a time, and it may take its time. It is lent the
 * connection, takes the packet from its queue, with the descriptor if one came along, does what was
 * asked, answers, and gives the connection back. What can be repeated it takes only when it has
 * answered: if it ends before, another one does it anew. When it hangs in the kernel, only the peer
 * whose packet it took waits.
 *
 * It decides anew what it does, for the peer that the supervisor's table names: nothing of a
 * worker's opinion travels with the work.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "child.h"
#include "cleanup.h"
#include "connection.h"
#include "log.h"
#include "operations/serve.h"
#include "resolver.h"
#include "role.h"

/* What came of a job. */
enum taken {
	TAKEN_SERVED,
	TAKEN_BROKEN, /* the connection is to be ended */
	TAKEN_NOT,    /* it is for another executor: the packet is where it was */
};

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
 * Whose connection is it? What the supervisor wrote, if it was dealt under this serial, and if this
 * is the socket that it wrote it of: a worker can lend what it was dealt, but not in another's name.
 */
static bool find_peer(
	const struct peers *peers, const struct message *job, int connection, struct peer *peer)
{
	if (job->slot >= SESSIONS_MAX)
		return false;
	/* A copy: the slot may be another's before this is over. */
	*peer = peers->table[job->slot];
	return peer->serial == job->serial && peer->cookie != 0 &&
	       peer->cookie == connection_cookie(connection);
}

/*
 * Looks at the next packet without taking it, and without room for a descriptor. Returns the number
 * of its requests if it is to stay in the queue until it has been answered; else 0.
 */
static int peek_repeatable(
	int connection, void *bytes, uint32_t *first_id, struct fdbroker_request *requests)
{
	struct iovec data = {.iov_base = bytes, .iov_len = FDBROKER_PACKET_MAX};
	struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};
	ssize_t length = recvmsg(connection, &packet, MSG_PEEK | MSG_DONTWAIT);
	const char *why;
	int count;

	if (length <= 0 || (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return 0;
	count = fdbroker_packet_decode(bytes, (size_t)length, first_id, requests, &why);
	return count > 0 && fdbroker_operation_traits(requests[0].operation)->is_repeatable ? count
											    : 0;
}

/* A packet that can be repeated leaves the queue when it has been answered, as in a worker. */
static enum taken executor_repeat(const struct server *server, const struct asker *asker,
	uint32_t first_id, const struct fdbroker_request *requests, int count)
{
	enum served served;
	int error =
		serve_packet(server, asker, first_id, requests, (unsigned int)count, -1, &served);

	if (served == SERVED_ELSEWHERE)
		return TAKEN_NOT;
	(void)recv(asker->connection, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
	return error < 0 ? TAKEN_BROKEN : TAKEN_SERVED;
}

static enum taken executor_take(const struct server *server, const struct asker *asker)
{
	static unsigned char bytes[FDBROKER_PACKET_MAX];
	static struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
	_cleanup_close_ int received = -1;
	unsigned int descriptors = 0;
	const char *why = NULL;
	enum served served;
	uint32_t first_id;
	ssize_t length;
	int count;

	count = peek_repeatable(asker->connection, bytes, &first_id, requests);
	if (count > 0)
		return executor_repeat(server, asker, first_id, requests, count);
	length = take_packet(asker->connection, bytes, &received, &descriptors);
	if (length <= 0)
		return length < 0 ? TAKEN_BROKEN : TAKEN_SERVED;
	count = fdbroker_packet_decode(bytes, (size_t)length, &first_id, requests, &why);
	if (count > 0)
		why = fdbroker_descriptors_wrong(&requests[0], descriptors);
	if (why != NULL)
		count = -EPROTO;
	if (count < 0) {
		log_message(LOG_NOTICE, "protocol error: uid=%u pid=%d: %s; connection ended",
			asker->peer->uid, asker->pid, why);
		return TAKEN_BROKEN;
	}
	if (serve_packet(server, asker, first_id, requests, (unsigned int)count, take_fd(&received),
		    &served) < 0)
		return TAKEN_BROKEN;
	/* What is for the supervisor no worker of ours lends, and now it is lost. */
	return served == SERVED ? TAKEN_SERVED : TAKEN_BROKEN;
}

static void executor_drain(int connection)
{
	while (!connection_is_drained(connection) && connection_discard(connection))
		;
}

/* Waits for a job. False: there will be none, or no resolver for it. */
static bool executor_wait(void)
{
	struct pollfd fds[] = {
		{.fd = CHILD_CHANNEL, .events = POLLIN},
		{.fd = resolver_channel()},
	};

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return fds[1].revents == 0;
}

/* Does one job, and gives the connection back. False: this executor is to end. */
static bool executor_work(
	const struct server *server, const struct peers *peers, const struct message *job, int fd)
{
	_cleanup_close_ int connection = fd;
	struct message done = {.type = MESSAGE_DONE, .slot = job->slot, .serial = job->serial};
	enum taken taken = TAKEN_BROKEN;
	struct peer peer;

	if (job->type == MESSAGE_DRAIN) {
		executor_drain(connection);
	} else if (job->type == MESSAGE_TAKE && find_peer(peers, job, connection, &peer)) {
		const struct asker asker = role_asker(peers, job->slot, &peer, connection);

		taken = executor_take(server, &asker);
	}
	if (taken == TAKEN_NOT)
		return false;
	close(take_fd(&connection));
	role_wake_log(server);
	done.flag = taken == TAKEN_BROKEN;
	if (resolver_is_lost())
		done.type = MESSAGE_DONE_AND_OVER;
	return channel_send(CHILD_CHANNEL, &done, -1) == 0 && !resolver_is_lost();
}

int executor_main(void)
{
	static struct server server;
	const struct peers *peers;
	struct message job;
	int connection;

	resolver_attach();
	if (role_begin(ROLE_EXECUTOR, &server, &peers) < 0)
		return 1;
	while (executor_wait() && channel_receive(CHILD_CHANNEL, &job, &connection) == 1)
		if (!executor_work(&server, peers, &job, connection))
			break;
	role_wake_log(&server);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The one way of a packet through worker and executor: each request to its operation, each
 * decision to the audit ring, and then all results in one reply. What can be asked is a table.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve.h"

/* What a packet that was decoded can hold: no other operation comes here. */
static operation_function *const operations[] = {
	[FDBROKER_OPEN] = serve_open,
	[FDBROKER_BIND] = serve_bind,
	[FDBROKER_LISTEN] = serve_listen,
	[FDBROKER_CONNECT] = serve_connect,
	[FDBROKER_DIAL] = serve_dial,
	[FDBROKER_SOCKET] = serve_socket,
	[FDBROKER_TUN] = serve_tun,
	[FDBROKER_SETSOCKOPT] = serve_setsockopt,
	[FDBROKER_GETADDRINFO] = serve_getaddrinfo,
	[FDBROKER_GETNAMEINFO] = serve_getnameinfo,
	[FDBROKER_GETPROTOBYNAME] = serve_getprotobyname,
	[FDBROKER_STAT] = serve_stat,
	[FDBROKER_ACCESS] = serve_access,
	[FDBROKER_READLINK] = serve_readlink,
	[FDBROKER_MKDIR] = serve_mkdir,
	[FDBROKER_UNLINK] = serve_unlink,
	[FDBROKER_RMDIR] = serve_rmdir,
	[FDBROKER_RENAME] = serve_rename,
	[FDBROKER_LIST] = serve_list,
	[FDBROKER_WATCH] = serve_watch,
	[FDBROKER_COPY] = serve_copy,
	[FDBROKER_LIMIT] = serve_limit,
	[FDBROKER_CLONE] = serve_clone,
	[FDBROKER_GRANTS] = serve_grants,
};
static_assert(sizeof(operations) / sizeof(operations[0]) == FDBROKER_OPERATIONS_END,
	"whatever the protocol can ask for is served");

/* What has been served so far of one packet. */
struct answer {
	unsigned char bytes[FDBROKER_REPLY_MAX];
	struct fdbroker_packet packet;
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
	unsigned int result_count;
	int fds[FDBROKER_REQUESTS_MAX];
	unsigned int fd_count;
	const void *data; /* of the one result that has some: such a request stands alone */
	size_t data_length;
};

static void answer_init(struct answer *answer)
{
	answer->result_count = answer->fd_count = 0;
	answer->data = NULL;
	answer->data_length = 0;
}

static void answer_add(struct answer *answer, uint32_t id, const struct reply *reply)
{
	answer->results[answer->result_count++] = (struct fdbroker_result){
		.id = id,
		.error = reply->error,
		.reason = (uint8_t)reply->reason,
		.has_descriptor = reply->fd >= 0,
		.data_length = (uint16_t)reply->data_length,
	};
	if (reply->data_length > 0) {
		answer->data = reply->data;
		answer->data_length = reply->data_length;
	}
	if (reply->fd >= 0)
		answer->fds[answer->fd_count++] = reply->fd;
}

static void answer_close(struct answer *answer)
{
	while (answer->fd_count > 0)
		close(answer->fds[--answer->fd_count]);
}

/* One sendmsg(2) of what the answer holds. 0 or a negative errno. */
static int answer_send_once(struct answer *answer, int connection)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(answer->fds))];
	} control = {0};
	size_t fds_size = answer->fd_count * sizeof(answer->fds[0]);
	struct iovec data;
	struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};

	fdbroker_packet_begin(&answer->packet, answer->bytes, FDBROKER_PACKET_REPLY, 0);
	for (unsigned int i = 0; i < answer->result_count; i++)
		fdbroker_packet_add_result(&answer->packet, &answer->results[i]);
	fdbroker_packet_add_data(&answer->packet, answer->data, answer->data_length);
	data.iov_base = answer->packet.bytes;
	data.iov_len = answer->packet.length;
	if (answer->fd_count > 0) {
		control.header.cmsg_len = CMSG_LEN(fds_size);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), answer->fds, fds_size);
		packet.msg_control = &control;
		packet.msg_controllen = CMSG_SPACE(fds_size);
	}
	for (;;) {
		if (sendmsg(connection, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/* Sends the answer; when no descriptor can be sent now, then what became of them instead. */
static int answer_send(struct answer *answer, int connection)
{
	int error = answer_send_once(answer, connection);

	/* unix(7): the descriptors in flight of one uid exceed its RLIMIT_NOFILE. */
	if (error != -ETOOMANYREFS)
		return error;
	answer_close(answer);
	for (unsigned int i = 0; i < answer->result_count; i++) {
		struct fdbroker_result *result = &answer->results[i];

		if (!result->has_descriptor)
			continue;
		result->has_descriptor = 0;
		result->error = ETOOMANYREFS;
		result->reason = FDBROKER_REASON_LIMIT;
	}
	return answer_send_once(answer, connection);
}

int serve_packet(const struct server *server, const struct asker *asker, uint32_t first_id,
	const struct fdbroker_request *requests, unsigned int count, int received,
	enum served *served)
{
	static struct reply replies[FDBROKER_REQUESTS_MAX]; /* every process has one thread */
	struct answer answer;
	int error;

	answer_init(&answer);
	*served = SERVED;
	for (unsigned int i = 0; i < count && *served == SERVED; i++) {
		reply_init(&replies[i]);
		*served = operations[requests[i].operation](
			server, asker, &requests[i], received, &replies[i]);
		if (*served == SERVED)
			answer_add(&answer, first_id + i, &replies[i]);
		/* At once: the next one may hang. A worker may yet leave the packet to an executor.
		 */
		if (*served == SERVED && server->may_wait)
			reply_audit(server, asker, &replies[i]);
	}
	/* The client's next bind may see EADDRINUSE while we hold the socket; and closing may wait.
	 */
	if (received >= 0)
		close(received);
	error = 0;
	if (*served != SERVED)
		ring_drop_pending(server->ring);
	if (*served == SERVED) {
		for (unsigned int i = 0; i < count && !server->may_wait; i++)
			reply_audit(server, asker, &replies[i]);
		error = answer_send(&answer, asker->connection);
	}
	answer_close(&answer);
	return error;
}

int serve_outcome(int connection, uint32_t id, int outcome, int fd)
{
	struct answer answer;
	int error;

	answer_init(&answer);
	answer_add(&answer, id,
		&(struct reply){
			.error = outcome,
			.reason = outcome != 0 ? FDBROKER_REASON_LIMIT : FDBROKER_REASON_NONE,
			.fd = fd,
		});
	error = answer_send(&answer, connection);
	answer_close(&answer);
	return error;
}

int serve_unknown(int connection, uint32_t first_id, unsigned int count)
{
	struct answer answer;

	answer_init(&answer);
	for (unsigned int i = 0; i < count; i++)
		answer_add(&answer, first_id + i,
			&(struct reply){
				.error = EOWNERDEAD, .reason = FDBROKER_REASON_UNKNOWN, .fd = -1});
	return answer_send(&answer, connection);
}

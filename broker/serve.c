/* SPDX-License-Identifier: MIT */
/*
 * The one way of a packet through worker and executor: each request to its operation, each
 * decision to the audit ring, and then all results in one reply. What can be asked is a table.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "endpoint.h"
#include "limits.h"
#include "lookup.h"
#include "netns.h"
#include "open.h"
#include "serve.h"

typedef enum served serve_function(const struct server *, const struct asker *,
	const struct fdbroker_request *, int, struct reply *);

static serve_function *const operations[] = {
	[FDBROKER_OPEN] = serve_open,
	[FDBROKER_BIND] = serve_bind,
	[FDBROKER_LISTEN] = serve_listen,
	[FDBROKER_DIAL] = serve_dial,
	[FDBROKER_GETADDRINFO] = serve_getaddrinfo,
	[FDBROKER_GETNAMEINFO] = serve_getnameinfo,
	[FDBROKER_GETPROTOBYNAME] = serve_getprotobyname,
};

static enum served serve_nothing(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	(void)server;
	(void)asker;
	(void)request;
	(void)received;
	return reply_refuse(reply, ENOSYS, FDBROKER_REASON_SOCKET);
}

static serve_function *serve_operation(enum fdbroker_operation operation)
{
	return operations[operation] != NULL ? operations[operation] : serve_nothing;
}

static void reply_init(struct reply *reply)
{
	reply->error = 0;
	reply->reason = FDBROKER_REASON_NONE;
	reply->fd = -1;
	reply->data = NULL;
	reply->data_length = 0;
	reply->verbs = 0;
	reply->object = "";
	reply->object_length = 0;
	reply->decision =
		(struct policy_decision){.outcome = POLICY_DENIED_NO_RULE, .rule = POLICY_NO_RULE};
}

enum served reply_refuse(struct reply *reply, int error, enum fdbroker_reason reason)
{
	reply->error = error;
	reply->reason = reason;
	return SERVED;
}

enum served reply_kernel(struct reply *reply, int error)
{
	return reply_refuse(reply, error, FDBROKER_REASON_KERNEL);
}

enum served reply_grant(struct reply *reply, int fd)
{
	reply->error = 0;
	reply->reason = FDBROKER_REASON_NONE;
	reply->fd = fd;
	return SERVED;
}

/* The audit record of one served request: in the ring before the client can know. */
static void serve_audit(
	const struct server *server, const struct asker *asker, const struct reply *reply)
{
	const char *unit = asker->peer->text + asker->peer->unit;
	bool allowed =
		reply->decision.outcome == POLICY_ALLOWED &&
		(reply->reason == FDBROKER_REASON_NONE || reply->reason == FDBROKER_REASON_KERNEL ||
			reply->reason == FDBROKER_REASON_NAMES);
	uint8_t log = reply->decision.options.log;
	size_t unit_length = strlen(unit);
	struct record record;

	if (log == POLICY_LOG_NONE || (log == POLICY_LOG_DENIED && allowed))
		return;
	record = (struct record){
		.kind = RECORD_DECISION,
		.uid = asker->peer->uid,
		.pid = asker->pid,
		.verbs = reply->verbs,
		.rule = reply->decision.rule,
		.error = reply->error,
		.reason = (uint8_t)reply->reason,
		.allowed = allowed,
		.unit_length = (uint8_t)unit_length,
		.text_length = (uint16_t)(unit_length + reply->object_length),
	};
	ring_write(server->ring, &record, unit, reply->object);
}

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

int serve_packet(const struct server *server, const struct asker *asker, int connection,
	uint32_t first_id, const struct fdbroker_request *requests, unsigned int count,
	int received, enum served *served)
{
	static struct reply replies[FDBROKER_REQUESTS_MAX]; /* every process has one thread */
	struct answer answer;
	int error;

	answer_init(&answer);
	*served = SERVED;
	for (unsigned int i = 0; i < count && *served == SERVED; i++) {
		reply_init(&replies[i]);
		*served = serve_operation(requests[i].operation)(
			server, asker, &requests[i], received, &replies[i]);
		if (*served == SERVED)
			answer_add(&answer, first_id + i, &replies[i]);
	}
	/* The client's next bind may see EADDRINUSE while we hold the socket; and closing may wait.
	 */
	if (received >= 0)
		close(received);
	error = 0;
	if (*served == SERVED) {
		for (unsigned int i = 0; i < count; i++)
			serve_audit(server, asker, &replies[i]);
		error = answer_send(&answer, connection);
	}
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

int server_init(struct server *server)
{
	int probe;

	server->walker.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (server->walker.root < 0)
		return -errno;
	server->self_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (server->self_fd < 0)
		return -errno;
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return -errno;
	server->netns_cookie = netns_cookie(probe);
	close(probe);
	return server->netns_cookie != 0 ? 0 : -EOPNOTSUPP;
}

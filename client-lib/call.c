/* SPDX-License-Identifier: MIT */
/*
 * One round trip: send a packet, collect the results, see to it that each descriptor that arrives
 * ends up with its request or is closed. This file must never lose a descriptor on any path, and
 * never give one, or data, to a request that it was not meant for.
 */
#include "call.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A reply packet as it came, its descriptors and its data in the order of the results. */
struct reply {
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
	unsigned int result_count;
	const unsigned char *data; /* of the results that have some, in the connection's buffer */
	int fds[FDBROKER_REQUESTS_MAX]; /* -1 when taken out */
	unsigned int fd_count;
	bool fds_were_dropped; /* the kernel could not install all of them */
};

/* CMSG_LEN, not CMSG_SPACE: the padding of the latter would take one descriptor more. */
union reply_control {
	struct cmsghdr alignment;
	char bytes[CMSG_LEN(FDBROKER_REQUESTS_MAX * sizeof(int))];
};

static bool is_disconnected(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ECONNREFUSED || error == ENOTCONN;
}

static bool is_broker_failure(int error)
{
	return error == ECONNRESET || error == EPROTO;
}

/* ---- moving packets; 0 or a positive errno, ECONNRESET for each way of being disconnected ---- */

/*
 * After a system call on the socket failed: 0 if it is to be tried again. An adopted connection may
 * be non-blocking, which parent and child share; so EAGAIN waits.
 */
static int wait_after(int fd, int error, short events)
{
	struct pollfd ready = {.fd = fd, .events = events};

	if (error == EINTR)
		return 0;
	if (is_disconnected(error))
		return ECONNRESET;
	if (error != EAGAIN)
		return error;
	return poll(&ready, 1, -1) < 0 && errno != EINTR ? errno : 0;
}

static int send_message(int fd, const struct msghdr *message)
{
	while (sendmsg(fd, message, MSG_NOSIGNAL) < 0) {
		int error = wait_after(fd, errno, POLLOUT);

		if (error != 0)
			return error;
	}
	return 0;
}

/*
 * A broker on Linux 6.16 or later takes no descriptor before it has accepted the connection
 * (SO_PASSRIGHTS), and until then sendmsg(2) fails with EPERM. Sends when it has.
 */
static int send_descriptor(int fd, const struct msghdr *message)
{
	enum { FIRST_DELAY_MS = 1, LAST_DELAY_MS = 1024 };
	struct pollfd hung_up = {.fd = fd, .events = 0};
	int error = send_message(fd, message);

	for (int delay = FIRST_DELAY_MS; error == EPERM && delay <= LAST_DELAY_MS; delay *= 2) {
		if (poll(&hung_up, 1, delay) > 0)
			return ECONNRESET;
		error = send_message(fd, message);
	}
	return error;
}

static int send_packet(int fd, const struct fdbroker_packet *packet, int descriptor)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec bytes = {packet->bytes, packet->length};
	struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};

	if (descriptor != -1) {
		control.header = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		return send_descriptor(fd, &message);
	}
	return send_message(fd, &message);
}

/* Sets *length. A packet of no bytes looks like the end and is never sent by the broker. */
static int receive_message(int fd, struct msghdr *message, size_t *length)
{
	for (;;) {
		ssize_t received = recvmsg(fd, message, MSG_CMSG_CLOEXEC);

		if (received > 0) {
			*length = (size_t)received;
			return 0;
		}
		if (received == 0)
			return ECONNRESET;
		int error = wait_after(fd, errno, POLLIN);
		if (error != 0)
			return error;
	}
}

/* ---- descriptors ---- */

static void reply_close_descriptors(struct reply *reply)
{
	for (unsigned int i = 0; i < reply->fd_count; i++) {
		if (reply->fds[i] != -1)
			close(reply->fds[i]);
	}
	reply->fd_count = 0;
}

/* Into the reply, whose they are from then on. False: something else came along too. */
static bool reply_collect_descriptors(struct reply *reply, struct msghdr *message)
{
	bool nothing_else = true;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
		control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS ||
			control->cmsg_len < CMSG_LEN(0)) {
			nothing_else = false;
			continue;
		}
		size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		/* Cannot be more in all than fit into union reply_control. */
		memcpy(reply->fds + reply->fd_count, CMSG_DATA(control), count * sizeof(int));
		reply->fd_count += (unsigned int)count;
	}
	return nothing_else;
}

static unsigned int reply_descriptors_promised(const struct reply *reply)
{
	unsigned int promised = 0;

	for (unsigned int i = 0; i < reply->result_count; i++)
		promised += reply->results[i].has_descriptor;
	return promised;
}

/* Bytes and descriptors of a reply have to agree; EPROTO if they do not. */
static int reply_check(struct reply *reply, const unsigned char *bytes, size_t length)
{
	int count = fdbroker_reply_decode(bytes, length, reply->results, &reply->data);

	if (count < 0)
		return EPROTO;
	reply->result_count = (unsigned int)count;
	if (reply->fds_were_dropped) {
		/* unix(7): beyond RLIMIT_NOFILE the excess ones are closed. Which they were is not
		   worth relying on; a process in this state wants its descriptors back. */
		reply_close_descriptors(reply);
		return 0;
	}
	return reply->fd_count == reply_descriptors_promised(reply) ? 0 : EPROTO;
}

/*
 * Fills the reply in and returns 0, or a positive errno with no descriptor left in it. The packet
 * comes into the connection's buffer: the requests, which were there before, have been sent.
 */
static int reply_receive(struct reply *reply, struct fdbroker *broker)
{
	static_assert(sizeof(broker->packet) >= FDBROKER_REPLY_MAX, "room for any reply");
	union reply_control control;
	struct iovec space = {broker->packet, FDBROKER_REPLY_MAX};
	struct msghdr message = {
		.msg_iov = &space,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};
	size_t length = 0;

	reply->fd_count = 0;
	int error = receive_message(broker->fd, &message, &length);
	if (error != 0)
		return error;
	bool sound = reply_collect_descriptors(reply, &message);
	reply->fds_were_dropped = message.msg_flags & MSG_CTRUNC;
	if (!sound || message.msg_flags & MSG_TRUNC)
		error = EPROTO;
	else
		error = reply_check(reply, broker->packet, length);
	if (error != 0)
		reply_close_descriptors(reply);
	return error;
}

/* ---- results ---- */

/* Whether a result has what its operation gives on success, and that makes sense. */
static bool call_takes(
	const struct call *call, const struct fdbroker_result *result, const unsigned char *data)
{
	if (result->error != 0)
		return true;
	if (result->has_descriptor != call->traits->gives_descriptor)
		return false;
	if (!call->traits->gives_data)
		return result->data_length == 0;
	return call->take_data(call->target, data, result->data_length);
}

static int call_settle(
	struct call *call, const struct fdbroker_result *result, int *fd, const unsigned char *data)
{
	uint32_t index = result->id - call->first_id;
	struct call_outcome *outcome = &call->outcomes[index % FDBROKER_REQUESTS_MAX];

	/* Another process's, which died before it came; or a second answer, given after a crash
	   of the broker's worker. What came with it is closed with the reply. */
	if (index >= call->count || outcome->answered)
		return 0;
	if (!call_takes(call, result, data))
		return EPROTO;
	*outcome = (struct call_outcome){
		.answered = true,
		.fd = -1,
		.error = result->error,
		.reason = (enum fdbroker_reason)result->reason,
	};
	if (result->has_descriptor && *fd == -1) {
		outcome->error = EMFILE;
		outcome->reason = FDBROKER_REASON_LOCAL;
	} else if (result->has_descriptor) {
		outcome->fd = *fd;
		*fd = -1;
	}
	return 0;
}

static int call_settle_all(struct call *call, struct reply *reply)
{
	const unsigned char *data = reply->data;
	int none = -1, error = 0;
	unsigned int next = 0;

	for (unsigned int i = 0; i < reply->result_count && error == 0; i++) {
		const struct fdbroker_result *result = &reply->results[i];
		bool has = result->has_descriptor && !reply->fds_were_dropped;

		error = call_settle(call, result, has ? &reply->fds[next++] : &none, data);
		data += result->data_length;
	}
	reply_close_descriptors(reply);
	return error;
}

static bool call_is_answered(const struct call *call)
{
	for (unsigned int i = 0; i < call->count; i++) {
		if (!call->outcomes[i].answered)
			return false;
	}
	return true;
}

static int call_collect(struct call *call)
{
	struct reply reply;
	int error = 0;

	while (error == 0 && !call_is_answered(call)) {
		error = reply_receive(&reply, call->broker);
		if (error == 0)
			error = call_settle_all(call, &reply);
	}
	return error;
}

/* For all requests that have no answer and will get none. */
static void call_give_up(struct call *call, int error)
{
	if (is_broker_failure(error))
		shutdown(call->broker->fd, SHUT_RDWR);
	for (unsigned int i = 0; i < call->count; i++) {
		if (call->outcomes[i].answered)
			continue;
		call->outcomes[i].error = error;
		call->outcomes[i].reason =
			is_broker_failure(error) ? FDBROKER_REASON_BROKER : FDBROKER_REASON_LOCAL;
	}
}

/* ---- the call ---- */

int call_begin(struct call *call, struct fdbroker *broker)
{
	int error = connection_take_turn(broker, &call->cancel_state);

	if (error != 0)
		return error;
	call->broker = broker;
	call->first_id = broker->shared->next_id;
	call->count = 0;
	fdbroker_packet_begin(
		&call->packet, broker->packet, FDBROKER_PACKET_REQUEST, call->first_id);
	return 0;
}

bool call_add(struct call *call, const struct fdbroker_request *request)
{
	if (!fdbroker_packet_add_request(&call->packet, request))
		return false;
	call->traits = fdbroker_operation_traits(request->operation);
	call->outcomes[call->count++] = (struct call_outcome){.fd = -1};
	return true;
}

int call_finish(struct call *call, int descriptor)
{
	int unsent = 0;

	if (call->count > 0) {
		call->broker->shared->next_id += call->count;
		unsent = send_packet(call->broker->fd, &call->packet, descriptor);
		int error = unsent != 0 ? unsent : call_collect(call);
		if (error != 0)
			call_give_up(call, error);
	}
	connection_pass_turn(call->broker, call->cancel_state);
	return unsent;
}

struct call_outcome outcome_refused(int error, enum fdbroker_reason reason)
{
	return (struct call_outcome){.fd = -1, .error = error, .reason = reason};
}

int outcome_report(struct call_outcome outcome)
{
	return report_outcome(outcome.error, outcome.reason);
}

struct call_outcome call_once(
	struct fdbroker *broker, const struct fdbroker_request *request, int descriptor)
{
	return call_for_data(broker, request, descriptor, NULL, NULL);
}

struct call_outcome call_for_data(struct fdbroker *broker, const struct fdbroker_request *request,
	int descriptor, call_take_data *take, void *target)
{
	struct call call = {.take_data = take, .target = target};
	int error = call_begin(&call, broker);

	if (error != 0)
		return outcome_refused(error, FDBROKER_REASON_LOCAL);
	bool fits = call_add(&call, request);
	call_finish(&call, descriptor);
	return fits ? call.outcomes[0] : outcome_refused(EINVAL, FDBROKER_REASON_LOCAL);
}

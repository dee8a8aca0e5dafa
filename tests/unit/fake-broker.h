/* SPDX-License-Identifier: MIT */
/*
 * What the tests of libfdbroker share: a broker that is a child process of the test and plays a
 * part, and a client that notices what is left behind. For cmocka tests.
 */
#pragma once

#include "fdbroker.h"
#include "protocol.h"

#include "descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the broker's part ---- */

/* A packet as it came: what a part is played upon. */
struct asked {
	unsigned char bytes[FDBROKER_PACKET_MAX];
	struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
	uint32_t first_id;
	unsigned int count;
	int descriptor; /* that came along, or -1 */
};

static inline bool ask_next(int fd, struct asked *asked)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec space = {asked->bytes, sizeof(asked->bytes)};
	struct msghdr message = {.msg_iov = &space,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	const char *why;
	ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (length <= 0)
		return false;
	asked->descriptor = -1;
	if (CMSG_FIRSTHDR(&message) != NULL)
		memcpy(&asked->descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	int count = fdbroker_packet_decode(
		asked->bytes, (size_t)length, &asked->first_id, asked->requests, &why);
	asked->count = count > 0 ? (unsigned int)count : 0;
	return count > 0;
}

static inline void send_with(
	int fd, const void *bytes, size_t length, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE((FDBROKER_REQUESTS_MAX + 1) * sizeof(int))];
	} control;
	struct iovec space = {(void *)(uintptr_t)bytes, length};
	struct msghdr message = {.msg_iov = &space, .msg_iovlen = 1};

	if (fd_count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(fd_count * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
	}
	sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* A file that says what was asked for, so that a client can tell whether it got its own. */
static inline int make_file(const struct fdbroker_request *request)
{
	int fd = memfd_create("answer", MFD_CLOEXEC);

	if (request->operation == FDBROKER_OPEN)
		dprintf(fd, "%.*s %o", (int)request->path.length, request->path.bytes,
			request->open.flags);
	else
		dprintf(fd, "%u %u %u %u %u", request->endpoint.protocol, request->endpoint.family,
			request->endpoint.port, request->endpoint.scope,
			request->endpoint.address[15]);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Descriptors go with their results; all are closed here once they are on their way. */
static inline void reply(int fd, const struct fdbroker_result *results, size_t count,
	const int *fds, size_t fd_count)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 0);
	for (size_t i = 0; i < count; i++)
		fdbroker_packet_add_result(&packet, &results[i]);
	send_with(fd, packet.bytes, packet.length, fds, fd_count);
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
}

/* Data as it is, whether it makes sense or not. */
static inline void reply_with_data(
	int fd, struct fdbroker_result result, const void *data, size_t length)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;

	result.data_length = (uint16_t)length;
	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 0);
	fdbroker_packet_add_result(&packet, &result);
	memcpy(buffer + packet.length, data, length);
	send_with(fd, buffer, packet.length + length, NULL, 0);
}

static inline void grant(int fd, uint32_t id, const struct fdbroker_request *request)
{
	const struct fdbroker_result result = {.id = id, .has_descriptor = 1};
	int file = make_file(request);

	reply(fd, &result, 1, &file, 1);
}

static inline void deny(int fd, uint32_t id, int error, enum fdbroker_reason reason)
{
	const struct fdbroker_result result = {.id = id, .error = error, .reason = (uint8_t)reason};

	reply(fd, &result, 1, NULL, 0);
}

/* Grants all in one packet, but what begins with "/no". */
static inline void grant_packet(int fd, const struct asked *asked)
{
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX] = {0};
	int fds[FDBROKER_REQUESTS_MAX];
	size_t fd_count = 0;

	for (unsigned int i = 0; i < asked->count; i++) {
		const struct fdbroker_request *request = &asked->requests[i];

		results[i].id = asked->first_id + i;
		if (request->path.length >= 3 && memcmp(request->path.bytes, "/no", 3) == 0) {
			results[i].error = EACCES;
			results[i].reason = FDBROKER_REASON_POLICY;
		} else {
			results[i].has_descriptor = 1;
			fds[fd_count++] = make_file(request);
		}
	}
	reply(fd, results, asked->count, fds, fd_count);
}

static inline void serve_well(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked))
		grant_packet(fd, &asked);
}

/* ---- the client's part ---- */

static pid_t broker_pid;
static int descriptors_before;

static inline int remember_descriptors(void **state)
{
	(void)state;
	descriptors_before = count_descriptors();
	return 0;
}

static inline int expect_nothing_left(void **state)
{
	(void)state;
	assert_int_equal(count_descriptors(), descriptors_before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return 0;
}

/* The client's end of a connection to a child that serves the other. */
static inline int start_broker(void (*serve)(int fd))
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	broker_pid = fork();
	assert_int_not_equal(broker_pid, -1);
	if (broker_pid == 0) {
		close(ends[0]);
		serve(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static inline struct fdbroker *connect_to(void (*serve)(int fd))
{
	struct fdbroker *broker = fdbroker_from_fd(start_broker(serve));

	assert_non_null(broker);
	return broker;
}

static inline void disconnect(struct fdbroker *broker)
{
	fdbroker_free(broker);
	assert_int_equal(waitpid(broker_pid, NULL, 0), broker_pid);
}

static inline void expect_content(int fd, const char *expected)
{
	char content[FDBROKER_PATH_MAX + 32] = "";

	assert_true(fd >= 0);
	assert_true(read(fd, content, sizeof(content) - 1) > 0);
	close(fd);
	assert_string_equal(content, expected);
}

static inline void expect_failure(int result, int error, enum fdbroker_reason reason)
{
	int saved_errno = errno;

	assert_int_equal(result, -1);
	assert_int_equal(saved_errno, error);
	assert_int_equal(fdbroker_last_reason(), reason);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_descriptors, expect_nothing_left)

/* SPDX-License-Identifier: MIT */
/*
 * Channels between the broker's own processes. One of them may have been taken over: whatever it
 * sends, no descriptor is left behind. Every test ends with as many as it began with.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/channel.h"
#include "descriptors.h"

/* A channel, and a file to send. */
static int near_end, far_end, file;
static int descriptors_before;

static const struct message sample = {
	.type = MESSAGE_DEAL, .slot = 7, .serial = 8, .hand = {.id = 9, .count = 10}, .flag = 11};

static int channel_make(void **state)
{
	int ends[2];

	(void)state;
	descriptors_before = count_descriptors();
	if (channel_pair(ends) < 0)
		return -1;
	near_end = ends[0];
	far_end = ends[1];
	file = memfd_create("sent", MFD_CLOEXEC);
	return file < 0 ? -1 : 0;
}

static void hang_up(int *end)
{
	if (*end >= 0)
		assert_int_equal(close(*end), 0);
	*end = -1;
}

static int channel_drop(void **state)
{
	(void)state;
	hang_up(&near_end);
	hang_up(&far_end);
	hang_up(&file);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

/* Sends bytes and descriptors as no process of ours does, from the far end. */
static void send_raw(size_t length, size_t fd_count)
{
	static const unsigned char bytes[65536];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = {0};
	struct iovec data = {(void *)(uintptr_t)bytes, length};
	struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};

	if (fd_count > 0) {
		packet.msg_control = &control;
		packet.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.header.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		for (size_t i = 0; i < fd_count; i++)
			memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &file, sizeof(int));
	}
	assert_int_equal(sendmsg(far_end, &packet, MSG_NOSIGNAL), length);
}

/* What came was refused, no descriptor of it is here, and what comes next is received. */
static void assert_refused(void)
{
	struct message message;
	int fd = 0, before = count_descriptors();

	assert_int_equal(channel_receive(near_end, &message, &fd), -EPROTO);
	assert_int_equal(fd, -1);
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(channel_send(far_end, &sample, -1), 0);
	assert_int_equal(channel_receive(near_end, &message, &fd), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
	assert_int_equal(fd, -1);
}

static void only_the_first_end_never_waits_and_neither_outlives_an_exec(void **state)
{
	(void)state;
	assert_int_not_equal(fcntl(near_end, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(far_end, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(near_end, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(far_end, F_GETFD), FD_CLOEXEC);
}

static void a_message_arrives_as_it_was_sent(void **state)
{
	struct message message;
	int fd = 0;

	(void)state;
	assert_int_equal(channel_send(far_end, &sample, -1), 0);
	assert_int_equal(channel_receive(near_end, &message, &fd), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
	assert_int_equal(fd, -1);
	assert_int_equal(channel_send(near_end, &sample, -1), 0);
	assert_int_equal(channel_receive(far_end, &message, &fd), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
	assert_int_equal(fd, -1);
}

static void a_descriptor_comes_along_as_a_duplicate_that_no_exec_inherits(void **state)
{
	struct stat sent, received;
	struct message message;
	int fd = -1;

	(void)state;
	assert_int_equal(channel_send(near_end, &sample, file), 0);
	assert_int_equal(channel_receive(far_end, &message, &fd), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
	assert_true(fd >= 0 && fd != file);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(file, &sent), 0);
	assert_int_equal(fstat(fd, &received), 0);
	assert_int_equal(received.st_ino, sent.st_ino);
	hang_up(&fd);
}

static void descriptors_stay_with_their_messages(void **state)
{
	struct message message;
	int fd;

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(channel_send(near_end, &(struct message){.slot = i},
					 i % 2 == 1 ? file : -1),
			0);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(channel_receive(far_end, &message, &fd), 1);
		assert_int_equal(message.slot, i);
		assert_int_equal(fd >= 0, i % 2 == 1);
		hang_up(&fd);
	}
}

static void more_than_one_descriptor_is_refused_and_none_is_kept(void **state)
{
	static const size_t counts[] = {2, 3, 64, 253};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		send_raw(sizeof(struct message), counts[i]);
		assert_refused();
	}
}

static void a_packet_that_is_not_as_long_as_a_message_is_refused(void **state)
{
	static const size_t lengths[] = {1, 4, sizeof(struct message) - 1,
		sizeof(struct message) + 1, 2 * sizeof(struct message), 65536};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t fds = 0; fds <= 2; fds++) {
			send_raw(lengths[i], fds);
			assert_refused();
		}
}

static void bytes_arrive_behind_their_message_as_they_were_sent(void **state)
{
	static const size_t lengths[] = {0, 1, 17, CHANNEL_BYTES_MAX - 1, CHANNEL_BYTES_MAX};
	char sent[CHANNEL_BYTES_MAX], received[CHANNEL_BYTES_MAX];
	struct message message;
	size_t length;
	int fd = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(received, 0x55, sizeof(received));
		assert_int_equal(channel_send_bytes(far_end, &sample, sent, lengths[i]), 0);
		assert_int_equal(
			channel_receive_bytes(near_end, &message, &fd, received, &length), 1);
		assert_memory_equal(&message, &sample, sizeof(sample));
		assert_int_equal(length, lengths[i]);
		assert_memory_equal(received, sent, length);
		assert_int_equal(fd, -1);
	}
}

static void whoever_takes_bytes_takes_messages_without_them_too(void **state)
{
	char received[CHANNEL_BYTES_MAX];
	struct message message;
	size_t length = 1;
	int fd = -1;

	(void)state;
	assert_int_equal(channel_send(far_end, &sample, file), 0);
	assert_int_equal(channel_receive_bytes(near_end, &message, &fd, received, &length), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
	assert_int_equal(length, 0);
	assert_true(fd >= 0);
	hang_up(&fd);
	assert_int_equal(
		channel_receive_bytes(near_end, &message, &fd, received, &length), -EAGAIN);
	hang_up(&far_end);
	assert_int_equal(channel_receive_bytes(near_end, &message, &fd, received, &length), 0);
	assert_int_equal(length, 0);
}

static void more_bytes_than_there_may_be_are_refused(void **state)
{
	static const size_t lengths[] = {1, sizeof(struct message) - 1,
		sizeof(struct message) + CHANNEL_BYTES_MAX + 1, 65536};
	char received[CHANNEL_BYTES_MAX];
	struct message message;
	size_t length = 1;
	int fd = 0, before = count_descriptors();

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t fds = 0; fds <= 2; fds++) {
			send_raw(lengths[i], fds);
			assert_int_equal(
				channel_receive_bytes(near_end, &message, &fd, received, &length),
				-EPROTO);
			assert_int_equal(length, 0);
			assert_int_equal(fd, -1);
			assert_int_equal(count_descriptors(), before);
		}
}

/* The worker takes messages alone: nothing that the supervisor passes on reaches it so. */
static void where_no_bytes_are_taken_a_message_with_some_is_refused(void **state)
{
	(void)state;
	assert_int_equal(channel_send_bytes(far_end, &sample, "x", 1), 0);
	assert_refused();
}

static void what_was_sent_before_the_end_is_received_before_it(void **state)
{
	struct message message;
	int fd = -1;

	(void)state;
	assert_int_equal(channel_send(far_end, &sample, file), 0);
	hang_up(&far_end);
	assert_int_equal(channel_receive(near_end, &message, &fd), 1);
	hang_up(&fd);
	assert_int_equal(channel_receive(near_end, &message, &fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(channel_receive(near_end, &message, &fd), 0);
}

/* The kernel says ECONNRESET then. */
static void the_end_of_a_process_that_had_not_read_everything_is_the_end(void **state)
{
	struct message message;
	int fd = 0;

	(void)state;
	assert_int_equal(channel_send(near_end, &sample, file), 0);
	hang_up(&far_end);
	assert_int_equal(channel_receive(near_end, &message, &fd), 0);
	assert_int_equal(fd, -1);
}

/* Whoever sends one breaks the protocol, and is treated as gone. */
static void an_empty_packet_is_the_end_and_its_descriptor_is_not_kept(void **state)
{
	struct message message;
	int fd = 0, before = count_descriptors();

	(void)state;
	for (size_t fds = 0; fds <= 2; fds++) {
		send_raw(0, fds);
		assert_int_equal(channel_receive(near_end, &message, &fd), 0);
		assert_int_equal(fd, -1);
		assert_int_equal(count_descriptors(), before);
	}
}

static void where_nothing_has_come_receiving_does_not_wait(void **state)
{
	struct message message;
	int fd = 0;

	(void)state;
	assert_int_equal(channel_receive(near_end, &message, &fd), -EAGAIN);
	assert_int_equal(fd, -1);
}

static void a_full_channel_says_so_and_loses_nothing(void **state)
{
	struct message message = {.slot = 0};
	uint32_t sent = 0;
	int error, fd;

	(void)state;
	while ((error = channel_send(near_end, &message, -1)) == 0)
		message.slot = ++sent;
	assert_int_equal(error, -EAGAIN);
	assert_int_not_equal(sent, 0);
	for (uint32_t i = 0; i < sent; i++) {
		assert_int_equal(channel_receive(far_end, &message, &fd), 1);
		assert_int_equal(message.slot, i);
	}
	assert_int_equal(channel_send(near_end, &sample, -1), 0);
	assert_int_equal(channel_receive(far_end, &message, &fd), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
}

static void sending_to_nobody_is_an_error(void **state)
{
	(void)state;
	hang_up(&near_end);
	assert_int_equal(channel_send(far_end, &sample, -1), -EPIPE);
	assert_int_equal(channel_send(far_end, &sample, file), -EPIPE);
}

static void a_descriptor_that_is_not_open_is_an_error_and_sends_nothing(void **state)
{
	struct message message;
	int fd, closed = file;

	(void)state;
	hang_up(&file);
	assert_int_equal(channel_send(far_end, &sample, closed), -EBADF);
	assert_int_equal(channel_receive(near_end, &message, &fd), -EAGAIN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, channel_make, channel_drop)
	const struct CMUnitTest tests[] = {
		TEST(only_the_first_end_never_waits_and_neither_outlives_an_exec),
		TEST(a_message_arrives_as_it_was_sent),
		TEST(a_descriptor_comes_along_as_a_duplicate_that_no_exec_inherits),
		TEST(descriptors_stay_with_their_messages),
		TEST(more_than_one_descriptor_is_refused_and_none_is_kept),
		TEST(a_packet_that_is_not_as_long_as_a_message_is_refused),
		TEST(bytes_arrive_behind_their_message_as_they_were_sent),
		TEST(whoever_takes_bytes_takes_messages_without_them_too),
		TEST(more_bytes_than_there_may_be_are_refused),
		TEST(where_no_bytes_are_taken_a_message_with_some_is_refused),
		TEST(what_was_sent_before_the_end_is_received_before_it),
		TEST(the_end_of_a_process_that_had_not_read_everything_is_the_end),
		TEST(an_empty_packet_is_the_end_and_its_descriptor_is_not_kept),
		TEST(where_nothing_has_come_receiving_does_not_wait),
		TEST(a_full_channel_says_so_and_loses_nothing),
		TEST(sending_to_nobody_is_an_error),
		TEST(a_descriptor_that_is_not_open_is_an_error_and_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

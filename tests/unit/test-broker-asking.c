/* SPDX-License-Identifier: MIT */
/*
 * What a worker asks the supervisor, and which answers it takes. The test plays the supervisor and
 * the clients; each test ends with as many descriptors as it began with.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/asking.h"
#include "broker/child.h"
#include "descriptors.h"

#define CLIENTS 3
#define SLOT(client) ((uint32_t)(client) + 5)
#define SERIAL(client) ((uint32_t)(client) + 77)
#define ID(client) ((uint32_t)(client) + 1000)

static struct sessions *sessions;
static struct peers *peers;
static struct asking *asking;
static int supervisor; /* its end of the channel */
static int clients[CLIENTS];
static int descriptors_before;

/* ---- arranging ---- */

static void *memory(size_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(bytes, MAP_FAILED);
	return bytes;
}

static void deal(int client)
{
	const struct message message = {.slot = SLOT(client), .serial = SERIAL(client)};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	clients[client] = ends[1];
	peers->table[message.slot].serial = message.serial;
	peers->table[message.slot].policy.uid = 1000 + message.slot;
	assert_int_equal(session_begin(sessions, &message, ends[0]), SESSION_GOES_ON);
}

static int begin(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	supervisor = fcntl(ends[0], F_DUPFD_CLOEXEC, 64);
	close(ends[0]);
	assert_int_equal(dup2(ends[1], CHILD_CHANNEL), CHILD_CHANNEL);
	if (ends[1] != CHILD_CHANNEL)
		close(ends[1]);
	descriptors_before = count_descriptors();
	sessions = memory(sizeof(*sessions));
	peers = memory(sizeof(*peers));
	sessions->peers = peers;
	sessions->hands = memory(sizeof(*sessions->hands));
	sessions->server.ring = memory(sizeof(*sessions->server.ring));
	sessions->epoll = epoll_create1(EPOLL_CLOEXEC);
	sessions->unread_max = 100;
	asking = asking_open(sessions);
	for (int i = 0; i < CLIENTS; i++)
		deal(i);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < CLIENTS; i++) {
		if (sessions->table[SLOT(i)].state != SESSION_FREE)
			close(sessions->table[SLOT(i)].fd);
		if (clients[i] >= 0)
			close(clients[i]);
	}
	close(sessions->epoll);
	munmap(sessions->hands, sizeof(*sessions->hands));
	munmap(sessions->server.ring, sizeof(*sessions->server.ring));
	munmap(sessions, sizeof(*sessions));
	munmap(peers, sizeof(*peers));
	assert_int_equal(count_descriptors(), descriptors_before);
	close(supervisor);
	close(CHILD_CHANNEL);
	return 0;
}

/* ---- clients ---- */

static void send_request(int client, const struct fdbroker_request *request)
{
	unsigned char bytes[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, bytes, FDBROKER_PACKET_REQUEST, ID(client));
	assert_true(fdbroker_packet_add_request(&packet, request));
	assert_int_equal(send(clients[client], packet.bytes, packet.length, 0), packet.length);
}

static void hang_up(int client)
{
	close(clients[client]);
	clients[client] = -1;
}

static struct session *session_of(int client)
{
	return &sessions->table[SLOT(client)];
}

/* Asks for a clone, and waits for the supervisor. */
static void want_clone(int client)
{
	struct session *session = session_of(client);

	send_request(client, &(struct fdbroker_request){.operation = FDBROKER_CLONE});
	assert_ptr_equal(session_ready(sessions, session_key(session)), session);
	assert_int_equal(session_serve(sessions, session), SESSION_NEEDS_SUPERVISOR);
	assert_int_equal(session->state, SESSION_ASKING);
	asking_add(asking, session);
}

static void ask(void)
{
	enum session_next next;

	assert_null(asking_ask(asking, &next));
}

static bool is_watched(int client)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(sessions->epoll, EPOLL_CTL_MOD, session_of(client)->fd, &event) == 0;
}

static void expect_no_reply(int client)
{
	char byte;

	assert_int_equal(recv(clients[client], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Returns the descriptor that came along, or -1. */
static int expect_reply(int client, int error, enum fdbroker_reason reason)
{
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
	unsigned char bytes[FDBROKER_REPLY_MAX];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {bytes, sizeof(bytes)};
	struct msghdr packet = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	const unsigned char *more;
	ssize_t length = recvmsg(clients[client], &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd = -1;

	assert_true(length > 0);
	assert_int_equal(fdbroker_reply_decode(bytes, (size_t)length, results, &more), 1);
	assert_int_equal(results[0].id, ID(client));
	assert_int_equal(results[0].error, error);
	assert_int_equal(results[0].reason, reason);
	assert_int_equal(results[0].has_descriptor, packet.msg_controllen > 0);
	if (packet.msg_controllen > 0)
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* ---- the supervisor ---- */

static void expect_message(enum message_type type, int client)
{
	struct message message;
	int fd;

	assert_int_equal(channel_receive(supervisor, &message, &fd), 1);
	assert_int_equal(message.type, type);
	assert_int_equal(message.slot, SLOT(client));
	assert_int_equal(message.serial, SERIAL(client));
}

static void expect_silence(void)
{
	struct message message;
	int fd;

	assert_int_equal(channel_receive(supervisor, &message, &fd), -EAGAIN);
}

static struct message cloned(int client)
{
	return (struct message){
		.type = MESSAGE_CLONED, .slot = SLOT(client), .serial = SERIAL(client)};
}

/* The end of a fresh connection, to be taken over. */
static int clone_end(void)
{
	int fd = memfd_create("clone", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct session *answer(const struct message *message, int fd, enum session_next *next)
{
	return asking_answered(asking, message, fd, next);
}

static void expect_answered(int client)
{
	const struct message message = cloned(client);
	enum session_next next = SESSION_NEEDS_EXECUTOR;

	assert_ptr_equal(answer(&message, clone_end(), &next), session_of(client));
	assert_int_equal(next, SESSION_GOES_ON);
	close(expect_reply(client, 0, FDBROKER_REASON_NONE));
}

/* It is for nobody, and its descriptor is not kept. */
static void expect_ignored(struct message message)
{
	enum session_next next;
	int before = count_descriptors();

	assert_null(answer(&message, clone_end(), &next));
	assert_null(answer(&message, -1, &next));
	assert_int_equal(count_descriptors(), before);
}

/* ---- promises ---- */

static void a_packet_stays_until_its_answer_is_there_and_then_goes(void **state)
{
	char byte;

	(void)state;
	want_clone(0);
	ask();
	expect_message(MESSAGE_CLONE, 0);
	expect_no_reply(0);
	assert_false(is_watched(0));
	assert_int_equal(recv(session_of(0)->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), 1);
	expect_answered(0);
	assert_true(is_watched(0));
	assert_int_equal(session_of(0)->state, SESSION_IDLE);
	assert_int_equal(session_of(0)->unread_results, 1);
	assert_int_equal(recv(session_of(0)->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
}

static void limits_go_to_the_supervisor_as_they_came(void **state)
{
	static const char set[] = "read /a\nbind tcp:80\n";
	struct fdbroker_request request = {
		.operation = FDBROKER_LIMIT, .limits = {set, strlen(set)}};
	struct message message;
	struct question question;
	enum session_next next;
	char bytes[CHANNEL_BYTES_MAX];
	size_t length;
	int fd;

	(void)state;
	send_request(1, &request);
	assert_true(session_ask(sessions, session_of(1), &question, &next));
	assert_int_equal(question.id, ID(1));
	assert_int_equal(question.answer, MESSAGE_LIMITED);
	assert_int_equal(channel_receive_bytes(supervisor, &message, &fd, bytes, &length), 1);
	assert_int_equal(message.type, MESSAGE_LIMIT);
	assert_int_equal(message.slot, SLOT(1));
	assert_int_equal(message.serial, SERIAL(1));
	assert_int_equal(length, strlen(set));
	assert_memory_equal(bytes, set, length);
}

static void a_refusal_is_the_answer_too(void **state)
{
	struct message message = cloned(0);
	enum session_next next;

	(void)state;
	want_clone(0);
	ask();
	expect_message(MESSAGE_CLONE, 0);
	message.error = EAGAIN;
	assert_ptr_equal(answer(&message, -1, &next), session_of(0));
	assert_int_equal(expect_reply(0, EAGAIN, FDBROKER_REASON_LIMIT), -1);
	assert_true(is_watched(0));
}

static void one_question_at_a_time_is_asked(void **state)
{
	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		want_clone(i);
	for (int i = 0; i < CLIENTS; i++) {
		ask();
		ask();
		expect_message(MESSAGE_CLONE, i);
		expect_silence();
		expect_answered(i);
	}
	ask();
	expect_silence();
}

static void an_answer_to_another_question_is_nobodys(void **state)
{
	struct message wrong;

	(void)state;
	expect_ignored(cloned(0)); /* nothing was asked */
	want_clone(0);
	expect_ignored(cloned(0)); /* nor is it yet */
	ask();
	expect_message(MESSAGE_CLONE, 0);
	wrong = cloned(0);
	wrong.serial++;
	expect_ignored(wrong);
	wrong = cloned(0);
	wrong.slot++;
	expect_ignored(wrong);
	wrong.slot = UINT32_MAX;
	expect_ignored(wrong);
	expect_ignored(cloned(1));
	wrong = cloned(0);
	wrong.type = MESSAGE_LIMITED;
	expect_ignored(wrong);
	expect_no_reply(0);
	expect_answered(0);
	expect_ignored(cloned(0)); /* it was, once */
}

static void a_client_that_is_gone_when_the_answer_comes_leaves_nothing(void **state)
{
	const struct message message = cloned(0);
	enum session_next next;

	(void)state;
	want_clone(0);
	ask();
	expect_message(MESSAGE_CLONE, 0);
	hang_up(0);
	assert_ptr_equal(answer(&message, clone_end(), &next), session_of(0));
	assert_int_equal(next, SESSION_GOES_ON);
	assert_int_equal(session_of(0)->state, SESSION_FREE);
	expect_message(MESSAGE_ENDED, 0);
	expect_silence();
}

/* What it has left in its queue is not asked for: ECONNRESET comes before it. */
static void a_client_that_is_gone_before_its_turn_comes_does_not_hold_the_others_up(void **state)
{
	enum session_next next = SESSION_NEEDS_EXECUTOR;
	struct session *gone;

	(void)state;
	want_clone(0);
	want_clone(1);
	send(session_of(0)->fd, "x", 1, 0); /* unread: ECONNRESET, unix(7) */
	hang_up(0);
	gone = asking_ask(asking, &next);
	assert_ptr_equal(gone, session_of(0));
	assert_int_equal(next, SESSION_GOES_ON);
	assert_int_equal(session_of(0)->state, SESSION_FREE);
	expect_message(MESSAGE_ENDED, 0);
	ask();
	expect_message(MESSAGE_CLONE, 1);
	expect_answered(1);
}

static void in_a_worker_that_retires_what_comes_next_is_the_successors(void **state)
{
	(void)state;
	want_clone(0);
	ask();
	expect_message(MESSAGE_CLONE, 0);
	sessions_retire(sessions);
	expect_answered(0);
	assert_false(is_watched(0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_packet_stays_until_its_answer_is_there_and_then_goes),
		TEST(limits_go_to_the_supervisor_as_they_came),
		TEST(a_refusal_is_the_answer_too),
		TEST(one_question_at_a_time_is_asked),
		TEST(an_answer_to_another_question_is_nobodys),
		TEST(a_client_that_is_gone_when_the_answer_comes_leaves_nothing),
		TEST(a_client_that_is_gone_before_its_turn_comes_does_not_hold_the_others_up),
		TEST(in_a_worker_that_retires_what_comes_next_is_the_successors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

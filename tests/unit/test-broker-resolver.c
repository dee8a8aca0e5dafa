/* SPDX-License-Identifier: MIT */
/*
 * What an executor makes of its resolver's answers: the resolver ran code that took apart packets
 * of the network, so whatever it says is checked, and a resolver that says anything else is lost.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/channel.h"
#include "broker/child.h"
#include "broker/clock.h"
#include "broker/resolver.h"
#include "descriptors.h"

static int resolver; /* its end of the channel */
static int descriptors_before;
static struct fdbroker_answer answer;
static struct resolver_query query;

static int begin(void **state)
{
	int ends[2];

	(void)state;
	query = (struct resolver_query){.question = RESOLVER_ADDRESSES, .node = "db.test"};
	(void)close(CHILD_RESOLVER); /* whatever whoever started us left there */
	descriptors_before = count_descriptors();
	if (channel_pair(ends) < 0 || dup2(ends[0], CHILD_RESOLVER) < 0)
		return -1;
	close(ends[0]);
	resolver = ends[1];
	resolver_attach();
	return resolver_channel() == CHILD_RESOLVER ? 0 : -1;
}

static void hang_up(int *end)
{
	if (*end >= 0)
		assert_int_equal(close(*end), 0);
	*end = -1;
}

static int end(void **state)
{
	(void)state;
	hang_up(&resolver);
	close(CHILD_RESOLVER);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

/* What the resolver says once it is asked. */
struct saying {
	const void *bytes;
	size_t length;
	int descriptor; /* beside it; -1: none */
};

static struct resolver_query asked;

static void *say(void *argument)
{
	const struct saying *saying = argument;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec data = {
		.iov_base = (void *)(uintptr_t)saying->bytes, .iov_len = saying->length};
	struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};

	if (saying->descriptor >= 0) {
		memcpy(CMSG_DATA(&control.header), &saying->descriptor, sizeof(int));
		packet.msg_control = &control;
		packet.msg_controllen = sizeof(control);
	}
	struct pollfd question = {.fd = resolver, .events = POLLIN};

	if (poll(&question, 1, 2000) == 1 &&
		recv(resolver, &asked, sizeof(asked), 0) == sizeof(asked))
		(void)sendmsg(resolver, &packet, 0);
	return NULL;
}

static enum resolver_outcome ask_saying(struct saying saying)
{
	enum resolver_outcome outcome;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, say, &saying), 0);
	outcome = resolver_ask(&query, clock_msec() + 5000, &answer);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return outcome;
}

static enum resolver_outcome ask_for(const void *bytes, size_t length)
{
	return ask_saying((struct saying){bytes, length, -1});
}

static enum resolver_outcome ask_for_answer(const struct fdbroker_answer *said)
{
	unsigned char data[FDBROKER_DATA_MAX];
	size_t length = fdbroker_names_encode(data, said);

	return ask_for(data, length);
}

static struct fdbroker_text text(const char *bytes)
{
	return (struct fdbroker_text){bytes, strlen(bytes)};
}

static struct fdbroker_answer sound_answer(void)
{
	return (struct fdbroker_answer){
		.address_count = 1,
		.addresses = {{SOCK_STREAM, IPPROTO_TCP,
			{.family = FDBROKER_IPV4, .port = 80, .address = {10, 0, 0, 5}}}},
		.name = text("db.test"),
	};
}

static void expect_lost(enum resolver_outcome outcome)
{
	assert_int_equal(outcome, RESOLVER_ANSWERED);
	assert_int_equal(answer.code, EAI_AGAIN);
	assert_int_equal(answer.address_count, 0);
	assert_int_equal(answer.name.length, 0);
	assert_true(resolver_is_lost());
}

static void a_sound_answer_is_handed_on(void **state)
{
	struct fdbroker_answer said = sound_answer();

	(void)state;
	assert_int_equal(ask_for_answer(&said), RESOLVER_ANSWERED);
	assert_false(resolver_is_lost());
	assert_int_equal(answer.code, 0);
	assert_int_equal(answer.address_count, 1);
	assert_memory_equal(answer.addresses, said.addresses, sizeof(said.addresses[0]));
	assert_int_equal(answer.name.length, strlen("db.test"));
	assert_memory_equal(&asked, &query, sizeof(query));
}

static void a_failure_is_handed_on_with_its_code(void **state)
{
	(void)state;
	assert_int_equal(
		ask_for_answer(&(struct fdbroker_answer){.code = EAI_NONAME}), RESOLVER_ANSWERED);
	assert_int_equal(answer.code, EAI_NONAME);
	assert_int_equal(
		ask_for_answer(&(struct fdbroker_answer){.code = EAI_SYSTEM, .error = ENOMEM}),
		RESOLVER_ANSWERED);
	assert_int_equal(answer.error, ENOMEM);
	assert_false(resolver_is_lost());
}

static void a_failure_with_something_beside_its_code_is_not_believed(void **state)
{
	struct fdbroker_answer said = sound_answer();

	(void)state;
	said.code = EAI_NONAME;
	expect_lost(ask_for_answer(&said));
}

static void codes_that_there_are_not_are_not_believed(void **state)
{
	static const int codes[] = {1, 7, EAI_IDN_ENCODE - 1, INT32_MIN};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		expect_lost(ask_for_answer(&(struct fdbroker_answer){.code = codes[i]}));
		end(state);
		assert_int_equal(begin(state), 0);
	}
	expect_lost(ask_for_answer(&(struct fdbroker_answer){.code = EAI_AGAIN, .error = EIO}));
}

static void names_with_control_bytes_are_not_believed(void **state)
{
	static const char *const names[] = {"db\n.test", "db .test", "\x1b[2J", "db\x7f"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fdbroker_answer said = sound_answer();

		said.name = text(names[i]);
		expect_lost(ask_for_answer(&said));
		end(state);
		assert_int_equal(begin(state), 0);
	}
	expect_lost(ask_for_answer(
		&(struct fdbroker_answer){.name = text("db.test"), .service = text("http\t")}));
}

static void an_address_of_no_family_of_the_Internet_is_not_believed(void **state)
{
	struct fdbroker_answer said = sound_answer();

	(void)state;
	said.addresses[0].endpoint = (struct fdbroker_endpoint){.family = FDBROKER_CID};
	expect_lost(ask_for_answer(&said));
}

static void what_is_cut_off_or_has_more_behind_it_is_not_believed(void **state)
{
	struct fdbroker_answer said = sound_answer();
	unsigned char data[FDBROKER_DATA_MAX + 4] = {0};
	size_t length = fdbroker_names_encode(data, &said);

	/* Without its last byte, which is padding, it is whole. */
	for (size_t cut = 1; cut < length - 1; cut++) {
		expect_lost(ask_for(data, cut));
		end(state);
		assert_int_equal(begin(state), 0);
	}
	expect_lost(ask_for(data, length + 4));
	end(state);
	assert_int_equal(begin(state), 0);
	expect_lost(ask_for(data, sizeof(data)));
}

static void random_bytes_are_not_believed(void **state)
{
	unsigned char data[512];

	srand(1);
	for (int round = 0; round < 1000; round++) {
		size_t length = 1 + (size_t)rand() % sizeof(data);

		for (size_t i = 0; i < length; i++)
			data[i] = (unsigned char)rand();
		expect_lost(ask_for(data, length));
		end(state);
		assert_int_equal(begin(state), 0);
	}
}

static void a_resolver_that_dies_over_the_question_is_lost(void **state)
{
	(void)state;
	/* An empty packet reads as its end does. */
	expect_lost(ask_for("", 0));
}

static void a_resolver_that_is_late_is_lost(void **state)
{
	(void)state;
	expect_lost(resolver_ask(&query, clock_msec() + 20, &answer));
	assert_int_equal(resolver_ask(&query, clock_msec() + 20, &answer), RESOLVER_UNASKED);
}

static void a_resolver_that_is_gone_before_is_not_asked(void **state)
{
	(void)state;
	hang_up(&resolver);
	assert_int_equal(resolver_ask(&query, clock_msec() + 5000, &answer), RESOLVER_UNASKED);
	assert_true(resolver_is_lost());
}

/* It would be taken for the answer, and every answer after it for that of the question before. */
static void what_is_said_before_the_question_is_not_heard(void **state)
{
	unsigned char data[FDBROKER_DATA_MAX];
	struct fdbroker_answer said = {.code = EAI_NONAME};

	(void)state;
	assert_int_equal(send(resolver, data, fdbroker_names_encode(data, &said), 0),
		sizeof(struct fdbroker_names));
	assert_int_equal(resolver_ask(&query, clock_msec() + 5000, &answer), RESOLVER_UNASKED);
	assert_true(resolver_is_lost());
}

/* Closing it could wait for ever: nobody takes it out. */
static void a_descriptor_beside_the_answer_is_not_taken(void **state)
{
	unsigned char data[FDBROKER_DATA_MAX];
	struct fdbroker_answer said = {.code = EAI_NONAME};
	size_t length = fdbroker_names_encode(data, &said);

	(void)state;
	expect_lost(ask_saying((struct saying){data, length, STDIN_FILENO}));
}

static void an_answer_to_another_question_is_not_believed(void **state)
{
	unsigned char data[FDBROKER_DATA_MAX];
	struct fdbroker_answer said = {.code = 0};

	/* No address, and one of another family than was asked for. */
	expect_lost(ask_for(data, fdbroker_names_encode(data, &said)));
	end(state);
	assert_int_equal(begin(state), 0);
	query.family = AF_INET6;
	said.address_count = 1;
	said.addresses[0].endpoint.family = FDBROKER_IPV4;
	expect_lost(ask_for(data, fdbroker_names_encode(data, &said)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sound_answer_is_handed_on),
		TEST(a_failure_is_handed_on_with_its_code),
		TEST(a_failure_with_something_beside_its_code_is_not_believed),
		TEST(codes_that_there_are_not_are_not_believed),
		TEST(names_with_control_bytes_are_not_believed),
		TEST(an_address_of_no_family_of_the_Internet_is_not_believed),
		TEST(what_is_cut_off_or_has_more_behind_it_is_not_believed),
		TEST(random_bytes_are_not_believed),
		TEST(a_resolver_that_dies_over_the_question_is_lost),
		TEST(a_resolver_that_is_late_is_lost),
		TEST(a_resolver_that_is_gone_before_is_not_asked),
		TEST(what_is_said_before_the_question_is_not_heard),
		TEST(a_descriptor_beside_the_answer_is_not_taken),
		TEST(an_answer_to_another_question_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

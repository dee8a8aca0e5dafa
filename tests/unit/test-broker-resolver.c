/* SPDX-License-Identifier: MIT */
/*
 * What an executor makes of its resolver's answers: the resolver ran code that took apart packets
 * of the network, so whatever it says is checked, and a resolver that says anything else is lost.
 */
#include <errno.h>
#include <netdb.h>
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

static int resolver;      /* its end of the channel */
static int connection[2]; /* the broker's end, and the client's */
static int descriptors_before;
static struct fdbroker_answer answer;
static const struct resolver_query query = {.question = RESOLVER_ADDRESSES, .node = "db.test"};

static int begin(void **state)
{
	int ends[2];

	(void)state;
	(void)close(CHILD_RESOLVER); /* whatever whoever started us left there */
	descriptors_before = count_descriptors();
	if (channel_pair(ends) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, connection) < 0 ||
		dup2(ends[0], CHILD_RESOLVER) < 0)
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
	hang_up(&connection[0]);
	hang_up(&connection[1]);
	close(CHILD_RESOLVER);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

/* What the resolver says lies there before it is asked; a question finds it at once. */
static enum resolver_outcome ask_for(const void *bytes, size_t length)
{
	assert_int_equal(send(resolver, bytes, length, 0), length);
	return resolver_ask(&query, connection[0], clock_msec() + 5000, &answer);
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
	struct resolver_query asked;

	(void)state;
	assert_int_equal(ask_for_answer(&said), RESOLVER_ANSWERED);
	assert_false(resolver_is_lost());
	assert_int_equal(answer.code, 0);
	assert_int_equal(answer.address_count, 1);
	assert_memory_equal(answer.addresses, said.addresses, sizeof(said.addresses[0]));
	assert_int_equal(answer.name.length, strlen("db.test"));
	assert_int_equal(recv(resolver, &asked, sizeof(asked), 0), sizeof(asked));
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
	assert_int_equal(send(resolver, "", 0, 0), 0);
	expect_lost(resolver_ask(&query, connection[0], clock_msec() + 5000, &answer));
}

static void a_resolver_that_is_late_is_lost(void **state)
{
	(void)state;
	expect_lost(resolver_ask(&query, connection[0], clock_msec() + 20, &answer));
	assert_int_equal(
		resolver_ask(&query, connection[0], clock_msec() + 20, &answer), RESOLVER_UNASKED);
}

static void a_resolver_that_is_gone_before_is_not_asked(void **state)
{
	(void)state;
	hang_up(&resolver);
	assert_int_equal(resolver_ask(&query, connection[0], clock_msec() + 5000, &answer),
		RESOLVER_UNASKED);
	assert_true(resolver_is_lost());
}

static void nobody_waits_for_a_client_that_has_hung_up(void **state)
{
	(void)state;
	hang_up(&connection[1]);
	assert_int_equal(resolver_ask(&query, connection[0], clock_msec() + 5000, &answer),
		RESOLVER_CLIENT_GONE);
	assert_true(resolver_is_lost());
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
		TEST(nobody_waits_for_a_client_that_has_hung_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

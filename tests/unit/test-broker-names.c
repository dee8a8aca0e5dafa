/* SPDX-License-Identifier: MIT */
/*
 * What the supervisor takes from the process that asks the name service, in which foreign modules
 * ran: packets of its own making, sent from where that process would be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/names.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define WORDS 5 /* error, status, id, gid, number of groups; the groups follow */

/* Asks for one name, and answers it with these bytes. What names_query_step() makes of it. */
static int answer_step(struct policy_name *name, const void *bytes, size_t length)
{
	struct names_query query = {
		.names = name, .count = 1, .pidfd = -1, .deadline = clock_msec() + 10000};
	int ends[2], step;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	query.channel = ends[0];
	assert_int_equal(send(ends[1], bytes, length, 0), length);
	step = names_query_step(&query);
	names_query_end(&query);
	close(ends[1]);
	return step;
}

static void an_account_comes_with_its_groups(void **state)
{
	const uint32_t words[WORDS + 2] = {0, POLICY_NAME_FOUND, 1001, 1101, 2, 1101, 50};
	struct policy_name name = {.kind = POLICY_NAME_ACCOUNT, .name = "alice"};

	(void)state;
	assert_int_equal(answer_step(&name, words, sizeof(words)), 1);
	assert_int_equal(name.status, POLICY_NAME_FOUND);
	assert_int_equal(name.id, 1001);
	assert_int_equal(name.gid, 1101);
	assert_int_equal(name.group_count, 2);
	assert_memory_equal(name.groups, words + WORDS, 2 * sizeof(uint32_t));
	free(name.groups);
}

static void an_account_has_up_to_1024_groups_and_not_one_more(void **state)
{
	static uint32_t words[WORDS + POLICY_GROUPS_MAX + 1] = {0, POLICY_NAME_FOUND, 1, 1};
	struct policy_name name = {.kind = POLICY_NAME_ACCOUNT, .name = "alice"};

	(void)state;
	words[WORDS - 1] = POLICY_GROUPS_MAX;
	words[WORDS + POLICY_GROUPS_MAX - 1] = 77;
	assert_int_equal(answer_step(&name, words, sizeof(words) - sizeof(*words)), 1);
	assert_int_equal(name.group_count, 1024);
	assert_int_equal(name.groups[1023], 77);
	free(name.groups);
	name.groups = NULL;
	words[WORDS - 1] = POLICY_GROUPS_MAX + 1;
	assert_int_equal(answer_step(&name, words, sizeof(words)), -EIO);
	assert_null(name.groups);
}

static void an_answer_that_is_not_well_formed_fails_the_load(void **state)
{
	static const struct {
		enum policy_name_kind kind;
		size_t length; /* in words */
		uint32_t words[WORDS + 2];
	} cases[] = {
		{POLICY_NAME_USER, 0, {0, POLICY_NAME_FOUND, 1, 1, 0}},
		{POLICY_NAME_USER, 4, {0, POLICY_NAME_FOUND, 1, 1}},
		{POLICY_NAME_USER, 6, {0, POLICY_NAME_FOUND, 1, 1, 0, 7}},
		{POLICY_NAME_USER, 6, {0, POLICY_NAME_FOUND, 1, 1, 1, 7}},
		{POLICY_NAME_USER, 5, {0, POLICY_NAME_UNASKED, 1, 1, 0}},
		{POLICY_NAME_USER, 5, {0, 77, 1, 1, 0}},
		{POLICY_NAME_ACCOUNT, 5, {0, POLICY_NAME_FOUND, 1, 1, 1}},
		{POLICY_NAME_ACCOUNT, 7, {0, POLICY_NAME_FOUND, 1, 1, 1, 7, 7}},
		{POLICY_NAME_ACCOUNT, 6, {0, POLICY_NAME_FOUND, 1, 1, 2, 7}},
		{POLICY_NAME_ACCOUNT, 6, {0, POLICY_NAME_FOUND, 1, 1, UINT32_MAX, 7}},
		{POLICY_NAME_ACCOUNT, 6, {0, POLICY_NAME_FOUND, 1, 1, 0x40000001, 7}},
		{POLICY_NAME_ACCOUNT, 6, {0, POLICY_NAME_UNKNOWN, 1, 1, 1, 7}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_name name = {.kind = cases[i].kind, .name = "alice"};

		assert_int_equal(
			answer_step(&name, cases[i].words, cases[i].length * sizeof(uint32_t)),
			-EIO);
		assert_int_equal(name.status, POLICY_NAME_UNASKED);
		assert_null(name.groups);
	}
}

static void a_failure_of_the_name_service_is_passed_on(void **state)
{
	const uint32_t words[WORDS] = {(uint32_t)-E2BIG, POLICY_NAME_FOUND, 1, 1, 0};
	struct policy_name name = {.kind = POLICY_NAME_ACCOUNT, .name = "alice"};

	(void)state;
	assert_int_equal(answer_step(&name, words, sizeof(words)), -E2BIG);
	assert_int_equal(name.status, POLICY_NAME_UNASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_comes_with_its_groups),
		cmocka_unit_test(an_account_has_up_to_1024_groups_and_not_one_more),
		cmocka_unit_test(an_answer_that_is_not_well_formed_fails_the_load),
		cmocka_unit_test(a_failure_of_the_name_service_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

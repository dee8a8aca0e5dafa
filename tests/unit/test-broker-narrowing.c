/* SPDX-License-Identifier: MIT */
/* What a connection was narrowed to: it is only ever added to, and never longer than it may be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "broker/narrowing.h"

static struct narrowing narrowing;

static int end(void **state)
{
	(void)state;
	narrowing_free(&narrowing);
	return 0;
}

static int add(const char *set)
{
	return narrowing_add(&narrowing, set, strlen(set));
}

#define assert_sets(expected)                                                                      \
	do {                                                                                       \
		assert_int_equal(narrowing.length, sizeof(expected) - 1);                          \
		assert_memory_equal(narrowing.text, expected, sizeof(expected) - 1);               \
	} while (false)

static void sets_stand_one_after_the_other(void **state)
{
	(void)state;
	assert_int_equal(add("read /a\n"), 0);
	assert_int_equal(add("read /b\n"), 0);
	assert_int_equal(add(""), 0);
	assert_int_equal(add("read /a\n"), 0);
	assert_sets("read /a\n\0read /b\n\0\0read /a\n\0");
}

static void the_last_set_is_not_added_again(void **state)
{
	(void)state;
	assert_int_equal(add(""), 0);
	assert_int_equal(add(""), 0);
	assert_sets("\0");
	assert_int_equal(add("read /a\n"), 0);
	assert_int_equal(add("read /a\n"), 0);
	assert_sets("\0read /a\n\0");
}

/* "/a\n" is the end of the set before it, but no set. */
static void a_set_that_the_last_one_ends_in_is_another(void **state)
{
	(void)state;
	assert_int_equal(add("read /a\n"), 0);
	assert_int_equal(add("/a\n"), 0);
	assert_int_equal(add(""), 0);
	assert_sets("read /a\n\0/a\n\0\0");
}

static void they_are_full_at_the_byte(void **state)
{
	char set[FDBROKER_LIMITS_MAX];

	(void)state;
	memset(set, 'x', sizeof(set));
	assert_int_equal(narrowing_add(&narrowing, set, FDBROKER_LIMITS_MAX), ENOSPC);
	assert_int_equal(narrowing.length, 0);
	assert_int_equal(narrowing_add(&narrowing, set, 99), 0);
	assert_int_equal(narrowing_add(&narrowing, set, FDBROKER_LIMITS_MAX - 100), ENOSPC);
	assert_int_equal(narrowing.length, 100);
	assert_int_equal(narrowing_add(&narrowing, set, FDBROKER_LIMITS_MAX - 101), 0);
	assert_int_equal(narrowing.length, FDBROKER_LIMITS_MAX);
	assert_int_equal(narrowing_add(&narrowing, set, FDBROKER_LIMITS_MAX - 101), 0);
	assert_int_equal(narrowing_add(&narrowing, "", 0), ENOSPC);
	assert_int_equal(narrowing_add(&narrowing, set, SIZE_MAX), ENOSPC);
	assert_int_equal(narrowing.length, FDBROKER_LIMITS_MAX);
}

static void a_copy_is_its_own(void **state)
{
	struct narrowing copy;

	(void)state;
	assert_int_equal(narrowing_copy(&copy, &narrowing), 0);
	assert_int_equal(copy.length, 0);
	assert_int_equal(add("read /a\n"), 0);
	assert_int_equal(narrowing_copy(&copy, &narrowing), 0);
	assert_int_equal(narrowing_add(&copy, "", 0), 0);
	assert_int_equal(copy.length, 10);
	assert_sets("read /a\n\0");
	narrowing_free(&copy);
	assert_int_equal(copy.length, 0);
}

static void nothing_is_published_beyond_the_own_slot(void **state)
{
	static const char around[FDBROKER_LIMITS_MAX];
	struct peers *peers = mmap(
		NULL, sizeof(*peers), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char set[FDBROKER_LIMITS_MAX];

	(void)state;
	assert_ptr_not_equal(peers, MAP_FAILED);
	memset(set, 'x', sizeof(set));
	assert_int_equal(narrowing_add(&narrowing, set, FDBROKER_LIMITS_MAX - 1), 0);
	narrowing_publish(&narrowing, peers, 3);
	assert_int_equal(peers->table[3].limits_length, FDBROKER_LIMITS_MAX);
	assert_memory_equal(peers->limits[3], narrowing.text, FDBROKER_LIMITS_MAX);
	assert_memory_equal(peers->limits[2], around, sizeof(around));
	assert_memory_equal(peers->limits[4], around, sizeof(around));
	narrowing_free(&narrowing);
	narrowing_publish(&narrowing, peers, 3);
	assert_int_equal(peers->table[3].limits_length, 0);
	munmap(peers, sizeof(*peers));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
	const struct CMUnitTest tests[] = {
		TEST(sets_stand_one_after_the_other),
		TEST(the_last_set_is_not_added_again),
		TEST(a_set_that_the_last_one_ends_in_is_another),
		TEST(they_are_full_at_the_byte),
		TEST(a_copy_is_its_own),
		TEST(nothing_is_published_beyond_the_own_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

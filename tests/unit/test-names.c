/* SPDX-License-Identifier: MIT */
/*
 * What the name service of this machine says: only of names that every machine has, or none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <grp.h>

#include "load.h"

/* How many groups the name service puts the user "root" in; real ones as they are: -1. */
static int groups_of_root = -1;

/* The name service of this machine is not ours to change; this stands before it (ld(1), --wrap). */
int __real_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);
int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);

int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
	int room = *count;

	if (groups_of_root < 0)
		return __real_getgrouplist(user, group, groups, count);
	assert_string_equal(user, "root");
	for (int i = 0; i < groups_of_root && i < room; i++)
		groups[i] = group + (gid_t)i;
	*count = groups_of_root;
	return groups_of_root > room ? -1 : groups_of_root;
}

static void names_are_found_or_unknown(void **state)
{
	struct policy_name names[] = {
		{.kind = POLICY_NAME_USER, .name = "root", .id = 7, .gid = 7},
		{.kind = POLICY_NAME_GROUP, .name = "root", .id = 7},
		{.kind = POLICY_NAME_USER, .name = "no-such-user-of-fdbroker"},
		{.kind = POLICY_NAME_GROUP, .name = "no-such-group-of-fdbroker"},
		{.kind = POLICY_NAME_SERVICE_TCP, .name = "no-such-service-of-fdbroker"},
		{.kind = POLICY_NAME_SERVICE_UDP, .name = "no-such-service-of-fdbroker"},
		{.kind = POLICY_NAME_PROTOCOL, .name = "no-such-protocol-of-fdbroker"},
		{.kind = POLICY_NAME_INTERFACE, .name = "no-such-if"},
		{.kind = POLICY_NAME_INTERFACE, .name = "a-name-that-no-interface-can-have"},
	};
	const size_t count = sizeof(names) / sizeof(names[0]);
	size_t failed = count;

	(void)state;
	assert_int_equal(policy_load_names(names, count, &failed), 0);
	assert_int_equal(failed, count);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(names[i].status, POLICY_NAME_FOUND);
		assert_int_equal(names[i].id, 0);
	}
	assert_int_equal(names[0].gid, 0);
	for (size_t i = 2; i < count; i++)
		assert_int_equal(names[i].status, POLICY_NAME_UNKNOWN);
}

static void an_account_has_the_groups_of_a_login(void **state)
{
	static const char *const texts[] = {"root", "0", "000"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct policy_name name = {
			.kind = POLICY_NAME_ACCOUNT, .name = texts[i], .id = 7, .gid = 7};
		gid_t expected[POLICY_GROUPS_MAX];
		int count = POLICY_GROUPS_MAX;
		size_t failed;

		assert_true(getgrouplist("root", 0, expected, &count) > 0);
		assert_int_equal(policy_load_names(&name, 1, &failed), 0);
		assert_int_equal(name.status, POLICY_NAME_FOUND);
		assert_int_equal(name.id, 0);
		assert_int_equal(name.gid, 0);
		assert_int_equal(name.group_count, count);
		assert_memory_equal(name.groups, expected, (size_t)count * sizeof(expected[0]));
		free(name.groups);
	}
}

static void an_account_that_nobody_has_is_unknown(void **state)
{
	static const char *const texts[] = {
		"no-such-user-of-fdbroker", "4000000000", "4294967294", "0x0", "-0", "0 ", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct policy_name name = {.kind = POLICY_NAME_ACCOUNT, .name = texts[i]};
		size_t failed;

		assert_int_equal(policy_load_names(&name, 1, &failed), 0);
		assert_int_equal(name.status, POLICY_NAME_UNKNOWN);
		assert_null(name.groups);
		assert_int_equal(name.group_count, 0);
	}
}

static void an_account_has_at_most_1024_groups_and_with_one_more_the_load_fails(void **state)
{
	struct policy_name name = {.kind = POLICY_NAME_ACCOUNT, .name = "root"};
	size_t failed = 7;

	(void)state;
	groups_of_root = 1024;
	assert_int_equal(policy_load_names(&name, 1, &failed), 0);
	assert_int_equal(name.group_count, 1024);
	assert_int_equal(name.groups[1023], 1023);
	groups_of_root = 1025;
	assert_int_equal(policy_load_names(&name, 1, &failed), -E2BIG);
	assert_int_equal(failed, 0);
	groups_of_root = -1;
	free(name.groups);
}

/* /root has one component only. */
static void the_home_of_root_is_undefined_and_its_name_is_not(void **state)
{
	char name[256], home[256];

	(void)state;
	assert_int_equal(policy_load_user(0, name, sizeof(name), home, sizeof(home)), 0);
	assert_string_equal(name, "root");
	assert_string_equal(home, "");
}

static void a_name_that_does_not_fit_is_undefined(void **state)
{
	char name[4] = "abc", home[4] = "abc";

	(void)state;
	assert_int_equal(policy_load_user(0, name, sizeof(name), home, sizeof(home)), 0);
	assert_string_equal(name, "");
	assert_string_equal(home, "");
}

static void a_uid_that_nobody_has_is_undefined(void **state)
{
	char name[256] = "abc", home[256] = "abc";

	(void)state;
	assert_int_equal(policy_load_user(4000000000u, name, sizeof(name), home, sizeof(home)), 0);
	assert_string_equal(name, "");
	assert_string_equal(home, "");
}

static void what_was_meant_is_found_among_what_there_is(void **state)
{
	struct policy_name names[] = {
		{.kind = POLICY_NAME_USER, .status = POLICY_NAME_UNKNOWN, .name = "orot"},
		{.kind = POLICY_NAME_USER, .status = POLICY_NAME_UNKNOWN, .name = "ROOT"},
		{.kind = POLICY_NAME_GROUP, .status = POLICY_NAME_UNKNOWN, .name = "rooot"},
		{.kind = POLICY_NAME_ACCOUNT, .status = POLICY_NAME_UNKNOWN, .name = "pear"},
		{.kind = POLICY_NAME_USER, .status = POLICY_NAME_FOUND, .name = "rot"},
		{.kind = POLICY_NAME_USER, .status = POLICY_NAME_UNASKED, .name = "rot"},
		{.kind = POLICY_NAME_ACCOUNT, .status = POLICY_NAME_UNKNOWN, .name = "99"},
		{.kind = POLICY_NAME_USER,
			.status = POLICY_NAME_UNKNOWN,
			.name = "no-such-user-of-fdbroker"},
		{.kind = POLICY_NAME_INTERFACE,
			.status = POLICY_NAME_UNKNOWN,
			.name = "a-name-that-no-interface-can-have"},
	};
	static const char *const expected[] = {"root", "root", "root", "peer"};
	const size_t count = sizeof(names) / sizeof(names[0]);

	(void)state;
	assert_int_equal(policy_load_near(names, count), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_non_null(names[i].near);
		assert_string_equal(names[i].near, expected[i]);
		free(names[i].near);
	}
	for (size_t i = 4; i < count; i++)
		assert_null(names[i].near);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_or_unknown),
		cmocka_unit_test(an_account_has_the_groups_of_a_login),
		cmocka_unit_test(an_account_that_nobody_has_is_unknown),
		cmocka_unit_test(
			an_account_has_at_most_1024_groups_and_with_one_more_the_load_fails),
		cmocka_unit_test(the_home_of_root_is_undefined_and_its_name_is_not),
		cmocka_unit_test(a_name_that_does_not_fit_is_undefined),
		cmocka_unit_test(a_uid_that_nobody_has_is_undefined),
		cmocka_unit_test(what_was_meant_is_found_among_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

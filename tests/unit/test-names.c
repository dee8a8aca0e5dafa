/* SPDX-License-Identifier: MIT */
/*
 * What the name service of this machine says: only of names that every machine has, or none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "load.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_or_unknown),
		cmocka_unit_test(the_home_of_root_is_undefined_and_its_name_is_not),
		cmocka_unit_test(a_name_that_does_not_fit_is_undefined),
		cmocka_unit_test(a_uid_that_nobody_has_is_undefined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

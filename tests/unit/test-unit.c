/* SPDX-License-Identifier: MIT */
/* Which unit a cgroup stands for: a folder with a file `cgroup` in it is as good as one in /proc. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit.h"

static char folder[] = "/tmp/test-unit-XXXXXX";
static int process = -1;

static int begin(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	process = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return process < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	unlinkat(process, "cgroup", 0);
	close(process);
	return rmdir(folder);
}

static void expect_unit(const char *text, const char *unit)
{
	int fd = openat(process, "cgroup", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	char *found;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	found = unit_of_process(process);
	if (unit == NULL)
		assert_null(found);
	else
		assert_string_equal(found, unit);
	free(found);
}

static void the_unit_is_the_first_component_that_is_no_slice(void **state)
{
	(void)state;
	expect_unit("0::/system.slice/nginx.service\n", "nginx.service");
	expect_unit("0::/system.slice/system-app.slice/app@a.service/below\n", "app@a.service");
	expect_unit("0::/init.scope\n", "init.scope");
}

static void what_a_users_own_manager_made_is_no_unit(void **state)
{
	(void)state;
	expect_unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service\n",
		"user@1000.service");
}

static void a_name_that_systemd_escaped_is_the_name(void **state)
{
	(void)state;
	expect_unit("0::/system.slice/_cpu.service\n", "cpu.service");
}

static void who_is_in_no_unit_has_none(void **state)
{
	(void)state;
	expect_unit("0::/\n", NULL);
	expect_unit("0::/docker/0123456789abcdef\n", NULL);
	expect_unit("0::/system.slice\n", NULL);
	expect_unit("0::/system.slice/.service\n", NULL);
	expect_unit("", NULL);
}

static void on_a_legacy_system_the_hierarchy_of_systemd_counts(void **state)
{
	(void)state;
	expect_unit("4:cpu,cpuacct:/docker.slice/a.service\n"
		    "1:name=systemd:/system.slice/nginx.service\n0::/\n",
		"nginx.service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unit_is_the_first_component_that_is_no_slice),
		cmocka_unit_test(what_a_users_own_manager_made_is_no_unit),
		cmocka_unit_test(a_name_that_systemd_escaped_is_the_name),
		cmocka_unit_test(who_is_in_no_unit_has_none),
		cmocka_unit_test(on_a_legacy_system_the_hierarchy_of_systemd_counts),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

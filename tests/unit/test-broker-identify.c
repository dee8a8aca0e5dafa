/* SPDX-License-Identifier: MIT */
/* Who is at the other end: the broker's own processes are nobody's clients. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/identify.h"

static int listener;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length = sizeof(address);

static int begin(void **state)
{
	(void)state;
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* A name of the kernel's choice, unix(7), "Autobind feature". */
	if (bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
		listen(listener, 4) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &address_length) < 0)
		return -1;
	return 0;
}

/* Connects, and holds the connection until it is killed. */
static _Noreturn void connect_and_wait(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (connect(fd, (struct sockaddr *)&address, address_length) < 0)
		_exit(1);
	for (;;)
		pause();
}

static int identify_next(void)
{
	struct peer_identity identity;
	int connection = accept(listener, NULL, NULL), error;

	assert_true(connection >= 0);
	error = identify_peer(connection, &identity);
	if (error == 0)
		identify_free(&identity);
	close(connection);
	return error;
}

static void a_child_is_nobodys_client(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0)
		connect_and_wait();
	assert_int_equal(identify_next(), -EACCES);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* It has left what it wanted to say behind. */
static void a_child_that_has_ended_is_no_client_either(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

		_exit(connect(fd, (struct sockaddr *)&address, address_length) < 0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(identify_next(), -EACCES);
}

static void nobody_of_a_reserved_uid_is_a_client(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (fork() == 0)
			connect_and_wait();
		pause();
		_exit(0);
	}
	identify_reserve_own_uid();
	assert_int_equal(identify_next(), -EACCES);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Its parent is a child of ours, and not we. */
static void another_process_of_the_same_user_is_a_client(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		pid_t grandchild = fork();

		if (grandchild == 0)
			connect_and_wait();
		pause();
		_exit(0);
	}
	assert_int_equal(identify_next(), 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_nobodys_client),
		cmocka_unit_test(a_child_that_has_ended_is_no_client_either),
		cmocka_unit_test(another_process_of_the_same_user_is_a_client),
		/* from here on */
		cmocka_unit_test(nobody_of_a_reserved_uid_is_a_client),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Connecting to the first of several addresses that answers, on loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/clock.h"
#include "broker/operations/race.h"
#include "descriptors.h"

static int connection[2]; /* the broker's end, and the client's */
static int descriptors_before;

static int begin(void **state)
{
	(void)state;
	descriptors_before = count_descriptors();
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, connection);
}

static int end(void **state)
{
	(void)state;
	close(connection[0]);
	if (connection[1] >= 0)
		close(connection[1]);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

/* A port of loopback on which somebody listens, or for which nobody does. */
static struct target loopback(int *listener, int backlog)
{
	struct target target = {.domain = AF_INET, .type = SOCK_STREAM};

	target.length = sizeof(target.address.v4);
	target.address.v4.sin_family = AF_INET;
	target.address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(bind(*listener, &target.address.any, target.length), errno);
	if (backlog >= 0)
		assert_return_code(listen(*listener, backlog), errno);
	assert_return_code(getsockname(*listener, &target.address.any, &target.length), errno);
	return target;
}

static in_port_t port_reached(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	assert_return_code(getpeername(fd, (struct sockaddr *)&address, &length), errno);
	return address.sin_port;
}

static int race(const struct target *targets, unsigned int count, uint64_t msec)
{
	unsigned int decisive;

	return race_connect(targets, count, connection[0], clock_msec() + msec, &decisive);
}

static void families_take_turns_beginning_with_the_first(void **state)
{
	static const int before[] = {
		AF_INET6, AF_INET6, AF_INET6, AF_INET, AF_INET6, AF_INET, AF_INET};
	static const in_port_t after[] = {0, 3, 1, 5, 2, 6, 4};
	struct target targets[7];

	(void)state;
	memset(targets, 0, sizeof(targets));
	for (in_port_t i = 0; i < 7; i++) {
		targets[i].domain = before[i];
		targets[i].judged.number = i;
	}
	race_interleave(targets, 7);
	for (int i = 0; i < 7; i++)
		assert_int_equal(targets[i].judged.number, after[i]);
	race_interleave(targets, 1);
	race_interleave(targets, 0);
}

static void the_one_that_listens_wins_over_one_that_refuses(void **state)
{
	int refusing, listening, fd;
	struct target targets[2] = {loopback(&refusing, -1), loopback(&listening, 1)};

	(void)state;
	fd = race(targets, 2, 5000);
	assert_return_code(fd, -fd);
	assert_int_equal(port_reached(fd), targets[1].address.v4.sin_port);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	close(refusing);
	close(listening);
}

static void of_two_that_listen_the_first_wins(void **state)
{
	int first, second, fd;
	struct target targets[2] = {loopback(&first, 1), loopback(&second, 1)};

	(void)state;
	fd = race(targets, 2, 5000);
	assert_return_code(fd, -fd);
	assert_int_equal(port_reached(fd), targets[0].address.v4.sin_port);
	close(fd);
	close(first);
	close(second);
}

static void when_all_fail_the_error_is_that_of_the_first(void **state)
{
	int refusing, fd;
	struct target targets[2] = {loopback(&refusing, -1), loopback(&fd, -1)};

	(void)state;
	close(fd);
	targets[1].length = 1; /* EINVAL */
	assert_int_equal(race(targets, 2, 5000), -ECONNREFUSED);
	targets[1] = targets[0];
	targets[0].length = 1;
	assert_int_equal(race(targets, 2, 5000), -EINVAL);
	close(refusing);
}

/* The queue of a listener that is full: what comes now is dropped, and tried again. */
static struct target silent(int *listener, int fillers[static 3])
{
	struct target target = loopback(listener, 0);

	for (int i = 0; i < 3; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fillers[i], &target.address.any, target.length);
	}
	return target;
}

static void close_silent(int listener, const int fillers[static 3])
{
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(listener);
}

static void one_that_is_silent_makes_way_after_the_delay(void **state)
{
	int listener, listening, fillers[3], fd;
	struct target targets[2] = {silent(&listener, fillers), loopback(&listening, 1)};

	(void)state;
	fd = race(targets, 2, 5000);
	assert_return_code(fd, -fd);
	assert_int_equal(port_reached(fd), targets[1].address.v4.sin_port);
	close(fd);
	close(listening);
	close_silent(listener, fillers);
}

static int listener_to_end;

static void end_listening(int signal)
{
	(void)signal;
	(void)shutdown(listener_to_end, SHUT_RD);
}

static void when_the_first_fails_last_the_error_is_still_its_own(void **state)
{
	/* After the second has begun, and before the first asks again, 1 s after its beginning. */
	const struct itimerval later = {.it_value = {.tv_usec = 600000}};
	struct sigaction action = {.sa_handler = end_listening};
	int fillers[3];
	struct target targets[2] = {silent(&listener_to_end, fillers)};
	unsigned int decisive = 1;

	(void)state;
	targets[1] = targets[0];
	targets[1].length = 1; /* EINVAL */
	assert_return_code(sigaction(SIGALRM, &action, NULL), errno);
	assert_return_code(setitimer(ITIMER_REAL, &later, NULL), errno);
	assert_int_equal(race_connect(targets, 2, connection[0], clock_msec() + 10000, &decisive),
		-ECONNREFUSED);
	assert_int_equal(decisive, 0);
	close_silent(listener_to_end, fillers);
}

static void the_deadline_and_a_client_that_hangs_up_end_it(void **state)
{
	int listener, fillers[3];
	struct target target = silent(&listener, fillers);

	(void)state;
	assert_int_equal(race(&target, 1, 50), -ETIMEDOUT);
	close(connection[1]);
	connection[1] = -1;
	assert_int_equal(race(&target, 1, 5000), -ECANCELED);
	close_silent(listener, fillers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(families_take_turns_beginning_with_the_first),
		TEST(the_one_that_listens_wins_over_one_that_refuses),
		TEST(of_two_that_listen_the_first_wins),
		TEST(when_all_fail_the_error_is_that_of_the_first),
		TEST(one_that_is_silent_makes_way_after_the_delay),
		TEST(when_the_first_fails_last_the_error_is_still_its_own),
		TEST(the_deadline_and_a_client_that_hangs_up_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

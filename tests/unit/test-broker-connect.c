/* SPDX-License-Identifier: MIT */
/*
 * How long the broker connects. The linker puts functions of this file before connect(2) and
 * race_connect() (ld(1), --wrap).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/connection.h"
#include "broker/limits.h"
#include "broker/operations/operation.h"
#include "broker/operations/race.h"
#include "policy-support.h"

#include "descriptors.h"

/* ---- what stands before the functions ---- */

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_race_connect(const struct target *targets, unsigned int count, int client,
	uint64_t deadline, unsigned int *decisive);

static uint64_t delay_msec;    /* before connect(2), however many signals come */
static uint64_t race_deadline; /* of the last race */

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	uint64_t begin = clock_msec();

	while (clock_msec() < begin + delay_msec)
		;
	return __real_connect(fd, address, length);
}

int __wrap_race_connect(const struct target *targets, unsigned int count, int client,
	uint64_t deadline, unsigned int *decisive)
{
	*decisive = 0;
	(void)targets;
	(void)count;
	(void)client;
	race_deadline = deadline;
	*decisive = 0;
	return -ECONNREFUSED;
}

/* ---- a listener that never takes a connection up ---- */

#define FILLERS 3

static struct policy policy;
static struct policy_peer peer;
static struct server server;
static struct asker asker;
static int connection[2], listener, fillers[FILLERS], descriptors_before;
static struct fdbroker_request request;

static void listen_silently(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(bind(listener, (struct sockaddr *)&address, length), errno);
	assert_return_code(listen(listener, 0), errno);
	assert_return_code(getsockname(listener, (struct sockaddr *)&address, &length), errno);
	for (int i = 0; i < FILLERS; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)__real_connect(fillers[i], (struct sockaddr *)&address, length);
	}
	request = (struct fdbroker_request){.endpoint = {.protocol = FDBROKER_TCP,
						    .family = FDBROKER_IPV4,
						    .port = ntohs(address.sin_port),
						    .address = {127, 0, 0, 1}}};
}

static int begin(void **state)
{
	(void)state;
	descriptors_before = count_descriptors();
	policy = policy_make("client test {\n\tfrom user alice\n"
			     "\tallow connect tcp:127.0.0.1:*\n}\n");
	peer = peer_make(&policy, &alice);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, connection) < 0)
		return -1;
	static struct ring ring;

	server = (struct server){.image = policy.image,
		.ring = &ring,
		.may_wait = true,
		.netns_cookie = netns_cookie(connection[0])};
	asker = (struct asker){
		.peer = &peer, .netns = server.netns_cookie, .connection = connection[0]};
	listen_silently();
	return connect_prepare();
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < FILLERS; i++)
		close(fillers[i]);
	close(listener);
	close(connection[0]);
	close(connection[1]);
	policy_drop(&policy);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

/* Connects a socket that blocks, and returns how long that took. */
static uint64_t connect_for_msec(void)
{
	const struct timeval patience = {.tv_sec = 3}; /* or it would take minutes, socket(7) */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t before = clock_msec();
	struct itimerval timer;
	struct reply reply;

	assert_return_code(
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), errno);
	reply_init(&reply);
	assert_int_equal(serve_connect(&server, &asker, &request, fd, &reply), SERVED);
	assert_int_equal(reply.reason, FDBROKER_REASON_KERNEL);
	assert_int_equal(reply.error, EINPROGRESS);
	assert_return_code(getitimer(ITIMER_REAL, &timer), errno);
	assert_int_equal(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
	close(fd);
	return clock_msec() - before;
}

static void a_socket_that_blocks_is_waited_for_briefly(void **state)
{
	(void)state;
	delay_msec = 0;
	assert_in_range(connect_for_msec(), CONNECT_WAIT_MSEC - 1, 1000);
}

static void a_signal_that_comes_too_early_is_followed_by_others(void **state)
{
	(void)state;
	delay_msec = 3 * CONNECT_WAIT_MSEC;
	assert_in_range(connect_for_msec(), delay_msec, 1000);
}

static void a_dial_has_its_deadline(void **state)
{
	uint64_t before = clock_msec();
	struct reply reply;

	(void)state;
	reply_init(&reply);
	assert_int_equal(serve_dial(&server, &asker, &request, -1, &reply), SERVED);
	assert_int_equal(reply.error, ECONNREFUSED);
	assert_in_range(
		race_deadline, before + DIAL_DEADLINE_MSEC, clock_msec() + DIAL_DEADLINE_MSEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_socket_that_blocks_is_waited_for_briefly),
		TEST(a_signal_that_comes_too_early_is_followed_by_others),
		TEST(a_dial_has_its_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

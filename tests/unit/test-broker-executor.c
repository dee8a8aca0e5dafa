/* SPDX-License-Identifier: MIT */
/*
 * Whom an executor serves, whatever a worker tells it. The executor is a child of the test, which
 * plays the worker, the supervisor and the client.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/channel.h"
#include "broker/child.h"
#include "broker/connection.h"
#include "broker/memory.h"
#include "broker/peers.h"
#include "broker/ring.h"
#include "broker/role.h"
#include "policy-support.h"
#include "protocol.h"
#include "trust.h"

#include "descriptors.h"

#define SLOT 5
#define SERIAL 77
#define PATIENCE_MSEC 10000

static struct policy policy;
static struct peers *peers;
static pid_t executor;
static int channel;       /* to the executor */
static int connection[2]; /* the broker's end, and the client's */
static int descriptors_before;

static void keep_at(int fd, int place)
{
	if (fd < 0 || dup2(fd, place) < 0)
		_exit(1);
}

/* The child becomes an executor under the descriptors of child.h. */
static void run_executor(int worker, const int fds[static CHILD_DESCRIPTORS_END])
{
	/* First away from the numbers that they are to have, which keep_at() closes. */
	int moved[CHILD_DESCRIPTORS_END];

	moved[CHILD_CHANNEL] = fcntl(worker, F_DUPFD_CLOEXEC, 64);
	for (int i = CHILD_IMAGE; i <= CHILD_TURNS; i++)
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
	for (int i = CHILD_CHANNEL; i <= CHILD_TURNS; i++)
		keep_at(moved[i], i);
	(void)close_range(CHILD_HANDS, ~0u, 0);
	_exit(executor_main());
}

static int begin(void **state)
{
	const struct trusted_mounts none = {0};
	const struct siphash_key key = {{1, 2}};
	int fds[CHILD_DESCRIPTORS_END], ends[2];
	void *memory, *ring;

	(void)state;
	descriptors_before = count_descriptors();
	policy = policy_make("client test {\n\tfrom user alice\n\tallow bind tcp:8080\n}\n");
	fds[CHILD_IMAGE] = memory_seal("policy", policy.bytes, policy.size);
	fds[CHILD_MOUNTS] = memory_seal("mounts", &none, sizeof(none));
	fds[CHILD_PEERS] = memory_publish("peers", sizeof(*peers), &memory);
	fds[CHILD_RING] = memory_share("ring", sizeof(struct ring), &ring);
	fds[CHILD_WAKE] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fds[CHILD_TURNS] = memory_seal("turns", &key, sizeof(key));
	peers = memory;
	if (channel_pair(ends) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, connection) < 0)
		return -1;
	executor = fork();
	if (executor == 0)
		run_executor(ends[1], fds);
	for (int i = CHILD_IMAGE; i <= CHILD_TURNS; i++)
		close(fds[i]);
	munmap(ring, sizeof(struct ring));
	close(ends[1]);
	channel = ends[0];
	peers->table[SLOT] = (struct peer){.serial = SERIAL,
		.cookie = connection_cookie(connection[0]),
		.policy = {.uid = getuid()}};
	return 0;
}

static int end(void **state)
{
	int status;

	(void)state;
	close(channel);
	assert_int_equal(waitpid(executor, &status, 0), executor);
	assert_true(WIFEXITED(status));
	close(connection[0]);
	close(connection[1]);
	munmap(peers, sizeof(*peers));
	policy_drop(&policy);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

static void ask_for(const struct fdbroker_request *request)
{
	unsigned char bytes[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, bytes, FDBROKER_PACKET_REQUEST, 1000);
	assert_true(fdbroker_packet_add_request(&packet, request));
	assert_int_equal(send(connection[1], packet.bytes, packet.length, 0), packet.length);
}

static void ask_for_file(void)
{
	ask_for(&(struct fdbroker_request){
		.operation = FDBROKER_OPEN, .path = {"/etc/shadow", strlen("/etc/shadow")}});
}

static struct message lend(uint32_t slot, uint32_t serial)
{
	struct message job = {.type = MESSAGE_TAKE, .slot = slot, .serial = serial}, done;
	struct pollfd answer = {.events = POLLIN};
	int fd;

	answer.fd = channel;
	assert_int_equal(channel_send(channel, &job, connection[0]), 0);
	assert_int_equal(poll(&answer, 1, PATIENCE_MSEC), 1);
	assert_int_equal(channel_receive(channel, &done, &fd), 1);
	assert_int_equal(fd, -1);
	assert_int_equal(done.type, MESSAGE_DONE);
	assert_int_equal(done.slot, slot);
	assert_int_equal(done.serial, serial);
	return done;
}

static void expect_served(struct message done)
{
	unsigned char bytes[FDBROKER_REPLY_MAX];
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
	const unsigned char *data;
	ssize_t length = recv(connection[1], bytes, sizeof(bytes), MSG_DONTWAIT);

	assert_int_equal(done.flag, 0);
	assert_true(length > 0);
	assert_int_equal(fdbroker_reply_decode(bytes, (size_t)length, results, &data), 1);
	assert_int_equal(results[0].error, EACCES);
}

/* The connection is to be ended; nothing was answered, and the packet is where it was. */
static void expect_refused(struct message done)
{
	char byte;

	assert_int_equal(done.flag, 1);
	assert_int_equal(recv(connection[1], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(recv(connection[0], &byte, 1, MSG_DONTWAIT | MSG_PEEK), 1);
}

static void a_peer_is_served_on_its_connection(void **state)
{
	(void)state;
	ask_for_file();
	expect_served(lend(SLOT, SERIAL));
}

static void nobody_is_served_under_the_serial_of_another_connection(void **state)
{
	(void)state;
	ask_for_file();
	expect_refused(lend(SLOT, SERIAL + 1));
	expect_refused(lend(SLOT, SERIAL - 1));
	expect_refused(lend(SLOT, 0));
	expect_served(lend(SLOT, SERIAL));
}

/* The kernel knows which socket this is, SO_COOKIE of socket(7). */
static void nobody_is_served_over_the_connection_of_another(void **state)
{
	(void)state;
	const uint64_t cookie = peers->table[SLOT].cookie;

	ask_for_file();
	peers->table[SLOT].cookie = connection_cookie(connection[1]);
	expect_refused(lend(SLOT, SERIAL));
	peers->table[SLOT].cookie = 0;
	expect_refused(lend(SLOT, SERIAL));
	peers->table[SLOT].cookie = cookie;
	expect_served(lend(SLOT, SERIAL));
}

static void nobody_is_served_whose_slot_there_is_not(void **state)
{
	(void)state;
	ask_for_file();
	expect_refused(lend(SESSIONS_MAX, 0));
	expect_refused(lend(UINT32_MAX, 0));
	expect_served(lend(SLOT, SERIAL));
}

/* Only the supervisor makes one, and only a worker asks it: the client is not kept waiting. */
static void what_is_for_the_supervisor_ends_the_connection(void **state)
{
	struct message done;
	char byte;

	(void)state;
	ask_for(&(struct fdbroker_request){.operation = FDBROKER_CLONE});
	done = lend(SLOT, SERIAL);
	assert_int_equal(done.flag, 1);
	assert_int_equal(recv(connection[1], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_peer_is_served_on_its_connection),
		TEST(nobody_is_served_under_the_serial_of_another_connection),
		TEST(nobody_is_served_over_the_connection_of_another),
		TEST(nobody_is_served_whose_slot_there_is_not),
		TEST(what_is_for_the_supervisor_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

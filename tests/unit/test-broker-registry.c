/* SPDX-License-Identifier: MIT */
/*
 * Limits and clones in the registry, whatever a worker asks for: the test plays the crew
 * (ld(1), --wrap) and the clients, who are all the user that runs it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/clock.h"
#include "broker/connection.h"
#include "broker/registry.h"
#include "policy-support.h"

#include "descriptors.h"

#define DEALT_MAX 128

struct crew_worker {
	struct peers *peers;
};

static struct crew_worker mine, another;
static struct generation generation;
static struct policy policy;
static struct message dealt[DEALT_MAX]; /* to `mine`, in this order */
static size_t dealt_count;
static int descriptors_before;

/* ---- the crew ---- */

struct crew_worker *__wrap_crew_pick(const struct generation *in_force);
int __wrap_crew_deal(struct crew_worker *worker, const struct message *message, int connection);
void __wrap_crew_return(struct crew_worker *worker);
struct peers *__wrap_crew_peers(const struct crew_worker *worker);

struct crew_worker *__wrap_crew_pick(const struct generation *in_force)
{
	(void)in_force;
	return &mine;
}

int __wrap_crew_deal(struct crew_worker *worker, const struct message *message, int connection)
{
	(void)connection;
	assert_ptr_equal(worker, &mine);
	assert_in_range(dealt_count, 0, DEALT_MAX - 1);
	dealt[dealt_count++] = *message;
	return 0;
}

void __wrap_crew_return(struct crew_worker *worker)
{
	assert_ptr_equal(worker, &mine);
}

struct peers *__wrap_crew_peers(const struct crew_worker *worker)
{
	return worker->peers;
}

/* ---- arranging ---- */

static struct peers *peers_make(void)
{
	struct peers *peers = mmap(
		NULL, sizeof(*peers), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(peers, MAP_FAILED);
	return peers;
}

static int begin(void **state)
{
	char text[128];

	(void)state;
	descriptors_before = count_descriptors();
	dealt_count = 0;
	snprintf(text, sizeof(text), "client test {\n\tfrom user %u\n\tallow read /a\n}\n",
		getuid());
	policy = policy_make(text);
	mine.peers = peers_make();
	another.peers = peers_make();
	generation = (struct generation){.image = policy.image, .peers = mine.peers};
	policy_image_needs(policy.image, &generation.needs);
	registry_use(&generation);
	return 0;
}

/* Every connection is over. */
static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < dealt_count; i++)
		registry_connection_ended(&mine, dealt[i].slot, dealt[i].serial);
	munmap(mine.peers, sizeof(*mine.peers));
	munmap(another.peers, sizeof(*another.peers));
	policy_drop(&policy);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

/* The connections that wait are dealt. Returns the one that came last. */
static const struct message *deal(void)
{
	(void)registry_tick(clock_msec());
	assert_int_not_equal(dealt_count, 0);
	return &dealt[dealt_count - 1];
}

/* Somebody connects, and is dealt. *client becomes the other end. */
static const struct message *come(int *client)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*client = ends[1];
	registry_accept(ends[0]);
	return deal();
}

static int limit(const struct message *of, const char *set)
{
	return registry_limit(&mine, of->slot, of->serial, set, strlen(set));
}

static const struct peer *peer_of(const struct message *of)
{
	return &generation.peers->table[of->slot];
}

#define assert_limits(of, expected)                                                                \
	do {                                                                                       \
		assert_int_equal(peer_of(of)->limits_length, sizeof(expected) - 1);                \
		assert_memory_equal(                                                               \
			generation.peers->limits[(of)->slot], expected, sizeof(expected) - 1);     \
	} while (false)

/* ---- limits ---- */

static void a_limit_reaches_the_workers_generation_and_every_later_one(void **state)
{
	const struct hands hands = {0};
	const struct message *first;
	struct peers *old = mine.peers;
	int client;

	(void)state;
	first = come(&client);
	assert_limits(first, "");
	assert_int_equal(limit(first, "read /a\n"), 0);
	/* The next generation is in force; this worker is still to retire. */
	generation.peers = peers_make();
	assert_int_equal(limit(first, "read /b\n"), 0);
	assert_int_equal(old->table[first->slot].limits_length, 18);
	assert_memory_equal(old->limits[first->slot], "read /a\n\0read /b\n\0", 18);
	mine.peers = generation.peers;
	registry_worker_buried(&mine, false, &hands);
	first = deal();
	assert_limits(first, "read /a\n\0read /b\n\0");
	munmap(old, sizeof(*old));
	close(client);
}

static void a_worker_narrows_nobody_that_it_has_not(void **state)
{
	const struct message *first;
	int client, fd = -1;

	(void)state;
	first = come(&client);
	assert_int_equal(registry_limit(&another, first->slot, first->serial, "", 0), -ENOENT);
	assert_int_equal(registry_limit(&mine, first->slot, first->serial + 1, "", 0), -ENOENT);
	assert_int_equal(registry_limit(&mine, first->slot + 1, first->serial, "", 0), -ENOENT);
	assert_int_equal(registry_limit(&mine, UINT32_MAX, first->serial, "", 0), -ENOENT);
	assert_int_equal(registry_clone(&another, first->slot, first->serial, &fd), -ENOENT);
	assert_int_equal(registry_clone(&mine, first->slot, first->serial + 1, &fd), -ENOENT);
	assert_int_equal(registry_clone(&mine, first->slot + 1, first->serial, &fd), -ENOENT);
	assert_int_equal(registry_clone(&mine, UINT32_MAX, 0, &fd), -ENOENT);
	assert_int_equal(fd, -1);
	assert_limits(first, "");
	close(client);
}

static void whoever_gets_the_slot_next_is_not_narrowed(void **state)
{
	const struct message *next;
	struct message first;
	int client;

	(void)state;
	first = *come(&client);
	assert_int_equal(limit(&first, "read /a\n"), 0);
	registry_connection_ended(&mine, first.slot, first.serial);
	close(client);
	assert_int_equal(limit(&first, "read /a\n"), -ENOENT);
	next = come(&client);
	assert_int_equal(next->slot, first.slot);
	assert_int_not_equal(next->serial, first.serial);
	assert_limits(next, "");
	close(client);
}

static void limits_that_are_full_stay_as_they_were(void **state)
{
	char set[FDBROKER_LIMITS_MAX];
	const struct message *first;
	int client;

	(void)state;
	first = come(&client);
	memset(set, 'x', sizeof(set));
	assert_int_equal(limit(first, "read /a\n"), 0);
	assert_int_equal(
		registry_limit(&mine, first->slot, first->serial, set, sizeof(set)), ENOSPC);
	assert_limits(first, "read /a\n\0");
	close(client);
}

/* ---- clones ---- */

static void a_clone_is_the_same_peer_on_another_connection(void **state)
{
	struct message first, clone;
	const struct peer *a, *b;
	int client, fd;
	char byte;

	(void)state;
	first = *come(&client);
	assert_int_equal(limit(&first, "read /a\n"), 0);
	assert_int_equal(registry_clone(&mine, first.slot, first.serial, &fd), 0);
	clone = *deal();
	a = peer_of(&first);
	b = peer_of(&clone);
	assert_int_not_equal(clone.slot, first.slot);
	assert_int_equal(b->serial, clone.serial);
	assert_int_equal(b->pid, a->pid);
	assert_int_equal(b->pid, getpid());
	assert_int_equal(b->netns, a->netns);
	assert_int_not_equal(b->cookie, 0);
	assert_int_not_equal(b->cookie, a->cookie);
	assert_memory_equal(&b->policy, &a->policy, sizeof(a->policy));
	assert_limits(&clone, "read /a\n\0");
	/* From now on each by itself. */
	assert_int_equal(limit(&clone, ""), 0);
	assert_limits(&first, "read /a\n\0");
	assert_limits(&clone, "read /a\n\0\0");
	/* It ends at the other end. */
	registry_connection_ended(&mine, clone.slot, clone.serial);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
	close(client);
}

static void groups_are_told_where_a_rule_acts_as_the_peer(void **state)
{
	gid_t groups[PEER_GROUPS_MAX];
	int client, fd, count = getgroups(PEER_GROUPS_MAX, groups);
	struct message first, clone;

	(void)state;
	first = *come(&client);
	assert_int_equal(peer_of(&first)->group_count, 0);
	generation.needs.as_peer = true;
	assert_int_equal(registry_clone(&mine, first.slot, first.serial, &fd), 0);
	clone = *deal();
	assert_int_equal(peer_of(&clone)->group_count, count);
	if (count > 0)
		assert_memory_equal(generation.peers->groups[clone.slot], groups,
			(size_t)count * sizeof(groups[0]));
	close(fd);
	close(client);
}

/* The rule of registry_accept(): who has as many as are left for others gets no more. */
static void a_user_cannot_have_all_connections_by_clones_either(void **state)
{
	const struct message *first;
	int client, fds[DEALT_MAX], count = 0, error;

	(void)state;
	first = come(&client);
	while ((error = registry_clone(&mine, first->slot, first->serial, &fds[count])) == 0) {
		assert_in_range(++count, 1, DEALT_MAX - 2);
		(void)deal();
	}
	assert_int_equal(error, EAGAIN);
	assert_int_equal(count, 29); /* and the first one: half of 60 */
	/* With one less there is room for one more. */
	registry_connection_ended(&mine, dealt[1].slot, dealt[1].serial);
	assert_int_equal(registry_clone(&mine, first->slot, first->serial, &fds[count]), 0);
	count++;
	(void)deal();
	while (count > 0)
		close(fds[--count]);
	close(client);
}

int main(void)
{
	/* Half of them, so 60 connections in all: registry_open(). */
	const struct rlimit few = {.rlim_cur = 120, .rlim_max = 120};
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(a_limit_reaches_the_workers_generation_and_every_later_one),
		TEST(a_worker_narrows_nobody_that_it_has_not),
		TEST(whoever_gets_the_slot_next_is_not_narrowed),
		TEST(limits_that_are_full_stay_as_they_were),
		TEST(a_clone_is_the_same_peer_on_another_connection),
		TEST(groups_are_told_where_a_rule_acts_as_the_peer),
		TEST(a_user_cannot_have_all_connections_by_clones_either),
	};

	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		return 1;
	registry_open(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

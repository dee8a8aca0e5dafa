/* SPDX-License-Identifier: MIT */
/*
 * A connection is NAMING while the name service is asked about its user (policies with %u or %h),
 * QUEUED until it can be dealt, and DEALT while a worker has it. It comes back to QUEUED when that
 * worker is buried, for whatever reason: reload and crash are one road.
 *
 * Must never: read from a connection, or close one whose queue is not empty (connection.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accounts.h"
#include "child.h"
#include "clock.h"
#include "connection.h"
#include "events.h"
#include "identify.h"
#include "limits.h"
#include "log.h"
#include "names.h"
#include "narrowing.h"
#include "protocol.h"
#include "registry.h"

enum connection_state {
	CONNECTION_FREE = 0,
	CONNECTION_NAMING,
	CONNECTION_QUEUED,
	CONNECTION_DEALT
};

struct connection {
	enum connection_state state;
	int fd;
	uint32_t serial;
	bool ending; /* shut; only to be drained */
	unsigned int crashes;
	uint64_t cookie; /* peers.h */
	struct peer_identity identity;
	bool named;              /* the name service was asked */
	struct names_user *user; /* its answer, or NULL */
	struct narrowing narrowing;
	struct account *account;    /* NULL: nobody's, about to be closed */
	struct crew_worker *worker; /* DEALT */
	struct hand hand;           /* what its last worker had lent of it */
	struct connection *next;    /* in the queue, or free */
};

/* One question to the name service. */
struct naming {
	int channel; /* -1: nothing is asked */
	int pidfd;   /* -1: there is no helper */
	uint32_t uid;
	uint64_t deadline;
	struct source answered, ended;
};

static struct {
	const struct generation *generation;
	uint32_t total; /* connections that are shared out between uids, by RLIMIT_NOFILE */
	uint32_t used;
	uint32_t fresh; /* from here on the table was never used */
	struct connection *free;
	struct connection *first, *last; /* queued */
	struct connection table[SESSIONS_MAX];
	struct accounts accounts;
	struct naming namings[NAMES_PEER_HELPERS_MAX];
} registry;

void registry_open(unsigned int workers)
{
	const uint32_t reserved = DESCRIPTORS_RESERVED(workers);
	struct rlimit limit = {.rlim_cur = 1024};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	registry.total = SESSIONS_MAX - SESSIONS_SPARE;
	if (limit.rlim_cur < SESSIONS_MAX + reserved)
		registry.total = limit.rlim_cur > 2 * reserved ? (uint32_t)limit.rlim_cur - reserved
							       : (uint32_t)limit.rlim_cur / 2;
	for (int i = 0; i < NAMES_PEER_HELPERS_MAX; i++)
		registry.namings[i].channel = registry.namings[i].pidfd = -1;
}

bool registry_is_full(void)
{
	return registry.used >= registry.total + SESSIONS_SPARE;
}

/* ---- table and queue ---- */

static struct connection *connection_new(int fd)
{
	struct connection *connection = registry.free;
	uint32_t serial;

	if (connection != NULL)
		registry.free = connection->next;
	else
		connection = &registry.table[registry.fresh++];
	serial = connection->serial + 1;
	*connection = (struct connection){.fd = fd, .serial = serial};
	registry.used++;
	return connection;
}

static uint32_t connection_slot(const struct connection *connection)
{
	return (uint32_t)(connection - registry.table);
}

static void connection_queue(struct connection *connection)
{
	connection->state = CONNECTION_QUEUED;
	connection->next = NULL;
	if (registry.first == NULL)
		registry.first = connection;
	else
		registry.last->next = connection;
	registry.last = connection;
}

/* It is in no queue. An executor empties what a client has left in it. */
static void connection_close(struct connection *connection)
{
	connection_shut(connection->fd);
	if (!connection_is_drained(connection->fd)) {
		connection->ending = true;
		connection_queue(connection);
		return;
	}
	close(connection->fd);
	identify_free(&connection->identity);
	free(connection->user);
	narrowing_free(&connection->narrowing);
	if (connection->account != NULL)
		account_remove_session(&registry.accounts, connection->account);
	connection->state = CONNECTION_FREE;
	connection->next = registry.free;
	registry.free = connection;
	registry.used--;
}

/* ---- names ---- */

static void connection_name(struct connection *connection);

/* A helper has ended and can be asked again: for whoever waits and is not being asked about. */
static void naming_ended(struct source *source)
{
	struct naming *naming = source_owner(source, struct naming, ended);
	int status;

	source_remove(&naming->ended);
	(void)child_ended(naming->pidfd, &status);
	close(naming->pidfd);
	naming->pidfd = -1;
	for (uint32_t i = 0; i < registry.fresh; i++)
		if (registry.table[i].state == CONNECTION_NAMING)
			connection_name(&registry.table[i]);
}

/* Everybody who waits for this uid's name gets it, be it undefined. */
static void naming_finish(struct naming *naming)
{
	struct names_user user;

	names_user_answer(naming->channel, &user);
	source_remove(&naming->answered);
	close(naming->channel);
	naming->channel = -1;
	child_kill(naming->pidfd);
	for (uint32_t i = 0; i < registry.fresh; i++) {
		struct connection *connection = &registry.table[i];

		if (connection->state != CONNECTION_NAMING ||
			connection->identity.uid != naming->uid)
			continue;
		connection->user = malloc(sizeof(user));
		if (connection->user != NULL)
			*connection->user = user;
		connection_queue(connection);
	}
}

static void naming_answered(struct source *source)
{
	naming_finish(source_owner(source, struct naming, answered));
}

/* Starts a helper. 0 or a negative errno, and then nothing is left of it. */
static int naming_start(struct naming *naming, uint32_t uid)
{
	int error = names_user_ask(uid, &naming->channel, &naming->pidfd);

	if (error < 0)
		return error;
	error = source_add(&naming->ended, naming->pidfd, naming_ended);
	if (error == 0)
		error = source_add(&naming->answered, naming->channel, naming_answered);
	naming->uid = uid;
	naming->deadline = error == 0 ? clock_msec() + NAMES_PEER_DEADLINE_MSEC : 0;
	return error;
}

/* Asks about the connection's user, unless that is being asked already or no helper is free. */
static void connection_name(struct connection *connection)
{
	struct naming *naming = NULL;

	connection->state = CONNECTION_NAMING;
	connection->named = true;
	for (int i = 0; i < NAMES_PEER_HELPERS_MAX; i++) {
		if (registry.namings[i].pidfd < 0)
			naming = &registry.namings[i];
		else if (registry.namings[i].channel >= 0 &&
			 registry.namings[i].uid == connection->identity.uid)
			return;
	}
	if (naming == NULL || naming_start(naming, connection->identity.uid) == 0)
		return;
	log_message(LOG_ERR, "cannot ask the name service about uid %u", connection->identity.uid);
	if (naming->pidfd < 0)
		connection_queue(connection); /* without a name; else its deadline has come */
}

static uint64_t namings_tick(uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < NAMES_PEER_HELPERS_MAX; i++) {
		struct naming *naming = &registry.namings[i];

		if (naming->channel < 0)
			continue;
		if (naming->deadline <= now) {
			log_message(LOG_WARNING, "the name service does not answer about uid %u",
				naming->uid);
			naming_finish(naming);
		} else if (naming->deadline < next) {
			next = naming->deadline;
		}
	}
	return next;
}

/* ---- judging and dealing ---- */

/* What the policy in force has to know of the peer. Returns how many blocks concern it. */
static unsigned int connection_judge(const struct connection *connection, struct policy_peer *peer)
{
	const struct names_user *user = connection->user;
	const struct policy_identity identity = {
		.uid = connection->identity.uid,
		.gid = connection->identity.gid,
		.groups = connection->identity.groups,
		.group_count = connection->identity.group_count,
		.unit = connection->identity.unit,
		.user = user != NULL && user->name[0] != '\0' ? user->name : NULL,
		.home = user != NULL && user->home[0] != '\0' ? user->home : NULL,
	};

	if (policy_peer_init(peer, registry.generation->image, &identity) < 0) {
		log_message(LOG_ERR,
			"uid %u is concerned by more than %d client blocks: nothing is granted",
			identity.uid, POLICY_PEER_BLOCKS_MAX);
		peer->block_count = 0;
	}
	return peer->block_count;
}

/* Writes all that the processes of the generation in force are to know of it. */
static void connection_publish(const struct connection *connection)
{
	const struct peer_identity *identity = &connection->identity;
	struct peers *peers = registry.generation->peers;
	const uint32_t slot = connection_slot(connection);
	struct peer *peer = &peers->table[slot];

	peer->serial = connection->serial;
	peer->pid = identity->pid;
	peer->cookie = connection->cookie;
	peer->netns = identity->netns;
	peer->group_count = 0;
	/* Who has more than PEER_GROUPS_MAX is not a client, identify_peer(). */
	if (registry.generation->needs.as_peer) {
		for (size_t i = 0; i < identity->group_count; i++)
			peers->groups[slot][i] = identity->groups[i];
		peer->group_count = (uint32_t)identity->group_count;
	}
	narrowing_publish(&connection->narrowing, peers, slot);
	(void)connection_judge(connection, &peer->policy);
}

/* Deals one connection that is first in the queue. False: not now. */
static bool connection_deal(struct connection *connection)
{
	struct crew_worker *worker = crew_pick(registry.generation);
	struct message message = {
		.type = MESSAGE_DEAL,
		.slot = connection_slot(connection),
		.serial = connection->serial,
		.hand = connection->hand,
		.flag = connection->ending,
	};

	if (worker == NULL)
		return false;
	connection_publish(connection);
	if (crew_deal(worker, &message, connection->fd) < 0)
		return false;
	connection->state = CONNECTION_DEALT;
	connection->worker = worker;
	connection->hand = (struct hand){.count = 0};
	return true;
}

static uint64_t queue_tick(uint64_t now)
{
	while (registry.first != NULL) {
		struct connection *connection = registry.first, *next = connection->next;

		if (registry.generation->needs.user_name && !connection->named &&
			!connection->ending) {
			registry.first = next;
			connection_name(connection);
			continue;
		}
		if (!connection_deal(connection))
			return crew_pick(registry.generation) != NULL ? now + DEAL_RETRY_MSEC
								      : UINT64_MAX;
		registry.first = next;
	}
	return UINT64_MAX;
}

uint64_t registry_tick(uint64_t now)
{
	uint64_t naming = namings_tick(now), queue;

	if (registry.generation == NULL)
		return naming;
	queue = queue_tick(now);
	return naming < queue ? naming : queue;
}

void registry_use(const struct generation *generation)
{
	registry.generation = generation;
}

/* ---- coming and going ---- */

static void connection_refuse(struct connection *connection, enum log_refusal why)
{
	const struct peer_identity *identity = &connection->identity;

	log_refusal(identity->uid, identity->pid, identity->unit, why);
	connection_close(connection);
}

/* How many connections the policy lets the uid have. */
static uint32_t sessions_max(const struct policy_peer *peer)
{
	return policy_peer_quota(registry.generation->image, peer).sessions;
}

void registry_accept(int fd)
{
	struct connection *connection = connection_new(fd);
	int error = identify_peer(fd, &connection->identity);
	struct policy_peer peer;
	uint32_t held; /* of connections, by its uid, beside this one */

	if (error < 0) {
		if (error == -EACCES)
			log_message(LOG_WARNING,
				"refused: a process of the broker's own user, who is nobody's "
				"client, connected");
		else
			log_message(LOG_NOTICE, "refused: it is not known who connected: %s",
				strerror(-error));
		connection_close(connection);
		return;
	}
	connection->cookie = connection_cookie(fd);
	held = account_sessions(&registry.accounts, connection->identity.uid);
	connection->account = account_add_session(&registry.accounts, connection->identity.uid);
	if (!share_permits(held, registry.total, registry.used - 1)) {
		connection_refuse(connection, LOG_CONNECTIONS);
		return;
	}
	if (connection_judge(connection, &peer) == 0) {
		connection_refuse(connection, LOG_NO_CLIENT);
		return;
	}
	if (held >= sessions_max(&peer)) {
		connection_refuse(connection, LOG_SESSIONS);
		return;
	}
	connection_permit_descriptors(fd);
	connection_queue(connection);
}

/* The connection that this worker has under that slot and serial; NULL: it has none. */
static struct connection *connection_of(
	const struct crew_worker *worker, uint32_t slot, uint32_t serial)
{
	struct connection *connection;

	if (slot >= registry.fresh)
		return NULL;
	connection = &registry.table[slot];
	return connection->state == CONNECTION_DEALT && connection->worker == worker &&
			       connection->serial == serial
		       ? connection
		       : NULL;
}

void registry_connection_ended(struct crew_worker *worker, uint32_t slot, uint32_t serial)
{
	struct connection *connection = connection_of(worker, slot, serial);

	if (connection == NULL)
		return;
	crew_return(worker);
	connection_close(connection);
}

void registry_worker_buried(struct crew_worker *worker, bool crashed, const struct hands *hands)
{
	uint32_t serving = atomic_load_explicit(&hands->serving, memory_order_relaxed);

	for (uint32_t slot = 0; slot < registry.fresh; slot++) {
		struct connection *connection = &registry.table[slot];

		if (connection->state != CONNECTION_DEALT || connection->worker != worker)
			continue;
		connection->worker = NULL;
		connection->hand = hands->lent[slot];
		if (connection->hand.count > FDBROKER_REQUESTS_MAX)
			connection->hand.count = 0;
		connection->crashes += crashed && serving == slot;
		if (connection->crashes >= SESSION_CRASHES_MAX) {
			log_message(LOG_ERR,
				"uid=%u pid=%d: %d workers died serving it: connection ended",
				connection->identity.uid, connection->identity.pid,
				SESSION_CRASHES_MAX);
			connection_close(connection);
			continue;
		}
		connection_queue(connection);
	}
}

/* ---- limits and clones ---- */

/* Only added to, so a worker that was taken over can take rights from its clients, and give none.
 */
int registry_limit(
	struct crew_worker *worker, uint32_t slot, uint32_t serial, const char *set, size_t length)
{
	struct connection *connection = connection_of(worker, slot, serial);
	int error;

	if (connection == NULL)
		return -ENOENT;
	error = narrowing_add(&connection->narrowing, set, length);
	/* Only where it is dealt: another generation is told when it is dealt there. */
	if (error == 0)
		narrowing_publish(&connection->narrowing, crew_peers(worker), slot);
	return error;
}

/* Whose it is, and what it was narrowed to. Negative: there is no memory. */
static int connection_inherit(struct connection *clone, const struct connection *first)
{
	if (identify_copy(&clone->identity, &first->identity) < 0 ||
		narrowing_copy(&clone->narrowing, &first->narrowing) < 0)
		return -ENOMEM;
	clone->named = first->named;
	if (first->user == NULL)
		return 0;
	clone->user = malloc(sizeof(*clone->user));
	if (clone->user == NULL)
		return -ENOMEM;
	*clone->user = *first->user;
	return 0;
}

/*
 * Whoever holds the client's end sees by SO_PEERCRED (unix(7)) that we are at the other one, as on
 * a connection that was accepted. Descriptors can be sent on it from the first moment on: whose it
 * is, is known.
 */
int registry_clone(struct crew_worker *worker, uint32_t slot, uint32_t serial, int *fd)
{
	struct connection *first = connection_of(worker, slot, serial), *clone;
	struct policy_peer peer;
	int ends[2];

	if (first == NULL)
		return -ENOENT;
	(void)connection_judge(first, &peer);
	if (first->account->sessions >= sessions_max(&peer)) {
		/* A connection that is not taken has a record, a clone has none. */
		log_message(LOG_NOTICE,
			"uid=%u pid=%d: no clone: 'limit sessions %u' of the policy",
			first->identity.uid, first->identity.pid, sessions_max(&peer));
		return EAGAIN;
	}
	if (!share_permits(first->account->sessions, registry.total, registry.used) ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return EAGAIN;
	clone = connection_new(ends[0]);
	clone->cookie = connection_cookie(ends[0]);
	clone->account = account_add_session(&registry.accounts, first->identity.uid);
	if (connection_inherit(clone, first) < 0) {
		close(ends[1]);
		connection_close(clone);
		return EAGAIN;
	}
	connection_queue(clone);
	*fd = ends[1];
	return 0;
}

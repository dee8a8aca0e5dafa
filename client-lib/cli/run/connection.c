/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

/* On the first one, and on one that has taken its place. */
#define TRIES 2
/* After the broker has refused a clone. */
#define PAUSE_SEC 1

void connections_init(struct connections *connections, struct fdbroker *first, bool is_inherited)
{
	*connections = (struct connections){.first = first, .is_inherited = is_inherited};
	pthread_rwlock_init(&connections->lock, NULL);
}

static bool has_ended(int result)
{
	return result < 0 && fdbroker_last_reason() == FDBROKER_REASON_BROKER;
}

/* ---- the first one ---- */

/* `ended` is what the caller found to have ended; another thread may have replaced it by now. */
static void renew(struct connections *connections, const struct fdbroker *ended)
{
	struct fdbroker *renewed;

	if (connections->is_inherited)
		return;
	pthread_rwlock_wrlock(&connections->lock);
	if (connections->first == ended) {
		renewed = fdbroker_new(NULL);
		if (renewed != NULL) {
			fdbroker_free(connections->first);
			connections->first = renewed;
		}
	}
	pthread_rwlock_unlock(&connections->lock);
}

int connections_ask_first(struct connections *connections, question *ask, void *argument)
{
	const struct fdbroker *asked;
	int result;

	for (int tries = 1;; tries++) {
		pthread_rwlock_rdlock(&connections->lock);
		asked = connections->first;
		result = ask(connections->first, argument);
		pthread_rwlock_unlock(&connections->lock);
		if (!has_ended(result) || tries == TRIES)
			return result;
		renew(connections, asked);
	}
}

/* ---- those of the threads ---- */

static int64_t now_sec(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* NULL: there are enough, or the broker gives none. */
static struct fdbroker *make_clone(struct connections *connections)
{
	struct fdbroker *clone = NULL;

	if (now_sec() - atomic_load(&connections->refused_sec) <= PAUSE_SEC)
		return NULL;
	if (atomic_fetch_add(&connections->clone_count, 1) < CLONES_MAX) {
		pthread_rwlock_rdlock(&connections->lock);
		clone = fdbroker_clone(connections->first);
		pthread_rwlock_unlock(&connections->lock);
		if (clone == NULL)
			atomic_store(&connections->refused_sec, now_sec());
	}
	if (clone == NULL)
		atomic_fetch_sub(&connections->clone_count, 1);
	return clone;
}

bool connections_is_idle(const struct own_connection *own, int64_t idle_sec)
{
	return own->broker != NULL && now_sec() - own->asked_sec >= idle_sec;
}

void connections_give_back(struct connections *connections, struct own_connection *own)
{
	if (own->broker == NULL)
		return;
	fdbroker_free(own->broker); /* leaves errno and the reason alone */
	own->broker = NULL;
	atomic_fetch_sub(&connections->clone_count, 1);
}

int connections_ask(
	struct connections *connections, struct own_connection *own, question *ask, void *argument)
{
	int result;

	own->asked_sec = now_sec();
	if (own->broker == NULL)
		own->broker = make_clone(connections);
	if (own->broker != NULL) {
		result = ask(own->broker, argument);
		if (!has_ended(result))
			return result;
		connections_give_back(connections, own);
	}
	return connections_ask_first(connections, ask, argument);
}

/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's connections to the broker: the first one, and for a thread that asks a clone of
 * it, so that threads do not wait for each other. There are only a few; who gets none takes turns on
 * the first. When the broker has been started anew, so are they.
 */
#pragma once

#include "fdbroker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The user has other programs too, and `limit sessions` may be low. */
#define CLONES_MAX 8

struct connections {
	pthread_rwlock_t lock; /* taken to read by who uses `first`, to write by who replaces it */
	struct fdbroker *first;
	bool is_inherited; /* the user's limits are on it, so that there can be no other */
	atomic_uint clone_count;
	_Atomic int64_t refused_sec; /* when the broker had no clone to give */
};

/* That of a thread. */
struct own_connection {
	struct fdbroker *broker; /* NULL: it has none */
	int64_t asked_sec;       /* when it last asked something */
};

/* One question: what the broker's answer is, -1 with errno and the reason. */
typedef int question(struct fdbroker *broker, void *argument);

/* Takes `first` over. */
void connections_init(struct connections *connections, struct fdbroker *first, bool is_inherited);

/*
 * Asks on the thread's own connection, which is made if there is none, or on the first one. If that
 * has come to its end, there is a new one: a broker that is being started is waited for, as by
 * fdbroker_new(). What it was doing when it ended may be asked for twice.
 */
int connections_ask(
	struct connections *connections, struct own_connection *own, question *ask, void *argument);

/* The same, on the first one. */
int connections_ask_first(struct connections *connections, question *ask, void *argument);

/* Has the thread a connection, and asked nothing for so long? */
bool connections_is_idle(const struct own_connection *own, int64_t idle_sec);

/* Gives back a thread's own connection, if it has one. */
void connections_give_back(struct connections *connections, struct own_connection *own);

/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's connections to the broker: the first one, and for each thread that asks a clone
 * of it, so that threads do not wait for each other; one that may have no clone (`limit sessions`)
 * takes turns on the first. When the broker has been started anew, so are they.
 */
#pragma once

#include "fdbroker.h"

#include <pthread.h>
#include <stdbool.h>

struct connections {
	pthread_rwlock_t lock; /* taken to read by who uses `first`, to write by who replaces it */
	struct fdbroker *first;
	bool is_inherited; /* the user's limits are on it, so that there can be no other */
};

/* One question: what the broker's answer is, -1 with errno and the reason. */
typedef int question(struct fdbroker *broker, void *argument);

/* Takes `first` over. */
void connections_init(struct connections *connections, struct fdbroker *first, bool is_inherited);

/*
 * Asks on the thread's own connection, *own, which is NULL at first; anew, once, if the connection
 * has come to its end: a broker that is being started again is waited for, as by fdbroker_new().
 */
int connections_ask(
	struct connections *connections, struct fdbroker **own, question *ask, void *argument);

/* Asks on the first one, without waiting for a broker that is not there: -1 with ECONNRESET. */
int connections_ask_first(struct connections *connections, question *ask, void *argument);

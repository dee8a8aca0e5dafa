/* SPDX-License-Identifier: MIT */
/*
 * The thread that asks the broker what it could grant, so that nobody else has to wait for that: a
 * broker that has stopped must not stop what needs no broker.
 */
#pragma once

#include "connection.h"
#include "grants.h"

#include <pthread.h>
#include <stdbool.h>

struct refresher {
	struct grants *grants;
	struct connections *connections;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wanted, done;
	bool is_wanted, is_late;
	unsigned int rounds; /* how many refreshes have come to an end */
};

/* Starts the thread. Returns 0 or a positive errno. */
int refresher_start(
	struct refresher *refresher, struct grants *grants, struct connections *connections);

/* Has the grants refreshed, and waits for it; but not for a broker that takes long. */
void refresher_refresh(struct refresher *refresher);

/* SPDX-License-Identifier: MIT */
/*
 * The threads of the supervisor. One of them at a time receives, and answers by itself what is
 * answered at once; before anything that may wait it lets another one receive. So a program's calls
 * never queue behind one that waits, and the many that just continue cost no change of threads.
 */
#pragma once

#include "connection.h"
#include "grants.h"
#include "target.h"

#include <stdatomic.h>

/* Beyond these, calls wait until one of those before has been answered. */
#define RECEIVERS_MAX 64

enum run_mode { RUN_OPEN, RUN_SANDBOX, RUN_POLICY_ONLY };

/* What the threads have in common. */
struct supervision {
	int listener;
	enum run_mode mode;
	struct place place;
	struct grants *grants;
	struct connections connections;
	pthread_mutex_t turn; /* to receive */
	atomic_uint thread_count, waiting_count;
};

struct receiver {
	struct supervision *supervision;
	struct fdbroker *broker; /* its own connection, or NULL: see connections_ask() */
	bool has_turn;
};

/* Starts the first thread. False, with errno, if that fails. */
bool receivers_start(struct supervision *supervision);

/* From here on another thread receives. */
void receiver_may_wait(struct receiver *receiver);

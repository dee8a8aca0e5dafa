/* SPDX-License-Identifier: MIT */
/*
 * The threads of the supervisor. One of them at a time receives, and answers by itself what is
 * answered at once; before anything that may wait it lets another one receive. So a program's calls
 * never queue behind one that waits, and the many that just continue cost no change of threads.
 */
#pragma once

#include "notification.h"
#include "supervision.h"

/* Beyond these, calls wait until one of those before has been answered. */
#define RECEIVERS_MAX 64

struct receivers;

struct receiver {
	struct supervision *supervision;
	struct receivers *receivers;
	struct fdbroker *broker; /* its own connection, or NULL: connections_ask() */
	bool has_turn;
};

/* Answers one call. */
typedef void serve_call(struct receiver *receiver, const struct notification *notification);

/* Starts the first thread. Returns 0 or a positive errno. */
int receivers_start(int listener, serve_call *serve, struct supervision *supervision);

/* From here on another thread receives. */
void receiver_may_wait(struct receiver *receiver);

/* SPDX-License-Identifier: MIT */
/*
 * The threads of the supervisor. One of them at a time receives, and answers by itself what is
 * answered at once; before anything that may wait it lets another one receive. So a program's calls
 * never queue behind one that waits, and the many that just continue cost no change of threads: on
 * one processor that is half of the time of such a call. Should answering at once take long all the
 * same, as a path lies in memory that a file system is to fill, a guard gives the turn to another.
 */
#pragma once

#include "notification.h"
#include "supervision.h"

struct receivers;

struct receiver {
	struct supervision *supervision;
	struct receivers *receivers;
	struct own_connection own;
};

/* Answers one call. */
typedef void serve_call(struct receiver *receiver, const struct notification *notification);

/*
 * Starts the first thread, and the guard. There are at most so many: beyond them, calls wait until
 * one of those before has been answered. Returns 0 or a positive errno.
 */
int receivers_start(
	int listener, serve_call *serve, struct supervision *supervision, unsigned int threads_max);

/* From here on another thread receives. */
void receiver_may_wait(struct receiver *receiver);

/* SPDX-License-Identifier: MIT */
/*
 * The crew: the workers of the generations that live, and the executors of each. Starting them,
 * hearing them, retiring and burying them. It knows nothing of connections; what a dead worker held
 * goes back to whoever asked to be told.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "generation.h"
#include "hands.h"

struct crew_worker;

/* What the crew tells. */
struct crew_listener {
	/* This worker has closed its side of a connection whose queue is empty. */
	void (*connection_ended)(struct crew_worker *worker, uint32_t slot, uint32_t serial);
	/*
	 * Nothing of this worker will touch a connection any more. crashed: it ended by itself, not
	 * because it was retired. hands: what it had in hand; hostile input.
	 */
	void (*worker_buried)(struct crew_worker *worker, bool crashed, const struct hands *hands);
	/*
	 * Narrow this connection by a set of limits, or make another one like it, of which *fd
	 * becomes the client's end. 0, or a positive errno for the client. Negative: it is not this
	 * worker's, and there is no answer.
	 */
	int (*limit)(struct crew_worker *worker, uint32_t slot, uint32_t serial, const char *set,
		size_t length);
	int (*clone)(struct crew_worker *worker, uint32_t slot, uint32_t serial, int *fd);
};
void crew_listen(const struct crew_listener *listener);

/* Starts one worker. 0 or a negative errno, said. */
int crew_start(struct generation *generation) __attribute__((warn_unused_result));

/* Workers that are being started, or serve, under this generation. */
unsigned int crew_starting(const struct generation *generation);
unsigned int crew_serving(const struct generation *generation);
/* Workers of any other generation that are not buried yet. */
unsigned int crew_others(const struct generation *generation);

/* Tells all workers of other generations to finish. */
void crew_retire_others(const struct generation *generation);
/* Ends the workers of this generation that have not begun to serve, and may not. */
void crew_dismiss(const struct generation *generation);

/* The worker of this generation that serves the fewest connections; NULL: none serves. */
struct crew_worker *crew_pick(const struct generation *generation);
/* Deals it a connection. -EAGAIN: later. */
int crew_deal(struct crew_worker *worker, const struct message *message, int connection)
	__attribute__((warn_unused_result));

/* What its processes see of the peers. */
struct peers *crew_peers(const struct crew_worker *worker);

/* The connection that it was dealt is over. */
void crew_return(struct crew_worker *worker);

/* Does what is due by now; returns when to call again (UINT64_MAX: not before an event). */
uint64_t crew_tick(uint64_t now);

/* How long the last worker that died lived, for the delay before the next; UINT64_MAX: none died.
 */
uint64_t crew_last_life_msec(void);

/* Ends all at once. */
void crew_end(void);

/* SPDX-License-Identifier: MIT */
/*
 * The registry: every connection, and who is at its other end. It lies in the supervisor's memory,
 * where no worker can write; a worker is dealt a duplicate of the connection and what the policy
 * has to know of the peer, anew whenever the generation or the worker changes.
 */
#pragma once

#include <stdint.h>

#include "crew.h"
#include "generation.h"

/* To be called once; with as many workers at most. */
void registry_open(unsigned int workers);

/* From now on connections are judged by this generation and dealt to its workers. */
void registry_use(const struct generation *generation);

/* No connection can be accepted now, not even to be refused. */
bool registry_is_full(void);

/* Takes over an accepted connection. What no block of the policy concerns is closed at once. */
void registry_accept(int connection);

/* What the crew tells, see crew.h. */
void registry_connection_ended(struct crew_worker *worker, uint32_t slot, uint32_t serial);
void registry_worker_buried(struct crew_worker *worker, bool crashed, const struct hands *hands);
int registry_limit(
	struct crew_worker *worker, uint32_t slot, uint32_t serial, const char *set, size_t length);
int registry_clone(struct crew_worker *worker, uint32_t slot, uint32_t serial, int *fd);

/* Deals what waits to be dealt; returns when to call again (UINT64_MAX: not before an event). */
uint64_t registry_tick(uint64_t now);

/* SPDX-License-Identifier: MIT */
/*
 * What a connection was narrowed to, in the supervisor's memory: sets of limits as their client
 * wrote them, each ended by a NUL (struct policy_limits). Only ever added to: with every set less
 * is permitted, so whatever a worker that was taken over sends, nobody gains by it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "peers.h"

struct narrowing {
	char *text;    /* malloc'ed, or NULL */
	size_t length; /* at most FDBROKER_LIMITS_MAX */
};

/*
 * Adds a set, unless it is the last one again: then who asks did not learn that it was added, for
 * the process that was to say so has ended. 0, or a positive errno for the client: ENOSPC.
 */
int narrowing_add(struct narrowing *narrowing, const char *set, size_t length)
	__attribute__((warn_unused_result));

/* Copies all sets to one that has none. 0 or a negative errno. */
int narrowing_copy(struct narrowing *to, const struct narrowing *from)
	__attribute__((warn_unused_result));

void narrowing_free(struct narrowing *narrowing);

/* Writes it where the processes of a generation see it. */
void narrowing_publish(const struct narrowing *narrowing, struct peers *peers, uint32_t slot);

/* SPDX-License-Identifier: MIT */
/*
 * Connecting to the first of several addresses that answers (RFC 8305, "Happy Eyeballs"): one
 * attempt after the other, each begun when the last one has failed or has taken a while, and the
 * first that is connected wins.
 */
#pragma once

#include "target.h"

/* Orders the addresses so that their families take turns, beginning with that of the first. */
void race_interleave(struct target *targets, unsigned int count);

/*
 * Connects. Returns the winner, blocking and close-on-exec; -ECANCELED when the client has hung up
 * its connection, -ETIMEDOUT at the deadline (clock_msec()), or the negative errno with which the
 * first address failed when all have. *decisive: the number of the address that it is about.
 */
int race_connect(const struct target *targets, unsigned int count, int client, uint64_t deadline,
	unsigned int *decisive) __attribute__((warn_unused_result));

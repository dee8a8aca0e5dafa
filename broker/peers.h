/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end of each connection, as the policy of one generation has to know it. The
 * supervisor writes it, before it deals the connection; workers and executors can only read, so a
 * worker that is not ours any more cannot give a client another identity.
 */
#pragma once

#include <stdint.h>

#include "limits.h"
#include "policy.h"
#include "protocol.h"

struct peer {
	uint32_t serial; /* tells one user of the slot from the next */
	int32_t pid;     /* for the audit log; 0: not known */
	uint64_t cookie; /* of our end of the connection: SO_COOKIE, socket(7) */
	uint64_t netns;  /* the cookie of the network namespace that it was made in */
	uint32_t limits_length;
	uint32_t group_count; /* 0 where the policy has no `as peer` */
	struct policy_peer policy;
};

/* By slot. Memory is taken only by what is used. */
struct peers {
	struct peer table[SESSIONS_MAX];
	char limits[SESSIONS_MAX][FDBROKER_LIMITS_MAX]; /* struct policy_limits */
	uint32_t groups[SESSIONS_MAX][PEER_GROUPS_MAX]; /* supplementary ones */
};

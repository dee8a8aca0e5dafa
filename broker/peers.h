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

struct peer {
	uint32_t serial; /* tells one user of the slot from the next */
	int32_t pid;     /* for the audit log; 0: not known */
	struct policy_peer policy;
};

struct peers {
	struct peer table[SESSIONS_MAX]; /* by slot */
};

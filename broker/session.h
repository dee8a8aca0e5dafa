/* SPDX-License-Identifier: MIT */
/*
 * A session: a worker's side of one connection. It lies at the same slot in the tables of
 * supervisor and worker. A packet of it stays in the connection's queue until it has been
 * answered, so that nothing is lost with the process that serves it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "policy.h"

enum session_state {
	SESSION_FREE = 0,
	SESSION_IDLE,    /* watched for packets */
	SESSION_READY,   /* a packet is there; in the queue of the ready */
	SESSION_WAITING, /* its packet needs an executor; in the queue for those */
	SESSION_LENT,    /* an executor has it */
	SESSION_PAUSED,  /* too many unread replies; looked at again by a timer */
};

struct session {
	enum session_state state;
	int fd;
	uint32_t slot, serial;
	int32_t pid;
	bool ending;             /* shut down; only what lies in its queue is left to discard */
	uint32_t unread_results; /* sent since the queue of replies was last seen empty */
	struct account *account;
	struct session *queue_next; /* in READY and WAITING; in PAUSED the next paused one */
	struct policy_peer peer;
};

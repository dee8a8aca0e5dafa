/* SPDX-License-Identifier: MIT */
/*
 * What the files of libfdbroker share: a connection, whose turn it is on it, and the reason of the
 * last call. Nothing here is installed or exported.
 */
#pragma once

#include "fdbroker.h"
#include "protocol.h"

#include <pthread.h>

/*
 * The part of a connection that all processes have in common which got it by fork(2): a page mapped
 * MAP_SHARED. The socket is common to them too, so turns and ids have to be.
 */
struct fdbroker_shared {
	pthread_mutex_t turn; /* process-shared and robust; held for a whole round trip */
	uint32_t next_id;
};

struct fdbroker {
	int fd;
	struct fdbroker_shared *shared;
	unsigned char packet[FDBROKER_PACKET_MAX]; /* being put together, by whose turn it is */
};

/*
 * Waits for this thread's turn. Returns 0 or a positive errno. While it lasts the thread cannot be
 * cancelled, so that it never leaves with the turn or with descriptors that nobody knows of;
 * *cancel_state is what is restored when the turn is passed on.
 */
int connection_take_turn(struct fdbroker *broker, int *cancel_state);
void connection_pass_turn(struct fdbroker *broker, int cancel_state);

/* Whether a connection can be made of fd. Returns 0; or -1 and EBADF, ENOTSOCK or EINVAL. */
int connection_check(int fd);

/*
 * Makes one. Who is at the other end is not asked: whoever calls this has fd from the broker, or has
 * asked (server_check()). Takes fd, which is close-on-exec, over if it succeeds; NULL and errno if
 * not.
 */
struct fdbroker *connection_new(int fd);

void set_last_reason(enum fdbroker_reason reason);
/* Sets the reason, and errno if error is not 0. Returns what the caller returns: 0 or -1. */
int report_outcome(int error, enum fdbroker_reason reason);

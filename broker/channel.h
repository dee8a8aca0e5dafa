/* SPDX-License-Identifier: MIT */
/*
 * Channels: how the broker's own processes talk to each other. A channel is a SOCK_SEQPACKET
 * socketpair that the supervisor made; one message is one packet, with at most one descriptor.
 *
 *	supervisor -> worker	DEAL, EXECUTOR, EXECUTOR_GONE, RETIRE, LIMITED, CLONED
 *	worker -> supervisor	READY, ENDED, ABANDON, WANT_EXECUTOR, LIMIT, CLONE
 *	worker -> executor	TAKE, DRAIN
 *	executor -> worker	DONE, DONE_AND_OVER
 *
 * A packet that a client sent stays in the queue of its connection until the process that will
 * serve it takes it from there. Of what is in it only the limits travel here, behind LIMIT, as
 * bytes that nobody reads on the way.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol.h"

/* Bytes that follow a message: a set of limits. */
#define CHANNEL_BYTES_MAX FDBROKER_LIMITS_MAX

enum message_type {
	MESSAGE_DEAL = 1,      /* here is a connection (descriptor); peers.h says whose it is */
	MESSAGE_EXECUTOR,      /* here is the channel (descriptor) to a new executor */
	MESSAGE_EXECUTOR_GONE, /* that executor will not touch a connection any more */
	MESSAGE_RETIRE,        /* finish what is in hand, then end */
	MESSAGE_READY,         /* confined, and ready to serve */
	MESSAGE_ENDED,         /* this connection is over, its queue is empty */
	MESSAGE_ABANDON,       /* this executor has taken too long */
	MESSAGE_WANT_EXECUTOR, /* work waits and no executor is idle */
	MESSAGE_TAKE,          /* take the next packet of this connection (descriptor), serve it */
	MESSAGE_DRAIN,         /* take and discard all packets of this connection (descriptor) */
	MESSAGE_DONE,          /* the connection is the worker's again */
	MESSAGE_DONE_AND_OVER, /* the same, and this executor ends */
	MESSAGE_LIMIT,         /* narrow this connection by the set that follows */
	MESSAGE_LIMITED,       /* what came of it */
	MESSAGE_CLONE,         /* make another connection like this one */
	MESSAGE_CLONED,        /* what came of it, and on success the client's end (descriptor) */
};

/* The ids of a packet that an executor was lent. */
struct hand {
	uint32_t id;
	uint32_t count; /* 0: none is lent now */
	/* Of the packet with this id: how many executors died over it, or were ended by a reload. */
	uint32_t crashes, repeats;
};

struct message {
	uint32_t type;   /* enum message_type */
	uint32_t slot;   /* of the connection, or the index of the executor */
	uint32_t serial; /* tells one user of a slot from the next */
	/* DEAL: what may be in the hands of a process that is dead */
	struct hand hand;
	/* DEAL: end it at once. DONE, DONE_AND_OVER: end it, it broke the protocol. EXECUTOR_GONE:
	   not dead, but hanging in the kernel; the last EXECUTOR_GONE has it false. */
	uint32_t flag;
	uint32_t error; /* LIMITED, CLONED: 0 or a positive errno */
};

/* Makes both ends, close-on-exec; the first is non-blocking. 0 or a negative errno. */
int channel_pair(int ends[static 2]);

/* Sends a message and, when fd is not -1, a duplicate of it. 0, -EAGAIN, or another negative errno.
 */
int channel_send(int channel, const struct message *message, int fd)
	__attribute__((warn_unused_result));

/* The same for a message that bytes follow, at most CHANNEL_BYTES_MAX; none is as good. */
int channel_send_bytes(int channel, const struct message *message, const void *bytes, size_t length)
	__attribute__((warn_unused_result));

/*
 * Receives a message. *fd becomes the descriptor that came along, owned by the caller, or -1.
 * Returns 1, 0 at the end of file, -EAGAIN, or another negative errno (-EPROTO: not a message).
 */
int channel_receive(int channel, struct message *message, int *fd)
	__attribute__((warn_unused_result));

/* Receives a message, and the bytes that follow it, if any do: *length says how many. */
int channel_receive_bytes(int channel, struct message *message, int *fd,
	char bytes[static CHANNEL_BYTES_MAX], size_t *length) __attribute__((warn_unused_result));

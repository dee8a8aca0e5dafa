/* SPDX-License-Identifier: MIT */
/*
 * Serving requests: decoded request in, decision, deed, reply out. Worker and executor run the same
 * code; the difference is whether it may wait. What would have to wait in a worker, and what comes
 * with a descriptor, is SERVED_BY_EXECUTOR: nothing is left of what was begun, an executor does it
 * all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fdbroker.h"
#include "policy.h"
#include "protocol.h"
#include "ring.h"
#include "walk.h"

/* What a process that serves holds from its start on. */
struct server {
	const struct policy_image *image;
	struct walker walker;
	struct ring *ring;
	int self_fd;           /* /proc/self/fd, for opening again what is held by O_PATH */
	bool may_wait;         /* an executor */
	uint64_t netns_cookie; /* of the broker's own network namespace */
};

struct asker {
	const struct policy_peer *peer;
	int32_t pid;    /* for the audit log */
	int connection; /* to see whether it is still there, and its network namespace */
};

/* "tcp:HOST:SERVICE (ADDRESS)" with its NUL, HOST of FDBROKER_HOST_MAX bytes. */
#define OBJECT_TEXT_MAX (FDBROKER_HOST_MAX + 96)

struct reply {
	int error;                   /* 0 or a positive errno */
	enum fdbroker_reason reason; /* what said so */
	int fd;                      /* to hand over, or -1; owned by the reply */
	const void *data;            /* to send along; a static buffer of whoever served */
	size_t data_length;          /* a multiple of 4, at most FDBROKER_DATA_MAX */
	/* For the audit log: what was decided about what. */
	uint32_t verbs;
	struct policy_decision decision;
	const char *object; /* a path in the packet, or text */
	size_t object_length;
	char text[OBJECT_TEXT_MAX];
};

enum served { SERVED, SERVED_BY_EXECUTOR };

/* Helpers for the operations: each fills in the reply and returns SERVED. */
enum served reply_refuse(struct reply *reply, int error, enum fdbroker_reason reason);
enum served reply_kernel(struct reply *reply, int error);
enum served reply_grant(struct reply *reply, int fd);

/*
 * Serves a whole packet: every request of it, the audit records, and the reply on the connection.
 * Takes over `received`, the descriptor that came with it, or -1. *served says whether it was; if
 * not, nothing was sent, nothing is left of what was begun, and an executor is to do it all (or
 * another one: this executor has lost its resolver). 0, or a negative errno when the reply could
 * not be sent: then the connection is to be ended.
 */
int serve_packet(const struct server *server, const struct asker *asker, int connection,
	uint32_t first_id, const struct fdbroker_request *requests, unsigned int count,
	int received, enum served *served) __attribute__((warn_unused_result));

/* Answers ids that nobody can know the outcome of. 0 or a negative errno, as above. */
int serve_unknown(int connection, uint32_t first_id, unsigned int count)
	__attribute__((warn_unused_result));

/* Fills in what is common to worker and executor. 0 or a negative errno. */
int server_init(struct server *server) __attribute__((warn_unused_result));

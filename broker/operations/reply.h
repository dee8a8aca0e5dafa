/* SPDX-License-Identifier: MIT */
/*
 * What is to be said of one request: to the client its outcome, to the audit log what was decided
 * about what.
 */
#pragma once

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdbroker.h"
#include "policy.h"
#include "protocol.h"

struct asker;
struct server;

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
	const char *object; /* a path in the packet, or text; of a rename: two, see ring.h */
	size_t object_length;
	char text[OBJECT_TEXT_MAX];
	size_t real_length; /* 0: nothing but the object was judged */
	char real[PATH_MAX];
};

enum served {
	SERVED,
	SERVED_ELSEWHERE,     /* an executor is to do it */
	SERVED_BY_SUPERVISOR, /* the supervisor is: of operations that stand alone */
	SERVED_AGAIN, /* what was seen has changed; from the start. Within object_go() alone */
};

/* Nothing is said, and nothing allowed, yet. */
void reply_init(struct reply *reply);

/* ---- the outcome; each returns SERVED ---- */

enum served reply_refuse(struct reply *reply, int error, enum fdbroker_reason reason);
enum served reply_kernel(struct reply *reply, int error);
enum served reply_grant(struct reply *reply, int fd);
/* Granted, with data: a static buffer of whoever serves. */
enum served reply_give(struct reply *reply, const void *data, size_t length);
/* A deny rule is against what was found behind what was asked for; or, POLICY_NO_RULE, no rule is
 * for it. */
enum served reply_deny(const struct server *server, struct reply *reply, uint32_t rule);

/* ---- the object, in words of the policy language where it has them ---- */

void reply_describe(
	struct reply *reply, enum policy_verb verb, const struct policy_endpoint *endpoint);
__attribute__((format(printf, 3, 4))) void reply_describe_as(
	struct reply *reply, enum policy_verb verb, const char *format, ...);
/* More about the same object. */
__attribute__((format(printf, 2, 3))) void reply_describe_more(
	struct reply *reply, const char *format, ...);

/* A link led from the object to this path, and a deny is against it. */
void reply_describe_real(struct reply *reply, const char *path, size_t length);

/* ---- the audit log ---- */

/* The record of what became of it: in the ring before the client can know. */
void reply_audit(const struct server *server, const struct asker *asker, const struct reply *reply);

/* ---- the decision; false: denied, and the reply says so ---- */

/*
 * Of what has been decided. An executor leaves a record from here on, in case it never comes to say
 * what became of it.
 */
bool reply_is_allowed(const struct server *server, const struct asker *asker, struct reply *reply);

/* Describes the endpoint, and decides. */
bool reply_decide(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb, const struct policy_endpoint *endpoint);
/* Decides on what no object of the language names, and has been described. */
bool reply_decide_verb(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb);

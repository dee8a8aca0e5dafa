/* SPDX-License-Identifier: MIT */
/*
 * The way of every request about a path: decide on the name that was asked for, become whom the
 * rule says, walk, with the denies judging each path that a link leads to, act on what is held in
 * the end, and be the broker again.
 */
#pragma once

#include "operation.h"
#include "walk.h"

/* What an operation does when the walk is over. walk->parent is -1 where the path is `/`. */
typedef enum served object_function(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply);

struct object_way {
	uint32_t verbs;
	enum walk_final final;
	bool may_wait;            /* whatever it finds: an executor does it */
	object_function *found;   /* the object is there, and allowed where it is */
	object_function *missing; /* all but the last component is there; NULL: ENOENT */
};

enum served object_serve(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply,
	const struct object_way *way);

/*
 * What every such request goes through: decide (false: denied, and the reply says so), be whoever
 * the decision's options say, act, be the broker again. From the start where act() says that what
 * it had looked at has changed (SERVED_AGAIN).
 */
struct object_steps {
	bool may_wait;
	bool (*decide)(const struct server *server, const struct asker *asker,
		const struct fdbroker_request *request, struct reply *reply,
		const struct object_way *way);
	enum served (*act)(const struct server *server, const struct asker *asker,
		const struct fdbroker_request *request, int received, struct reply *reply,
		const struct object_way *way);
	const struct object_way *way; /* handed on; NULL where there is more than one */
};
enum served object_go(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply,
	const struct object_steps *steps);

/* These flags are not served. */
enum served object_refuse_flags(const struct fdbroker_request *request, struct reply *reply);

/* ---- its parts ---- */

/* Decides on reply->verbs for a path. False: denied, and the reply says so. */
bool object_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_text *path, struct reply *reply);

/*
 * Walks by the options that the reply's decision has, as whoever is acting. What links lead to the
 * denies judge for these verbs, before anything is looked at there: WALK_DENIED, and the reply says
 * so.
 */
enum walk_outcome object_walk(const struct server *server, const struct asker *asker,
	const struct fdbroker_text *path, enum walk_final final, uint32_t verbs,
	struct reply *reply, struct walk *walk);

/* The same for more verbs, where the walk has ended. True: denied, and the reply says so. */
bool object_denied_there(const struct server *server, const struct asker *asker,
	const struct walk *walk, uint32_t verbs, struct reply *reply);

/* What a walk that has not found it means for the reply. */
enum served object_refuse_walk(
	enum walk_outcome outcome, const struct walk *walk, struct reply *reply);

/* The name in walk->parent. */
const char *object_name(const struct walk *walk);

/* The type in words of the policy language, enum policy_type; 0: a socket or a link. */
uint8_t object_type(const struct walk *walk);

/* A slash stood at the end of the path, or O_DIRECTORY was asked for, and it is none: ENOTDIR. */
bool object_is_no_directory(const struct walk *walk, uint32_t flags);

/* Could looking at it, or opening it, make a worker wait? */
bool object_may_wait(const struct server *server, const struct walk *walk);

/*
 * Opens what is held, through its descriptor, with a description of its own; never waiting for the
 * other end of a FIFO or for a carrier, and for the break of a lease only if the server may.
 * Returns a descriptor or a negative errno.
 */
int object_reopen(const struct server *server, const struct walk *walk, int flags)
	__attribute__((warn_unused_result));

/*
 * Gives something new its owner, then its mode: never by path, and never wider in between. fd may
 * be O_PATH. 0 or a negative errno.
 */
int object_dress(const struct server *server, int fd, const struct policy_options *options,
	mode_t mode) __attribute__((warn_unused_result));

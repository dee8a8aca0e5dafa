/* SPDX-License-Identifier: MIT */
/* What opening files and binding unix sockets have in common: deciding about a path, and giving
 * something new its owner and mode. */
#pragma once

#include "operation.h"
#include "walk.h"

/* Decides on reply->verbs for the path that was asked for. False: denied, and the reply says so. */
bool object_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_text *path, struct reply *reply);

/*
 * Where the walk ended is not where it was asked for: deny judges that as well. True: denied, and
 * the reply says so.
 */
bool object_denied_there(const struct server *server, const struct asker *asker,
	const struct walk *walk, struct reply *reply);

/* A link that is not followed: too many of them (ELOOP), or not one of root's. */
enum served object_refuse_link(const struct walk *walk, struct reply *reply);

/*
 * Gives something new its owner, then its mode: never by path, and never wider in between. fd may
 * be O_PATH. 0 or a negative errno.
 */
int object_dress(const struct server *server, int fd, const struct policy_options *options)
	__attribute__((warn_unused_result));

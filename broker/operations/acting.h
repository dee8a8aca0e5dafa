/* SPDX-License-Identifier: MIT */
/*
 * Acting as somebody else while one request is served: `as` of the policy. With the file-system
 * uid, gid and supplementary groups of that user and with no effective capability at all, the
 * kernel decides as it would for a process of that user. Executors only.
 */
#pragma once

#include "operation.h"

/*
 * Becomes whom the options say, which may be the broker itself. 0, or a positive errno, and then
 * this is still the broker.
 */
int acting_begin(const struct server *server, const struct asker *asker,
	const struct policy_options *options) __attribute__((warn_unused_result));

/* Is the broker again. A process that cannot be is ended. */
void acting_end(void);

/* Whose own folders are safe to act in; the broker's are those that it made itself. */
uint32_t acting_uid(const struct server *server);
/* What belongs to the acting identity has this group unless the policy says otherwise. */
gid_t acting_gid(void);

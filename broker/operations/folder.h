/* SPDX-License-Identifier: MIT */
/*
 * Names in folders that something is looked at under and then acted on. What nobody unprivileged
 * may write to the broker itself changes, for another connection: so executors take turns.
 */
#pragma once

#include "operation.h"
#include "walk.h"

/*
 * Waits for the turn at a name in a folder (O_PATH), or at two. Whoever hangs holds up those who
 * come to the same name, and nobody else. The names of two must be on one mount: EXDEV if not.
 * 0 or a positive errno, and then there is no turn.
 */
int folder_lock(const struct server *server, int folder, const char *name)
	__attribute__((warn_unused_result));
int folder_lock_both(const struct server *server, const struct walk *first,
	const struct walk *second) __attribute__((warn_unused_result));
/* Passes all turns on. */
void folder_unlock(const struct server *server);

/* O_PATH of what bears the name in the walk's parent, not following it; or -1 and errno. */
int folder_hold(const struct walk *walk, const char *name) __attribute__((warn_unused_result));

/* Is it as the broker makes it: of this type (S_IFMT) and owner, and without any permission? */
bool folder_is_fresh(const struct server *server, int made, mode_t type, uid_t owner);

/* Does the walk's last name still lead to what was looked at? */
bool folder_still_has(
	const struct server *server, const struct walk *walk, const struct statx *status);

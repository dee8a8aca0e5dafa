/* SPDX-License-Identifier: MIT */
/*
 * Folders in which something is looked at and then acted on by its name. What nobody unprivileged
 * may write to the broker itself changes, for another connection: so executors take turns.
 */
#pragma once

#include "operation.h"
#include "walk.h"

/*
 * Waits for the turn in a folder (O_PATH), or in two of one mount that may be the same (else EXDEV). One
 * that hangs in a folder holds up nobody in another. 0 or a positive errno.
 */
int folder_lock(const struct server *server, int folder) __attribute__((warn_unused_result));
int folder_lock_both(const struct server *server, int first, int second)
	__attribute__((warn_unused_result));
/* Passes all turns on. */
void folder_unlock(const struct server *server);

/* O_PATH of what bears the name in the walk's parent, not following it; or -1 and errno. */
int folder_hold(const struct walk *walk, const char *name) __attribute__((warn_unused_result));

/* Does the walk's last name still lead to what was looked at? */
bool folder_still_has(
	const struct server *server, const struct walk *walk, const struct statx *status);

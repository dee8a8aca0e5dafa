/* SPDX-License-Identifier: MIT */
/*
 * Reaching a policy file or folder through directories that nobody unprivileged can change, and
 * saying in words what stands in the way.
 */
#pragma once

#include <linux/limits.h>
#include <sys/stat.h>

#include "trust.h"

/* Why something does not count, and the way out; the message goes on from the file's name. */
struct refusal {
	char message[PATH_MAX + 256];
	char remedy[PATH_MAX + 256];
};

/* What becomes of a file; a negative errno instead means that the loader itself failed. */
enum place { PLACE_FOUND, PLACE_MISSING, PLACE_REFUSED };

/*
 * Opens what the path names with O_PATH and without following a link, neither on the way nor at its
 * end. Every directory before the last component must be trusted; the last one is for the caller
 * to judge. With mounts NULL nothing is judged and links are followed. On PLACE_FOUND *fd is the
 * caller's and *status is what it holds; else the refusal says why.
 */
int place_open(const struct trusted_mounts *mounts, const char *path, int *fd, struct statx *status,
	struct refusal *refusal) __attribute__((warn_unused_result));

/*
 * Judges what a descriptor holds, whose name is path: root's alone? Nothing is refused with mounts
 * NULL.
 */
int place_judge(const struct trusted_mounts *mounts, const struct statx *status, const char *path,
	struct refusal *refusal) __attribute__((warn_unused_result));

/*
 * An errno in words: "cannot be read: Permission denied". PLACE_MISSING for ENOENT, the negative
 * errno itself when it is the loader that lacks something (memory, descriptors).
 */
int place_error(int error, const char *action, const char *path, struct refusal *refusal)
	__attribute__((warn_unused_result));

/* Says where the link leads that an O_PATH descriptor holds, without going there. */
void place_refuse_link(int link, const char *path, struct refusal *refusal);

/* "a FIFO", "a folder". */
const char *place_type_name(const struct statx *status);

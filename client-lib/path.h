/* SPDX-License-Identifier: MIT */
/*
 * The absolute name of a file that a caller named by a folder and a relative path.
 */
#pragma once

#include "protocol.h"

/* What a path ends in, slashes behind it aside; names as in fs/namei.c. ".." counts as a name. */
enum last_component { LAST_ROOT, LAST_NAME, LAST_DOT };

struct full_path {
	char bytes[FDBROKER_PATH_MAX]; /* not NUL-terminated */
	size_t length;
	bool wants_directory; /* ended in "/" or "/.", which are gone */
	enum last_component last;
};

/*
 * dirfd and path as for openat(2). Empty and "." components are dropped, ".." stays. Returns 0 or a
 * positive errno, as fdbroker_openat() documents.
 */
int full_path_make(struct full_path *full, int dirfd, const char *path);

/* SPDX-License-Identifier: MIT */
/*
 * The walk from `/` to an object, by the placement rules: which links are followed, and whether an
 * unprivileged user could have put the object where it is. It ends with O_PATH descriptors, which
 * pin what was judged; nothing is opened for use here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "protocol.h"
#include "trust.h"

/* What a process that walks holds from its start on. */
struct walker {
	const struct trusted_mounts *mounts;
	int root;    /* O_PATH of `/` */
	bool cached; /* never wait: what is not in the kernel's memory gives WALK_AGAIN */
};

enum walk_outcome {
	WALK_FOUND,     /* object */
	WALK_MISSING,   /* parent is there, the last component is not */
	WALK_AGAIN,     /* would have to wait; only when cached */
	WALK_LINK,      /* a symbolic link that is not followed */
	WALK_PLACEMENT, /* an unprivileged user could have placed it */
	WALK_ERROR,     /* the kernel said no: error */
	WALK_RESTART,   /* never returned: a link or `..` has changed the path, walk.c goes again */
};

struct walk {
	int error;           /* WALK_ERROR: a positive errno */
	int parent;          /* O_PATH of the last directory, or -1 */
	int object;          /* O_PATH of the object, or -1 */
	struct statx status; /* of the object */
	bool parent_trusted; /* it and all above it */
	unsigned int links;  /* how many links were followed */
	bool final_link;     /* the last component of some path on the way was one of them */
	size_t name;         /* where the last component begins in path */
	size_t length;
	char path[FDBROKER_PATH_MAX + 1]; /* without links once the walk is over */
};

enum walk_links {
	WALK_LINKS_TRUSTED, /* follow what nobody unprivileged could have placed */
	WALK_LINKS_PARENTS, /* the same, but a final link is WALK_LINK */
	WALK_LINKS_NONE,
};

/* The path is absolute, canonical (policy_decide_path allows no other), without NUL. */
enum walk_outcome walk_to(const struct walker *walker, const char *path, size_t length,
	enum walk_links links, struct walk *walk) __attribute__((warn_unused_result));

/* Did the walk end at the path's last component? */
bool walk_at_last(const struct walk *walk);

/* Closes what the walk holds. */
void walk_end(struct walk *walk);

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
	WALK_DENIED,    /* way->is_denied() did */
	WALK_RESTART,   /* never returned: a link or `..` has changed the path, walk.c goes again */
};

struct walk {
	int error;           /* WALK_ERROR: a positive errno */
	int parent;          /* O_PATH of the last directory, or -1 */
	int object;          /* O_PATH of the object, or -1 */
	struct statx status; /* of the object, as much as is known without waiting */
	bool parent_trusted; /* it and all above it are root's alone */
	bool parent_safe;    /* or those of the user that the walk is made as */
	unsigned int links;  /* how many links were followed */
	bool final_link;     /* the last component of some path on the way was one of them */
	size_t name;         /* where the last component begins in path */
	size_t length;
	char path[FDBROKER_PATH_MAX + 1]; /* without links once the walk is over */
};

/* Which links are followed on the way; never one that somebody unprivileged could have placed. */
enum walk_links { WALK_LINKS_TRUSTED, WALK_LINKS_NONE };

/* A link at the end: followed too, or is it the object? */
enum walk_final { WALK_FINAL_FOLLOW, WALK_FINAL_HOLD };

#define WALK_AS_NOBODY UINT32_MAX

struct walk_way {
	enum walk_links links;
	enum walk_final final;
	uint32_t as; /* the uid whose own folders are safe, since it can only hurt itself there */
	/*
	 * Asked about each path that links lead to, before anything there is looked at: true ends
	 * the walk. NULL: nobody is asked.
	 */
	bool (*is_denied)(void *context, const char *path, size_t length);
	void *context;
};

/* The path is absolute, canonical (policy_decide_path allows no other), without NUL. */
enum walk_outcome walk_to(const struct walker *walker, const char *path, size_t length,
	const struct walk_way *way, struct walk *walk) __attribute__((warn_unused_result));

/* Closes what the walk holds. */
void walk_end(struct walk *walk);

/* SPDX-License-Identifier: MIT */
/*
 * Which patterns a path matches. The path is followed through the tree a component at a time with
 * the set of all nodes that it can be at, so that however wildcards are combined nothing is tried
 * twice. The set is fixed: a path that would need more than POLICY_ACTIVE_MAX nodes is refused.
 */
#pragma once

#include "lookup.h"

struct walk_set {
	uint32_t count;
	uint32_t nodes[2 * POLICY_ACTIVE_MAX];
};

/*
 * Nodes that stand for a `**`. Once reached they stay reached, until a component comes that no
 * wildcard may take; the slots tell in one step whether one is here already.
 */
struct walk_deep_set {
	uint32_t count;
	uint32_t nodes[POLICY_ACTIVE_MAX];
	uint32_t slots[2 * POLICY_ACTIVE_MAX];
};

struct walk {
	const struct policy_image *image;
	enum effect effect;
	uint32_t home_root; /* where patterns with %h begin; 0: there are none */
	struct lookup lookup;
	struct variables variables;
	char uid[sizeof("4294967295")];
	const char *home;
	size_t home_length, home_depth; /* 0: undefined */
	bool has_overflowed;
	struct walk_set reached; /* in the end: every node that the whole path has led to */
	uint32_t folder_count;   /* the last of these: a final `**` of allow, and this its folder */
	struct walk_set left;    /* those of the component before */
	struct walk_deep_set deep;
};

/* The nodes where patterns begin, and those with %h; 0: there are none. */
struct walk_roots {
	uint32_t root, home;
};
struct walk_roots walk_roots_of_paths(enum effect effect);
/* Those of the credential of this name. */
struct walk_roots walk_roots_of_credential(
	const struct policy_image *image, enum effect effect, const char *name, size_t length);

/* Follows a canonical path, or "/". False: the walk needs more room than there is. */
bool walk_path(struct walk *walk, const struct policy_image *image, const struct policy_peer *peer,
	enum effect effect, const char *path, size_t length);

/* The same among the patterns that begin there. */
bool walk_path_from(struct walk *walk, const struct policy_image *image,
	const struct policy_peer *peer, enum effect effect, struct walk_roots roots,
	const char *path, size_t length);

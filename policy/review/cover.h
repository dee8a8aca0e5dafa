/* SPDX-License-Identifier: MIT */
/*
 * What covers what: the patterns and endpoints of an image that match all that a given one matches.
 * It is found as a decision finds its rules, by following the tree and the table, only that what is
 * followed is a pattern and not a name. Each search looks at a bounded number of places, whatever
 * the policy: it may miss some, and says so. Must never claim that something is covered that is not.
 */
#pragma once

#include "build.h"

/* Nodes of the tree at a time. A search that needs more misses what the others would lead to. */
#define COVER_NODES_MAX 64u
/*
 * Globs of one beginning that are tried in one search. In a folder of more the others are missed:
 * of the rules there, a warning may be left out.
 */
#define COVER_GLOBS_MAX 64u
#define COVER_FOUND_MAX (2 * COVER_NODES_MAX)

struct cover_index {
	const struct policy_image *image;
	struct lookup lookup;
	struct byte_pool bytes;
	struct lookup_table globs; /* a node and a program: the child */
};

struct covering {
	uint32_t terminal;
	uint32_t verbs; /* for which it covers: a final `**` covers its folder for some only */
	bool is_sure;   /* false: a literal path, which it matches for some peers */
};

struct cover {
	bool is_complete;      /* nothing was missed of what can match a literal path */
	uint32_t own_terminal; /* of the pattern or endpoint itself, or NONE: not of this tree */
	uint32_t count;        /* with its own */
	struct covering found[COVER_FOUND_MAX];
};

/* False: out of memory. What was made is to be freed in any case. */
bool cover_index_make(struct cover_index *index, const struct policy_image *image);
void cover_index_free(struct cover_index *index);

/*
 * What in the tree of `effect` covers a pattern, which is one of an allow, or of a deny and then the
 * tree must be that of deny.
 */
void cover_find_pattern(const struct cover_index *index, enum effect effect,
	const struct pattern *pattern, struct cover *cover);

/* What covers one piece of an endpoint, in the table of place->effect. */
void cover_find_endpoint(
	const struct cover_index *index, const struct endpoint_place *place, struct cover *cover);

/* Only its own terminal; nothing that covers it is looked for. */
void cover_find_own(
	const struct cover_index *index, const struct endpoint_place *place, struct cover *cover);

/* ---- cover-glob.c ---- */

/* Whether a name that the component matches in an allow can begin with a dot. */
bool component_may_begin_dot(const struct component *component);

/*
 * Whether every name that the component matches is matched by the program, in the sense that the
 * program has in rules of this effect. False is the answer in doubt.
 */
bool program_covers(const uint8_t *program, uint32_t program_length,
	const struct component *component, enum effect effect);

/* Whether the program matches the literal name for some peers, whatever its variables stand for. */
bool program_may_match(
	const uint8_t *program, uint32_t program_length, const struct component *literal);

/* SPDX-License-Identifier: MIT */
/*
 * Patterns: how a component of a path is written down once parsed, and whether a name matches it.
 *
 * A component with wildcards becomes a short program of the operations below, which is what the
 * image holds and what two patterns are compared by. Matching takes at most (length of the name)
 * times (length of the program) steps whatever the two are, and knows no recursion.
 */
#pragma once

#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From the most specific to the least: this is the order that decides whose options count. */
enum component_rank {
	RANK_LITERAL, /* also variables, which are literal text */
	RANK_MIXED,
	RANK_STAR,
	RANK_DEEP,
	RANK_END, /* a pattern that has ended is less specific than one that says more */
};

enum component_kind {
	COMPONENT_LITERAL, /* bytes are the name itself */
	COMPONENT_GLOB,    /* bytes are a program */
	COMPONENT_STAR,    /* `*` alone; bytes are its program */
	COMPONENT_DEEP,    /* `**`; no bytes */
};

enum glob_operation {
	GLOB_BYTES, /* a length byte and so many bytes */
	GLOB_ANY,
	GLOB_STAR,
	GLOB_SET, /* 32 bytes, a bit for each byte value */
	GLOB_USER,
	GLOB_UID,
	GLOB_INSTANCE,
};

#define GLOB_SET_SIZE 32u

struct component {
	uint8_t kind; /* enum component_kind */
	uint8_t rank; /* enum component_rank */
	uint16_t length;
	const uint8_t *bytes;
};

struct pattern {
	bool is_home; /* begins with %h */
	bool has_user, has_instance;
	uint16_t component_count;
	struct component *components;
};

/* What the variables stand for; length 0: undefined. */
struct variable {
	const char *text;
	size_t length;
};
struct variables {
	struct variable user, uid, instance;
};

/*
 * Allow: a wildcard matches no leading dot, an undefined variable matches nothing.
 * Deny: a wildcard matches everything, and so does an undefined variable.
 */
enum sense { SENSE_ALLOW, SENSE_DENY };

bool glob_match(const uint8_t *program, size_t program_length, const char *name, size_t length,
	const struct variables *variables, enum sense sense);

/* How many bytes of a program an operation takes. */
size_t glob_operation_size(const uint8_t *operation);

/* The bytes that every match begins with; *length may be 0. */
const uint8_t *glob_prefix(const uint8_t *program, size_t program_length, size_t *length);

/* Whether a path is absolute and has no empty, "." or ".." component, nor a NUL. */
bool path_is_canonical(const char *path, size_t length);

/* Whether an allow's wildcards leave a folder of this name in `/` alone. */
bool name_is_kernel_tree(const char *name, size_t length);

/* What a final `**` of allow grants on the folder itself. */
#define FOLDER_VERBS (POLICY_BIT(POLICY_STAT) | POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_WATCH))

/* Whether it is "/", which has no component, and which only some can do with. */
bool path_is_root(const char *path, size_t length);

/* Counts the components of a canonical path. */
size_t path_depth(const char *path, size_t length);

struct word;
struct policy_set;

/* Parses `length` bytes of a word as a path pattern. False: an error was reported. */
bool pattern_parse(struct policy_set *set, const struct word *word, uint32_t first, uint32_t length,
	struct pattern *pattern);

/* The longest program of a component: a set for each byte is more than can be. */
#define COMPONENT_PROGRAM_MAX (POLICY_COMPONENT_MAX * (1 + GLOB_SET_SIZE))

/*
 * Reads the component between `first` and `end` of a word that belongs to no policy: nothing is
 * reported, and its bytes lie in the program. False: it is none, or says something that depends on
 * who asks, which *has_variable tells.
 */
bool component_read(const struct word *word, uint32_t first, uint32_t end,
	uint8_t program[static COMPONENT_PROGRAM_MAX], struct component *component,
	bool *has_variable);

/* Parses a whole word as a glob over a unit's name. */
bool unit_parse(struct policy_set *set, const struct word *word, struct component *component);

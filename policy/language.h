/* SPDX-License-Identifier: MIT */
/*
 * The words of the language as tables: what a verb goes with and implies, and what an object looks
 * like.
 */
#pragma once

#include "set.h"

#define KIND_BIT(kind) (1u << (kind))

struct verb_word {
	const char *name;
	uint32_t objects; /* KIND_BIT of what it can be done to */
	uint32_t grants;  /* POLICY_BIT of what an allow of it grants */
	uint32_t covers;  /* POLICY_BIT of what a deny of it denies */
};
extern const struct verb_word verb_words[POLICY_VERB_COUNT];

struct object_word {
	const char *name;          /* for messages */
	const char *start;         /* how such an object begins; NULL: found otherwise */
	const char *form;          /* the whole of it, for remedies */
	enum policy_kind endpoint; /* POLICY_KIND_COUNT: none, or found otherwise */
};
extern const struct object_word object_words[OBJECT_KIND_COUNT];

#define OBJECTS_PATTERN (KIND_BIT(OBJECT_PATH) | KIND_BIT(OBJECT_UNIX)) /* in the tree of paths */
#define OBJECTS_NETWORK (KIND_BIT(OBJECT_TCP) | KIND_BIT(OBJECT_UDP))

/* The values of `log`, by enum policy_log. */
#define LOG_WORDS 3
extern const char *const log_words[LOG_WORDS];

/* What `with` can have besides a device. */
struct with_word {
	const char *name;
	uint8_t bit; /* enum policy_with */
};
#define WITH_WORDS 4
extern const struct with_word with_words[WITH_WORDS];

/*
 * The word of the list that a mistyped one probably means, the first of several; NULL: none is near.
 */
const char *word_find_near(
	const char *bytes, size_t length, const char *const *words, size_t count);

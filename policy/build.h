/* SPDX-License-Identifier: MIT */
/* The compiler's parts: names (resolve.c), the tree of paths and the endpoints (build.c), the rules
 * that contradict each other (conflict.c, claims.c), the image (compile.c). */
#pragma once

#include "lookup.h"

/* That a rule has an object at a terminal. */
struct pending_entry {
	uint32_t terminal, rule, object;
};

struct builder {
	struct policy_set *set;
	bool out_of_memory;
	struct byte_pool bytes;
	LIST(struct image_node) nodes;
	LIST(struct image_glob) globs;
	LIST(struct image_terminal) terminals;
	LIST(struct pending_entry) pending; /* grouped by terminal once conflict.c is through */
	LIST(uint32_t) entries;
	struct lookup_table lookup;
	struct lookup_table programs;
	struct image_endpoints endpoints[EFFECT_COUNT][POLICY_KIND_COUNT];
	uint64_t claims_compared; /* so far */
	bool has_many_claims;     /* there are more than are compared */
};

#define builder_append(builder, list) list_append(&(builder)->list, &(builder)->out_of_memory)

/* Puts what the name service said into the set, and reports what it does not know. */
void names_resolve(struct policy_set *set);

void builder_init(struct builder *builder, struct policy_set *set);
void builder_free(struct builder *builder);

/* Adds all objects of the set. */
void builder_add_objects(struct builder *builder);

/* Where an endpoint of a rule has its rules, but for its number. */
struct endpoint_place endpoint_place_make(enum effect effect, const struct object *object);

/* The numbers of an endpoint; one that has none has a range of one all the same. */
const struct number_range *endpoint_ranges(
	const struct policy_set *set, const struct object *object, uint32_t *count);

/*
 * A range is split into aligned powers of two: at most 62 of them. *next begins as the first of the
 * range; false: there is no further piece.
 */
bool endpoint_next_piece(
	struct endpoint_place *place, const struct number_range *range, uint64_t *next);

/* False only when no peer can fulfil both. */
bool froms_may_meet(const struct policy_set *set, const struct from *a, const struct from *b);

/*
 * For the rules of one pattern: the number in the group of one before it that sets other options
 * for the same verb and may be for the same peer. Others keep what they have, which is NONE.
 */
void claims_compare(struct builder *builder, const struct pending_entry *group, uint32_t count,
	uint32_t *rivals);

/* Groups the entries by terminal, leaves out what adds nothing, reports rules that conflict. */
void builder_settle_entries(struct builder *builder);

/* SPDX-License-Identifier: MIT */
/* The parts of a review: what rules do to each other (review-rules.c, review-agree.c), and what a
 * line says by itself (review-line.c). */
#pragma once

#include "cover.h"

/*
 * Rules of one pattern that are looked at, besides those of the same block: where there are more,
 * a deny among the others may be missed, and a warning is left out.
 */
#define REVIEW_ENTRIES_MAX 32u
/* Pairs of `from` lines that two blocks are compared by; those of more are taken for different. */
#define REVIEW_FROMS_MAX 256u

/* What rules have in common. */
struct agreement {
	uint32_t rule; /* one of them, or NONE: there are none */
	bool is_broken;
};

struct review {
	struct policy_set *set;
	const struct policy_image *image;
	struct cover_index index;
	/* Of all rules that allow the verb on a kind; paths come last. */
	struct agreement allows[POLICY_KIND_COUNT + 1][POLICY_VERB_COUNT];
	struct agreement home_allows[POLICY_VERB_COUNT]; /* of those on paths that begin with %h */
	struct agreement denies;
	/* For each terminal: */
	bool *agrees;    /* all of its rules have the same options */
	uint32_t *ended; /* the last rule of which an object has ended there, plus one */
	uint32_t *own;   /* the last object that has a piece there, plus one */
	/* For each node of the tree: */
	struct agreement *below; /* of all rules whose patterns go through it, or end there */
	struct agreement *aside; /* of those that go on from it by a wildcard or a variable */
};

/* ---- review-agree.c ---- */

/* False: out of memory. */
bool agreements_make(struct review *review);

/* Whether it makes no difference which of them decides. */
bool rules_are_alike(const struct policy_set *set, uint32_t a, uint32_t b);

/* Whether it makes no difference whether this one decides or any of those. */
bool agreement_has(const struct policy_set *set, const struct agreement *agreement, uint32_t rule);

/* The same for all rules with a path that the pattern may match too: they are where it leads to
 * before its first wildcard, or leave the way there by one. */
bool region_agrees(const struct review *review, const struct pattern *pattern, uint32_t rule);

/* ---- review-rules.c, review-line.c ---- */

/* Reports what others make of the rule. Rules are to come in their order. */
void review_rule(struct review *review, uint32_t rule);

/* Reports what can be told from the line alone. */
void review_line(struct policy_set *set, const struct rule *rule);
void review_from(struct policy_set *set, const struct from *from);

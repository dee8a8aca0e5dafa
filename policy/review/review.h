/* SPDX-License-Identifier: MIT */
/* The parts of a review: what is said because of other rules (rules.c) and what stands behind
 * it, and what a line says by itself (line.c and the rest). */
#pragma once

#include "cover.h"
#include "scan.h"

/*
 * Rules of one pattern that are looked at, besides those of the same block: where there are more,
 * a deny among the others may be missed, and a warning is left out.
 */
#define REVIEW_ENTRIES_MAX 32u
/* Pairs of `from` lines that two blocks are compared by; those of more are taken for different. */
#define REVIEW_FROMS_MAX 256u
/* Conditions of a line that each of the others is compared with. */
#define REVIEW_CONDITIONS_MAX 8u

#define VERBS_THAT_OPEN                                                                            \
	(POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND))

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
	/* Of the allow lines of one block, NONE: of none yet. */
	uint32_t verbs_client, verbs;
	/* For each terminal: */
	bool *agrees;    /* all of its rules have the same options */
	uint32_t *ended; /* the last rule of which an object has ended there, plus one */
	uint32_t *own;   /* the last object that has a piece there, plus one */
	/* For each node of the tree: */
	struct agreement *below; /* of all rules whose patterns go through it, or end there */
	struct agreement *aside; /* of those that go on from it by a wildcard or a variable */
};

/* ---- agree.c ---- */

/* False: out of memory. */
bool agreements_make(struct review *review);

/* Whether it makes no difference which of them decides. */
bool rules_are_alike(const struct policy_set *set, uint32_t a, uint32_t b);

/* Whether it makes no difference whether this one decides or any of those. */
bool agreement_has(const struct policy_set *set, const struct agreement *agreement, uint32_t rule);

/* The same for all rules with a path that the pattern may match too: they are where it leads to
 * before its first wildcard, or leave the way there by one. */
bool region_agrees(const struct review *review, const struct pattern *pattern, uint32_t rule);

/* An object whose rule is looked at. */
struct subject {
	struct review *review;
	uint32_t rule_number, object_number;
	const struct rule *rule;
	const struct object *object;
};

/* ---- neighbours.c ---- */

/* Those of the same block, and some of the others; each ascending. */
struct neighbours {
	uint32_t count;
	uint32_t rules[2 * REVIEW_ENTRIES_MAX];
};

const struct rule *rule_at(const struct review *review, uint32_t rule);
const uint32_t *terminal_entries(const struct review *review, uint32_t terminal, uint32_t *count);
bool terminal_has(const struct review *review, uint32_t terminal, uint32_t rule);

/* The rules of the terminal that are of this block; all_neighbours(): and some of the others. */
void block_neighbours(
	const struct review *review, uint32_t terminal, uint32_t client, struct neighbours *found);
void all_neighbours(
	const struct review *review, uint32_t terminal, uint32_t client, struct neighbours *found);

/* Whether whoever one block is for, the other is for too. */
bool client_covers(const struct policy_set *set, uint32_t wide, uint32_t narrow);

/*
 * False only when no peer can be one of both: of two that have more than REVIEW_FROMS_MAX pairs of
 * `from` lines it is true without a look.
 */
bool clients_may_meet_bounded(const struct policy_set *set, uint32_t a, uint32_t b);

/* ---- denied.c ---- */

bool subject_is_path(const struct subject *subject);

/* What is done with what covers a piece. False: the others need not be looked at. */
typedef bool (*piece_function)(
	const struct subject *subject, const struct cover *cover, void *context);

/* How a piece is looked up: with all that covers it, or only where it is itself. */
typedef void (*piece_search)(
	const struct cover_index *index, const struct endpoint_place *place, struct cover *cover);

/* Calls it for each piece of an endpoint. False: one call said so, or there is no piece. */
bool pieces_visit(const struct subject *subject, enum effect effect, piece_search search,
	piece_function visit, void *context);

struct denied_verbs {
	uint32_t asked; /* verbs that are looked at */
	uint32_t verbs; /* of these, what is denied of every piece */
	uint32_t rule;  /* the first deny of any of them */
};

/* Which of the verbs an allow can never give on this object. */
struct denied_verbs subject_find_denied(const struct subject *subject, uint32_t verbs);

/* ---- needless.c ---- */

/* A rule that does all that the object does, or NONE. Objects are to come in their order. */
uint32_t subject_find_needless(const struct subject *subject);

/* ---- rules.c, and what a line says by itself: line.c and the rest ---- */

/* Reports what others make of the rule. Rules are to come in their order. */
void review_rule(struct review *review, uint32_t rule);

/* Reports what can be told from the line alone. Rules are to come in their order. */
void review_line(struct review *review, const struct rule *rule);
void review_options(struct review *review, const struct rule *rule);
void review_home(struct policy_set *set, const struct rule *rule, const struct object *object);
void review_device(struct policy_set *set, const struct rule *rule, const struct object *object);
void review_path_text(struct policy_set *set, const struct object *object);
void review_from(struct policy_set *set, const struct from *from);
void review_client(struct policy_set *set, const struct client *client);

/* Whether it is this name, or begins so; a component that is literal. */
bool component_is(const struct component *component, const char *name);
bool component_begins(const struct component *component, const char *start);

/* ---- crowd.c ---- */

/* Reports users that more blocks are for than a peer can have. */
void review_crowd(struct policy_set *set);

/* SPDX-License-Identifier: MIT */
/* The words of rules that allow what was needed, several needs by one word where that is safe. */
#pragma once

#include "needs.h"

/*
 * So many names of a folder that differ in digits alone become a pattern: of two, the difference
 * may be one of two meanings; three are a series.
 */
#define WORD_SERIES_MIN 3u
/* Ports and ranges of ports in one word, so that people can still read it. */
#define WORD_RANGES_MAX 16u

/* A word of a rule, and the needs that it is for, which are neighbours. */
struct rule_word {
	char *text; /* malloc'ed */
	uint32_t verbs;
	const struct need *needs;
	size_t need_count;
	char *wider; /* what it matches beyond what was asked for; malloc'ed, or NULL */
};

/*
 * Makes the word for needs[0] and as many of its followers as it can be for, of `count` that are
 * alike (needs_alike()). Where one of several names is left by itself, so are the others: no fewer
 * of them are tried as a pattern. 0 or -ENOMEM.
 */
int word_make(struct rule_word *word, const struct need *needs, size_t count);
void word_release(struct rule_word *word);

/* SPDX-License-Identifier: MIT */
/*
 * What one asker was denied for want of a rule, and the words of rules that would allow it: each
 * thing once with all verbs that were asked of it, and several of them by one word where that is
 * safe.
 */
#pragma once

#include "denials.h"
#include "wanted.h"

/*
 * So many names of a folder that differ in digits alone become a pattern: of two, the difference
 * may be one of two meanings; three are a series.
 */
#define NEEDS_SERIES_MIN 3u
/* Ports and ranges of ports in one word, so that people can still read it. */
#define NEEDS_RANGES_MAX 16u

struct need {
	struct wanted wanted;
	uint64_t count;
	int64_t first_usec, last_usec;
	const char *remark; /* what else whoever pastes a rule for it should know, or NULL */
};

/* Something that was asked for and for which there can be no rule. */
struct misfit {
	const struct denial *denial;
	const char *why;
};

struct needs {
	struct need *items; /* in the order in which their rules are printed */
	size_t count;
	struct misfit *misfits;
	size_t misfit_count;
};

/* Of denials of one asker, as far as a rule can mend them. 0 or -ENOMEM. */
int needs_collect(struct needs *needs, struct denial *const *denials, size_t count);
void needs_release(struct needs *needs);

/* A word of a rule, and the needs that it is for, which are neighbours. */
struct word {
	char *text; /* malloc'ed */
	uint32_t verbs;
	const struct need *needs;
	size_t need_count;
	char *wider; /* what it matches beyond what was asked for; malloc'ed, or NULL */
};

/*
 * Makes the word for needs[0] and as many of its followers as it can be for; at most `count`. With
 * is_alone it is for the first one and no other. 0 or -ENOMEM.
 */
int needs_word(struct word *word, const struct need *needs, size_t count, bool is_alone);
void word_release(struct word *word);

/* The verbs as a rule has them: those that others of them imply are left out. */
uint32_t needs_verbs(const struct need *need);

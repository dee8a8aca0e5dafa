/* SPDX-License-Identifier: MIT */
/* What one asker was denied for want of a rule: each thing once, with all verbs asked of it. */
#pragma once

#include "denials.h"
#include "wanted.h"

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

/* The verbs as a rule has them: those that others of them imply are left out. */
uint32_t needs_verbs(const struct need *need);

/* How many from the first on, of at most `count`, one word might be for: those beside them are of
 * other verbs, or names or endpoints of another kind. */
size_t needs_alike(const struct need *needs, size_t count);

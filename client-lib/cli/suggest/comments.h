/* SPDX-License-Identifier: MIT */
/*
 * What is said of denials in comments: as ASCII that cannot end the comment, whoever chose it. But
 * for the last two, these are parts of a line.
 */
#pragma once

#include "needs.h"

void comment_asker(const struct asker *asker, FILE *out);

/* "3 times", and when. */
void comment_often(uint64_t count, int64_t first_usec, int64_t last_usec, FILE *out);

/* As in a rule: with commas. */
void comment_verbs(uint32_t verbs, FILE *out);

/* What no rule mends by itself, and what does: of denials that are alike. */
void comment_other(struct denial *const *denials, size_t count, FILE *out);

/* What no rule can be for. */
void comment_misfit(const struct misfit *misfit, FILE *out);

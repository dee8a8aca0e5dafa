/* SPDX-License-Identifier: MIT */
/* A rule, and whether it does what it is for. */
#pragma once

#include "needs.h"

/* An allow with these words, which are for the same verbs, as a line. */
void rule_write(const struct word *words, size_t count, FILE *out);

/* Whether the rule, read again in a block for the asker, allows it all that its words are for. */
bool rule_serves(const struct asker *asker, const struct word *words, size_t count);

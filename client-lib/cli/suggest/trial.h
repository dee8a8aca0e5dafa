/* SPDX-License-Identifier: MIT */
/* A rule, and whether it does what it is for. */
#pragma once

#include "words.h"

/* An allow with these words, which are for the same verbs, as a line. */
void rule_write(const struct rule_word *words, size_t count, FILE *out);

/*
 * Whether the rule, read again in a block for the asker, allows it all that its words are for: 1, 0,
 * or -ENOMEM.
 */
int rule_serves(const struct asker *asker, const struct rule_word *words, size_t count);

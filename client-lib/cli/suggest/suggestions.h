/* SPDX-License-Identifier: MIT */
/* Denials to the text of a policy, to be looked at and pasted. */
#pragma once

#include <stdio.h>

#include "denials.h"

/*
 * Writes blocks of rules that would have allowed what no rule allowed, in an order that depends on
 * the denials alone, with comments on where each rule comes from and on what no rule can mend. All
 * of it is a policy without errors. `client` is what the block is called, or NULL: by the asker.
 * The denials get sorted. 0, or -ENOMEM.
 */
int suggestions_write(struct denials *denials, const char *client, FILE *out);

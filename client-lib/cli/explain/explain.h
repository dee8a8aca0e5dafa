/* SPDX-License-Identifier: MIT */
/*
 * fdbroker explain [OPTIONS] VERBS OBJECT
 * fdbroker explain [OPTIONS] -
 *
 * Says whether the policy allows something to somebody, by which rule, and, if not, which rule comes
 * nearest. The second form answers each line of the standard input with a line.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "explanation.h"

/* What messages begin with. */
#define EXPLAIN "fdbroker explain"

/*
 * argv[0] is "explain". Returns the exit status: 0 allowed, 3 denied, 1 the policy has errors or the
 * explaining itself failed, 64 wrong usage.
 */
int explain_main(int argc, char **argv);

/* Prints it in words, on several lines. */
void explain_print(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request);

/* Prints it as one line of JSON. False: out of memory. */
bool explain_print_json(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request);

/* Why the broker would not serve the asker whatever they ask; of a client nothing. */
void explain_print_standing(const struct explained_peer *peer, FILE *out);

/* "FILE:LINE", as it may be printed. */
void explain_print_place(const struct policy_image *image, uint32_t rule);

/* What a `limit` line can limit. */
struct explained_amount {
	const char *name, *unit;
	uint32_t most; /* UINT32_MAX: as much as the broker has for everybody */
};
#define EXPLAINED_AMOUNTS 3

/* The smallest of each in the blocks that are for the asker. */
void explain_limits(const struct explained_peer *peer,
	struct explained_amount amounts[static EXPLAINED_AMOUNTS]);

/*
 * What a rule's options say, in words: "opened as: the broker; ...". A text that is to be freed;
 * NULL: out of memory.
 */
char *explain_options(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request);

/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a request, with the reasons: the decision is decide's, everything else is found
 * in the rules as they are written.
 */
#pragma once

#include "nearest.h"

/* A policy that has been compiled, and a peer under it. */
struct explained_peer {
	const struct policy_set *set; /* with its names filled in */
	const struct policy_image *image;
	const struct policy_identity *identity;
	const struct policy_peer *peer;
};

struct explanation {
	struct policy_decision decision;
	/* ALLOWED: by verb, the rule that allows it, or POLICY_NO_RULE. */
	uint32_t rules[POLICY_VERB_COUNT];
	/* ALLOWED: the line by which the deciding rule's block is for the peer. */
	const struct from *from;
	/* NARROWED: the `only` blocks, by their clients; the nearest rule is one of the first's. */
	uint32_t narrowing_count;
	uint16_t narrowing[POLICY_PEER_BLOCKS_MAX];
	/* It is no path that anything could be granted for. */
	bool is_malformed;
	/* NO_RULE, NARROWED: decision.missing are the verbs that it is about. */
	struct nearest nearest;
};

void explanation_make(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request);

/* "user www-data (uid 33), unit nginx.service": the conditions of a line that holds. */
void from_print(const struct explained_peer *peer, const struct from *from, FILE *out);

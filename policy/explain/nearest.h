/* SPDX-License-Identifier: MIT */
/*
 * Which rule would nearly have allowed what is denied, and in what it differs. This looks at rules
 * one by one, as they are written; what is allowed is for decide alone to say.
 */
#pragma once

#include "request.h"
#include "set.h"

/* What is not allowed, and all that depends on. */
struct lack {
	const struct policy_set *set; /* with its names filled in; the image was compiled from it */
	const struct policy_identity *identity;
	const struct policy_peer *peer;
	const struct request *request;
	uint32_t verbs;  /* of the request, those that nothing allows */
	uint32_t client; /* the one block that has to allow them, or NONE */
};

/* One way in which a rule is not the one: "port 8443, not 443". Nothing in it steers a terminal. */
struct difference {
	char text[288];
};
#define DIFFERENCES_MAX 2u
#define NEAREST_OTHERS_MAX 2u

struct nearest {
	uint32_t rule; /* of the set, and of the image; POLICY_NO_RULE: none is near */
	uint32_t count;
	struct difference differences[DIFFERENCES_MAX];
	/* None is near: the first rules for the asker that allow the same of something else. */
	uint32_t other_count;
	uint32_t others[NEAREST_OTHERS_MAX];
};

/*
 * Of the rules that differ in least; then one whose verb differs (but that for an endpoint is
 * another thing altogether), its object, its client; then the one that is closest to it.
 */
void nearest_find(const struct lack *lack, struct nearest *nearest);

/* The first of the client's `from` lines that holds, or NULL. */
const struct from *client_find_from(const struct policy_set *set, const struct client *client,
	const struct policy_identity *identity);

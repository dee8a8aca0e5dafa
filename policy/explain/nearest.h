/* SPDX-License-Identifier: MIT */
/*
 * Which rule would nearly have allowed what is denied, and in what it differs. This looks at rules
 * one by one, as they are written; what is allowed is for decide alone to say.
 */
#pragma once

#include "request.h"
#include "set.h"

/* A denial, and all that it depends on. */
struct denial {
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

struct nearest {
	uint32_t rule; /* of the set, and of the image; POLICY_NO_RULE: none is near */
	uint32_t count;
	struct difference differences[DIFFERENCES_MAX];
};

/* Of the rules that differ in least; then one whose verb differs, its object, its client. */
void nearest_find(const struct denial *denial, struct nearest *nearest);

/* The rule's text as it stands in its file at this place. */
struct quoted span_quote(const struct policy_set *set, const struct span *where);

/* ---- near-client.c ---- */

/* The first of the client's `from` lines that holds, or NULL. */
const struct from *client_find_from(const struct policy_set *set, const struct client *client,
	const struct policy_identity *identity);

/* In how many conditions the peer fails the best of the client's `from` lines; the first of them. */
uint32_t client_compare(const struct denial *denial, const struct client *client,
	struct difference differences[static DIFFERENCES_MAX]);

/* ---- near-path.c ---- */

/* The components of the path that is asked for. */
struct near_names {
	const char *path;
	uint32_t count;
	uint16_t starts[POLICY_PATH_MAX / 2 + 2]; /* of each component, and one past the end */
};

void near_names_init(struct near_names *names, const char *path, size_t length);

/*
 * Whether the pattern matches but for one thing, or altogether: 0 or 1, else DIFFERENCES_MAX + 1.
 * *closeness is the more, the less the difference is likely to be what the rule was made for.
 */
uint32_t path_compare(const struct denial *denial, const struct near_names *names,
	const struct object *object, struct difference *difference, uint32_t *closeness);

/* ---- near-endpoint.c ---- */

/* In how many of kind, host and number it differs; the first of them. */
uint32_t endpoint_compare(const struct denial *denial, const struct object *object,
	struct difference differences[static DIFFERENCES_MAX]);

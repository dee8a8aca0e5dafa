/* SPDX-License-Identifier: MIT */
/*
 * What the search for the nearest rule (nearest.c) consists of: whom a rule is for (near-client.c),
 * and what, a path (near-path.c) or an endpoint (near-endpoint.c).
 */
#pragma once

#include "nearest.h"

/* ---- near-client.c ---- */

/* In how many conditions the asker fails the best of the client's `from` lines; the first of them. */
uint32_t client_compare(const struct lack *lack, const struct client *client,
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
 * *closeness is the more, the farther the path is right.
 */
uint32_t path_compare(const struct lack *lack, const struct near_names *names,
	const struct object *object, struct difference *difference, uint32_t *closeness);

/* ---- near-endpoint.c ---- */

/*
 * In how many of kind, host and number it differs; the first of them. *closeness is the more, the
 * less they differ there.
 */
uint32_t endpoint_compare(const struct lack *lack, const struct object *object,
	struct difference differences[static DIFFERENCES_MAX], uint32_t *closeness);

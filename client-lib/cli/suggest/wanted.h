/* SPDX-License-Identifier: MIT */
/*
 * What a record of the audit log was about, as a thing that a rule can name: a path or an endpoint.
 * The log has one text for it; here it becomes again what the broker asked its policy, so that a
 * rule can be tried on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bounds.h"
#include "policy.h"

#define WANTED_STEM_MAX (POLICY_HOST_MAX + 64)

struct wanted {
	uint32_t verbs;
	/* Of a path, which may be that of a unix socket; else NULL. */
	const char *path;
	size_t path_length;
	bool is_socket;
	/* Of an endpoint: */
	struct policy_endpoint endpoint;
	/* How a rule names it: the word, or all of it before the port. */
	char stem[WANTED_STEM_MAX];
	bool has_port;
	/* The rule for it is wider than what was asked for, and how; or NULL. */
	const char *wider;
};

/*
 * Makes sense of an object; verbs are those that were asked for together. NULL, or why no rule can
 * be for exactly this: a sentence. The object must outlive what is made of it.
 */
const char *wanted_read(struct wanted *wanted, uint32_t verbs, const char *object, size_t length);

/* Whether the peer may have it by this policy. */
bool wanted_is_allowed(const struct wanted *wanted, const struct policy_image *image,
	const struct policy_peer *peer);

/* SPDX-License-Identifier: MIT */
/*
 * As whom a policy is asked: what the broker would know of a peer, put together from the command
 * line, from a running process or from the caller itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy.h"

#define PERSONA_GROUPS_MAX 64

struct persona_options {
	const char *user; /* NULL: none was given; here and below */
	const char *groups[PERSONA_GROUPS_MAX];
	unsigned int group_count;
	const char *unit;
	const char *pid;
};

struct persona {
	struct policy_identity identity; /* its texts and groups are those below */
	bool has_failed;                 /* what was asked, and not that there is no such user */
	uint32_t *groups;
	char *unit;
	char name[256], home[256]; /* longer ones the broker does not know either */
};

/*
 * Finds out who it is. False after telling the user why that cannot be told. To be released in any
 * case.
 */
bool persona_find(struct persona *persona, const struct persona_options *options);

/* The name and the home of its uid. False after telling the user. */
bool persona_find_user(struct persona *persona);

void persona_release(struct persona *persona);

/* SPDX-License-Identifier: MIT */
/* What a narrowed connection may still ask for: see struct policy_limits. */
#pragma once

#include "asked.h"

/* Which of the verbs are permitted on the path. NULL permits everything, here and below. */
uint32_t limits_find_permitted(
	const struct policy_limits *limits, uint32_t verbs, const char *path, size_t length);
/*
 * Whether some connection that these limits belong to, or belonged to before they were all of them,
 * may do with the new name what it may not do with the old one.
 */
bool limits_lift(const struct policy_limits *limits, enum policy_verb verb,
	const struct policy_file_name *old_name, const struct policy_file_name *new_name);
bool limits_permit_path(
	const struct policy_limits *limits, uint32_t verbs, const char *path, size_t length);
bool limits_permit_asked(
	const struct policy_limits *limits, enum policy_verb verb, const struct asked *asked);
/* The verb, on anything. */
bool limits_permit_verb(const struct policy_limits *limits, enum policy_verb verb);

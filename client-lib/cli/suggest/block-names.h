/* SPDX-License-Identifier: MIT */
/* Names of blocks, each once: two of one name would be an error where they come into one file. */
#pragma once

#include "bounds.h"

struct block_names {
	void *names, *stems; /* tsearch(3) */
};

/*
 * Makes a name that has not been made before: `wanted`, or its beginning with a number. 0, or
 * -ENOMEM.
 */
int block_name_make(struct block_names *names, const char *wanted,
	char name[static POLICY_CLIENT_NAME_MAX + 1]);

void block_names_release(struct block_names *names);

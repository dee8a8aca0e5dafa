/* SPDX-License-Identifier: MIT */
/*
 * A policy as the tool loads it: the same loader and compiler as the broker's, with all that they
 * have to say kept. Nothing is asked of a running broker, and no privilege is needed beyond reading
 * the files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy.h"
#include "trust.h"

struct loaded_policy {
	struct policy_set *set;
	struct trusted_mounts *mounts;    /* NULL: placement does not count */
	const struct policy_image *image; /* NULL: the policy has errors, which the set holds */
	void *bytes;                      /* of the image */
	size_t file_count;
};

enum policy_loaded {
	POLICY_LOADED,        /* perhaps with errors */
	POLICY_PARTLY_LOADED, /* and the user has been told why; what the set holds is true */
	POLICY_NOT_LOADED,    /* and the user has been told why; the set may be NULL */
};

/*
 * Loads files and folders, which are drafts and may lie anywhere. With count 0 the installed set as
 * the broker would, placement and all: root is the broker's user meanwhile, so that what the broker
 * could not read is found out. `command` is what messages to the user begin with. To be
 * released in any case.
 */
enum policy_loaded policy_load(
	struct loaded_policy *policy, const char *command, const char *const *paths, size_t count);

/*
 * Prints what the set says that is at least that severe to stderr, in colours where it is a
 * terminal. False: it could not be written.
 */
bool policy_print(const struct loaded_policy *policy, enum policy_severity least)
	__attribute__((warn_unused_result));

void policy_release(struct loaded_policy *policy);

/* SPDX-License-Identifier: MIT */
/*
 * A generation: one policy in force, compiled, with the mounts it was loaded under. Its processes
 * hold it; it goes when the last of them is gone.
 */
#pragma once

#include <stddef.h>

#include "confine.h"
#include "peers.h"
#include "policy.h"

struct generation {
	unsigned int number; /* from 1 */
	unsigned int holders;
	const struct policy_image *image;
	size_t image_size;
	struct peers *peers; /* written here, read by its processes */
	int image_fd, mounts_fd, peers_fd;
	struct policy_needs needs;
};

/*
 * Loads the policy (paths as load.h has them) and compiles it. Every problem is on the log. NULL
 * when there is an error; the caller's policy in force stays what it is. The capabilities that it
 * needs must be among `available`. It is held once.
 */
struct generation *generation_load(
	const char *const *paths, size_t count, capability_set available);

struct generation *generation_hold(struct generation *generation);
void generation_release(struct generation *generation);

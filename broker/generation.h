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
	struct trusted_mounts *mounts;
	struct peers *peers; /* written here, read by its processes */
	int image_fd, mounts_fd, peers_fd;
	struct policy_needs needs;
};

/*
 * Loading one. begin reads and parses the files (paths as load.h has them); then the channel
 * becomes readable, or the deadline comes, when there is a next step; and when the steps are done,
 * finish compiles. Whatever fails is on the log, and the caller's policy in force stays what it is.
 */
struct loading;

/* NULL: it failed. The capabilities that the policy needs must be among `available`. */
struct loading *loading_begin(const char *const *paths, size_t count, capability_set available)
	__attribute__((warn_unused_result));
int loading_channel(const struct loading *loading); /* -1: there is nothing to wait for */
uint64_t loading_deadline(const struct loading *loading);
/* 1: done. 0: not yet. Negative: it failed. */
int loading_step(struct loading *loading) __attribute__((warn_unused_result));
/* The generation, held once; NULL: it failed. Ends the loading in either case. */
struct generation *loading_finish(struct loading *loading) __attribute__((warn_unused_result));
void loading_end(struct loading *loading);

struct generation *generation_hold(struct generation *generation);
void generation_release(struct generation *generation);

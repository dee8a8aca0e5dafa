/* SPDX-License-Identifier: MIT */
/*
 * What surrounds the policy library and does make system calls: finding policy files that nobody
 * unprivileged could have written, and asking the name service.
 */
#pragma once

#include "policy.h"
#include "trust.h"

/*
 * Adds the policy files to the set. Each path is a file or a folder of *.policy; with count 0 the
 * drop-in folders of the installation are read: /usr/lib/fdbroker/policy.d, /run/fdbroker/policy.d,
 * /etc/fdbroker/policy.d, where a file of a later folder masks an earlier one of the same name and
 * a link whose text is exactly /dev/null disables it. A file counts only when the whole chain of
 * directories to it is trusted, it is a regular file of uid 0 that nobody else may write, and it
 * did not change between two fstats; every other one is skipped with a diagnostic that names it
 * and says why (an error when it was named itself, a warning when found in a folder; a missing
 * drop-in folder is nothing to mention). With mounts NULL that check is left out: for looking at a
 * draft. Returns 0 or a negative errno of the loader itself (out of memory).
 */
int policy_load_files(struct policy_set *set, const struct trusted_mounts *mounts,
	const char *const *paths, size_t count);

/*
 * Asks the name service (getpwnam_r(3) and friends) for every name. 0: each is FOUND or UNKNOWN.
 * A negative errno: the name service itself failed at names[*failed]; the load must fail.
 */
int policy_load_names(struct policy_name *names, size_t count, size_t *failed);

/*
 * The name and home directory of a uid. An empty string: undefined (no such user, too long, or the
 * home is not an absolute path of at least two components owned by the uid itself).
 */
int policy_load_user(uint32_t uid, char *name, size_t name_size, char *home, size_t home_size);

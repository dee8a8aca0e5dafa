/* SPDX-License-Identifier: MIT */
/*
 * What surrounds the policy library and does make system calls: finding policy files that nobody
 * unprivileged could have written, and asking the name service.
 */
#pragma once

#include "policy.h"
#include "trust.h"

/*
 * The largest policy file: far more than any policy needs, and little enough that a mistake in a
 * name cannot exhaust memory.
 */
#define POLICY_FILE_BYTES_MAX (64u << 20)

/*
 * Adds the policy files to the set. Each path is a file or a folder of *.policy; with count 0 the
 * drop-in folders of the installation are read: /usr/lib/fdbroker/policy.d, /run/fdbroker/policy.d,
 * /etc/fdbroker/policy.d. A file in a folder masks one of the same name in an earlier folder, and a
 * link whose text is exactly /dev/null disables that name. Named files come first, in their order,
 * then those of the folders, by name.
 *
 * A file counts only when the whole chain of directories to it is trusted, it is a regular file of
 * uid 0 on a trusted mount that nobody else may write, it has at most POLICY_FILE_BYTES_MAX bytes
 * and did not change between the look at it and the end of reading. No link is followed. With
 * mounts NULL placement is left out and links are followed, in a folder only those of root or the
 * real user of this process that lead over no further link: for looking at a draft.
 *
 * Every file that does not count gets a diagnostic that names it and says why: an error when it was
 * named itself, a warning when found in a folder, a note when that is as it should be (masked,
 * disabled, not called *.policy). A file that counts and cannot be read is an error too. A folder
 * that cannot be read or is not trusted is an error: all that it says would be missing. A missing
 * drop-in folder is nothing to mention.
 *
 * Returns how many files were added, or a negative errno of the loader itself (out of memory or of
 * descriptors); then the set is incomplete and must not be used.
 */
int policy_load_files(struct policy_set *set, const struct trusted_mounts *mounts,
	const char *const *paths, size_t count);

/*
 * Asks the name service (getpwnam_r(3) and friends) for every name. 0: each is FOUND or UNKNOWN.
 * A negative errno: the name service itself failed at names[*failed]; the load must fail. -E2BIG is
 * among them: an account in more than POLICY_GROUPS_MAX groups. May take as long as the name
 * service does, and loads its modules into this process.
 */
int policy_load_names(struct policy_name *names, size_t count, size_t *failed);

/*
 * Finds for names that are UNKNOWN what was probably meant, among all users, groups, services,
 * protocols and interfaces of this machine: policy_name.near. For people alone, before the policy is
 * compiled; of many names the first ones. Waits as policy_load_names() does. 0 or -ENOMEM.
 */
int policy_load_near(struct policy_name *names, size_t count);

/* What such an errno means, to be said after the name. */
const char *policy_load_names_error(int error);

/*
 * The name and home directory of a uid. An empty string: undefined (no such user, too long, or the
 * home is not an absolute path of at least two components, without "." and "..", that leads to a
 * directory owned by the uid itself). 0, or a negative errno when the name service failed. May wait
 * as policy_load_names() does, and for the file system of the home.
 */
int policy_load_user(uint32_t uid, char *name, size_t name_size, char *home, size_t home_size);

/*
 * Warns of every rule that allows something in a folder that somebody unprivileged can write to, or
 * that is on no trusted mount: what the broker then refuses, though the rule seems to grant it; of
 * rules with `as` only where that does not help. Looks at the literal part of each pattern and at
 * folders that the wildcard after it matches, at each once, as far as this process may see it. For people alone, once the policy is compiled. 0 or -ENOMEM.
 */
int policy_load_ground(struct policy_set *set, const struct trusted_mounts *mounts);

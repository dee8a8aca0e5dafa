/* SPDX-License-Identifier: MIT */
/*
 * Mount ids that are never used again. The id of mountinfo and of STATX_MNT_ID goes to the next
 * mount when one is gone, and that may be anybody's; since Linux 6.8 each mount has a second one
 * that is its own for ever (STATX_MNT_ID_UNIQUE, statmount(2)).
 */
#pragma once

#include "trust.h"

/*
 * Replaces the ids of a snapshot by unique ones, and drops mounts that have gone meanwhile. Where
 * the kernel has no such ids the snapshot stays as it is. 0 or -ENOMEM.
 */
int mountid_make_unique(struct trusted_mounts *mounts);

/* SPDX-License-Identifier: MIT */
/*
 * Trusted mounts and trusted directories: the ground that the placement rules stand on.
 *
 * A mount is trusted when it was there when the snapshot was taken, is of a kind that no
 * unprivileged user serves or fills (not fuse, nfs, cifs, 9p, vfat, proc, ...), and is not below
 * /media, /run/media or /run/user. A directory is trusted when it is owned by uid 0, nobody else
 * may write to it (an ACL shows in the group bits, acl(5)), and it lies on a trusted mount. There
 * is no exception for sticky folders: a user can move root's links and files about in them.
 *
 * The snapshot is flat bytes, so that it can be handed to another process and mapped read-only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct trusted_mount {
	uint64_t id; /* STATX_MNT_ID */
	uint32_t major, minor; /* of the file system: a mount id alone can be used again */
};

struct trusted_mounts {
	uint32_t count;
	uint32_t reserved;
	struct trusted_mount mounts[]; /* ascending by id */
};

static inline size_t trusted_mounts_size(const struct trusted_mounts *mounts)
{
	return sizeof(*mounts) + mounts->count * sizeof(mounts->mounts[0]);
}

/* Takes the snapshot from /proc/self/mountinfo (man 5 proc). *mounts is malloc'ed. */
int trusted_mounts_read(struct trusted_mounts **mounts);

/*
 * statx(2) of what an O_PATH descriptor holds, with AT_STATX_DONT_SYNC and the mount id: it never
 * asks a remote or a FUSE server, and so never waits. 0 or a negative errno.
 */
int trust_statx(int fd, struct statx *status);

bool trusted_mounts_hold(const struct trusted_mounts *mounts, const struct statx *status);
bool directory_is_trusted(const struct trusted_mounts *mounts, const struct statx *status);

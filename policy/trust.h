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
#include <stdio.h>
#include <sys/stat.h>

/*
 * In place of both device numbers: the files of this mount show other devices than the mount
 * itself. Subvolumes of btrfs and the layers of overlay do.
 */
#define TRUSTED_MOUNT_ANY_DEVICE UINT32_MAX

struct trusted_mount {
	uint64_t id;           /* STATX_MNT_ID_UNIQUE, or STATX_MNT_ID, which can be used again */
	uint32_t major, minor; /* of the file system */
};

struct trusted_mounts {
	uint32_t count;
	uint32_t is_unique;            /* the ids are */
	struct trusted_mount mounts[]; /* ascending by id */
};

static inline size_t trusted_mounts_size(const struct trusted_mounts *mounts)
{
	return sizeof(*mounts) + mounts->count * sizeof(mounts->mounts[0]);
}

/*
 * Takes the snapshot from /proc/self/mountinfo (man 5 proc). *mounts is malloc'ed. 0 or a negative
 * errno; -EBADMSG: a line is not as proc(5) has it.
 */
int trusted_mounts_read(struct trusted_mounts **mounts);

/* The same from any text of that form. */
int trusted_mounts_parse(FILE *mountinfo, struct trusted_mounts **mounts);

/*
 * Are all of these mounts still there? Where ids are unique that need not be asked: what is gone
 * does not come back. Else, when one is gone, the snapshot must be taken anew. 1, 0 or a negative
 * errno.
 */
int trusted_mounts_remain(const struct trusted_mounts *mounts);

/*
 * statx(2) of what an O_PATH descriptor holds, with AT_STATX_DONT_SYNC and the kind of mount id
 * that the snapshot has (NULL: any): it never asks a remote or a FUSE server, and so never waits. 0
 * or a negative errno.
 */
int trust_statx(const struct trusted_mounts *mounts, int fd, struct statx *status);

/*
 * Why an object is not root's alone: the same for directories, files and links, except that the
 * mode of a link means nothing (symlink(7)). The first that applies.
 */
enum distrust {
	DISTRUST_NONE,
	DISTRUST_MOUNT,    /* on a mount that is not trusted: owner and mode mean nothing there */
	DISTRUST_OWNER,    /* its owner is not uid 0 */
	DISTRUST_WRITABLE, /* its group or others may write */
};
enum distrust trust_judge(const struct trusted_mounts *mounts, const struct statx *status);

bool trusted_mounts_hold(const struct trusted_mounts *mounts, const struct statx *status);
bool directory_is_trusted(const struct trusted_mounts *mounts, const struct statx *status);

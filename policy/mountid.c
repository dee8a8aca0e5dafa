/* SPDX-License-Identifier: MIT */
/*
 * Asks the kernel for the unique id of each mount by listmount(2) and statmount(2). Neither looks
 * at a path, so neither needs a permission on one, and neither asks a file system anything. What
 * they say of a mount must be what mountinfo said of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mountid.h"

#ifndef SYS_statmount /* Linux 6.8; the same numbers on every architecture of ours */
#define SYS_statmount 457
#define SYS_listmount 458
#endif

/* struct mnt_id_req, MNT_ID_REQ_SIZE_VER0 */
struct mount_request {
	uint32_t size;
	uint32_t spare;
	uint64_t id;
	uint64_t param;
};

/* The beginning of struct statmount, and room for the rest of it. */
struct mount_status {
	uint32_t size, spare;
	uint64_t mask;
	uint32_t device_major, device_minor;
	uint64_t magic;
	uint32_t flags, type;
	uint64_t id, parent_id;
	uint32_t old_id, old_parent_id;
	unsigned char rest[448];
};

#define STATMOUNT_SB_BASIC 0x1u
#define STATMOUNT_MNT_BASIC 0x2u
#define LSMT_ROOT UINT64_MAX
#define FUSE_SUPER_MAGIC 0x65735546u

static bool mount_status(uint64_t id, struct mount_status *status)
{
	const uint64_t wanted = STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC;
	struct mount_request request = {.size = sizeof(request), .id = id, .param = wanted};

	return syscall(SYS_statmount, &request, status, sizeof(*status), 0) == 0 &&
	       (status->mask & wanted) == wanted;
}

static const struct trusted_mount *find_old(const struct trusted_mounts *mounts, uint64_t id)
{
	size_t low = 0, high = mounts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mounts->mounts[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < mounts->count && mounts->mounts[low].id == id ? &mounts->mounts[low] : NULL;
}

static bool is_same_mount(const struct trusted_mount *mount, const struct mount_status *status)
{
	if (status->magic == FUSE_SUPER_MAGIC)
		return false;
	return mount->major == TRUSTED_MOUNT_ANY_DEVICE ||
	       (mount->major == status->device_major && mount->minor == status->device_minor);
}

static int compare(const void *left, const void *right)
{
	const struct trusted_mount *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

/* Adds the mount to the unique ones, if it is one of the snapshot. */
static void consider(const struct trusted_mounts *mounts, uint64_t id, struct trusted_mount *unique,
	uint32_t *count)
{
	struct mount_status status = {.mask = 0};
	const struct trusted_mount *mount;

	if (!mount_status(id, &status))
		return; /* it has gone, or cannot be reached from here */
	mount = find_old(mounts, status.old_id);
	if (mount == NULL || !is_same_mount(mount, &status) || *count == mounts->count)
		return;
	unique[*count] = *mount;
	unique[(*count)++].id = id;
}

int mountid_make_unique(struct trusted_mounts *mounts)
{
	struct mount_request request = {.size = sizeof(request), .id = LSMT_ROOT};
	struct trusted_mount *unique;
	uint64_t ids[256];
	uint32_t count = 0;
	long listed;

	unique = calloc(mounts->count > 0 ? mounts->count : 1, sizeof(*unique));
	if (unique == NULL)
		return -ENOMEM;
	while ((listed = syscall(SYS_listmount, &request, ids, sizeof(ids) / sizeof(ids[0]), 0)) >
		0) {
		for (long i = 0; i < listed; i++)
			consider(mounts, ids[i], unique, &count);
		request.param = ids[listed - 1];
	}
	/* ENOSYS: an older kernel. EPERM: a container's filter of system calls. */
	if (listed == 0 && count > 0) {
		memcpy(mounts->mounts, unique, count * sizeof(*unique));
		mounts->count = count;
		mounts->is_unique = 1;
		qsort(mounts->mounts, count, sizeof(mounts->mounts[0]), compare);
	}
	free(unique);
	return 0;
}

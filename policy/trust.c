/* SPDX-License-Identifier: MIT */
/*
 * Reads the table of mounts and says which of them, and which directories, nobody unprivileged
 * serves, fills or may write to.
 *
 * What is not understood is not trusted: a mount whose chain of parents does not end at the root
 * mount, a status without the fields that matter, a mount that came after the snapshot.
 *
 * Must never ask a file system anything but statx(2) with AT_STATX_DONT_SYNC: the one asked about
 * may be served by whoever is to be kept out, and may never answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "mountid.h"
#include "trust.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U /* Linux 6.8 */
#endif

/* Compared with what stands before the first dot: "fuse.sshfs" is type fuse, subtype sshfs. */
static const char *const excluded_types[] = {
	/* served by a program, often a user's own */
	"fuse", "fuseblk", "virtiofs", "coda", "autofs", "proc",
	/* by another machine or under its locks: it may not answer, and its root may write */
	"9p", "afs", "beegfs", "ceph", "cifs", "gfs2", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
	"ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "vmhgfs",
	/* without owners and modes of their own: what statx(2) says of them is made up */
	"exfat", "hfs", "msdos", "ntfs", "ntfs3", "vfat"};

/* Where removable media and users' own things are mounted, whatever their type. */
static const char *const excluded_places[] = {"/media", "/run/media", "/run/user"};

/* See TRUSTED_MOUNT_ANY_DEVICE. */
static const char *const many_device_types[] = {"aufs", "bcachefs", "btrfs", "overlay"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct mount {
	uint64_t id, parent;
	uint32_t major, minor;
	bool is_root;     /* mounted on / */
	bool is_accepted; /* by itself, its parents aside */
};

struct mount_table {
	struct mount *mounts;
	size_t count, capacity;
};

static void mount_table_end(struct mount_table *table)
{
	free(table->mounts);
}

static bool type_is_among(const char *const *types, size_t count, const char *type)
{
	size_t length = strcspn(type, ".");

	for (size_t i = 0; i < count; i++)
		if (strlen(types[i]) == length && memcmp(types[i], type, length) == 0)
			return true;
	return false;
}

static bool place_is_excluded(const char *point)
{
	for (size_t i = 0; i < COUNT(excluded_places); i++) {
		size_t length = strlen(excluded_places[i]);

		if (strncmp(point, excluded_places[i], length) == 0 &&
			(point[length] == '/' || point[length] == '\0'))
			return true;
	}
	return false;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Space, tab, newline and backslash stand as \040 and so on (man 5 proc, man 5 fstab). */
static void octal_unescape(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from != '\0') {
		if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) &&
			is_octal(from[3])) {
			*to++ = (char)(((from[1] - '0') << 6) | ((from[2] - '0') << 3) |
				       (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* A decimal number that ends where `end` stands; *text moves behind it. */
static bool number_parse(const char **text, char end, uint64_t max, uint64_t *number)
{
	char *stop;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, &stop, 10);
	if (errno != 0 || *stop != end || *number > max)
		return false;
	*text = stop + (end != '\0');
	return true;
}

static bool device_parse(const char *text, struct mount *mount)
{
	uint64_t major, minor;

	if (!number_parse(&text, ':', UINT32_MAX, &major) ||
		!number_parse(&text, '\0', UINT32_MAX, &minor))
		return false;
	mount->major = (uint32_t)major;
	mount->minor = (uint32_t)minor;
	return true;
}

/* The fixed fields of a line (man 5 proc), then optional ones up to a "-", then the type. */
enum { FIELD_ID, FIELD_PARENT, FIELD_DEVICE, FIELD_ROOT, FIELD_POINT, FIELD_OPTIONS, FIELD_COUNT };

/* Takes the line apart in place; NULL: not as it should be. */
static const char *line_split(char *line, char *fields[static FIELD_COUNT])
{
	const char *optional;

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		fields[i] = strsep(&line, " ");
		if (fields[i] == NULL)
			return NULL;
	}
	do {
		optional = strsep(&line, " ");
		if (optional == NULL)
			return NULL;
	} while (strcmp(optional, "-") != 0);
	return strsep(&line, " ");
}

static bool mount_parse(char *line, struct mount *mount)
{
	char *fields[FIELD_COUNT];
	const char *id, *parent, *type;

	type = line_split(line, fields);
	if (type == NULL)
		return false;
	id = fields[FIELD_ID];
	parent = fields[FIELD_PARENT];
	if (!number_parse(&id, '\0', UINT64_MAX, &mount->id) ||
		!number_parse(&parent, '\0', UINT64_MAX, &mount->parent) ||
		!device_parse(fields[FIELD_DEVICE], mount))
		return false;
	octal_unescape(fields[FIELD_POINT]);
	mount->is_root = strcmp(fields[FIELD_POINT], "/") == 0;
	mount->is_accepted = !type_is_among(excluded_types, COUNT(excluded_types), type) &&
			     !place_is_excluded(fields[FIELD_POINT]);
	if (type_is_among(many_device_types, COUNT(many_device_types), type))
		mount->major = mount->minor = TRUSTED_MOUNT_ANY_DEVICE;
	return true;
}

static int mount_table_add(struct mount_table *table, const struct mount *mount)
{
	if (table->count == table->capacity) {
		size_t capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
		struct mount *mounts = reallocarray(table->mounts, capacity, sizeof(*mounts));

		if (mounts == NULL)
			return -ENOMEM;
		table->mounts = mounts;
		table->capacity = capacity;
	}
	table->mounts[table->count++] = *mount;
	return 0;
}

static int mount_compare(const void *left, const void *right)
{
	const struct mount *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

static int mount_table_read(struct mount_table *table, FILE *mountinfo)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t length;

	errno = 0;
	while ((length = getline(&line, &size, mountinfo)) > 0) {
		struct mount mount;

		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (!mount_parse(line, &mount))
			return -EBADMSG;
		if (mount_table_add(table, &mount) < 0)
			return -ENOMEM;
		errno = 0;
	}
	if (!feof(mountinfo))
		return errno != 0 ? -errno : -EIO;
	if (table->count > 0)
		qsort(table->mounts, table->count, sizeof(table->mounts[0]), mount_compare);
	return 0;
}

static const struct mount *mount_find(const struct mount_table *table, uint64_t id)
{
	const struct mount key = {.id = id};

	if (table->count == 0)
		return NULL;
	return bsearch(&key, table->mounts, table->count, sizeof(key), mount_compare);
}

/*
 * Is every mount from this one up to the root mount accepted? The parent of the root mount is not
 * in the table, or is the root mount itself; any other mount without a parent hangs below
 * something that cannot be seen from here, after chroot(2) for example. The number of steps is
 * bounded because the kernel writes the table piece by piece, and mounts may move meanwhile.
 */
static bool mount_chain_is_accepted(const struct mount_table *table, const struct mount *mount)
{
	for (size_t steps = 0; steps < table->count; steps++) {
		const struct mount *parent;

		if (!mount->is_accepted)
			return false;
		parent = mount->parent == mount->id ? NULL : mount_find(table, mount->parent);
		if (parent == NULL)
			return mount->is_root;
		mount = parent;
	}
	return false;
}

int trusted_mounts_parse(FILE *mountinfo, struct trusted_mounts **mounts)
{
	_cleanup_(mount_table_end) struct mount_table table = {0};
	struct trusted_mounts *trusted;
	int r;

	r = mount_table_read(&table, mountinfo);
	if (r < 0)
		return r;
	if (table.count > UINT32_MAX)
		return -EOVERFLOW;
	trusted = calloc(1, sizeof(*trusted) + table.count * sizeof(trusted->mounts[0]));
	if (trusted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table.count; i++) {
		const struct mount *mount = &table.mounts[i];

		if (mount_chain_is_accepted(&table, mount))
			trusted->mounts[trusted->count++] = (struct trusted_mount){
				.id = mount->id, .major = mount->major, .minor = mount->minor};
	}
	*mounts = trusted;
	return 0;
}

int trusted_mounts_read(struct trusted_mounts **mounts)
{
	FILE *mountinfo;
	int r;

	mountinfo = fopen("/proc/self/mountinfo", "re");
	if (mountinfo == NULL)
		return -errno;
	r = trusted_mounts_parse(mountinfo, mounts);
	(void)fclose(mountinfo);
	return r < 0 ? r : mountid_make_unique(*mounts);
}

int trusted_mounts_remain(const struct trusted_mounts *mounts)
{
	_cleanup_free_ struct trusted_mounts *now = NULL;
	uint32_t at = 0;
	int r;

	if (mounts->is_unique)
		return 1;
	r = trusted_mounts_read(&now);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < mounts->count; i++) {
		while (at < now->count && now->mounts[at].id < mounts->mounts[i].id)
			at++;
		if (at == now->count ||
			memcmp(&now->mounts[at], &mounts->mounts[i], sizeof(now->mounts[at])) != 0)
			return 0;
	}
	return 1;
}

int trust_statx(const struct trusted_mounts *mounts, int fd, struct statx *status)
{
	const unsigned int id =
		mounts != NULL && mounts->is_unique ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | id, status) < 0)
		return -errno;
	return 0;
}

static bool device_matches(const struct trusted_mount *mount, const struct statx *status)
{
	if (mount->major == TRUSTED_MOUNT_ANY_DEVICE && mount->minor == TRUSTED_MOUNT_ANY_DEVICE)
		return true;
	return mount->major == status->stx_dev_major && mount->minor == status->stx_dev_minor;
}

bool trusted_mounts_hold(const struct trusted_mounts *mounts, const struct statx *status)
{
	size_t low = 0, high = mounts->count;

	if ((status->stx_mask & (mounts->is_unique ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID)) == 0)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mounts->mounts[middle].id < status->stx_mnt_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < mounts->count && mounts->mounts[low].id == status->stx_mnt_id &&
	       device_matches(&mounts->mounts[low], status);
}

enum distrust trust_judge(const struct trusted_mounts *mounts, const struct statx *status)
{
	const uint32_t needed = STATX_TYPE | STATX_MODE | STATX_UID;

	if ((status->stx_mask & needed) != needed || !trusted_mounts_hold(mounts, status))
		return DISTRUST_MOUNT;
	if (status->stx_uid != 0)
		return DISTRUST_OWNER;
	if ((status->stx_mode & (S_IWGRP | S_IWOTH)) != 0 && !S_ISLNK(status->stx_mode))
		return DISTRUST_WRITABLE;
	return DISTRUST_NONE;
}

bool directory_is_trusted(const struct trusted_mounts *mounts, const struct statx *status)
{
	return S_ISDIR(status->stx_mode) && trust_judge(mounts, status) == DISTRUST_NONE;
}

/* SPDX-License-Identifier: MIT */
/*
 * A byte of a file that all executors have in common stands for a name in a folder (F_OFD_SETLKW of
 * fcntl(2)). The folder itself will not do: whoever may read it could lock it.
 *
 * Must never: let one name stand for another. Users choose names, and on file systems of their own
 * the numbers too; so which byte it is depends on a key that they do not know.
 *
 * Names that a folder takes for the same though they differ (casefold, ext4(5)) have turns of their
 * own: there two executors can be at one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "folder.h"
#include "object.h"
#include "openat2.h"

/* What tells it from every other name. */
struct place {
	uint64_t ino;
	uint32_t dev_major, dev_minor;
	char name[FDBROKER_PATH_MAX + 1];
};

/* -1: it is not known. */
static off_t byte_of(const struct server *server, int folder, const char *name)
{
	struct place place;
	struct statx status;
	size_t length = strlen(name);

	if (trust_statx(server->walker.mounts, folder, &status) < 0 || length >= sizeof(place.name))
		return -1;
	place.ino = status.stx_ino;
	place.dev_major = status.stx_dev_major;
	place.dev_minor = status.stx_dev_minor;
	memcpy(place.name, name, length);
	/* off_t is signed, and a lock ends before its largest value. */
	return (off_t)(siphash(&server->turns_key, &place, offsetof(struct place, name) + length) >>
		       2);
}

static int byte_lock(const struct server *server, off_t byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	if (byte < 0)
		return EIO;
	return fcntl(server->turns, F_OFD_SETLKW, &lock) < 0 ? errno : 0;
}

int folder_lock(const struct server *server, int folder, const char *name)
{
	return byte_lock(server, byte_of(server, folder, name));
}

/* As rename(2), which looks at this first. 0 or a positive errno. */
static int check_mount(const struct server *server, int first, int second)
{
	struct statx a, b;

	if (trust_statx(server->walker.mounts, first, &a) < 0 ||
		trust_statx(server->walker.mounts, second, &b) < 0)
		return EIO;
	return a.stx_mnt_id != b.stx_mnt_id ? EXDEV : 0;
}

int folder_lock_both(
	const struct server *server, const struct walk *first, const struct walk *second)
{
	off_t a = byte_of(server, first->parent, object_name(first));
	off_t b = byte_of(server, second->parent, object_name(second));
	int error = check_mount(server, first->parent, second->parent);

	if (error == 0)
		error = byte_lock(server, a < b ? a : b); /* in one order, or both wait */
	if (error == 0 && a != b)
		error = byte_lock(server, a < b ? b : a);
	if (error != 0)
		folder_unlock(server);
	return error;
}

void folder_unlock(const struct server *server)
{
	struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(server->turns, F_OFD_SETLKW, &all);
}

int folder_hold(const struct walk *walk, const char *name)
{
	return openat2_at(walk->parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

bool folder_is_fresh(const struct server *server, int made, mode_t type, uid_t owner)
{
	struct statx status;

	return trust_statx(server->walker.mounts, made, &status) == 0 &&
	       (status.stx_mode & (S_IFMT | 0777)) == type && status.stx_uid == owner;
}

/* The object is held open, so its number is nobody else's. */
static bool is_same(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor &&
	       (a->stx_mode & S_IFMT) == (b->stx_mode & S_IFMT);
}

bool folder_still_has(
	const struct server *server, const struct walk *walk, const struct statx *status)
{
	_cleanup_close_ int held = folder_hold(walk, object_name(walk));
	struct statx now;

	return held >= 0 && trust_statx(server->walker.mounts, held, &now) == 0 &&
	       is_same(&now, status);
}

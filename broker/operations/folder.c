/* SPDX-License-Identifier: MIT */
/*
 * One byte of a file that all executors have in common stands for a folder (F_OFD_SETLKW of
 * fcntl(2)). The folder itself will not do: whoever may read it could lock it.
 *
 * Must never: let a user's folder stand for another's, in which the user could then hold everybody
 * up: where the file system chooses the numbers they are too many to be met by trying, and a user's
 * own file system, which chooses as it likes, has bytes apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "folder.h"
#include "object.h"
#include "openat2.h"

/* Every bit of the number makes a difference to every bit of what comes out (splitmix64). */
static uint64_t mix(uint64_t number)
{
	number += UINT64_C(0x9e3779b97f4a7c15);
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

/* Which byte; the upper half is for file systems that are not trusted. -1: it is not known. */
static off_t byte_of(const struct server *server, int folder)
{
	struct statx status;
	uint64_t number;

	if (trust_statx(server->walker.mounts, folder, &status) < 0)
		return -1;
	number = mix(mix((uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor) ^
		     status.stx_ino);
	/* off_t is signed, and a lock ends before its largest value. */
	number >>= 2;
	if (!trusted_mounts_hold(server->walker.mounts, &status))
		number |= UINT64_C(1) << 62;
	return (off_t)number;
}

static int byte_lock(const struct server *server, off_t byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	if (byte < 0)
		return EIO;
	return fcntl(server->lock, F_OFD_SETLKW, &lock) < 0 ? errno : 0;
}

int folder_lock(const struct server *server, int folder)
{
	return byte_lock(server, byte_of(server, folder));
}

/* EXDEV, as of rename(2), which also looks at this first. 0 or a positive errno. */
static int folders_check_mount(const struct server *server, int first, int second)
{
	struct statx a, b;

	if (trust_statx(server->walker.mounts, first, &a) < 0 ||
		trust_statx(server->walker.mounts, second, &b) < 0)
		return EIO;
	return a.stx_mnt_id != b.stx_mnt_id ? EXDEV : 0;
}

/* Never of two mounts: whose turn in a user's own one never comes would hold up the other. */
int folder_lock_both(const struct server *server, int first, int second)
{
	int error = folders_check_mount(server, first, second);
	off_t a = byte_of(server, first), b = byte_of(server, second);

	if (error != 0)
		return error;
	error = byte_lock(server, a < b ? a : b); /* in one order, or two wait for each other */
	if (error == 0 && a != b)
		error = byte_lock(server, a < b ? b : a);
	if (error != 0)
		folder_unlock(server);
	return error;
}

void folder_unlock(const struct server *server)
{
	struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(server->lock, F_OFD_SETLKW, &all);
}

int folder_hold(const struct walk *walk, const char *name)
{
	return openat2_at(walk->parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
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

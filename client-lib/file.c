/* SPDX-License-Identifier: MIT */
/*
 * What is done to a path without opening it: fdbroker_stat() to fdbroker_watch(). This file must
 * never look at a path itself, which a sandboxed caller could be killed for, and which would be
 * another object than the broker's: what the text alone says is all it can tell.
 */
#include "call.h"
#include "copy.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ---- from a path to a request ---- */

/* What the kernel says where a name to be made or removed is none: fs/namei.c. 0 if it is one. */
static int check_last_component(enum fdbroker_operation operation, enum last_component last)
{
	if (last == LAST_NAME)
		return 0;
	switch (operation) {
	case FDBROKER_MKDIR:
		return EEXIST;
	case FDBROKER_UNLINK:
		return EISDIR;
	case FDBROKER_RMDIR:
		return last == LAST_DOT ? EINVAL : EBUSY;
	case FDBROKER_RENAME:
		return EBUSY;
	default:
		return 0;
	}
}

/*
 * Adds a path, whose bytes are in *full from then on. Behind a slash at the end a link is followed,
 * whatever was asked for: path_resolution(7). Returns 0 or a positive errno.
 */
static int add_path(struct fdbroker_request *request, unsigned int index, struct full_path *full,
	const char *path)
{
	int error = full_path_make(full, AT_FDCWD, path);

	if (error != 0)
		return error;
	/* Operations that the slash makes no difference to have no flags on the wire. */
	if (full->wants_directory)
		request->find.flags = (request->find.flags & ~(uint32_t)O_NOFOLLOW) | O_DIRECTORY;
	if (full->wants_directory && request->operation == FDBROKER_WATCH)
		request->watch.mask &= ~(uint32_t)IN_DONT_FOLLOW;
	request->texts[index] = (struct fdbroker_text){full->bytes, full->length};
	return check_last_component(request->operation, full->last);
}

/* What comes back as data is taken into target; take is NULL where nothing does. */
static struct call_outcome ask(struct fdbroker *broker, struct fdbroker_request request,
	const char *path, int descriptor, call_take_data *take, void *target)
{
	struct full_path full;
	int error = broker == NULL ? EFAULT : add_path(&request, 0, &full, path);

	if (error != 0)
		return outcome_refused(error, FDBROKER_REASON_LOCAL);
	return call_for_data(broker, &request, descriptor, take, target);
}

static struct call_outcome ask_plainly(
	struct fdbroker *broker, enum fdbroker_operation operation, const char *path, int mode)
{
	const struct fdbroker_request request = {.operation = operation, .find.mode = mode};

	return ask(broker, request, path, -1, NULL, NULL);
}

/* ---- looking ---- */

static bool is_time_sound(uint32_t nanoseconds)
{
	return nanoseconds < 1000000000;
}

static bool is_status_sound(const struct fdbroker_status *status)
{
	return status->size <= INT64_MAX && status->blocks <= INT64_MAX &&
	       (status->mode & S_IFMT) != 0 && (status->mode & ~(S_IFMT | 07777u)) == 0 &&
	       is_time_sound(status->atime_nsec) && is_time_sound(status->mtime_nsec) &&
	       is_time_sound(status->ctime_nsec);
}

static bool take_status(void *target, const unsigned char *data, size_t length)
{
	struct stat *taken = target;
	struct fdbroker_status status;

	if (length != sizeof(status))
		return false;
	memcpy(&status, data, sizeof(status));
	if (!is_status_sound(&status))
		return false;
	*taken = (struct stat){
		.st_dev = makedev(status.dev_major, status.dev_minor),
		.st_ino = status.ino,
		.st_mode = status.mode,
		.st_nlink = status.nlink,
		.st_uid = status.uid,
		.st_gid = status.gid,
		.st_rdev = makedev(status.rdev_major, status.rdev_minor),
		.st_size = (off_t)status.size,
		.st_blksize = (blksize_t)status.blksize,
		.st_blocks = (blkcnt_t)status.blocks,
		.st_atim = {.tv_sec = status.atime, .tv_nsec = (long)status.atime_nsec},
		.st_mtim = {.tv_sec = status.mtime, .tv_nsec = (long)status.mtime_nsec},
		.st_ctim = {.tv_sec = status.ctime, .tv_nsec = (long)status.ctime_nsec},
	};
	return true;
}

static int find(struct fdbroker *broker, const char *path, int flags, struct stat *status)
{
	struct fdbroker_request request = {
		.operation = FDBROKER_STAT, .find.flags = (uint32_t)flags};

	if (status == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	return outcome_report(ask(broker, request, path, -1, take_status, status));
}

int fdbroker_stat(struct fdbroker *broker, const char *path, struct stat *status)
{
	return find(broker, path, 0, status);
}

int fdbroker_lstat(struct fdbroker *broker, const char *path, struct stat *status)
{
	return find(broker, path, O_NOFOLLOW, status);
}

int fdbroker_access(struct fdbroker *broker, const char *path, int mode)
{
	return outcome_report(ask_plainly(broker, FDBROKER_ACCESS, path, mode));
}

/* Where the text of a link goes, and how much of it went there. */
struct destination {
	char *bytes;
	size_t size, length;
};

static bool take_link(void *target, const unsigned char *data, size_t length)
{
	struct destination *destination = target;
	struct fdbroker_text text;

	if (fdbroker_text_decode(data, length, &text) != 0 || text.length > FDBROKER_PATH_MAX)
		return false;
	destination->length = text.length < destination->size ? text.length : destination->size;
	memcpy(destination->bytes, text.bytes, destination->length);
	return true;
}

ssize_t fdbroker_readlink(struct fdbroker *broker, const char *path, char *text, size_t size)
{
	struct fdbroker_request request = {.operation = FDBROKER_READLINK};
	struct destination destination = {text, size, 0};

	if (size == 0)
		return report_outcome(EINVAL, FDBROKER_REASON_LOCAL);
	if (text == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	struct call_outcome outcome = ask(broker, request, path, -1, take_link, &destination);
	return outcome_report(outcome) == 0 ? (ssize_t)destination.length : -1;
}

/* ---- making, removing, renaming ---- */

int fdbroker_mkdir(struct fdbroker *broker, const char *path, mode_t mode)
{
	(void)mode; /* is the policy's affair */
	return outcome_report(ask_plainly(broker, FDBROKER_MKDIR, path, 0));
}

int fdbroker_unlink(struct fdbroker *broker, const char *path)
{
	return outcome_report(ask_plainly(broker, FDBROKER_UNLINK, path, 0));
}

int fdbroker_rmdir(struct fdbroker *broker, const char *path)
{
	return outcome_report(ask_plainly(broker, FDBROKER_RMDIR, path, 0));
}

int fdbroker_rename(struct fdbroker *broker, const char *path, const char *new_path)
{
	struct fdbroker_request request = {.operation = FDBROKER_RENAME};
	struct full_path new_full;
	int error = add_path(&request, 1, &new_full, new_path);

	if (error != 0)
		return report_outcome(error, FDBROKER_REASON_LOCAL);
	return outcome_report(ask(broker, request, path, -1, NULL, NULL));
}

/* ---- folders, and what may be had at all ---- */

/* Returns a descriptor to read the answer from, or -1. */
static int ask_for_text(struct fdbroker *broker, const struct fdbroker_request *request)
{
	if (broker == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	struct call_outcome outcome = call_with_memory(broker, request);
	outcome_report(outcome);
	return outcome.fd;
}

int fdbroker_list(struct fdbroker *broker, const char *path)
{
	struct fdbroker_request request = {.operation = FDBROKER_LIST};
	struct full_path full;
	int error = add_path(&request, 0, &full, path);

	if (error != 0)
		return report_outcome(error, FDBROKER_REASON_LOCAL);
	return ask_for_text(broker, &request);
}

int fdbroker_grants(struct fdbroker *broker)
{
	const struct fdbroker_request request = {.operation = FDBROKER_GRANTS};

	return ask_for_text(broker, &request);
}

static bool take_number(void *target, const unsigned char *data, size_t length)
{
	int32_t number;

	if (length != sizeof(number))
		return false;
	memcpy(&number, data, sizeof(number));
	*(int *)target = number;
	return number >= 0;
}

int fdbroker_watch(struct fdbroker *broker, int inotify_fd, const char *path, unsigned int mask)
{
	struct fdbroker_request request = {.operation = FDBROKER_WATCH, .watch.mask = mask};
	int number = -1;

	if (inotify_fd < 0)
		return report_outcome(EBADF, FDBROKER_REASON_LOCAL);
	struct call_outcome outcome = ask(broker, request, path, inotify_fd, take_number, &number);
	return outcome_report(outcome) == 0 ? number : -1;
}

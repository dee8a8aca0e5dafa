/* SPDX-License-Identifier: MIT */
/*
 * Must never act on anything that the program could change meanwhile: path and flags are copied
 * once. What continues is read again by the kernel, and may be something else by then; but the
 * program's own rights decide on that too.
 */
#include "open.h"
#include "answer.h"
#include "cleanup.h"
#include "name.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

struct opening {
	int dirfd;
	uint64_t path; /* its address */
	struct open_how how;
};

/* What is asked for, by name. */
struct wanted_file {
	struct name name;
	struct open_how how;
};

static bool guess(struct grants *grants, const void *argument)
{
	const struct wanted_file *file = argument;

	return grants_open(grants, file->name.text, file->name.length, (int)file->how.flags);
}

static int ask(struct fdbroker *broker, void *argument)
{
	const struct wanted_file *file = argument;

	return fdbroker_open(
		broker, file->name.text, (int)file->how.flags | O_CLOEXEC, (mode_t)file->how.mode);
}

/* O_PATH gives no access, and what it is for is to go on from there. O_TMPFILE has no name. */
static bool is_served(const struct open_how *how)
{
	return how->resolve == 0 && (how->flags & O_PATH) == 0 &&
	       (how->flags & O_TMPFILE) != O_TMPFILE;
}

/* False: it is nothing to ask the broker for. */
static bool find_file(struct wanted_file *file, struct receiver *receiver,
	const struct notification *notification, const struct opening *opening)
{
	char path[PATH_MAX];

	file->how = opening->how;
	if (!is_served(&file->how) || !target_read_path(notification->thread, opening->path, path))
		return false;
	if (name_may_wait(path))
		receiver_may_wait(receiver);
	if (!name_make(&file->name, notification->thread, opening->dirfd, path))
		return false;
	if (file->name.wants_folder)
		file->how.flags |= O_DIRECTORY;
	return answer_is_for_broker(receiver, notification, guess, file);
}

/* False: the broker refuses. */
static bool open_by_broker(struct receiver *receiver, const struct notification *notification,
	struct wanted_file *file)
{
	int error;
	_cleanup_close_ int fd = answer_ask(receiver, ask, file, &error);

	if (fd >= 0)
		notification_return_descriptor(
			notification, fd, (file->how.flags & O_CLOEXEC) != 0);
	else if (error != 0)
		notification_return(notification, error);
	return fd >= 0 || error != 0;
}

static void serve(struct receiver *receiver, const struct notification *notification,
	const struct opening *opening)
{
	struct wanted_file file;

	if (!find_file(&file, receiver, notification, opening) ||
		!open_by_broker(receiver, notification, &file))
		answer_without_broker(receiver, notification);
}

/* ---- the ways to say it ---- */

void serve_open(struct receiver *receiver, const struct notification *notification)
{
	const uint64_t *arguments = notification->arguments;

	serve(receiver, notification,
		&(struct opening){AT_FDCWD, arguments[0],
			{.flags = (uint32_t)arguments[1], .mode = (mode_t)arguments[2]}});
}

void serve_creat(struct receiver *receiver, const struct notification *notification)
{
	const uint64_t *arguments = notification->arguments;

	serve(receiver, notification,
		&(struct opening){AT_FDCWD, arguments[0],
			{.flags = O_CREAT | O_WRONLY | O_TRUNC, .mode = (mode_t)arguments[1]}});
}

void serve_openat(struct receiver *receiver, const struct notification *notification)
{
	const uint64_t *arguments = notification->arguments;

	serve(receiver, notification,
		&(struct opening){(int)arguments[0], arguments[1],
			{.flags = (uint32_t)arguments[2], .mode = (mode_t)arguments[3]}});
}

/*
 * What is longer than this knows is all zeroes, or asks for something of a later kernel. openat2(2)
 * refuses what openat(2) cuts off: of all that is wrong the kernel tells.
 */
static bool read_how(struct open_how *how, pid_t thread, uint64_t address, uint64_t size)
{
	unsigned char bytes[4096]; /* a page: the most that the kernel takes */

	if (size < sizeof(*how) || size > sizeof(bytes) ||
		!target_read(thread, address, bytes, size))
		return false;
	for (size_t i = sizeof(*how); i < size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	memcpy(how, bytes, sizeof(*how));
	return how->flags <= INT_MAX &&
	       (how->mode & ~(uint64_t)(how->flags & O_CREAT ? 07777 : 0)) == 0;
}

void serve_openat2(struct receiver *receiver, const struct notification *notification)
{
	const uint64_t *arguments = notification->arguments;
	struct opening opening = {(int)arguments[0], arguments[1], {.flags = 0}};

	if (read_how(&opening.how, notification->thread, arguments[2], arguments[3]))
		serve(receiver, notification, &opening);
	else
		answer_without_broker(receiver, notification);
}

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
#include "notification.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>

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
static bool is_for_broker(const struct open_how *how)
{
	return how->resolve == 0 && (how->flags & O_PATH) == 0 &&
	       (how->flags & O_TMPFILE) != O_TMPFILE;
}

/* False: it is nothing to ask the broker for. */
static bool find_file(struct wanted_file *file, struct receiver *receiver,
	const struct notification *notification, const struct opening *opening)
{
	const pid_t thread = notification->thread;
	char path[PATH_MAX];

	file->how = opening->how;
	if (!is_for_broker(&file->how) || !target_read_path(thread, opening->path, path) ||
		!name_make(&file->name, receiver, thread, opening->dirfd, path))
		return false;
	if (file->name.wants_folder)
		file->how.flags |= O_DIRECTORY;
	return answer_may_be_granted(receiver, guess, file) &&
	       target_is_at(thread, &receiver->supervision->place) &&
	       notification_is_alive(notification);
}

/* False: the broker refuses. */
static bool open_by_broker(struct receiver *receiver, const struct notification *notification,
	struct wanted_file *file)
{
	_cleanup_close_ int fd = -1;
	int error;

	receiver_may_wait(receiver);
	fd = connections_ask(&receiver->supervision->connections, &receiver->broker, ask, file);
	if (fd >= 0) {
		notification_return_descriptor(
			notification, fd, (file->how.flags & O_CLOEXEC) != 0);
		return true;
	}
	error = answer_errno(fdbroker_last_reason(), errno);
	if (error != 0)
		notification_return(notification, error);
	return error != 0;
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

/* One that is larger has what this does not know of; of what is wrong with it the kernel tells. */
void serve_openat2(struct receiver *receiver, const struct notification *notification)
{
	const uint64_t *arguments = notification->arguments;
	struct opening opening = {(int)arguments[0], arguments[1], {.flags = 0}};

	if (arguments[3] == sizeof(opening.how) &&
		target_read(
			notification->thread, arguments[2], &opening.how, sizeof(opening.how)) &&
		opening.how.flags <= INT_MAX)
		serve(receiver, notification, &opening);
	else
		answer_without_broker(receiver, notification);
}

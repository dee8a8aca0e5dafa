/* SPDX-License-Identifier: MIT */
/*
 * fdbroker_open(), fdbroker_openat(), fdbroker_open_many(): one file is many files, of which there
 * is one. This file must never send what only the caller's process can know: a working directory,
 * a descriptor number, O_CLOEXEC.
 */
#include "call.h"
#include "copy.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#define NO_ROOM (-1)

/* Returns 0, NO_ROOM if the packet is full, or a positive errno: then it will not be asked. */
static int ask_open(struct call *call, int dirfd, const struct fdbroker_open_request *file)
{
	struct full_path full;
	int flags = file->flags & ~O_CLOEXEC;
	int error = full_path_make(&full, dirfd, file->path);

	if (error != 0)
		return error;
	if (full.wants_directory && (flags & O_CREAT))
		return EISDIR;
	/* Behind a slash a link is followed, whatever was asked for: path_resolution(7). */
	if (full.wants_directory)
		flags = (flags & ~O_NOFOLLOW) | O_DIRECTORY;

	struct fdbroker_request request = {
		.operation = FDBROKER_OPEN,
		.open.flags = (uint32_t)flags,
		.path = {full.bytes, full.length},
	};
	return call_add(call, &request) ? 0 : NO_ROOM;
}

static void settle(struct fdbroker_open_request *file, const struct call_outcome *outcome)
{
	file->fd = outcome->fd;
	file->error = outcome->error;
	file->reason = outcome->reason;
	if (file->fd != -1 && !(file->flags & O_CLOEXEC))
		fcntl(file->fd, F_SETFD, 0);
}

static void settle_unasked(struct fdbroker_open_request *file, int error)
{
	const struct call_outcome outcome = outcome_refused(error, FDBROKER_REASON_LOCAL);

	settle(file, &outcome);
}

/* Asks for a copy of the file where the rule hands out copies. */
static void settle_copy(struct fdbroker *broker, int dirfd, struct fdbroker_open_request *file)
{
	if (!wants_copy(file))
		return;
	const struct call_outcome outcome = copy_open(broker, dirfd, file);
	settle(file, &outcome);
}

/*
 * Opens as many of the files as fit into one packet and returns how many that were, at least one.
 * *unsent becomes 0 or a positive errno, as from call_finish().
 */
static size_t open_packet(struct fdbroker *broker, int dirfd, struct fdbroker_open_request *files,
	size_t count, int *unsent)
{
	struct fdbroker_open_request *asked[FDBROKER_REQUESTS_MAX];
	unsigned int asked_count = 0;
	struct call call;
	size_t done;
	int error = call_begin(&call, broker);

	*unsent = error;
	if (error != 0) {
		settle_unasked(&files[0], error);
		return 1;
	}
	for (done = 0; done < count; done++) {
		error = ask_open(&call, dirfd, &files[done]);
		if (error == NO_ROOM)
			break;
		if (error != 0)
			settle_unasked(&files[done], error);
		else
			asked[asked_count++] = &files[done];
	}
	*unsent = call_finish(&call, -1);
	for (unsigned int i = 0; i < asked_count; i++)
		settle(asked[i], &call.outcomes[i]);
	for (unsigned int i = 0; i < asked_count; i++)
		settle_copy(broker, dirfd, asked[i]);
	return done;
}

int fdbroker_openat(struct fdbroker *broker, int dirfd, const char *path, int flags, ...)
{
	struct fdbroker_open_request file = {.path = path, .flags = flags};
	int unsent;

	if (broker == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	open_packet(broker, dirfd, &file, 1, &unsent);
	report_outcome(file.error, file.reason);
	return file.fd;
}

int fdbroker_open(struct fdbroker *broker, const char *path, int flags, ...)
{
	return fdbroker_openat(broker, AT_FDCWD, path, flags);
}

/* Opens all of them. Returns 0, or a positive errno if not one packet could be sent. */
static int open_all(struct fdbroker *broker, struct fdbroker_open_request *files, size_t count)
{
	bool was_sent = false;
	int first_error = 0;

	for (size_t done = 0; done < count;) {
		int unsent;

		done += open_packet(broker, AT_FDCWD, files + done, count - done, &unsent);
		if (unsent == 0)
			was_sent = true;
		else if (first_error == 0)
			first_error = unsent;
	}
	return was_sent ? 0 : first_error;
}

static const struct fdbroker_open_request *first_failed(
	const struct fdbroker_open_request *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (files[i].error != 0)
			return &files[i];
	}
	return NULL;
}

static int count_opened(const struct fdbroker_open_request *files, size_t count)
{
	int opened = 0;

	for (size_t i = 0; i < count; i++)
		opened += files[i].error == 0;
	return opened;
}

int fdbroker_open_many(
	struct fdbroker *broker, struct fdbroker_open_request *requests, size_t count)
{
	if (broker == NULL || (requests == NULL && count > 0))
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	if (count > INT_MAX)
		return report_outcome(EINVAL, FDBROKER_REASON_LOCAL);

	int error = open_all(broker, requests, count);
	const struct fdbroker_open_request *failed = first_failed(requests, count);
	set_last_reason(failed != NULL ? failed->reason : FDBROKER_REASON_NONE);
	if (error != 0) {
		errno = error;
		return -1;
	}
	return count_opened(requests, count);
}

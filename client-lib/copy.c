/* SPDX-License-Identifier: MIT */
/*
 * What the broker gives as a file in memory: a copy of a file, and the names in a folder. This
 * process provides the memory, and is charged for it; the broker fills it in and seals it. This
 * file must never hand out memory that came back with a failure: there may be half a file in it.
 */
#include "copy.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3, and glibc 2.38 */
#define MFD_NOEXEC_SEAL 8u
#endif

/* Most files and folders are smaller; no rule hands out more, `max` in fdbroker.policy(5). */
#define FIRST_SIZE ((off_t)64 << 10)
#define LAST_SIZE ((off_t)4 << 30)
/* Of a file that is shorter each time when it has been read. */
#define TRIES_MAX 4

bool wants_copy(const struct fdbroker_open_request *file)
{
	return file->error == EOPNOTSUPP && file->reason == FDBROKER_REASON_COPY &&
	       (file->flags & O_ACCMODE) == O_RDONLY;
}

/* memfd_create(2). -1 and errno. */
static int make_memory(void)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int memory = memfd_create("fdbroker", flags | MFD_NOEXEC_SEAL);

	/* A kernel that does not know the flag. */
	if (memory < 0 && errno == EINVAL)
		memory = memfd_create("fdbroker", flags);
	return memory;
}

/* Allocated now, by this process: what the broker writes must not be on its account. */
static int grow(int memory, off_t size)
{
	while (fallocate(memory, 0, 0, size) != 0) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

/* It was too small; or the file became shorter meanwhile, and the memory is sealed. */
static bool wants_other_memory(const struct call_outcome *outcome)
{
	return outcome->reason == FDBROKER_REASON_COPY &&
	       (outcome->error == EMSGSIZE || outcome->error == EAGAIN);
}

static struct call_outcome fill(
	struct fdbroker *broker, const struct fdbroker_request *request, off_t size)
{
	int memory = make_memory();

	if (memory < 0)
		return outcome_refused(errno, FDBROKER_REASON_LOCAL);
	int error = grow(memory, size);
	struct call_outcome outcome = error == 0 ? call_once(broker, request, memory)
						 : outcome_refused(error, FDBROKER_REASON_LOCAL);
	if (outcome.error == 0)
		outcome.fd = memory;
	else
		close(memory);
	return outcome;
}

/*
 * With other memory each time, for the broker may have sealed it: with more where it was too small,
 * and not for ever with as much where the file was becoming shorter.
 */
static struct call_outcome fill_some(
	struct fdbroker *broker, const struct fdbroker_request *request)
{
	off_t size = FIRST_SIZE;
	int tries = 0;

	for (;;) {
		struct call_outcome outcome = fill(broker, request, size);

		if (!wants_other_memory(&outcome))
			return outcome;
		if (outcome.error == EMSGSIZE)
			size *= 4;
		else if (++tries == TRIES_MAX)
			return outcome_refused(EAGAIN, FDBROKER_REASON_LOCAL);
		if (size > LAST_SIZE)
			return outcome_refused(EFBIG, FDBROKER_REASON_LOCAL);
	}
}

struct call_outcome call_with_memory(
	struct fdbroker *broker, const struct fdbroker_request *request)
{
	int cancel_state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	struct call_outcome outcome = fill_some(broker, request);
	pthread_setcancelstate(cancel_state, NULL);
	return outcome;
}

struct call_outcome copy_open(
	struct fdbroker *broker, int dirfd, const struct fdbroker_open_request *file)
{
	struct full_path full;
	int error = full_path_make(&full, dirfd, file->path);

	if (error != 0)
		return outcome_refused(error, FDBROKER_REASON_LOCAL);
	struct fdbroker_request request = {
		.operation = FDBROKER_COPY,
		.find.flags = (uint32_t)(file->flags & (O_DIRECTORY | O_NOFOLLOW)),
		.path = {full.bytes, full.length},
	};
	if (full.wants_directory)
		request.find.flags = O_DIRECTORY; /* a link there is followed, see ask_open() */
	return call_with_memory(broker, &request);
}

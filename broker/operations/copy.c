/* SPDX-License-Identifier: MIT */
/*
 * A copy in place of a descriptor: the client sends a memfd whose pages it has allocated, so that
 * they are charged to it, and gets back how it went; the memfd then holds the file, and nobody can
 * change it any more. What the client does to it meanwhile it does to itself.
 *
 * Must never: write to anything but a memfd. What was sent may be any file; to write with the
 * broker's privileges would do more than the client could in some of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "object.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif

/* Only a memfd has seals and can be given more; of other files on a tmpfs all are set: fcntl(2). */
static bool is_memfd(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & ~F_SEAL_EXEC) == 0;
}

/* How many bytes the client has made room for: by ftruncate(2), and by fallocate(2). */
static uint64_t memfd_room(int fd)
{
	struct stat status;
	uint64_t allocated, size;

	if (fstat(fd, &status) < 0)
		return 0;
	allocated = (uint64_t)status.st_blocks * 512;
	size = (uint64_t)status.st_size;
	return size < allocated ? size : allocated;
}

/* All of the bytes. 0 or a positive errno. */
static int write_all(int fd, const char *bytes, size_t length, uint64_t at)
{
	while (length > 0) {
		ssize_t n = pwrite(fd, bytes, length, (off_t)at);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
			at += (uint64_t)n;
		}
	}
	return 0;
}

/* Up to `room` bytes; *length becomes how many there are, room + 1 if more. 0 or an errno. */
static int copy_bytes(int memfd, int file, uint64_t room, uint64_t *length)
{
	static char bytes[65536];
	int error = 0;

	for (*length = 0; error == 0 && *length <= room;) {
		ssize_t n = read(file, bytes, sizeof(bytes));

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return errno;
		if (n < 0)
			continue;
		if ((uint64_t)n > room - *length) {
			*length = room + 1;
			return 0;
		}
		error = write_all(memfd, bytes, (size_t)n, *length);
		*length += (uint64_t)n;
	}
	return error;
}

/* As long as the file, and never to be changed. 0 or a positive errno. */
static int memfd_finish(int memfd, uint64_t length)
{
	if (ftruncate(memfd, (off_t)length) < 0 ||
		fcntl(memfd, F_ADD_SEALS,
			F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return errno;
	return 0;
}

static enum served copy_to_memfd(int memfd, int file, uint64_t max, struct reply *reply)
{
	const uint64_t allocated = memfd_room(memfd), room = allocated < max ? allocated : max;
	uint64_t length;
	int error = copy_bytes(memfd, file, room, &length);

	if (error != 0)
		return reply_kernel(reply, error);
	if (length > room)
		return room == max ? reply_refuse(reply, EFBIG, FDBROKER_REASON_POLICY)
				   : reply_refuse(reply, EMSGSIZE, FDBROKER_REASON_COPY);
	error = memfd_finish(memfd, length);
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, -1);
}

static enum served copy_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	const uint32_t flags = request->find.flags, max = reply->decision.options.copy_max;
	_cleanup_close_ int file = -1;

	(void)asker;
	if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(walk->status.stx_mode))
		return reply_kernel(reply, ENOTDIR); /* of a link too: do_open() in fs/namei.c */
	if (S_ISLNK(walk->status.stx_mode))
		return reply_kernel(reply, ELOOP); /* open(2): O_NOFOLLOW */
	if (!S_ISREG(walk->status.stx_mode))
		return reply_refuse(reply, EACCES, FDBROKER_REASON_TYPE);
	if (max == 0)
		return reply_refuse(reply, EINVAL, FDBROKER_REASON_FLAGS); /* it is not copied */
	if (!is_memfd(received))
		return reply_refuse(reply, EINVAL, FDBROKER_REASON_COPY);
	file = object_reopen(server, walk, O_RDONLY);
	if (file < 0)
		return reply_kernel(reply, -file);
	return copy_to_memfd(received, file, max, reply);
}

enum served serve_copy(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_READ),
		.final = (request->find.flags & O_NOFOLLOW) != 0 ? WALK_FINAL_HOLD
								 : WALK_FINAL_FOLLOW,
		.may_wait = true,
		.found = copy_found,
	};

	if ((request->find.flags & ~(uint32_t)(O_DIRECTORY | O_NOFOLLOW)) != 0)
		return object_refuse_flags(request, reply);
	return object_serve(server, asker, request, received, reply, &way);
}

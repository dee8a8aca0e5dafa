/* SPDX-License-Identifier: MIT */
/*
 * A copy in place of a descriptor: the client sends a memfd, and gets back how it went; the memfd
 * then holds the file, as long as it was when it was opened, and nobody can change it any more.
 *
 * Must never: write to what the client has sent before it is known how long the file is, and that
 * the rule lets so much of it be copied.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "memfd.h"
#include "object.h"

/* read(2), never interrupted. Returns how many bytes, or a negative errno. */
static ssize_t read_some(int file, void *bytes, size_t size)
{
	ssize_t n;

	do
		n = read(file, bytes, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/*
 * How much there is to read, by reading it, until it is more than max. With a description of its
 * own: the other one stays at the beginning, and not everything can seek. 0 or a positive errno.
 */
static int count_bytes(
	const struct server *server, const struct walk *walk, uint32_t max, uint64_t *length)
{
	static unsigned char bytes[32768];
	_cleanup_close_ int file = object_reopen(server, walk, O_RDONLY);
	ssize_t n;

	if (file < 0)
		return -file;
	for (*length = 0; *length <= max; *length += (uint64_t)n) {
		n = read_some(file, bytes, sizeof(bytes));
		if (n <= 0)
			return (int)-n;
	}
	return 0;
}

/*
 * A file of proc(5) has no size, one of sysfs(5) a size that is not its length; neither has blocks.
 * 0 or a positive errno.
 */
static int file_length(const struct server *server, const struct walk *walk, int file, uint32_t max,
	uint64_t *length)
{
	struct stat status;

	if (fstat(file, &status) < 0)
		return errno;
	if (status.st_size <= 0 || status.st_blocks == 0)
		return count_bytes(server, walk, max, length);
	*length = (uint64_t)status.st_size;
	return 0;
}

/*
 * All of the memory. EAGAIN: the file has become shorter, and the memory cannot any more; with
 * other memory there will be a copy. 0 or a positive errno.
 */
static int read_whole(int file, const struct memfd *memfd)
{
	size_t length = 0;

	while (length < memfd->length) {
		ssize_t n = read_some(file, memfd->bytes + length, memfd->length - length);

		if (n < 0)
			return (int)-n;
		if (n == 0)
			return EAGAIN;
		length += (size_t)n;
	}
	return 0;
}

static enum served copy_to_memfd(int fd, int file, size_t length, struct reply *reply)
{
	struct memfd memfd;
	int error;

	if (!memfd_begin(&memfd, fd, length, reply))
		return SERVED;
	error = read_whole(file, &memfd);
	if (error == 0)
		return memfd_finish(&memfd, reply);
	memfd_abandon(&memfd);
	return error == EAGAIN ? reply_refuse(reply, error, FDBROKER_REASON_COPY)
			       : reply_kernel(reply, error);
}

static enum served copy_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	const uint32_t flags = request->find.flags, max = reply->decision.options.copy_max;
	_cleanup_close_ int file = -1;
	uint64_t length = 0;
	int error;

	(void)asker;
	if (object_is_no_directory(walk, flags))
		return reply_kernel(reply, ENOTDIR); /* of a link too: do_open() in fs/namei.c */
	if (S_ISLNK(walk->status.stx_mode))
		return reply_kernel(reply, ELOOP); /* open(2): O_NOFOLLOW */
	if (!S_ISREG(walk->status.stx_mode))
		return reply_refuse(reply, EACCES, FDBROKER_REASON_TYPE);
	if (max == 0)
		return reply_refuse(reply, EINVAL, FDBROKER_REASON_FLAGS); /* it is not copied */
	file = object_reopen(server, walk, O_RDONLY);
	if (file < 0)
		return reply_kernel(reply, -file);
	error = file_length(server, walk, file, max, &length);
	if (error != 0)
		return reply_kernel(reply, error);
	if (length > max)
		return reply_refuse(reply, EFBIG, FDBROKER_REASON_POLICY);
	return copy_to_memfd(received, file, (size_t)length, reply);
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

/* SPDX-License-Identifier: MIT */
/*
 * A copy in place of a descriptor: the client sends a memfd whose pages it has allocated, so that
 * they are charged to it, and gets back how it went; the memfd then holds the file, and nobody can
 * change it any more. What the client does to it meanwhile it does to itself.
 *
 * A page that the client took away again, and that came back because the broker writes there, would
 * be charged to the broker, and could stay for as long as the client likes. So the broker maps the
 * memory and seals it against that before it looks whether the pages are there; the kernel then
 * reads the file into the mapping. Where the client has cut off pages that is EFAULT, not SIGBUS.
 *
 * Must never: write to anything but a memfd. What was sent may be any file; to write with the
 * broker's privileges would do more than the client could in some of them. Nor touch the mapping
 * itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "object.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif

/* The client's memory, while it is filled. */
struct memory {
	int fd;
	char *map; /* NULL where there is none to map */
	size_t size;
};

/*
 * Only a memfd has seals and can be given more; of other files on a tmpfs all are set: fcntl(2).
 * One of huge pages cannot be written to by write(2), memfd_create(2).
 */
static bool is_memfd(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & ~F_SEAL_EXEC) == 0 && pwrite(fd, "", 0, 0) == 0;
}

/* Whether all that there is of it is allocated, and there is that much of it. */
static bool memory_is_whole(const struct memory *memory)
{
	struct stat status;

	return fstat(memory->fd, &status) == 0 && (uint64_t)status.st_size == memory->size &&
	       (uint64_t)status.st_blocks * 512 >= memory->size;
}

/*
 * What was allocated behind its end goes by ftruncate(2), so that it cannot make up for holes
 * before it; and that waits for whoever is cutting something off at the moment. From then on it can
 * only be cut off: no holes, no growth.
 */
static bool memory_hold(const struct memory *memory)
{
	return fcntl(memory->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_FUTURE_WRITE) == 0 &&
	       ftruncate(memory->fd, (off_t)memory->size) == 0 && memory_is_whole(memory);
}

static void memory_end(struct memory *memory)
{
	if (memory->map != NULL)
		munmap(memory->map, memory->size);
	memory->map = NULL;
}

/* True: it is the client's, as much as it has said, and stays so; memory_end() when it is filled. */
static bool memory_begin(struct memory *memory, int fd)
{
	struct stat status;
	void *map;

	*memory = (struct memory){.fd = fd};
	if (fstat(fd, &status) < 0)
		return false;
	memory->size = (size_t)status.st_size;
	if (!memory_is_whole(memory))
		return false;
	if (memory->size > 0) {
		map = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			return false;
		memory->map = map;
	}
	return memory_hold(memory);
}

/* Whether there is more in the file. 0 or a positive errno. */
static int is_at_end(int file, bool *is)
{
	char byte;
	ssize_t n;

	do
		n = read(file, &byte, 1);
	while (n < 0 && errno == EINTR);
	*is = n == 0;
	return n < 0 ? errno : 0;
}

/* Up to `room` bytes; *length becomes how many there are, room + 1 if more. 0 or an errno. */
static int copy_bytes(const struct memory *memory, int file, size_t room, size_t *length)
{
	bool is_whole;
	int error;

	for (*length = 0; *length < room;) {
		ssize_t n = read(file, memory->map + *length, room - *length);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			*length += (size_t)n;
	}
	error = is_at_end(file, &is_whole);
	if (error == 0 && !is_whole)
		*length = room + 1;
	return error;
}

/* As long as the file, and never to be changed. 0 or a positive errno. */
static int memory_finish(struct memory *memory, size_t length)
{
	memory_end(memory); /* F_SEAL_WRITE, fcntl(2) */
	if (ftruncate(memory->fd, (off_t)length) < 0 ||
		fcntl(memory->fd, F_ADD_SEALS,
			F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return errno;
	return 0;
}

static enum served memory_fill(struct memory *memory, int file, size_t max, struct reply *reply)
{
	const size_t room = memory->size < max ? memory->size : max;
	size_t length;
	int error = copy_bytes(memory, file, room, &length);

	if (error != 0)
		return reply_kernel(reply, error);
	if (length > room)
		return room == max ? reply_refuse(reply, EFBIG, FDBROKER_REASON_POLICY)
				   : reply_refuse(reply, EMSGSIZE, FDBROKER_REASON_COPY);
	error = memory_finish(memory, length);
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, -1);
}

static enum served copy_to_memfd(int memfd, int file, size_t max, struct reply *reply)
{
	struct memory memory;
	enum served served;

	if (memory_begin(&memory, memfd))
		served = memory_fill(&memory, file, max, reply);
	else
		served = reply_refuse(reply, EMSGSIZE, FDBROKER_REASON_COPY);
	memory_end(&memory);
	return served;
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

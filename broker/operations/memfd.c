/* SPDX-License-Identifier: MIT */
/*
 * Filling a client's memfd: see memfd.h. Its pages are the client's, who allocated them. A page
 * that it gives back meanwhile, and that comes back because the broker writes there, would be
 * charged to the broker, and stay for as long as the client likes; and whoever writes behind the
 * end of a file that was cut off is killed (SIGBUS, mmap(2)). So the memory is mapped, and sealed
 * against all that; then it is looked whether the pages are there; and only then is it written to.
 * What the client does after that it does to itself.
 *
 * Must never: change anything but a memfd. What was sent may be any file; to write with the
 * broker's privileges would do more than the client could in some of them. Nor hand out `bytes`
 * before the pages are known to be there for good.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memfd.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif

#define BLOCK_BYTES 512 /* of st_blocks, stat(3type) */

/*
 * Only a memfd has seals and can be given more: other files on a tmpfs have F_SEAL_SEAL, fcntl(2).
 * One of huge pages cannot be written to by write(2): hugetlbfs has none, fs/hugetlbfs/inode.c.
 */
static bool is_memfd(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & ~F_SEAL_EXEC) == 0 && pwrite(fd, "", 0, 0) == 0;
}

static uint64_t allocated(const struct stat *status)
{
	return (uint64_t)status->st_blocks * BLOCK_BYTES;
}

/* A first look, which the client can make worthless at once. */
static bool memfd_has_room(int fd, size_t length)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (uint64_t)status.st_size >= length &&
	       allocated(&status) >= length;
}

/*
 * Whether every page of it is allocated, when it can neither grow nor shrink. No more than that: in
 * a huge page that could not be split at the end, pages behind it would make up for holes.
 */
static bool memfd_is_whole(const struct memfd *memfd)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct stat status;

	return fstat(memfd->fd, &status) == 0 && (uint64_t)status.st_size == memfd->length &&
	       allocated(&status) == (memfd->length + page - 1) / page * page;
}

/* Before it is sealed against this. 0 or a positive errno. */
static int memfd_map(struct memfd *memfd)
{
	void *map;

	if (memfd->length == 0)
		return 0;
	map = mmap(NULL, memfd->length, PROT_READ | PROT_WRITE, MAP_SHARED, memfd->fd, 0);
	if (map == MAP_FAILED)
		return errno;
	memfd->bytes = map;
	return 0;
}

/*
 * F_SEAL_FUTURE_WRITE forbids write(2), holes and more mappings to write to; F_SEAL_GROW also to
 * allocate behind the end (shmem_fallocate() in mm/shmem.c). What was allocated there before goes
 * by ftruncate(2), and nothing comes to be there any more: it cannot make up for holes. Sealing
 * waits for whoever is at it. 0 or a positive errno.
 */
static int memfd_hold(const struct memfd *memfd)
{
	if (fcntl(memfd->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_FUTURE_WRITE) < 0 ||
		ftruncate(memfd->fd, (off_t)memfd->length) < 0 ||
		fcntl(memfd->fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		return errno;
	return 0;
}

bool memfd_begin(struct memfd *memfd, int fd, size_t length, struct reply *reply)
{
	int error;

	*memfd = (struct memfd){.fd = fd, .length = length};
	if (!is_memfd(fd)) {
		reply_refuse(reply, EINVAL, FDBROKER_REASON_COPY);
		return false;
	}
	if (!memfd_has_room(fd, length)) {
		reply_refuse(reply, EMSGSIZE, FDBROKER_REASON_COPY);
		return false;
	}
	error = memfd_map(memfd);
	if (error == 0)
		error = memfd_hold(memfd);
	if (error == 0 && memfd_is_whole(memfd))
		return true;
	if (error != 0)
		reply_kernel(reply, error);
	else
		reply_refuse(reply, EMSGSIZE, FDBROKER_REASON_COPY);
	memfd_abandon(memfd);
	return false;
}

enum served memfd_finish(struct memfd *memfd, struct reply *reply)
{
	memfd_abandon(memfd); /* F_SEAL_WRITE, fcntl(2): not while it is mapped to be written to */
	if (fcntl(memfd->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return reply_kernel(reply, errno);
	return reply_grant(reply, -1);
}

void memfd_abandon(struct memfd *memfd)
{
	if (memfd->bytes != NULL)
		munmap(memfd->bytes, memfd->length);
	memfd->bytes = NULL;
}

/* SPDX-License-Identifier: MIT */
/* Making and mapping memfds: see memory.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "memory.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif

int memory_seal(const char *name, const void *bytes, size_t size)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t written = 0;

	if (fd < 0)
		return -errno;
	while (written < size) {
		ssize_t n =
			pwrite(fd, (const char *)bytes + written, size - written, (off_t)written);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			written += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return -errno;
	return take_fd(&fd);
}

static int memory_make(const char *name, size_t size, int seals, void **memory)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *mapped;

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return -errno;
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL | seals) < 0) {
		int error = -errno;

		munmap(mapped, size);
		return error;
	}
	*memory = mapped;
	return take_fd(&fd);
}

int memory_share(const char *name, size_t size, void **memory)
{
	return memory_make(name, size, 0, memory);
}

int memory_publish(const char *name, size_t size, void **memory)
{
	return memory_make(name, size, F_SEAL_FUTURE_WRITE, memory);
}

void *memory_map(int fd, int protection, int flags, size_t least, size_t *size)
{
	struct stat status;
	void *memory = MAP_FAILED;

	if (fstat(fd, &status) == 0 && (size_t)status.st_size >= least)
		memory = mmap(NULL, (size_t)status.st_size, protection, flags, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return NULL;
	*size = (size_t)status.st_size;
	return memory;
}

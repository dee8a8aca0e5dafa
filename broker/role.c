/* SPDX-License-Identifier: MIT */
/*
 * The first steps of a worker or executor: fresh from exec, with the descriptors of child.h and
 * nothing else, to confined and ready to serve.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "role.h"

/* Maps a whole memfd and closes it. NULL with errno when it cannot be. */
static void *role_map(int fd, int protection, size_t *size)
{
	struct stat status;
	void *memory;

	if (fstat(fd, &status) < 0)
		return NULL;
	*size = (size_t)status.st_size;
	memory = mmap(NULL, *size, protection,
		(protection & PROT_WRITE) != 0 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

static int role_map_all(struct server *server)
{
	size_t size;
	const void *image;

	server->ring = role_map(CHILD_RING, PROT_READ | PROT_WRITE, &size);
	if (server->ring == NULL || size < sizeof(*server->ring))
		return -EBADF;
	log_to_ring(server->ring);
	image = role_map(CHILD_IMAGE, PROT_READ, &size);
	server->image = image != NULL ? policy_image_open(image, size) : NULL;
	server->walker.mounts = role_map(CHILD_MOUNTS, PROT_READ, &size);
	if (server->image == NULL || server->walker.mounts == NULL)
		return -EBADF;
	return 0;
}

int role_begin(enum role role, struct server *server)
{
	struct policy_needs needs;
	int error;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	umask(0077);
	error = role_map_all(server);
	if (error < 0)
		return error;
	server->may_wait = role == ROLE_EXECUTOR;
	server->walker.cached = !server->may_wait;
	error = server_init(server);
	if (error < 0) {
		log_message(LOG_ERR, "%s: cannot start: %s", role_name(role), strerror(-error));
		return error;
	}
	policy_image_needs(server->image, &needs);
	error = confine_for_good(role, confine_capabilities(&needs, role));
	if (error < 0)
		return error;
	return confine_syscalls(role, &needs);
}

void role_wake_log(struct server *server)
{
	static uint64_t said;
	uint64_t head = atomic_load_explicit(&server->ring->head, memory_order_relaxed);
	uint64_t one = 1;

	if (head == said)
		return;
	said = head;
	/* Full (EAGAIN) is as good: the supervisor will look. */
	if (write(CHILD_WAKE, &one, sizeof(one)) < 0)
		return;
}

/* SPDX-License-Identifier: MIT */
/*
 * Opening and creating files for a peer. The order is the security of it: the flags say which
 * verbs are needed, the policy decides on the path, the walk pins the object, the deny rules judge
 * where it was found, its type is checked, and only then is it opened for use, through the
 * descriptor that is held (man 5 proc, /proc/self/fd), never by a path.
 *
 * A new description for every request: a shared one would share its offset.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "object.h"

/* Flags of open(2) that are passed on. */
#define FLAGS_PASSED (O_ACCMODE | O_APPEND | O_TRUNC | O_NONBLOCK | O_SYNC | O_DSYNC | O_DIRECT)
/*
 * O_LARGEFILE is 0 for a 64-bit program, but a 32-bit client sends the kernel's: it is taken, and
 * means nothing here. Elsewhere that number is another flag.
 */
#if defined(__x86_64__)
#define FLAG_LARGEFILE 0100000u
#else
#define FLAG_LARGEFILE 0u
#endif
/* Flags that say how to find the object, and those that mean nothing to somebody else's descriptor.
 */
#define FLAGS_MEANT (O_CREAT | O_EXCL | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC | O_NOCTTY)

/* How often an object may appear and vanish between looking and creating before that is an error.
 */
#define CREATE_TRIES 4

/* The verbs that an open with these flags needs, without `create`; 0: not served. */
static uint32_t open_verbs(uint32_t flags)
{
	uint32_t write = (flags & O_APPEND) != 0 && (flags & O_TRUNC) == 0
				 ? POLICY_BIT(POLICY_APPEND)
				 : POLICY_BIT(POLICY_WRITE);

	if ((flags & ~((uint32_t)(FLAGS_PASSED | FLAGS_MEANT) | FLAG_LARGEFILE)) != 0)
		return 0;
	/* open(2), BUGS: what the two would mean together, kernels do not agree on. */
	if ((flags & O_CREAT) != 0 && (flags & O_DIRECTORY) != 0)
		return 0;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		/* open(2): O_RDONLY|O_TRUNC truncates on some systems. */
		return (flags & O_TRUNC) != 0 ? 0 : POLICY_BIT(POLICY_READ);
	case O_WRONLY:
		return write;
	case O_RDWR:
		return POLICY_BIT(POLICY_READ) | write;
	default:
		return 0;
	}
}

/* The types of the policy language; 0: a socket or a link, which nobody opens. */
static uint8_t type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return POLICY_TYPE_FILE;
	case S_IFDIR:
		return POLICY_TYPE_DIRECTORY;
	case S_IFCHR:
		return POLICY_TYPE_DEVICE;
	case S_IFBLK:
		return POLICY_TYPE_BLOCK;
	case S_IFIFO:
		return POLICY_TYPE_FIFO;
	default:
		return 0;
	}
}

/*
 * Opens what is held by O_PATH, without waiting: for the break of a lease (only an executor may
 * wait for that, and only a regular file has one), a carrier, or the other end of a FIFO.
 */
static int open_again(const struct server *server, const struct walk *walk, uint32_t flags)
{
	bool wait = server->may_wait && S_ISREG(walk->status.stx_mode);
	char name[16];
	int fd, status;

	snprintf(name, sizeof(name), "%d", walk->object);
	fd = openat(server->self_fd, name,
		(int)(flags & FLAGS_PASSED) | O_CLOEXEC | O_NOCTTY | (wait ? 0 : O_NONBLOCK));
	if (fd < 0)
		return -errno;
	if (wait || (flags & O_NONBLOCK) != 0)
		return fd;
	status = fcntl(fd, F_GETFL);
	if (status < 0 || fcntl(fd, F_SETFL, status & ~O_NONBLOCK) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* The object is there, and pinned: may it be opened, and can it be? */
static enum served open_found(const struct server *server, const struct fdbroker_request *request,
	const struct walk *walk, struct reply *reply)
{
	int fd;

	if ((request->open.flags & O_CREAT) != 0 && (request->open.flags & O_EXCL) != 0)
		return reply_kernel(reply, EEXIST);
	if ((request->open.flags & O_DIRECTORY) != 0 && !S_ISDIR(walk->status.stx_mode))
		return reply_kernel(reply, ENOTDIR);
	if ((type_of(walk->status.stx_mode) & reply->decision.options.types) == 0)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_TYPE);
	/*
	 * Drivers wait as they like; truncating writes; another file system may never answer; and
	 * what a user can unlink is deleted by whoever closes it last, however big it is.
	 */
	if (!server->may_wait &&
		(!walk->parent_trusted || !S_ISREG(walk->status.stx_mode) ||
			(request->open.flags & O_TRUNC) != 0 ||
			!trusted_mounts_hold(server->walker.mounts, &walk->status)))
		return SERVED_ELSEWHERE;

	fd = open_again(server, walk, request->open.flags);
	if (fd == -EAGAIN && !server->may_wait)
		return SERVED_ELSEWHERE; /* a lease is being broken, fcntl(2) */
	return fd < 0 ? reply_kernel(reply, -fd) : reply_grant(reply, fd);
}

/* Creates walk's last component in walk's parent. -EEXIST: somebody else was faster. */
static int open_create(const struct server *server, const struct fdbroker_request *request,
	const struct walk *walk, const struct policy_options *options)
{
	_cleanup_close_ int fd = -1;
	int error;

	fd = openat(walk->parent, walk->path + walk->name,
		(int)(request->open.flags & FLAGS_PASSED) | O_CREAT | O_EXCL | O_NOFOLLOW |
			O_CLOEXEC | O_NOCTTY,
		0);
	if (fd < 0)
		return -errno;
	error = object_dress(server, fd, options);
	if (error < 0) {
		/* Nobody unprivileged can write to the parent, so the name is still ours. */
		unlinkat(walk->parent, walk->path + walk->name, 0);
		return error;
	}
	return take_fd(&fd);
}

/* Nothing is there, and the client wants it created. *again: it is there now. */
static enum served open_missing(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, const struct walk *walk, struct reply *reply,
	bool *again)
{
	int fd;

	if (!object_decide(server, asker, &request->path, reply))
		return SERVED;
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	/* A link's target is not created: it says where to look, not what may be made. */
	if (walk->final_link)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_SYMLINK);
	if (!walk->parent_trusted)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);

	fd = open_create(server, request, walk, &reply->decision.options);
	if (fd == -EEXIST && (request->open.flags & O_EXCL) == 0) {
		*again = true;
		return SERVED;
	}
	return fd < 0 ? reply_kernel(reply, -fd) : reply_grant(reply, fd);
}

static enum served open_once(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, struct walk *walk, struct reply *reply, bool *again)
{
	enum walk_links links = reply->decision.options.symlinks == POLICY_SYMLINKS_NONE
					? WALK_LINKS_NONE
				: (request->open.flags & O_NOFOLLOW) != 0 ? WALK_LINKS_PARENTS
									  : WALK_LINKS_TRUSTED;
	enum walk_outcome outcome;

	outcome = walk_to(&server->walker, request->path.bytes, request->path.length, links, walk);
	switch (outcome) {
	case WALK_AGAIN:
		return SERVED_ELSEWHERE;
	case WALK_LINK:
		/* open(2): O_NOFOLLOW and the last component is a link. */
		if ((request->open.flags & O_NOFOLLOW) != 0 && walk_at_last(walk))
			return reply_kernel(reply, ELOOP);
		return object_refuse_link(walk, reply);
	case WALK_PLACEMENT:
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);
	case WALK_FOUND:
		if (object_denied_there(server, asker, walk, reply))
			return SERVED;
		return open_found(server, request, walk, reply);
	case WALK_MISSING:
		if ((request->open.flags & O_CREAT) == 0)
			return reply_kernel(reply, ENOENT);
		reply->verbs |= POLICY_BIT(POLICY_CREATE);
		if (object_denied_there(server, asker, walk, reply))
			return SERVED;
		return open_missing(server, asker, request, walk, reply, again);
	case WALK_ERROR:
	case WALK_RESTART:
		break;
	}
	return reply_kernel(reply, walk->error);
}

enum served serve_open(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	uint32_t verbs = open_verbs(request->open.flags);
	enum served served = SERVED;
	struct walk walk;

	(void)received; /* the protocol lets none come along */
	reply->object = request->path.bytes;
	reply->object_length = request->path.length;
	if (verbs == 0)
		return reply_refuse(reply, EINVAL, FDBROKER_REASON_FLAGS);
	for (int tries = 0; tries < CREATE_TRIES; tries++) {
		bool again = false;

		reply->verbs = verbs;
		if (!object_decide(server, asker, &request->path, reply))
			return SERVED;
		served = open_once(server, asker, request, &walk, reply, &again);
		walk_end(&walk);
		if (!again)
			return served;
	}
	return reply_kernel(reply, EBUSY);
}

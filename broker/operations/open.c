/* SPDX-License-Identifier: MIT */
/*
 * Opening and creating files for a peer. The order is the security of it: the flags say which
 * verbs are needed, the policy decides on the path, the walk pins the object, with the deny rules
 * judging where links lead (all that is object_serve()), its type is checked, and only then is it
 * opened for use, through the descriptor that is held (man 5 proc, /proc/self/fd), never by a path.
 *
 * A new description for every request: a shared one would share its offset.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "folder.h"
#include "object.h"

/* Flags of open(2) that are passed on, of those that are served: policy_open_verbs(). */
#define FLAGS_PASSED (O_ACCMODE | O_APPEND | O_TRUNC | O_NONBLOCK | O_SYNC | O_DSYNC | O_DIRECT)

/* The object is there, and pinned: may it be opened, and can it be? */
static enum served open_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	const uint32_t flags = request->open.flags;
	int fd;

	(void)asker, (void)received;
	if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
		return reply_kernel(reply, EEXIST);
	if (object_is_no_directory(walk, flags))
		return reply_kernel(reply, ENOTDIR); /* of a link too: do_open() in fs/namei.c */
	if (S_ISLNK(walk->status.stx_mode))
		return reply_kernel(reply, ELOOP); /* open(2): O_NOFOLLOW */
	if ((object_type(walk) & reply->decision.options.types) == 0)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_TYPE);
	if (reply->decision.options.copy_max != 0)
		return reply_refuse(reply, EOPNOTSUPP, FDBROKER_REASON_COPY);
	/* Drivers wait as they like, and truncating writes. */
	if (object_may_wait(server, walk) ||
		(!server->may_wait && (!S_ISREG(walk->status.stx_mode) || (flags & O_TRUNC) != 0)))
		return SERVED_ELSEWHERE;

	fd = object_reopen(server, walk, (int)(flags & FLAGS_PASSED));
	if (fd == -EAGAIN && !server->may_wait)
		return SERVED_ELSEWHERE; /* a lease is being broken, fcntl(2) */
	return fd < 0 ? reply_kernel(reply, -fd) : reply_grant(reply, fd);
}

/* Gives the new file its owner and mode, and then O_DIRECT, which not every file system has. */
static int open_dress(
	const struct server *server, int fd, uint32_t flags, const struct policy_options *options)
{
	int error = object_dress(server, fd, options, options->mode);
	int status = error == 0 && (flags & O_DIRECT) != 0 ? fcntl(fd, F_GETFL) : 0;

	if (error == 0 && (flags & O_DIRECT) != 0 &&
		(status < 0 || fcntl(fd, F_SETFL, status | O_DIRECT) < 0))
		error = -errno;
	return error;
}

/* Removes what could not be dressed, unless something else bears its name by now. */
static void open_undo(const struct server *server, const struct walk *walk, int fd)
{
	struct statx status;

	if (trust_statx(server->walker.mounts, fd, &status) < 0 ||
		folder_lock(server, walk->parent, object_name(walk)) != 0)
		return;
	if (folder_still_has(server, walk, &status))
		unlinkat(walk->parent, object_name(walk), 0);
	folder_unlock(server);
}

/*
 * Creates walk's last component in walk's parent. -EEXIST: somebody else was faster. O_EXCL follows
 * no link; O_NOFOLLOW would stay among the client's flags, where F_GETFL shows it.
 */
static int open_create(const struct server *server, const struct fdbroker_request *request,
	const struct walk *walk, const struct policy_options *options)
{
	const uint32_t flags = request->open.flags & FLAGS_PASSED;
	_cleanup_close_ int fd = -1;
	int error;

	fd = openat(walk->parent, object_name(walk),
		(int)(flags & ~(uint32_t)O_DIRECT) | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0);
	if (fd < 0)
		return -errno;
	error = open_dress(server, fd, flags, options);
	if (error < 0) {
		open_undo(server, walk, fd);
		return error;
	}
	return take_fd(&fd);
}

/* Nothing is there; perhaps the client wants it created. */
static enum served open_missing(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	int fd;

	(void)received;
	if ((request->open.flags & O_CREAT) == 0)
		return reply_kernel(reply, ENOENT);
	reply->verbs |= POLICY_BIT(POLICY_CREATE);
	if (object_denied_there(server, asker, walk, reply->verbs, reply) ||
		!object_decide(server, asker, &request->path, reply))
		return SERVED;
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	/* A link's target is not created: it says where to look, not what may be made. */
	if (walk->final_link)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_SYMLINK);
	if (!walk->parent_safe)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);

	fd = open_create(server, request, walk, &reply->decision.options);
	if (fd == -EEXIST && (request->open.flags & O_EXCL) == 0)
		return SERVED_AGAIN;
	return fd < 0 ? reply_kernel(reply, -fd) : reply_grant(reply, fd);
}

enum served serve_open(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const uint32_t flags = request->open.flags;
	/* open(2), O_EXCL: when O_CREAT is set too, links are not followed. */
	const bool holds =
		(flags & O_NOFOLLOW) != 0 || ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0);
	const struct object_way way = {
		.verbs = policy_open_verbs(flags),
		.final = holds ? WALK_FINAL_HOLD : WALK_FINAL_FOLLOW,
		.found = open_found,
		.missing = open_missing,
	};

	if (way.verbs == 0)
		return object_refuse_flags(request, reply);
	return object_serve(server, asker, request, received, reply, &way);
}

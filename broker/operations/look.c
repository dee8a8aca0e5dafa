/* SPDX-License-Identifier: MIT */
/*
 * Looking at an object without opening it: stat, lstat, access, readlink. What is said is said of
 * the object that is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "object.h"

/* The one answer with data that a packet can have; every process has one thread. */
static unsigned char data[FDBROKER_DATA_MAX];

static bool flags_are_served(const struct fdbroker_request *request, uint32_t served)
{
	return (request->find.flags & ~served) == 0;
}

static enum walk_final final_of(const struct fdbroker_request *request)
{
	return (request->find.flags & O_NOFOLLOW) != 0 ? WALK_FINAL_HOLD : WALK_FINAL_FOLLOW;
}

/* ---- stat ---- */

static enum served stat_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	struct fdbroker_status status;
	struct statx now;

	(void)asker, (void)received;
	if (object_is_no_directory(walk, request->find.flags))
		return reply_kernel(reply, ENOTDIR);
	if (object_may_wait(server, walk))
		return SERVED_ELSEWHERE;
	if (statx(walk->object, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &now) < 0)
		return reply_kernel(reply, errno);
	status = (struct fdbroker_status){
		.ino = now.stx_ino,
		.size = now.stx_size,
		.blocks = now.stx_blocks,
		.dev_major = now.stx_dev_major,
		.dev_minor = now.stx_dev_minor,
		.rdev_major = now.stx_rdev_major,
		.rdev_minor = now.stx_rdev_minor,
		.mode = now.stx_mode,
		.nlink = now.stx_nlink,
		.uid = now.stx_uid,
		.gid = now.stx_gid,
		.atime = now.stx_atime.tv_sec,
		.mtime = now.stx_mtime.tv_sec,
		.ctime = now.stx_ctime.tv_sec,
		.atime_nsec = now.stx_atime.tv_nsec,
		.mtime_nsec = now.stx_mtime.tv_nsec,
		.ctime_nsec = now.stx_ctime.tv_nsec,
		.blksize = now.stx_blksize,
	};
	memcpy(data, &status, sizeof(status));
	return reply_give(reply, data, sizeof(status));
}

enum served serve_stat(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_STAT), .final = final_of(request), .found = stat_found};

	if (!flags_are_served(request, O_DIRECTORY | O_NOFOLLOW))
		return object_refuse_flags(request, reply);
	return object_serve(server, asker, request, received, reply, &way);
}

/* ---- access ---- */

/*
 * AT_EACCESS: for the acting identity. glibc's faccessat(3) would look at the mode bits itself
 * where the kernel has no faccessat2(2).
 */
static enum served access_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	(void)asker, (void)received;
	if (object_is_no_directory(walk, request->find.flags))
		return reply_kernel(reply, ENOTDIR);
	if (request->find.mode == F_OK)
		return reply_grant(reply, -1);
	if ((object_type(walk) & reply->decision.options.types) == 0)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_TYPE);
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	if (syscall(SYS_faccessat2, walk->object, "", request->find.mode,
		    AT_EACCESS | AT_EMPTY_PATH) < 0)
		return reply_kernel(reply, errno);
	return reply_grant(reply, -1);
}

enum served serve_access(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const int32_t mode = request->find.mode;
	const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_STAT) |
			 ((mode & R_OK) != 0 ? POLICY_BIT(POLICY_READ) : 0) |
			 ((mode & W_OK) != 0 ? POLICY_BIT(POLICY_WRITE) : 0),
		.found = access_found,
	};

	if (!flags_are_served(request, O_DIRECTORY) || (mode & ~(R_OK | W_OK)) != 0)
		return object_refuse_flags(request, reply);
	return object_serve(server, asker, request, received, reply, &way);
}

/* ---- readlink ---- */

static enum served readlink_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	char bytes[FDBROKER_PATH_MAX];
	struct fdbroker_text text = {.bytes = bytes};
	ssize_t length;

	(void)asker, (void)received;
	if (object_is_no_directory(walk, request->find.flags))
		return reply_kernel(reply, ENOTDIR);
	if (!S_ISLNK(walk->status.stx_mode))
		return reply_kernel(reply, EINVAL);
	if (object_may_wait(server, walk))
		return SERVED_ELSEWHERE;
	length = readlinkat(walk->object, "", bytes, sizeof(bytes));
	if (length < 0)
		return reply_kernel(reply, errno);
	text.length = (size_t)length;
	return reply_give(reply, data, fdbroker_text_encode(data, &text));
}

enum served serve_readlink(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_STAT),
		.final = (request->find.flags & O_DIRECTORY) != 0 ? WALK_FINAL_FOLLOW
								  : WALK_FINAL_HOLD,
		.found = readlink_found,
	};

	if (!flags_are_served(request, O_DIRECTORY))
		return object_refuse_flags(request, reply);
	return object_serve(server, asker, request, received, reply, &way);
}

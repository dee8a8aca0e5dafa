/* SPDX-License-Identifier: MIT */
/*
 * Making and removing entries of a directory: mkdir, unlink, rmdir. By the name in the directory
 * that is held: whatever bears it by then is what `remove` is about, and what was made is looked at
 * again before it is given away.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acting.h"
#include "cleanup.h"
#include "folder.h"
#include "object.h"

/* ---- mkdir ---- */

static enum served mkdir_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	(void)server, (void)asker, (void)request, (void)received, (void)walk;
	return reply_kernel(reply, EEXIST);
}

/*
 * It has no permission at all until it has its owner. What is found under its name a moment later
 * is looked at: in its own folder the acting user could have put another there. 0 or a negative
 * errno.
 */
static int make_directory(
	const struct server *server, const struct walk *walk, const struct policy_options *options)
{
	_cleanup_close_ int made = -1;
	int error;

	if (mkdirat(walk->parent, object_name(walk), 0) < 0)
		return -errno;
	made = folder_hold(walk, object_name(walk));
	if (made < 0 || !folder_is_fresh(server, made, S_IFDIR, acting_uid(server)))
		return -EBUSY;
	error = object_dress(server, made, options, options->directory_mode);
	if (error < 0)
		unlinkat(walk->parent, object_name(walk), AT_REMOVEDIR);
	return error;
}

static enum served mkdir_missing(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	int error;

	(void)asker, (void)request, (void)received;
	if ((reply->decision.options.types & POLICY_TYPE_DIRECTORY) == 0)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_TYPE);
	if (!walk->parent_safe)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);
	error = folder_lock(server, walk->parent, object_name(walk));
	if (error != 0)
		return reply_kernel(reply, error);
	error = make_directory(server, walk, &reply->decision.options);
	folder_unlock(server);
	return error < 0 ? reply_kernel(reply, -error) : reply_grant(reply, -1);
}

enum served serve_mkdir(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_CREATE),
		.final = WALK_FINAL_HOLD,
		.may_wait = true,
		.found = mkdir_found,
		.missing = mkdir_missing,
	};

	return object_serve(server, asker, request, received, reply, &way);
}

/* ---- unlink, rmdir ---- */

static enum served remove_entry(const struct walk *walk, int flags, struct reply *reply)
{
	if (!walk->parent_safe)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);
	if (unlinkat(walk->parent, object_name(walk), flags) < 0)
		return reply_kernel(reply, errno);
	return reply_grant(reply, -1);
}

/*
 * There is nothing, or was not. The kernel may have more to say of the directory: EROFS comes
 * before ENOENT.
 */
static enum served remove_missing(const struct walk *walk, int flags, struct reply *reply)
{
	return walk->parent_safe ? remove_entry(walk, flags, reply) : reply_kernel(reply, ENOENT);
}

static enum served unlink_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	(void)server, (void)asker, (void)received;
	/* The name is looked at before the permissions, do_unlinkat() in fs/namei.c. */
	if (walk->parent < 0 || (request->find.flags & O_DIRECTORY) != 0)
		return reply_kernel(reply, S_ISDIR(walk->status.stx_mode) ? EISDIR : ENOTDIR);
	return remove_entry(walk, 0, reply);
}

static enum served unlink_missing(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	(void)server, (void)asker, (void)received;
	if ((request->find.flags & O_DIRECTORY) != 0)
		return reply_kernel(reply, ENOENT);
	return remove_missing(walk, 0, reply);
}

enum served serve_unlink(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_REMOVE),
		.final = WALK_FINAL_HOLD,
		.may_wait = true,
		.found = unlink_found,
		.missing = unlink_missing,
	};

	if ((request->find.flags & ~(uint32_t)O_DIRECTORY) != 0)
		return object_refuse_flags(request, reply);
	return object_serve(server, asker, request, received, reply, &way);
}

static enum served rmdir_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	(void)server, (void)asker, (void)request, (void)received;
	if (walk->parent < 0)
		return reply_kernel(reply, EBUSY); /* the root directory, rmdir(2) */
	return remove_entry(walk, AT_REMOVEDIR, reply);
}

static enum served rmdir_missing(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	(void)server, (void)asker, (void)request, (void)received;
	return remove_missing(walk, AT_REMOVEDIR, reply);
}

enum served serve_rmdir(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_REMOVE),
		.final = WALK_FINAL_HOLD,
		.may_wait = true,
		.found = rmdir_found,
		.missing = rmdir_missing,
	};

	return object_serve(server, asker, request, received, reply, &way);
}

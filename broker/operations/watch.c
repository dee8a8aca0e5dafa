/* SPDX-License-Identifier: MIT */
/*
 * Adding a watch to the client's own inotify descriptor, which the kernel charges to the client
 * (inotify(7)). What is watched is what is held, not what bears its name a moment later.
 *
 * Must never: watch a directory for events that carry the names of what is in it. They would come
 * for every name, granted or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"

#define FLAGS_SERVED                                                                               \
	(IN_DONT_FOLLOW | IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD | IN_MASK_CREATE | IN_ONESHOT)
/* Of a directory: what happens to itself. */
#define EVENTS_NAMELESS (IN_DELETE_SELF | IN_MOVE_SELF)

/* inotify_add_watch(2) takes a path only. Returns the number of the watch or a negative errno. */
static int add_watch(
	const struct server *server, int inotify, const struct walk *walk, uint32_t mask)
{
	char name[16];
	int watch;

	snprintf(name, sizeof(name), "%d", walk->object);
	if (fchdir(server->self_fd) < 0)
		return -errno;
	watch = inotify_add_watch(inotify, name, mask & ~(uint32_t)IN_DONT_FOLLOW);
	if (watch < 0)
		watch = -errno;
	return fchdir(server->walker.root) < 0 && watch >= 0 ? -errno : watch;
}

static enum served watch_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	static unsigned char data[sizeof(int32_t)];
	const uint32_t mask = request->watch.mask;
	int32_t watch;

	(void)asker;
	if (object_is_no_directory(
		    walk, request->watch.flags | ((mask & IN_ONLYDIR) != 0 ? O_DIRECTORY : 0)))
		return reply_kernel(reply, ENOTDIR);
	if (S_ISDIR(walk->status.stx_mode) &&
		(mask & IN_ALL_EVENTS & ~(uint32_t)EVENTS_NAMELESS) != 0)
		return reply_refuse(reply, EINVAL, FDBROKER_REASON_FLAGS);
	watch = add_watch(server, received, walk, mask);
	if (watch < 0)
		return reply_kernel(reply, -watch);
	memcpy(data, &watch, sizeof(watch));
	return reply_give(reply, data, sizeof(data));
}

enum served serve_watch(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const uint32_t mask = request->watch.mask;
	const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_WATCH),
		.final = (mask & IN_DONT_FOLLOW) != 0 ? WALK_FINAL_HOLD : WALK_FINAL_FOLLOW,
		.may_wait = true,
		.found = watch_found,
	};

	if ((mask & ~(uint32_t)(IN_ALL_EVENTS | FLAGS_SERVED)) != 0 ||
		(request->watch.flags & ~(uint32_t)O_DIRECTORY) != 0)
		return object_refuse_flags(request, reply);
	return object_serve(server, asker, request, received, reply, &way);
}

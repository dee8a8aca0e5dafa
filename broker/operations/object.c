/* SPDX-License-Identifier: MIT */
/*
 * Must never: act on anything by its path, or leave a request as somebody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acting.h"
#include "bounds.h"
#include "object.h"

/* How often an object may appear and vanish between looking and acting before that is an error. */
#define TRIES_MAX 4

bool object_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_text *path, struct reply *reply)
{
	reply->decision = policy_decide_path(server->image, asker->peer, &asker->limits,
		reply->verbs, path->bytes, path->length);
	return reply_is_allowed(server, asker, reply);
}

/* Who is asked about the paths that links lead to. */
struct judge {
	const struct server *server;
	const struct asker *asker;
	uint32_t verbs;
	struct reply *reply;
};

static bool judge_denies(void *context, const char *path, size_t length)
{
	const struct judge *judge = context;
	uint32_t rule = policy_deny_path(
		judge->server->image, judge->asker->peer, judge->verbs, path, length);

	if (rule == POLICY_NO_RULE)
		return false;
	reply_deny(judge->server, judge->reply, rule);
	reply_describe_real(judge->reply, path, length);
	return true;
}

bool object_denied_there(const struct server *server, const struct asker *asker,
	const struct walk *walk, uint32_t verbs, struct reply *reply)
{
	struct judge judge = {server, asker, verbs, reply};

	return walk->links > 0 && judge_denies(&judge, walk->path, walk->length);
}

enum served object_refuse_walk(
	enum walk_outcome outcome, const struct walk *walk, struct reply *reply)
{
	switch (outcome) {
	case WALK_AGAIN:
		return SERVED_ELSEWHERE;
	case WALK_LINK:
		return reply_refuse(reply, walk->links > POLICY_LINKS_MAX ? ELOOP : EACCES,
			FDBROKER_REASON_SYMLINK);
	case WALK_PLACEMENT:
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);
	case WALK_MISSING:
		return reply_kernel(reply, ENOENT);
	case WALK_DENIED:
		return SERVED;
	case WALK_FOUND:
	case WALK_ERROR:
	case WALK_RESTART:
		break;
	}
	return reply_kernel(reply, walk->error);
}

const char *object_name(const struct walk *walk)
{
	return walk->path + walk->name;
}

uint8_t object_type(const struct walk *walk)
{
	switch (walk->status.stx_mode & S_IFMT) {
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

bool object_is_no_directory(const struct walk *walk, uint32_t flags)
{
	return (flags & O_DIRECTORY) != 0 && !S_ISDIR(walk->status.stx_mode);
}

/*
 * Another file system than those that are trusted may never answer; and what a user can unlink is
 * deleted by whoever closes it last, however big it is.
 */
bool object_may_wait(const struct server *server, const struct walk *walk)
{
	return !server->may_wait &&
	       (!walk->parent_trusted ||
		       !trusted_mounts_hold(server->walker.mounts, &walk->status));
}

int object_reopen(const struct server *server, const struct walk *walk, int flags)
{
	bool wait = server->may_wait && S_ISREG(walk->status.stx_mode);
	char name[16];
	int fd, status;

	snprintf(name, sizeof(name), "%d", walk->object);
	fd = openat(server->self_fd, name, flags | O_CLOEXEC | O_NOCTTY | (wait ? 0 : O_NONBLOCK));
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

int object_dress(
	const struct server *server, int fd, const struct policy_options *options, mode_t mode)
{
	uid_t uid = options->uid == POLICY_OWNER_DEFAULT ? (uid_t)-1 : options->uid;
	gid_t gid = options->gid == POLICY_OWNER_DEFAULT ? acting_gid() : options->gid;
	char name[16];

	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	/* fchmod(2) takes no O_PATH descriptor, and fchmodat2(2) is of Linux 6.6. */
	snprintf(name, sizeof(name), "%d", fd);
	return fchmodat(server->self_fd, name, mode, 0) < 0 ? -errno : 0;
}

/* ---- the way ---- */

static void object_name_request(const struct fdbroker_request *request, struct reply *reply)
{
	reply->object = request->path.bytes;
	reply->object_length = request->path.length;
}

enum served object_refuse_flags(const struct fdbroker_request *request, struct reply *reply)
{
	object_name_request(request, reply);
	return reply_refuse(reply, EINVAL, FDBROKER_REASON_FLAGS);
}

enum walk_outcome object_walk(const struct server *server, const struct asker *asker,
	const struct fdbroker_text *path, enum walk_final final, uint32_t verbs,
	struct reply *reply, struct walk *walk)
{
	struct judge judge = {server, asker, verbs, reply};
	const struct walk_way way = {
		.links = reply->decision.options.symlinks == POLICY_SYMLINKS_NONE
				 ? WALK_LINKS_NONE
				 : WALK_LINKS_TRUSTED,
		.final = final,
		.as = acting_uid(server),
		.is_denied = judge_denies,
		.context = &judge,
	};

	return walk_to(&server->walker, path->bytes, path->length, &way, walk);
}

static enum served way_act(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply,
	const struct object_way *way)
{
	enum walk_outcome outcome;
	struct walk walk;
	enum served served;

	outcome =
		object_walk(server, asker, &request->path, way->final, reply->verbs, reply, &walk);
	if (outcome == WALK_FOUND)
		served = way->found(server, asker, request, received, &walk, reply);
	else if (outcome == WALK_MISSING && way->missing != NULL)
		served = way->missing(server, asker, request, received, &walk, reply);
	else
		served = object_refuse_walk(outcome, &walk, reply);
	walk_end(&walk);
	return served;
}

static enum served object_go_once(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply,
	const struct object_steps *steps)
{
	enum served served;
	int error;

	if (!steps->decide(server, asker, request, reply, steps->way))
		return SERVED;
	if (!server->may_wait &&
		(steps->may_wait || reply->decision.options.as != POLICY_AS_BROKER))
		return SERVED_ELSEWHERE;
	error = acting_begin(server, asker, &reply->decision.options);
	if (error != 0)
		return reply_kernel(reply, error);
	served = steps->act(server, asker, request, received, reply, steps->way);
	acting_end();
	return served;
}

enum served object_go(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply,
	const struct object_steps *steps)
{
	enum served served = SERVED_AGAIN;

	for (int tries = 0; tries < TRIES_MAX && served == SERVED_AGAIN; tries++)
		served = object_go_once(server, asker, request, received, reply, steps);
	return served == SERVED_AGAIN ? reply_kernel(reply, EBUSY) : served;
}

static bool way_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, struct reply *reply, const struct object_way *way)
{
	reply->verbs = way->verbs;
	return object_decide(server, asker, &request->path, reply);
}

enum served object_serve(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply,
	const struct object_way *way)
{
	const struct object_steps steps = {
		.may_wait = way->may_wait, .decide = way_decide, .act = way_act, .way = way};

	object_name_request(request, reply);
	return object_go(server, asker, request, received, reply, &steps);
}

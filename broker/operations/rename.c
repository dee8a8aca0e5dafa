/* SPDX-License-Identifier: MIT */
/*
 * Renaming: `remove` on the old name and `create` on the new one; nothing more may be possible with
 * the new name than with the old; and what bears the new name goes only where `remove` covers it.
 *
 * A symbolic link is not renamed: its text would mean something else elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "acting.h"
#include "folder.h"
#include "object.h"

#define REMOVE POLICY_BIT(POLICY_REMOVE)
#define CREATE POLICY_BIT(POLICY_CREATE)

static struct policy_decision decide(const struct server *server, const struct asker *asker,
	uint32_t verb, const struct fdbroker_text *path)
{
	return policy_decide_path(
		server->image, asker->peer, &asker->limits, verb, path->bytes, path->length);
}

/* Both halves are done by one identity, on one kind of walk. */
static bool halves_agree(const struct policy_options *source, const struct policy_options *target)
{
	return source->as == target->as && source->as_user == target->as_user &&
	       source->symlinks == target->symlinks;
}

/* Both halves; the decision of the second one is what stands in the reply. */
static bool rename_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, struct reply *reply, const struct object_way *way)
{
	struct policy_decision source = decide(server, asker, REMOVE, &request->path);

	(void)way;
	reply->decision = source;
	if (source.outcome == POLICY_ALLOWED)
		reply->decision = decide(server, asker, CREATE, &request->new_path);
	if (source.outcome == POLICY_ALLOWED && reply->decision.outcome == POLICY_ALLOWED &&
		!halves_agree(&source.options, &reply->decision.options))
		reply->decision.outcome = POLICY_DENIED_CONFLICT;
	if (source.options.log < reply->decision.options.log)
		reply->decision.options.log = source.options.log; /* what says more */
	return reply_is_allowed(server, asker, reply);
}

/* Is anything gained by the new name, or by where it leads? */
static bool rename_gains(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, const struct walk *from, const struct walk *to)
{
	const struct policy_file_name old_name = {.path = request->path.bytes,
		.length = request->path.length,
		.real = from->path,
		.real_length = from->length};
	const struct policy_file_name new_name = {.path = request->new_path.bytes,
		.length = request->new_path.length,
		.real = to->path,
		.real_length = to->length};

	return policy_gains_by_name(server->image, asker->peer, &asker->limits, &old_name,
		&new_name, S_ISDIR(from->status.stx_mode));
}

/* May what bears the new name be replaced? */
static bool may_replace(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, const struct walk *to, const struct reply *reply)
{
	struct policy_decision decision = decide(server, asker, REMOVE, &request->new_path);

	return decision.outcome == POLICY_ALLOWED &&
	       halves_agree(&decision.options, &reply->decision.options) &&
	       (to->links == 0 || policy_deny_path(server->image, asker->peer, REMOVE, to->path,
					  to->length) == POLICY_NO_RULE);
}

/*
 * A folder of root's alone that comes to stand elsewhere takes root's relative links along, which
 * then lead elsewhere too. In other folders no link is followed.
 */
static bool moves_links(const struct server *server, const struct walk *from, const struct walk *to)
{
	struct statx old_parent, new_parent;

	if (!to->parent_trusted || !directory_is_trusted(server->walker.mounts, &from->status))
		return false;
	return trust_statx(server->walker.mounts, from->parent, &old_parent) < 0 ||
	       trust_statx(server->walker.mounts, to->parent, &new_parent) < 0 ||
	       old_parent.stx_ino != new_parent.stx_ino ||
	       old_parent.stx_dev_major != new_parent.stx_dev_major ||
	       old_parent.stx_dev_minor != new_parent.stx_dev_minor;
}

/* renameat2(2), if the old name is still that of what was judged. */
static enum served rename_entry(const struct server *server, const struct walk *from,
	const struct walk *to, unsigned int flags, struct reply *reply)
{
	enum served served = SERVED_AGAIN;
	int error = folder_lock_both(server, from, to);

	if (error != 0)
		return reply_kernel(reply, error);
	if (folder_still_has(server, from, &from->status))
		/* renameat2(3) of glibc makes another system call where there are no flags. */
		served = syscall(SYS_renameat2, from->parent, object_name(from), to->parent,
				 object_name(to), flags) < 0
				 ? reply_kernel(reply, errno)
				 : reply_grant(reply, -1);
	folder_unlock(server);
	return served;
}

/* Both walks have ended where a rename can be. */
static enum served rename_walked(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, const struct walk *from, const struct walk *to,
	struct reply *reply)
{
	unsigned int flags = may_replace(server, asker, request, to, reply) ? 0 : RENAME_NOREPLACE;

	if (from->parent < 0 || to->parent < 0)
		return reply_kernel(reply, EBUSY); /* the root directory, rename(2) */
	if (object_is_no_directory(from, request->find.flags))
		return reply_kernel(reply, ENOTDIR);
	if ((object_type(from) & reply->decision.options.types) == 0)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_TYPE);
	if (!from->parent_safe || !to->parent_safe)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);
	if (rename_gains(server, asker, request, from, to) || moves_links(server, from, to)) {
		reply->decision.outcome = POLICY_DENIED_GAIN;
		return reply_refuse(reply, EACCES, FDBROKER_REASON_POLICY);
	}
	return rename_entry(server, from, to, flags, reply);
}

static enum served rename_act(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply,
	const struct object_way *way)
{
	enum walk_outcome outcome;
	enum served served;
	struct walk from, to;

	(void)received, (void)way;
	outcome = object_walk(server, asker, &request->path, WALK_FINAL_HOLD, REMOVE, reply, &from);
	if (outcome != WALK_FOUND) {
		served = object_refuse_walk(outcome, &from, reply);
		walk_end(&from);
		return served;
	}
	outcome =
		object_walk(server, asker, &request->new_path, WALK_FINAL_HOLD, CREATE, reply, &to);
	if (outcome == WALK_FOUND || outcome == WALK_MISSING)
		served = rename_walked(server, asker, request, &from, &to, reply);
	else
		served = object_refuse_walk(outcome, &to, reply);
	walk_end(&to);
	walk_end(&from);
	return served;
}

/* Both paths, for the log. */
static void rename_name(const struct fdbroker_request *request, struct reply *reply)
{
	static char names[2 * (FDBROKER_PATH_MAX + 1)];
	const size_t length = request->path.length, new_length = request->new_path.length;

	memcpy(names, request->path.bytes, length);
	names[length] = '\0';
	memcpy(names + length + 1, request->new_path.bytes, new_length);
	reply->object = names;
	reply->object_length = length + 1 + new_length;
	reply->verbs = REMOVE | CREATE;
}

enum served serve_rename(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static const struct object_steps steps = {
		.may_wait = true, .decide = rename_decide, .act = rename_act};

	rename_name(request, reply);
	if ((request->find.flags & ~(uint32_t)O_DIRECTORY) != 0)
		return reply_refuse(reply, EINVAL, FDBROKER_REASON_FLAGS);
	return object_go(server, asker, request, received, reply, &steps);
}

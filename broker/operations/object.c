/* SPDX-License-Identifier: MIT */
/*
 * Must never: act on anything by its path.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../limits.h"
#include "object.h"

bool object_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_text *path, struct reply *reply)
{
	reply->decision = policy_decide_path(server->image, asker->peer, &asker->limits,
		reply->verbs, path->bytes, path->length);
	return reply_is_allowed(server, asker, reply);
}

bool object_denied_there(const struct server *server, const struct asker *asker,
	const struct walk *walk, struct reply *reply)
{
	uint32_t rule;

	if (walk->links == 0)
		return false;
	rule = policy_deny_path(server->image, asker->peer, reply->verbs, walk->path, walk->length);
	if (rule == POLICY_NO_RULE)
		return false;
	reply_deny(server, reply, rule);
	return true;
}

enum served object_refuse_link(const struct walk *walk, struct reply *reply)
{
	return reply_refuse(
		reply, walk->links > LINKS_MAX ? ELOOP : EACCES, FDBROKER_REASON_SYMLINK);
}

int object_dress(const struct server *server, int fd, const struct policy_options *options)
{
	uid_t uid = options->uid == POLICY_OWNER_DEFAULT ? (uid_t)-1 : options->uid;
	gid_t gid = options->gid == POLICY_OWNER_DEFAULT ? getegid() : options->gid;
	char name[16];

	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	/* fchmod(2) takes no O_PATH descriptor, and fchmodat2(2) is of Linux 6.6. */
	snprintf(name, sizeof(name), "%d", fd);
	return fchmodat(server->self_fd, name, options->mode, 0) < 0 ? -errno : 0;
}

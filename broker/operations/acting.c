/* SPDX-License-Identifier: MIT */
/*
 * The order is the point. On the way there: groups, gid, uid, which need capabilities, and then the
 * capabilities; CAP_DAC_OVERRIDE does not go with the uid by itself unless that was 0 before
 * (capabilities(7), effect of user ID changes). On the way back the same in reverse. setfsuid(2)
 * tells nothing of its failure, so everything is read back.
 *
 * A change of the file-system uid clears the parent-death signal and resets dumpable
 * (PR_SET_PDEATHSIG and PR_SET_DUMPABLE, prctl(2); commit_creds() in kernel/cred.c).
 *
 * Must never: return half changed.
 */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../confine.h"
#include "../limits.h"
#include "../log.h"
#include "acting.h"

static struct {
	bool is_other;
	uint32_t uid, gid;
} acting;

/* Out of range, so that nothing is changed: setfsuid(2). */
static bool ids_are(uint32_t uid, uint32_t gid)
{
	return (uint32_t)setfsuid((uid_t)-1) == uid && (uint32_t)setfsgid((gid_t)-1) == gid;
}

/* They come nearly in order. Not qsort(3), which asks the system how much memory there is. */
static void groups_sort(gid_t *groups, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		const gid_t group = groups[i];
		uint32_t at = i;

		for (; at > 0 && groups[at - 1] > group; at--)
			groups[at] = groups[at - 1];
		groups[at] = group;
	}
}

/*
 * Of the kernel's order, groups_sort() in kernel/groups.c, no more can be told than that it is one:
 * in a user namespace it is not that of the numbers there.
 */
static bool groups_are(const uint32_t *groups, uint32_t count)
{
	static gid_t is[PEER_GROUPS_MAX], wanted[PEER_GROUPS_MAX];

	if (count > PEER_GROUPS_MAX || getgroups(PEER_GROUPS_MAX, is) != (int)count)
		return false;
	if (count == 0)
		return true;
	memcpy(wanted, groups, count * sizeof(wanted[0]));
	groups_sort(wanted, count);
	groups_sort(is, count);
	return memcmp(is, wanted, count * sizeof(is[0])) == 0;
}

static int rearm(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return errno;
	return 0;
}

/* The system calls in their order. 0 or a positive errno. */
static int become(uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t count)
{
	if (setgroups(count, groups) < 0)
		return errno;
	setfsgid(gid);
	setfsuid(uid);
	if (!ids_are(uid, gid) || !groups_are(groups, count))
		return EPERM;
	return rearm();
}

void acting_end(void)
{
	if (!acting.is_other)
		return;
	acting.is_other = false;
	/* Again: leaving uid 0 takes them away where the securebits do not forbid it. */
	if (confine_resume() < 0 || become(geteuid(), getegid(), NULL, 0) != 0 ||
		confine_resume() < 0) {
		log_message(LOG_ERR, "executor: cannot be the broker again");
		_exit(1);
	}
}

static int act_as(const struct policy_user *user)
{
	int error;

	acting.is_other = true;
	acting.uid = user->uid;
	acting.gid = user->gid;
	error = become(user->uid, user->gid, user->groups, user->group_count);
	if (error == 0)
		error = -confine_suspend();
	if (error != 0)
		acting_end();
	return error;
}

int acting_begin(const struct server *server, const struct asker *asker,
	const struct policy_options *options)
{
	struct policy_user user = {.uid = asker->peer->uid,
		.gid = asker->peer->gid,
		.groups = asker->groups,
		.group_count = asker->group_count};

	switch ((enum policy_as)options->as) {
	case POLICY_AS_BROKER:
		return 0;
	case POLICY_AS_USER:
		policy_image_user(server->image, options->as_user, &user);
		return act_as(&user);
	case POLICY_AS_PEER:
		return act_as(&user);
	}
	return EINVAL;
}

uint32_t acting_uid(const struct server *server)
{
	return acting.is_other ? acting.uid : server->own_uid;
}

gid_t acting_gid(void)
{
	return acting.is_other ? acting.gid : getegid();
}

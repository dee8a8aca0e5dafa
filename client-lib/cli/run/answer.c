/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <errno.h>

void answer_without_broker(const struct receiver *receiver, const struct notification *notification)
{
	if (receiver->supervision->mode == RUN_POLICY_ONLY)
		notification_return(notification, EACCES);
	else
		notification_continue(notification);
}

/* ---- before it is asked ---- */

static bool may_be_granted(struct receiver *receiver,
	bool (*guess)(struct grants *grants, const void *argument), const void *argument)
{
	struct supervision *supervision = receiver->supervision;

	/* There all that is refused is to be in the broker's log. */
	if (supervision->mode == RUN_POLICY_ONLY || guess(supervision->grants, argument))
		return true;
	if (!grants_are_old(supervision->grants))
		return false;
	receiver_may_wait(receiver);
	refresher_refresh(&supervision->refresher);
	return guess(supervision->grants, argument);
}

bool answer_is_for_broker(struct receiver *receiver, const struct notification *notification,
	bool (*guess)(struct grants *grants, const void *argument), const void *argument)
{
	return may_be_granted(receiver, guess, argument) &&
	       target_is_at(notification->thread, &receiver->supervision->place) &&
	       notification_is_alive(notification);
}

/* ---- the broker's answer ---- */

/* The errno for the program; 0: its own rights decide. */
static int program_errno(enum fdbroker_reason reason, int error)
{
	switch (reason) {
	case FDBROKER_REASON_KERNEL:
		/* Some file systems know their user and nobody else: FUSE, NFS. */
		return error == EACCES || error == EPERM ? 0 : error;
	case FDBROKER_REASON_LOCAL:
		return error;
	case FDBROKER_REASON_UNKNOWN:
		return EIO; /* it may have been done: going on could do it twice */
	case FDBROKER_REASON_LIMIT:
		return ENFILE; /* what open(2) says when others have used everything up */
	default:
		return error == EFBIG ? EFBIG : 0; /* a `copy`: allowed, but for its size */
	}
}

int answer_ask(struct receiver *receiver, question *ask, void *argument, int *error)
{
	int result;

	receiver_may_wait(receiver);
	result =
		connections_ask(&receiver->supervision->connections, &receiver->own, ask, argument);
	*error = result < 0 ? program_errno(fdbroker_last_reason(), errno) : 0;
	return result;
}

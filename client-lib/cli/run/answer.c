/* SPDX-License-Identifier: MIT */
#include "answer.h"
#include "notification.h"

#include <errno.h>

void answer_without_broker(const struct receiver *receiver, const struct notification *notification)
{
	if (receiver->supervision->mode == RUN_POLICY_ONLY)
		notification_return(notification, EACCES);
	else
		notification_continue(notification);
}

/* ---- before it is asked ---- */

static int refresh(struct fdbroker *broker, void *grants)
{
	return grants_refresh(grants, broker);
}

bool answer_may_be_granted(struct receiver *receiver,
	bool (*guess)(struct grants *grants, const void *argument), const void *argument)
{
	struct supervision *supervision = receiver->supervision;

	/* There the log of what was refused is whole, and what is known may be old. */
	if (supervision->mode == RUN_POLICY_ONLY || guess(supervision->grants, argument))
		return true;
	if (!grants_are_old(supervision->grants))
		return false;
	receiver_may_wait(receiver);
	(void)connections_ask_first(&supervision->connections, refresh, supervision->grants);
	return guess(supervision->grants, argument);
}

/* ---- afterwards ---- */

int answer_errno(enum fdbroker_reason reason, int error)
{
	switch (reason) {
	case FDBROKER_REASON_KERNEL:
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

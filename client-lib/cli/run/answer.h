/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a call: whether it is asked of the broker at all, and what the broker's answer
 * means for a program that knows nothing of a broker.
 */
#pragma once

#include "receivers.h"

/* The program's own rights decide; of one that has none but the policy's, it is refused. */
void answer_without_broker(
	const struct receiver *receiver, const struct notification *notification);

/*
 * Is it to be asked of the broker? Not what the policy could not grant: guess is asked of what is
 * known of that, and again of what the broker says now if that is no longer fresh. And not for a
 * thread whose names mean something else; nor when the call is over, so that all that was read for it
 * until now may have been somebody else's.
 */
bool answer_is_for_broker(struct receiver *receiver, const struct notification *notification,
	bool (*guess)(struct grants *grants, const void *argument), const void *argument);

/*
 * Asks the broker, which may take its time. Returns its answer; -1 with *error: the positive errno
 * for the program, or 0 where its own rights decide.
 */
int answer_ask(struct receiver *receiver, question *ask, void *argument, int *error);

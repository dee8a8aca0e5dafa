/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a call: whether it is asked of the broker at all, and what the broker's refusal
 * means for a program that knows nothing of a broker.
 */
#pragma once

#include "receivers.h"

struct notification;

/* The program's own rights decide; of one that has none but the policy's, it is refused. */
void answer_without_broker(
	const struct receiver *receiver, const struct notification *notification);

/*
 * Might the broker grant it? guess is asked of what is known of the policy, and again of what the
 * broker says now if that is no longer fresh.
 */
bool answer_may_be_granted(struct receiver *receiver,
	bool (*guess)(struct grants *grants, const void *argument), const void *argument);

/* What a refusal by the broker is for the program: a positive errno, or 0: its own rights decide. */
int answer_errno(enum fdbroker_reason reason, int error);

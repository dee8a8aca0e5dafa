/* SPDX-License-Identifier: MIT */
/*
 * Files that the policy hands out as copies: a rule with `copy`, fdbroker.policy(5).
 */
#pragma once

#include "call.h"

/* Whether it was refused because the rule hands out copies, and asking for one is what to do. */
bool wants_copy(const struct fdbroker_open_request *file);

/*
 * Asks for a copy of the file that `file` names, as fdbroker_openat() would open it. Its descriptor
 * is close-on-exec. Not in the caller's turn: the broker is asked more than once, maybe.
 */
struct call_outcome copy_open(
	struct fdbroker *broker, int dirfd, const struct fdbroker_open_request *file);

/* SPDX-License-Identifier: MIT */
/*
 * What comes in this process's own memory: files that the policy hands out as copies (a rule with
 * `copy`, fdbroker.policy(5)), and lists of names.
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

/*
 * Asks for what fills a memfd, with a larger one each time until that is enough. Its descriptor is
 * close-on-exec, and at its beginning. Not in the caller's turn either.
 */
struct call_outcome call_with_memory(
	struct fdbroker *broker, const struct fdbroker_request *request);

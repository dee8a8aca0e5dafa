/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filters of each supervised program: one refuses, the other one stops. Both want
 * no_new_privs (prctl(2)), and are for this thread and all that comes of it. What a sandbox forbids
 * besides is in sandbox-filter.h.
 */
#pragma once

#include <stdbool.h>

/*
 * What gets round the other filters: io_uring_setup(2) and x32 calls fail with ENOSYS, calls of
 * another architecture kill the process. False, with errno, if the kernel refuses.
 */
bool filter_refuse(void);

/*
 * The system calls of trapped.h stop until the supervisor has answered them. Returns the listener,
 * which is close-on-exec; or -1 with errno: EBUSY if somebody listens already.
 */
int filter_trap(void);

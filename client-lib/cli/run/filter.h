/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filters of a supervised program: one refuses, the other one stops. Both want no_new_privs
 * (prctl(2)), and are for this thread and all that comes of it.
 */
#pragma once

#include <stdbool.h>

/*
 * What gets round the other filter: io_uring_setup(2) and x32 calls fail with ENOSYS, calls of another
 * architecture kill the process. without_mptcp: there are no sockets of MPTCP, of whose ports
 * Landlock does not know (programs take TCP then). False, with errno, if the kernel refuses.
 */
bool filter_refuse(bool without_mptcp);

/*
 * The system calls of trapped.h stop until the supervisor has answered them. Returns the listener,
 * which is close-on-exec; or -1 with errno: EBUSY if somebody listens already.
 */
int filter_trap(void);

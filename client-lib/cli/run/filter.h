/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filter of a supervised program.
 */
#pragma once

#include <stdbool.h>

/*
 * Enters it, for this thread and all that come of it: the system calls of trapped.h stop until the
 * supervisor has answered them, io_uring_setup(2) and x32 calls fail with ENOSYS, calls of another
 * architecture kill the process; and without_mptcp, of which Landlock knows no ports, there are no
 * sockets of MPTCP (programs take TCP then). Wants no_new_privs (prctl(2)). Returns the listener, which is
 * close-on-exec; or -1 with errno: EBUSY if somebody listens already.
 */
int filter_enter(bool without_mptcp);

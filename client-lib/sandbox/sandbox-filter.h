/* SPDX-License-Identifier: MIT */
/*
 * The filter of system calls of fdbroker_sandbox(): seccomp(2), by libseccomp.
 */
#pragma once

#include <seccomp.h>

/*
 * For the FDBROKER_SANDBOX_... flags; to be released by seccomp_release(3). NULL and errno. Nothing
 * is in force before sandbox_filter_enter().
 */
scmp_filter_ctx sandbox_filter_make(unsigned int flags);

/* For this thread and its children. 0; or -1 and errno. */
int sandbox_filter_enter(scmp_filter_ctx filter);

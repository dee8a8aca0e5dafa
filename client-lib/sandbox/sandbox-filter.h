/* SPDX-License-Identifier: MIT */
/*
 * The filters of system calls of fdbroker_sandbox() and of the sandboxes of `fdbroker run`:
 * seccomp(2), by libseccomp.
 */
#pragma once

#include <seccomp.h>
#include <stdbool.h>

/*
 * To be released by seccomp_release(3). NULL and errno. Nothing is in force before
 * sandbox_filter_enter().
 */
scmp_filter_ctx sandbox_filter_for_library(unsigned int flags); /* FDBROKER_SANDBOX_... */

/*
 * For --sandbox and --policy-only, to be entered beside filter_refuse() of the tool: it says
 * nothing about system calls of other architectures.
 */
scmp_filter_ctx sandbox_filter_for_run(bool policy_only);

/* For this thread and its children. 0; or -1 and errno. */
int sandbox_filter_enter(scmp_filter_ctx filter);

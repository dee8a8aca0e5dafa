/* SPDX-License-Identifier: MIT */
/*
 * A system call that the kernel has stopped for the supervisor: seccomp_unotify(2). It is answered
 * exactly once; an answer that comes too late, as the caller was killed, is for nobody and no error.
 *
 * Must never: look at the caller's memory; that is target.h's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct notification {
	int listener;
	uint64_t id;
	pid_t thread; /* the one that called, as this process's pid namespace numbers it */
	int system_call;
	uint64_t arguments[6];
};

/* Does the header that this was built with know as much as this kernel writes? */
bool notification_fits(void);

/* Waits for one. False: there is none, as the caller was interrupted before, or as it is over. */
bool notification_receive(struct notification *notification, int listener);

/* Waits for one to come, but no longer than that. False: none has. */
bool notification_comes(int listener, int timeout_msec);

/* Can there be no more? The listener hangs up when no process is left that has the filter. */
bool notification_is_over(int listener);

/*
 * Is the caller still in this call? As long as it is, its thread id is its own: what was looked up
 * by that before now was about the caller, and not about somebody who has got the number since.
 */
bool notification_is_alive(const struct notification *notification);

/* The kernel goes on with the call, with the arguments that are in the caller's memory by then. */
void notification_continue(const struct notification *notification);
/* The call fails with this errno, which is positive; or, with 0, returns 0. */
void notification_return(const struct notification *notification, int error);
/* The call returns a duplicate of fd in the caller, or fails as receiving it does (EMFILE). */
void notification_return_descriptor(
	const struct notification *notification, int fd, bool is_close_on_exec);

/* SPDX-License-Identifier: MIT */
/*
 * The thread of the supervisor that watches over the processes, beside those that answer: the
 * program and its descendants, and the command, with which it talks by the packets of supervisor.h.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct watch {
	pid_t program;
	int listener, channel, signals; /* -1: no longer */
	bool has_ended, is_stopped;     /* the program, not its descendants */
	/* Who last sent a signal to this process, and when. */
	struct {
		pid_t sender;
		int64_t msec;
	} last[_NSIG];
};

/* Descriptor of all signals, which are blocked. -1 with errno. */
int watch_signals(void);

/* Tells the command: SUPERVISOR_READY, or a status of waitpid(2). */
void watch_tell(const struct watch *watch, int status);

/* Takes one packet of the command, or its end. */
void watch_listen(struct watch *watch);

/* Waits for children by waitpid(2) with these options, as long as there are any. */
void watch_reap(struct watch *watch, int options);

/* Until nobody is left who has the filter, and the program has been waited for. */
void watch_over(struct watch *watch);

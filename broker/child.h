/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's children: starting one role as a fresh program with just its descriptors, and
 * ending it. The supervisor starts them; a role finds its descriptors here.
 */
#pragma once

#include <sys/types.h>

#include "confine.h"
#include "ring.h"

/* The descriptors of a child, by number. A role that has no use for one finds it closed. */
enum child_descriptor {
	CHILD_CHANNEL = 3, /* to the supervisor, or an executor's to its worker */
	CHILD_IMAGE,       /* the compiled policy, a sealed memfd */
	CHILD_MOUNTS,      /* struct trusted_mounts, a sealed memfd */
	CHILD_PEERS,       /* struct peers, a memfd that it can only read */
	CHILD_RING,        /* its ring, a memfd */
	CHILD_WAKE,        /* an eventfd: there is something in the ring */
	CHILD_TURNS,       /* an executor's: a file for locks that all have in common, a memfd */
	CHILD_HANDS,       /* a worker's struct hands, a memfd */
	CHILD_RESOLVER,    /* an executor's channel to its resolver */
	CHILD_DESCRIPTORS_END,
};

/* Opens our own program, to be executed for each role. To be called once, before confinement. */
int child_prepare(void) __attribute__((warn_unused_result));

/*
 * Starts a role. fds[i] becomes descriptor CHILD_CHANNEL + i, -1 leaves it closed; all stay open
 * here. Returns a pidfd and the pid, or a negative errno.
 */
int child_start(enum role role, const int fds[static CHILD_DESCRIPTORS_END - CHILD_CHANNEL],
	pid_t *pid) __attribute__((warn_unused_result));

/* SIGKILL. */
void child_kill(int pidfd);

/* Has it ended? Reaps it if so. *status as waitpid(2) has it. */
bool child_ended(int pidfd, int *status);

/* SPDX-License-Identifier: MIT */
/*
 * A process that serves, as the supervisor sees it: its pidfd, its ring, the generation it works
 * under. Workers, executors and resolvers alike.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "confine.h"
#include "events.h"
#include "generation.h"
#include "ring.h"

struct process {
	enum role role;
	pid_t pid;
	int pidfd;
	int wake; /* eventfd: there is something in the ring */
	struct ring *ring;
	uint64_t ring_tail, ring_skipped;
	struct generation *generation; /* held */
	struct source ended, woken;
};

/*
 * Starts a role with its end of a channel, and what it alone has: a worker the memory of its hands,
 * an executor its channel to its resolver; else -1. `ended` is called once its pidfd says that it
 * has ended; it then calls process_end(). 0 or a negative errno.
 */
int process_start(struct process *process, enum role role, struct generation *generation,
	int channel, int own, source_ready *ended) __attribute__((warn_unused_result));

/*
 * Logs what is left in its ring, and what it was doing when it was stopped. For a process that will
 * say nothing more, whether it has ended or not.
 */
void process_account(struct process *process);

/* Reaps it, logs what is left in its ring and how it ended, when that was not as it should be. */
void process_end(struct process *process, bool expected);

/* Lets go of all but its pidfd, which is the caller's from then on. */
int process_forget(struct process *process) __attribute__((warn_unused_result));

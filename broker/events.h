/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's event loop: descriptors and what to do when they are ready. One event at a time,
 * so that a handler may remove any other source.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct source;
typedef void source_ready(struct source *source);

struct source {
	int fd; /* -1: not watched */
	source_ready *ready;
};

/* The structure that a source is a member of. */
#define source_owner(source, type, member)                                                         \
	((type *)(void *)((char *)(source)-offsetof(type, member)))

int events_open(void) __attribute__((warn_unused_result));
int source_add(struct source *source, int fd, source_ready *ready)
	__attribute__((warn_unused_result));
/* The same for what reports changes as urgent data, as /proc/self/mountinfo does (proc(5)). */
int source_add_urgent(struct source *source, int fd, source_ready *ready)
	__attribute__((warn_unused_result));
void source_remove(struct source *source);

/* Waits for one event, at most until the deadline (clock_msec(); UINT64_MAX: for ever). */
void events_wait(uint64_t deadline);

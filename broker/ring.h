/* SPDX-License-Identifier: MIT */
/*
 * The ring between a process of the broker and the log: what the process decided, and what it has
 * to say, as binary records in shared memory. One writer (the worker or executor) and one reader
 * (the supervisor, which alone writes the log). A record is in the ring before the reply goes out,
 * so what a process decided before it died is logged all the same.
 *
 * The reader treats all of it as hostile input: it copies a record out before it looks at it, and
 * keeps its own position.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

struct ring {
	_Atomic uint64_t head;    /* bytes ever written; the writer's */
	_Atomic uint64_t tail;    /* bytes ever read; the reader's */
	_Atomic uint64_t skipped; /* records that found no room; the writer's */
	/*
	 * Bytes after head of a record about what is being done: what is known if nothing more
	 * comes of it. 0: there is none. The writer sets it, the next record takes its place, and
	 * the reader takes it from a writer that is no more.
	 */
	_Atomic uint32_t pending;
	unsigned char bytes[RING_BYTES];
};

enum record_kind { RECORD_DECISION = 1, RECORD_MESSAGE };

/*
 * A record's fixed part; the text follows it: the unit, then the object, and each after a NUL, where
 * there is one, the target of a rename and the path that a link led to; or a message.
 */
struct record {
	uint16_t text_length;
	uint8_t kind;  /* enum record_kind */
	uint8_t level; /* syslog(3), for MESSAGE */
	uint32_t uid;  /* of the peer */
	int32_t pid;
	uint32_t verbs; /* POLICY_BITs */
	uint32_t rule;  /* POLICY_NO_RULE: none */
	int32_t error;  /* what the client was told: 0 or an errno */
	uint8_t reason; /* enum fdbroker_reason */
	uint8_t allowed;
	uint8_t unit_length; /* the text begins with the peer's unit */
	uint8_t outcome;     /* enum policy_outcome */
};

/* Appends a record, or counts it as skipped when there is no room. */
void ring_write(struct ring *ring, const struct record *record, const void *unit, const void *text);

/* Leaves a record to be read only if no other one follows. */
void ring_write_pending(
	struct ring *ring, const struct record *record, const void *unit, const void *text);

/* What was being done has come to an end of which there is no record, or was not begun. */
void ring_drop_pending(struct ring *ring);

/* Where the writer is now: how far to read this time, however fast it goes on. */
uint64_t ring_head(const struct ring *ring);

/*
 * Takes the next record before `head` out. text must have room for UINT16_MAX bytes. Returns false
 * when there is none. *tail is the reader's own position; what a writer that lies left is skipped.
 */
bool ring_read(struct ring *ring, uint64_t *tail, uint64_t head, struct record *record, void *text);

/* Takes the record out that a writer which is no more has left pending, once all others are read.
 */
bool ring_read_pending(struct ring *ring, uint64_t tail, struct record *record, void *text);

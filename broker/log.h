/* SPDX-License-Identifier: MIT */
/*
 * The log: one line an event, as text or as JSON, on stderr; when that is the journal's, entries of
 * the journal (journal.h). Only the supervisor writes after start; the other roles say what they
 * have to say through their ring. When a line cannot be taken without waiting, it is counted, and
 * the count is said as soon as one goes through.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

#include "policy.h"
#include "ring.h"

enum log_format { LOG_TEXT, LOG_JSON };

/* From now on: this format, nothing less urgent than this level (syslog(3)). */
void log_open(enum log_format format, int level);

/* From now on messages of this process go into the ring instead (workers, executors). */
void log_to_ring(struct ring *ring);

void log_message(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same, of an event that the journal's catalog explains: id is one of journal.h. For the
 * supervisor: a ring has no room for the id.
 */
void log_event(int level, const char *id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* So many records were lost before they came here: they count as lines that were skipped. */
void log_skip(unsigned long long records);

/*
 * Says what could not be said yet: the rest of a line, how many were skipped. Returns when to call
 * again (clock_msec(); UINT64_MAX: there is nothing more to say).
 */
uint64_t log_tick(uint64_t now);

/* The last call: as log_tick(), and waits a moment for it. */
void log_close(void);

/* Writes one record of a ring; the image says where its rule stands. text is raw bytes. */
void log_record(const struct record *record, const char *text, const struct policy_image *image);

/* Why a connection was not taken. */
enum log_refusal {
	LOG_NO_CLIENT,   /* no client block is for it */
	LOG_CONNECTIONS, /* its user has too many */
	LOG_SESSIONS,    /* its user has as many as `limit sessions` lets it have */
};

/* The record of a connection that was not taken. unit may be NULL. */
void log_refusal(uint32_t uid, int32_t pid, const char *unit, enum log_refusal refusal);

/* SPDX-License-Identifier: MIT */
/*
 * The log: lines on stderr, one an event, as text or as JSON. Only the supervisor writes after
 * start; the other roles say what they have to say through their ring. When stderr cannot take a
 * line without waiting, the line is counted, and the count is said as soon as one goes through.
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

/* Writes one record of a ring; the image says where its rule stands. text is raw bytes. */
void log_record(const struct record *record, const char *text, const struct policy_image *image);

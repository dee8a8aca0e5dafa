/* SPDX-License-Identifier: MIT */
/*
 * The times that --since takes, so that a file is read from the same record on as the journal: a
 * part of what systemd.time(7) describes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* For those who wrote something else. */
#define SINCE_FORMS                                                                                \
	"-1h, '10min ago', now, today, yesterday, 2026-11-21, '2026-11-21 21:35[:13]', 21:35; "    \
	"with UTC or Z behind it, else in local time"

/*
 * Whether a time is meant by the text, given what time it is now; both in microseconds since 1970.
 * Without a zone it is local time, tzset(3).
 */
bool since_read(const char *text, int64_t now_usec, int64_t *time_usec);

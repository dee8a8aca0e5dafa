/* SPDX-License-Identifier: MIT */
/*
 * A line being put together. What somebody else chose is escaped, so that no line can be faked:
 * whatever is not printable ASCII becomes \xHH, or \u00HH in JSON, where each stands for one byte;
 * backslash and quote get a backslash before them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "limits.h"

struct line {
	size_t length;
	bool json; /* how it is escaped */
	char bytes[LOG_LINE_MAX];
};

void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_add_byte(struct line *line, char byte);

/* Between quotes. */
void line_add_escaped(struct line *line, const char *bytes, size_t length);

/* Without quotes: a blank would end it, and is written as a number. */
void line_add_word(struct line *line, const char *bytes, size_t length);

/* For sentences: quotes and backslashes stay, but nothing can begin another line. */
void line_add_printable(struct line *line, const char *bytes, size_t length);

/* What time it is: UTC, RFC 3339. */
void line_add_time(struct line *line);

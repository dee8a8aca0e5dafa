/* SPDX-License-Identifier: MIT */
/* Putting lines together: see line.h. What finds no room is left out; nothing is written here. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "line.h"

void line_add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->bytes) - line->length;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line->bytes + line->length, room, format, arguments);
	va_end(arguments);
	if (n > 0)
		line->length += (size_t)n < room ? (size_t)n : room - 1;
}

void line_add_byte(struct line *line, char byte)
{
	if (line->length < sizeof(line->bytes) - 1)
		line->bytes[line->length++] = byte;
}

/* \xHH, or \u00HH in JSON. By hand: whoever floods the log has long lines written. */
static void line_add_hex(struct line *line, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	line_add_byte(line, '\\');
	if (line->json) {
		line_add_byte(line, 'u');
		line_add_byte(line, '0');
		line_add_byte(line, '0');
	} else {
		line_add_byte(line, 'x');
	}
	line_add_byte(line, digits[byte >> 4]);
	line_add_byte(line, digits[byte & 15]);
}

/* The bytes from `first` to '~' stay. */
static void line_add_from(
	struct line *line, unsigned char first, bool quotes, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (quotes && (byte == '\\' || byte == '"'))
			line_add_byte(line, '\\');
		if (byte >= first && byte <= '~')
			line_add_byte(line, (char)byte);
		else
			line_add_hex(line, byte);
	}
}

void line_add_escaped(struct line *line, const char *bytes, size_t length)
{
	line_add_from(line, ' ', true, bytes, length);
}

void line_add_word(struct line *line, const char *bytes, size_t length)
{
	line_add_from(line, '!', true, bytes, length);
}

void line_add_printable(struct line *line, const char *bytes, size_t length)
{
	line_add_from(line, ' ', false, bytes, length);
}

void line_add_time(struct line *line)
{
	struct timespec now = {0};
	struct tm utc = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	line_add(line, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", utc.tm_year + 1900, utc.tm_mon + 1,
		utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000);
}

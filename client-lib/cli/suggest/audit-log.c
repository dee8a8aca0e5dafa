/* SPDX-License-Identifier: MIT */
/*
 * Lines to records. A log file may have lines of others, and names in a line were chosen by whoever
 * asked the broker: a record counts only when it is whole, from the first word to the last.
 *
 * Must never repair a line, nor look for a record in the middle of what is not one.
 */
#include "audit-log.h"

#include <stdlib.h>
#include <string.h>

#include "audit-parts.h"

/* ---- text ---- */

/* Where the value that begins here ends: at the quote that closes it, or else at a blank. NULL: it
 * is cut off. */
static const char *value_find_end(const char *at, const char *end, bool is_quoted)
{
	for (; at < end; at++) {
		if (*at == (is_quoted ? '"' : ' '))
			return at;
		if (*at == '\\' && ++at == end)
			return NULL;
	}
	return is_quoted ? NULL : end;
}

static enum field field_find(const char *name, size_t length)
{
	for (int field = 0; field < FIELD_COUNT; field++) {
		if (strlen(field_names[field].name) == length &&
			memcmp(field_names[field].name, name, length) == 0)
			return (enum field)field;
	}
	return FIELD_COUNT;
}

/* One NAME=VALUE. Returns what follows it; NULL: it is none. */
static const char *pair_read(
	struct audit_reader *reader, struct fields *fields, const char *at, const char *end)
{
	const char *equals = memchr(at, '=', (size_t)(end - at)), *value, *value_end;
	enum field field;
	bool is_quoted;

	if (equals == NULL || memchr(at, ' ', (size_t)(equals - at)) != NULL)
		return NULL;
	field = field_find(at, (size_t)(equals - at));
	value = equals + 1;
	is_quoted = value < end && *value == '"';
	value += is_quoted;
	value_end = value_find_end(value, end, is_quoted);
	if (value_end == NULL || field == FIELD_VERDICT ||
		(field < FIELD_COUNT &&
			!field_set(reader, fields, field, value, (size_t)(value_end - value))))
		return NULL;
	value_end += is_quoted;
	if (value_end == end)
		return end;
	return *value_end == ' ' ? value_end + 1 : NULL;
}

static bool starts_with(const char *line, const char *end, const char *start)
{
	size_t length = strlen(start);

	return (size_t)(end - line) >= length && memcmp(line, start, length) == 0;
}

/*
 * Where the daemon's own words begin: after a priority as of sd-daemon(3), or after what syslog and
 * journalctl(1) put before them, which ends in "fdbrokerd[PID]: ". Where a line begins with the
 * daemon's words, nothing in it is taken for that.
 */
static const char *words_find(const char *line, const char *end)
{
	static const char name[] = " fdbrokerd[";
	const char *close, *open;

	if (end - line > 3 && line[0] == '<' && line[2] == '>')
		return line + 3;
	if (starts_with(line, end, "audit: ") || starts_with(line, end, "fdbrokerd: ") ||
		starts_with(line, end, "{"))
		return line;
	close = memmem(line, (size_t)(end - line), "]: ", 3);
	open = memchr(line, '[', (size_t)(end - line));
	if (close == NULL || open == NULL || (size_t)(open + 1 - line) < strlen(name) ||
		memcmp(open + 1 - strlen(name), name, strlen(name)) != 0)
		return line;
	return close + 3;
}

static enum audit_line text_read(struct audit_reader *reader, struct audit_record *record,
	const char *line, size_t line_length)
{
	static const char start[] = "audit: ";
	const char *end = line + line_length, *at = line, *blank;
	struct fields fields = {0};

	if (!starts_with(at, end, start))
		return AUDIT_OTHER;
	at += sizeof(start) - 1;
	blank = memchr(at, ' ', (size_t)(end - at));
	/* The kernel's own audit messages begin likewise. */
	if (blank == NULL || !field_set(reader, &fields, FIELD_VERDICT, at, (size_t)(blank - at)) ||
		(!text_is(&fields.texts[FIELD_VERDICT], "denied") &&
			!text_is(&fields.texts[FIELD_VERDICT], "allowed")))
		return AUDIT_OTHER;
	for (at = blank + 1; at < end;) {
		at = pair_read(reader, &fields, at, end);
		if (at == NULL)
			return AUDIT_BROKEN;
	}
	return fields.texts[FIELD_OBJECT].bytes != NULL ? fields_finish(&fields, record)
							: AUDIT_BROKEN;
}

/* ---- lines ---- */

enum audit_line line_read(struct audit_reader *reader, struct audit_record *record,
	const char *line, size_t length, bool is_message)
{
	const char *words = is_message ? line : words_find(line, line + length);

	length -= (size_t)(words - line);
	return length > 0 && words[0] == '{' ? json_read(reader, record, words, length, is_message)
					     : text_read(reader, record, words, length);
}

/* Each value is ended by a NUL. */
static bool texts_reserve(struct audit_reader *reader, size_t line_length)
{
	size_t size = line_length + FIELD_COUNT;
	char *texts;

	reader->texts_length = 0;
	if (size <= reader->texts_size)
		return true;
	texts = realloc(reader->texts, size);
	if (texts == NULL)
		return false;
	reader->texts = texts;
	reader->texts_size = size;
	return true;
}

bool audit_read(struct audit_reader *reader, enum audit_line *kind, struct audit_record *record)
{
	ssize_t length = getline(&reader->line, &reader->line_size, reader->in);

	if (length < 0)
		return false;
	if (length > 0 && reader->line[length - 1] == '\n')
		length--;
	*kind = AUDIT_FAILED;
	if (texts_reserve(reader, (size_t)length))
		*kind = line_read(reader, record, reader->line, (size_t)length, false);
	return true;
}

void audit_reader_release(struct audit_reader *reader)
{
	free(reader->line);
	free(reader->texts);
}

/* SPDX-License-Identifier: MIT */
/*
 * Records in text. Names in one were chosen by whoever asked the broker: it counts only when it is
 * whole, from the first word to the last.
 *
 * Must never repair a record, nor look for one in the middle of what is none.
 */
#include "audit-parts.h"

#include <string.h>

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

enum audit_line text_read(
	struct audit_reader *reader, struct audit_record *record, const char *line, size_t length)
{
	static const char start[] = "audit: ";
	const char *end = line + length, *at = form_skip(line, end, start), *blank;
	struct fields fields = {0};

	if (at == NULL)
		return AUDIT_OTHER;
	blank = memchr(at, ' ', (size_t)(end - at));
	/* The kernel's own audit messages begin likewise. */
	if (blank == NULL || !field_set(reader, &fields, FIELD_VERDICT, at, (size_t)(blank - at)) ||
		(!audit_text_is(&fields.texts[FIELD_VERDICT], "denied") &&
			!audit_text_is(&fields.texts[FIELD_VERDICT], "allowed")))
		return AUDIT_OTHER;
	for (at = blank + 1; at < end;) {
		at = pair_read(reader, &fields, at, end);
		if (at == NULL)
			return AUDIT_BROKEN;
	}
	return fields.texts[FIELD_OBJECT].bytes != NULL ? fields_finish(&fields, record)
							: AUDIT_BROKEN;
}

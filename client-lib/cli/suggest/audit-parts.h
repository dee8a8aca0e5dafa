/* SPDX-License-Identifier: MIT */
/* The parts of the reader of the audit log: fields, lines of text, JSON. */
#pragma once

#include "audit-log.h"

enum field {
	FIELD_VERDICT,
	FIELD_UID,
	FIELD_UNIT,
	FIELD_VERB,
	FIELD_OBJECT,
	FIELD_TARGET,
	FIELD_REASON,
	FIELD_RULE,
	FIELD_CLIENT,
	FIELD_WHY,
	FIELD_TIME,
	FIELD_COUNT,
};

/* A record in the making. */
struct fields {
	struct audit_text texts[FIELD_COUNT];
};

/* What a field is called in a record, and in the journal. */
struct field_name {
	const char *name, *journal;
};
extern const struct field_name field_names[FIELD_COUNT];

/* ---- audit-fields.c ---- */

/*
 * What follows a stretch of this form, in which 0 is any digit, @ a letter, and anything else
 * itself. NULL: there is none.
 */
const char *form_skip(const char *at, const char *end, const char *form);

/*
 * Sets a field to a value of the text format, with its escapes undone. False: the record has that
 * field already, or there is an escape in it that means nothing.
 */
bool field_set(struct audit_reader *reader, struct fields *fields, enum field field,
	const char *bytes, size_t length);

/* The same for characters of JSON, each of which stands for a byte. */
bool field_set_characters(struct audit_reader *reader, struct fields *fields, enum field field,
	const char *utf8, size_t length);

/* AUDIT_RECORD, or AUDIT_BROKEN when something is missing or means nothing. */
enum audit_line fields_finish(const struct fields *fields, struct audit_record *record);

/* ---- audit-text.c ---- */

enum audit_line text_read(
	struct audit_reader *reader, struct audit_record *record, const char *line, size_t length);

/* ---- audit-json.c ---- */

/* What the journal says of an entry. */
struct journal_entry {
	char *message; /* still to be read, and freed; NULL: there is nothing to be read in it */
	size_t message_length;
	int64_t time_usec; /* or AUDIT_NO_TIME */
	/* False: it does not say, which it leaves out only where it says nothing of its own. */
	bool has_writer;
	uint32_t writer;
};

/* An object: a record, or with an entry to be filled in one of the journal too. */
enum audit_line json_read(struct audit_reader *reader, struct audit_record *record,
	const char *line, size_t length, struct journal_entry *entry);

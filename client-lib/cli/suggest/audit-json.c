/* SPDX-License-Identifier: MIT */
/*
 * Records in JSON: those that fdbrokerd writes itself, and entries of the journal as journalctl(1)
 * prints them, with fields of their own or with one line of fdbrokerd's as the message.
 *
 * Must never pass an entry on without who wrote it, where the journal says so.
 */
#include "audit-parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool json_field_set(
	struct audit_reader *reader, struct fields *fields, enum field field, const json_t *value)
{
	char digits[24];
	int length;

	if (json_is_string(value))
		return field_set_characters(
			reader, fields, field, json_string_value(value), json_string_length(value));
	if (!json_is_integer(value))
		return false;
	length = snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
	return field_set(reader, fields, field, digits, (size_t)length);
}

static enum audit_line own_json_read(
	struct audit_reader *reader, struct audit_record *record, const json_t *object)
{
	struct fields fields = {0};

	for (int field = 0; field < FIELD_COUNT; field++) {
		const json_t *value = json_object_get(object, field_names[field].name);

		if (value != NULL && !json_field_set(reader, &fields, (enum field)field, value))
			return AUDIT_BROKEN;
	}
	return fields.texts[FIELD_OBJECT].bytes != NULL ? fields_finish(&fields, record)
							: AUDIT_BROKEN;
}

/*
 * A field of the journal: a string, or an array of numbers, one a byte, where it is not UTF-8
 * (journalctl(1), "json"). The bytes are copied to *bytes, which is malloc'ed.
 */
static bool journal_bytes(const json_t *value, char **bytes, size_t *length)
{
	*length = json_is_string(value) ? json_string_length(value) : json_array_size(value);
	*bytes = malloc(*length + 1);
	if (*bytes == NULL)
		return false;
	(*bytes)[*length] = '\0';
	if (json_is_string(value)) {
		memcpy(*bytes, json_string_value(value), *length);
		return true;
	}
	for (size_t i = 0; i < *length && json_is_array(value); i++) {
		const json_t *item = json_array_get(value, i);

		if (!json_is_integer(item) || (json_integer_value(item) & ~0xffLL) != 0)
			return false;
		(*bytes)[i] = (char)json_integer_value(item);
	}
	return json_is_array(value);
}

/* journalctl gives null for what it leaves out for its length; a record without it is none. */
static bool journal_field_set(
	struct audit_reader *reader, struct fields *fields, enum field field, const json_t *value)
{
	char *bytes = NULL;
	size_t length;
	bool is_set = journal_bytes(value, &bytes, &length) &&
		      field_set(reader, fields, field, bytes, length);

	free(bytes);
	return is_set;
}

static int64_t journal_time(const json_t *object)
{
	const json_t *value = json_object_get(object, "__REALTIME_TIMESTAMP");
	struct audit_text text = {json_string_value(value), json_string_length(value)};
	int64_t usec;

	return audit_text_number(&text, INT64_MAX / 16, &usec) ? usec : AUDIT_NO_TIME;
}

static enum audit_line journal_fields_read(
	struct audit_reader *reader, struct audit_record *record, const json_t *object)
{
	struct fields fields = {0};

	for (int field = 0; field < FIELD_COUNT; field++) {
		const json_t *value = json_object_get(object, field_names[field].journal);

		if (value != NULL && !journal_field_set(reader, &fields, (enum field)field, value))
			return AUDIT_BROKEN;
	}
	return fields_finish(&fields, record);
}

/*
 * Who wrote it. Fields that begin with one underscore are the journal's own (two: those of where the
 * entry lies), and where there are any, an entry without this one is nobody's: the kernel's, or one
 * that was made by hand. False: so it is.
 */
static bool journal_writer_read(struct journal_entry *entry, json_t *object)
{
	const json_t *value = json_object_get(object, "_UID");
	struct audit_text text = {json_string_value(value), json_string_length(value)};
	const char *name;
	json_t *other;
	int64_t uid;

	entry->has_writer = value != NULL;
	if (value != NULL) {
		if (!audit_text_number(&text, UINT32_MAX, &uid))
			return false;
		entry->writer = (uint32_t)uid;
		return true;
	}
	json_object_foreach(object, name, other)
	{
		if (name[0] == '_' && name[1] != '_')
			return false;
	}
	return true;
}

static enum audit_line journal_read(struct audit_reader *reader, struct audit_record *record,
	json_t *object, struct journal_entry *entry)
{
	const json_t *message = json_object_get(object, "MESSAGE");

	if (!journal_writer_read(entry, object))
		return AUDIT_OTHER;
	entry->time_usec = journal_time(object);
	if (json_object_get(object, "FDBROKER_VERDICT") != NULL)
		return journal_fields_read(reader, record, object);
	if (!journal_bytes(message, &entry->message, &entry->message_length)) {
		free(entry->message);
		entry->message = NULL;
	}
	return AUDIT_OTHER;
}

enum audit_line json_read(struct audit_reader *reader, struct audit_record *record,
	const char *line, size_t length, struct journal_entry *entry)
{
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	enum audit_line kind = AUDIT_OTHER;

	if (entry != NULL)
		*entry = (struct journal_entry){.time_usec = AUDIT_NO_TIME};
	/* Cut off in the middle, or somebody else's. */
	if (object == NULL)
		return memmem(line, length, "\"audit\":", 8) == line + 1 ? AUDIT_BROKEN
									 : AUDIT_OTHER;
	if (json_object_get(object, "audit") != NULL)
		kind = own_json_read(reader, record, object);
	else if (entry != NULL)
		kind = journal_read(reader, record, object, entry);
	json_decref(object);
	return kind;
}

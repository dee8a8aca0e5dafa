/* SPDX-License-Identifier: MIT */
/*
 * Values to fields, and fields to a record. What they say was chosen by whoever asked the broker:
 * each field counts once, and every escape must be one that fdbrokerd writes.
 *
 * Must never repair a value.
 */
#include "audit-parts.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "policy.h"
#include "write.h"

const struct field_name field_names[FIELD_COUNT] = {
	[FIELD_VERDICT] = {"audit", "FDBROKER_VERDICT"},
	[FIELD_UID] = {"uid", "FDBROKER_UID"},
	[FIELD_UNIT] = {"unit", "FDBROKER_UNIT"},
	[FIELD_VERB] = {"verb", "FDBROKER_VERB"},
	[FIELD_OBJECT] = {"object", "FDBROKER_OBJECT"},
	[FIELD_TARGET] = {"target", "FDBROKER_TARGET"},
	[FIELD_REASON] = {"reason", "FDBROKER_REASON"},
	[FIELD_RULE] = {"rule", "FDBROKER_RULE"},
	[FIELD_CLIENT] = {"client", "FDBROKER_CLIENT"},
	[FIELD_WHY] = {"why", "FDBROKER_WHY"},
	[FIELD_TIME] = {"time", "FDBROKER_TIME"},
};

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* How many bytes an escape of the text format has, and which byte it is. 0: it is none. */
static size_t escape_read(const char *bytes, size_t length, char *byte)
{
	int high, low;

	if (length >= 2 && (bytes[1] == '\\' || bytes[1] == '"')) {
		*byte = bytes[1];
		return 2;
	}
	if (length < 4 || bytes[1] != 'x')
		return 0;
	high = hex_digit(bytes[2]);
	low = hex_digit(bytes[3]);
	*byte = (char)(high * 16 + low);
	return high >= 0 && low >= 0 ? 4 : 0;
}

/* Nothing decoded is longer than what it was decoded from, so the room for a line is enough. */
static bool field_begin(struct audit_reader *reader, struct fields *fields, enum field field)
{
	if (fields->texts[field].bytes != NULL)
		return false;
	fields->texts[field].bytes = reader->texts + reader->texts_length;
	return true;
}

static void field_end(struct audit_reader *reader, struct fields *fields, enum field field)
{
	struct audit_text *text = &fields->texts[field];

	text->length = (size_t)(reader->texts + reader->texts_length - text->bytes);
	reader->texts[reader->texts_length++] = '\0';
}

bool field_set(struct audit_reader *reader, struct fields *fields, enum field field,
	const char *bytes, size_t length)
{
	if (!field_begin(reader, fields, field))
		return false;
	for (size_t i = 0; i < length;) {
		char byte = bytes[i];
		size_t size = byte == '\\' ? escape_read(bytes + i, length - i, &byte) : 1;

		if (size == 0 || byte == '\0')
			return false;
		reader->texts[reader->texts_length++] = byte;
		i += size;
	}
	field_end(reader, fields, field);
	return true;
}

bool field_set_characters(struct audit_reader *reader, struct fields *fields, enum field field,
	const char *utf8, size_t length)
{
	if (!field_begin(reader, fields, field))
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)utf8[i];

		/* U+0080 to U+00FF are 110000xx 10xxxxxx, RFC 3629, 3. */
		if (byte >= 0x80) {
			if ((byte & 0xfc) != 0xc0 || ++i == length)
				return false;
			byte = (unsigned char)((byte & 3) << 6 | (utf8[i] & 0x3f));
		}
		reader->texts[reader->texts_length++] = (char)byte;
	}
	field_end(reader, fields, field);
	return true;
}

bool audit_text_is(const struct audit_text *text, const char *word)
{
	return text->bytes != NULL && text->length == strlen(word) &&
	       memcmp(text->bytes, word, text->length) == 0;
}

bool audit_text_number(const struct audit_text *text, int64_t most, int64_t *number)
{
	*number = 0;
	if (text->bytes == NULL || text->length == 0)
		return false;
	for (size_t i = 0; i < text->length; i++) {
		if (text->bytes[i] < '0' || text->bytes[i] > '9' || *number > most / 10)
			return false;
		*number = *number * 10 + (text->bytes[i] - '0');
	}
	return *number <= most;
}

static bool verb_read(const char *word, size_t length, uint32_t *verbs)
{
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		const char *name = policy_verb_name((enum policy_verb)verb);

		if (strlen(name) == length && memcmp(name, word, length) == 0) {
			*verbs |= POLICY_BIT(verb);
			return true;
		}
	}
	return false;
}

/* "read,write"; "-" is none. */
static bool verbs_read(const struct audit_text *text, uint32_t *verbs)
{
	const char *at, *end;

	*verbs = 0;
	if (text->bytes == NULL || audit_text_is(text, "-"))
		return true;
	end = text->bytes + text->length;
	for (at = text->bytes;;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *word_end = comma != NULL ? comma : end;

		if (!verb_read(at, (size_t)(word_end - at), verbs))
			return false;
		if (comma == NULL)
			return true;
		at = comma + 1;
	}
}

const char *form_skip(const char *at, const char *end, const char *form)
{
	for (; *form != '\0'; form++, at++) {
		if (at == end)
			return NULL;
		if (*form == '0'       ? *at < '0' || *at > '9'
			: *form == '@' ? isalpha((unsigned char)*at) == 0
				       : *at != *form)
			return NULL;
	}
	return at;
}

/* RFC 3339, in UTC, as fdbrokerd writes it and not as strptime(3) would take it. */
static int64_t time_read(const struct audit_text *text)
{
	static const char form[] = "0000-00-00T00:00:00.000000Z";
	const char *end, *fraction;
	struct tm broken_down = {0};
	struct audit_text digits;
	int64_t usec;

	if (text->bytes == NULL)
		return AUDIT_NO_TIME;
	end = text->bytes + text->length;
	if (form_skip(text->bytes, end, form) != end)
		return AUDIT_NO_TIME;
	fraction = strptime(text->bytes, "%Y-%m-%dT%H:%M:%S.", &broken_down);
	if (fraction == NULL)
		return AUDIT_NO_TIME;
	digits = (struct audit_text){fraction, 6};
	return audit_text_number(&digits, 999999, &usec)
		       ? timegm(&broken_down) * INT64_C(1000000) + usec
		       : AUDIT_NO_TIME;
}

/* "-" in a field that may be without a value. */
static struct audit_text text_or_none(const struct audit_text *text)
{
	return audit_text_is(text, "-") ? (struct audit_text){NULL, 0} : *text;
}

enum audit_line fields_finish(const struct fields *fields, struct audit_record *record)
{
	const struct audit_text *texts = fields->texts;
	int64_t uid;

	*record = (struct audit_record){.is_denied = audit_text_is(&texts[FIELD_VERDICT], "denied"),
		.unit = text_or_none(&texts[FIELD_UNIT]),
		.object = texts[FIELD_OBJECT],
		.target = texts[FIELD_TARGET],
		.reason = text_or_none(&texts[FIELD_REASON]),
		.rule = text_or_none(&texts[FIELD_RULE]),
		.client = text_or_none(&texts[FIELD_CLIENT]),
		.why = text_or_none(&texts[FIELD_WHY]),
		.time_usec = time_read(&texts[FIELD_TIME])};
	if (!record->is_denied && !audit_text_is(&texts[FIELD_VERDICT], "allowed"))
		return AUDIT_BROKEN;
	/* The last of all ids is nobody's. */
	if (!audit_text_number(&texts[FIELD_UID], UINT32_MAX - 1, &uid) ||
		!verbs_read(&texts[FIELD_VERB], &record->verbs) ||
		(record->unit.bytes != NULL &&
			!policy_write_unit(record->unit.bytes, record->unit.length, NULL)))
		return AUDIT_BROKEN;
	record->uid = (uint32_t)uid;
	if (record->object.bytes == NULL)
		record->object = (struct audit_text){"", 0};
	return AUDIT_RECORD;
}

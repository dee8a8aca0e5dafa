/* SPDX-License-Identifier: MIT */
/*
 * A record's fields, which others read by program: see decision.h. All of them stand in one table,
 * in the order of fdbrokerd(8).
 *
 * Must never: write a value that somebody else chose without escaping it.
 */
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>

#include "decision.h"
#include "fdbroker.h"
#include "reason.h"

#define WORD(symbol, number, word, sentence) [number] = word,
static const char *const reason_words[] = {FDBROKER_REASONS(WORD)};
#undef WORD

enum form {
	FORM_NUMBER,
	FORM_WORD,
	FORM_TEXT, /* between quotes */
};

static const struct {
	const char *name, *journal;
	enum form form;
	bool is_optional; /* without a value it is not there; else "-", or nothing between quotes */
} fields[] = {
	[DECISION_VERDICT] = {"audit", "VERDICT", FORM_WORD, false},
	[DECISION_UID] = {"uid", "UID", FORM_NUMBER, false},
	[DECISION_PID] = {"pid", "PID", FORM_NUMBER, false},
	[DECISION_UNIT] = {"unit", "UNIT", FORM_WORD, false},
	[DECISION_VERB] = {"verb", "VERB", FORM_WORD, false},
	[DECISION_OBJECT] = {"object", "OBJECT", FORM_TEXT, false},
	[DECISION_TARGET] = {"target", "TARGET", FORM_TEXT, true},
	[DECISION_REAL] = {"real", "REAL", FORM_TEXT, true},
	[DECISION_REASON] = {"reason", "REASON", FORM_WORD, false},
	[DECISION_ERROR] = {"error", "ERROR", FORM_WORD, false},
	[DECISION_RULE] = {"rule", "RULE", FORM_WORD, false},
	[DECISION_CLIENT] = {"client", "CLIENT", FORM_WORD, false},
	[DECISION_WHY] = {"why", "WHY", FORM_WORD, true},
};

/* ---- from the record ---- */

static const char *reason_word(unsigned int reason)
{
	return reason < sizeof(reason_words) / sizeof(reason_words[0]) ? reason_words[reason] : "?";
}

/* "ENOENT"; a number that is none cannot come from our own roles, but the ring is not trusted. */
static const char *error_word(int error)
{
	const char *word = error > 0 ? strerrorname_np(error) : NULL;

	return error <= 0 ? NULL : word != NULL ? word : "?";
}

/* What of the policy denied it; NULL: not the policy. */
static const char *why_word(const struct record *record)
{
	if (record->reason != FDBROKER_REASON_POLICY && record->reason != FDBROKER_REASON_NARROWED)
		return NULL;
	return record->outcome == POLICY_ALLOWED ? NULL : policy_outcome_word(record->outcome);
}

void decision_set(struct decision *decision, enum decision_field field, const char *word)
{
	decision->values[field] = (struct decision_value){word, word != NULL ? strlen(word) : 0};
}

/* Takes what stands before the next NUL. Longer paths are sent by a worker that was taken over. */
static struct decision_value take_path(const char **text, size_t *length)
{
	size_t first = strnlen(*text, *length);
	struct decision_value value = {
		first > 0 ? *text : NULL, first < PATH_MAX ? first : PATH_MAX};

	first += first < *length; /* its NUL */
	*text += first;
	*length -= first;
	return value;
}

void decision_read(struct decision *decision, const struct record *record, const char *text)
{
	size_t length = (size_t)(record->text_length - record->unit_length);

	memset(decision, 0, sizeof(*decision));
	decision_set(decision, DECISION_VERDICT, record->allowed ? "allowed" : "denied");
	snprintf(decision->uid, sizeof(decision->uid), "%u", record->uid);
	decision_set(decision, DECISION_UID, decision->uid);
	snprintf(decision->pid, sizeof(decision->pid), "%d", record->pid);
	decision_set(decision, DECISION_PID, decision->pid);
	if (record->unit_length > 0)
		decision->values[DECISION_UNIT] =
			(struct decision_value){text, record->unit_length};
	if (record->verbs != 0) /* else it got no further */
		decision_set(
			decision, DECISION_VERB, policy_verbs_text(record->verbs, decision->verbs));
	text += record->unit_length;
	decision->values[DECISION_OBJECT] = take_path(&text, &length);
	decision->values[DECISION_TARGET] = take_path(&text, &length);
	decision->values[DECISION_REAL] = take_path(&text, &length);
	decision_set(decision, DECISION_REASON, reason_word(record->reason));
	decision_set(decision, DECISION_ERROR, error_word(record->error));
	decision_set(decision, DECISION_WHY, why_word(record));
}

void decision_locate(
	struct decision *decision, const struct record *record, const struct policy_image *image)
{
	struct policy_location location;
	size_t length, room;
	char line[16];

	if (record->rule >= policy_image_rule_count(image))
		return;
	policy_image_location(image, record->rule, &location);
	/* The line, and so much of the end of the file's name as there is room for. */
	room = sizeof(decision->rule) - (size_t)snprintf(line, sizeof(line), ":%u", location.line);
	length = strlen(location.file);
	if (length < room)
		snprintf(decision->rule, sizeof(decision->rule), "%s%s", location.file, line);
	else
		snprintf(decision->rule, sizeof(decision->rule), "...%s%s",
			location.file + length - (room - sizeof("...")), line);
	decision_set(decision, DECISION_RULE, decision->rule);
	snprintf(decision->client, sizeof(decision->client), "%s", location.client);
	decision_set(decision, DECISION_CLIENT, decision->client);
}

/* ---- to a line ---- */

static void text_add(struct line *line, enum form form, const struct decision_value *value)
{
	if (form == FORM_TEXT) {
		line_add_byte(line, '"');
		line_add_escaped(line, value->bytes, value->length);
		line_add_byte(line, '"');
	} else if (value->bytes != NULL) {
		line_add_word(line, value->bytes, value->length);
	} else {
		line_add_byte(line, '-');
	}
}

static void json_add(struct line *line, enum form form, const struct decision_value *value)
{
	if (form == FORM_NUMBER) {
		line_add_escaped(line, value->bytes, value->length);
		return;
	}
	line_add_byte(line, '"');
	if (value->bytes != NULL)
		line_add_escaped(line, value->bytes, value->length);
	else if (form == FORM_WORD)
		line_add_byte(line, '-');
	line_add_byte(line, '"');
}

void decision_write(struct line *line, const struct decision *decision)
{
	for (int field = 0; field < DECISION_FIELDS; field++) {
		const struct decision_value *value = &decision->values[field];

		if (fields[field].is_optional && value->bytes == NULL)
			continue;
		if (line->json) {
			line_add(line, "%c\"%s\":", field == 0 ? '{' : ',', fields[field].name);
			json_add(line, fields[field].form, value);
		} else {
			line_add(line, field == 0 ? "%s: " : " %s=", fields[field].name);
			text_add(line, fields[field].form, value);
		}
	}
	line_add(line, line->json ? ",\"time\":\"" : " time=");
	line_add_time(line);
	if (line->json)
		line_add(line, "\"}");
}

void decision_write_fields(struct line *line, const struct decision *decision)
{
	line->length = 0;
	line->json = false;
	for (int field = 0; field < DECISION_FIELDS; field++) {
		const struct decision_value *value = &decision->values[field];

		if (value->bytes == NULL)
			continue;
		line_add(line, "FDBROKER_%s=", fields[field].journal);
		if (fields[field].form == FORM_TEXT)
			line_add_escaped(line, value->bytes, value->length);
		else
			line_add_word(line, value->bytes, value->length);
		line_add_byte(line, '\n');
	}
}

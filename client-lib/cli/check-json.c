/* SPDX-License-Identifier: MIT */
/*
 * The diagnostics of a policy as one JSON object (RFC 8259).
 *
 * JSON is Unicode, policy files are bytes: a byte that is not part of UTF-8 becomes the four
 * characters \xHH. Columns count bytes of the file all the same.
 *
 * Must never write a part of an object: it is made first, and then written.
 */
#include "check-json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "set.h"

static void value_release(json_t *const *value)
{
	json_decref(*value);
}

/* Such bytes as text_quote() of policy/set.h writes them. JSON's null for none; NULL: no memory. */
static json_t *text_value(const char *bytes, size_t length)
{
	_cleanup_free_ char *text = NULL;
	size_t used = 0;

	if (bytes == NULL)
		return json_null();
	text = malloc(length * strlen("\\xHH") + 1);
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < length;) {
		size_t size = text_character(bytes + i, length - i);

		if (size == 0) {
			used += (size_t)sprintf(text + used, "\\x%02x", (unsigned char)bytes[i++]);
			continue;
		}
		memcpy(text + used, bytes + i, size);
		used += size;
		i += size;
	}
	return json_stringn(text, used);
}

static json_t *string_value(const char *text)
{
	return text_value(text, text != NULL ? strlen(text) : 0);
}

/* Takes the value over; NULL fails. */
static bool object_add(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static json_t *number_value(size_t number)
{
	return json_integer((json_int_t)number);
}

/* Null where the diagnostic is about the file as a whole. */
static bool place_add(json_t *object, const struct policy_diagnostic *diagnostic)
{
	size_t last = (size_t)diagnostic->column + diagnostic->width - 1;

	if (diagnostic->line == 0)
		return object_add(object, "line", json_null()) &&
		       object_add(object, "column", json_null()) &&
		       object_add(object, "end_column", json_null());
	return object_add(object, "line", number_value(diagnostic->line)) &&
	       object_add(object, "column", number_value(diagnostic->column)) &&
	       object_add(object, "end_column", number_value(last));
}

/* The line, or as much of it as is shown elsewhere, and the column that it begins at. */
static bool source_add(json_t *object, const struct policy_diagnostic *diagnostic)
{
	struct shown shown = {0};

	if (diagnostic->line == 0)
		return object_add(object, "source", json_null()) &&
		       object_add(object, "source_column", json_null());
	shown = diagnostic_shown(diagnostic);
	return object_add(object, "source",
		       text_value(diagnostic->source + shown.from, shown.to - shown.from)) &&
	       object_add(object, "source_column", number_value(shown.from + 1));
}

static bool diagnostic_add(json_t *array, const struct policy_diagnostic *diagnostic)
{
	json_t *object = json_object();

	if (object == NULL || json_array_append_new(array, object) < 0)
		return false;
	return object_add(object, "severity",
		       json_string(policy_severity_name(diagnostic->severity))) &&
	       object_add(object, "file", string_value(diagnostic->file)) &&
	       place_add(object, diagnostic) && source_add(object, diagnostic) &&
	       object_add(object, "message", string_value(diagnostic->message)) &&
	       object_add(object, "remedy", string_value(diagnostic->remedy));
}

static bool diagnostics_add(json_t *report, const struct policy_set *set)
{
	const struct policy_diagnostic *diagnostics;
	json_t *array = json_array();
	size_t count;

	if (!object_add(report, "diagnostics", array))
		return false;
	diagnostics = policy_set_diagnostics(set, &count);
	for (size_t i = 0; i < count; i++)
		if (!diagnostic_add(array, &diagnostics[i]))
			return false;
	return true;
}

/* Without an image nobody knows the number of rules. */
static json_t *rules_value(const struct policy_image *image)
{
	return image != NULL ? number_value(policy_image_rule_count(image)) : json_null();
}

static bool report_fill(json_t *report, const struct loaded_policy *policy)
{
	const struct policy_set *set = policy->set;

	return report != NULL && object_add(report, "files", number_value(policy->file_count)) &&
	       object_add(report, "rules", rules_value(policy->image)) &&
	       object_add(report, "errors", number_value(policy_set_count(set, POLICY_ERROR))) &&
	       object_add(
		       report, "warnings", number_value(policy_set_count(set, POLICY_WARNING))) &&
	       object_add(report, "notes", number_value(policy_set_count(set, POLICY_NOTE))) &&
	       diagnostics_add(report, set);
}

bool check_json_print(const struct loaded_policy *policy, FILE *out)
{
	_cleanup_(value_release) json_t *report = json_object();

	return report_fill(report, policy) && json_dumpf(report, out, JSON_INDENT(2)) == 0 &&
	       fputc('\n', out) != EOF && fflush(out) == 0;
}

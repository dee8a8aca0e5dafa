/* SPDX-License-Identifier: MIT */
/*
 * The diagnostics of a policy as one JSON object. Columns count bytes of the file, whatever has
 * become of these in a string.
 *
 * Must never write a part of an object: it is made first, and then written.
 */
#include "check-json.h"

#include <jansson.h>

#include "cleanup.h"
#include "json-text.h"
#include "set.h"

static json_t *number_value(size_t number)
{
	return json_integer((json_int_t)number);
}

/* Null where the diagnostic is about the file as a whole. */
static bool place_add(json_t *object, const struct policy_diagnostic *diagnostic)
{
	size_t last = (size_t)diagnostic->column + diagnostic->width - 1;

	if (diagnostic->line == 0)
		return json_add(object, "line", json_null()) &&
		       json_add(object, "column", json_null()) &&
		       json_add(object, "end_column", json_null());
	return json_add(object, "line", number_value(diagnostic->line)) &&
	       json_add(object, "column", number_value(diagnostic->column)) &&
	       json_add(object, "end_column", number_value(last));
}

/* The line, or as much of it as is shown elsewhere, and the column that it begins at. */
static bool source_add(json_t *object, const struct policy_diagnostic *diagnostic)
{
	struct shown shown = {0};

	if (diagnostic->line == 0)
		return json_add(object, "source", json_null()) &&
		       json_add(object, "source_column", json_null());
	shown = diagnostic_shown(diagnostic);
	return json_add(object, "source",
		       json_text(diagnostic->source + shown.from, shown.to - shown.from)) &&
	       json_add(object, "source_column", number_value(shown.from + 1));
}

static bool diagnostic_add(json_t *array, const struct policy_diagnostic *diagnostic)
{
	json_t *object = json_object();

	if (!json_append(array, object))
		return false;
	return json_add(object, "severity",
		       json_string(policy_severity_name(diagnostic->severity))) &&
	       json_add(object, "file", json_word(diagnostic->file)) &&
	       place_add(object, diagnostic) && source_add(object, diagnostic) &&
	       json_add(object, "message", json_word(diagnostic->message)) &&
	       json_add(object, "remedy", json_word(diagnostic->remedy));
}

static bool diagnostics_add(json_t *report, const struct policy_set *set)
{
	const struct policy_diagnostic *diagnostics;
	json_t *array = json_array();
	size_t count;

	if (!json_add(report, "diagnostics", array))
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

	return report != NULL && json_add(report, "files", number_value(policy->file_count)) &&
	       json_add(report, "rules", rules_value(policy->image)) &&
	       json_add(report, "errors", number_value(policy_set_count(set, POLICY_ERROR))) &&
	       json_add(report, "warnings", number_value(policy_set_count(set, POLICY_WARNING))) &&
	       json_add(report, "notes", number_value(policy_set_count(set, POLICY_NOTE))) &&
	       diagnostics_add(report, set);
}

bool check_json_print(const struct loaded_policy *policy, FILE *out)
{
	_cleanup_(json_release) json_t *report = json_object();

	return report_fill(report, policy) && json_dumpf(report, out, JSON_INDENT(2)) == 0 &&
	       fputc('\n', out) != EOF && fflush(out) == 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Paths that are written as a shell, a list or a regular expression would have them, and that mean
 * what stands there: which is right, and matches nothing that anybody has.
 *
 * Must never: say anything of a word in quotes, which is how one says that it is meant.
 */
#include "review.h"

static bool object_is_path(const struct object *object)
{
	return object->kind == OBJECT_PATH || object->kind == OBJECT_UNIX ||
	       object->kind == OBJECT_CREDENTIAL;
}

static void report_bytes(struct policy_set *set, const struct object *object, uint32_t first,
	uint32_t length, const char *remedy)
{
	struct span where = object->where;
	where.column += first;
	where.width = length;
	set_report(set, POLICY_WARNING, &where, remedy, "'%s' is part of the path here",
		text_quote(span_text(set, &where), length).text);
}

/* Whether the next word, which may stand on a line that continues this one, is a path. */
static bool path_follows(const struct policy_set *set, const struct object *object)
{
	const struct source_file *file = &set->files.items[object->where.file];
	const char *next = span_text(set, &object->where) + object->where.width;
	const char *end = file->text + file->length;
	while (next < end && strchr(" \t\\\n", *next))
		next++;
	return next < end && strchr("/%\"", *next);
}

/* `/a,/b`, `/a, /b`, `/a;`; the names of maildirs end in a comma (maildir(5)). */
static bool review_separator(struct policy_set *set, const struct object *object, const char *text)
{
	for (uint32_t i = 1; i < object->where.width; i++) {
		bool is_last = i + 1 == object->where.width;
		if ((text[i] != ',' && text[i] != ';') || (!is_last && text[i + 1] != '/'))
			continue;
		if (is_last && text[i] == ',' && !path_follows(set, object))
			continue;
		report_bytes(set, object, i, 1,
			text[i] == ','
				? "commas do not separate paths: put a blank, or quote the path"
				: "nothing ends a line but its end: leave it out, or quote the "
				  "path");
		return true;
	}
	return false;
}

/* `{a,b}` or `(a|b)`. */
static void review_choice(struct policy_set *set, const struct object *object, const char *text,
	const char signs[static 3])
{
	const uint32_t width = object->where.width;
	const char *open = memchr(text, signs[0], width);
	if (!open)
		return;
	const char *close = memchr(open, signs[2], width - (uint32_t)(open - text));
	if (!close || !memchr(open, signs[1], (size_t)(close - open)))
		return;
	report_bytes(set, object, (uint32_t)(open - text), (uint32_t)(close - open) + 1,
		"there are no alternatives: write both paths, or quote the path");
}

void review_path_text(struct policy_set *set, const struct object *object)
{
	const char *text = span_text(set, &object->where);
	if (!object_is_path(object) || *text == '"')
		return;
	if (review_separator(set, object, text))
		return;
	review_choice(set, object, text, "{,}");
	review_choice(set, object, text, "(|)");
}

/* ---- homes ---- */

/* /home/%u/...: what %h is for. */
static bool pattern_is_named_home(const struct pattern *pattern)
{
	const struct component *components = pattern->components;
	return !pattern->is_home && pattern->component_count > 2 &&
	       component_is(&components[0], "home") && components[1].kind == COMPONENT_GLOB &&
	       components[1].length == 1 && components[1].bytes[0] == GLOB_USER;
}

/* A unit may run as root, and most do. */
static bool client_may_be_root(const struct policy_set *set, const struct client *client)
{
	for (uint32_t i = 0; i < client->from_count; i++) {
		const struct from *from = &set->froms.items[client->first_from + i];
		for (uint32_t j = 0; j < from->condition_count; j++) {
			const struct condition *condition =
				&set->conditions.items[from->first_condition + j];
			if (condition->kind == CONDITION_UNIT ||
				(condition->kind == CONDITION_USER && condition->principal.id == 0))
				return true;
		}
	}
	return false;
}

void review_home(struct policy_set *set, const struct rule *rule, const struct object *object)
{
	const struct policy_options *options = &rule->options;
	bool is_named = object_is_path(object) && pattern_is_named_home(&object->pattern);
	if (is_named && options->as == POLICY_AS_BROKER)
		set_report(set, POLICY_WARNING, &object->where,
			object->kind == OBJECT_PATH
				? "only the client's own files are served there, and nothing is "
				  "made or removed: write %h/..., and add 'as peer'"
				: "it is refused there: choose a folder that only root can write "
				  "to",
			"this is the client's own folder: it can place anything there");
	if ((is_named || object->pattern.is_home) && options->as == POLICY_AS_USER &&
		!rule->is_never && set->users.items[options->as_user].uid == 0 &&
		!client_may_be_root(set, &set->clients.items[rule->client]))
		set_report(set, POLICY_WARNING, &object->where, "write 'as peer'",
			"root would act in the client's own folder, where it can place anything");
}

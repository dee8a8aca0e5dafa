/* SPDX-License-Identifier: MIT */
/*
 * Paths of limits. The pattern is read a component at a time, and with each goes the set of places
 * in the path that it can have come to; so no place is tried twice, however `**` are combined. Must
 * never take more time than LIMIT_WORK_MAX allows: then nothing more matches.
 */
#include "limit-line.h"
#include "parse.h"

struct path_match {
	struct limit_path *path;
	bool reached[LIMIT_NAMES_MAX + 1]; /* before which names of the path, and its end */
	bool is_folder; /* the path's end was reached before a `**` that took nothing */
};

bool limit_path_init(struct limit_path *path, const char *bytes, size_t length)
{
	*path = (struct limit_path){.bytes = bytes, .work = LIMIT_WORK_MAX};
	if (bytes && length == 1 && bytes[0] == '/')
		return true; /* the end of no name at all */
	if (!bytes || length > POLICY_PATH_MAX || !path_is_canonical(bytes, length))
		return false;
	for (size_t at = 0; at < length; at++) {
		if (bytes[at] == '/')
			path->names[path->name_count++] = (uint16_t)at;
	}
	path->names[path->name_count] = (uint16_t)length;
	return true;
}

static const char *name_bytes(const struct limit_path *path, uint32_t index, size_t *length)
{
	*length = path->names[index + 1] - path->names[index] - 1u;
	return path->bytes + path->names[index] + 1;
}

/* False, from then on for ever: too much was done already. */
static bool work_take(struct limit_path *path, size_t work)
{
	path->work = work < path->work ? path->work - (uint32_t)work : 0;
	return path->work > 0;
}

static bool name_takes_wildcard(const struct limit_path *path, uint32_t index)
{
	size_t length;
	const char *name = name_bytes(path, index, &length);
	return name[0] != '.' && !(index == 0 && name_is_kernel_tree(name, length));
}

static bool name_matches(struct limit_path *path, uint32_t index, const struct component *component)
{
	static const struct variables none;
	size_t length;
	const char *name = name_bytes(path, index, &length);
	if (!work_take(path, 16 + length * component->length))
		return false;
	if (component->kind == COMPONENT_LITERAL)
		return length == component->length && memcmp(name, component->bytes, length) == 0;
	return !(index == 0 && name_is_kernel_tree(name, length)) &&
	       glob_match(component->bytes, component->length, name, length, &none, SENSE_ALLOW);
}

/* From each place to the one after the next name. */
static void name_follow(struct path_match *match, const struct component *component)
{
	for (uint32_t i = match->path->name_count; i-- > 0;)
		match->reached[i + 1] =
			match->reached[i] && name_matches(match->path, i, component);
	match->reached[0] = false;
}

/* A `**`: from each place to all that come after it. The last one takes one name at least. */
static void deep_follow(struct path_match *match, bool is_last)
{
	uint32_t count = match->path->name_count;
	if (is_last) {
		match->is_folder = match->reached[count];
		match->reached[count] = false;
	}
	for (uint32_t i = 0; i < count; i++)
		match->reached[i + 1] = match->reached[i + 1] ||
					(match->reached[i] && name_takes_wildcard(match->path, i));
}

static void component_follow(
	struct path_match *match, const struct component *component, bool is_last)
{
	if (!work_take(match->path, match->path->name_count))
		memset(match->reached, 0, sizeof(match->reached));
	else if (component->kind == COMPONENT_DEEP)
		deep_follow(match, is_last);
	else
		name_follow(match, component);
}

static const char *component_find_error(const struct word *word, uint32_t first, uint32_t end)
{
	if (first == end)
		return "a path has no empty component and no slash at its end: what is below a "
		       "folder is /FOLDER/**";
	if (end - first > POLICY_COMPONENT_MAX)
		return "a component of a path has at most 255 bytes";
	if (memchr(word->bytes + first, '[', end - first))
		return "a set is written [abc], [a-z] or [!a-z], within one component, and a "
		       "bracket that is meant is [[]";
	return "a path has no . or .., and ** is a component of its own: write /**/ or one star";
}

/* Reads the whole pattern, and follows it if there is a path. */
static bool pattern_follow(const struct word *word, uint32_t at, struct path_match *match,
	uint32_t *literal_length, const char **why)
{
	uint8_t program[COMPONENT_PROGRAM_MAX];
	struct component component;
	bool has_variable;
	while (at < word->length) {
		uint32_t end = word_find(word, at + 1, '/');
		if (!component_read(word, at + 1, end, program, &component, &has_variable)) {
			*why = has_variable ? "a limit cannot name %u, %U, %i or %h: write what it "
					      "stands for, and %% for a percent sign"
					    : component_find_error(word, at + 1, end);
			return false;
		}
		if (match->path)
			component_follow(match, &component, end == word->length);
		bool is_literal = component.kind == COMPONENT_LITERAL && *literal_length != NONE;
		*literal_length = is_literal ? *literal_length + 1 + component.length : NONE;
		at = end;
	}
	return true;
}

bool limit_path_read(const struct limit_line *line, struct limit_path *path, uint32_t *permitted,
	const char **why)
{
	const struct word *word = &line->word;
	uint32_t first = line->kind == OBJECT_UNIX ? word_find(word, 0, ':') + 1 : 0;
	uint32_t literal_length = 0;
	struct path_match match = {.path = path, .reached = {true}};
	*permitted = 0;
	if (first >= word->length || word->bytes[first] != '/') {
		*why = "a path of a limit begins with a slash, and with no %h";
		return false;
	}
	bool is_root = first + 1 == word->length;
	if (is_root && line->kind == OBJECT_UNIX) {
		*why = "no socket can be /: write a path below it";
		return false;
	}
	if (!is_root && !pattern_follow(word, first, &match, &literal_length, why))
		return false;
	if (line->kind == OBJECT_UNIX && literal_length != NONE &&
		literal_length > POLICY_UNIX_PATH_MAX) {
		*why = "the path of a unix socket has at most 107 bytes: unix(7)";
		return false;
	}
	if (!path)
		return true;
	*permitted = match.reached[path->name_count] ? line->granted
		     : match.is_folder               ? line->granted & FOLDER_VERBS
						     : 0;
	return true;
}

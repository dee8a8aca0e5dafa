/* SPDX-License-Identifier: MIT */
/*
 * Limits are matched as the text they are. They come from clients, by way of processes that a
 * client may have taken over: must never trust a length, nor take what it cannot read for a yes.
 * A line counts only when all of it is understood and its newline is there: what was cut off could
 * have said less.
 */
#include "limit.h"

#include "limit-line.h"
#include "parse.h"

/* What is asked of the sets; neither path nor asked: the verbs on anything. */
struct limit_request {
	uint32_t verbs;
	struct limit_path *path;
	const struct asked *asked;
};

/* What is left of a text that is taken apart from its front. */
struct rest {
	const char *bytes;
	size_t length;
};

/* The bytes before the next `end`, which is taken too; false: there is none, all are taken. */
static bool rest_take(struct rest *rest, char end, struct rest *taken)
{
	const char *found = rest->length ? memchr(rest->bytes, end, rest->length) : NULL;
	*taken = (struct rest){rest->bytes, found ? (size_t)(found - rest->bytes) : rest->length};
	size_t used = taken->length + (found ? 1 : 0);
	rest->bytes += used;
	rest->length -= used;
	return found;
}

static bool verbs_read(struct rest verbs, struct limit_line *line)
{
	struct rest name;
	bool has_more;
	do {
		has_more = rest_take(&verbs, ',', &name);
		/* Longer than any of them, before it is cut to 32 bits. */
		int verb = name.length > POLICY_NAME_MAX
				   ? -1
				   : verb_find(name.bytes, (uint32_t)name.length);
		if (verb < 0)
			return false;
		line->named |= POLICY_BIT(verb);
		line->granted |= verb_words[verb].grants;
	} while (has_more);
	return true;
}

static bool verbs_go_with(uint32_t verbs, enum object_kind kind)
{
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (verbs & POLICY_BIT(verb) && !(verb_words[verb].objects & KIND_BIT(kind)))
			return false;
	}
	return true;
}

static bool line_read(struct rest text, struct limit_line *line, const char **why)
{
	struct rest verbs;
	*line = (struct limit_line){.kind = OBJECT_KIND_COUNT};
	*why = "a line of a limit is verbs with commas between them, one blank, and an object";
	if (!rest_take(&text, ' ', &verbs) || !text.length)
		return false;
	*why = "an object of a limit has at most 4095 bytes";
	if (text.length > POLICY_PATH_MAX)
		return false;
	*why = "the verbs of a limit are read, write, append, create, remove, stat, list, watch, "
	       "bind, "
	       "connect, socket, option and resolve";
	if (!verbs_read(verbs, line))
		return false;
	line->word = (struct word){.bytes = text.bytes, .length = (uint32_t)text.length};
	line->kind = object_find_kind(&line->word);
	*why = "an object of a limit is an absolute path, or an endpoint as in tcp:80";
	if (line->kind == OBJECT_KIND_COUNT)
		return false;
	*why = "a verb of a limit does not go with its object: bind takes tcp, udp, vsock and "
	       "unix; "
	       "connect tcp, udp and vsock; socket, option and resolve what is theirs; the others "
	       "paths";
	return verbs_go_with(line->named, line->kind);
}

/* The verbs that the line permits. False: it is not understood. */
static bool object_read(const struct limit_line *line, const struct limit_request *request,
	uint32_t *permitted, const char **why)
{
	bool is_pattern = OBJECTS_PATTERN & KIND_BIT(line->kind);
	bool is_read = is_pattern ? limit_path_read(line, request->path, permitted, why)
				  : limit_endpoint_read(line, request->asked, permitted, why);
	if (!request->path && !request->asked)
		*permitted = line->granted;
	return is_read;
}

/* Which of the verbs asked for. */
static uint32_t set_find_permitted(struct rest set, const struct limit_request *request)
{
	struct limit_line line;
	struct rest text;
	uint32_t missing = request->verbs, permitted;
	const char *why;
	while (missing && rest_take(&set, '\n', &text)) {
		if (line_read(text, &line, &why) && line.granted & missing &&
			object_read(&line, request, &permitted, &why))
			missing &= ~permitted;
	}
	return request->verbs & ~missing;
}

/* Sets without end are sets all the same: they may only narrow. */
static uint32_t sets_find_permitted(
	const struct policy_limits *limits, const struct limit_request *request)
{
	struct rest text = {limits->text, limits->length}, set;
	uint32_t permitted = text.bytes ? request->verbs : 0;
	while (text.length && permitted) {
		rest_take(&text, '\0', &set);
		permitted &= set_find_permitted(set, request);
	}
	return permitted;
}

/* All of the verbs, of which there must be one. */
static bool sets_permit(const struct policy_limits *limits, const struct limit_request *request)
{
	return request->verbs && sets_find_permitted(limits, request) == request->verbs;
}

static uint32_t verb_bit(enum policy_verb verb)
{
	return (unsigned)verb < POLICY_VERB_COUNT ? POLICY_BIT(verb) : 0;
}

static bool is_unlimited(const struct policy_limits *limits)
{
	return !limits || !limits->length;
}

bool policy_limits_check(const char *set, size_t length, const char **why)
{
	const struct limit_request nothing = {0};
	struct rest rest = {set, length}, text;
	struct limit_line line;
	uint32_t permitted;
	*why = "a limit holds no NUL";
	if (length && memchr(set, '\0', length))
		return false;
	while (rest.length) {
		if (!rest_take(&rest, '\n', &text)) {
			*why = "each line of a limit ends with a newline";
			return false;
		}
		if (!line_read(text, &line, why) || !object_read(&line, &nothing, &permitted, why))
			return false;
	}
	*why = NULL;
	return true;
}

uint32_t limits_find_permitted(
	const struct policy_limits *limits, uint32_t verbs, const char *path, size_t length)
{
	struct limit_path asked;
	const struct limit_request request = {.verbs = verbs, .path = &asked};
	if (is_unlimited(limits))
		return verbs;
	return limit_path_init(&asked, path, length) ? sets_find_permitted(limits, &request) : 0;
}

/*
 * After each set, as it was before the next one narrowed further: who narrows a clone, or this
 * connection after making one, goes on having what the sets before permit. The verb is asked for
 * alone, as it will be: together with others there would be more lines to match, and less work left.
 */
bool limits_lift(const struct policy_limits *limits, enum policy_verb verb,
	const struct policy_file_name *old_name, const struct policy_file_name *new_name)
{
	struct limit_path old_path, new_path;
	const struct limit_request old_request = {.verbs = verb_bit(verb), .path = &old_path};
	const struct limit_request new_request = {.verbs = verb_bit(verb), .path = &new_path};
	struct rest text = {limits->text, limits->length}, set;
	if (!limit_path_init(&old_path, old_name->path, old_name->length) ||
		!limit_path_init(&new_path, new_name->path, new_name->length))
		return true;
	while (text.bytes && text.length) {
		rest_take(&text, '\0', &set);
		if (!set_find_permitted(set, &new_request))
			return false;
		if (!set_find_permitted(set, &old_request))
			return true;
	}
	return false;
}

bool limits_permit_path(
	const struct policy_limits *limits, uint32_t verbs, const char *path, size_t length)
{
	return is_unlimited(limits) ||
	       (verbs && limits_find_permitted(limits, verbs, path, length) == verbs);
}

bool limits_permit_asked(
	const struct policy_limits *limits, enum policy_verb verb, const struct asked *asked)
{
	const struct limit_request request = {.verbs = verb_bit(verb), .asked = asked};
	return is_unlimited(limits) || sets_permit(limits, &request);
}

bool limits_permit_verb(const struct policy_limits *limits, enum policy_verb verb)
{
	const struct limit_request request = {.verbs = verb_bit(verb)};
	return is_unlimited(limits) || sets_permit(limits, &request);
}

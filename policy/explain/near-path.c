/* SPDX-License-Identifier: MIT */
/*
 * How nearly a pattern matches a path. Each component of the pattern is tried on each name, and for
 * every place that the path can have come to is kept the first thing that did not match on the best
 * way there; a second one is one too many. So the cost is that of matching, however the wildcards
 * are combined.
 */
#include "near-parts.h"

#include "peer.h"

enum mismatch {
	MISMATCH_NONE,
	MISMATCH_NAME,     /* another name */
	MISMATCH_DOT,      /* a wildcard that would match, were it not for the dot */
	MISMATCH_KERNEL,   /* a wildcard, in /proc, /sys or /dev */
	MISMATCH_VARIABLE, /* a variable that the peer does not have */
	MISMATCH_HOME,     /* below %h, and that is elsewhere */
	MISMATCH_NO_HOME,
	MISMATCH_FOLDER, /* a final `**`, and what is asked for is its folder */
	MISMATCH_BELOW,  /* the pattern ends above */
	MISMATCH_ABOVE,  /* the pattern goes on for one component more */
};

/* A way to here. */
struct way {
	uint8_t count;    /* of mismatches; 2: too many */
	uint8_t mismatch; /* the first; enum mismatch */
	uint16_t component, name;
};

#define WAY_NONE ((struct way){.count = 2})
#define WAYS_MAX (POLICY_PATH_MAX / 2 + 2)

struct comparison {
	const struct lack *lack;
	const struct near_names *names;
	const struct pattern *pattern;
	struct variables variables;
	struct way ways[WAYS_MAX]; /* to before each name, and to the path's end */
};

void near_names_init(struct near_names *names, const char *path, size_t length)
{
	names->path = path;
	names->count = 0;
	for (size_t i = 0; i < length && length > 1; i++) {
		if (path[i] == '/')
			names->starts[names->count++] = (uint16_t)(i + 1);
	}
	names->starts[names->count] = (uint16_t)(length + 1);
}

static const char *name_at(const struct near_names *names, uint32_t index, size_t *length)
{
	*length = names->starts[index + 1] - names->starts[index] - 1u;
	return names->path + names->starts[index];
}

static struct way way_add(struct way way, enum mismatch mismatch, uint32_t component, uint32_t name)
{
	if (mismatch == MISMATCH_NONE)
		return way;
	if (way.count)
		return WAY_NONE;
	return (struct way){1, (uint8_t)mismatch, (uint16_t)component, (uint16_t)name};
}

static struct way way_better(struct way a, struct way b)
{
	return b.count < a.count ? b : a;
}

/* What keeps a wildcard from a name that it would match otherwise. */
static enum mismatch name_find_bar(const struct near_names *names, uint32_t index)
{
	size_t length;
	const char *name = name_at(names, index, &length);
	if (index == 0 && name_is_kernel_tree(name, length))
		return MISMATCH_KERNEL;
	return name[0] == '.' ? MISMATCH_DOT : MISMATCH_NONE;
}

static enum mismatch component_try(
	const struct comparison *comparison, const struct component *component, uint32_t index)
{
	size_t length;
	const char *name = name_at(comparison->names, index, &length);
	enum mismatch bar = name_find_bar(comparison->names, index);
	const struct variables *variables = &comparison->variables;
	if (component->kind == COMPONENT_LITERAL)
		return length == component->length && memcmp(name, component->bytes, length) == 0
			       ? MISMATCH_NONE
			       : MISMATCH_NAME;
	if (bar != MISMATCH_KERNEL && glob_match(component->bytes, component->length, name, length,
					      variables, SENSE_ALLOW))
		return MISMATCH_NONE;
	if (!glob_match(component->bytes, component->length, name, length, variables, SENSE_DENY))
		return MISMATCH_NAME;
	return bar == MISMATCH_NONE ? MISMATCH_VARIABLE : bar;
}

static void component_follow(struct comparison *comparison, uint32_t index)
{
	const struct component *component = &comparison->pattern->components[index];
	for (uint32_t i = comparison->names->count; i-- > 0;) {
		struct way before = comparison->ways[i];
		comparison->ways[i + 1] =
			before.count > 1 ? WAY_NONE
					 : way_add(before, component_try(comparison, component, i),
						   index, i);
	}
	comparison->ways[0] = WAY_NONE;
}

/* A `**`: takes any number of names; the last one takes one at least, or the folder itself. */
static void deep_follow(struct comparison *comparison, uint32_t index)
{
	struct way taken = WAY_NONE;
	bool is_last = index + 1u == comparison->pattern->component_count;
	bool takes_folder = !(comparison->lack->verbs & ~FOLDER_VERBS);
	for (uint32_t i = 0; i <= comparison->names->count; i++) {
		struct way none = comparison->ways[i];
		if (is_last && !takes_folder)
			none = way_add(none, MISMATCH_FOLDER, index, i);
		struct way before = comparison->ways[i];
		comparison->ways[i] = way_better(taken, none);
		if (i < comparison->names->count)
			taken = way_add(way_better(taken, before),
				name_find_bar(comparison->names, i), index, i);
	}
}

/* Where the pattern begins: at `/`, or below the peer's home. */
static void ways_begin(struct comparison *comparison)
{
	const struct near_names *names = comparison->names;
	const struct variable home =
		peer_text(comparison->lack->peer, comparison->lack->peer->home);
	uint32_t depth = (uint32_t)path_depth(home.text, home.length);
	for (uint32_t i = 0; i <= names->count; i++)
		comparison->ways[i] = WAY_NONE;
	if (!comparison->pattern->is_home) {
		comparison->ways[0] = (struct way){0};
	} else if (!home.length) {
		for (uint32_t i = 0; i <= names->count; i++)
			comparison->ways[i] = way_add((struct way){0}, MISMATCH_NO_HOME, 0, i);
	} else if (depth <= names->count) {
		bool is_there = names->starts[depth] - 1u == home.length &&
				memcmp(names->path, home.text, home.length) == 0;
		comparison->ways[depth] = way_add(
			(struct way){0}, is_there ? MISMATCH_NONE : MISMATCH_HOME, 0, depth);
	}
}

static struct way pattern_follow(struct comparison *comparison)
{
	const struct pattern *pattern = comparison->pattern;
	uint32_t count = comparison->names->count;
	struct way above = WAY_NONE;
	ways_begin(comparison);
	for (uint32_t i = 0; i < pattern->component_count; i++) {
		above = comparison->ways[count];
		if (pattern->components[i].kind == COMPONENT_DEEP)
			deep_follow(comparison, i);
		else
			component_follow(comparison, i);
	}
	struct way best = comparison->ways[count];
	if (pattern->component_count)
		best = way_better(best, way_add(above, MISMATCH_ABOVE, 0, count));
	for (uint32_t i = count; i-- > 0 && pattern->component_count;)
		best = way_better(best, way_add(comparison->ways[i], MISMATCH_BELOW, 0, i));
	return best;
}

/* Whether something besides stars matched: else any rule of so many components would be near. */
static bool way_is_near(const struct comparison *comparison, const struct way *way)
{
	const struct pattern *pattern = comparison->pattern;
	if (way->mismatch != MISMATCH_NAME || pattern->is_home)
		return true;
	for (uint32_t i = 0; i < pattern->component_count; i++) {
		uint8_t kind = pattern->components[i].kind;
		if (i != way->component && (kind == COMPONENT_LITERAL || kind == COMPONENT_GLOB))
			return true;
	}
	return pattern->component_count == 1 && comparison->names->count == 1;
}

/* The pattern as written, as far as this component; quoted words are shown whole. */
static struct quoted pattern_quote(
	const struct comparison *comparison, const struct object *object, uint32_t component)
{
	const struct policy_set *set = comparison->lack->set;
	const char *source = set->files.items[object->where.file].text + object->where.line_start +
			     object->where.column - 1;
	uint32_t width = object->where.width, start = 0, counted = 0;
	bool was_deep = false;
	if (source[0] == '"')
		return text_quote(source, width);
	if (object->kind == OBJECT_UNIX)
		start = (uint32_t)strlen("unix:");
	else if (object->kind == OBJECT_CREDENTIAL)
		start = object->address.name_length + (uint32_t)strlen("=");
	for (uint32_t at = start; at < width; at++) {
		const char *slash = memchr(source + at + 1, '/', width - at - 1);
		uint32_t end = slash ? (uint32_t)(slash - source) : width;
		bool is_deep = end - at == 3 && memcmp(source + at, "/**", 3) == 0;
		if (source[at] == '/' && !(is_deep && was_deep) && counted++ == component)
			return text_quote(source + start, end - start);
		was_deep = is_deep;
		at = end - 1;
	}
	return text_quote(source + start, width - start);
}

/* The path as far as this name. */
static struct quoted path_quote(const struct near_names *names, uint32_t name)
{
	return text_quote(names->path, names->starts[name + 1] - 1u);
}

/* A component of the pattern is not the name in its place. */
static void component_describe(const struct comparison *comparison, const struct object *object,
	const struct way *way, struct difference *difference)
{
	const struct near_names *names = comparison->names;
	struct quoted written = pattern_quote(comparison, object, way->component);
	size_t length;
	const char *bytes = name_at(names, way->name, &length);
	struct quoted name = text_quote(bytes, length);
	char *text = difference->text;
	const size_t size = sizeof(difference->text);
	if (way->mismatch == MISMATCH_NAME)
		snprintf(text, size, "%s, not %s", written.text, path_quote(names, way->name).text);
	else if (way->mismatch == MISMATCH_DOT)
		snprintf(text, size, "a wildcard matches no leading dot (%s)", name.text);
	else if (way->mismatch == MISMATCH_KERNEL)
		snprintf(text, size, "wildcards do not reach into /%s", name.text);
	else
		snprintf(text, size, "%s, and the asker has nothing that the variable stands for",
			written.text);
}

static void way_describe(const struct comparison *comparison, const struct object *object,
	const struct way *way, struct difference *difference)
{
	const struct lack *lack = comparison->lack;
	const struct near_names *names = comparison->names;
	const char *home = lack->peer->text + lack->peer->home;
	char *text = difference->text;
	const size_t size = sizeof(difference->text);
	switch ((enum mismatch)way->mismatch) {
	case MISMATCH_NONE:
		break;
	case MISMATCH_NAME:
	case MISMATCH_DOT:
	case MISMATCH_KERNEL:
	case MISMATCH_VARIABLE:
		component_describe(comparison, object, way, difference);
		break;
	case MISMATCH_HOME:
		snprintf(text, size, "%%h is %s", text_quote(home, strlen(home)).text);
		break;
	case MISMATCH_NO_HOME:
		snprintf(text, size, "%%h, and the asker has no home directory of its own");
		break;
	case MISMATCH_FOLDER:
		snprintf(text, size,
			"** at the end is about the folder itself only under stat, list and watch");
		break;
	case MISMATCH_BELOW:
		snprintf(text, size, "%s, not what is below it",
			span_quote(lack->set, &object->where).text);
		break;
	case MISMATCH_ABOVE:
		snprintf(text, size, "what is in it, not %s itself",
			text_quote(names->path, names->starts[names->count] - 1u).text);
		break;
	}
}

/* How far the path was right; of two that went as far, the wildcard would have matched more. */
static uint32_t way_closeness(const struct way *way, const struct near_names *names)
{
	switch ((enum mismatch)way->mismatch) {
	case MISMATCH_NAME:
		return 2u * way->name;
	case MISMATCH_NO_HOME:
		return 0;
	case MISMATCH_NONE:
	case MISMATCH_HOME:
		return 2u * names->count + 1;
	default:
		return 2u * way->name + 1;
	}
}

uint32_t path_compare(const struct lack *lack, const struct near_names *names,
	const struct object *object, struct difference *difference, uint32_t *closeness)
{
	struct comparison comparison; /* its ways are begun when it is followed */
	char uid[sizeof("4294967295")];
	comparison.lack = lack;
	comparison.names = names;
	comparison.pattern = &object->pattern;
	comparison.variables = peer_variables(lack->peer, uid);
	struct way way = pattern_follow(&comparison);
	*closeness = way_closeness(&way, names);
	if (way.count > 1 || !way_is_near(&comparison, &way))
		return DIFFERENCES_MAX + 1;
	if (way.count)
		way_describe(&comparison, object, &way, difference);
	return way.count;
}

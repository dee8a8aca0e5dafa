/* SPDX-License-Identifier: MIT */
/*
 * Words to patterns. Each component is brought to one form, so that patterns that mean the same
 * by their spelling (`[*]` and an escaped star, `**` twice) are the same pattern afterwards.
 */
#include "scan.h"

struct component_parser {
	struct policy_set *set; /* NULL: nothing is reported or kept */
	const struct word *word;
	uint32_t first, end; /* of the component in the word */
	uint32_t at;
	bool is_unit; /* a glob over a unit's name: no variables */

	uint8_t *program; /* of COMPONENT_PROGRAM_MAX bytes */
	uint16_t length;
	uint16_t run; /* where the length byte of the open GLOB_BYTES stands; 0: none is open */
	bool has_wildcard, has_user, has_instance, has_variable;
};

__attribute__((format(printf, 5, 6))) static bool component_report(
	const struct component_parser *parser, uint32_t first, uint32_t length, const char *remedy,
	const char *format, ...)
{
	struct span where = word_part(parser->set, parser->word, first, length);
	va_list arguments;
	va_start(arguments, format);
	set_vreport(parser->set, POLICY_ERROR, &where, remedy, format, arguments);
	va_end(arguments);
	return false;
}

static void emit_byte(struct component_parser *parser, uint8_t byte)
{
	if (!parser->run) {
		parser->program[parser->length++] = GLOB_BYTES;
		parser->run = parser->length;
		parser->program[parser->length++] = 0;
	}
	parser->program[parser->length++] = byte;
	parser->program[parser->run]++;
}

static void emit_operation(struct component_parser *parser, enum glob_operation operation)
{
	parser->program[parser->length++] = (uint8_t)operation;
	parser->run = 0;
}

static bool variable_parse(struct component_parser *parser)
{
	char name = '\0';
	if (parser->at + 1 < parser->end)
		name = parser->word->bytes[parser->at + 1];
	parser->at += 2;
	if (name == '%') {
		emit_byte(parser, '%');
		return true;
	}
	if (parser->is_unit)
		return component_report(parser, parser->at - 2, 2, "write %% for a percent sign",
			"a unit's name has no variables");
	parser->has_variable = true;
	switch (name) {
	case 'u':
		parser->has_user = true;
		emit_operation(parser, GLOB_USER);
		return true;
	case 'U':
		emit_operation(parser, GLOB_UID);
		return true;
	case 'i':
		parser->has_instance = true;
		emit_operation(parser, GLOB_INSTANCE);
		return true;
	case 'h':
		return component_report(parser, parser->at - 2, 2, "begin the path with %h/",
			"'%%h' stands only at the start of a path");
	default:
		return component_report(parser, parser->at - 2, 2,
			"the variables are %u %U %h %i; write %% for a percent sign",
			"'%s' is no variable",
			text_quote(parser->word->bytes + parser->at - 2, name ? 2 : 1).text);
	}
}

struct byte_set {
	uint8_t bits[GLOB_SET_SIZE];
	uint32_t count;
	uint8_t last;
};

static void byte_set_add(struct byte_set *set, uint8_t byte)
{
	uint8_t bit = (uint8_t)(1u << (byte & 7));
	set->count += !(set->bits[byte >> 3] & bit);
	set->bits[byte >> 3] |= bit;
	set->last = byte;
}

/* The index of the `]` that ends a set, or of the component's end. */
static uint32_t set_find_end(const struct component_parser *parser, uint32_t at)
{
	while (at < parser->end && !word_has(parser->word, at, ']'))
		at++;
	return at;
}

static bool set_fill(
	struct component_parser *parser, uint32_t at, uint32_t close, struct byte_set *set)
{
	const char *bytes = parser->word->bytes;
	while (at < close) {
		uint8_t from = (uint8_t)bytes[at], to = from;
		uint32_t size = 1;
		if (at + 2 < close && word_has(parser->word, at + 1, '-')) {
			to = (uint8_t)bytes[at + 2];
			size = 3;
		}
		if (to < from)
			return component_report(parser, at, size, "write the lower end first",
				"the range '%s' is reversed", text_quote(bytes + at, size).text);
		if (word_has(parser->word, at, '[') && word_has(parser->word, at + 1, ':'))
			return component_report(parser, at, 2, "write the ranges out: [a-z0-9]",
				"there are no character classes");
		for (uint32_t byte = from; byte <= to; byte++)
			byte_set_add(set, (uint8_t)byte);
		at += size;
	}
	return true;
}

static bool set_parse(struct component_parser *parser)
{
	uint32_t open = parser->at, at = open + 1;
	bool is_negated = at < parser->end && word_has(parser->word, at, '!');
	if (is_negated)
		at++;
	uint32_t close = set_find_end(parser, at);
	if (close >= parser->end)
		return component_report(parser, open, parser->end - open,
			"close it in the same component; a literal bracket is [[]",
			"'[' without ']'");
	if (close == at)
		return component_report(parser, open, close + 1 - open,
			"name a byte in it; a literal ] is \\x5d in a quoted word",
			"the set is empty");
	if (word_has(parser->word, at, '^') && !is_negated && close > at + 1)
		return component_report(parser, at, 1,
			"write [!...] to negate; put ^ last to mean itself",
			"'^' does not negate a set");
	struct byte_set set = {0};
	if (!set_fill(parser, at, close, &set))
		return false;
	parser->at = close + 1;
	if (set.count == 1 && !is_negated) {
		emit_byte(parser, set.last);
		return true;
	}
	for (uint32_t i = 0; is_negated && i < GLOB_SET_SIZE; i++)
		set.bits[i] = (uint8_t)~set.bits[i];
	parser->has_wildcard = true;
	emit_operation(parser, GLOB_SET);
	memcpy(parser->program + parser->length, set.bits, GLOB_SET_SIZE);
	parser->length = (uint16_t)(parser->length + GLOB_SET_SIZE);
	return true;
}

static bool atom_parse(struct component_parser *parser)
{
	const struct word *word = parser->word;
	uint32_t at = parser->at;
	if (word_has(word, at, '%'))
		return variable_parse(parser);
	if (word_has(word, at, '['))
		return set_parse(parser);
	parser->at++;
	if (word_has(word, at, '*') || word_has(word, at, '?')) {
		parser->has_wildcard = true;
		emit_operation(parser, word->bytes[at] == '*' ? GLOB_STAR : GLOB_ANY);
		return true;
	}
	emit_byte(parser, (uint8_t)word->bytes[at]);
	return true;
}

/* `**` makes sense only as a whole component. */
static bool component_has_stars(const struct component_parser *parser, uint32_t *at)
{
	bool is_in_set = false;
	for (*at = parser->first; *at + 1 < parser->end; ++*at) {
		if (word_has(parser->word, *at, '['))
			is_in_set = true;
		else if (word_has(parser->word, *at, ']'))
			is_in_set = false;
		else if (!is_in_set && word_has(parser->word, *at, '*') &&
			 word_has(parser->word, *at + 1, '*'))
			return true;
	}
	return false;
}

static bool component_finish(struct component_parser *parser, struct component *component)
{
	const uint8_t *bytes = parser->program;
	uint16_t length = parser->length;
	component->kind = COMPONENT_GLOB;
	component->rank = parser->has_wildcard ? RANK_MIXED : RANK_LITERAL;
	if (!parser->has_wildcard && !parser->has_variable) {
		component->kind = COMPONENT_LITERAL;
		bytes += 2; /* the operation and the length */
		length = (uint16_t)(length - 2);
		bool is_dots = bytes[0] == '.' && (length == 1 || (length == 2 && bytes[1] == '.'));
		if (is_dots && !parser->is_unit)
			return component_report(parser, parser->first, parser->end - parser->first,
				"write the path without it", "'%s' is not allowed in a path",
				length == 1 ? "." : "..");
	} else if (length == 1 && bytes[0] == GLOB_STAR) {
		component->kind = COMPONENT_STAR;
		component->rank = RANK_STAR;
	}
	component->length = length;
	component->bytes = bytes;
	if (parser->set)
		component->bytes =
			(const uint8_t *)set_copy(parser->set, (const char *)bytes, length);
	return component->bytes != NULL;
}

/* `**` beside other characters: what was meant by `**.txt`. Always false. */
static bool stars_report(const struct component_parser *parser, uint32_t stars)
{
	const char *rest = parser->word->bytes + stars + 2;
	uint32_t length = parser->end - stars - 2;
	char remedy[2 * sizeof(struct quoted) + 64] = "write /**/ on its own, or one star";
	if (parser->is_unit)
		snprintf(remedy, sizeof(remedy), "write one star");
	else if (stars == parser->first && !memchr(rest, '*', length))
		snprintf(remedy, sizeof(remedy), "write /**/*%s, or in one folder alone /*%s",
			text_quote(rest, length).text, text_quote(rest, length).text);
	return component_report(parser, stars, 2, remedy, "'**' is glued to other characters");
}

static bool component_parse(struct component_parser *parser, struct component *component)
{
	uint32_t length = parser->end - parser->first, stars;
	if (length > POLICY_COMPONENT_MAX)
		return component_report(parser, parser->first, length,
			"write a shorter one, or wildcards",
			"a component longer than 255 bytes: no file can have such a name");
	if (component_has_stars(parser, &stars)) {
		if (length == 2 && !parser->is_unit) {
			*component = (struct component){.kind = COMPONENT_DEEP, .rank = RANK_DEEP};
			return true;
		}
		return stars_report(parser, stars);
	}
	parser->at = parser->first;
	while (parser->at < parser->end) {
		if (!atom_parse(parser))
			return false;
	}
	return component_finish(parser, component);
}

bool component_read(const struct word *word, uint32_t first, uint32_t end,
	uint8_t program[static COMPONENT_PROGRAM_MAX], struct component *component,
	bool *has_variable)
{
	struct component_parser parser = {
		.word = word, .first = first, .end = end, .program = program};
	bool is_valid = first < end && component_parse(&parser, component);
	*has_variable = parser.has_variable;
	return is_valid && !parser.has_variable;
}

/* Where the component ends that begins at `at`. */
static uint32_t component_find_end(const struct word *word, uint32_t at, uint32_t end)
{
	while (at < end && word->bytes[at] != '/')
		at++;
	return at;
}

static bool pattern_component(struct policy_set *set, const struct word *word, uint32_t at,
	uint32_t component_end, uint32_t end, struct pattern *pattern)
{
	uint8_t program[COMPONENT_PROGRAM_MAX];
	struct component_parser parser = {
		.set = set, .word = word, .first = at, .end = component_end, .program = program};
	if (at == component_end && component_end < end)
		return component_report(&parser, at, 1, "write one slash", "an empty component");
	if (at == component_end)
		return component_report(&parser, at - 1, 1,
			"leave it out; what is in a folder is /folder/*, with all below it "
			"/folder/**",
			"the path ends with a slash");
	struct component *component = &pattern->components[pattern->component_count];
	if (!component_parse(&parser, component))
		return false;
	bool is_again = component->kind == COMPONENT_DEEP && pattern->component_count > 0 &&
			component[-1].kind == COMPONENT_DEEP;
	pattern->component_count = (uint16_t)(pattern->component_count + !is_again);
	pattern->has_user = pattern->has_user || parser.has_user;
	pattern->has_instance = pattern->has_instance || parser.has_instance;
	return true;
}

bool pattern_parse(struct policy_set *set, const struct word *word, uint32_t first, uint32_t length,
	struct pattern *pattern)
{
	const uint32_t end = first + length;
	struct component_parser whole = {.set = set, .word = word, .first = first, .end = end};
	*pattern = (struct pattern){0};
	pattern->is_home = word_has(word, first, '%') && word_has(word, first + 1, 'h');
	uint32_t at = pattern->is_home ? first + 2 : first;
	if (length > POLICY_PATH_MAX)
		return component_report(&whole, first, length, "write a shorter one",
			"the path is longer than 4095 bytes: it cannot be opened");
	if (at >= end || word->bytes[at] != '/')
		return component_report(&whole, first, length,
			pattern->is_home ? "write %h/ and what is below it: %h/NAME, %h/**"
					 : "begin it with a slash",
			"'%s' is not an absolute path",
			text_quote(word->bytes + first, length).text);
	if (at + 1 == end && !pattern->is_home)
		return true; /* without a component: the folder of all folders */
	pattern->components = set_alloc(set, (length / 2 + 1) * sizeof(*pattern->components));
	if (!pattern->components)
		return false;
	while (at < end) {
		uint32_t component_end = component_find_end(word, at + 1, end);
		if (!pattern_component(set, word, at + 1, component_end, end, pattern))
			return false;
		at = component_end;
	}
	return true;
}

bool unit_parse(struct policy_set *set, const struct word *word, struct component *component)
{
	uint8_t program[COMPONENT_PROGRAM_MAX];
	struct component_parser parser = {
		.set = set, .word = word, .end = word->length, .program = program, .is_unit = true};
	if (!word->length) {
		set_report(set, POLICY_ERROR, &word->where, "write it, as in nginx.service",
			"the unit's name is empty");
		return false;
	}
	if (memchr(word->bytes, '/', word->length))
		return component_report(&parser, 0, word->length,
			"write the name of the unit alone, as in nginx.service",
			"a unit's name contains no slash");
	if (!component_parse(&parser, component))
		return false;
	if (component->kind == COMPONENT_LITERAL &&
		!memchr(component->bytes, '.', component->length))
		set_report(set, POLICY_WARNING, &word->where,
			"write its suffix too, as in nginx.service", "no unit is called '%s'",
			word_quote(word).text);
	return true;
}

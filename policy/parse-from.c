/* SPDX-License-Identifier: MIT */
/*
 * Who a block is for: the `from` lines, and what they allow the rest of the block to say. A deny
 * must not stand on something that a program can shed, and %i needs a unit that has an instance.
 */
#include "parse.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

bool principal_parse(struct parser *parser, const struct word *word, uint32_t first,
	uint32_t length, enum policy_name_kind kind, struct principal *principal)
{
	const char *bytes = word->bytes + first;
	*principal = (struct principal){
		.name = NONE, .where = word_part(parser->set, word, first, length)};
	if (!length || length > POLICY_NAME_MAX) {
		set_report(parser->set, POLICY_ERROR, &principal->where, "write a name or an id",
			length ? "a name longer than 255 bytes" : "a name is missing");
		return false;
	}
	bool is_number = true;
	for (uint32_t i = 0; i < length; i++)
		is_number = is_number && bytes[i] >= '0' && bytes[i] <= '9';
	if (!is_number) {
		principal->name = set_name(parser->set, kind, bytes, length);
		return principal->name != NONE;
	}
	if (number_parse(bytes, length, UINT32_MAX - 1, &principal->id))
		return true;
	set_report(parser->set, POLICY_ERROR, &principal->where, "ids go from 0 to 4294967294",
		"'%s' is no id", text_quote(bytes, length).text);
	return false;
}

/* Digits and one dash, which may be without one of the numbers that belong beside it. */
static bool word_is_range(const struct word *word, uint32_t *dash)
{
	*dash = word_find(word, 0, '-');
	for (uint32_t i = 0; i < word->length; i++) {
		if (i != *dash && (word->bytes[i] < '0' || word->bytes[i] > '9'))
			return false;
	}
	return *dash < word->length && word->length > 1;
}

/* `user *`. Always false. */
static bool star_report(struct parser *parser, const struct word *word, enum policy_name_kind kind)
{
	report_word(parser, word,
		parser->line.words.count > 3 ? "leave the condition out"
					     : "for everybody write: from anyone",
		"'*' is no name of a %s", kind == POLICY_NAME_USER ? "user" : "group");
	return false;
}

static bool ids_parse(struct parser *parser, const struct word *word, enum policy_name_kind kind,
	struct condition *condition)
{
	uint32_t dash;
	if (word_is(word, "*"))
		return star_report(parser, word, kind);
	if (!word_is_range(word, &dash)) {
		bool is_valid =
			principal_parse(parser, word, 0, word->length, kind, &condition->principal);
		condition->last = condition->principal.id;
		return is_valid;
	}
	if (!dash || dash + 1 == word->length) {
		report_word(parser, word, "write FIRST-LAST, or one id", "'%s' is no range of ids",
			word_quote(word).text);
		return false;
	}
	struct principal last;
	if (!principal_parse(parser, word, 0, dash, kind, &condition->principal) ||
		!principal_parse(parser, word, dash + 1, word->length - dash - 1, kind, &last))
		return false;
	condition->last = last.id;
	if (last.id >= condition->principal.id)
		return true;
	report_word(parser, word, "write the lower id first", "the range '%s' is reversed",
		word_quote(word).text);
	return false;
}

static bool glob_has_at(const struct component *component)
{
	if (component->kind == COMPONENT_LITERAL)
		return memchr(component->bytes, '@', component->length) != NULL;
	for (uint32_t at = 0; at < component->length;) {
		switch (component->bytes[at]) {
		case GLOB_BYTES:
			if (memchr(component->bytes + at + 2, '@', component->bytes[at + 1]))
				return true;
			at += 2u + component->bytes[at + 1];
			break;
		case GLOB_SET:
			at += 1 + GLOB_SET_SIZE;
			break;
		default:
			at++;
		}
	}
	return false;
}

/* What one line of conditions adds up to. */
struct from_summary {
	bool is_deniable, is_instanced;
};

static bool condition_parse(struct parser *parser, const struct word *keyword,
	const struct word *value, struct from_summary *summary)
{
	struct condition condition = {.where = value->where};
	bool is_valid;
	if (word_is(keyword, "user")) {
		condition.kind = CONDITION_USER;
		is_valid = ids_parse(parser, value, POLICY_NAME_USER, &condition);
	} else if (word_is(keyword, "group")) {
		condition.kind = CONDITION_GROUP;
		is_valid = ids_parse(parser, value, POLICY_NAME_GROUP, &condition);
		summary->is_deniable = false;
	} else {
		condition.kind = CONDITION_UNIT;
		is_valid = unit_parse(parser->set, value, &condition.unit);
		summary->is_deniable = false;
		summary->is_instanced |= is_valid && glob_has_at(&condition.unit);
	}
	struct condition *added = is_valid ? set_append(parser->set, conditions) : NULL;
	if (added)
		*added = condition;
	return added != NULL;
}

static bool word_is_condition(const struct word *word)
{
	return word_is(word, "user") || word_is(word, "group") || word_is(word, "unit");
}

/* What else is written for a condition. */
static const struct {
	const char *word, *condition;
} near_conditions[] = {
	{"all", "anyone"},
	{"any", "anyone"},
	{"everyone", "anyone"},
	{"everybody", "anyone"},
	{"anybody", "anyone"},
	{"*", "anyone"},
	{"uid", "user"},
	{"gid", "group"},
	{"service", "unit"},
};

/* NULL: it is none of these. */
static const char *condition_find_near(const struct word *word)
{
	for (size_t i = 0; i < COUNT(near_conditions); i++) {
		if (word_is(word, near_conditions[i].word))
			return near_conditions[i].condition;
	}
	return NULL;
}

/* Between two conditions. The grammar has no such words: lines are "or", and conditions "and". */
static bool word_is_conjunction(const struct word *word)
{
	static const char *const words[] = {"or", "and", ",", "|", "||", "&", "&&"};
	for (size_t i = 0; i < COUNT(words); i++) {
		if (word_is(word, words[i]))
			return true;
	}
	return false;
}

/* Of groups a peer can have several; nobody is two users, and no program runs in two units. */
static bool conditions_may_hold(
	const struct word *before, const struct word *next, const struct word *end)
{
	if (next == end)
		return true;
	return word_is_condition(next) && !(word_is(before, "user") && word_is(next, "user")) &&
	       !(word_is(before, "unit") && word_is(next, "unit"));
}

/* `before` began the condition that `word` stands behind. */
static void conjunction_report(
	struct parser *parser, const struct word *word, const struct word *before)
{
	const struct word *next = word + 1,
			  *end = parser->line.words.items + parser->line.words.count;
	char remedy[2 * sizeof(struct quoted) + 64] = "write a line of its own: from user NAME";
	bool is_and = word->bytes[0] == 'a' || word->bytes[0] == '&';
	if (is_and && conditions_may_hold(before, next, end))
		snprintf(
			remedy, sizeof(remedy), "leave it out: all conditions of a line must hold");
	else if (next + 1 < end && word_is_condition(next))
		snprintf(remedy, sizeof(remedy), "write another line: from %s %s",
			word_quote(next).text, word_quote(next + 1).text);
	else if (next < end)
		snprintf(remedy, sizeof(remedy), "write another line: from %s %s",
			word_quote(before).text, word_quote(next).text);
	report_word(parser, word, remedy, "'%s' joins no conditions", word_quote(word).text);
}

/* `from user alice bob` means somebody: say how it is written. `before`: the word that began the
   condition before this one, or NULL. */
static void condition_report_unknown(
	struct parser *parser, const struct word *word, const struct word *before)
{
	static const char *const known[] = {"anyone", "user", "group", "unit"};
	char remedy[320] = "the conditions are anyone, user, group and unit";
	bool is_alone = parser->line.words.count == 2;
	const char *near = condition_find_near(word);
	if (before && word_is_conjunction(word)) {
		conjunction_report(parser, word, before);
		return;
	}
	if (before)
		snprintf(remedy, sizeof(remedy), "one name each: write another line: from %s %s",
			word_quote(before).text, word_quote(word).text);
	else if (near)
		snprintf(remedy, sizeof(remedy), "did you mean '%s'?", near);
	else if (is_alone)
		snprintf(remedy, sizeof(remedy), "say what it is: from user %s, group or unit",
			word_quote(word).text);
	if (word->is_quoted)
		report_word(parser, word, before ? remedy : "remove the quotes",
			"a quoted word is never a condition");
	else
		report_unknown(parser, &word->where, word->bytes, word->length, "condition", known,
			near ? 0 : COUNT(known), remedy);
}

/* { ( "user" | "group" | "unit" ) VALUE }; the line's first word is `from`. */
static bool conditions_parse(struct parser *parser, struct from_summary *summary)
{
	const struct word *words = parser->line.words.items;
	uint32_t count = parser->line.words.count;
	if (count < 2) {
		set_report(parser->set, POLICY_ERROR, &parser->line.end,
			"write: from user NAME, group NAME, unit GLOB or anyone", "'from' whom?");
		return false;
	}
	for (uint32_t at = 1; at < count; at += 2) {
		if (word_is(&words[at], "anyone") && count > 2) {
			report_word(parser, &words[at], "leave 'anyone' or the conditions out",
				"'anyone' does not go with other conditions");
			return false;
		}
		if (!word_is_condition(&words[at])) {
			condition_report_unknown(
				parser, &words[at], at > 1 ? &words[at - 2] : NULL);
			return false;
		}
		if (at + 1 == count) {
			set_report(parser->set, POLICY_ERROR, &parser->line.end,
				"write its name after it", "'%s' without a name",
				word_quote(&words[at]).text);
			return false;
		}
		if (!condition_parse(parser, &words[at], &words[at + 1], summary))
			return false;
	}
	return true;
}

/* The conditions from `first` on; NULL: out of memory. */
static struct from *from_add(struct parser *parser, const struct span *where, uint32_t first)
{
	struct from *from = set_append(parser->set, froms);
	if (!from)
		return NULL;
	from->where = *where;
	from->first_condition = first;
	from->condition_count = parser->set->conditions.count - first;
	return from;
}

void from_add_reader(struct parser *parser)
{
	struct policy_set *set = parser->set;
	struct client *client = &set->clients.items[parser->client];
	uint32_t first = set->conditions.count;
	struct condition *condition = set_append(set, conditions); /* zeroed: CONDITION_ANYONE */
	if (!condition)
		return;
	condition->where = client->where;
	client->has_from = from_add(parser, &client->where, first) != NULL;
}

void from_parse(struct parser *parser)
{
	struct policy_set *set = parser->set;
	const struct line *line = &parser->line;
	uint32_t first = set->conditions.count;
	struct from_summary summary = {.is_deniable = true};
	bool is_anyone = line->words.count == 2 && word_is(&line->words.items[1], "anyone");
	set->clients.items[parser->client].has_from = true;
	if (is_anyone) {
		struct condition *condition = set_append(set, conditions);
		if (!condition)
			return;
		condition->where = line->words.items[1].where;
	} else if (!conditions_parse(parser, &summary)) {
		return;
	}
	if (!from_add(parser, &line->words.items[0].where, first))
		return;
	struct client *client = &set->clients.items[parser->client];
	client->is_deniable = client->is_deniable && summary.is_deniable;
	client->is_instanced = client->is_instanced && summary.is_instanced;
}

/* The %i in what is written there. */
static struct span instance_find(const struct policy_set *set, const struct span *where)
{
	const char *text = span_text(set, where);
	struct span found = *where;
	for (uint32_t i = 0; i + 1 < where->width; i++) {
		const char *at = text + i;
		if (at[0] == '%' && at[1] == 'i') {
			found.column += i;
			found.width = 2;
			break;
		}
		i += at[0] == '%'; /* the second of %% begins nothing */
	}
	return found;
}

static void client_check_instances(struct policy_set *set, const struct client *client)
{
	for (uint32_t i = 0; i < client->rule_count; i++) {
		const struct rule *rule = &set->rules.items[client->first_rule + i];
		for (uint32_t j = 0; j < rule->object_count; j++) {
			const struct object *object = &set->objects.items[rule->first_object + j];
			struct span where = instance_find(set, &object->where);
			if (object->pattern.has_instance)
				set_report(set, POLICY_ERROR, &where,
					"write every 'from' of the block with: unit NAME@*.service",
					"%%i needs a unit with an instance in every 'from'");
		}
	}
}

void client_check(struct parser *parser)
{
	struct policy_set *set = parser->set;
	const struct client *client = &set->clients.items[parser->client];
	if (!client->has_from) {
		set_report(set, POLICY_ERROR, &client->where,
			"say who it is for: from user NAME, group NAME, unit GLOB or anyone",
			"client '%s' has no 'from'",
			text_quote(client->name, strlen(client->name)).text);
		return;
	}
	if (!client->is_deniable && client->first_deny != NONE)
		set_report(set, POLICY_ERROR, &set->rules.items[client->first_deny].where,
			"put it into a block of its own, from user or from anyone",
			"'deny' in a block from a group or unit, which a program can shed");
	if (!client->is_instanced)
		client_check_instances(set, client);
}

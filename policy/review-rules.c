/* SPDX-License-Identifier: MIT */
/*
 * What other rules make of a rule: a deny that covers it leaves nothing of it, a wider rule with the
 * same options makes it needless. Only what covers all of an object by itself counts: what several
 * rules cover together is not pieced together. The cost of an object is bounded (cover.h, review.h).
 *
 * Must never call needless what decides anything: where the options of another rule could come to
 * count instead, or where that cannot be told, nothing is said.
 */
#include "review.h"

#include "judge.h"

/* An object whose rule is looked at. */
struct subject {
	struct review *review;
	uint32_t rule_number, object_number;
	const struct rule *rule;
	const struct object *object;
};

static const struct rule *rule_at(const struct review *review, uint32_t rule)
{
	return &review->set->rules.items[rule];
}

/* ---- the rules of a terminal ---- */

/* Those of the same block, and some of the others; each ascending. */
struct neighbours {
	uint32_t count;
	uint32_t rules[2 * REVIEW_ENTRIES_MAX];
};

static const uint32_t *terminal_entries(
	const struct review *review, uint32_t terminal, uint32_t *count)
{
	const struct image_terminal *entry = &image_terminals(review->image)[terminal];
	*count = entry->entry_count;
	return image_entries(review->image) + entry->first_entry;
}

/* The first entry that is not below `least`. */
static uint32_t entries_find(const uint32_t *entries, uint32_t count, uint32_t least)
{
	uint32_t low = 0, high = count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (entries[middle] < least)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool terminal_has(const struct review *review, uint32_t terminal, uint32_t rule)
{
	uint32_t count;
	const uint32_t *entries = terminal_entries(review, terminal, &count);
	uint32_t at = entries_find(entries, count, rule);
	return at < count && entries[at] == rule;
}

static void block_neighbours(
	const struct review *review, uint32_t terminal, uint32_t client, struct neighbours *found)
{
	uint32_t count;
	const struct client *block = &review->set->clients.items[client];
	const uint32_t *entries = terminal_entries(review, terminal, &count);
	uint32_t end = block->first_rule + block->rule_count;
	found->count = 0;
	for (uint32_t at = entries_find(entries, count, block->first_rule);
		at < count && entries[at] < end && found->count < REVIEW_ENTRIES_MAX; at++)
		found->rules[found->count++] = entries[at];
}

static void all_neighbours(
	const struct review *review, uint32_t terminal, uint32_t client, struct neighbours *found)
{
	uint32_t count;
	const uint32_t *entries = terminal_entries(review, terminal, &count);
	block_neighbours(review, terminal, client, found);
	for (uint32_t at = 0; at < count && at < REVIEW_ENTRIES_MAX; at++) {
		if (rule_at(review, entries[at])->client != client)
			found->rules[found->count++] = entries[at];
	}
}

/* ---- whom a block is for ---- */

/* Whether whoever fulfils the conditions of the one has this user. */
static bool from_implies(
	const struct policy_set *set, const struct from *from, const struct condition *wanted)
{
	if (wanted->kind == CONDITION_ANYONE)
		return true;
	for (uint32_t i = 0; i < from->condition_count && wanted->kind == CONDITION_USER; i++) {
		const struct condition *condition =
			&set->conditions.items[from->first_condition + i];
		if (condition->kind == CONDITION_USER &&
			condition->principal.id >= wanted->principal.id &&
			condition->last <= wanted->last)
			return true;
	}
	return false;
}

static bool from_covers(
	const struct policy_set *set, const struct from *wide, const struct from *narrow)
{
	for (uint32_t i = 0; i < wide->condition_count; i++) {
		if (!from_implies(set, narrow, &set->conditions.items[wide->first_condition + i]))
			return false;
	}
	return !wide->is_never;
}

static bool client_covers_from(
	const struct policy_set *set, const struct client *wide, const struct from *narrow)
{
	for (uint32_t i = 0; i < wide->from_count; i++) {
		if (from_covers(set, &set->froms.items[wide->first_from + i], narrow))
			return true;
	}
	return false;
}

/* Whether whoever one block is for, the other is for too. */
static bool client_covers(const struct policy_set *set, uint32_t wide, uint32_t narrow)
{
	const struct client *first = &set->clients.items[wide];
	const struct client *second = &set->clients.items[narrow];
	if (wide == narrow)
		return true;
	if ((uint64_t)first->from_count * second->from_count > REVIEW_FROMS_MAX)
		return false;
	bool is_anyone = false;
	for (uint32_t i = 0; i < second->from_count; i++) {
		const struct from *from = &set->froms.items[second->first_from + i];
		if (from->is_never)
			continue;
		if (!client_covers_from(set, first, from))
			return false;
		is_anyone = true;
	}
	return is_anyone; /* else it is for nobody, which has been said elsewhere */
}

static bool clients_can_meet(const struct policy_set *set, uint32_t a, uint32_t b)
{
	uint64_t pairs =
		(uint64_t)set->clients.items[a].from_count * set->clients.items[b].from_count;
	return pairs > REVIEW_FROMS_MAX || clients_may_meet(set, a, b);
}

/* ---- the pieces of an object ---- */

/* What is done with what covers a piece. False: the others need not be looked at. */
typedef bool (*piece_function)(
	const struct subject *subject, const struct cover *cover, void *context);

static bool subject_is_path(const struct subject *subject)
{
	return subject->object->endpoint == POLICY_KIND_COUNT;
}

/* How a piece is looked up: with all that covers it, or only where it is itself. */
typedef void (*piece_search)(
	const struct cover_index *index, const struct endpoint_place *place, struct cover *cover);

/* Calls it for each piece of an endpoint. False: one call said so, or there is no piece. */
static bool pieces_visit(const struct subject *subject, enum effect effect, piece_search search,
	piece_function visit, void *context)
{
	struct cover cover;
	uint32_t count, visited = 0;
	const struct number_range *ranges =
		endpoint_ranges(subject->review->set, subject->object, &count);
	struct endpoint_place place = endpoint_place_make(effect, subject->object);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t next = ranges[i].first;
		while (!ranges[i].is_never && endpoint_next_piece(&place, &ranges[i], &next)) {
			search(&subject->review->index, &place, &cover);
			if (!visit(subject, &cover, context))
				return false;
			visited++;
		}
	}
	return visited > 0;
}

static bool piece_own(const struct subject *subject, const struct cover *cover, void *context)
{
	(void)context;
	if (cover->own_terminal != NONE)
		subject->review->own[cover->own_terminal] = subject->object_number + 1;
	return true;
}

static bool piece_end(const struct subject *subject, const struct cover *cover, void *context)
{
	(void)context;
	if (cover->own_terminal != NONE)
		subject->review->ended[cover->own_terminal] = subject->rule_number + 1;
	return true;
}

/* ---- denied altogether ---- */

struct denial {
	uint32_t asked; /* verbs that are looked at */
	uint32_t verbs; /* of these, what is denied of every piece */
	uint32_t rule;  /* the first deny of any of them */
};

static bool piece_deny(const struct subject *subject, const struct cover *cover, void *context)
{
	const struct review *review = subject->review;
	struct denial *denial = context;
	uint32_t verbs = 0;
	for (uint32_t i = 0; i < cover->count; i++) {
		const struct covering *covering = &cover->found[i];
		struct neighbours denies;
		if (!covering->is_sure)
			continue;
		all_neighbours(review, covering->terminal, subject->rule->client, &denies);
		for (uint32_t j = 0; j < denies.count; j++) {
			const struct rule *deny = rule_at(review, denies.rules[j]);
			uint32_t denied = deny->effective_verbs & covering->verbs & denial->asked;
			if (!denied ||
				!client_covers(review->set, deny->client, subject->rule->client))
				continue;
			verbs |= denied;
			if (denies.rules[j] < denial->rule)
				denial->rule = denies.rules[j];
		}
	}
	denial->verbs &= verbs;
	return denial->verbs != 0;
}

/* Which of the verbs an allow can never give on this object. */
static struct denial subject_find_denied(const struct subject *subject, uint32_t verbs)
{
	struct denial denial = {.asked = verbs, .verbs = verbs, .rule = NONE};
	struct cover cover;
	bool is_denied;
	if (subject->review->image->first_deny == POLICY_NO_RULE) {
		is_denied = false;
	} else if (subject_is_path(subject)) {
		cover_find_pattern(
			&subject->review->index, EFFECT_DENY, &subject->object->pattern, &cover);
		is_denied = piece_deny(subject, &cover, &denial);
	} else {
		is_denied = pieces_visit(
			subject, EFFECT_DENY, cover_find_endpoint, piece_deny, &denial);
	}
	denial.verbs = is_denied ? denial.verbs : 0;
	return denial;
}

/* ---- needless ---- */

struct surplus {
	uint32_t by;       /* a rule that does the same */
	uint32_t terminal; /* the most specific of the wider ones where there is one */
};

/* How specific a pattern is; negative: the first is more so. Neither begins with %h. */
static int terminals_order(const struct review *review, uint32_t first, uint32_t second)
{
	const struct image_terminal *a = &image_terminals(review->image)[first];
	const struct image_terminal *b = &image_terminals(review->image)[second];
	const uint8_t *bytes = image_bytes(review->image);
	for (uint32_t i = 0; i < a->rank_count || i < b->rank_count; i++) {
		int rank_a = i < a->rank_count ? bytes[a->ranks + i] : RANK_END;
		int rank_b = i < b->rank_count ? bytes[b->ranks + i] : RANK_END;
		if (rank_a != rank_b)
			return rank_a - rank_b;
	}
	return 0;
}

/* The rule is one of another object, or of the same line but not of this object. */
static bool is_another(const struct subject *subject, uint32_t terminal, uint32_t rule)
{
	return rule != subject->rule_number ||
	       subject->review->own[terminal] != subject->object_number + 1;
}

/*
 * Whether the rule at a terminal that covers does all that the subject does. At the very same
 * pattern the later of two that are the same is the needless one, so that one of them stays.
 */
static bool rule_replaces(const struct subject *subject, uint32_t terminal, uint32_t number)
{
	const struct review *review = subject->review;
	const struct policy_set *set = review->set;
	const struct rule *rule = subject->rule, *other = rule_at(review, number);
	if (rule->effective_verbs & ~other->effective_verbs ||
		!is_another(subject, terminal, number))
		return false;
	if (rule->effect == EFFECT_ALLOW && !rules_are_alike(set, subject->rule_number, number))
		return false;
	/* The first deny says how a denial is logged. */
	if (rule->effect == EFFECT_DENY && number > subject->rule_number &&
		review->denies.is_broken)
		return false;
	if (!client_covers(set, other->client, rule->client))
		return false;
	bool is_same_place = review->own[terminal] == subject->object_number + 1;
	return !is_same_place || number < subject->rule_number ||
	       other->effective_verbs != rule->effective_verbs ||
	       !client_covers(set, rule->client, other->client);
}

/* A rule at the terminal that replaces the subject, or NONE. An allow is replaced by its block's. */
static uint32_t find_replacing(const struct subject *subject, uint32_t terminal)
{
	struct neighbours found;
	if (subject->rule->effect == EFFECT_DENY)
		all_neighbours(subject->review, terminal, subject->rule->client, &found);
	else
		block_neighbours(subject->review, terminal, subject->rule->client, &found);
	for (uint32_t i = 0; i < found.count; i++) {
		if (rule_replaces(subject, terminal, found.rules[i]))
			return found.rules[i];
	}
	return NONE;
}

/* The compiler has left the object out already, or its line says it twice. */
static uint32_t find_repeated(const struct subject *subject, uint32_t terminal)
{
	struct neighbours found;
	if (subject->review->ended[terminal] == subject->rule_number + 1)
		return subject->rule_number;
	if (terminal_has(subject->review, terminal, subject->rule_number))
		return NONE;
	block_neighbours(subject->review, terminal, subject->rule->client, &found);
	for (uint32_t i = 0; i < found.count; i++) {
		if (rule_at(subject->review, found.rules[i])->effective_verbs &
			subject->rule->effective_verbs)
			return found.rules[i];
	}
	return NONE;
}

/* Whether a wider one makes the piece needless; the most specific of them is remembered. */
static bool piece_find_wider(
	const struct subject *subject, const struct cover *cover, struct surplus *surplus)
{
	uint32_t best = NONE;
	for (uint32_t i = 0; i < cover->count; i++) {
		const struct covering *covering = &cover->found[i];
		if (!covering->is_sure || covering->terminal == cover->own_terminal ||
			subject->rule->effective_verbs & ~covering->verbs ||
			(best != NONE &&
				terminals_order(subject->review, covering->terminal, best) >= 0))
			continue;
		uint32_t by = find_replacing(subject, covering->terminal);
		if (by == NONE)
			continue;
		best = covering->terminal;
		surplus->by = by;
	}
	surplus->terminal = best;
	return best != NONE;
}

static bool allow_is_replaced(
	const struct subject *subject, const struct cover *cover, const struct surplus *surplus);

static bool piece_replace(const struct subject *subject, const struct cover *cover, void *context)
{
	struct surplus *surplus = context;
	uint32_t by = NONE;
	if (cover->own_terminal != NONE) {
		by = find_repeated(subject, cover->own_terminal);
		if (by == NONE)
			by = find_replacing(subject, cover->own_terminal);
	}
	if (by != NONE) {
		surplus->by = by;
		return true;
	}
	return piece_find_wider(subject, cover, surplus) &&
	       (subject->rule->effect == EFFECT_DENY || allow_is_replaced(subject, cover, surplus));
}

/* Whether all rules that could decide on its verbs have the same options: no one can take over. */
static bool all_allows_agree(const struct subject *subject)
{
	const struct agreement *agreements = subject->review->allows[subject->object->endpoint];
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (subject->rule->effective_verbs & POLICY_BIT(verb) && agreements[verb].is_broken)
			return false;
	}
	return true;
}

static bool pattern_is_literal(const struct pattern *pattern)
{
	for (uint32_t i = 0; i < pattern->component_count; i++) {
		if (pattern->components[i].kind != COMPONENT_LITERAL)
			return false;
	}
	return !pattern->is_home;
}

/* Where a home directory is nobody knows here. */
static bool home_allows_agree(const struct subject *subject)
{
	const struct review *review = subject->review;
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		const struct agreement *agreement = &review->home_allows[verb];
		if (subject->rule->effective_verbs & POLICY_BIT(verb) &&
			!agreement_has(review->set, agreement, subject->rule_number))
			return false;
	}
	return true;
}

/* Whether no rule at the terminal would decide otherwise. */
static bool terminal_agrees(const struct subject *subject, const struct covering *covering)
{
	const struct review *review = subject->review;
	const struct rule *rule = subject->rule;
	uint32_t count, number = subject->rule_number;
	const uint32_t *entries = terminal_entries(review, covering->terminal, &count);
	if (!count || (review->agrees[covering->terminal] &&
			      rules_are_alike(review->set, entries[0], number)))
		return true;
	for (uint32_t i = 0; i < count; i++) {
		const struct rule *other = rule_at(review, entries[i]);
		if (i == REVIEW_ENTRIES_MAX)
			return false;
		if (rule->effective_verbs & other->effective_verbs & covering->verbs &&
			!rules_are_alike(review->set, entries[i], number) &&
			clients_can_meet(review->set, rule->client, other->client))
			return false;
	}
	return true;
}

/*
 * Whether the wider rule that grants the same is also the one whose options count then. Of a literal
 * path all patterns that match it are known: those as specific as the wider one, or more, must not
 * have other options. (Less specific ones are behind it.)
 */
static bool allow_is_replaced(
	const struct subject *subject, const struct cover *cover, const struct surplus *surplus)
{
	if (all_allows_agree(subject) ||
		(subject_is_path(subject) &&
			region_agrees(
				subject->review, &subject->object->pattern, subject->rule_number)))
		return true;
	if (!subject_is_path(subject) || !cover->is_complete ||
		!pattern_is_literal(&subject->object->pattern) || !home_allows_agree(subject))
		return false;
	for (uint32_t i = 0; i < cover->count; i++) {
		const struct covering *covering = &cover->found[i];
		if (terminals_order(subject->review, covering->terminal, surplus->terminal) <= 0 &&
			!terminal_agrees(subject, covering))
			return false;
	}
	return true;
}

/* ---- what is said ---- */

struct verb_list {
	char text[160];
};

static struct verb_list verbs_list(uint32_t verbs)
{
	struct verb_list list = {""};
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (!(verbs & POLICY_BIT(verb)))
			continue;
		size_t length = strlen(list.text);
		snprintf(list.text + length, sizeof(list.text) - length, "%s%s", length ? "," : "",
			policy_verb_name((enum policy_verb)verb));
	}
	return list;
}

/* Where the verb stands in its word; all of them stand on one line, without escapes. */
static struct span verb_span(
	const struct policy_set *set, const struct rule *rule, enum policy_verb verb)
{
	struct span span = rule->verbs_where;
	const char *name = policy_verb_name(verb);
	const char *word = set->files.items[span.file].text + span.line_start + span.column - 1;
	uint32_t length = (uint32_t)strlen(name);
	for (uint32_t at = 0; at < span.width;) {
		const char *comma = memchr(word + at, ',', span.width - at);
		uint32_t end = comma ? (uint32_t)(comma - word) : span.width;
		if (end - at == length && memcmp(word + at, name, length) == 0) {
			span.column += at;
			span.width = length;
			return span;
		}
		at = end + 1;
	}
	return span;
}

#define RULE_FILE(set, rule) (set)->files.items[(set)->rules.items[rule].where.file].name
#define RULE_LINE(set, rule) (set)->rules.items[rule].where.line

static void report_needless(const struct subject *subject, uint32_t by)
{
	struct policy_set *set = subject->review->set;
	bool is_deny = subject->rule->effect == EFFECT_DENY;
	if (RULE_LINE(set, by) == subject->rule->where.line &&
		set->rules.items[by].where.file == subject->rule->where.file)
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it out: that changes nothing", "needless: this line %s it already",
			is_deny ? "denies" : "allows");
	else
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it out: that changes nothing", "needless: %s:%u %s it already",
			RULE_FILE(set, by), RULE_LINE(set, by), is_deny ? "denies" : "allows");
}

static void review_needless(const struct subject *subject)
{
	const struct cover_index *index = &subject->review->index;
	enum effect effect = subject->rule->effect;
	struct surplus surplus = {.by = NONE};
	struct cover cover;
	bool is_needless;
	if (subject_is_path(subject)) {
		cover_find_pattern(index, effect, &subject->object->pattern, &cover);
		piece_own(subject, &cover, NULL);
		is_needless = piece_replace(subject, &cover, &surplus);
		piece_end(subject, &cover, NULL);
	} else {
		pieces_visit(subject, effect, cover_find_own, piece_own, NULL);
		is_needless =
			pieces_visit(subject, effect, cover_find_endpoint, piece_replace, &surplus);
		pieces_visit(subject, effect, cover_find_own, piece_end, NULL);
	}
	if (is_needless)
		report_needless(subject, surplus.by);
}

static struct subject subject_make(struct review *review, uint32_t rule, uint32_t object)
{
	return (struct subject){
		.review = review,
		.rule_number = rule,
		.object_number = object,
		.rule = &review->set->rules.items[rule],
		.object = &review->set->objects.items[object],
	};
}

/* What is looked up by its path alone; a credential also has a name, which tells two apart. */
static bool object_is_reviewed(const struct object *object)
{
	return !object->is_never && object->kind != OBJECT_CREDENTIAL;
}

/* What is denied of every object of an allow rule. */
struct loss {
	uint32_t verbs;  /* of all objects; those that the line implies, too */
	bool has_object; /* else nothing is known */
};

static struct loss rule_find_loss(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	struct loss loss = {.verbs = rule->effective_verbs};
	for (uint32_t i = 0; i < rule->object_count && loss.verbs; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object))
			loss.verbs = subject_find_denied(&subject, loss.verbs).verbs;
		loss.has_object |= object_is_reviewed(subject.object);
	}
	loss.verbs = loss.has_object ? loss.verbs : 0;
	return loss;
}

/* The first object that is looked at, of which a rule has one when it lost something. */
static struct denial rule_find_denial(struct review *review, uint32_t number, uint32_t verbs)
{
	const struct rule *rule = rule_at(review, number);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object))
			return subject_find_denied(&subject, verbs);
	}
	return (struct denial){.rule = NONE};
}

static void report_swallowed(struct review *review, uint32_t number)
{
	struct policy_set *set = review->set;
	const struct rule *rule = rule_at(review, number);
	uint32_t deny = rule_find_denial(review, number, rule->effective_verbs).rule;
	set_report(set, POLICY_WARNING, &rule->where, "leave it out, or make the deny narrower",
		"the deny at %s:%u swallows the whole rule", RULE_FILE(set, deny),
		RULE_LINE(set, deny));
}

static void report_verbs(struct review *review, uint32_t number, uint32_t verbs)
{
	struct policy_set *set = review->set;
	const struct rule *rule = rule_at(review, number);
	for (int i = 0; i < POLICY_VERB_COUNT; i++) {
		enum policy_verb verb = (enum policy_verb)i;
		if (!(verbs & POLICY_BIT(verb)))
			continue;
		uint32_t deny = rule_find_denial(review, number, POLICY_BIT(verb)).rule;
		struct span where = verb_span(set, rule, verb);
		set_report(set, POLICY_WARNING, &where, "leave it out, or make the deny narrower",
			"'%s' is denied at %s:%u: this line never allows it",
			policy_verb_name(verb), RULE_FILE(set, deny), RULE_LINE(set, deny));
	}
}

/* Returns whether nothing of the object is left. `told`: the verbs that were reported of all. */
static bool review_denied(const struct subject *subject, uint32_t told)
{
	struct policy_set *set = subject->review->set;
	const struct rule *rule = subject->rule;
	struct denial denial = subject_find_denied(subject, rule->effective_verbs);
	uint32_t verbs = denial.verbs & rule->named_verbs & ~told;
	bool is_dead = denial.verbs == rule->effective_verbs;
	if (is_dead)
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it out, or make the deny narrower",
			"denied at %s:%u: it allows nothing", RULE_FILE(set, denial.rule),
			RULE_LINE(set, denial.rule));
	else if (verbs)
		denial = subject_find_denied(subject, verbs);
	if (!is_dead && verbs)
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it to a line without the verb, or make the deny narrower",
			"'%s' of it is denied at %s:%u", verbs_list(verbs).text,
			RULE_FILE(set, denial.rule), RULE_LINE(set, denial.rule));
	return is_dead;
}

static void review_allow(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	uint32_t lost = rule_find_loss(review, number).verbs;
	if (lost == rule->effective_verbs) {
		report_swallowed(review, number);
		return;
	}
	report_verbs(review, number, lost & rule->named_verbs);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object) &&
			!review_denied(&subject, lost & rule->named_verbs))
			review_needless(&subject);
	}
}

static void review_deny(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object))
			review_needless(&subject);
	}
}

void review_rule(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	if (rule->is_never)
		return;
	if (rule->effect == EFFECT_ALLOW)
		review_allow(review, number);
	else
		review_deny(review, number);
}

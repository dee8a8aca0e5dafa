/* SPDX-License-Identifier: MIT */
/*
 * Whether a wider rule with the same options makes an object of a rule needless. What several rules
 * grant together is not pieced together, but for the ports of an endpoint.
 *
 * Must never call needless what decides anything: where the options of another rule could come to
 * count instead, or where that cannot be told, nothing is said. Nor of two rules, each of which
 * makes the other needless, both: whoever follows the warnings takes out all of them.
 */
#include "review.h"

#include "judge.h"

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
			clients_may_meet_bounded(review->set, rule->client, other->client))
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

uint32_t subject_find_needless(const struct subject *subject)
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
	return is_needless ? surplus.by : NONE;
}

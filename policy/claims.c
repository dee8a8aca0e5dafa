/* SPDX-License-Identifier: MIT */
/*
 * Which rules of one pattern set different options for one peer. Each `from` line of a rule's block
 * is a claim to a range of users, in one unit, in those of a glob or wherever they are. Claims are
 * put into the order of their users and gone through once: of those before it, each has to be
 * compared only with the two that reach farthest and have different options. So 50,000 blocks may
 * say something of one pattern; only units against globs are compared each with each.
 *
 * Must never overlook that there is such a pair. When there are many it need not name them all.
 */
#include "build.h"
#include "judge.h"

#include <stdlib.h>

static bool units_may_meet(const struct component *a, const struct component *b)
{
	static const struct variables none;
	if (a->kind == COMPONENT_LITERAL && b->kind == COMPONENT_LITERAL)
		return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
	if (a->kind == COMPONENT_LITERAL)
		return glob_match(
			b->bytes, b->length, (const char *)a->bytes, a->length, &none, SENSE_DENY);
	if (b->kind == COMPONENT_LITERAL)
		return units_may_meet(b, a);
	return true;
}

/* False only when no peer can fulfil both. */
static bool conditions_may_meet(const struct condition *a, const struct condition *b)
{
	if (a->kind == CONDITION_USER && b->kind == CONDITION_USER)
		return a->principal.id <= b->last && b->principal.id <= a->last;
	if (a->kind == CONDITION_UNIT && b->kind == CONDITION_UNIT)
		return units_may_meet(&a->unit, &b->unit);
	return true;
}

bool froms_may_meet(const struct policy_set *set, const struct from *a, const struct from *b)
{
	if (a->is_never || b->is_never)
		return false;
	for (uint32_t i = 0; i < a->condition_count; i++) {
		for (uint32_t j = 0; j < b->condition_count; j++) {
			if (!conditions_may_meet(&set->conditions.items[a->first_condition + i],
				    &set->conditions.items[b->first_condition + j]))
				return false;
		}
	}
	return true;
}

/* ---- claims ---- */

enum claim_kind { CLAIM_UNIT, CLAIM_GLOB, CLAIM_ANYWHERE, CLAIM_KIND_COUNT };

struct claim {
	enum claim_kind kind;
	uint32_t first, last; /* users */
	const struct from *from;
	const struct component *unit; /* where there is only one */
	uint32_t entry;               /* of the group */
};

/* The rules of a group that are about one verb, all in `only` blocks or all in others. */
struct comparison {
	struct builder *builder;
	const struct pending_entry *group;
	uint32_t count;
	uint32_t verb; /* its bit */
	bool is_only;
	LIST(struct claim) claims;
	uint32_t *rivals;
};

static const struct rule *entry_rule(const struct comparison *comparison, uint32_t entry)
{
	return &comparison->builder->set->rules.items[comparison->group[entry].rule];
}

static bool entry_is_compared(const struct comparison *comparison, uint32_t entry)
{
	const struct rule *rule = entry_rule(comparison, entry);
	return rule->effect == EFFECT_ALLOW && (rule->effective_verbs & comparison->verb) &&
	       comparison->builder->set->clients.items[rule->client].is_only == comparison->is_only;
}

static bool entries_agree(const struct comparison *comparison, uint32_t a, uint32_t b)
{
	return options_agree_on(comparison->verb, &entry_rule(comparison, a)->options,
		&entry_rule(comparison, b)->options);
}

static void entries_contradict(struct comparison *comparison, uint32_t a, uint32_t b)
{
	uint32_t later = a > b ? a : b, earlier = a > b ? b : a;
	if (earlier < comparison->rivals[later])
		comparison->rivals[later] = earlier;
}

/* Only so many are compared, in all of a policy: false and an error where it would be more. */
static bool comparison_may_take(struct comparison *comparison, uint64_t steps)
{
	struct builder *builder = comparison->builder;
	const struct pending_entry *last = &comparison->group[comparison->count - 1];
	if (steps <= POLICY_CLAIMS_MAX - builder->claims_compared) {
		builder->claims_compared += steps;
		return true;
	}
	if (!builder->has_many_claims)
		set_report(builder->set, POLICY_ERROR,
			&builder->set->objects.items[last->object].where,
			"give the rules of one pattern the same options, or each block a pattern "
			"of "
			"its own",
			"too many blocks have rules on the same pattern with different options");
	builder->has_many_claims = true;
	return false;
}

/* The users and the unit that a condition leaves. */
static void claim_narrow(struct claim *claim, const struct condition *condition)
{
	bool is_unit = condition->kind == CONDITION_UNIT;
	if (condition->kind == CONDITION_USER && condition->principal.id > claim->first)
		claim->first = condition->principal.id;
	if (condition->kind == CONDITION_USER && condition->last < claim->last)
		claim->last = condition->last;
	if (is_unit && condition->unit.kind == COMPONENT_LITERAL)
		claim->unit = &condition->unit;
	if (is_unit && claim->unit)
		claim->kind = CLAIM_UNIT;
	else if (is_unit)
		claim->kind = CLAIM_GLOB;
}

/* False: nobody can fulfil it. */
static bool claim_make(
	const struct policy_set *set, const struct from *from, uint32_t entry, struct claim *claim)
{
	const struct condition *conditions = &set->conditions.items[from->first_condition];
	*claim = (struct claim){
		.kind = CLAIM_ANYWHERE, .last = UINT32_MAX, .from = from, .entry = entry};
	for (uint32_t i = 0; i < from->condition_count; i++)
		claim_narrow(claim, &conditions[i]);
	for (uint32_t i = 0; i < from->condition_count && claim->unit; i++) {
		if (conditions[i].kind == CONDITION_UNIT &&
			!units_may_meet(&conditions[i].unit, claim->unit))
			return false;
	}
	return !from->is_never && claim->first <= claim->last;
}

static void client_add(struct comparison *comparison, uint32_t entry)
{
	struct builder *builder = comparison->builder;
	const struct client *client =
		&builder->set->clients.items[entry_rule(comparison, entry)->client];
	if (!comparison_may_take(comparison, client->from_count))
		return;
	for (uint32_t i = 0; i < client->from_count; i++) {
		const struct from *from = &builder->set->froms.items[client->first_from + i];
		struct claim claim, *added;
		if (!claim_make(builder->set, from, entry, &claim))
			continue;
		added = list_append(&comparison->claims, &builder->out_of_memory);
		if (!added)
			return;
		*added = claim;
	}
}

/* Of each block the first rule claims its peers; others of it only have to agree with that. */
static void claims_collect(struct comparison *comparison)
{
	uint32_t first = NONE;
	comparison->claims.count = 0;
	for (uint32_t i = 0; i < comparison->count; i++) {
		if (!entry_is_compared(comparison, i))
			continue;
		if (first == NONE || entry_rule(comparison, i)->client !=
					     entry_rule(comparison, first)->client) {
			first = i;
			client_add(comparison, i);
		} else if (!entries_agree(comparison, i, first)) {
			entries_contradict(comparison, i, first);
		}
	}
}

/* ---- comparing them ---- */

static int numbers_compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int users_compare(const void *first, const void *second)
{
	const struct claim *a = first, *b = second;
	int order = numbers_compare(a->first, b->first);
	return order == 0 ? numbers_compare(a->entry, b->entry) : order;
}

/* Those of one unit together, before all others. */
static int units_compare(const void *first, const void *second)
{
	const struct claim *a = first, *b = second;
	int order = numbers_compare(a->kind, b->kind);
	if (order == 0 && a->kind == CLAIM_UNIT)
		order = numbers_compare(a->unit->length, b->unit->length);
	if (order == 0 && a->kind == CLAIM_UNIT)
		order = memcmp(a->unit->bytes, b->unit->bytes, a->unit->length);
	return order == 0 ? users_compare(first, second) : order;
}

/*
 * Of the claims so far the one that reaches farthest, and of those with other options than it has
 * the one that does. All begin before what is compared with them.
 */
struct reach {
	const struct claim *farthest, *other;
};

static void reach_add(
	const struct comparison *comparison, struct reach *reach, const struct claim *claim)
{
	const struct claim *farthest = reach->farthest;
	bool is_farthest = !farthest || claim->last > farthest->last;
	bool agrees = !farthest || entries_agree(comparison, claim->entry, farthest->entry);
	if (is_farthest && !agrees)
		reach->other = farthest;
	if (is_farthest)
		reach->farthest = claim;
	else if (!agrees && (!reach->other || claim->last > reach->other->last))
		reach->other = claim;
}

static void reach_compare(
	struct comparison *comparison, const struct reach *reach, const struct claim *claim)
{
	const struct claim *rival = reach->farthest;
	if (rival && entries_agree(comparison, claim->entry, rival->entry))
		rival = reach->other;
	if (rival && rival->last >= claim->first)
		entries_contradict(comparison, claim->entry, rival->entry);
}

/* All but one unit with another, and a unit with a glob. */
static void claims_compare_users(struct comparison *comparison)
{
	struct reach reaches[CLAIM_KIND_COUNT] = {0};
	struct claim *claims = comparison->claims.items;
	qsort(claims, comparison->claims.count, sizeof(*claims), users_compare);
	for (uint32_t i = 0; i < comparison->claims.count; i++) {
		enum claim_kind kind = claims[i].kind;
		for (enum claim_kind other = 0; other < CLAIM_KIND_COUNT; other++) {
			if (kind == CLAIM_ANYWHERE || other == CLAIM_ANYWHERE ||
				(kind == CLAIM_GLOB && other == CLAIM_GLOB))
				reach_compare(comparison, &reaches[other], &claims[i]);
		}
		reach_add(comparison, &reaches[kind], &claims[i]);
	}
}

/* Those in the same unit. How many claims of units there are, which come first afterwards. */
static uint32_t claims_compare_units(struct comparison *comparison)
{
	struct reach reach = {0};
	struct claim *claims = comparison->claims.items;
	uint32_t i = 0;
	qsort(claims, comparison->claims.count, sizeof(*claims), units_compare);
	for (; i < comparison->claims.count && claims[i].kind == CLAIM_UNIT; i++) {
		if (i > 0 && !units_may_meet(claims[i].unit, claims[i - 1].unit))
			reach = (struct reach){0};
		reach_compare(comparison, &reach, &claims[i]);
		reach_add(comparison, &reach, &claims[i]);
	}
	return i;
}

static void claims_compare_globs(struct comparison *comparison, uint32_t unit_count)
{
	const struct policy_set *set = comparison->builder->set;
	const struct claim *claims = comparison->claims.items;
	uint32_t end = unit_count;
	while (end < comparison->claims.count && claims[end].kind == CLAIM_GLOB)
		end++;
	if (!comparison_may_take(comparison, (uint64_t)unit_count * (end - unit_count)))
		return;
	for (uint32_t i = unit_count; i < end; i++) {
		for (uint32_t j = 0; j < unit_count; j++) {
			if (!entries_agree(comparison, claims[i].entry, claims[j].entry) &&
				froms_may_meet(set, claims[i].from, claims[j].from))
				entries_contradict(comparison, claims[i].entry, claims[j].entry);
		}
	}
}

/* Whether some of those that are compared have different options. */
static bool comparison_is_needed(const struct comparison *comparison)
{
	uint32_t first = NONE;
	for (uint32_t i = 0; i < comparison->count; i++) {
		if (!entry_is_compared(comparison, i))
			continue;
		if (first == NONE)
			first = i;
		else if (!entries_agree(comparison, first, i))
			return true;
	}
	return false;
}

void claims_compare(struct builder *builder, const struct pending_entry *group, uint32_t count,
	uint32_t *rivals)
{
	struct comparison comparison = {
		.builder = builder, .group = group, .count = count, .rivals = rivals};
	for (uint32_t i = 0; i < 2 * POLICY_VERB_COUNT; i++) {
		comparison.verb = 1u << i / 2;
		comparison.is_only = i % 2 == 1;
		if (!comparison_is_needed(&comparison))
			continue;
		claims_collect(&comparison);
		if (comparison.claims.count == 0)
			continue;
		claims_compare_users(&comparison);
		claims_compare_globs(&comparison, claims_compare_units(&comparison));
	}
	free(comparison.claims.items);
}

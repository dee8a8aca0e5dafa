/* SPDX-License-Identifier: MIT */
/*
 * The rules of one pattern: brought together, freed of what adds nothing, and checked. Two that
 * set different options for the same verb leave open which are meant whenever a peer can match
 * both; `log` is not among them, as the more verbose one can simply win.
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

static bool froms_may_meet(const struct policy_set *set, const struct from *a, const struct from *b)
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

bool clients_may_meet(const struct policy_set *set, uint32_t a, uint32_t b)
{
	const struct client *first = &set->clients.items[a], *second = &set->clients.items[b];
	if (a == b)
		return true;
	for (uint32_t i = 0; i < first->from_count; i++) {
		for (uint32_t j = 0; j < second->from_count; j++) {
			if (froms_may_meet(set, &set->froms.items[first->first_from + i],
				    &set->froms.items[second->first_from + j]))
				return true;
		}
	}
	return false;
}

static bool rules_conflict(const struct policy_set *set, const struct rule *a, const struct rule *b)
{
	uint32_t verbs = a->effective_verbs & b->effective_verbs;
	return a->effect == EFFECT_ALLOW && verbs &&
	       !options_agree_on(verbs, &a->options, &b->options) &&
	       set->clients.items[a->client].is_only == set->clients.items[b->client].is_only &&
	       clients_may_meet(set, a->client, b->client);
}

static void entry_check(struct builder *builder, const struct pending_entry *group, uint32_t at)
{
	struct policy_set *set = builder->set;
	const struct rule *rule = &set->rules.items[group[at].rule];
	for (uint32_t i = 0; i < at; i++) {
		const struct rule *other = &set->rules.items[group[i].rule];
		if (!rules_conflict(set, rule, other))
			continue;
		set_report(set, POLICY_ERROR, &set->objects.items[group[at].object].where,
			"give both the same options, or make one pattern more specific",
			"the same pattern has other options at %s:%u",
			set->files.items[other->where.file].name, other->where.line);
		return;
	}
}

/* Whether rules of the same block that come before it already say all of it. */
static bool entry_is_redundant(const struct builder *builder, const struct pending_entry *group,
	uint32_t kept, const struct pending_entry *entry)
{
	const struct rule *rules = builder->set->rules.items;
	const struct rule *rule = &rules[entry->rule];
	uint32_t verbs = rule->effective_verbs;
	for (uint32_t i = kept; i-- > 0 && rules[group[i].rule].client == rule->client;) {
		const struct rule *other = &rules[group[i].rule];
		if (options_agree(&rule->options, &other->options) &&
			rule->options.log == other->options.log)
			verbs &= ~other->effective_verbs;
	}
	return !verbs;
}

/* Whether all rules of a group have the same options, so that none can conflict. */
static bool group_agrees(
	const struct policy_set *set, const struct pending_entry *group, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		if (!options_agree(&set->rules.items[group[0].rule].options,
			    &set->rules.items[group[i].rule].options))
			return false;
	}
	return true;
}

static void group_settle(struct builder *builder, struct pending_entry *group, uint32_t count,
	struct image_terminal *terminal)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!entry_is_redundant(builder, group, kept, &group[i]))
			group[kept++] = group[i];
	}
	bool agrees = group_agrees(builder->set, group, kept);
	terminal->first_entry = builder->entries.count;
	terminal->entry_count = kept;
	for (uint32_t i = 0; i < kept; i++) {
		uint32_t *entry = builder_append(builder, entries);
		if (!entry)
			return;
		*entry = group[i].rule;
		if (!agrees)
			entry_check(builder, group, i);
	}
}

/* By terminal, and within it as they came, which is by rule. NULL: out of memory. */
static struct pending_entry *entries_sort(struct builder *builder)
{
	uint32_t terminal_count = builder->terminals.count, first = 0;
	struct pending_entry *sorted = calloc((size_t)builder->pending.count + 1, sizeof(*sorted));
	if (!sorted)
		return NULL;
	for (uint32_t i = 0; i < builder->pending.count; i++)
		builder->terminals.items[builder->pending.items[i].terminal].entry_count++;
	for (uint32_t i = 0; i < terminal_count; i++) {
		struct image_terminal *terminal = &builder->terminals.items[i];
		terminal->first_entry = first;
		first += terminal->entry_count;
		terminal->entry_count = 0;
	}
	for (uint32_t i = 0; i < builder->pending.count; i++) {
		const struct pending_entry *entry = &builder->pending.items[i];
		struct image_terminal *terminal = &builder->terminals.items[entry->terminal];
		sorted[terminal->first_entry + terminal->entry_count++] = *entry;
	}
	return sorted;
}

void builder_settle_entries(struct builder *builder)
{
	struct pending_entry *sorted = entries_sort(builder);
	if (!sorted) {
		builder->out_of_memory = true;
		return;
	}
	for (uint32_t i = 0; i < builder->terminals.count; i++) {
		struct image_terminal *terminal = &builder->terminals.items[i];
		group_settle(
			builder, sorted + terminal->first_entry, terminal->entry_count, terminal);
	}
	free(sorted);
}

/* SPDX-License-Identifier: MIT */
/*
 * The rules of one pattern: brought together, freed of what adds nothing, and checked. Two that
 * set different options for the same verb leave open which are meant whenever a peer can match
 * both (claims.c); `log` is not among them, as the more verbose one can simply win.
 */
#include "build.h"
#include "judge.h"

#include <stdlib.h>
#include <string.h>

/*
 * As many as a block can have of one pattern while none adds nothing and none conflicts: each says
 * another verb with another way to log it.
 */
#define OWN_MAX (POLICY_VERB_COUNT * (POLICY_LOG_NONE + 1u))

/* Whether rules of the same block that come before it already say all of it. */
static bool entry_is_redundant(const struct builder *builder, const struct pending_entry *group,
	uint32_t kept, const struct pending_entry *entry)
{
	const struct rule *rules = builder->set->rules.items;
	const struct rule *rule = &rules[entry->rule];
	uint32_t verbs = rule->effective_verbs, least = kept > OWN_MAX ? kept - OWN_MAX : 0;
	for (uint32_t i = kept; i-- > least && rules[group[i].rule].client == rule->client;) {
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

/* Says of each rule which one before it contradicts it. */
static void group_check(struct builder *builder, const struct pending_entry *group, uint32_t count)
{
	struct policy_set *set = builder->set;
	uint32_t *rivals = malloc(count * sizeof(*rivals));
	if (!rivals) {
		builder->out_of_memory = true;
		return;
	}
	memset(rivals, 0xff, count * sizeof(*rivals)); /* NONE */
	claims_compare(builder, group, count, rivals);
	for (uint32_t i = 0; i < count; i++) {
		if (rivals[i] == NONE)
			continue;
		const struct span *other = &set->rules.items[group[rivals[i]].rule].where;
		set_report(set, POLICY_ERROR, &set->objects.items[group[i].object].where,
			"give both the same options, or make one pattern more specific",
			"the same pattern has other options at %s:%u",
			set->files.items[other->file].name, other->line);
	}
	free(rivals);
}

static void group_settle(struct builder *builder, struct pending_entry *group, uint32_t count,
	struct image_terminal *terminal)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!entry_is_redundant(builder, group, kept, &group[i]))
			group[kept++] = group[i];
	}
	terminal->first_entry = builder->entries.count;
	terminal->entry_count = kept;
	for (uint32_t i = 0; i < kept; i++) {
		uint32_t *entry = builder_append(builder, entries);
		if (!entry)
			return;
		*entry = group[i].rule;
	}
	if (!group_agrees(builder->set, group, kept))
		group_check(builder, group, kept);
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

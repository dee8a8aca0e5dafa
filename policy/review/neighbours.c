/* SPDX-License-Identifier: MIT */
/*
 * The rules that can have a say beside another: those of the same pattern, of the same block or of
 * one whose peers are the same. Of many only some are looked at. Must never take two blocks to be
 * for the same peers where one of these could be left out.
 */
#include "review.h"

#include "judge.h"

const struct rule *rule_at(const struct review *review, uint32_t rule)
{
	return &review->set->rules.items[rule];
}

const uint32_t *terminal_entries(const struct review *review, uint32_t terminal, uint32_t *count)
{
	const struct image_terminal *entry = &image_terminals(review->image)[terminal];
	*count = entry->entry_count;
	return image_entries(review->image) + entry->first_entry;
}

bool terminal_has(const struct review *review, uint32_t terminal, uint32_t rule)
{
	uint32_t count;
	const uint32_t *entries = terminal_entries(review, terminal, &count);
	uint32_t at = entries_find(entries, count, rule);
	return at < count && entries[at] == rule;
}

void block_neighbours(
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

void all_neighbours(
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
	return true; /* it is of a block with a deny, which names nobody who does not exist */
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

bool client_covers(const struct policy_set *set, uint32_t wide, uint32_t narrow)
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

bool clients_may_meet_bounded(const struct policy_set *set, uint32_t a, uint32_t b)
{
	const struct client *first = &set->clients.items[a], *second = &set->clients.items[b];
	if (a == b || (uint64_t)first->from_count * second->from_count > REVIEW_FROMS_MAX)
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

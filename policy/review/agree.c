/* SPDX-License-Identifier: MIT */
/*
 * Which rules have the same options, so that it makes no difference which of them decides: those on
 * one kind of object, those of one pattern, those in one part of the tree. Made once, by one way
 * through the rules and one through the tree.
 */
#include "review.h"

#include "judge.h"

#include <stdlib.h>

bool rules_are_alike(const struct policy_set *set, uint32_t a, uint32_t b)
{
	const struct policy_options *first = &set->rules.items[a].options;
	const struct policy_options *second = &set->rules.items[b].options;
	return a == b || (first->log == second->log && options_agree(first, second));
}

static void agreement_join(const struct policy_set *set, struct agreement *agreement, uint32_t rule)
{
	if (agreement->rule == NONE)
		agreement->rule = rule;
	else if (!agreement->is_broken)
		agreement->is_broken = !rules_are_alike(set, agreement->rule, rule);
}

static void allow_join(struct review *review, uint32_t number)
{
	const struct policy_set *set = review->set;
	const struct rule *rule = &set->rules.items[number];
	for (uint32_t i = 0; i < rule->object_count; i++) {
		const struct object *object = &set->objects.items[rule->first_object + i];
		for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
			if (!(rule->effective_verbs & POLICY_BIT(verb)))
				continue;
			agreement_join(set, &review->allows[object->endpoint][verb], number);
			if (object->pattern.is_home)
				agreement_join(set, &review->home_allows[verb], number);
		}
	}
}

static void rules_compare(struct review *review)
{
	const struct policy_set *set = review->set;
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		for (int kind = 0; kind <= POLICY_KIND_COUNT; kind++)
			review->allows[kind][verb].rule = NONE;
		review->home_allows[verb].rule = NONE;
	}
	review->denies.rule = NONE;
	for (uint32_t i = 0; i < set->rules.count; i++) {
		if (set->rules.items[i].is_never)
			continue;
		if (set->rules.items[i].effect == EFFECT_DENY)
			agreement_join(set, &review->denies, i);
		else
			allow_join(review, i);
	}
}

static void terminals_compare(struct review *review)
{
	const struct policy_image *image = review->image;
	for (uint32_t i = 0; i < image->sections[TABLE_TERMINALS].count; i++) {
		const struct image_terminal *terminal = &image_terminals(image)[i];
		const uint32_t *entries = image_entries(image) + terminal->first_entry;
		review->agrees[i] = true;
		for (uint32_t j = 1; j < terminal->entry_count && review->agrees[i]; j++)
			review->agrees[i] = rules_are_alike(review->set, entries[0], entries[j]);
	}
}

/* ---- the tree ---- */

/* How each node is reached, which the image has only the other way round. */
struct node_edge {
	uint32_t parent; /* 0: it is a root */
	bool is_wild;
};

static void chain_note(
	struct node_edge *edges, const struct policy_image *image, const struct image_key *key)
{
	for (uint32_t glob = key->value + 1; glob;) {
		const struct image_glob *entry = &image_globs(image)[glob - 1];
		edges[entry->node] = (struct node_edge){(uint32_t)key->owner, true};
		glob = entry->next;
	}
}

static void edges_note(struct node_edge *edges, const struct policy_image *image)
{
	for (uint32_t i = 0; i < image->sections[TABLE_KEYS].count; i++) {
		const struct image_key *key = &image_keys(image)[i];
		if (key->owner >> 32 == OWNER_LITERAL)
			edges[key->value] = (struct node_edge){(uint32_t)key->owner, false};
		else if (key->owner >> 32 == OWNER_PREFIX)
			chain_note(edges, image, key);
	}
	for (uint32_t i = 1; i < image->sections[TABLE_NODES].count; i++) {
		const struct image_node *node = &image_nodes(image)[i];
		if (node->star)
			edges[node->star] = (struct node_edge){i, true};
		if (node->deep)
			edges[node->deep] = (struct node_edge){i, true};
	}
}

static void agreements_join(
	const struct policy_set *set, struct agreement *agreement, const struct agreement *other)
{
	if (other->rule != NONE)
		agreement_join(set, agreement, other->rule);
	agreement->is_broken |= other->is_broken;
}

static struct agreement terminal_agreement(const struct review *review, uint32_t terminal)
{
	const struct image_terminal *entry = &image_terminals(review->image)[terminal];
	if (!entry->entry_count)
		return (struct agreement){.rule = NONE};
	return (struct agreement){.rule = image_entries(review->image)[entry->first_entry],
		.is_broken = !review->agrees[terminal]};
}

/* From the last node to the first: the compiler makes a node after its parent. */
static bool tree_compare(struct review *review)
{
	const struct policy_image *image = review->image;
	uint32_t count = (uint32_t)image->sections[TABLE_NODES].count;
	struct node_edge *edges = calloc(count, sizeof(*edges));
	if (!edges)
		return false;
	edges_note(edges, image);
	for (uint32_t i = 0; i < count; i++)
		review->below[i].rule = review->aside[i].rule = NONE;
	for (uint32_t i = count; i-- > 1;) {
		uint32_t terminal = image_nodes(image)[i].terminal, parent = edges[i].parent;
		if (terminal) {
			struct agreement own = terminal_agreement(review, terminal - 1);
			agreements_join(review->set, &review->below[i], &own);
		}
		if (parent)
			agreements_join(review->set, &review->below[parent], &review->below[i]);
		if (parent && edges[i].is_wild)
			agreements_join(review->set, &review->aside[parent], &review->below[i]);
	}
	free(edges);
	return true;
}

bool agreements_make(struct review *review)
{
	rules_compare(review);
	terminals_compare(review);
	return tree_compare(review);
}

bool agreement_has(const struct policy_set *set, const struct agreement *agreement, uint32_t rule)
{
	return agreement->rule == NONE ||
	       (!agreement->is_broken && rules_are_alike(set, agreement->rule, rule));
}

bool region_agrees(const struct review *review, const struct pattern *pattern, uint32_t rule)
{
	const struct policy_set *set = review->set;
	const struct lookup *lookup = &review->index.lookup;
	uint32_t node = NODE_ROOT(EFFECT_ALLOW);
	if (!agreement_has(set, &review->below[NODE_HOME(EFFECT_ALLOW)], rule))
		return false;
	for (uint32_t i = 0; i < pattern->component_count && !pattern->is_home; i++) {
		const struct component *component = &pattern->components[i];
		if (component->kind != COMPONENT_LITERAL)
			break;
		if (!agreement_has(set, &review->aside[node], rule))
			return false;
		node = lookup_find(lookup, OWNER(OWNER_LITERAL, node),
			lookup_hash(LOOKUP_HASH_EMPTY, component->bytes, component->length),
			component->bytes, component->length);
		if (node == LOOKUP_NONE)
			return false;
	}
	return agreement_has(set, &review->below[node], rule);
}

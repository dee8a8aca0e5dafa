/* SPDX-License-Identifier: MIT */
/*
 * What is right, and yet probably not meant. One way through the rules; what others make of each is
 * found through the image, as a decision finds it, so that a policy of ten times the rules takes ten
 * times as long. Must never call needless what is needed: somebody will take it out.
 */
#include "review.h"

#include "judge.h"

#include <errno.h>
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

static void agreements_make(struct review *review)
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

static bool review_begin(
	struct review *review, struct policy_set *set, const struct policy_image *image)
{
	size_t count = image->sections[TABLE_TERMINALS].count + 1;
	*review = (struct review){
		.set = set,
		.image = image,
		.agrees = calloc(count, sizeof(*review->agrees)),
		.ended = calloc(count, sizeof(*review->ended)),
		.own = calloc(count, sizeof(*review->own)),
	};
	if (!cover_index_make(&review->index, image) || !review->agrees || !review->ended ||
		!review->own)
		return false;
	agreements_make(review);
	terminals_compare(review);
	return true;
}

static void review_end(struct review *review)
{
	cover_index_free(&review->index);
	free(review->agrees);
	free(review->ended);
	free(review->own);
}

int policy_set_review(struct policy_set *set, const struct policy_image *image)
{
	struct review review;
	bool is_made = review_begin(&review, set, image);
	for (uint32_t i = 0; is_made && i < set->rules.count && !set->out_of_memory; i++) {
		review_rule(&review, i);
		review_line(set, &set->rules.items[i]);
	}
	for (uint32_t i = 0; i < set->froms.count; i++)
		review_from(set, &set->froms.items[i]);
	review_end(&review);
	set_order_diagnostics(set);
	return is_made && !set->out_of_memory ? 0 : -ENOMEM;
}

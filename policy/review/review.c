/* SPDX-License-Identifier: MIT */
/*
 * What is right, and yet probably not meant. One way through the rules; what others make of each is
 * found through the image, as a decision finds it, so that a policy of ten times the rules takes ten
 * times as long. Must never call needless what is needed: somebody will take it out.
 */
#include "review.h"

#include <errno.h>
#include <stdlib.h>

static bool review_begin(
	struct review *review, struct policy_set *set, const struct policy_image *image)
{
	size_t count = image->sections[TABLE_TERMINALS].count + 1;
	size_t node_count = image->sections[TABLE_NODES].count;
	*review = (struct review){
		.set = set,
		.image = image,
		.verbs_client = NONE,
		.agrees = calloc(count, sizeof(*review->agrees)),
		.ended = calloc(count, sizeof(*review->ended)),
		.own = calloc(count, sizeof(*review->own)),
		.below = calloc(node_count, sizeof(*review->below)),
		.aside = calloc(node_count, sizeof(*review->aside)),
	};
	return cover_index_make(&review->index, image) && review->agrees && review->ended &&
	       review->own && review->below && review->aside && agreements_make(review);
}

static void review_end(struct review *review)
{
	cover_index_free(&review->index);
	free(review->agrees);
	free(review->ended);
	free(review->own);
	free(review->below);
	free(review->aside);
}

int policy_set_review(struct policy_set *set, const struct policy_image *image)
{
	struct review review;
	bool is_made = review_begin(&review, set, image);
	for (uint32_t i = 0; is_made && i < set->rules.count && !set->out_of_memory; i++) {
		review_rule(&review, i);
		review_line(&review, &set->rules.items[i]);
	}
	for (uint32_t i = 0; i < set->froms.count; i++)
		review_from(set, &set->froms.items[i]);
	for (uint32_t i = 0; i < set->clients.count; i++)
		review_client(set, &set->clients.items[i]);
	review_crowd(set);
	review_end(&review);
	set_order_diagnostics(set);
	return is_made && !set->out_of_memory ? 0 : -ENOMEM;
}

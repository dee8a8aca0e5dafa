/* SPDX-License-Identifier: MIT */
/*
 * What denies leave of an object. Only what covers all of it counts: what several denies cover
 * together is not pieced together, but for the ports of an endpoint.
 */
#include "review.h"

bool subject_is_path(const struct subject *subject)
{
	return subject->object->endpoint == POLICY_KIND_COUNT;
}

bool pieces_visit(const struct subject *subject, enum effect effect, piece_search search,
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

static bool piece_deny(const struct subject *subject, const struct cover *cover, void *context)
{
	const struct review *review = subject->review;
	struct denied_verbs *denial = context;
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

struct denied_verbs subject_find_denied(const struct subject *subject, uint32_t verbs)
{
	struct denied_verbs denial = {.asked = verbs, .verbs = verbs, .rule = NONE};
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

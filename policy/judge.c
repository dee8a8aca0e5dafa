/* SPDX-License-Identifier: MIT */
/*
 * The order among rules. Whatever order they are heard in, the same one decides: the most specific
 * pattern, then a rule of an `only` block, then the first in the files. Where that leaves two
 * different sets of options nobody may guess, and the request is refused.
 */
#include "judge.h"

#include "peer.h"

void judge_init(struct judge *judge, const struct policy_image *image,
	const struct policy_peer *peer, uint32_t verbs)
{
	judge->image = image;
	judge->peer = peer;
	judge->verbs = verbs;
	struct variable home = peer_text(peer, peer->home);
	judge->home_depth = path_depth(home.text, home.length);
	judge->deny_rule = POLICY_NO_RULE;
	judge->denied = 0;
	memset(judge->granted, 0, sizeof(judge->granted));
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		judge->candidates[verb] =
			(struct candidate){.rule = POLICY_NO_RULE, .other = POLICY_NO_RULE};
}

static uint8_t rank_at(const struct judge *judge, const struct image_terminal *terminal, size_t at)
{
	size_t home = terminal->is_home ? judge->home_depth : 0;
	if (at < home)
		return RANK_LITERAL;
	return at - home < terminal->rank_count
		       ? image_bytes(judge->image)[terminal->ranks + at - home]
		       : RANK_END;
}

/* Negative: the first is more specific. */
static int terminals_compare(const struct judge *judge, uint32_t first, uint32_t second)
{
	const struct image_terminal *a = &image_terminals(judge->image)[first];
	const struct image_terminal *b = &image_terminals(judge->image)[second];
	size_t most =
		judge->home_depth + (a->rank_count > b->rank_count ? a->rank_count : b->rank_count);
	for (size_t i = 0; i < most && first != second; i++) {
		int difference = rank_at(judge, a, i) - rank_at(judge, b, i);
		if (difference)
			return difference;
	}
	return 0;
}

static bool devices_agree(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool options_agree(const struct policy_options *a, const struct policy_options *b)
{
	return a->mode == b->mode && a->directory_mode == b->directory_mode && a->uid == b->uid &&
	       a->gid == b->gid && a->types == b->types && a->symlinks == b->symlinks &&
	       a->with == b->with && a->netns == b->netns && a->as == b->as &&
	       a->as_user == b->as_user && a->copy_max == b->copy_max &&
	       devices_agree(a->device, b->device);
}

bool options_agree_on(
	uint32_t verbs, const struct policy_options *a, const struct policy_options *b)
{
	if (verbs & ~POLICY_BIT(POLICY_STAT))
		return options_agree(a, b);
	return a->symlinks == b->symlinks && a->as == b->as && a->as_user == b->as_user;
}

struct policy_options rule_options(const struct policy_image *image, uint32_t rule)
{
	const struct image_rule *entry = &image_rules(image)[rule];
	return (struct policy_options){
		.mode = entry->mode,
		.directory_mode = entry->directory_mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.types = entry->types,
		.symlinks = entry->symlinks,
		.log = entry->log,
		.with = entry->with,
		.netns = entry->netns,
		.as = entry->as,
		.as_user = entry->as_user,
		.copy_max = entry->copy_max,
		.device = entry->device ? image_text(image, entry->device) : NULL,
	};
}

static bool rules_agree(const struct policy_image *image, uint32_t verbs, uint32_t a, uint32_t b)
{
	struct policy_options first = rule_options(image, a), second = rule_options(image, b);
	return a == b || options_agree_on(verbs, &first, &second);
}

uint8_t log_join(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

static void candidate_offer(
	struct judge *judge, enum policy_verb verb, const struct candidate *offered)
{
	struct candidate *best = &judge->candidates[verb];
	if (best->rule == POLICY_NO_RULE) {
		*best = *offered;
		return;
	}
	int order = terminals_compare(judge, offered->terminal, best->terminal);
	if (order == 0)
		order = best->is_only - offered->is_only;
	if (order < 0) {
		*best = *offered;
	} else if (order == 0) {
		bool is_first = offered->rule < best->rule;
		if (!rules_agree(judge->image, POLICY_BIT(verb), best->rule, offered->rule))
			best->other = is_first ? best->rule : offered->rule;
		best->log = log_join(best->log, offered->log);
		if (is_first) {
			best->rule = offered->rule;
			best->terminal = offered->terminal;
		}
	}
}

static void rule_hear(
	struct judge *judge, uint32_t block, uint32_t rule, uint32_t terminal, uint32_t verbs)
{
	const struct image_rule *entry = &image_rules(judge->image)[rule];
	verbs &= entry->verbs & judge->verbs;
	if (!verbs)
		return;
	if (entry->effect == EFFECT_DENY) {
		judge->deny_rule = rule < judge->deny_rule ? rule : judge->deny_rule;
		judge->denied |= verbs;
		return;
	}
	judge->granted[block] |= verbs;
	const struct candidate offered = {
		.rule = rule,
		.terminal = terminal,
		.other = POLICY_NO_RULE,
		.log = entry->log,
		.is_only = image_blocks(judge->image)[entry->block].is_only,
	};
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (verbs & POLICY_BIT(verb))
			candidate_offer(judge, (enum policy_verb)verb, &offered);
	}
}

uint32_t entries_find(const uint32_t *entries, uint32_t count, uint32_t least)
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

void judge_hear(struct judge *judge, uint32_t terminal, uint32_t verbs)
{
	const struct image_terminal *heard = &image_terminals(judge->image)[terminal];
	const uint32_t *entries = image_entries(judge->image) + heard->first_entry;
	uint32_t at = 0;
	for (uint32_t i = 0; i < judge->peer->block_count && i < POLICY_PEER_BLOCKS_MAX; i++) {
		const struct image_block *block =
			&image_blocks(judge->image)[judge->peer->blocks[i]];
		at += entries_find(entries + at, heard->entry_count - at, block->first_rule);
		for (; at < heard->entry_count &&
			entries[at] < block->first_rule + block->rule_count;
			at++)
			rule_hear(judge, i, entries[at], terminal, verbs);
	}
}

struct policy_decision decision_refuse(uint32_t missing)
{
	return (struct policy_decision){.outcome = POLICY_DENIED_NO_RULE,
		.rule = POLICY_NO_RULE,
		.missing = missing,
		.options = {.log = POLICY_LOG_ALL}};
}

struct policy_decision policy_denial(const struct policy_image *image, uint32_t rule)
{
	if (rule >= policy_image_rule_count(image))
		return decision_refuse(0);
	return (struct policy_decision){.outcome = POLICY_DENIED_BY_RULE,
		.rule = rule,
		.options = {.log = image_rules(image)[rule].log}};
}

/* The first `only` block that does not grant everything; false: there is none. */
static bool find_narrowed(const struct judge *judge, struct policy_decision *decision)
{
	for (uint32_t i = 0; i < judge->peer->block_count && i < POLICY_PEER_BLOCKS_MAX; i++) {
		const struct image_block *block =
			&image_blocks(judge->image)[judge->peer->blocks[i]];
		uint32_t missing = judge->verbs & ~judge->granted[i];
		if (!block->is_only || !missing)
			continue;
		*decision = decision_refuse(missing);
		decision->outcome = POLICY_DENIED_NARROWED;
		if (block->rule_count)
			decision->rule = block->first_rule;
		return true;
	}
	return false;
}

static struct policy_decision decide_options(const struct judge *judge)
{
	const struct candidate *first = NULL;
	struct policy_decision decision = {
		.outcome = POLICY_ALLOWED, .options.log = POLICY_LOG_NONE};
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		const struct candidate *candidate = &judge->candidates[verb];
		if (!(judge->verbs & POLICY_BIT(verb)))
			continue;
		first = first ? first : candidate;
		decision.options.log = log_join(decision.options.log, candidate->log);
		bool is_ambiguous = candidate->other != POLICY_NO_RULE;
		if (decision.outcome == POLICY_ALLOWED &&
			(is_ambiguous || !rules_agree(judge->image, judge->verbs, first->rule,
						 candidate->rule))) {
			decision.outcome = POLICY_DENIED_CONFLICT;
			decision.rule = candidate->rule;
			decision.other = is_ambiguous ? candidate->other : first->rule;
		}
	}
	if (decision.outcome == POLICY_DENIED_CONFLICT)
		return decision;
	decision.rule = first->rule;
	uint8_t log = decision.options.log;
	decision.options = rule_options(judge->image, first->rule);
	decision.options.log = log;
	return decision;
}

struct policy_decision judge_allow(const struct judge *judge)
{
	uint32_t missing = 0;
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		bool is_asked = judge->verbs & POLICY_BIT(verb);
		if (is_asked && judge->candidates[verb].rule == POLICY_NO_RULE)
			missing |= POLICY_BIT(verb);
	}
	struct policy_decision decision;
	if (missing || !judge->verbs)
		return decision_refuse(missing);
	if (find_narrowed(judge, &decision))
		return decision;
	return decide_options(judge);
}

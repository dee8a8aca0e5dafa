/* SPDX-License-Identifier: MIT */
/*
 * The verdict on an endpoint: what is asked is looked up once for each length of a prefix and of a
 * range that the rules have, the denies first. What cannot be asked is a denial.
 */
#include "asked.h"
#include "judge.h"
#include "limit.h"
#include "lookup.h"

/* What asked_hear() goes through, narrowed step by step. */
struct endpoint_search {
	struct judge *judge;
	struct lookup lookup;
	const struct image_endpoints *use;
	const struct asked *asked;
	struct endpoint_place place;
	uint64_t levels; /* to look at */
};

static void place_hear(struct endpoint_search *search)
{
	struct endpoint_key key;
	endpoint_key_make(&key, &search->place);
	uint32_t terminal = lookup_find(&search->lookup, key.owner,
		lookup_hash(LOOKUP_HASH_EMPTY, key.bytes, key.length), key.bytes, key.length);
	if (terminal != LOOKUP_NONE)
		judge_hear(search->judge, terminal, search->judge->verbs);
}

static void levels_hear(
	struct endpoint_search *search, uint8_t family, uint8_t prefix, uint32_t interface)
{
	if (!(search->use->families & 1u << family))
		return;
	search->place.family = family;
	search->place.prefix = prefix;
	search->place.interface = interface;
	for (uint8_t level = 0; level <= 32; level++) {
		search->place.level = level;
		if (search->levels & UINT64_C(1) << level)
			place_hear(search);
	}
}

static void prefix_hear(struct endpoint_search *search, uint8_t prefix)
{
	uint32_t scope = search->asked->scope;
	uint8_t family = (uint8_t)search->asked->family;
	levels_hear(search, family, prefix, 0);
	if (search->use->has_interface)
		levels_hear(search, family, prefix, scope ? scope : INTERFACE_SOME);
}

static void address_hear(struct endpoint_search *search, enum effect effect)
{
	bool is_unspecified = asked_is_unspecified(search->asked);
	bool is_v6 = search->asked->family == POLICY_IPV6;
	const uint64_t *prefixes = is_v6 ? search->use->prefixes6 : search->use->prefixes4;
	uint8_t most = is_v6 ? 128 : 32;
	memcpy(search->place.address, search->asked->address, sizeof(search->place.address));
	if (is_unspecified && effect == EFFECT_DENY)
		prefix_hear(search, PREFIX_ANY_ADDRESS);
	for (uint32_t prefix = 0; prefix <= most; prefix++) {
		/* All addresses at once are granted only by what covers all, or names just that. */
		if (is_unspecified && prefix != 0 && prefix != most)
			continue;
		if (prefixes[prefix / 64] & UINT64_C(1) << prefix % 64)
			prefix_hear(search, (uint8_t)prefix);
	}
}

static void name_hear(struct endpoint_search *search)
{
	const char *name = search->asked->name;
	uint32_t length = search->asked->name_length;
	const char *dot = memchr(name, '.', length);
	search->place.name = name;
	search->place.name_length = length;
	levels_hear(search, PLACE_NAME, 0, 0);
	if (!dot)
		return;
	search->place.name = dot + 1;
	search->place.name_length = length - (uint32_t)(dot + 1 - name);
	levels_hear(search, PLACE_LABEL, 0, 0);
}

static void asked_hear(struct judge *judge, enum effect effect, const struct asked *asked)
{
	const struct image_endpoints *use = &judge->image->endpoints[effect][asked->kind];
	struct endpoint_search search = {
		.judge = judge,
		.lookup = lookup_of(judge->image),
		.use = use,
		.asked = asked,
		.levels = use->levels,
		.place = {.effect = (uint8_t)effect,
			.kind = (uint8_t)asked->kind,
			.number = asked->number},
	};
	if (effect == EFFECT_ALLOW && asked->is_malformed)
		return;
	/* vsock:*:*, and no rule for some port: that is about binding and connecting. */
	if (asked->kind == POLICY_VSOCK && asked->family == POLICY_NO_ADDRESS)
		search.levels &= UINT64_C(1) << 32;
	levels_hear(&search, PLACE_ANY, 0, 0);
	if (effect == EFFECT_DENY && asked->may_be_any)
		levels_hear(&search, PLACE_SOME_NAME, 0, 0);
	if (asked->family != POLICY_NO_ADDRESS)
		address_hear(&search, effect);
	else if (asked->name_length && !asked->is_malformed)
		name_hear(&search);
}

static struct policy_decision asked_decide(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits, enum policy_verb verb,
	const struct asked *asked)
{
	struct judge judge;
	judge_init(&judge, image, peer, POLICY_BIT(verb));
	asked_hear(&judge, EFFECT_DENY, asked);
	if (judge.deny_rule != POLICY_NO_RULE)
		return policy_denial(image, judge.deny_rule);
	asked_hear(&judge, EFFECT_ALLOW, asked);
	struct policy_decision decision = judge_allow(&judge);
	if (decision.outcome == POLICY_ALLOWED && !limits_permit_asked(limits, verb, asked))
		decision.outcome = POLICY_DENIED_LIMITED;
	return decision;
}

struct policy_decision policy_decide_endpoint(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits, enum policy_verb verb,
	const struct policy_endpoint *endpoint)
{
	struct asked asked, other;
	if (!asked_make(&asked, verb, endpoint))
		return decision_refuse(0);
	struct policy_decision decision = asked_decide(image, peer, limits, verb, &asked);
	if (decision.outcome != POLICY_ALLOWED || !asked_find_other(&asked, &other))
		return decision;
	struct policy_decision second = asked_decide(image, peer, limits, verb, &other);
	if (second.outcome != POLICY_ALLOWED)
		return second;
	decision.options.log = log_join(decision.options.log, second.options.log);
	if (options_agree(&decision.options, &second.options))
		return decision;
	return (struct policy_decision){.outcome = POLICY_DENIED_CONFLICT,
		.rule = second.rule,
		.other = decision.rule,
		.options = {.log = decision.options.log}};
}

uint32_t policy_deny_endpoint(const struct policy_image *image, const struct policy_peer *peer,
	enum policy_verb verb, const struct policy_endpoint *endpoint)
{
	struct asked asked, other;
	struct judge judge;
	if (image->first_deny == POLICY_NO_RULE)
		return POLICY_NO_RULE;
	if (!asked_make(&asked, verb, endpoint))
		return image->first_deny;
	judge_init(&judge, image, peer, POLICY_BIT(verb));
	asked_hear(&judge, EFFECT_DENY, &asked);
	if (asked_find_other(&asked, &other))
		asked_hear(&judge, EFFECT_DENY, &other);
	return judge.deny_rule;
}

/* The first rule against every host there is; the other verbs have an object for all they do. */
static uint32_t find_deny_everything(
	const struct policy_image *image, const struct policy_peer *peer, enum policy_verb verb)
{
	const struct asked every_host = {.kind = POLICY_HOST};
	struct judge judge;
	if (verb != POLICY_RESOLVE)
		return POLICY_NO_RULE;
	judge_init(&judge, image, peer, POLICY_BIT(verb));
	asked_hear(&judge, EFFECT_DENY, &every_host);
	return judge.deny_rule;
}

struct policy_decision policy_decide_verb(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits, enum policy_verb verb)
{
	if ((unsigned)verb >= POLICY_VERB_COUNT)
		return decision_refuse(0);
	uint32_t denied = find_deny_everything(image, peer, verb);
	if (denied != POLICY_NO_RULE)
		return policy_denial(image, denied);
	struct policy_decision decision = decision_refuse(POLICY_BIT(verb));
	const struct image_block *narrowing = NULL;
	uint8_t log = POLICY_LOG_NONE;
	for (uint32_t i = 0; i < peer->block_count && i < POLICY_PEER_BLOCKS_MAX; i++) {
		const struct image_block *block = &image_blocks(image)[peer->blocks[i]];
		uint32_t rule = block->first_allow[verb];
		decision.rule = rule < decision.rule ? rule : decision.rule;
		log = log_join(log, block->allow_log[verb]);
		if (block->is_only && rule == POLICY_NO_RULE && !narrowing)
			narrowing = block;
	}
	if (decision.rule == POLICY_NO_RULE)
		return decision;
	if (narrowing) {
		decision.outcome = POLICY_DENIED_NARROWED;
		decision.rule = narrowing->rule_count ? narrowing->first_rule : POLICY_NO_RULE;
		return decision;
	}
	return (struct policy_decision){.outcome = limits_permit_verb(limits, verb)
							   ? POLICY_ALLOWED
							   : POLICY_DENIED_LIMITED,
		.rule = decision.rule,
		.options = {.mode = POLICY_MODE_DEFAULT,
			.uid = POLICY_OWNER_DEFAULT,
			.gid = POLICY_OWNER_DEFAULT,
			.types = POLICY_TYPE_FILE,
			.log = log}};
}

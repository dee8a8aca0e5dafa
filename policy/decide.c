/* SPDX-License-Identifier: MIT */
/*
 * The verdict on a request. First the denies, over everything that could match; then the allows.
 * Anything unexpected (a path that is not canonical, too many patterns at once, a verb that does
 * not exist) is a denial.
 */
#include "judge.h"
#include "walk.h"

#define ALL_VERBS ((1u << POLICY_VERB_COUNT) - 1)

static bool path_is_decidable(const char *path, size_t length)
{
	return length <= POLICY_PATH_MAX && path_is_canonical(path, length);
}

static bool verbs_are_known(uint32_t verbs)
{
	return verbs && !(verbs & ~ALL_VERBS);
}

/* Hears every pattern of the effect that the path matches. False: too many to follow. */
static bool path_hear(struct judge *judge, enum effect effect, const char *path, size_t length)
{
	struct walk walk;
	if (!walk_path(&walk, judge->image, judge->peer, effect, path, length))
		return false;
	for (uint32_t i = 0; i < walk.reached.count; i++) {
		uint32_t terminal = image_nodes(judge->image)[walk.reached.nodes[i]].terminal;
		if (terminal)
			judge_hear(judge, terminal - 1);
	}
	return true;
}

struct policy_decision policy_decide_path(const struct policy_image *image,
	const struct policy_peer *peer, uint32_t verbs, const char *path, size_t length)
{
	struct judge judge;
	if (!verbs_are_known(verbs) || !path_is_decidable(path, length))
		return decision_refuse(0);
	judge_init(&judge, image, peer, verbs);
	if (!path_hear(&judge, EFFECT_DENY, path, length))
		return decision_refuse(0);
	if (judge.deny_rule != POLICY_NO_RULE)
		return judge_deny(image, judge.deny_rule);
	if (!path_hear(&judge, EFFECT_ALLOW, path, length))
		return decision_refuse(0);
	return judge_allow(&judge);
}

uint32_t policy_deny_path(const struct policy_image *image, const struct policy_peer *peer,
	uint32_t verbs, const char *path, size_t length)
{
	struct judge judge;
	if (image->first_deny == POLICY_NO_RULE)
		return POLICY_NO_RULE;
	if (!verbs_are_known(verbs) || !path_is_decidable(path, length))
		return image->first_deny;
	judge_init(&judge, image, peer, verbs);
	if (!path_hear(&judge, EFFECT_DENY, path, length))
		return image->first_deny;
	return judge.deny_rule;
}

/* What endpoint_hear() goes through, narrowed step by step. */
struct endpoint_search {
	struct judge *judge;
	struct lookup lookup;
	const struct image_endpoints *use;
	const struct policy_endpoint *endpoint;
	struct endpoint_place place;
};

static void place_hear(struct endpoint_search *search)
{
	struct endpoint_key key = endpoint_key_make(&search->place);
	uint32_t terminal = lookup_find(&search->lookup, key.owner,
		lookup_hash(LOOKUP_HASH_EMPTY, key.bytes, sizeof(key.bytes)), key.bytes,
		sizeof(key.bytes));
	if (terminal != LOOKUP_NONE)
		judge_hear(search->judge, terminal);
}

static void levels_hear(
	struct endpoint_search *search, uint8_t family, uint8_t prefix, uint32_t interface)
{
	search->place.family = family;
	search->place.prefix = prefix;
	search->place.interface = interface;
	for (uint8_t level = 0; level <= 16; level++) {
		search->place.level = level;
		if (search->use->levels & 1u << level)
			place_hear(search);
	}
}

static void prefix_hear(struct endpoint_search *search, uint8_t prefix)
{
	uint32_t scope = search->endpoint->scope;
	uint8_t family = (uint8_t)search->endpoint->family;
	levels_hear(search, family, prefix, 0);
	if (search->use->has_interface)
		levels_hear(search, family, prefix, scope ? scope : INTERFACE_SOME);
}

static bool address_is_unspecified(const struct policy_endpoint *endpoint)
{
	static const uint8_t zero[16];
	return memcmp(endpoint->address, zero, endpoint->family == 4 ? 4 : 16) == 0;
}

/* Hears the rules for one endpoint of one family. */
static void endpoint_hear(
	struct judge *judge, enum effect effect, const struct policy_endpoint *endpoint)
{
	const struct image_endpoints *use = &judge->image->endpoints[effect][endpoint->kind];
	struct endpoint_search search = {
		.judge = judge,
		.lookup = lookup_of(judge->image),
		.use = use,
		.endpoint = endpoint,
		.place = {.effect = (uint8_t)effect,
			.protocol = (uint8_t)endpoint->kind,
			.port = (uint16_t)endpoint->number},
	};
	bool is_unspecified = address_is_unspecified(endpoint);
	uint8_t most = endpoint->family == 4 ? 32 : 128;
	const uint64_t *prefixes = endpoint->family == 4 ? use->prefixes4 : use->prefixes6;
	memcpy(search.place.address, endpoint->address, most / 8);
	if (use->has_any)
		levels_hear(&search, 0, 0, 0);
	if (is_unspecified && effect == EFFECT_DENY)
		prefix_hear(&search, PREFIX_ANY_ADDRESS);
	for (uint32_t prefix = 0; prefix <= most; prefix++) {
		/* All addresses at once are granted only by what covers all, or names just that. */
		if (is_unspecified && prefix != 0 && prefix != most)
			continue;
		if (prefixes[prefix / 64] & UINT64_C(1) << prefix % 64)
			prefix_hear(&search, (uint8_t)prefix);
	}
}

static struct policy_decision endpoint_decide(const struct policy_image *image,
	const struct policy_peer *peer, uint32_t verbs, const struct policy_endpoint *endpoint)
{
	struct judge judge;
	judge_init(&judge, image, peer, verbs);
	endpoint_hear(&judge, EFFECT_DENY, endpoint);
	if (judge.deny_rule != POLICY_NO_RULE)
		return judge_deny(image, judge.deny_rule);
	endpoint_hear(&judge, EFFECT_ALLOW, endpoint);
	return judge_allow(&judge);
}

/* A mapped address as the IPv4 address that it is, whatever the caller made of it. */
static struct policy_endpoint endpoint_unmap(const struct policy_endpoint *endpoint)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct policy_endpoint plain = *endpoint;
	if (endpoint->family == 6 && memcmp(endpoint->address, mapped, sizeof(mapped)) == 0) {
		plain.family = 4;
		plain.scope = 0;
		memset(plain.address, 0, sizeof(plain.address));
		memcpy(plain.address, endpoint->address + 12, 4);
	}
	return plain;
}

struct policy_decision policy_decide_endpoint(const struct policy_image *image,
	const struct policy_peer *peer, enum policy_verb verb,
	const struct policy_endpoint *endpoint)
{
	bool is_known = (endpoint->family == 4 || endpoint->family == 6) &&
			(endpoint->kind == POLICY_TCP || endpoint->kind == POLICY_UDP) &&
			(unsigned)verb < POLICY_VERB_COUNT;
	if (!is_known)
		return decision_refuse(0);
	struct policy_endpoint plain = endpoint_unmap(endpoint);
	struct policy_decision decision = endpoint_decide(image, peer, POLICY_BIT(verb), &plain);
	bool is_both = plain.family == 6 && address_is_unspecified(&plain);
	if (decision.outcome != POLICY_ALLOWED || !is_both)
		return decision;
	plain = (struct policy_endpoint){
		.kind = plain.kind, .family = POLICY_IPV4, .number = plain.number};
	struct policy_decision other = endpoint_decide(image, peer, POLICY_BIT(verb), &plain);
	if (other.outcome != POLICY_ALLOWED)
		return other;
	if (other.options.log < decision.options.log)
		decision.options.log = other.options.log;
	return decision;
}

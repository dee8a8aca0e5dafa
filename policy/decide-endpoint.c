/* SPDX-License-Identifier: MIT */
/*
 * The verdict on an endpoint. What is asked is brought into the form that rules are kept in, so
 * that no spelling of a name or an address slips past a deny; then it is looked up once for each
 * length of a prefix and of a range that the rules have. Whatever cannot be brought into that form
 * is a denial.
 */
#include "judge.h"
#include "lookup.h"

#define ADDRESSES (1u << POLICY_IPV4 | 1u << POLICY_IPV6)
#define IN_USE (POLICY_BIT(POLICY_BIND) | POLICY_BIT(POLICY_CONNECT))
#define SOCKET POLICY_BIT(POLICY_SOCKET)
#define OPTION POLICY_BIT(POLICY_OPTION)

enum name_form { NAME_NONE, NAME_HOST, NAME_DEVICE };

/* What can be asked about each kind, and what it is told by. */
static const struct kind_form {
	uint32_t verbs;
	uint32_t families; /* a bit for each enum policy_family that is an address */
	enum name_form name;
	bool has_number;
} kind_forms[POLICY_KIND_COUNT] = {
	[POLICY_TCP] = {IN_USE, ADDRESSES, NAME_HOST, true},
	[POLICY_UDP] = {IN_USE, ADDRESSES, NAME_HOST, true},
	[POLICY_VSOCK] = {IN_USE | SOCKET, 1u << POLICY_CID, NAME_NONE, true},
	[POLICY_HOST] = {POLICY_BIT(POLICY_RESOLVE), ADDRESSES, NAME_HOST, false},
	[POLICY_ICMP] = {SOCKET, 0, NAME_NONE, false},
	[POLICY_ICMP6] = {SOCKET, 0, NAME_NONE, false},
	[POLICY_RAW] = {SOCKET, 0, NAME_NONE, true},
	[POLICY_NETLINK] = {SOCKET, 0, NAME_NONE, true},
	[POLICY_TUN] = {SOCKET, 0, NAME_DEVICE, false},
	[POLICY_TAP] = {SOCKET, 0, NAME_DEVICE, false},
	[POLICY_MARK] = {OPTION, 0, NAME_NONE, true},
	[POLICY_PRIORITY] = {OPTION, 0, NAME_NONE, true},
	[POLICY_RCVBUFFORCE] = {OPTION, 0, NAME_NONE, true},
	[POLICY_SNDBUFFORCE] = {OPTION, 0, NAME_NONE, true},
	[POLICY_TRANSPARENT] = {OPTION, 0, NAME_NONE, true},
	[POLICY_DEBUG] = {OPTION, 0, NAME_NONE, true},
	[POLICY_BINDTODEVICE] = {OPTION, 0, NAME_DEVICE, false},
};

/* What is asked, in the form of the rules. */
struct asked {
	enum policy_kind kind;
	enum policy_family family;
	uint8_t address[16];
	uint32_t scope, number;
	char name[POLICY_HOST_MAX];
	uint32_t name_length; /* 0: none */
	bool is_malformed;    /* its name is none that a rule could have: nothing allows it */
	bool may_be_any;      /* whichever name a deny has, this might come to be it */
};

static char byte_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool byte_is_host(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	       byte == '_' || byte == '.';
}

/* Copies it as it is compared. False: the name service might make anything of it. */
static bool host_copy(struct asked *asked, const char *name, size_t length)
{
	if (length && name[length - 1] == '.')
		length--;
	if (!length || length > POLICY_HOST_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		asked->name[i] = byte_lower(name[i]);
		bool ends_label = asked->name[i] == '.' && (i == 0 || name[i - 1] == '.');
		if (!byte_is_host(asked->name[i]) || ends_label)
			return false;
	}
	asked->name_length = (uint32_t)length;
	return asked->name[length - 1] != '.';
}

/*
 * What dev_valid_name() of net/core/dev.c takes, without a percent sign: the kernel puts a number
 * in place of "%d".
 */
static bool device_copy(struct asked *asked, const char *name, size_t length)
{
	if (!length || length > POLICY_INTERFACE_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)name[i];
		if (byte <= ' ' || byte == 0x7f || byte == '/' || byte == ':' || byte == '%')
			return false;
	}
	memcpy(asked->name, name, length);
	asked->name_length = (uint32_t)length;
	return true;
}

/* False: an endpoint of this kind must have a name, and has none. */
static bool name_take(
	struct asked *asked, enum name_form form, const struct policy_endpoint *endpoint)
{
	bool is_empty = !endpoint->name || !endpoint->name_length;
	if (form == NAME_NONE)
		return true;
	if (form == NAME_HOST) {
		asked->is_malformed =
			is_empty || !host_copy(asked, endpoint->name, endpoint->name_length);
		asked->may_be_any = asked->is_malformed;
		return !is_empty;
	}
	/* The kernel may give a new device any name; no interface is what unbinding asks for. */
	asked->is_malformed =
		!is_empty && !device_copy(asked, endpoint->name, endpoint->name_length);
	asked->may_be_any =
		asked->is_malformed || (is_empty && endpoint->kind != POLICY_BINDTODEVICE);
	return true;
}

/* A mapped address is the IPv4 address that it stands for, whatever the caller made of it. */
static void address_take(struct asked *asked, const struct policy_endpoint *endpoint)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_mapped = endpoint->family == POLICY_IPV6 &&
			 memcmp(endpoint->address, mapped, sizeof(mapped)) == 0;
	asked->family = is_mapped ? POLICY_IPV4 : endpoint->family;
	if (is_mapped)
		memcpy(asked->address, endpoint->address + 12, 4);
	else
		memcpy(asked->address, endpoint->address, endpoint->family == POLICY_IPV6 ? 16 : 4);
	asked->scope = asked->family == POLICY_IPV6 ? endpoint->scope : 0;
}

/* False: there is no such endpoint to do this to. */
static bool asked_make(
	struct asked *asked, enum policy_verb verb, const struct policy_endpoint *endpoint)
{
	memset(asked, 0, sizeof(*asked));
	if ((unsigned)endpoint->kind >= POLICY_KIND_COUNT || (unsigned)verb >= POLICY_VERB_COUNT)
		return false;
	const struct kind_form *form = &kind_forms[endpoint->kind];
	if (!(form->verbs & POLICY_BIT(verb)))
		return false;
	asked->kind = endpoint->kind;
	asked->number = form->has_number ? endpoint->number : 0;
	/* A socket that is not bound yet has every context id and port before it. */
	if (endpoint->kind == POLICY_VSOCK && verb == POLICY_SOCKET)
		return true;
	if (endpoint->family != POLICY_NO_ADDRESS) {
		if ((unsigned)endpoint->family > POLICY_IPV6 ||
			!(form->families & 1u << endpoint->family))
			return false;
		address_take(asked, endpoint);
		return true;
	}
	if (form->name == NAME_HOST && verb == POLICY_BIND)
		return false;
	return (!form->families || form->name == NAME_HOST) &&
	       name_take(asked, form->name, endpoint);
}

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
		judge_hear(search->judge, terminal);
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

/* All of its kind at once: ip(7), ipv6(7), and VMADDR_CID_ANY of vsock(7). */
static bool address_is_unspecified(const struct asked *asked)
{
	static const uint8_t zero[16], ones[4] = {0xff, 0xff, 0xff, 0xff};
	if (asked->family == POLICY_CID)
		return memcmp(asked->address, ones, sizeof(ones)) == 0;
	return asked->family != POLICY_NO_ADDRESS &&
	       memcmp(asked->address, zero, sizeof(zero)) == 0;
}

static void address_hear(struct endpoint_search *search, enum effect effect)
{
	bool is_unspecified = address_is_unspecified(search->asked);
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
	const struct policy_peer *peer, enum policy_verb verb, const struct asked *asked)
{
	struct judge judge;
	judge_init(&judge, image, peer, POLICY_BIT(verb));
	asked_hear(&judge, EFFECT_DENY, asked);
	if (judge.deny_rule != POLICY_NO_RULE)
		return judge_deny(image, judge.deny_rule);
	asked_hear(&judge, EFFECT_ALLOW, asked);
	return judge_allow(&judge);
}

/* `[::]` is every address of IPv4 too (ipv6(7)). True: *other is these. */
static bool asked_find_other(const struct asked *asked, struct asked *other)
{
	if (asked->family != POLICY_IPV6 || !address_is_unspecified(asked))
		return false;
	*other = *asked;
	other->family = POLICY_IPV4;
	other->scope = 0;
	return true;
}

struct policy_decision policy_decide_endpoint(const struct policy_image *image,
	const struct policy_peer *peer, enum policy_verb verb,
	const struct policy_endpoint *endpoint)
{
	struct asked asked, other;
	if (!asked_make(&asked, verb, endpoint))
		return decision_refuse(0);
	struct policy_decision decision = asked_decide(image, peer, verb, &asked);
	if (decision.outcome != POLICY_ALLOWED || !asked_find_other(&asked, &other))
		return decision;
	struct policy_decision second = asked_decide(image, peer, verb, &other);
	if (second.outcome != POLICY_ALLOWED)
		return second;
	decision.options.log = log_join(decision.options.log, second.options.log);
	if (options_agree(&decision.options, &second.options))
		return decision;
	return (struct policy_decision){.outcome = POLICY_DENIED_CONFLICT,
		.rule = second.rule,
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

struct policy_decision policy_decide_verb(
	const struct policy_image *image, const struct policy_peer *peer, enum policy_verb verb)
{
	if ((unsigned)verb >= POLICY_VERB_COUNT)
		return decision_refuse(0);
	uint32_t denied = find_deny_everything(image, peer, verb);
	if (denied != POLICY_NO_RULE)
		return judge_deny(image, denied);
	struct policy_decision decision = decision_refuse(POLICY_BIT(verb));
	const struct image_block *narrowing = NULL;
	for (uint32_t i = 0; i < peer->block_count && i < POLICY_PEER_BLOCKS_MAX; i++) {
		const struct image_block *block = &image_blocks(image)[peer->blocks[i]];
		uint32_t rule = block->first_allow[verb];
		decision.rule = rule < decision.rule ? rule : decision.rule;
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
	return (struct policy_decision){.outcome = POLICY_ALLOWED,
		.rule = decision.rule,
		.options = {.mode = 0600,
			.uid = POLICY_OWNER_DEFAULT,
			.gid = POLICY_OWNER_DEFAULT,
			.types = POLICY_TYPE_FILE}};
}

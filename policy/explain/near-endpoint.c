/* SPDX-License-Identifier: MIT */
/* In what an endpoint of a rule differs from the one that is asked for. */
#include "near-parts.h"

#include "cover-endpoint.h"
#include "language.h"

/* Of one sort: to write one for the other is a mistake that people make. */
static const uint32_t sorts[] = {
	1u << POLICY_TCP | 1u << POLICY_UDP,
	1u << POLICY_ICMP | 1u << POLICY_ICMP6,
	1u << POLICY_TUN | 1u << POLICY_TAP,
	1u << POLICY_MARK | 1u << POLICY_PRIORITY | 1u << POLICY_RCVBUFFORCE |
		1u << POLICY_SNDBUFFORCE | 1u << POLICY_TRANSPARENT | 1u << POLICY_DEBUG,
};

static bool is_network(enum policy_kind kind)
{
	return kind == POLICY_TCP || kind == POLICY_UDP;
}

static bool kinds_are_alike(enum policy_kind a, enum policy_kind b)
{
	for (size_t i = 0; i < sizeof(sorts) / sizeof(*sorts); i++) {
		if (sorts[i] & 1u << a && sorts[i] & 1u << b)
			return true;
	}
	return a == b;
}

/*
 * [::] is the addresses of both families, which no object but `*` covers; what cannot be asked for
 * at all is covered by none.
 */
enum cover { COVER_NONE, COVER_IPV6, COVER_ALL };

static enum cover host_find_cover(const struct object *object, const struct asked *asked)
{
	struct asked other;
	if (!object_covers_host(object, asked))
		return COVER_NONE;
	return asked_find_other(asked, &other) && !object_covers_host(object, &other) ? COVER_IPV6
										      : COVER_ALL;
}

static bool number_is_covered(const struct policy_set *set, const struct object *object,
	const struct policy_endpoint *endpoint)
{
	bool is_covered = object->range_count == 0;
	for (uint32_t i = 0; i < object->range_count && !is_covered; i++) {
		const struct number_range *range = &set->ranges.items[object->first_range + i];
		is_covered = !range->is_never && endpoint->number >= range->first &&
			     endpoint->number <= range->last;
	}
	return is_covered;
}

/* Of a word KIND:[HOST:]PORTS: what stands before the last colon that is not in brackets. */
static void word_split(const char *word, size_t length, size_t *host, size_t *ports)
{
	bool is_in_brackets = false;
	*host = *ports = 0;
	for (size_t i = 0; i < length; i++) {
		if (word[i] == '[' || word[i] == ']')
			is_in_brackets = word[i] == '[';
		if (word[i] != ':' || is_in_brackets)
			continue;
		*host = *host ? *host : i + 1;
		*ports = i + 1;
	}
}

static struct quoted host_quote(const char *word, size_t length)
{
	size_t host, ports;
	word_split(word, length, &host, &ports);
	return host < ports ? text_quote(word + host, ports - host - 1) : text_quote("*", 1);
}

static struct quoted ports_quote(const char *word, size_t length)
{
	size_t host, ports;
	word_split(word, length, &host, &ports);
	return text_quote(word + ports, length - ports);
}

/* The rule's object as it is written, without quotes. */
static const char *object_source(
	const struct policy_set *set, const struct object *object, size_t *length)
{
	const struct span *where = &object->where;
	const char *source =
		set->files.items[where->file].text + where->line_start + where->column - 1;
	bool is_quoted = where->width > 1 && source[0] == '"';
	*length = where->width - (is_quoted ? 2u : 0);
	return source + (is_quoted ? 1 : 0);
}

enum aspect { ASPECT_KIND, ASPECT_HOST, ASPECT_NUMBER, ASPECT_COUNT };

/* An object and what is asked for. */
struct pair {
	const struct lack *lack;
	const struct object *object;
	struct asked asked;
	enum cover cover;
};

/* ---- how alike they are: the more, the likelier it is that the rule was made for this ---- */

#define ALIKE_MOST 32u

static uint32_t bytes_count_common_bits(const uint8_t *a, const uint8_t *b, uint32_t most)
{
	uint32_t bits = 0;
	while (bits < most && !((a[bits / 8] ^ b[bits / 8]) & 0x80u >> bits % 8))
		bits++;
	return bits;
}

/* Names have in common what they end with. */
static uint32_t names_count_common(const struct address *address, const struct asked *asked)
{
	uint32_t count = 0;
	while (count < address->name_length && count < asked->name_length && count < ALIKE_MOST &&
		address->name[address->name_length - 1 - count] ==
			asked->name[asked->name_length - 1 - count])
		count++;
	return count;
}

static uint32_t host_likeness(const struct pair *pair)
{
	const struct address *address = &pair->object->address;
	const struct asked *asked = &pair->asked;
	if (pair->cover == COVER_IPV6)
		return ALIKE_MOST;
	if (address->name && asked->name_length)
		return names_count_common(address, asked);
	if (asked->family == POLICY_NO_ADDRESS || address->family != asked->family)
		return 0;
	uint32_t bits = bytes_count_common_bits(address->bytes, asked->address, address->prefix);
	return asked->family == POLICY_IPV6 ? bits / 4 : bits;
}

static uint32_t number_likeness(const struct pair *pair)
{
	uint32_t least = UINT32_MAX, asked = pair->asked.number;
	for (uint32_t i = 0; i < pair->object->range_count; i++) {
		const struct number_range *range =
			&pair->lack->set->ranges.items[pair->object->first_range + i];
		uint32_t away = asked < range->first ? range->first - asked : asked - range->last;
		if (!range->is_never && away < least)
			least = away;
	}
	return least ? (uint32_t)__builtin_clz(least) : ALIKE_MOST;
}

static uint32_t aspect_likeness(const struct pair *pair, enum aspect aspect)
{
	if (aspect == ASPECT_KIND)
		return ALIKE_MOST;
	return aspect == ASPECT_HOST ? host_likeness(pair) : number_likeness(pair);
}

/* ---- in words ---- */

static void host_describe(
	const struct pair *pair, const char *source, size_t length, struct difference *difference)
{
	const struct request *request = pair->lack->request;
	const char *kind = policy_kind_name(pair->object->endpoint);
	struct quoted asked = host_quote(request->object, request->object_length);
	struct quoted port = ports_quote(request->object, request->object_length);
	uint8_t family = pair->object->address.family;
	if (pair->cover == COVER_IPV6)
		snprintf(difference->text, sizeof(difference->text),
			"%s alone, and this takes IPv4 too: write %s:%.16s, or add "
			"%s:0.0.0.0:%.16s",
			host_quote(source, length).text, kind, port.text, kind, port.text);
	else
		snprintf(difference->text, sizeof(difference->text), "%s %s, not %s",
			family == PLACE_NAME || family == PLACE_LABEL ? "host" : "address",
			host_quote(source, length).text, asked.text);
}

static void aspect_describe(
	const struct pair *pair, enum aspect aspect, struct difference *difference)
{
	const struct object *object = pair->object;
	const struct request *request = pair->lack->request;
	size_t length;
	const char *source = object_source(pair->lack->set, object, &length);
	char *text = difference->text;
	const size_t size = sizeof(difference->text);
	bool has_port = is_network(object->endpoint) || object->endpoint == POLICY_VSOCK;
	if (aspect == ASPECT_KIND)
		snprintf(text, size, "%s, not %s", policy_kind_name(object->endpoint),
			policy_kind_name(request->endpoint.kind));
	else if (!has_port)
		snprintf(text, size, "%s, not %s", text_quote(source, length).text,
			text_quote(request->object, request->object_length).text);
	else if (aspect == ASPECT_NUMBER)
		snprintf(text, size, "port %s, not %s", ports_quote(source, length).text,
			ports_quote(request->object, request->object_length).text);
	else
		host_describe(pair, source, length, difference);
}

uint32_t endpoint_compare(const struct lack *lack, const struct object *object,
	struct difference differences[static DIFFERENCES_MAX], uint32_t *closeness)
{
	const struct policy_endpoint *endpoint = &lack->request->endpoint;
	enum policy_verb verb = (enum policy_verb)__builtin_ctz(lack->request->verbs);
	struct pair pair = {.lack = lack, .object = object};
	uint32_t count = 0;
	*closeness = ALIKE_MOST;
	if (!kinds_are_alike(object->endpoint, endpoint->kind) ||
		!asked_make(&pair.asked, verb, endpoint))
		return DIFFERENCES_MAX + 1;
	pair.cover = host_find_cover(object, &pair.asked);
	const bool differs[ASPECT_COUNT] = {
		[ASPECT_KIND] = object->endpoint != endpoint->kind,
		[ASPECT_HOST] = pair.cover != COVER_ALL,
		[ASPECT_NUMBER] = !number_is_covered(lack->set, object, endpoint),
	};
	for (int aspect = ASPECT_KIND; aspect < ASPECT_COUNT; aspect++) {
		if (!differs[aspect])
			continue;
		uint32_t likeness = aspect_likeness(&pair, (enum aspect)aspect);
		if (likeness < *closeness)
			*closeness = likeness;
		if (count < DIFFERENCES_MAX)
			aspect_describe(&pair, (enum aspect)aspect, &differences[count]);
		count++;
	}
	/* Besides ports and addresses there is nothing that two kinds have in common. */
	return differs[ASPECT_KIND] && count > 1 && !is_network(endpoint->kind)
		       ? DIFFERENCES_MAX + 1
		       : count;
}

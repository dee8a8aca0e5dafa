/* SPDX-License-Identifier: MIT */
/* In what an endpoint of a rule differs from the one that is asked for. */
#include "near-parts.h"

#include "cover-endpoint.h"
#include "language.h"

static bool is_network(enum policy_kind kind)
{
	return kind == POLICY_TCP || kind == POLICY_UDP;
}

/*
 * [::] is the addresses of both families, which no object but `*` covers; what cannot be asked for
 * at all is covered by none.
 */
static bool host_is_covered(const struct request *request, const struct object *object)
{
	struct asked asked, other;
	enum policy_verb verb = (enum policy_verb)__builtin_ctz(request->verbs);
	return asked_make(&asked, verb, &request->endpoint) && object_covers_host(object, &asked) &&
	       (!asked_find_other(&asked, &other) || object_covers_host(object, &other));
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

enum aspect { ASPECT_KIND, ASPECT_HOST, ASPECT_NUMBER };

static void aspect_describe(const struct lack *lack, const struct object *object,
	enum aspect aspect, struct difference *difference)
{
	const struct request *request = lack->request;
	size_t length;
	const char *source = object_source(lack->set, object, &length);
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
		snprintf(text, size, "%s %s, not %s",
			object->address.family == PLACE_NAME ||
					object->address.family == PLACE_LABEL
				? "host"
				: "address",
			host_quote(source, length).text,
			host_quote(request->object, request->object_length).text);
}

uint32_t endpoint_compare(const struct lack *lack, const struct object *object,
	struct difference differences[static DIFFERENCES_MAX])
{
	const struct policy_endpoint *endpoint = &lack->request->endpoint;
	bool is_same_kind = object->endpoint == endpoint->kind;
	uint32_t count = 0;
	if (!is_same_kind && !(is_network(object->endpoint) && is_network(endpoint->kind)))
		return DIFFERENCES_MAX + 1;
	const bool differs[] = {
		[ASPECT_KIND] = !is_same_kind,
		[ASPECT_HOST] = !host_is_covered(lack->request, object),
		[ASPECT_NUMBER] = !number_is_covered(lack->set, object, endpoint),
	};
	for (int aspect = ASPECT_KIND; aspect <= ASPECT_NUMBER; aspect++) {
		if (differs[aspect] && count < DIFFERENCES_MAX)
			aspect_describe(lack, object, (enum aspect)aspect, &differences[count]);
		count += differs[aspect];
	}
	return count;
}

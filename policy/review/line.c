/* SPDX-License-Identifier: MIT */
/*
 * What can be told from one line: that it grants more than it looks, that nobody needs it, that it
 * does not do what it looks like.
 */
#include "review.h"

/* ---- directories ---- */

/* A descriptor of a directory is a way to all that is below it, and by `..` to all above. */
static void review_directory(struct policy_set *set, const struct rule *rule)
{
	if (!(rule->named_verbs & VERBS_THAT_OPEN) || !rule->type_where.line)
		return;
	set_report(set, POLICY_WARNING, &rule->type_where,
		"leave it out, unless 'fdbroker run' is to open the folder: 'list' gives the names "
		"in a directory; to make one, write 'create' on a line of its own",
		"who gets a directory can go on to '..' and to all that is below it");
}

/* ---- ports ---- */

/* ip(7), ip_unprivileged_port_start: ports from here on are anybody's. */
#define UNPRIVILEGED_PORT 1024u

static bool ports_are_free(
	const struct policy_set *set, const struct object *object, uint32_t *first, uint32_t *last)
{
	*first = UINT32_MAX;
	*last = 0;
	for (uint32_t i = 0; i < object->range_count; i++) {
		const struct number_range *range = &set->ranges.items[object->first_range + i];
		if (range->is_never || range->first < UNPRIVILEGED_PORT)
			return false;
		*first = range->first < *first ? range->first : *first;
		*last = range->last > *last ? range->last : *last;
	}
	return object->range_count > 0;
}

static void review_ports(
	struct policy_set *set, const struct rule *rule, const struct object *object)
{
	static const char remedy[] =
		"leave it out, unless net.ipv4.ip_unprivileged_port_start is higher here";
	const struct policy_options *options = &rule->options;
	uint32_t first, last;
	bool is_port = object->kind == OBJECT_TCP || object->kind == OBJECT_UDP;
	if (!is_port || !(rule->named_verbs & POLICY_BIT(POLICY_BIND)) || options->with ||
		options->device || options->netns != POLICY_NETNS_BROKER ||
		!ports_are_free(set, object, &first, &last))
		return;
	if (first == last)
		set_report(set, POLICY_NOTE, &object->where, remedy,
			"a program may bind port %u by itself: no broker is needed", first);
	else
		set_report(set, POLICY_NOTE, &object->where, remedy,
			"a program may bind ports %u to %u by itself: no broker is needed", first,
			last);
}

/* ---- hosts ---- */

/* RFC 6761, 6.3: all of them are this machine. */
static bool host_is_loopback(const struct address *address)
{
	static const char host[] = "localhost";
	const size_t length = sizeof(host) - 1;
	if ((address->family != PLACE_NAME && address->family != PLACE_LABEL) ||
		address->name_length < length)
		return false;
	const char *end = address->name + address->name_length - length;
	return memcmp(end, host, length) == 0 && (end == address->name || end[-1] == '.');
}

/* Rules by name serve fdbroker_dial() alone, where an answer of loopback needs another rule. */
static void review_host(
	struct policy_set *set, const struct rule *rule, const struct object *object)
{
	bool is_host = object->kind == OBJECT_TCP || object->kind == OBJECT_UDP;
	if (!is_host || !(rule->named_verbs & POLICY_BIT(POLICY_CONNECT)) ||
		!host_is_loopback(&object->address))
		return;
	const char *kind = policy_kind_name(object->endpoint),
		   *text = span_text(set, &object->where);
	uint32_t end = object->where.width - (*text == '"'), colon = end;
	while (colon > 0 && text[colon - 1] != ':')
		colon--;
	struct quoted ports = text_quote(text + colon, end - colon);
	char remedy[3 * sizeof(ports) + 96];
	snprintf(remedy, sizeof(remedy),
		"write %s:127.0.0.1:%s %s:[::1]:%s: loopback needs a rule by address", kind,
		ports.text, kind, ports.text);
	set_report(set, POLICY_WARNING, &object->where, remedy,
		"this name is of the loopback addresses, which no rule by name reaches");
}

/* ---- all ---- */

void review_line(struct review *review, const struct rule *rule)
{
	struct policy_set *set = review->set;
	for (uint32_t i = 0; i < rule->object_count; i++)
		review_path_text(set, &set->objects.items[rule->first_object + i]);
	if (rule->effect == EFFECT_DENY)
		return;
	review_directory(set, rule);
	review_options(review, rule);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		const struct object *object = &set->objects.items[rule->first_object + i];
		review_ports(set, rule, object);
		review_host(set, rule, object);
		review_home(set, rule, object);
		review_device(set, rule, object);
	}
}

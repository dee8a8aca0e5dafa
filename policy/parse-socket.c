/* SPDX-License-Identifier: MIT */
/*
 * What is told by a number or by the name of a device: raw and netlink sockets, tun and tap, the
 * options of a socket.
 */
#include "parse.h"

#include <assert.h>
#include <linux/netlink.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Everything after the first such byte. */
static struct part part_after(const struct word *word, char byte)
{
	uint32_t first = word_find(word, 0, byte) + 1;
	return (struct part){word, first, word->length - first};
}

bool range_add(struct parser *parser, struct object *object, const struct number_range *range)
{
	bool is_first = object->range_count++ == 0;
	if (!parser->set) {
		parser->is_found = parser->is_found || (parser->sought >= range->first &&
							       parser->sought <= range->last);
		return true;
	}
	if (is_first)
		object->first_range = parser->set->ranges.count;
	struct number_range *added = set_append(parser->set, ranges);
	if (added)
		*added = *range;
	return added != NULL;
}

/* A range is no number, and no name either. */
static bool byte_is_numeric(char byte)
{
	return byte_is_digit(byte) || byte == '-';
}

bool raw_parse(struct parser *parser, const struct word *word, struct object *object)
{
	const struct part part = part_after(word, ':');
	struct number_range range = {
		.name = NONE, .where = word_part(parser->set, word, part.first, part.length)};
	if (part_is_star(&part)) {
		range.last = UINT8_MAX;
	} else if (part_is(&part, byte_is_numeric)) {
		if (!number_parse(part_bytes(&part), part.length, UINT8_MAX, &range.first))
			return part_report(parser, &part,
				"protocols go from 0 to 255, each an object of its own",
				"'%s' is no protocol", part_quote(&part).text);
		range.last = range.first;
	} else if (part_is(&part, byte_is_name) && part.length <= POLICY_NAME_MAX) {
		range.name =
			set_name(parser->set, POLICY_NAME_PROTOCOL, part_bytes(&part), part.length);
		if (range.name == NONE)
			return false;
	} else {
		return part_report(parser, &part,
			"write the number or the name of a protocol, or *", "'%s' is no protocol",
			part_quote(&part).text);
	}
	return range_add(parser, object, &range);
}

/* netlink(7), in the words of its manual, for the numbers of linux/netlink.h. */
static const char *const netlink_names[] = {"route", "usersock", "sock_diag", "nflog", "xfrm",
	"selinux", "iscsi", "audit", "fib_lookup", "connector", "netfilter", "dnrtmsg",
	"kobject_uevent", "generic", "scsitransport", "ecryptfs", "rdma", "crypto", "smc"};
static const uint8_t netlink_numbers[] = {NETLINK_ROUTE, NETLINK_USERSOCK, NETLINK_SOCK_DIAG,
	NETLINK_NFLOG, NETLINK_XFRM, NETLINK_SELINUX, NETLINK_ISCSI, NETLINK_AUDIT,
	NETLINK_FIB_LOOKUP, NETLINK_CONNECTOR, NETLINK_NETFILTER, NETLINK_DNRTMSG,
	NETLINK_KOBJECT_UEVENT, NETLINK_GENERIC, NETLINK_SCSITRANSPORT, NETLINK_ECRYPTFS,
	NETLINK_RDMA, NETLINK_CRYPTO, NETLINK_SMC};
static_assert(COUNT(netlink_names) == COUNT(netlink_numbers), "each name has its number");

bool policy_netlink_family(const char *name, uint32_t *number)
{
	for (size_t i = 0; i < COUNT(netlink_names); i++) {
		if (strcmp(netlink_names[i], name) == 0) {
			*number = netlink_numbers[i];
			return true;
		}
	}
	return false;
}

bool netlink_parse(struct parser *parser, const struct word *word, struct object *object)
{
	const struct part part = part_after(word, ':');
	struct number_range range = {.name = NONE, .where = word->where};
	uint8_t chosen;
	if (part_is_star(&part)) {
		range.last = MAX_LINKS - 1;
	} else if (part_is(&part, byte_is_numeric)) {
		if (!number_parse(part_bytes(&part), part.length, MAX_LINKS - 1, &range.first))
			return part_report(parser, &part,
				"netlink families go from 0 to 31, each an object of its own",
				"'%s' is no netlink family", part_quote(&part).text);
		range.last = range.first;
	} else {
		if (!word_choose(parser, word, part.first, part.length, "netlink family",
			    netlink_names, COUNT(netlink_names), &chosen))
			return false;
		range.first = range.last = netlink_numbers[chosen];
	}
	return range_add(parser, object, &range);
}

bool device_parse(
	struct parser *parser, const struct word *word, uint32_t first, struct object *object)
{
	const struct part part = {word, first, word->length - first};
	if (part_is_star(&part))
		return true;
	if (!device_check(parser, &part))
		return false;
	object->address.family = PLACE_NAME;
	object->address.name = parser->set ? set_copy(parser->set, part_bytes(&part), part.length)
					   : part_bytes(&part);
	object->address.name_length = part.length;
	return object->address.name != NULL;
}

static const char *values_find_remedy(const struct part *part)
{
	const char *bytes = part_bytes(part);
	char last = part->length ? bytes[part->length - 1] : '\0';
	if (memchr(bytes, ',', part->length))
		return "write each as an object of its own, or a range: NUM-NUM";
	if (part->length > 1 && bytes[0] == '0' && (bytes[1] == 'x' || bytes[1] == 'X'))
		return "write numbers in decimal";
	if (part->length > 2 && (last == 'B' || last == 'b') &&
		memchr("KMGkmg", bytes[part->length - 2], 6))
		return "write K, M or G without a B, as in 8M";
	return "write NUM, NUM-NUM or *; a number may end in K, M or G, and goes to 4294967295";
}

/* NUM or NUM-NUM, each perhaps with K, M or G, or `*`. */
static bool values_read(const struct part *part, struct number_range *range)
{
	const char *bytes = part_bytes(part), *dash = memchr(bytes, '-', part->length);
	size_t first_length = dash ? (size_t)(dash - bytes) : part->length;
	if (part_is_star(part)) {
		range->last = UINT32_MAX;
		return true;
	}
	if (!size_parse(bytes, first_length, &range->first))
		return false;
	range->last = range->first;
	return !dash || size_parse(dash + 1, part->length - first_length - 1, &range->last);
}

static bool values_parse(struct parser *parser, const struct part *part, struct object *object)
{
	struct number_range range = {.name = NONE, .where = part->word->where};
	bool is_valid = values_read(part, &range);
	bool is_switch = object->endpoint == POLICY_TRANSPARENT || object->endpoint == POLICY_DEBUG;
	if (is_switch && !part_is_star(part) && (!is_valid || range.first > 1 || range.last > 1))
		return part_report(parser, part, "write 0 or 1: it is off or on",
			"'%s' is no value of '%s'", part_quote(part).text,
			policy_kind_name(object->endpoint));
	if (!is_valid)
		return part_report(parser, part, values_find_remedy(part),
			"'%s' is no range of values", part_quote(part).text);
	if (range.last < range.first)
		return part_report(parser, part, "write the lower value first",
			"the range '%s' is reversed", part_quote(part).text);
	return range_add(parser, object, &range);
}

bool setting_parse(struct parser *parser, const struct word *word, struct object *object)
{
	static const char *const names[] = {"mark", "priority", "rcvbufforce", "sndbufforce",
		"transparent", "debug", "bindtodevice"};
	static const enum policy_kind kinds[] = {POLICY_MARK, POLICY_PRIORITY, POLICY_RCVBUFFORCE,
		POLICY_SNDBUFFORCE, POLICY_TRANSPARENT, POLICY_DEBUG, POLICY_BINDTODEVICE};
	const struct part value = part_after(word, '=');
	uint8_t chosen;
	if (!word_choose(parser, word, 0, value.first - 1, "socket option", names, COUNT(names),
		    &chosen))
		return false;
	object->endpoint = kinds[chosen];
	return object->endpoint == POLICY_BINDTODEVICE
		       ? device_parse(parser, word, value.first, object)
		       : values_parse(parser, &value, object);
}

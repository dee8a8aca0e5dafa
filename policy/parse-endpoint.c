/* SPDX-License-Identifier: MIT */
/*
 * What has a host and ports: tcp, udp and vsock. A port that stands for "any free one" is never
 * part of a range: who is granted a range has not been granted that.
 */
#include "parse.h"

#include <arpa/inet.h>

/* The ports of a protocol: how far they go, and which one means any that is free. */
struct port_space {
	uint32_t last, free;
	const char *bounds, *range, *alone, *form;
};

static const struct port_space ip_ports = {UINT16_MAX, 0, "ports go from 0 to 65535",
	"write FIRST-LAST, up to 65535",
	"0 means any free port and stands alone: write 0,1-LAST, or 1-LAST",
	"write a number, FIRST-LAST, a service or *"};
/* VMADDR_PORT_ANY, vsock(7). */
static const struct port_space vsock_ports = {UINT32_MAX, UINT32_MAX,
	"vsock ports go from 0 to 4294967295", "write FIRST-LAST, up to 4294967294",
	"4294967295 means any free port and stands alone", "write a number, FIRST-LAST or *"};

static bool port_parse_number(struct parser *parser, const struct part *part,
	const struct port_space *space, struct number_range *range)
{
	const char *bytes = part_bytes(part);
	const char *dash = memchr(bytes, '-', part->length);
	uint32_t first_length = dash ? (uint32_t)(dash - bytes) : part->length;
	if (!number_parse(bytes, first_length, space->last, &range->first))
		return part_report(parser, part,
			part_is(part, byte_is_digit) ? space->bounds : space->form,
			"'%s' is no port", part_quote(part).text);
	range->last = range->first;
	if (dash &&
		!number_parse(dash + 1, part->length - first_length - 1, space->last, &range->last))
		return part_report(parser, part, space->range, "'%s' is no range of ports",
			part_quote(part).text);
	if (dash && range->first == space->free)
		return part_report(parser, part, space->alone, "the range '%s' begins with port %u",
			part_quote(part).text, space->free);
	if (range->last < range->first)
		return part_report(parser, part, "write the lower port first",
			"the range '%s' is reversed", part_quote(part).text);
	if (dash && range->last == space->free)
		return part_report(parser, part, space->alone, "the range '%s' ends with port %u",
			part_quote(part).text, space->free);
	return true;
}

static bool byte_is_host(char byte)
{
	return byte_is_name(byte) || byte == '/';
}

/* No service has a dot in its name (RFC 6335, 5.1). */
static bool part_is_host(const struct part *part)
{
	return part_is(part, byte_is_host) && memchr(part_bytes(part), '.', part->length);
}

static bool byte_is_address(char byte)
{
	return byte_is_digit(byte) || byte == '.' || byte == '/';
}

/* A host without a port. Always false. */
static bool port_report_host(struct parser *parser, const struct part *part)
{
	if (part->length > 1 && memcmp(part_bytes(part), "//", 2) == 0)
		return part_report(parser, &(struct part){part->word, part->first, 2},
			"leave out the //", "a host begins with '//'");
	return part_report(parser, part,
		part_is(part, byte_is_address) ? "write a colon and the port after the address"
					       : "write a colon and the port after the host",
		"'%s' stands where a port belongs", part_quote(part).text);
}

/* `tcp:80, 443` is one list, torn by a blank. Always false. */
static bool port_report_missing(
	struct parser *parser, const struct part *part, const struct port_space *space)
{
	const struct word *word = part->word, *words = parser->line.words.items;
	uint32_t next = parser->set ? (uint32_t)(word - words) + 1 : 0;
	bool is_torn = next && next < parser->line.words.count && part->first == word->length &&
		       word->bytes[word->length - 1] == ',';
	char remedy[2 * sizeof(struct quoted) + 32];
	if (!is_torn)
		return part_report(parser, part, space->form, "a port is missing");
	snprintf(remedy, sizeof(remedy), "write the list without blanks: %s%s",
		word_quote(word).text, word_quote(word + 1).text);
	return part_report(
		parser, &(struct part){word, word->length - 1, 1}, remedy, "a port is missing");
}

static bool port_parse(struct parser *parser, const struct part *part, struct object *object)
{
	const char *bytes = part_bytes(part);
	const struct port_space *space = object->kind == OBJECT_VSOCK ? &vsock_ports : &ip_ports;
	struct number_range range = {.name = NONE,
		.where = word_part(parser->set, part->word, part->first, part->length)};
	if (!part->length)
		return port_report_missing(parser, part, space);
	if (part_is_star(part)) {
		range.last = space->last;
	} else if (part_is_host(part)) {
		return port_report_host(parser, part);
	} else if (byte_is_digit(bytes[0])) {
		if (!port_parse_number(parser, part, space, &range))
			return false;
	} else if (!part_is(part, byte_is_name) || part->length > POLICY_NAME_MAX) {
		return part_report(
			parser, part, space->form, "'%s' is no port", part_quote(part).text);
	} else if (object->kind == OBJECT_VSOCK) {
		return part_report(parser, part, "write a number: vsock has no services",
			"'%s' is no port", part_quote(part).text);
	} else {
		range.name = set_name(parser->set,
			object->kind == OBJECT_TCP ? POLICY_NAME_SERVICE_TCP
						   : POLICY_NAME_SERVICE_UDP,
			bytes, part->length);
		if (range.name == NONE)
			return false;
	}
	return range_add(parser, object, &range);
}

static bool ports_parse(
	struct parser *parser, const struct word *word, uint32_t first, struct object *object)
{
	for (uint32_t at = first; at <= word->length;) {
		uint32_t comma = word_find(word, at, ',');
		const struct part part = {word, at, comma - at};
		if (!port_parse(parser, &part, object))
			return false;
		at = comma + 1;
	}
	if (object->range_count <= POLICY_PORTS_MAX)
		return true;
	report_word(parser, word, "write ranges", "more than %u ports", POLICY_PORTS_MAX);
	return false;
}

bool endpoint_parse(
	struct parser *parser, const struct word *word, bool is_bind, struct object *object)
{
	uint32_t first = 4; /* after "tcp:" or "udp:" */
	uint32_t colon = word->length;
	if (first < word->length && word->bytes[first] == '[') {
		uint32_t close = word_find(word, first, ']');
		if (close == word->length)
			return part_report(parser,
				&(struct part){word, first, word->length - first},
				"close it before the port: [...]:PORT", "'%s' has '[' without ']'",
				part_quote(&(struct part){word, first, word->length - first}).text);
		colon = word_find(word, close, ':');
		if (colon == word->length)
			return part_report(parser,
				&(struct part){word, first, word->length - first},
				"write a colon and the port after the address",
				"'%s' stands where a port belongs",
				part_quote(&(struct part){word, first, word->length - first}).text);
	} else {
		for (uint32_t at = first; at < word->length; at++)
			colon = word->bytes[at] == ':' ? at : colon;
	}
	if (colon == word->length)
		return ports_parse(parser, word, first, object);
	const struct part host = {word, first, colon - first};
	return host_parse(parser, &host, is_bind, &object->address) &&
	       ports_parse(parser, word, colon + 1, object);
}

/* Before it is bound a socket has no port, so nothing less can be granted of it. */
static bool vsock_check_socket(
	struct parser *parser, const struct word *word, const struct object *object)
{
	uint32_t first = word_find(word, word_find(word, 0, ':') + 1, ':') + 1;
	const struct part ports = {word, first, word->length - first};
	if (object->address.family == PLACE_ANY && part_is_star(&ports))
		return true;
	report_word(parser, word, "write socket vsock:*:*, and bind or connect with the port",
		"a vsock socket has no port yet when it is made");
	return false;
}

bool vsock_parse(
	struct parser *parser, const struct word *word, bool is_socket, struct object *object)
{
	uint32_t first = 6; /* after "vsock:" */
	uint32_t colon = word_find(word, first, ':'), id;
	const struct part host = {word, first, colon - first};
	if (!part_is_star(&host)) {
		if (!number_parse(part_bytes(&host), host.length, UINT32_MAX, &id))
			return part_report(parser, &host, "write vsock:*:PORT or vsock:CID:PORT",
				"'%s' is no context id", part_quote(&host).text);
		id = htonl(id);
		object->address.family = POLICY_CID;
		object->address.prefix = 32;
		memcpy(object->address.bytes, &id, sizeof(id));
	}
	if (colon == word->length)
		return part_report(parser, &host, "write vsock:*:PORT or vsock:CID:PORT",
			"a port is missing after '%s'", part_quote(&host).text);
	return ports_parse(parser, word, colon + 1, object) &&
	       (!is_socket || vsock_check_socket(parser, word, object));
}

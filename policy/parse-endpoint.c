/* SPDX-License-Identifier: MIT */
/*
 * Network endpoints. An address is taken only when it is written out and says what it means: no
 * short forms, no host bits below a prefix, no name where the kernel will see an address.
 */
#include "parse.h"

#include "language.h"

#include <arpa/inet.h>

static bool byte_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool byte_is_name(char byte)
{
	return byte_is_digit(byte) || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '.' ||
	       byte == '+';
}

static bool text_is(const char *bytes, uint32_t length, bool (*accept)(char byte))
{
	for (uint32_t i = 0; i < length; i++) {
		if (!accept(bytes[i]))
			return false;
	}
	return length > 0;
}

static bool byte_is_ipv4(char byte)
{
	return byte_is_digit(byte) || byte == '.';
}

/* A stretch of a word that an error points at. */
struct part {
	const struct word *word;
	uint32_t first, length;
};

static const char *part_bytes(const struct part *part)
{
	return part->word->bytes + part->first;
}

static struct quoted part_quote(const struct part *part)
{
	return text_quote(part_bytes(part), part->length);
}

__attribute__((format(printf, 4, 5))) static bool part_report(
	struct parser *parser, const struct part *part, const char *remedy, const char *format, ...)
{
	struct span where = word_part(parser->set, part->word, part->first, part->length);
	va_list arguments;
	va_start(arguments, format);
	set_vreport(parser->set, POLICY_ERROR, &where, remedy, format, arguments);
	va_end(arguments);
	return false;
}

static bool port_parse_number(
	struct parser *parser, const struct part *part, struct port_range *range)
{
	const char *bytes = part_bytes(part);
	const char *dash = memchr(bytes, '-', part->length);
	uint32_t first_length = dash ? (uint32_t)(dash - bytes) : part->length;
	uint32_t first, last;
	if (!number_parse(bytes, first_length, UINT16_MAX, &first))
		return part_report(parser, part, "ports go from 0 to 65535", "'%s' is no port",
			part_quote(part).text);
	last = first;
	if (dash && !number_parse(dash + 1, part->length - first_length - 1, UINT16_MAX, &last))
		return part_report(parser, part, "write FIRST-LAST, up to 65535",
			"'%s' is no range of ports", part_quote(part).text);
	if (dash && first == 0)
		return part_report(parser, part,
			"0 means any free port and stands alone: write 0,1-LAST, or 1-LAST",
			"the range '%s' begins with port 0", part_quote(part).text);
	if (last < first)
		return part_report(parser, part, "write the lower port first",
			"the range '%s' is reversed", part_quote(part).text);
	range->first = (uint16_t)first;
	range->last = (uint16_t)last;
	return true;
}

static bool port_parse(struct parser *parser, const struct part *part, enum object_kind kind)
{
	const char *bytes = part_bytes(part);
	struct port_range range = {.service = NONE,
		.where = word_part(parser->set, part->word, part->first, part->length)};
	if (!part->length)
		return part_report(parser, part, "write a number, FIRST-LAST, a service or *",
			"a port is missing");
	if (part->length == 1 && word_has(part->word, part->first, '*')) {
		range.last = UINT16_MAX;
	} else if (byte_is_digit(bytes[0]) && text_is(bytes, part->length, byte_is_ipv4) &&
		   memchr(bytes, '.', part->length)) {
		return part_report(parser, part, "write a colon and the port after the address",
			"'%s' stands where a port belongs", part_quote(part).text);
	} else if (byte_is_digit(bytes[0])) {
		if (!port_parse_number(parser, part, &range))
			return false;
	} else if (!text_is(bytes, part->length, byte_is_name) || part->length > POLICY_NAME_MAX) {
		return part_report(parser, part, "write a number, FIRST-LAST, a service or *",
			"'%s' is no port", part_quote(part).text);
	} else if (kind != OBJECT_VSOCK) {
		range.service = set_name(parser->set,
			kind == OBJECT_TCP ? POLICY_NAME_SERVICE_TCP : POLICY_NAME_SERVICE_UDP,
			bytes, part->length);
	}
	struct port_range *added = set_append(parser->set, ports);
	if (added)
		*added = range;
	return added != NULL;
}

static bool ports_parse(
	struct parser *parser, const struct word *word, uint32_t first, struct object *object)
{
	object->first_port = parser->set->ports.count;
	for (uint32_t at = first; at <= word->length;) {
		uint32_t comma = word_find(word, at, ',');
		const struct part part = {word, at, comma - at};
		if (!port_parse(parser, &part, object->kind))
			return false;
		at = comma + 1;
	}
	object->port_count = parser->set->ports.count - object->first_port;
	if (object->port_count <= POLICY_PORTS_MAX)
		return true;
	report_word(parser, word, "write ranges", "more than %u ports", POLICY_PORTS_MAX);
	return false;
}

/* Bits below the prefix would be ignored, and whoever wrote them meant something else. */
static bool address_check_host_bits(
	struct parser *parser, const struct part *part, const struct address *address)
{
	uint8_t masked[16];
	uint32_t size = address->family == 4 ? 4 : 16;
	bool has_host_bits = false;
	for (uint32_t i = 0; i < size; i++) {
		uint32_t kept = address->prefix > i * 8 ? address->prefix - i * 8 : 0;
		uint8_t mask = (uint8_t)(kept >= 8 ? 0xff : 0xff00u >> kept);
		masked[i] = address->bytes[i] & mask;
		has_host_bits = has_host_bits || masked[i] != address->bytes[i];
	}
	if (!has_host_bits)
		return true;
	char text[INET6_ADDRSTRLEN], remedy[96];
	bool is_v4 = address->family == 4;
	if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, masked, text, sizeof(text)))
		text[0] = '\0';
	snprintf(remedy, sizeof(remedy), "write %s%s%s/%u, or the address without a prefix",
		is_v4 ? "" : "[", text, is_v4 ? "" : "]", address->prefix);
	return part_report(
		parser, part, remedy, "'%s' has bits below its prefix", part_quote(part).text);
}

/* ::ffff:1.2.3.4 is 1.2.3.4 to the kernel. */
static void address_unmap(struct address *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (address->family != 6 || address->prefix < 96 ||
		memcmp(address->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memmove(address->bytes, address->bytes + 12, 4);
	memset(address->bytes + 4, 0, 12);
	address->family = 4;
	address->prefix = (uint8_t)(address->prefix - 96);
}

/* The digits after a slash; `at` is the slash or the end of the host. */
static bool prefix_parse(struct parser *parser, const struct part *host, uint32_t at, uint32_t most,
	struct address *address)
{
	uint32_t end = host->first + host->length, prefix = most;
	const char *bytes = host->word->bytes;
	if (at < end &&
		(bytes[at] != '/' || !number_parse(bytes + at + 1, end - at - 1, most, &prefix)))
		return part_report(parser, &(struct part){host->word, at, end - at},
			most == 32 ? "write /0 to /32" : "write /0 to /128", "'%s' is no prefix",
			part_quote(&(struct part){host->word, at, end - at}).text);
	address->prefix = (uint8_t)prefix;
	return address_check_host_bits(parser, host, address);
}

static bool ipv4_parse(struct parser *parser, const struct part *host, struct address *address)
{
	char text[INET_ADDRSTRLEN] = "";
	const char *bytes = part_bytes(host);
	const char *slash = memchr(bytes, '/', host->length);
	uint32_t length = slash ? (uint32_t)(slash - bytes) : host->length;
	if (length < sizeof(text))
		memcpy(text, bytes, length);
	if (inet_pton(AF_INET, text, address->bytes) != 1)
		return part_report(parser, host, "write all four numbers, as in 127.0.0.1",
			"'%s' is no IPv4 address", part_quote(host).text);
	address->family = 4;
	return prefix_parse(parser, host, host->first + length, 32, address);
}

static bool interface_parse(struct parser *parser, const struct part *part, struct address *address)
{
	if (part->length && part->length <= POLICY_INTERFACE_MAX &&
		!memchr(part_bytes(part), '/', part->length)) {
		address->interface = set_name(
			parser->set, POLICY_NAME_INTERFACE, part_bytes(part), part->length);
		return address->interface != NONE;
	}
	return part_report(parser, part, "interfaces have names of 1 to 15 bytes",
		"'%s' is no name of an interface", part_quote(part).text);
}

/* "[" IPV6 [ "%" IF ] "]" [ "/" N ] */
static bool ipv6_parse(struct parser *parser, const struct part *host, struct address *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	const char *bytes = host->word->bytes;
	uint32_t close = word_find(host->word, host->first, ']'), first = host->first + 1;
	uint32_t percent = word_find(host->word, first, '%');
	uint32_t end = percent < close ? percent : close;
	if (end - first < sizeof(text))
		memcpy(text, bytes + first, end - first);
	if (inet_pton(AF_INET6, text, address->bytes) != 1)
		return part_report(parser, host, "write it as in [2001:db8::1]",
			"'%s' is no IPv6 address", part_quote(host).text);
	address->family = 6;
	if (end == percent &&
		!interface_parse(parser,
			&(struct part){host->word, percent + 1, close - percent - 1}, address))
		return false;
	if (!prefix_parse(parser, host, close + 1, 128, address))
		return false;
	address_unmap(address);
	return true;
}

static bool dns_name_check(struct parser *parser, const struct part *host)
{
	const char *bytes = part_bytes(host);
	uint32_t at = host->length > 2 && memcmp(bytes, "*.", 2) == 0 ? 2 : 0;
	uint32_t label = 0;
	for (; at < host->length; at++) {
		label = bytes[at] == '.' ? 0 : label + 1;
		if (!byte_is_name(bytes[at]) || bytes[at] == '+' || label > 63 ||
			(bytes[at] == '.' && (at == 0 || bytes[at - 1] == '.')))
			break;
	}
	if (host->length && at == host->length && host->length <= 253)
		return true;
	return part_report(parser, host, "write *, an IPv4 address, [an IPv6 address] or a name",
		"'%s' is no host", part_quote(host).text);
}

static bool host_parse(
	struct parser *parser, const struct part *host, bool is_bind, struct address *address)
{
	const char *bytes = part_bytes(host);
	if (host->length == 1 && word_has(host->word, host->first, '*'))
		return true;
	if (host->length && bytes[0] == '[')
		return ipv6_parse(parser, host, address);
	if (memchr(bytes, ':', host->length))
		return part_report(parser, host, "write it in brackets, as in tcp:[2001:db8::1]:80",
			"the IPv6 address '%s' has no brackets", part_quote(host).text);
	const char *slash = memchr(bytes, '/', host->length);
	if (slash || text_is(bytes, host->length, byte_is_ipv4))
		return ipv4_parse(parser, host, address);
	if (!dns_name_check(parser, host))
		return false;
	if (is_bind)
		return part_report(parser, host, "write the address, or * for all",
			"bind takes an address, and '%s' is a name", part_quote(host).text);
	return true;
}

bool endpoint_parse(
	struct parser *parser, const struct word *word, bool is_bind, struct object *object)
{
	uint32_t first = 4; /* after "tcp:" or "udp:" */
	object->address.interface = NONE;
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

static bool vsock_parse(struct parser *parser, const struct word *word, struct object *object)
{
	uint32_t colon = word_find(word, 6, ':'), number;
	const struct part host = {word, 6, colon - 6};
	bool is_star = host.length == 1 && word_has(word, 6, '*');
	if (!is_star && !number_parse(part_bytes(&host), host.length, UINT32_MAX, &number))
		return part_report(parser, &host, "write vsock:*:PORT or vsock:CID:PORT",
			"'%s' is no context id", part_quote(&host).text);
	if (colon == word->length)
		return part_report(parser, &host, "write vsock:*:PORT or vsock:CID:PORT",
			"a port is missing after '%s'", part_quote(&host).text);
	return ports_parse(parser, word, colon + 1, object);
}

bool other_endpoint_parse(struct parser *parser, const struct word *word, enum object_kind kind)
{
	if (kind == OBJECT_ICMP || kind == OBJECT_ICMP6)
		return true;
	uint32_t first = word_find(word, 0, ':') + 1;
	const struct part rest = {word, first, word->length - first};
	struct object object = {.kind = kind, .address.interface = NONE};
	if (kind == OBJECT_UNIX)
		return pattern_parse(parser->set, word, first, rest.length, &object.pattern);
	if (kind == OBJECT_VSOCK)
		return vsock_parse(parser, word, &object);
	if (kind == OBJECT_HOST)
		return host_parse(parser, &rest, false, &object.address);
	if (text_is(part_bytes(&rest), rest.length, byte_is_name) ||
		(rest.length == 1 && word_has(word, first, '*')))
		return true;
	return part_report(parser, &rest, "write a name after the colon", "'%s' is no name",
		part_quote(&rest).text);
}

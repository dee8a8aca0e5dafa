/* SPDX-License-Identifier: MIT */
/*
 * Addresses, names of hosts and of interfaces. An address is taken only when it is written out and
 * says what it means: no short forms, no host bits below a prefix, no name where the kernel will
 * see an address.
 */
#include "parse.h"

#include "lookup.h"

#include <arpa/inet.h>

static bool byte_is_ipv4(char byte)
{
	return byte_is_digit(byte) || byte == '.';
}

bool address_mask(struct address *address)
{
	uint32_t size = address->family == 4 ? 4 : 16;
	bool has_host_bits = false;
	for (uint32_t i = 0; i < size; i++) {
		uint32_t kept = address->prefix > i * 8 ? address->prefix - i * 8 : 0;
		uint8_t mask = (uint8_t)(kept >= 8 ? 0xff : 0xff00u >> kept);
		has_host_bits = has_host_bits || (address->bytes[i] & ~mask);
		address->bytes[i] &= mask;
	}
	return has_host_bits;
}

/* Bits below the prefix would be ignored, and whoever wrote them meant something else. */
static bool address_check_host_bits(
	struct parser *parser, const struct part *part, const struct address *address)
{
	struct address masked = *address;
	if (!address_mask(&masked))
		return true;
	char text[INET6_ADDRSTRLEN], remedy[96];
	bool is_v4 = address->family == 4;
	if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, masked.bytes, text, sizeof(text)))
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
		return part_report(parser, host,
			"write four numbers from 0 to 255, as in 127.0.0.1",
			"'%s' is no IPv4 address", part_quote(host).text);
	address->family = 4;
	return prefix_parse(parser, host, host->first + length, 32, address);
}

/* dev_valid_name() of net/core/dev.c; in place of "%d" the kernel would put a number. */
static bool byte_is_device(char byte)
{
	return (uint8_t)byte > ' ' && byte != 0x7f && !strchr("/:%", byte);
}

bool device_check(struct parser *parser, const struct part *part)
{
	for (uint32_t i = 0; i < part->length; i++) {
		if (word_has(part->word, part->first + i, '*'))
			return part_report(parser, part,
				"write the whole name; there are no wildcards in it",
				"'%s' is no name of an interface", part_quote(part).text);
	}
	/* The kernel would take it, but nobody has such a name, and every list looks like one. */
	if (memchr(part_bytes(part), ',', part->length))
		return part_report(parser, part,
			"each is an object of its own; no name has a comma",
			"'%s' is no name of an interface", part_quote(part).text);
	if (part_is(part, byte_is_device) && part->length <= POLICY_INTERFACE_MAX)
		return true;
	return part_report(parser, part,
		"interfaces have names of 1 to 15 bytes, without blanks, '/', ':' and '%'",
		"'%s' is no name of an interface", part_quote(part).text);
}

static bool interface_parse(struct parser *parser, const struct part *part, struct address *address)
{
	if (!device_check(parser, part))
		return false;
	address->interface_where = word_part(parser->set, part->word, part->first, part->length);
	address->interface =
		set_name(parser->set, POLICY_NAME_INTERFACE, part_bytes(part), part->length);
	return address->interface != NONE;
}

/* What is between `first` and `end`, without a byte that would end it before. */
static bool ipv6_read(const struct word *word, uint32_t first, uint32_t end, uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN] = "";
	if (end - first < sizeof(text))
		memcpy(text, word->bytes + first, end - first);
	return inet_pton(AF_INET6, text, bytes) == 1;
}

/* [2001:db8::1/64] for [2001:db8::]/64; `slash` stands before `close`. Always false. */
static bool ipv6_report_prefix_inside(
	struct parser *parser, const struct part *host, uint32_t slash, uint32_t close)
{
	const struct word *word = host->word;
	uint32_t first = host->first + 1, percent = word_find(word, first, '%'), prefix;
	uint32_t end = percent < slash ? percent : slash;
	struct address address = {.family = POLICY_IPV6};
	char text[INET6_ADDRSTRLEN], remedy[192] = "write it behind the bracket: [2001:db8::]/64";
	if (ipv6_read(word, first, end, address.bytes) &&
		number_parse(word->bytes + slash + 1, close - slash - 1, 128, &prefix)) {
		address.prefix = (uint8_t)prefix;
		address_mask(&address);
		if (inet_ntop(AF_INET6, address.bytes, text, sizeof(text)))
			snprintf(remedy, sizeof(remedy), "write it behind the bracket: [%s%s]/%u",
				text, text_quote(word->bytes + end, slash - end).text, prefix);
	}
	return part_report(parser, &(struct part){word, slash, close - slash}, remedy,
		"the prefix '%s' is inside the brackets",
		text_quote(word->bytes + slash, close - slash).text);
}

/* Says what is wrong with what stands in brackets. Always false. */
static bool ipv6_report(
	struct parser *parser, const struct part *host, uint32_t first, uint32_t close)
{
	char text[INET_ADDRSTRLEN] = "";
	uint8_t bytes[4];
	if (close - first < sizeof(text))
		memcpy(text, host->word->bytes + first, close - first);
	bool is_v4 = inet_pton(AF_INET, text, bytes) == 1;
	return part_report(parser, host,
		is_v4 ? "write an IPv4 address without brackets" : "write it as in [2001:db8::1]",
		"'%s' is no IPv6 address", part_quote(host).text);
}

/* "[" IPV6 [ "%" IF ] "]" [ "/" N ] */
static bool ipv6_parse(struct parser *parser, const struct part *host, struct address *address)
{
	uint32_t close = word_find(host->word, host->first, ']'), first = host->first + 1;
	uint32_t percent = word_find(host->word, first, '%');
	uint32_t slash = word_find(host->word, first, '/');
	uint32_t end = percent < close ? percent : close;
	if (close >= host->first + host->length)
		return part_report(parser, host, "close it, as in [2001:db8::1]",
			"'%s' has '[' without ']'", part_quote(host).text);
	if (slash < close)
		return ipv6_report_prefix_inside(parser, host, slash, close);
	if (!ipv6_read(host->word, first, end, address->bytes))
		return ipv6_report(parser, host, first, close);
	address->family = 6;
	if (end == percent &&
		!interface_parse(parser,
			&(struct part){host->word, percent + 1, close - percent - 1}, address))
		return false;
	if (!prefix_parse(parser, host, close + 1, 128, address))
		return false;
	if (end == percent && !ipv6_has_scope(address->bytes))
		return part_report(parser, &(struct part){host->word, percent, close - percent},
			"leave it out: the kernel heeds an interface of link-local addresses alone",
			"'%s' is not link-local", part_quote(host).text);
	address_unmap(address);
	return true;
}

/* RFC 1123, 2.1: a name that ends in a number would be taken for an address. */
static bool label_is_number(const char *label, const char *end)
{
	bool is_hex = end - label > 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
	for (label += is_hex ? 2 : 0; label < end; label++) {
		char lower = (char)(*label | 0x20);
		if (!byte_is_digit(*label) && !(is_hex && lower >= 'a' && lower <= 'f'))
			return false;
	}
	return true;
}

/* Whether it is labels with dots between them. */
static bool name_is_host(const char *name, const char *end)
{
	const char *label = name;
	if (end - name > (ptrdiff_t)POLICY_HOST_MAX)
		return false;
	for (const char *at = name; at < end; at++) {
		if (!byte_is_name(*at) || *at == '+')
			return false;
		if (*at == '.' && at == label)
			return false;
		label = *at == '.' ? at + 1 : label;
		if (at - label >= (ptrdiff_t)POLICY_LABEL_MAX)
			return false;
	}
	return label < end && !label_is_number(label, end);
}

/* In lower case, as requests are compared with it. */
static const char *name_copy(struct policy_set *set, const char *name, uint32_t length)
{
	char *copy = set_copy(set, name, length);
	for (char *at = copy; at && *at; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
	return copy;
}

/* A name, without its last dot. */
static bool name_parse(struct parser *parser, const struct part *host, struct address *address)
{
	const char *bytes = part_bytes(host);
	bool is_label =
		host->length > 2 && word_has(host->word, host->first, '*') && bytes[1] == '.';
	const char *name = bytes + (is_label ? 2 : 0), *end = bytes + host->length;
	if (end - name > 1 && end[-1] == '.')
		end--;
	if (!name_is_host(name, end))
		return part_report(parser, host,
			"write *, an IPv4 address, [an IPv6 address], a name or *.NAME",
			"'%s' is no host", part_quote(host).text);
	address->family = is_label ? PLACE_LABEL : PLACE_NAME;
	address->name_length = (uint32_t)(end - name);
	address->name = parser->set ? name_copy(parser->set, name, address->name_length) : name;
	return address->name != NULL;
}

/* Where a port begins, at its colon, that must not be there; 0: nowhere. */
static uint32_t host_find_port(const struct part *host)
{
	const struct word *word = host->word;
	uint32_t end = host->first + host->length;
	bool is_bracketed = host->length && word->bytes[host->first] == '[';
	uint32_t from = is_bracketed ? word_find(word, host->first, ']') : host->first;
	uint32_t colon = word_find(word, from, ':');
	/* Two colons without brackets are an IPv6 address, and so is what begins with one. */
	if (colon >= end || colon == host->first ||
		(!is_bracketed && word_find(word, colon + 1, ':') < end))
		return 0;
	return colon;
}

/* What is written as elsewhere: HOST:PORT, //HOST. */
static bool host_check_form(struct parser *parser, const struct part *host)
{
	uint32_t colon = host_find_port(host);
	if (host->length > 1 && memcmp(part_bytes(host), "//", 2) == 0)
		return part_report(parser, &(struct part){host->word, host->first, 2},
			"leave out the //", "a host begins with '//'");
	if (!colon)
		return true;
	const struct part port = {host->word, colon, host->first + host->length - colon};
	return part_report(parser, &port, "leave it out: a host has no port of its own",
		"'%s' after a host", part_quote(&port).text);
}

bool host_parse(
	struct parser *parser, const struct part *host, bool is_bind, struct address *address)
{
	const char *bytes = part_bytes(host);
	if (part_is_star(host))
		return true;
	if (!host_check_form(parser, host))
		return false;
	if (host->length && bytes[0] == '[')
		return ipv6_parse(parser, host, address);
	if (memchr(bytes, ':', host->length))
		return part_report(parser, host, "write it in brackets, as in [2001:db8::1]",
			"the IPv6 address '%s' has no brackets", part_quote(host).text);
	if (memchr(bytes, '/', host->length) || part_is(host, byte_is_ipv4))
		return ipv4_parse(parser, host, address);
	if (!name_parse(parser, host, address))
		return false;
	if (is_bind)
		return part_report(parser, host, "write the address, or * for all",
			"bind takes an address, and '%s' is a name", part_quote(host).text);
	return true;
}

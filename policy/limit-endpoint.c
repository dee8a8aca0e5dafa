/* SPDX-License-Identifier: MIT */
/*
 * Endpoints of limits: they are read by the parser of policies, without a set, and compared with
 * what is asked for as the compiled tables would. Must never let through what those would not.
 */
#include "limit-line.h"
#include "lookup.h"
#include "parse.h"

/* The others with names have those of devices. */
#define NAMED_HOSTS (OBJECTS_NETWORK | KIND_BIT(OBJECT_HOST))

/* How each is written, for who has written it in another way. */
static const char *const forms[OBJECT_KIND_COUNT] = {
	[OBJECT_TCP] = "write tcp:[HOST:]PORTS: * or an address, names only for connect; ports are "
		       "numbers, FIRST-LAST or *; a limit cannot name services or interfaces",
	[OBJECT_UDP] = "write udp:[HOST:]PORTS: * or an address, names only for connect; ports are "
		       "numbers, FIRST-LAST or *; a limit cannot name services or interfaces",
	[OBJECT_VSOCK] = "write vsock:CID:PORTS in numbers or with *, for socket vsock:*:*",
	[OBJECT_HOST] = "write host: and *, an address, a name or *.NAME; a limit cannot name "
			"interfaces",
	[OBJECT_RAW] = "write raw:* or raw:NUMBER; a limit cannot name protocols",
	[OBJECT_NETLINK] = "write netlink:* or netlink:FAMILY, as in netlink(7)",
	[OBJECT_TUN] = "write tun:* or the whole name of a device",
	[OBJECT_TAP] = "write tap:* or the whole name of a device",
	[OBJECT_SETTING] = "write the option of a socket and its value, FIRST-LAST or *, as in "
			   "priority=0-6",
	[OBJECT_CREDENTIAL] = "a limit cannot name credentials: leave the line out",
};

static bool name_equals(const char *name, const char *lower, uint32_t length, bool is_host)
{
	for (uint32_t i = 0; i < length; i++) {
		char byte = is_host ? byte_lower(name[i]) : name[i];
		if (byte != lower[i])
			return false;
	}
	return true;
}

static bool name_covers(const struct address *address, const struct asked *asked, bool is_host)
{
	const char *name = asked->name;
	uint32_t length = asked->name_length;
	if (address->family == PLACE_LABEL) {
		const char *dot = memchr(name, '.', length);
		if (!dot)
			return false;
		length -= (uint32_t)(dot + 1 - name);
		name = dot + 1;
	}
	return length && length == address->name_length &&
	       name_equals(address->name, name, length, is_host);
}

/* All addresses at once are covered only by what covers all, or names just that. */
static bool address_covers(const struct address *address, const struct asked *asked)
{
	struct address masked = {.family = address->family, .prefix = address->prefix};
	uint8_t most = asked->family == POLICY_IPV6 ? 128 : 32;
	memcpy(masked.bytes, asked->address, sizeof(masked.bytes));
	address_mask(&masked);
	return address->family == asked->family &&
	       memcmp(masked.bytes, address->bytes, sizeof(masked.bytes)) == 0 &&
	       (address->prefix == 0 || address->prefix == most || !asked_is_unspecified(asked));
}

static bool object_covers(const struct object *object, const struct asked *asked)
{
	const struct address *address = &object->address;
	bool is_named = address->family == PLACE_NAME || address->family == PLACE_LABEL;
	if (object->endpoint != asked->kind || asked->is_malformed)
		return false;
	if (address->family == PLACE_ANY)
		return true;
	if (is_named)
		return asked->family == POLICY_NO_ADDRESS &&
		       name_covers(address, asked, KIND_BIT(object->kind) & NAMED_HOSTS);
	return asked->family != POLICY_NO_ADDRESS && address_covers(address, asked);
}

bool limit_endpoint_read(const struct limit_line *line, const struct asked *asked,
	uint32_t *permitted, const char **why)
{
	struct parser parser = {.sought = asked ? asked->number : 0};
	struct object object = {.kind = line->kind,
		.endpoint = object_words[line->kind].endpoint,
		.address.interface = NONE};
	*permitted = 0;
	*why = forms[line->kind];
	if (line->kind == OBJECT_CREDENTIAL ||
		!object_parse_kind(&parser, line->named, &line->word, &object))
		return false;
	if (asked && object_covers(&object, asked) && (parser.is_found || !object.range_count))
		*permitted = line->granted;
	return true;
}

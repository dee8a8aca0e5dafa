/* SPDX-License-Identifier: MIT */
/*
 * Endpoints of limits: they are read by the parser of policies, without a set, and compared with
 * what is asked for as the compiled tables would. Must never let through what those would not.
 */
#include "cover-endpoint.h"
#include "limit-line.h"
#include "parse.h"

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
	if (asked && object.endpoint == asked->kind && object_covers_host(&object, asked) &&
		(parser.is_found || !object.range_count))
		*permitted = line->granted;
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * The objects of the audit log (fdbrokerd(8)), read strictly. Host names, services and devices are
 * a client's bytes, in which everything may stand: what is not plainly a name is refused, for in a
 * rule a star or a comma in it would mean more.
 */
#include "wanted.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "audit-log.h"
#include "write.h"

#define ENDPOINT_VERBS                                                                             \
	(POLICY_BIT(POLICY_BIND) | POLICY_BIT(POLICY_CONNECT) | POLICY_BIT(POLICY_SOCKET) |        \
		POLICY_BIT(POLICY_OPTION) | POLICY_BIT(POLICY_RESOLVE))

static const char no_word[] = "no rule can be suggested for it";
static const char no_port[] = "its port is none, or a service that this machine does not know";
static const char no_host[] = "its host is no address and no name that a rule can have";

/* A stretch of the object. */
struct part {
	const char *bytes;
	size_t length;
};

static bool part_is(const struct part *part, const char *word)
{
	return part->length == strlen(word) && memcmp(part->bytes, word, part->length) == 0;
}

static bool part_has_only(const struct part *part, const char *accepted)
{
	for (size_t i = 0; i < part->length; i++) {
		if (part->bytes[i] == '\0' || strchr(accepted, part->bytes[i]) == NULL)
			return false;
	}
	return part->length > 0;
}

static bool part_copy(const struct part *part, char *text, size_t size)
{
	if (part->length >= size || memchr(part->bytes, '\0', part->length) != NULL)
		return false;
	memcpy(text, part->bytes, part->length);
	text[part->length] = '\0';
	return true;
}

static bool part_number(const struct part *part, uint32_t most, uint32_t *number)
{
	const struct audit_text text = {part->bytes, part->length};
	int64_t value;

	if (!audit_text_number(&text, most, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

static void stem_set(struct wanted *wanted, const char *prefix, const char *text, const char *after)
{
	snprintf(wanted->stem, sizeof(wanted->stem), "%s%s%s", prefix, text, after);
}

/* ---- hosts ---- */

/* [ADDRESS] or [ADDRESS%INDEX]; rules have the name of the interface, which it has now. */
static bool ipv6_read(struct wanted *wanted, const struct part *host, char *text, size_t size)
{
	struct policy_endpoint *endpoint = &wanted->endpoint;
	char address[INET6_ADDRSTRLEN], interface[IF_NAMESIZE] = "";
	struct part inside = {host->bytes + 1, host->length - 2}, scope = {NULL, 0};
	const char *percent;

	if (host->length < 2 || host->bytes[host->length - 1] != ']')
		return false;
	percent = memchr(inside.bytes, '%', inside.length);
	if (percent != NULL) {
		scope = (struct part){percent + 1, inside.length};
		inside.length = (size_t)(percent - inside.bytes);
		scope.length -= inside.length + 1;
		if (!part_number(&scope, UINT32_MAX, &endpoint->scope) ||
			if_indextoname(endpoint->scope, interface) == NULL)
			return false;
	}
	if (!part_copy(&inside, address, sizeof(address)) ||
		inet_pton(AF_INET6, address, endpoint->address) != 1)
		return false;
	endpoint->family = POLICY_IPV6;
	snprintf(text, size, "[%s%s%s]", address, percent != NULL ? "%" : "", interface);
	return true;
}

/* A name as rules have it: in lower case, without the last dot. */
static bool name_read(struct wanted *wanted, const struct part *host, char *text, size_t size)
{
	size_t length = host->length;

	if (!part_has_only(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "-_.") ||
		length > POLICY_HOST_MAX || length >= size)
		return false;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)tolower((unsigned char)host->bytes[i]);
	if (length > 1 && text[length - 1] == '.')
		length--;
	text[length] = '\0';
	wanted->endpoint.name = host->bytes;
	wanted->endpoint.name_length = host->length;
	return true;
}

static bool host_read(struct wanted *wanted, const struct part *host, char *text, size_t size)
{
	if (host->length > 0 && host->bytes[0] == '[')
		return ipv6_read(wanted, host, text, size);
	if (part_has_only(host, "0123456789.") && part_copy(host, text, size) &&
		inet_pton(AF_INET, text, wanted->endpoint.address) == 1) {
		wanted->endpoint.family = POLICY_IPV4;
		return true;
	}
	return name_read(wanted, host, text, size);
}

/* ---- tcp and udp ---- */

static bool service_find(const struct part *port, const char *protocol, uint32_t *number)
{
	struct servent *service;
	char name[POLICY_NAME_MAX + 1];

	if (!part_copy(port, name, sizeof(name)))
		return false;
	service = getservbyname(name, protocol);
	if (service == NULL)
		return false;
	*number = ntohs((uint16_t)service->s_port);
	return true;
}

/* Bound to [::], a socket is bound to 0.0.0.0 too, and only `*` is both in one word. */
static bool bind_is_to_all(const struct wanted *wanted, const struct part *host)
{
	static const uint8_t zero[16];
	const struct policy_endpoint *endpoint = &wanted->endpoint;

	if ((wanted->verbs & POLICY_BIT(POLICY_BIND)) == 0)
		return false;
	return part_is(host, "*") || (endpoint->family == POLICY_IPV6 &&
					     memcmp(endpoint->address, zero, sizeof(zero)) == 0);
}

/*
 * "tcp:NAME:PORT (ADDRESS)": what the name led to is such that a rule by name does not serve it, and
 * it needs one by its address (fdbroker.policy(5)).
 */
static bool address_behind(struct wanted *wanted, struct part *ports, char *text, size_t size)
{
	const char *blank = memchr(ports->bytes, ' ', ports->length);
	struct part address;
	char plain[INET6_ADDRSTRLEN];
	bool is_ipv6;

	if (blank == NULL)
		return true;
	address = (struct part){blank + 2, ports->length - (size_t)(blank + 2 - ports->bytes)};
	if (ports->bytes[ports->length - 1] != ')' || address.length < 2 || blank[1] != '(')
		return false;
	address.length--;
	ports->length = (size_t)(blank - ports->bytes);
	is_ipv6 = memchr(address.bytes, ':', address.length) != NULL;
	wanted->endpoint.name = NULL;
	wanted->endpoint.name_length = 0;
	wanted->endpoint.family = is_ipv6 ? POLICY_IPV6 : POLICY_IPV4;
	if (!part_copy(&address, plain, sizeof(plain)) ||
		inet_pton(is_ipv6 ? AF_INET6 : AF_INET, plain, wanted->endpoint.address) != 1)
		return false;
	snprintf(text, size, is_ipv6 ? "[%s]" : "%s", plain);
	wanted->wider = "by whatever name it is asked for: a name in the log led to this address";
	return true;
}

static const char *ip_read(struct wanted *wanted, const struct part *rest)
{
	const char *kind = policy_kind_name(wanted->endpoint.kind),
		   *end = rest->bytes + rest->length;
	const char *colon = memrchr(rest->bytes, ':', rest->length), *blank;
	char host_text[POLICY_HOST_MAX + 3], prefix[8];
	struct part host, port;

	/* In parentheses stands an address, which may have colons. */
	blank = memmem(rest->bytes, rest->length, " (", 2);
	if (blank != NULL)
		colon = memrchr(rest->bytes, ':', (size_t)(blank - rest->bytes));
	if (colon == NULL)
		return no_port;
	host = (struct part){rest->bytes, (size_t)(colon - rest->bytes)};
	port = (struct part){colon + 1, (size_t)(end - colon - 1)};
	if (part_is(&host, "*") && bind_is_to_all(wanted, &host))
		wanted->endpoint.family = POLICY_IPV6;
	else if (!host_read(wanted, &host, host_text, sizeof(host_text)))
		return no_host;
	if (!address_behind(wanted, &port, host_text, sizeof(host_text)))
		return no_word;
	if (!part_number(&port, UINT16_MAX, &wanted->endpoint.number) &&
		!service_find(&port, kind, &wanted->endpoint.number))
		return no_port;
	snprintf(prefix, sizeof(prefix), "%s:", kind);
	wanted->has_port = true;
	if (bind_is_to_all(wanted, &host)) {
		stem_set(wanted, prefix, "", "");
		wanted->wider = "this also lets it bind a single address";
	} else {
		stem_set(wanted, prefix, host_text, ":");
	}
	return NULL;
}

/* ---- the others ---- */

static const char *vsock_read(struct wanted *wanted, const struct part *rest)
{
	const char *colon = memchr(rest->bytes, ':', rest->length);
	struct part host, port;
	uint32_t id = VMADDR_CID_ANY, network;
	char text[16];

	if ((wanted->verbs & POLICY_BIT(POLICY_SOCKET)) != 0) {
		wanted->endpoint.family = POLICY_CID;
		stem_set(wanted, "vsock:*:*", "", "");
		return NULL;
	}
	if (colon == NULL)
		return no_port;
	host = (struct part){rest->bytes, (size_t)(colon - rest->bytes)};
	port = (struct part){colon + 1, rest->length - host.length - 1};
	if (!part_is(&host, "*") && !part_number(&host, UINT32_MAX, &id))
		return no_host;
	wanted->endpoint.number = VMADDR_PORT_ANY;
	if (!part_is(&port, "*") && !part_number(&port, UINT32_MAX, &wanted->endpoint.number))
		return no_port;
	network = htonl(id);
	wanted->endpoint.family = POLICY_CID;
	memcpy(wanted->endpoint.address, &network, sizeof(network));
	snprintf(text, sizeof(text), "%u", id);
	stem_set(wanted, "vsock:", id == VMADDR_CID_ANY ? "*" : text, ":");
	if (id == VMADDR_CID_ANY)
		wanted->wider = "this also lets it bind a single context id";
	wanted->has_port = true;
	return NULL;
}

static const char *host_only_read(struct wanted *wanted, const struct part *rest)
{
	char text[POLICY_HOST_MAX + 3];

	if (!host_read(wanted, rest, text, sizeof(text)))
		return no_host;
	stem_set(wanted, "host:", text, "");
	return NULL;
}

/* A name, or `*` where the log has it for a device without one. */
static const char *device_read(struct wanted *wanted, const char *prefix, const struct part *rest)
{
	FILE *out;

	if (part_is(rest, "*")) {
		stem_set(wanted, prefix, "*", "");
		wanted->wider = "this is every device: none was named";
		return NULL;
	}
	if (rest->length == 0 || rest->length > POLICY_INTERFACE_MAX)
		return "it is no name of a device";
	wanted->endpoint.name = rest->bytes;
	wanted->endpoint.name_length = rest->length;
	out = fmemopen(wanted->stem, sizeof(wanted->stem), "w");
	if (out == NULL)
		return "there is no memory";
	policy_write_word(prefix, rest->bytes, rest->length, out);
	fclose(out);
	return NULL;
}

/* Written anew, so that the words of a rule are the same for the same number: no leading zero. */
static const char *number_only_read(
	struct wanted *wanted, const char *prefix, const struct part *rest)
{
	struct policy_endpoint *endpoint = &wanted->endpoint;
	bool is_switch = endpoint->kind == POLICY_TRANSPARENT || endpoint->kind == POLICY_DEBUG;
	char digits[16];

	if (!part_number(rest, UINT32_MAX, &endpoint->number))
		return no_word;
	snprintf(
		digits, sizeof(digits), "%u", is_switch ? endpoint->number != 0 : endpoint->number);
	stem_set(wanted, prefix, digits, "");
	return NULL;
}

static const char *rest_read(struct wanted *wanted, const char *prefix, const struct part *rest)
{
	switch (wanted->endpoint.kind) {
	case POLICY_TCP:
	case POLICY_UDP:
		return ip_read(wanted, rest);
	case POLICY_VSOCK:
		return vsock_read(wanted, rest);
	case POLICY_HOST:
		return host_only_read(wanted, rest);
	case POLICY_TUN:
	case POLICY_TAP:
	case POLICY_BINDTODEVICE:
		return device_read(wanted, prefix, rest);
	case POLICY_ICMP:
	case POLICY_ICMP6:
		stem_set(wanted, policy_kind_name(wanted->endpoint.kind), "", "");
		return rest->length == 0 ? NULL : no_word;
	default:
		return number_only_read(wanted, prefix, rest);
	}
}

static const char *endpoint_read(struct wanted *wanted, const char *object, size_t length)
{
	for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
		const char *name = policy_kind_name((enum policy_kind)kind);
		size_t size = strlen(name);
		char prefix[32];
		bool is_alone = length == size;

		if (length < size || memcmp(object, name, size) != 0 ||
			(!is_alone && object[size] != ':' && object[size] != '='))
			continue;
		wanted->endpoint.kind = (enum policy_kind)kind;
		snprintf(prefix, sizeof(prefix), "%s%c", name, is_alone ? ':' : object[size]);
		size += !is_alone;
		return rest_read(wanted, prefix, &(struct part){object + size, length - size});
	}
	return no_word;
}

/* ---- all ---- */

const char *wanted_read(struct wanted *wanted, uint32_t verbs, const char *object, size_t length)
{
	static const char socket[] = "unix:";
	const size_t start = sizeof(socket) - 1;

	*wanted = (struct wanted){.verbs = verbs};
	wanted->is_socket = verbs == POLICY_BIT(POLICY_BIND) && length > start &&
			    memcmp(object, socket, start) == 0;
	if (wanted->is_socket || (verbs != 0 && (verbs & ~POLICY_FILE_VERBS) == 0)) {
		wanted->path = wanted->is_socket ? object + start : object;
		wanted->path_length = wanted->is_socket ? length - start : length;
		return NULL;
	}
	/* Each of these is about one verb. */
	if ((verbs & ENDPOINT_VERBS) == 0 || (verbs & (verbs - 1)) != 0)
		return no_word;
	return endpoint_read(wanted, object, length);
}

bool wanted_is_allowed(const struct wanted *wanted, const struct policy_image *image,
	const struct policy_peer *peer)
{
	struct policy_decision decision;
	int verb = 0;

	if (wanted->path != NULL) {
		decision = policy_decide_path(
			image, peer, NULL, wanted->verbs, wanted->path, wanted->path_length);
		return decision.outcome == POLICY_ALLOWED;
	}
	while ((wanted->verbs & POLICY_BIT(verb)) == 0)
		verb++;
	decision = policy_decide_endpoint(
		image, peer, NULL, (enum policy_verb)verb, &wanted->endpoint);
	return decision.outcome == POLICY_ALLOWED;
}

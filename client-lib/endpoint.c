/* SPDX-License-Identifier: MIT */
/*
 * Reads endpoints, in the spelling of the policy language: "tcp:80", "tcp:*:80", "udp:[::1]:53",
 * "vsock:3:1024", and to be dialled also "tcp:db.internal:postgresql". Names are passed on: this
 * file must never ask a name service, whose files and sockets a sandboxed program does not have.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Decimal digits and nothing else: strtoul(3) alone would take blanks and signs. */
static bool parse_number(const char *text, size_t length, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
		if (value > max)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

static bool parse_ipv4(struct fdbroker_endpoint *endpoint, const char *text, size_t length)
{
	char address[INET_ADDRSTRLEN];

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	endpoint->family = FDBROKER_IPV4;
	return inet_pton(AF_INET, address, endpoint->address) == 1;
}

/* What stands between the brackets: an address, "%" and an interface index if it has a scope. */
static bool parse_ipv6(struct fdbroker_endpoint *endpoint, const char *text, size_t length)
{
	char address[INET6_ADDRSTRLEN];
	const char *percent = memchr(text, '%', length);
	size_t address_length = percent != NULL ? (size_t)(percent - text) : length;
	uint32_t scope = 0;

	if (address_length >= sizeof(address))
		return false;
	if (percent != NULL &&
		(!parse_number(percent + 1, length - address_length - 1, UINT32_MAX, &scope) ||
			scope == 0))
		return false;
	memcpy(address, text, address_length);
	address[address_length] = '\0';
	endpoint->family = FDBROKER_IPV6;
	endpoint->scope = scope;
	return inet_pton(AF_INET6, address, endpoint->address) == 1;
}

static const char *parse_protocol(struct fdbroker_endpoint *endpoint, const char *text)
{
	static const struct {
		const char *name;
		enum fdbroker_protocol protocol;
	} protocols[] = {
		{"tcp:", FDBROKER_TCP}, {"udp:", FDBROKER_UDP}, {"vsock:", FDBROKER_VSOCK}};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		size_t length = strlen(protocols[i].name);

		if (strncmp(text, protocols[i].name, length) == 0) {
			endpoint->protocol = (uint8_t)protocols[i].protocol;
			return text + length;
		}
	}
	return NULL;
}

/* Takes the text apart. Without a host its bytes are NULL. */
static bool split(struct fdbroker_endpoint *endpoint, const char *text, struct fdbroker_text *host,
	struct fdbroker_text *port)
{
	*endpoint = (struct fdbroker_endpoint){0};
	*host = (struct fdbroker_text){0};
	const char *rest = parse_protocol(endpoint, text);
	if (rest == NULL)
		return false;
	const char *colon = strrchr(rest, ':');
	if (colon != NULL) {
		*host = (struct fdbroker_text){rest, (size_t)(colon - rest)};
		rest = colon + 1;
	}
	*port = (struct fdbroker_text){rest, strlen(rest)};
	return true;
}

static bool is_any(const struct fdbroker_text *host)
{
	return host->length == 1 && host->bytes[0] == '*';
}

static bool parse_port(struct fdbroker_endpoint *endpoint, const struct fdbroker_text *port)
{
	uint32_t max = endpoint->protocol == FDBROKER_VSOCK ? UINT32_MAX : UINT16_MAX;

	return parse_number(port->bytes, port->length, max, &endpoint->port);
}

static bool parse_context_id(struct fdbroker_endpoint *endpoint, const struct fdbroker_text *host)
{
	uint32_t id = VMADDR_CID_ANY;

	if (!is_any(host) && !parse_number(host->bytes, host->length, UINT32_MAX, &id))
		return false;
	endpoint->family = FDBROKER_CID;
	memcpy(endpoint->address, &id, sizeof(id));
	return true;
}

/* A host that is written in numbers. */
static bool parse_address(struct fdbroker_endpoint *endpoint, const struct fdbroker_text *host)
{
	const char *text = host->bytes;
	size_t length = host->length;

	if (endpoint->protocol == FDBROKER_VSOCK)
		return parse_context_id(endpoint, host);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
		return parse_ipv6(endpoint, text + 1, length - 2);
	return parse_ipv4(endpoint, text, length);
}

int endpoint_from_text(struct fdbroker_endpoint *endpoint, const char *text)
{
	struct fdbroker_text host, port;

	if (!split(endpoint, text, &host, &port) || !parse_port(endpoint, &port))
		return EINVAL;
	if (endpoint->protocol != FDBROKER_VSOCK && (host.bytes == NULL || is_any(&host)))
		return 0;
	return host.bytes != NULL && parse_address(endpoint, &host) ? 0 : EINVAL;
}

/* Whether it can only be meant for one, right or wrong. */
static bool looks_like_number(const struct fdbroker_text *port)
{
	return port->length == 0 || strspn(port->bytes, "0123456789") == port->length;
}

/*
 * Whether to let the broker find out: what can only be a mistake is none, as an address written
 * wrong or a URL, which would be refused for want of a rule for the host "//db".
 */
static bool is_name(const struct fdbroker_text *text, size_t max)
{
	return text->length > 0 && text->length <= max &&
	       strcspn(text->bytes, ":[]/ \t\n\v\f\r") >= text->length;
}

int endpoint_to_dial(struct fdbroker_request *request, const char *text)
{
	struct fdbroker_endpoint *endpoint = &request->endpoint;
	struct fdbroker_text host, port;

	if (!split(endpoint, text, &host, &port) || host.bytes == NULL || is_any(&host))
		return EINVAL;
	bool is_number = parse_port(endpoint, &port);
	if (endpoint->protocol == FDBROKER_VSOCK)
		return is_number && parse_address(endpoint, &host) ? 0 : EINVAL;
	if (!is_number && (looks_like_number(&port) || !is_name(&port, FDBROKER_SERVICE_MAX)))
		return EINVAL;
	if (!is_number)
		request->service = port;
	if (parse_address(endpoint, &host))
		return 0;
	if (!is_name(&host, FDBROKER_HOST_MAX))
		return EINVAL;
	*endpoint =
		(struct fdbroker_endpoint){.protocol = endpoint->protocol, .port = endpoint->port};
	request->host = host;
	return 0;
}

static int from_ipv4(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_in ipv4;

	if (length < sizeof(ipv4))
		return EINVAL;
	memcpy(&ipv4, address, sizeof(ipv4));
	endpoint->family = FDBROKER_IPV4;
	endpoint->port = ntohs(ipv4.sin_port);
	memcpy(endpoint->address, &ipv4.sin_addr, sizeof(ipv4.sin_addr));
	return 0;
}

static int from_ipv6(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_in6 ipv6 = {0};

	/* The kernel takes one without sin6_scope_id (RFC 2133), so this does too. */
	if (length < offsetof(struct sockaddr_in6, sin6_scope_id))
		return EINVAL;
	memcpy(&ipv6, address, length < sizeof(ipv6) ? length : sizeof(ipv6));
	endpoint->family = FDBROKER_IPV6;
	endpoint->port = ntohs(ipv6.sin6_port);
	endpoint->scope = ipv6.sin6_scope_id;
	endpoint->flowinfo = ipv6.sin6_flowinfo;
	memcpy(endpoint->address, &ipv6.sin6_addr, sizeof(ipv6.sin6_addr));
	return 0;
}

static int from_vsock(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_vm vsock;

	if (length < sizeof(vsock))
		return EINVAL;
	memcpy(&vsock, address, sizeof(vsock));
	if (vsock.svm_flags != 0) /* they have no place in what travels */
		return EINVAL;
	endpoint->family = FDBROKER_CID;
	endpoint->port = vsock.svm_port;
	memcpy(endpoint->address, &vsock.svm_cid, sizeof(vsock.svm_cid));
	return 0;
}

int endpoint_from_sockaddr(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length)
{
	sa_family_t family;

	*endpoint = (struct fdbroker_endpoint){0};
	if (length < sizeof(family))
		return EINVAL;
	memcpy(&family, address, sizeof(family));
	if (family == AF_INET)
		return from_ipv4(endpoint, address, length);
	if (family == AF_INET6)
		return from_ipv6(endpoint, address, length);
	if (family == AF_VSOCK)
		return from_vsock(endpoint, address, length);
	return EAFNOSUPPORT;
}

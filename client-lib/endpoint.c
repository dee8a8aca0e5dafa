/* SPDX-License-Identifier: MIT */
/*
 * Reads endpoints, in the spelling of the policy language: "tcp:80", "tcp:*:80", "udp:[::1]:53".
 * Numbers only: this file must never ask a name service, whose files and sockets a sandboxed
 * program does not have.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Decimal digits and nothing else: strtoul(3) alone would take blanks and signs. */
static bool parse_number(const char *text, size_t length, unsigned long max, unsigned long *number)
{
	unsigned long value = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned long)(text[i] - '0');
		if (value > max)
			return false;
	}
	*number = value;
	return true;
}

static bool parse_ipv4(struct fdbroker_endpoint *endpoint, const char *text, size_t length)
{
	char address[INET_ADDRSTRLEN];

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	endpoint->family = 4;
	return inet_pton(AF_INET, address, endpoint->address) == 1;
}

/* What stands between the brackets: an address, "%" and an interface index if it has a scope. */
static bool parse_ipv6(struct fdbroker_endpoint *endpoint, const char *text, size_t length)
{
	char address[INET6_ADDRSTRLEN];
	const char *percent = memchr(text, '%', length);
	size_t address_length = percent != NULL ? (size_t)(percent - text) : length;
	unsigned long scope = 0;

	if (address_length >= sizeof(address))
		return false;
	if (percent != NULL &&
		(!parse_number(percent + 1, length - address_length - 1, UINT32_MAX, &scope) ||
			scope == 0))
		return false;
	memcpy(address, text, address_length);
	address[address_length] = '\0';
	endpoint->family = 6;
	endpoint->scope = (uint32_t)scope;
	return inet_pton(AF_INET6, address, endpoint->address) == 1;
}

static bool parse_host(struct fdbroker_endpoint *endpoint, const char *text, size_t length)
{
	if (length == 1 && text[0] == '*') {
		endpoint->family = 0;
		return true;
	}
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
		return parse_ipv6(endpoint, text + 1, length - 2);
	return parse_ipv4(endpoint, text, length);
}

static const char *parse_protocol(struct fdbroker_endpoint *endpoint, const char *text)
{
	static const struct {
		const char *name;
		enum fdbroker_protocol protocol;
	} protocols[] = {{"tcp:", FDBROKER_TCP}, {"udp:", FDBROKER_UDP}};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		size_t length = strlen(protocols[i].name);

		if (strncmp(text, protocols[i].name, length) == 0) {
			endpoint->protocol = (uint8_t)protocols[i].protocol;
			return text + length;
		}
	}
	return NULL;
}

int endpoint_from_text(struct fdbroker_endpoint *endpoint, const char *text)
{
	unsigned long number;

	*endpoint = (struct fdbroker_endpoint){0};
	const char *rest = parse_protocol(endpoint, text);
	if (rest == NULL)
		return EINVAL;
	const char *colon = strrchr(rest, ':');
	const char *port = colon != NULL ? colon + 1 : rest;
	const char *host = colon != NULL ? rest : "*";
	size_t host_length = colon != NULL ? (size_t)(colon - rest) : 1;
	if (!parse_number(port, strlen(port), UINT16_MAX, &number) ||
		!parse_host(endpoint, host, host_length))
		return EINVAL;
	endpoint->port = (uint16_t)number;
	return 0;
}

static int from_ipv4(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_in ipv4;

	if (length < sizeof(ipv4))
		return EINVAL;
	memcpy(&ipv4, address, sizeof(ipv4));
	endpoint->family = 4;
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
	endpoint->family = 6;
	endpoint->port = ntohs(ipv6.sin6_port);
	endpoint->scope = ipv6.sin6_scope_id;
	endpoint->flowinfo = ipv6.sin6_flowinfo;
	memcpy(endpoint->address, &ipv6.sin6_addr, sizeof(ipv6.sin6_addr));
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
	return EAFNOSUPPORT;
}

/* SPDX-License-Identifier: MIT */
/*
 * Services by name. Who may open nothing cannot look into /etc/services or ask a name server: the
 * broker looks the names up, as far as the policy lets it.
 */
#include "service.h"

#include <fdbroker.h>

#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define BACKLOG 128

union peer {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

static const char *protocol_name(int type)
{
	return type == SOCK_DGRAM ? "udp" : "tcp";
}

/* AI_PASSIVE: an address to listen at, which is not looked at here; only the port is wanted. */
static in_port_t find_port(struct fdbroker *broker, const char *service, int type)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_family = AF_INET, .ai_socktype = type};
	struct addrinfo *found = NULL;
	int error = fdbroker_getaddrinfo(broker, NULL, service, &hints, &found);

	if (error != 0)
		errx(1, "service %s/%s: %s (%s)", service, protocol_name(type), gai_strerror(error),
			fdbroker_strreason(fdbroker_last_reason()));
	in_port_t port = ntohs(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port);
	fdbroker_freeaddrinfo(found);
	return port;
}

int listen_for_service(struct fdbroker *broker, const char *service, int type)
{
	char endpoint[32];

	snprintf(endpoint, sizeof(endpoint), "%s:%u", protocol_name(type),
		find_port(broker, service, type));
	int fd = fdbroker_listen(broker, endpoint, BACKLOG);
	if (fd < 0)
		err(1, "%s (%s)", endpoint, fdbroker_strreason(fdbroker_last_reason()));
	return fd;
}

int dial_service(struct fdbroker *broker, const char *host, const char *service, int type)
{
	char endpoint[512];
	int length = snprintf(
		endpoint, sizeof(endpoint), "%s:%s:%s", protocol_name(type), host, service);

	if (length >= (int)sizeof(endpoint))
		errx(64, "%s: too long a name", host);
	return fdbroker_dial(broker, endpoint);
}

/* A socket for both families shows an IPv4 peer as ::ffff:192.0.2.1: ipv6(7). No name is known for
   that, but for the IPv4 address in its last four bytes. */
static socklen_t unmap(const struct sockaddr *address, socklen_t length, union peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	memcpy(peer, address, length < sizeof(*peer) ? length : sizeof(*peer));
	if (address->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&peer->ipv6.sin6_addr))
		return length;
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = peer->ipv6.sin6_port};
	memcpy(&ipv4.sin_addr, &peer->ipv6.sin6_addr.s6_addr[12], sizeof(ipv4.sin_addr));
	peer->ipv4 = ipv4;
	return sizeof(ipv4);
}

void name_peer(
	struct fdbroker *broker, const struct sockaddr *address, socklen_t length, char *name)
{
	union peer peer;
	socklen_t peer_length = unmap(address, length, &peer);
	int error = fdbroker_getnameinfo(
		broker, &peer.any, peer_length, name, PEER_NAME_SIZE, NULL, 0, 0);

	if (error != 0)
		snprintf(name, PEER_NAME_SIZE, "(%s)", gai_strerror(error));
}

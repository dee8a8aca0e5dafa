/* SPDX-License-Identifier: MIT */
/*
 * What a client's socket is, by getsockopt(2) alone, and whether a rule lets it be used.
 *
 * Must never: rely on what a client can change (its state, its flags, where it is bound), or set
 * anything on it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "netns.h"
#include "received.h"

static int socket_number(int fd, int option)
{
	int value;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0)
		return -errno;
	return value;
}

int received_inspect(int fd, struct received *received)
{
	int type, number;

	received->kind = POLICY_TCP;
	received->domain = socket_number(fd, SO_DOMAIN);
	if (received->domain < 0)
		return -received->domain; /* ENOTSOCK, as bind(2) says */
	if (received->domain == AF_UNIX)
		return 0; /* every type that there is: stream, datagram, packets in sequence */
	if (received->domain == AF_VSOCK) {
		received->kind = POLICY_VSOCK;
		return 0;
	}
	if (received->domain != AF_INET && received->domain != AF_INET6)
		return EAFNOSUPPORT;
	type = socket_number(fd, SO_TYPE);
	number = socket_number(fd, SO_PROTOCOL);
	/* MPTCP (RFC 8684) is TCP with another number: it binds the same ports. */
	if (type == SOCK_STREAM && (number == IPPROTO_TCP || number == IPPROTO_MPTCP))
		return 0;
	received->kind = POLICY_UDP;
	return type == SOCK_DGRAM && number == IPPROTO_UDP ? 0 : EPROTONOSUPPORT;
}

int received_binds(const struct received *received, enum fdbroker_family family)
{
	switch (received->domain) {
	case AF_UNIX:
		return family == FDBROKER_UNIX ? 0 : EINVAL;
	case AF_VSOCK:
		return family == FDBROKER_CID ? 0 : EINVAL;
	case AF_INET:
		return family == FDBROKER_IPV4 ? 0 : EAFNOSUPPORT;
	default:
		/* inet6_bind() in net/ipv6/af_inet6.c: the length is looked at before the family */
		return family == FDBROKER_IPV6   ? 0
		       : family == FDBROKER_UNIX ? EAFNOSUPPORT
						 : EINVAL;
	}
}

int received_connects(const struct received *received, enum fdbroker_family family)
{
	/* __ip6_datagram_connect() in net/ipv6/datagram.c: an IPv4 address is as good */
	if (received->domain == AF_INET6 && received->kind == POLICY_UDP && family == FDBROKER_IPV4)
		return 0;
	return received_binds(received, family);
}

bool received_decide(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb, const struct policy_endpoint *endpoint, int fd)
{
	if (!reply_decide(server, asker, reply, verb, endpoint))
		return false;
	if (netns_permits(server, asker, &reply->decision.options, fd))
		return true;
	reply_refuse(reply, EACCES, FDBROKER_REASON_NETNS);
	return false;
}

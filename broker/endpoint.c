/* SPDX-License-Identifier: MIT */
/*
 * Sockets for a peer. One that a client sent may be anything and may change under our hands; what
 * is judged of it (domain, type, protocol, network namespace) cannot.
 *
 * Must never: wait for a client's socket in a worker, or set an option on one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "endpoint.h"
#include "netns.h"
#include "target.h"

static int socket_number(int fd, int option)
{
	int value;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0)
		return -errno;
	return value;
}

/*
 * What is the socket that a client sent? 0 with its protocol; or a positive errno. MPTCP (RFC 8684)
 * is TCP with another number: it binds the same ports.
 */
static int socket_protocol(int fd, int *domain, enum policy_kind *protocol)
{
	int type, number;

	*domain = socket_number(fd, SO_DOMAIN);
	if (*domain < 0)
		return -*domain; /* ENOTSOCK, as bind(2) says */
	type = socket_number(fd, SO_TYPE);
	number = socket_number(fd, SO_PROTOCOL);
	if (*domain != AF_INET && *domain != AF_INET6)
		return EAFNOSUPPORT;
	if (type == SOCK_STREAM && (number == IPPROTO_TCP || number == IPPROTO_MPTCP))
		*protocol = POLICY_TCP;
	else if (type == SOCK_DGRAM && number == IPPROTO_UDP)
		*protocol = POLICY_UDP;
	else
		return EPROTONOSUPPORT;
	return 0;
}

enum served serve_bind(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct fdbroker_endpoint *endpoint = &request->endpoint;
	enum policy_kind protocol = POLICY_TCP;
	struct target target;
	int domain, error;

	/* A lock that the socket's owner holds makes every one of these calls wait. */
	if (!server->may_wait)
		return SERVED_BY_EXECUTOR;
	error = socket_protocol(received, &domain, &protocol);
	if (error == 0 && (domain == AF_INET) != (endpoint->family == 4))
		error = domain == AF_INET ? EAFNOSUPPORT : EINVAL; /* as bind(2) would say */
	target_init(&target, endpoint, protocol);
	if (error != 0) {
		reply_describe(reply, POLICY_BIND, &target.judged);
		return reply_refuse(reply, error, FDBROKER_REASON_SOCKET);
	}
	if (!reply_decide(server, asker, reply, POLICY_BIND, &target.judged))
		return SERVED;
	if (!netns_permits(server, asker, &reply->decision.options, received))
		return reply_refuse(reply, EACCES, FDBROKER_REASON_NETNS);
	if (bind(received, &target.address.any, target.length) < 0)
		return reply_kernel(reply, errno);
	return reply_grant(reply, -1);
}

/* Options of a fresh socket, before it is bound. 0 or a positive errno. */
static int listener_prepare(int fd, const struct target *target, bool both_families)
{
	int on = 1, v6only = !both_families;

	/* A server that is started again must not wait for its predecessor's TIME-WAIT, tcp(7). */
	if (target->type == SOCK_STREAM &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return errno;
	/* Never by net.ipv6.bindv6only: what was asked for is what there is, ipv6(7). */
	if (target->domain == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&target->address.v6.sin6_addr) &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0)
		return errno;
	return 0;
}

/* Makes the socket. *fd is set on success. 0 or a positive errno. */
static int listener_make(const struct target *target, bool both_families, int backlog, int *fd)
{
	_cleanup_close_ int made = socket(target->domain, target->type | SOCK_CLOEXEC, 0);
	int error;

	if (made < 0)
		return errno;
	error = listener_prepare(made, target, both_families);
	if (error != 0)
		return error;
	if (bind(made, &target->address.any, target->length) < 0)
		return errno;
	if (target->type == SOCK_STREAM && listen(made, backlog) < 0)
		return errno;
	*fd = take_fd(&made);
	return 0;
}

enum served serve_listen(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	struct fdbroker_endpoint endpoint = request->endpoint;
	enum policy_kind protocol = target_kind((enum fdbroker_protocol)endpoint.protocol);
	bool both_families = endpoint.family == 0;
	struct target target;
	int fd = -1, error;

	(void)received; /* the protocol lets none come along */
	/* Family 0 is `[::]` without V6ONLY, which the policy judges for both families. */
	target_init(&target, &endpoint, protocol);
	if (!reply_decide(server, asker, reply, POLICY_BIND, &target.judged))
		return SERVED;
	if (!netns_permits_ours(server, asker, &reply->decision.options))
		return reply_refuse(reply, EACCES, FDBROKER_REASON_NETNS);
	error = listener_make(&target, both_families, request->listen.backlog, &fd);
	if (error == EAFNOSUPPORT && both_families) {
		/* A kernel without IPv6 has one family, and it has been granted. */
		endpoint.family = 4;
		target_init(&target, &endpoint, protocol);
		error = listener_make(&target, false, request->listen.backlog, &fd);
	}
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, fd);
}

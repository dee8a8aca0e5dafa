/* SPDX-License-Identifier: MIT */
/*
 * Sockets for a peer. A socket address is never passed through: the wire's endpoint is checked,
 * judged by the policy, and a new sockaddr is made from what was judged. A socket that a client
 * sent may be anything and may change under our hands; what is judged of it (domain, type,
 * protocol, network namespace) cannot.
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

/* What is bound: as the policy judges it, and as the kernel is told. */
struct target {
	struct policy_endpoint judged;
	int domain, type;
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};

static void target_set_v4(struct target *target, const struct fdbroker_endpoint *endpoint)
{
	target->domain = AF_INET;
	target->length = sizeof(target->address.v4);
	target->address.v4.sin_family = AF_INET;
	target->address.v4.sin_port = htons(endpoint->port);
	memcpy(&target->address.v4.sin_addr, endpoint->address, 4);
	target->judged.family = 4;
	memcpy(target->judged.address, endpoint->address, 4);
}

static void target_set_v6(struct target *target, const struct fdbroker_endpoint *endpoint)
{
	struct sockaddr_in6 *address = &target->address.v6;

	target->domain = AF_INET6;
	target->length = sizeof(*address);
	address->sin6_family = AF_INET6;
	address->sin6_port = htons(endpoint->port);
	address->sin6_flowinfo = endpoint->flowinfo;
	address->sin6_scope_id = endpoint->scope;
	memcpy(&address->sin6_addr, endpoint->address, 16);
	if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
		/* RFC 4291, 2.5.5.2: on the wire this is its IPv4 address, so it is judged as that.
		 */
		target->judged.family = 4;
		memcpy(target->judged.address, endpoint->address + 12, 4);
		return;
	}
	target->judged.family = 6;
	target->judged.scope = endpoint->scope;
	memcpy(target->judged.address, endpoint->address, 16);
}

static void target_init(struct target *target, const struct fdbroker_endpoint *endpoint,
	enum policy_protocol protocol)
{
	memset(target, 0, sizeof(*target));
	target->judged.protocol = protocol;
	target->judged.port = endpoint->port;
	target->type = protocol == POLICY_TCP ? SOCK_STREAM : SOCK_DGRAM;
	if (endpoint->family == 4)
		target_set_v4(target, endpoint);
	else
		target_set_v6(target, endpoint);
}

/* The endpoint as the policy language writes it, for the audit log. */
static void target_describe(const struct target *target, const char *protocol, struct reply *reply)
{
	const struct policy_endpoint *judged = &target->judged;
	char address[INET6_ADDRSTRLEN] = "?", scope[16] = "";
	int length;

	inet_ntop(judged->family == 4 ? AF_INET : AF_INET6, judged->address, address,
		sizeof(address));
	if (judged->scope != 0)
		snprintf(scope, sizeof(scope), "%%%u", judged->scope);
	length = snprintf(reply->text, sizeof(reply->text),
		judged->family == 4 ? "%s:%s%s:%u" : "%s:[%s%s]:%u", protocol, address, scope,
		judged->port);
	reply->verbs = POLICY_BIT(POLICY_BIND);
	reply->object = reply->text;
	reply->object_length = (size_t)length;
}

static bool target_allowed(const struct server *server, const struct asker *asker,
	const struct target *target, struct reply *reply)
{
	target_describe(target, target->judged.protocol == POLICY_TCP ? "tcp" : "udp", reply);
	reply->decision =
		policy_decide_endpoint(server->image, asker->peer, POLICY_BIND, &target->judged);
	return reply->decision.outcome == POLICY_ALLOWED;
}

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
static int socket_protocol(int fd, int *domain, enum policy_protocol *protocol)
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

/* Lives the socket in the broker's own network namespace? (SO_NETNS_COOKIE: Linux 5.14) */
static bool socket_is_at_home(const struct server *server, int fd)
{
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) == 0 &&
	       cookie == server->netns_cookie;
}

enum served serve_bind(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct fdbroker_endpoint *endpoint = &request->endpoint;
	enum policy_protocol protocol = POLICY_TCP;
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
		target_describe(&target, "?", reply);
		return reply_refuse(reply, error, FDBROKER_REASON_SOCKET);
	}
	if (!target_allowed(server, asker, &target, reply))
		return reply_refuse(reply, EACCES, FDBROKER_REASON_POLICY);
	if (!socket_is_at_home(server, received))
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
	enum policy_protocol protocol = endpoint.protocol == FDBROKER_TCP ? POLICY_TCP : POLICY_UDP;
	bool both_families = endpoint.family == 0;
	struct target target;
	int fd = -1, error;

	(void)received; /* the protocol lets none come along */
	/* Family 0 is `[::]` without V6ONLY, which the policy judges for both families. */
	target_init(&target, &endpoint, protocol);
	if (!target_allowed(server, asker, &target, reply))
		return reply_refuse(reply, EACCES, FDBROKER_REASON_POLICY);
	error = listener_make(&target, both_families, request->backlog, &fd);
	if (error == EAFNOSUPPORT && both_families) {
		/* A kernel without IPv6 has one family, and it has been granted. */
		endpoint.family = 4;
		target_init(&target, &endpoint, protocol);
		error = listener_make(&target, false, request->backlog, &fd);
	}
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, fd);
}

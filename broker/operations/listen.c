/* SPDX-License-Identifier: MIT */
/* Fresh sockets that listen. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netns.h"
#include "operation.h"
#include "target.h"
#include "with.h"

/* Options of a fresh socket, before it is bound. 0 or a positive errno. */
static int listener_prepare(int fd, const struct target *target, bool both_families,
	const struct policy_options *options)
{
	int on = 1, v6only = !both_families;

	/* A server that is started again must not wait for its predecessor's TIME-WAIT, tcp(7). */
	if (target->judged.kind == POLICY_TCP &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return errno;
	/* Never by net.ipv6.bindv6only: what was asked for is what there is, ipv6(7). */
	if (target->domain == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&target->address.v6.sin6_addr) &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0)
		return errno;
	return with_apply(fd, target->domain, target->judged.scope, options);
}

/* Makes the socket. *fd is set on success. 0 or a positive errno. */
static int listener_make(const struct target *target, bool both_families, int backlog,
	const struct policy_options *options, int *fd)
{
	_cleanup_close_ int made = socket(target->domain, target->type | SOCK_CLOEXEC, 0);
	int error;

	if (made < 0)
		return errno;
	error = listener_prepare(made, target, both_families, options);
	if (error != 0)
		return error;
	if (bind(made, &target->address.any, target->length) < 0)
		return errno;
	if (target->type == SOCK_STREAM && listen(made, backlog) < 0)
		return errno;
	*fd = take_fd(&made);
	return 0;
}

/* Only executors have the capabilities for some options; and a module may have to be loaded. */
static bool listener_needs_executor(enum policy_kind kind, const struct policy_options *options)
{
	return kind == POLICY_VSOCK || options->device != NULL ||
	       (options->with & POLICY_WITH_TRANSPARENT) != 0;
}

enum served serve_listen(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	struct fdbroker_endpoint endpoint = request->endpoint;
	enum policy_kind kind = target_kind((enum fdbroker_protocol)endpoint.protocol);
	const struct policy_options *options = &reply->decision.options;
	bool both_families = endpoint.family == FDBROKER_ANY;
	struct target target;
	int fd = -1, error;
	bool allowed;

	(void)received; /* the protocol lets none come along */
	/* Family 0 is `[::]` without V6ONLY, which the policy judges for both families. */
	target_init(&target, &endpoint, kind);
	allowed = reply_decide(server, asker, reply, POLICY_BIND, &target.judged);
	if (both_families)
		reply_describe_as(
			reply, POLICY_BIND, "%s:*:%u", policy_kind_name(kind), endpoint.port);
	if (!allowed)
		return SERVED;
	if (!netns_permits_ours(server, asker, options))
		return reply_refuse(reply, EACCES, FDBROKER_REASON_NETNS);
	if (!server->may_wait && listener_needs_executor(kind, options))
		return SERVED_ELSEWHERE;
	error = listener_make(&target, both_families, request->listen.backlog, options, &fd);
	if (error == EAFNOSUPPORT && both_families) {
		/* A kernel without IPv6 has one family, and it has been granted. */
		endpoint.family = FDBROKER_IPV4;
		target_init(&target, &endpoint, kind);
		error = listener_make(&target, false, request->listen.backlog, options, &fd);
	}
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, fd);
}

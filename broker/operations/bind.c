/* SPDX-License-Identifier: MIT */
/*
 * Binding the peer's own socket in place, to an address of the Internet or of a virtual machine.
 *
 * Must never: wait for a client's socket in a worker, or set an option on one that the rule does
 * not name.
 */
#include <errno.h>
#include <sys/socket.h>

#include "bind-unix.h"
#include "received.h"
#include "target.h"
#include "with.h"

/* 0 or a positive errno. */
static int bind_with(
	int fd, int domain, const struct target *target, const struct policy_options *options)
{
	int error = with_apply(fd, domain, target->judged.scope, options);

	if (error == 0 && bind(fd, &target->address.any, target->length) < 0)
		error = errno;
	if (error != 0)
		with_withdraw(fd, options);
	return error;
}

enum served serve_bind(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	enum fdbroker_family family = (enum fdbroker_family)request->endpoint.family;
	struct received socket;
	struct target target;
	int error;

	/* A lock that the socket's owner holds makes every one of these calls wait. */
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	error = received_inspect(received, &socket);
	if (error == 0)
		error = received_binds(&socket, family);
	if (family == FDBROKER_UNIX)
		return bind_unix(server, asker, request, received, error, reply);
	target_init(&target, &request->endpoint, socket.kind);
	if (error != 0) {
		reply_describe(reply, POLICY_BIND, &target.judged);
		return reply_refuse(reply, error, FDBROKER_REASON_SOCKET);
	}
	if (!received_decide(server, asker, reply, POLICY_BIND, &target.judged, received))
		return SERVED;
	error = bind_with(received, socket.domain, &target, &reply->decision.options);
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, -1);
}

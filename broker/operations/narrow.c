/* SPDX-License-Identifier: MIT */
/*
 * Narrowing a connection and cloning it. Both outlive any worker and are kept where none can write:
 * the supervisor does it, which reads nothing that a client wrote. So the limits are read here.
 *
 * Must never: let a set pass that is not well-formed. It would permit nothing, and the client would
 * not know why.
 */
#include <errno.h>

#include "operation.h"

enum served serve_limit(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct fdbroker_text *set = &request->limits;
	const char *why;

	(void)server;
	(void)asker;
	(void)received; /* the protocol lets none come along */
	if (policy_limits_check(set->bytes, set->length, &why))
		return SERVED_BY_SUPERVISOR;
	/* Nothing was decided that the audit log could tell. */
	reply->decision.options.log = POLICY_LOG_NONE;
	return reply_refuse(reply, EINVAL, FDBROKER_REASON_WORDS);
}

enum served serve_clone(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	(void)server;
	(void)asker;
	(void)request;
	(void)received; /* likewise */
	(void)reply;
	return SERVED_BY_SUPERVISOR;
}

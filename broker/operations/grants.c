/* SPDX-License-Identifier: MIT */
/*
 * What the peer may have, in a memfd that it has sent: the text that policy_grants_write() makes.
 * Nothing is decided, and nothing recorded: whoever asks could find out by asking for it all.
 *
 * Must never: tell of blocks that do not concern the peer.
 */
#include <errno.h>

#include "../limits.h"
#include "memfd.h"
#include "operation.h"

enum served serve_grants(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	struct memfd memfd;
	size_t length;

	(void)request; /* asks for nothing in particular */
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	reply->decision.options.log = POLICY_LOG_NONE;
	length = policy_grants_write(server->image, asker->peer, &asker->limits, NULL, 0);
	if (length > LIST_BYTES_MAX)
		return reply_refuse(reply, EOVERFLOW, FDBROKER_REASON_LIMIT);
	if (!memfd_begin(&memfd, received, length, reply))
		return SERVED;
	(void)policy_grants_write(
		server->image, asker->peer, &asker->limits, (char *)memfd.bytes, length);
	return memfd_finish(&memfd, reply);
}

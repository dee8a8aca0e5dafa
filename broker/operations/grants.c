/* SPDX-License-Identifier: MIT */
/*
 * What the peer may have, in a memfd that it has sent: the text that policy_grants_write() makes.
 * Nothing is decided, and nothing recorded: whoever asks could find out by asking for it all.
 *
 * Must never: tell of blocks that do not concern the peer.
 */
#include <errno.h>
#include <string.h>

#include "../limits.h"
#include "memfd.h"
#include "operation.h"

enum served serve_grants(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static char text[LIST_BYTES_MAX]; /* pages that are not needed are never touched */
	struct memfd memfd;
	size_t length;

	(void)request; /* asks for nothing in particular */
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	reply->decision.options.log = POLICY_LOG_NONE;
	length =
		policy_grants_write(server->image, asker->peer, &asker->limits, text, sizeof(text));
	if (length > sizeof(text))
		return reply_refuse(reply, EOVERFLOW, FDBROKER_REASON_LIMIT);
	if (!memfd_begin(&memfd, received, length, reply))
		return SERVED;
	memcpy(memfd.bytes, text, length);
	return memfd_finish(&memfd, reply);
}

/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include "../connection.h"
#include "operation.h"

static bool cookie_permitted(const struct server *server, const struct asker *asker,
	const struct policy_options *options, uint64_t cookie)
{
	switch ((enum policy_netns)options->netns) {
	case POLICY_NETNS_BROKER:
		return cookie == server->netns_cookie && cookie != 0;
	case POLICY_NETNS_PEER:
		return cookie == asker->netns && cookie != 0;
	case POLICY_NETNS_ANY:
		return true;
	}
	return false;
}

bool netns_permits(const struct server *server, const struct asker *asker,
	const struct policy_options *options, int socket)
{
	return cookie_permitted(server, asker, options, netns_cookie(socket));
}

bool netns_permits_ours(const struct server *server, const struct asker *asker,
	const struct policy_options *options)
{
	return cookie_permitted(server, asker, options, server->netns_cookie);
}

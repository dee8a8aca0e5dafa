/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <sys/socket.h>

#include "operation.h"

uint64_t netns_cookie(int socket)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	if (getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0)
		return 0;
	return cookie;
}

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

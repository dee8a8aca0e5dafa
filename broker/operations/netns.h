/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces: where a socket lives, and whether the rule that allows it allows it there
 * (`netns` of fdbroker.policy(5)). Told by SO_NETNS_COOKIE, which no two namespaces ever have in
 * common (Linux 5.14). That of a peer is that of our end of its connection: the kernel makes it in
 * the namespace of the socket that connects (unix_stream_connect() in net/unix/af_unix.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct asker;
struct policy_options;
struct server;

/* May a socket that the peer sent live where it does? */
bool netns_permits(const struct server *server, const struct asker *asker,
	const struct policy_options *options, int socket);

/* May the peer have a socket that the broker makes, in its own namespace? */
bool netns_permits_ours(const struct server *server, const struct asker *asker,
	const struct policy_options *options);

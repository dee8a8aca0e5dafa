/* SPDX-License-Identifier: MIT */
/* The name service for a peer that cannot reach it: hosts, addresses, services and protocols. */
#pragma once

#include "serve.h"

enum served serve_getaddrinfo(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_getnameinfo(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_getprotobyname(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);

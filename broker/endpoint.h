/* SPDX-License-Identifier: MIT */
/* Sockets for a peer: binding the peer's own in place, and making fresh ones that listen. */
#pragma once

#include "serve.h"

enum served serve_bind(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_listen(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);

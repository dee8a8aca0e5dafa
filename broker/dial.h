/* SPDX-License-Identifier: MIT */
/* Connecting for a peer: from an address, or a name that the broker resolves, to a socket. */
#pragma once

#include "serve.h"

enum served serve_dial(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);

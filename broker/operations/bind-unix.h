/* SPDX-License-Identifier: MIT */
/* Binding the peer's own unix socket to a path. Executors only. */
#pragma once

#include "operation.h"

/* unsuitable: 0, or the errno for a socket that the path cannot be bound to. */
enum served bind_unix(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, int unsuitable, struct reply *reply);

/* SPDX-License-Identifier: MIT */
/* The operations on sockets: the peer's own in place, and fresh ones for it. */
#pragma once

#include "serve.h"

enum served serve_bind(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_listen(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_connect(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_socket(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_tun(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);
enum served serve_option(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);

/* Before confinement: the handler of the timer that ends connect(2). 0 or a negative errno. */
int connect_prepare(void) __attribute__((warn_unused_result));

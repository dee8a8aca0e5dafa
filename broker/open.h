/* SPDX-License-Identifier: MIT */
/* Opening and creating files for a peer: from an open request to a descriptor. */
#pragma once

#include "serve.h"

enum served serve_open(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);

/* SPDX-License-Identifier: MIT */
/* Operations that are not served yet. */
#include <errno.h>

#include "operation.h"

#define PENDING(name)                                                                              \
	enum served name(const struct server *server, const struct asker *asker,                   \
		const struct fdbroker_request *request, int received, struct reply *reply)         \
	{                                                                                          \
		(void)server, (void)asker, (void)request, (void)received;                          \
		return reply_kernel(reply, ENOSYS);                                                \
	}

PENDING(serve_stat)
PENDING(serve_access)
PENDING(serve_readlink)
PENDING(serve_mkdir)
PENDING(serve_unlink)
PENDING(serve_rmdir)
PENDING(serve_rename)
PENDING(serve_list)
PENDING(serve_watch)
PENDING(serve_copy)

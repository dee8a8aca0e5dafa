/* SPDX-License-Identifier: MIT */
/*
 * The operations: a decoded request in, decision and deed, and what is to be said of it in the
 * reply. Worker and executor run the same code; the difference is whether it may wait. What would
 * have to wait in a worker, and what comes with a descriptor, is SERVED_ELSEWHERE: nothing is
 * left of what was begun, an executor does it all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../ring.h"
#include "../siphash.h"
#include "reply.h"
#include "walk.h"

/* What a process that serves holds from its start on. */
struct server {
	const struct policy_image *image;
	struct walker walker;
	struct ring *ring;
	int self_fd;   /* /proc/self/fd, for opening again what is held by O_PATH */
	bool may_wait; /* an executor */
	int turns;     /* a file for locks that all executors have in common, folder.h */
	struct siphash_key turns_key;
	uint64_t netns_cookie; /* of the broker's own network namespace */
	uint32_t own_uid;      /* nobody else is this user, see identify_reserve_own_uid() */
};

struct asker {
	const struct policy_peer *peer;
	struct policy_limits limits;
	const uint32_t *groups; /* supplementary ones; none where the policy has no `as peer` */
	uint32_t group_count;
	uint64_t netns; /* the cookie of its network namespace */
	int32_t pid;    /* for the audit log */
	int connection; /* to see whether it is still there */
};

/* received: the descriptor that came with the packet, the caller's; -1 where the protocol lets none
 * come. */
typedef enum served operation_function(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply);

operation_function serve_open;           /* open.c */
operation_function serve_bind;           /* bind.c */
operation_function serve_listen;         /* listen.c */
operation_function serve_connect;        /* connect.c */
operation_function serve_dial;           /* dial.c */
operation_function serve_socket;         /* socket.c */
operation_function serve_tun;            /* tun.c */
operation_function serve_setsockopt;     /* setsockopt.c */
operation_function serve_getaddrinfo;    /* lookup.c */
operation_function serve_getnameinfo;    /* lookup.c */
operation_function serve_getprotobyname; /* lookup.c */
operation_function serve_stat;           /* look.c */
operation_function serve_access;         /* look.c */
operation_function serve_readlink;       /* look.c */
operation_function serve_mkdir;          /* entry.c */
operation_function serve_unlink;         /* entry.c */
operation_function serve_rmdir;          /* entry.c */
operation_function serve_rename;         /* rename.c */
operation_function serve_list;           /* list.c */
operation_function serve_watch;          /* watch.c */
operation_function serve_copy;           /* copy.c */
operation_function serve_limit;          /* narrow.c */
operation_function serve_clone;          /* narrow.c */
operation_function serve_grants;         /* grants.c */

/* Before confinement: the handler of the timer that ends connect(2). 0 or a negative errno. */
int connect_prepare(void) __attribute__((warn_unused_result));

/* SPDX-License-Identifier: MIT */
/*
 * What the broker could grant to this process, as `fdbroker list` shows it, compiled by the policy
 * library: so that only what may come of something is asked for. It is a guess, never a decision:
 * the broker decides. What is known may be asked by several threads while another refreshes it.
 *
 * Must never: wait for the broker but in grants_refresh().
 */
#pragma once

#include "fdbroker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct grants;

/* Nothing is known yet. NULL: out of memory. */
struct grants *grants_new(void);
void grants_free(struct grants *grants);

/*
 * Asks the broker, and takes over what it says if that is not what is known already. 0, also when
 * the text makes no sense to the policy library: then everything might be granted; or -1, with errno
 * and the reason of fdbroker_grants() or ENOMEM: what was known is known still. One thread at a
 * time.
 */
int grants_refresh(struct grants *grants, struct fdbroker *broker);

/* Was the broker asked last longer ago than a second, or never? */
bool grants_are_old(const struct grants *grants);

/*
 * Might an open(2) with these flags be granted? path is absolute, without "." and "..", and need
 * not be NUL-terminated. `create` is not asked for, as the file may be there. False for what the
 * broker does not serve: O_PATH, O_TMPFILE, unknown flags.
 */
bool grants_open(struct grants *grants, const char *path, size_t length, int flags);

/*
 * Might a bind(2) be? type and protocol are those of the socket (SO_TYPE, SO_PROTOCOL); protocol 0
 * is the usual one. Addresses of AF_INET, AF_INET6, AF_VSOCK, and AF_UNIX with an absolute path.
 * False for any other address, one that is too short, and protocols without a rule.
 */
bool grants_bind(struct grants *grants, const struct sockaddr *address, socklen_t length, int type,
	int protocol);

/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a connection: asked of the kernel, never of the peer. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the kernel says of a peer: its unit now, the rest when it called connect(2). */
struct peer_identity {
	uint32_t uid, gid;
	uint64_t netns;   /* the cookie of its network namespace, connection.h; 0: not known */
	pid_t pid;        /* 0: in a pid namespace that we do not see */
	uint32_t *groups; /* malloc'ed, ascending or as the kernel has them */
	size_t group_count;
	char *unit; /* malloc'ed, or NULL: not known */
};

/*
 * Fills in the identity. A peer whose uid has no name in our user namespace is refused (-EPERM).
 * 0 or a negative errno.
 */
int identify_peer(int connection, struct peer_identity *identity)
	__attribute__((warn_unused_result));

/* From now on nobody of our own uid is a client (-EACCES): it is a user for the broker alone. */
void identify_reserve_own_uid(void);

/* 0 or a negative errno; then, too, there is something to be freed. */
int identify_copy(struct peer_identity *to, const struct peer_identity *from)
	__attribute__((warn_unused_result));

void identify_free(struct peer_identity *identity);

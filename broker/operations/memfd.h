/* SPDX-License-Identifier: MIT */
/*
 * Filling a file in memory that the client has sent, and whose pages it has allocated and is
 * charged for: to be begun when it is known how many bytes there will be, filled by way of `bytes`,
 * and then finished or abandoned.
 */
#pragma once

#include "reply.h"

struct memfd {
	int fd;               /* the caller's */
	unsigned char *bytes; /* `length` of them, NULL where that is 0 */
	size_t length;
};

/*
 * Takes fd for a file of that length. False: the reply says why not, nothing is held, and what is
 * too small is as it was. EINVAL: it is no memfd, or has seals. EMSGSIZE: it is smaller, or not all
 * of it is allocated. From here on its client can neither shrink it nor punch holes into it.
 */
bool memfd_begin(struct memfd *memfd, int fd, size_t length, struct reply *reply)
	__attribute__((warn_unused_result));

/* Nobody can change it any more, and the reply grants it; or says why not (EBUSY: fcntl(2)). */
enum served memfd_finish(struct memfd *memfd, struct reply *reply);

/* The reply says why. What is in it by now stays. */
void memfd_abandon(struct memfd *memfd);

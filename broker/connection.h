/* SPDX-License-Identifier: MIT */
/*
 * Ending a connection. Closing the last descriptor of a socket discards what is in its queue, and
 * discarding a descriptor there can be its last close, which may wait for seconds or for ever (a
 * lingering socket, a file of a server that is gone). So neither supervisor nor worker closes a
 * connection before its queue is known to be empty; an executor empties it.
 *
 * Since Linux 6.16 a socket can refuse to be sent descriptors (SO_PASSRIGHTS). The listening socket
 * does, so a connection has none in its queue until it is known whose it is; then it may.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for all that one packet can carry: the kernel's SCM_MAX_FD descriptors, and credentials. */
union connection_control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(253 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

/*
 * The first descriptor that was received, or -1, for the caller to own; the others are closed,
 * which may wait (executors only). *count says how many there were.
 */
int connection_first_descriptor(struct msghdr *packet, unsigned int *count);

/* The listening socket, and what is accepted from it, is not sent descriptors. Else no such kernel.
 */
void connection_refuse_descriptors(int listener);
/* This connection can be sent descriptors from now on. */
void connection_permit_descriptors(int fd);

/* What tells this socket from every other one there ever was: SO_COOKIE; 0: not known. */
uint64_t connection_cookie(int fd);
/* Of a socket's network namespace, which no two ever have in common: SO_NETNS_COOKIE; 0: not known.
 */
uint64_t netns_cookie(int fd);

/* Ends it for both sides; from now on nothing can be added to its queue. */
void connection_shut(int fd);

/*
 * Is the queue of a connection that was shut empty? Packets without descriptors are discarded here,
 * unread.
 */
bool connection_is_drained(int fd);

/*
 * Receives and discards one packet with all its descriptors, and may wait in doing so (executors
 * only). Returns false when there is none.
 */
bool connection_discard(int fd);

/* SPDX-License-Identifier: MIT */
/*
 * What several examples do with a stream socket, whoever made it.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Sends all bytes, however many send(2) takes at once. Returns 0, or -1 with errno. */
int send_all(int fd, const void *bytes, size_t length);

/*
 * Receives until the peer has shut down its half, or until size - 1 bytes are there. The text ends
 * with a NUL. Returns its length, or -1 with errno.
 */
ssize_t receive_all(int fd, char *text, size_t size);

/* Likewise, but no further than the first line feed, which becomes the NUL. */
ssize_t receive_line(int fd, char *line, size_t size);

/*
 * Copies what the peer sends to standard output, until it has shut down its half. Ends the process
 * if that fails.
 */
void print_all(int fd);

/*
 * A conversation: standard input goes to the peer, and what the peer sends to standard output, as
 * it comes, until the peer has shut down its half. At the end of standard input ours is shut down.
 * Ends the process if anything fails.
 */
void converse(int fd);

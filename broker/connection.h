/* SPDX-License-Identifier: MIT */
/*
 * Ending a connection. Closing the last descriptor of a socket discards what is in its queue, and
 * discarding a descriptor there can be its last close, which may wait for seconds or for ever (a
 * lingering socket, a file of a server that is gone). So neither supervisor nor worker closes a
 * connection before its queue is known to be empty; an executor empties it.
 */
#pragma once

#include <stdbool.h>

/* Ends it for both sides; from now on nothing can be added to its queue. */
void connection_shut(int fd);

/* Is the queue of a connection that was shut empty? */
bool connection_is_drained(int fd);

/*
 * Receives and discards one packet with all its descriptors, and may wait in doing so (executors
 * only). Returns false when there is none.
 */
bool connection_discard(int fd);

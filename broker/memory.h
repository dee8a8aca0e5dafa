/* SPDX-License-Identifier: MIT */
/*
 * Memory between the broker's processes, as memfds (memfd_create(2)). Of a fixed size for ever, or
 * a writer could take it away under another's reading.
 */
#pragma once

#include <stddef.h>

/*
 * These bytes, which nobody can change any more, to be read from the first on. Returns a descriptor
 * or a negative errno.
 */
int memory_seal(const char *name, const void *bytes, size_t size)
	__attribute__((warn_unused_result));

/* Zeroed memory, mapped here for writing. Returns a descriptor or a negative errno. */
int memory_share(const char *name, size_t size, void **memory) __attribute__((warn_unused_result));

/* The same, but whoever maps the descriptor from now on can only read. */
int memory_publish(const char *name, size_t size, void **memory)
	__attribute__((warn_unused_result));

/*
 * Maps all of a memfd as mmap(2) has it, and closes it. NULL when it cannot be mapped or holds less
 * than `least` bytes. What memory_seal() made cannot be mapped MAP_SHARED before Linux 6.7.
 */
void *memory_map(int fd, int protection, int flags, size_t least, size_t *size)
	__attribute__((warn_unused_result));

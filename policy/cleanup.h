/* SPDX-License-Identifier: MIT */
/*
 * Ownership in the type: a variable marked _cleanup_close_ or _cleanup_free_ gives up what it holds
 * when it goes out of scope, and take_fd() or TAKE_PTR() hand it on instead. Initialize it to -1 or
 * NULL where it is declared: the attribute acts on every way out, also the early ones.
 *
 * Must never grow beyond what every file here needs.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Both keep errno: a cleanup runs between the failure and the caller who asks for its reason. */
static inline void cleanup_close(const int *fd)
{
	int error = errno;

	/* No retry after EINTR: the descriptor is gone by then (man 2 close). */
	if (*fd >= 0)
		(void)close(*fd);
	errno = error;
}

static inline void cleanup_free(void *pointer)
{
	int error = errno;

	/* The argument is the address of a pointer of any type. glibc keeps errno only since 2.33.
	 */
	free(*(void **)pointer);
	errno = error;
}

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_free_ _cleanup_(cleanup_free)

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* The value of a pointer variable, which is NULL from then on. */
#define TAKE_PTR(pointer)                                                                          \
	({                                                                                         \
		__typeof__(pointer) *taken_from_ = &(pointer);                                     \
		__typeof__(pointer) taken_ = *taken_from_;                                         \
		*taken_from_ = NULL;                                                               \
		taken_;                                                                            \
	})

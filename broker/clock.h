/* SPDX-License-Identifier: MIT */
/* The one clock for deadlines: milliseconds that only go forward. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_msec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* SPDX-License-Identifier: MIT */
/*
 * The system calls that the supervisor answers, and who answers which: the filter and the supervisor
 * have one table.
 */
#pragma once

#include "receivers.h"

#include <stddef.h>

struct trapped_call {
	int number;
	serve_call *serve;
};

extern const struct trapped_call trapped_calls[];
extern const size_t trapped_call_count;

/* Has the right one of them answer. */
serve_call trapped_serve;

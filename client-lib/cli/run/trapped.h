/* SPDX-License-Identifier: MIT */
/*
 * The system calls that the supervisor answers, and who answers which: the filter and the supervisor
 * have one table.
 */
#pragma once

#include <stddef.h>

struct notification;
struct receiver;

struct trapped_call {
	int number;
	void (*serve)(struct receiver *receiver, const struct notification *notification);
};

extern const struct trapped_call trapped_calls[];
extern const size_t trapped_call_count;

/* SPDX-License-Identifier: MIT */
/*
 * uptime(1) for servers that may run no programs: a helper does.
 */
#pragma once

#include <stddef.h>

#define UPTIME_SIZE 512

/* Starts the helper. Call this before anything else. Returns the way to ask it. */
int start_uptime_helper(void);

/* Asks for the text; it ends with a NUL. Returns its length. */
size_t ask_for_uptime(int helper, char text[static UPTIME_SIZE]);

/* Lets uptime(1) itself write to this descriptor: it becomes its standard output. */
void hand_over_to_uptime(int helper, int fd);

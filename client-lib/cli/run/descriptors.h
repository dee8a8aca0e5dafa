/* SPDX-License-Identifier: MIT */
/*
 * What the command and its supervisor must let go of, for the program's sake: who waits for the end
 * of what it writes, or for a lock, waits until nobody has the descriptor open any more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Closes all descriptors from 3 on but these, which are put in order; -1 is none. False, with errno,
   if the kernel refuses. */
bool descriptors_keep(int *kept, size_t count);

/* Puts /dev/null in the place of the standard descriptors up to `last`. */
void descriptors_leave_standard(int last);

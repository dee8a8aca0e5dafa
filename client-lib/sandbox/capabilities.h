/* SPDX-License-Identifier: MIT */
/*
 * Giving up all capabilities (capabilities(7)), for fdbroker_sandbox() and for the sandboxes of
 * `fdbroker run`: Landlock and the filters do not mind most of what they allow.
 *
 * Must never: leave one in a set that execve(2) makes others of.
 */
#pragma once

#include <stdbool.h>

/* Of this thread, for good once it has no_new_privs. 0; or -1 and errno, when some may be gone. */
int capabilities_drop(void);

/* Has this thread really none? */
bool capabilities_are_none(void);

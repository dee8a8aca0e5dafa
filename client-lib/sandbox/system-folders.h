/* SPDX-License-Identifier: MIT */
/*
 * What ordinary programs read of the system before they do anything of their own: for
 * `fdbroker run --sandbox` and fdbroker_sandbox(FDBROKER_SANDBOX_PROGRAMS).
 *
 * Must never: give back the right to write anything but a harmless device.
 */
#pragma once

#include "landlock.h"

/* Gives them back to a rule set. What is not there is passed over. 0; or -1 and errno. */
int system_folders_allow(const struct landlock_rules *rules);

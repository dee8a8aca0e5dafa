/* SPDX-License-Identifier: MIT */
/*
 * What the command does while the program runs: it passes signals on, stops as the program stops,
 * and ends as it ends.
 */
#pragma once

/* channel: that of supervisor_start(). Returns the exit status, if it is to exit. */
int relay(int channel);

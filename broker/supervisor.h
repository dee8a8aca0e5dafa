/* SPDX-License-Identifier: MIT */
/* The supervisor: the process that was started, and stays. */
#pragma once

#include "generation.h"
#include "options.h"

/*
 * Runs the broker on this listening socket under this first generation until it is told to end.
 * The signals SIGHUP, SIGTERM and SIGINT are blocked. Returns the exit status.
 */
int supervisor_run(const struct options *options, int listener, struct generation *generation);

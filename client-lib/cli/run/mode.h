/* SPDX-License-Identifier: MIT */
/*
 * How `fdbroker run` runs a program.
 */
#pragma once

enum run_mode {
	RUN_OPEN,    /* what the broker does not grant, the program's own rights decide */
	RUN_SANDBOX, /* the same within Landlock, and TCP ports are the broker's alone to give */
	RUN_POLICY_ONLY, /* what the broker does not grant is refused */
};

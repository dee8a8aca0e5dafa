/* SPDX-License-Identifier: MIT */
/*
 * The sandbox of the examples: what a program does with the broker's help, it can do in no other
 * way any more.
 */
#pragma once

/* For enter_sandbox(): programs may still be run, and for their sake files opened. */
#define SANDBOX_MAY_RUN_PROGRAMS 1u

/*
 * From here on this process and its children cannot make sockets, nor bind or connect them, nor
 * open files or run programs: all of that fails with EPERM. There is no way back. Connect to the
 * broker before. Ends the process if the sandbox cannot be entered, or does not hold.
 */
void enter_sandbox(unsigned int flags);

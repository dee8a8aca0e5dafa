/* SPDX-License-Identifier: MIT */
/*
 * fdbroker check [--strict] [--json] [FILE|DIR]...
 *
 * Prints every problem of the policy files to stderr and a summary to stdout, or all of it as JSON
 * to stdout. Without arguments it looks at the installed set as the broker would, placement and all;
 * files and folders that are named are drafts, and may lie anywhere. Names are asked for on this
 * machine.
 */
#pragma once

/*
 * argv[0] is "check". Returns the exit status: 0 fine, 1 errors (or the check itself failed),
 * 2 warnings and --strict, 64 wrong usage.
 */
int check_main(int argc, char **argv);

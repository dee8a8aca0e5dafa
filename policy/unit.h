/* SPDX-License-Identifier: MIT */
/* Which unit of the service manager a process belongs to: what `from unit` is about. */
#pragma once

/*
 * The unit of the process whose folder in /proc is open here (O_PATH will do): malloc'ed, or NULL
 * when it is not known. What is said is of this moment; whether the process was then still the one
 * that is meant is for the caller to find out.
 */
char *unit_of_process(int process);

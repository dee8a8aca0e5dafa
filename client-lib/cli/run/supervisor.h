/* SPDX-License-Identifier: MIT */
/*
 * The process that answers what the program's system calls ask for. It is a child of the command and
 * the parent of the program; it ends when nobody is left whose calls it could answer, which may be
 * long after the command has.
 */
#pragma once

#include "program.h"

/*
 * Starts it. *channel: signals are sent to the program through it, as an int each, and what comes
 * is the status of waitpid(2) each time that the program is stopped, and at last when it has ended;
 * that of an exit with 125 if it could not be started, after the user has been told. False, with errno, if there is no supervisor.
 */
bool supervisor_start(struct program *program, int *channel);

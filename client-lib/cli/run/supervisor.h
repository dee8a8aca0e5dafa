/* SPDX-License-Identifier: MIT */
/*
 * The process that answers what the program's system calls ask for. It is a child of the command and
 * the parent of the program; it ends when nobody is left whose calls it could answer, which may be
 * long after the command has.
 */
#pragma once

#include "program.h"

/*
 * Starts it. *channel: signals are sent to the program through it, as an int each, and as the one
 * answer comes the status of waitpid(2) when the program has ended. Takes the broker over. False,
 * with errno, if it cannot be started.
 */
bool supervisor_start(const struct program *program, struct fdbroker *broker, struct grants *grants,
	int *channel);

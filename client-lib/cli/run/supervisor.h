/* SPDX-License-Identifier: MIT */
/*
 * The process that answers what the program's system calls ask for. It is a child of the command and
 * the parent of the program; it ends when nobody is left whose calls it could answer, which may be
 * long after the command has.
 */
#pragma once

#include "program.h"

/*
 * What the command and its supervisor tell each other, a packet each. The supervisor: READY, once
 * the program is about to run; the status of waitpid(2) each time that the program is stopped, and at
 * last when it has ended, or that of an exit with 125 if it could not be started, after the user has
 * been told. The command: a signal for the program; the first one, 0, has it run. Until then the
 * command can end as it likes, and there will be no program. If it ends later, so does the program.
 */
#define SUPERVISOR_READY (-1)
struct passed_signal {
	int number;
	pid_t sender; /* 0: the kernel */
};

/* Starts it. *channel is for these packets. False, with errno, if there is no supervisor. */
bool supervisor_start(struct program *program, int *channel);

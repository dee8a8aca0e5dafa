/* SPDX-License-Identifier: MIT */
/*
 * The supervised program, from fork(2) to execve(2).
 */
#pragma once

#include "receivers.h"

#include <signal.h>

struct program {
	char **arguments; /* its name first, NULL last */
	enum run_mode mode;
	int confinement; /* confinement_make(), or -1 */
	sigset_t mask;   /* the signals that it finds blocked */
	bool is_nested;  /* this process is supervised by another `run` already */
};

/*
 * Starts it: a child of this process, which waits in front of execve(2) until program_go().
 * *listener is where its system calls are received; -1 if that is another supervisor's business, or
 * if the program could not be confined: then it has ended, after telling the user. Returns its pid;
 * or -1 with errno. *gate is for program_go().
 */
pid_t program_start(const struct program *program, int *listener, int *gate);

/* Its system calls are received from now on. Closes the gate. */
void program_go(int gate);

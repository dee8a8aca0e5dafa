/* SPDX-License-Identifier: MIT */
/*
 * The supervised program, from fork(2) to execve(2).
 */
#pragma once

#include "mode.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct program {
	char **arguments; /* its name first, NULL last */
	enum run_mode mode;
	int confinement;       /* confinement_make(), or -1 */
	sigset_t mask;         /* the signals that it finds blocked */
	bool ignores_children; /* SIGCHLD is ignored in it */
};

/* Becomes it, without a supervisor. If that fails: the exit status, after telling the user. */
int program_become(const struct program *program);

/*
 * Starts it: a child of this process, which waits in front of execve(2) until program_go().
 * *listener is where its system calls are received; -1 if the program could not be confined: then
 * it has ended, after telling the user. Returns its pid; or -1 with errno. *gate is for
 * program_go().
 */
pid_t program_start(const struct program *program, int *listener, int *gate);

/* Its system calls are received from now on. Closes the gate. */
void program_go(int gate);

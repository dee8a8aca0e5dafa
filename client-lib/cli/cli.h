/* SPDX-License-Identifier: MIT */
/*
 * The tool `fdbroker`: its subcommands, and what they have in common. See fdbroker(1).
 */
#pragma once

#include "fdbroker.h"

#include <stdbool.h>

/* Exit statuses that mean the same in every subcommand. */
enum {
	EXIT_USAGE = 64, /* EX_USAGE, sysexits(3head) */
	/* Of those that run a program, as env(1): its own failure, a program that cannot be run,
	   one that is not there. */
	EXIT_OWN_FAILURE = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

/* Subcommands: argv[0] is the name of the subcommand; what they return is the exit status. */
int cat_main(int argc, char **argv);
int exec_main(int argc, char **argv);
int list_main(int argc, char **argv);
int run_main(int argc, char **argv);
int suggest_main(int argc, char **argv);

/* Text to stdout. Returns the exit status: a full disk is a failure. */
int tool_print(const char *text);

/* Names a connection that was made by somebody else, by the number of its descriptor. */
#define CONNECTION_VARIABLE "FDBROKER_FD"

/*
 * A connection to the broker that is this process's alone: a clone of the one that the environment
 * names, or else a new one. NULL after telling the user why there is none.
 */
struct fdbroker *tool_connect(void);
/* Does the environment name one? */
bool tool_inherits(void);

/*
 * For a program that this process is about to become: *fd is the descriptor of the connection that
 * the environment names, -1 if it names none. From 3 on, it is `first` or beyond. False after
 * telling the user why not.
 */
bool tool_keep_inherited(int first, int *fd);
/* Ends that connection for the program. False, with errno, if that fails. */
bool tool_drop_inherited(void);

/* Becomes the program, which is looked for as by execvp(3). Returns the exit status if that fails,
   after telling the user. */
int tool_become(char **program);

/* Tells the user why the last call of the library failed, from errno and the reason. */
void tool_complain(const char *object);

/* Is it --help or -h? */
bool tool_wants_help(const char *argument);

/*
 * Is argv[*next] the option `name`, as "--name TEXT" or "--name=TEXT"? Then *next moves on, and
 * *text is its argument, or NULL where that is missing.
 */
bool tool_takes_option(const char *name, char **argv, int *next, char **text);

/* What getopt_long(3) has just given '?' for; `letter` is room for an option of one letter. */
const char *tool_wrong_option(char **argv, char letter[static 3]);

/* Tells the user what the kernel refuses: "fdbroker: COMMAND: WHAT: " and errno. Returns
   EXIT_OWN_FAILURE. */
int tool_fail(const char *command, const char *what);

/* Tells the user what is wrong with the command line and where to read on. Returns EXIT_USAGE. */
int tool_usage_error(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

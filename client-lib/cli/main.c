/* SPDX-License-Identifier: MIT */
/*
 * fdbroker, the tool: finds the subcommand and calls it. What a subcommand does stands in the file
 * of its name; this file must never know more of it than its line in the table.
 */
#include "check.h"
#include "cli.h"
#include "explain/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *help;
};

#define EXEC_ARGUMENTS                                                                             \
	"[--listen ENDPOINT[=NAME]]... [--dial ENDPOINT[=NAME]]...\n"                              \
	"                [--socket KIND[=NAME]]... [--tun DEVICE[=NAME]]...\n"                     \
	"                [--open PATH:MODE[=NAME]]... [--limit VERBS:OBJECT]...\n"                 \
	"                -- PROGRAM [ARGS]..."

static const struct command commands[] = {
	{"cat", cat_main, "PATH...", "write files to stdout"},
	{"check", check_main, "[--strict] [--json] [FILE|DIR]...",
		"look for mistakes in policy files"},
	{"exec", exec_main, EXEC_ARGUMENTS, "run a program with the descriptors it needs"},
	{"explain", explain_main,
		"[--policy FILE|DIR]... [--user USER] [--group GROUP]... [--unit UNIT]\n"
		"                   [--pid PID] [--json] VERBS OBJECT | -",
		"say whether the policy allows something, and why"},
	{"list", list_main, "", "show what this user may have"},
	{"run", run_main,
		"[--sandbox [-r DIR]... [-w DIR]...|--policy-only]\n"
		"               [--] PROGRAM [ARGS]...",
		"run a program that knows nothing of the broker"},
	{"suggest", suggest_main, "[--since TIME] [--client NAME] [FILE|-]",
		"rules for what was denied, from the audit log"},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	puts("Files and sockets from the broker, as far as its policy goes. See fdbroker(1).\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  fdbroker %s %s\n\t%s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	puts("  fdbroker COMMAND --help\n  fdbroker --version");
	return tool_print("");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int complain_unknown(const char *name)
{
	char names[128] = "";
	size_t length = 0;

	for (size_t i = 0; i < COMMAND_COUNT && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
			i > 0 ? ", " : "", commands[i].name);
	return tool_usage_error("", "there is no '%s'; the commands are %s", name, names);
}

/* Nothing that is opened later may land on a standard descriptor, where messages would go into it.
   Close-on-exec, so that a program started by `exec` finds them as they were. */
static bool fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* open(2) gives the lowest one that is free; a sandbox may have no /dev. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0) {
			fprintf(stderr, "fdbroker: /dev/null: %s\n", strerror(errno));
			return false;
		}
	}
	return true;
}

static int run_command(int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);

	if (command == NULL)
		return complain_unknown(argv[0]);
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	if (!fill_standard_descriptors())
		return EXIT_FAILURE;
	if (argc < 2)
		return tool_usage_error("", "a subcommand is missing");
	if (tool_wants_help(argv[1]))
		return print_help();
	if (strcmp(argv[1], "--version") == 0)
		return tool_print("fdbroker " FDBROKER_VERSION "\n");
	return run_command(argc - 1, argv + 1);
}

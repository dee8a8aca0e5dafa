/* SPDX-License-Identifier: MIT */
/*
 * fdbroker exec: asks the broker for sockets and files, puts them where sd_listen_fds(3) looks for
 * them, and becomes the program. It must never fork, or LISTEN_PID would be wrong, and never hand
 * the program a connection that it made itself, but for one that was narrowed to what --limit says:
 * its rights were this tool's to use, not the program's.
 */
#include "limit.h"
#include "wish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

static const char exec_help[] =
	"Usage: fdbroker exec [--listen ENDPOINT[=NAME]]... [--dial ENDPOINT[=NAME]]...\n"
	"                     [--socket KIND[=NAME]]... [--tun DEVICE[=NAME]]...\n"
	"                     [--open PATH:MODE[=NAME]]... [--limit VERBS:OBJECT]...\n"
	"                     -- PROGRAM [ARGS]...\n"
	"\n"
	"Becomes PROGRAM, with what the broker grants as descriptors 3, 4, ... in the order\n"
	"given, by the LISTEN_FDS protocol of sd_listen_fds(3).\n"
	"\n"
	"  --listen   a listening socket: tcp:80  tcp:127.0.0.1:443  udp:[::1]:53  vsock:*:1024\n"
	"             unix:/run/app/socket\n"
	"  --dial     a connected socket: tcp:db.internal:5432  udp:192.0.2.1:ntp  vsock:2:1024\n"
	"  --socket   another socket: icmp  icmp6  vsock  raw:NUMBER  raw6:NUMBER\n"
	"             netlink:NUMBER  netlink:route, and the other names of the policy language\n"
	"  --tun      a network device, which is brought up: tun:vpn0  tap:vm1\n"
	"  --open     a file; MODE as the shell's redirections: r is <, w is >, a is >>, rw is <>\n"
	"  NAME       its name in LISTEN_FDNAMES\n"
	"  --limit    what PROGRAM may ask the broker for by itself: read,list:/srv/**  "
	"bind:tcp:80\n"
	"             FDBROKER_FD is its connection; without --limit the one of exec's own\n"
	"             FDBROKER_FD, if there is one. Who can connect anew is not held back.\n"
	"\n"
	"Exit status: 125 it failed itself, 126 PROGRAM cannot be run, 127 it is not there,\n"
	"64 wrong usage; else PROGRAM's.\n";

struct wishes {
	struct wish *list;
	unsigned int count;
	struct limits limits;
	int connection; /* for the program; -1: none */
};

/* ---- the command line ---- */

/* wishes has room for it. */
static int parse_option(struct wishes *wishes, char **argv, int *next)
{
	char *text;

	if (tool_takes_option("--limit", argv, next, &text))
		return limits_add(&wishes->limits, text);
	return wish_parse(&wishes->list[wishes->count++], argv, next);
}

/* Sets *program to where PROGRAM stands. wishes has room for argc of them. */
static int parse_arguments(struct wishes *wishes, int argc, char **argv, int *program)
{
	int next = 1;

	while (next < argc && argv[next][0] == '-' && strcmp(argv[next], "--") != 0) {
		int status = parse_option(wishes, argv, &next);

		if (status != 0)
			return status;
	}
	if (next < argc && strcmp(argv[next], "--") == 0)
		next++;
	if (next >= argc)
		return tool_usage_error("exec ", "exec: a program is missing");
	if (wishes->count == 0 && wishes->limits.count == 0)
		return tool_usage_error(
			"exec ", "exec: nothing to ask for is given, such as --listen tcp:80");
	*program = next;
	return 0;
}

/* ---- asking ---- */

/* One that was inherited is the program's as it was this tool's; none is added to it. */
static bool choose_connection(struct wishes *wishes, struct fdbroker *broker)
{
	int first = FIRST_FD + (int)wishes->count;

	if (wishes->limits.count == 0)
		return tool_keep_inherited(first, &wishes->connection);
	wishes->connection = limits_impose(&wishes->limits, broker, first);
	return wishes->connection >= 0;
}

static bool fulfil_all(struct wishes *wishes)
{
	struct fdbroker *broker = tool_connect();
	bool fulfilled = broker != NULL;

	for (unsigned int i = 0; i < wishes->count && fulfilled; i++)
		fulfilled = wish_fulfil(broker, &wishes->list[i]);
	/* Last: what is asked for by the options above need not be what the program may have. */
	fulfilled = fulfilled && choose_connection(wishes, broker);
	fdbroker_free(broker);
	return fulfilled;
}

/* ---- handing over ---- */

/* First all of them out of the way of where any will go, then each to its place. */
static bool place_descriptors(const struct wishes *wishes)
{
	int end = FIRST_FD + (int)wishes->count;

	for (unsigned int i = 0; i < wishes->count; i++) {
		struct wish *wish = &wishes->list[i];

		if (wish->fd < end)
			wish->fd = fcntl(wish->fd, F_DUPFD_CLOEXEC, end);
		if (wish->fd < 0)
			return false;
	}
	for (unsigned int i = 0; i < wishes->count; i++) {
		if (dup2(wishes->list[i].fd, FIRST_FD + (int)i) < 0)
			return false;
	}
	return true;
}

static bool set_number(const char *variable, long number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%ld", number);
	return setenv(variable, digits, 1) == 0;
}

static bool set_names(const struct wishes *wishes)
{
	char *names = NULL;
	size_t size;
	FILE *text = open_memstream(&names, &size);

	if (text == NULL)
		return false;
	for (unsigned int i = 0; i < wishes->count; i++)
		fprintf(text, "%s%s", i > 0 ? ":" : "", wishes->list[i].name);
	bool set = fclose(text) == 0 && setenv("LISTEN_FDNAMES", names, 1) == 0;
	free(names);
	return set;
}

/* One that was inherited would contradict LISTEN_PID: LISTEN_PIDFDID, sd_listen_fds(3). */
static bool set_listen_variables(const struct wishes *wishes)
{
	return unsetenv("LISTEN_PIDFDID") == 0 && set_number("LISTEN_PID", getpid()) &&
	       set_number("LISTEN_FDS", wishes->count) && set_names(wishes);
}

/* Where nothing takes their place, what a service manager passed is still where it was. */
static bool set_environment(const struct wishes *wishes)
{
	if (wishes->count > 0 && !set_listen_variables(wishes))
		return false;
	if (wishes->connection < 0)
		return unsetenv(CONNECTION_VARIABLE) == 0;
	return set_number(CONNECTION_VARIABLE, wishes->connection);
}

static int run_program(const struct wishes *wishes, char **program)
{
	if (!place_descriptors(wishes) || !set_environment(wishes)) {
		fprintf(stderr, "fdbroker: exec: %s\n", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	return tool_become(program);
}

static int exec_wishes(struct wishes *wishes, int argc, char **argv)
{
	int program = 0;
	int status = parse_arguments(wishes, argc, argv, &program);

	if (status != 0)
		return status;
	if (!fulfil_all(wishes))
		return EXIT_OWN_FAILURE;
	return run_program(wishes, argv + program);
}

int exec_main(int argc, char **argv)
{
	struct wishes wishes = {.connection = -1};
	int status = EXIT_OWN_FAILURE;

	if (argc > 1 && tool_wants_help(argv[1]))
		return tool_print(exec_help);
	wishes.list = calloc((size_t)argc, sizeof(struct wish));
	wishes.limits.list = calloc((size_t)argc, sizeof(struct fdbroker_limit));
	if (wishes.list == NULL || wishes.limits.list == NULL)
		fprintf(stderr, "fdbroker: exec: %s\n", strerror(errno));
	else
		status = exec_wishes(&wishes, argc, argv);
	free(wishes.limits.list);
	free(wishes.list);
	return status;
}

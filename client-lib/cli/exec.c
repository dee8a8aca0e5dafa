/* SPDX-License-Identifier: MIT */
/*
 * fdbroker exec: asks the broker for sockets and files, puts them where sd_listen_fds(3) looks for
 * them, and becomes the program. It must never fork, or LISTEN_PID would be wrong, and never leave
 * the program a way to the broker: its rights were this tool's to use, not the program's.
 */
#include "cli.h"
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As env(1): its own failure, a program that cannot be run, one that is not there. */
enum { EXIT_OWN_FAILURE = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

#define FIRST_FD 3             /* SD_LISTEN_FDS_START */
#define NAME_LENGTH_MAX 255    /* FDNAME_MAX of systemd, sd_listen_fds(3) */
#define DEFAULT_NAME "unknown" /* what sd_listen_fds_with_names(3) calls what has no name */
#define LISTEN_BACKLOG 4096    /* the kernel cuts it to net.core.somaxconn, listen(2) */

static const char exec_help[] =
	"Usage: fdbroker exec [--listen ENDPOINT[=NAME]]... [--open PATH:MODE[=NAME]]...\n"
	"                     -- PROGRAM ARGS...\n"
	"\n"
	"Becomes PROGRAM, with what the broker grants as descriptors 3, 4, ... in the order\n"
	"given, by the LISTEN_FDS protocol of sd_listen_fds(3).\n"
	"\n"
	"  --listen   a listening socket: tcp:80  tcp:127.0.0.1:443  udp:[::1]:53\n"
	"  --open     a file; MODE as the shell's redirections: r is <, w is >, a is >>, rw is <>\n"
	"  NAME       its name in LISTEN_FDNAMES\n"
	"\n"
	"Exit status: 125 it failed itself, 126 PROGRAM cannot be run, 127 it is not there,\n"
	"64 wrong usage; else PROGRAM's.\n";

/* Something to ask for: an endpoint to listen on, or a file to open. */
struct wish {
	bool is_file;
	int flags;    /* of a file */
	char *object; /* the endpoint or the path */
	const char *name;
	int fd;
};

struct wishes {
	struct wish *list;
	unsigned int count;
};

/* ---- the command line ---- */

/* The shell's redirections, in letters. */
static const struct {
	const char *mode;
	int flags;
} modes[] = {
	{"r", O_RDONLY},                      /* <  */
	{"w", O_WRONLY | O_CREAT | O_TRUNC},  /* >  */
	{"a", O_WRONLY | O_CREAT | O_APPEND}, /* >> */
	{"rw", O_RDWR | O_CREAT},             /* <> */
};

static bool set_mode(struct wish *wish, const char *mode)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].mode, mode) == 0) {
			wish->flags = modes[i].flags;
			return true;
		}
	}
	return false;
}

/* What sd_listen_fds_with_names(3) allows: printable ASCII, no colon. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_LENGTH_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (name[i] < ' ' || name[i] > '~' || name[i] == ':')
			return false;
	}
	return true;
}

/* Cuts text at the first `=` and takes what follows for the name. */
static int split_name(struct wish *wish, const char *option, char *text)
{
	char *equals = strchr(text, '=');

	wish->name = DEFAULT_NAME;
	if (equals == NULL)
		return 0;
	*equals = '\0';
	wish->name = equals + 1;
	if (is_name(wish->name))
		return 0;
	return tool_usage_error("exec ",
		"exec: %s: '%s' is not a name (1 to %d printable characters, no colon)", option,
		wish->name, NAME_LENGTH_MAX);
}

/* The library asks no name service, and says no more than EINVAL: the words are this tool's. */
static int parse_listen(struct wish *wish, char *text)
{
	struct fdbroker_endpoint endpoint;

	*wish = (struct wish){.object = text, .fd = -1};
	int status = split_name(wish, "--listen", text);
	if (status == 0 && endpoint_from_text(&endpoint, text) != 0)
		return tool_usage_error("exec ",
			"exec: --listen: '%s' is no endpoint: write tcp:PORT or tcp:ADDRESS:PORT, "
			"with numbers; likewise udp:",
			text);
	return status;
}

/* PATH:MODE[=NAME]. Neither a mode nor a name has a colon, so the last one ends the path. */
static int parse_open(struct wish *wish, char *text)
{
	char *colon = strrchr(text, ':');

	*wish = (struct wish){.is_file = true, .object = text, .fd = -1};
	if (colon == NULL)
		return tool_usage_error("exec ", "exec: --open: '%s' has no ':MODE'", text);
	*colon = '\0';
	int status = split_name(wish, "--open", colon + 1);
	if (status == 0 && !set_mode(wish, colon + 1))
		return tool_usage_error(
			"exec ", "exec: --open: '%s' is not a mode (r, w, a or rw)", colon + 1);
	return status;
}

static const struct {
	const char *name;
	int (*parse)(struct wish *wish, char *text);
} options[] = {
	{"--listen", parse_listen},
	{"--open", parse_open},
};

/* The text of option `name` at argv[*next], which moves on: "--name TEXT" or "--name=TEXT". */
static char *option_text(const char *name, char **argv, int *next)
{
	size_t length = strlen(name);
	char *argument = argv[*next];

	if (strncmp(argument, name, length) != 0)
		return NULL;
	if (argument[length] == '=') {
		*next += 1;
		return argument + length + 1;
	}
	if (argument[length] != '\0' || argv[*next + 1] == NULL)
		return NULL;
	*next += 2;
	return argv[*next - 1];
}

static int parse_option(struct wishes *wishes, char **argv, int *next)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char *text = option_text(options[i].name, argv, next);

		if (text != NULL)
			return options[i].parse(&wishes->list[wishes->count++], text);
		if (strcmp(options[i].name, argv[*next]) == 0)
			return tool_usage_error(
				"exec ", "exec: %s: its argument is missing", options[i].name);
	}
	return tool_usage_error("exec ", "exec: there is no option '%s'", argv[*next]);
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
	if (wishes->count == 0)
		return tool_usage_error("exec ", "exec: neither --listen nor --open is given");
	*program = next;
	return 0;
}

/* ---- asking ---- */

static bool fulfil(struct fdbroker *broker, struct wish *wish)
{
	if (wish->is_file)
		wish->fd = fdbroker_open(broker, wish->object, wish->flags | O_CLOEXEC);
	else
		wish->fd = fdbroker_listen(broker, wish->object, LISTEN_BACKLOG);
	if (wish->fd >= 0)
		return true;
	tool_complain(wish->object);
	return false;
}

static bool fulfil_all(struct wishes *wishes)
{
	struct fdbroker *broker = tool_connect();
	bool fulfilled = broker != NULL;

	for (unsigned int i = 0; i < wishes->count && fulfilled; i++)
		fulfilled = fulfil(broker, &wishes->list[i]);
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
static bool set_environment(const struct wishes *wishes)
{
	return unsetenv("LISTEN_PIDFDID") == 0 && set_number("LISTEN_PID", getpid()) &&
	       set_number("LISTEN_FDS", wishes->count) && set_names(wishes);
}

static int run_program(const struct wishes *wishes, char **program)
{
	if (!place_descriptors(wishes) || !set_environment(wishes)) {
		fprintf(stderr, "fdbroker: exec: %s\n", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	execvp(program[0], program);
	int status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	fprintf(stderr, "fdbroker: %s: %s\n", program[0], strerror(errno));
	return status;
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
	struct wishes wishes = {0};

	if (argc > 1 && tool_wants_help(argv[1]))
		return tool_print(exec_help);
	wishes.list = calloc((size_t)argc, sizeof(struct wish));
	if (wishes.list == NULL) {
		fprintf(stderr, "fdbroker: exec: %s\n", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	int status = exec_wishes(&wishes, argc, argv);
	free(wishes.list);
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * The options of `fdbroker exec`: each is checked before anything is asked for, and then asked for
 * in the words of the library. Nothing here may decide what is allowed, nor listen or connect in
 * the broker's stead; only a unix socket is this process's own, so that whoever connects to it sees
 * the user's credentials.
 */
#include "wish.h"
#include "endpoint.h"
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_LENGTH_MAX 255    /* FDNAME_MAX of systemd, sd_listen_fds(3) */
#define DEFAULT_NAME "unknown" /* what sd_listen_fds_with_names(3) calls what has no name */
#define LISTEN_BACKLOG 4096    /* the kernel cuts it to net.core.somaxconn, listen(2) */
#define UNIX_PREFIX "unix:"

/* ---- names ---- */

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

/* ---- --listen ---- */

static int ask_listen(struct fdbroker *broker, const struct wish *wish)
{
	return fdbroker_listen(broker, wish->object, LISTEN_BACKLOG);
}

static int close_failed(int fd)
{
	int saved_errno = errno;

	close(fd);
	errno = saved_errno;
	return -1;
}

static int ask_listen_unix(struct fdbroker *broker, const struct wish *wish)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		wish->object + strlen(UNIX_PREFIX));
	if (fdbroker_bind(broker, fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd, LISTEN_BACKLOG) != 0)
		return close_failed(fd);
	return fd;
}

static int parse_listen_unix(struct wish *wish)
{
	const char *path = wish->object + strlen(UNIX_PREFIX);

	wish->ask = ask_listen_unix;
	if (path[0] != '/' || strlen(path) > FDBROKER_UNIX_PATH_MAX)
		return tool_usage_error("exec ",
			"exec: --listen: '%s' is not the absolute path of a socket (at most %u "
			"bytes)",
			path, FDBROKER_UNIX_PATH_MAX);
	return 0;
}

/* The library asks no name service, and says no more than EINVAL: the words are this tool's. */
static int parse_listen(struct wish *wish, char *text)
{
	struct fdbroker_endpoint endpoint;
	int status = split_name(wish, "--listen", text);

	if (status != 0)
		return status;
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return parse_listen_unix(wish);
	wish->ask = ask_listen;
	if (endpoint_from_text(&endpoint, text) != 0)
		return tool_usage_error("exec ",
			"exec: --listen: '%s' is no endpoint: write tcp:PORT or tcp:ADDRESS:PORT, "
			"with numbers; likewise udp:, vsock:CID:PORT, unix:/PATH",
			text);
	return 0;
}

/* ---- --dial ---- */

static int ask_dial(struct fdbroker *broker, const struct wish *wish)
{
	return fdbroker_dial(broker, wish->object);
}

static int parse_dial(struct wish *wish, char *text)
{
	struct fdbroker_request request = {.operation = FDBROKER_DIAL};
	int status = split_name(wish, "--dial", text);

	wish->ask = ask_dial;
	if (status == 0 && endpoint_to_dial(&request, text) != 0)
		return tool_usage_error("exec ",
			"exec: --dial: '%s' is no endpoint: write tcp:HOST:PORT; likewise udp:, "
			"vsock:CID:PORT",
			text);
	return status;
}

/* ---- --socket ---- */

/* What socket(2) is asked for; a name that ends in a colon wants a protocol up to `last`. */
static const struct {
	const char *name;
	int domain, type, protocol, last;
} sockets[] = {
	{"icmp", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, 0},
	{"icmp6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, 0},
	{"raw:", AF_INET, SOCK_RAW, 0, IPPROTO_RAW},
	{"raw6:", AF_INET6, SOCK_RAW, 0, IPPROTO_RAW},
	{"netlink:", AF_NETLINK, SOCK_RAW, 0, MAX_LINKS - 1},
	{"vsock", AF_VSOCK, SOCK_STREAM, 0, 0},
};

static bool parse_netlink_name(const char *name, int *protocol)
{
	uint32_t number;

	if (!policy_netlink_family(name, &number))
		return false;
	*protocol = (int)number;
	return true;
}

static bool parse_number(const char *digits, int last, int *protocol)
{
	char *end;
	unsigned long number;

	if (digits[0] < '0' || digits[0] > '9' || strlen(digits) > 3)
		return false;
	number = strtoul(digits, &end, 10);
	*protocol = (int)number;
	return *end == '\0' && *protocol <= last;
}

static bool parse_protocol(struct wish *wish, const char *text, int last)
{
	return parse_number(text, last, &wish->protocol) ||
	       (wish->domain == AF_NETLINK && parse_netlink_name(text, &wish->protocol));
}

static bool set_socket(struct wish *wish, const char *text)
{
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		size_t length = strlen(sockets[i].name);
		bool wants_number = sockets[i].name[length - 1] == ':';

		wish->domain = sockets[i].domain;
		wish->type = sockets[i].type;
		wish->protocol = sockets[i].protocol;
		if (!wants_number && strcmp(text, sockets[i].name) == 0)
			return true;
		if (wants_number && strncmp(text, sockets[i].name, length) == 0)
			return parse_protocol(wish, text + length, sockets[i].last);
	}
	return false;
}

static int ask_socket(struct fdbroker *broker, const struct wish *wish)
{
	return fdbroker_socket(broker, wish->domain, wish->type | SOCK_CLOEXEC, wish->protocol);
}

static int parse_socket(struct wish *wish, char *text)
{
	int status = split_name(wish, "--socket", text);

	wish->ask = ask_socket;
	if (status == 0 && !set_socket(wish, text))
		return tool_usage_error("exec ",
			"exec: --socket: '%s' is no kind of socket: write icmp, icmp6, vsock, "
			"raw:NUMBER, raw6:NUMBER, netlink:NUMBER or netlink:FAMILY, as in "
			"netlink:route",
			text);
	return status;
}

/* ---- --tun ---- */

static int ask_tun(struct fdbroker *broker, const struct wish *wish)
{
	return fdbroker_tun(broker, wish->object, FDBROKER_TUN_NO_PI | FDBROKER_TUN_UP);
}

static int parse_tun(struct wish *wish, char *text)
{
	int status = split_name(wish, "--tun", text);
	bool is_device = strncmp(text, "tun:", 4) == 0 || strncmp(text, "tap:", 4) == 0;

	wish->ask = ask_tun;
	if (status == 0 && (!is_device || strlen(text + 4) > FDBROKER_INTERFACE_MAX))
		return tool_usage_error("exec ",
			"exec: --tun: '%s' is no device: write tun:NAME or tap:NAME (at most %u "
			"characters)",
			text, FDBROKER_INTERFACE_MAX);
	return status;
}

/* ---- --open ---- */

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

static int ask_open(struct fdbroker *broker, const struct wish *wish)
{
	return fdbroker_open(broker, wish->object, wish->flags | O_CLOEXEC);
}

/* PATH:MODE[=NAME]. Neither a mode nor a name has a colon, so the last one ends the path. */
static int parse_open(struct wish *wish, char *text)
{
	char *colon = strrchr(text, ':');

	wish->ask = ask_open;
	if (colon == NULL)
		return tool_usage_error("exec ", "exec: --open: '%s' has no ':MODE'", text);
	*colon = '\0';
	int status = split_name(wish, "--open", colon + 1);
	if (status == 0 && !set_mode(wish, colon + 1))
		return tool_usage_error(
			"exec ", "exec: --open: '%s' is not a mode (r, w, a or rw)", colon + 1);
	return status;
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	int (*parse)(struct wish *wish, char *text);
} options[] = {
	{"--listen", parse_listen},
	{"--dial", parse_dial},
	{"--socket", parse_socket},
	{"--tun", parse_tun},
	{"--open", parse_open},
};

int wish_parse(struct wish *wish, char **argv, int *next)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char *text;

		if (!tool_takes_option(options[i].name, argv, next, &text))
			continue;
		if (text == NULL)
			return tool_usage_error(
				"exec ", "exec: %s: its argument is missing", options[i].name);
		*wish = (struct wish){.object = text, .fd = -1};
		return options[i].parse(wish, text);
	}
	return tool_usage_error("exec ", "exec: there is no option '%s'", argv[*next]);
}

bool wish_fulfil(struct fdbroker *broker, struct wish *wish)
{
	wish->fd = wish->ask(broker, wish);
	if (wish->fd >= 0)
		return true;
	tool_complain(wish->object);
	return false;
}

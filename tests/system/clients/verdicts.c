/* SPDX-License-Identifier: MIT */
/*
 * Asks the broker for what stands on the lines of the standard input, "VERBS OBJECT" as `fdbroker
 * explain -` takes them, and prints "allowed VERBS OBJECT" or "denied VERBS OBJECT" for each: denied
 * is what the policy refuses, whatever else may come of the rest. Files are asked for in packets of
 * many. Ends with 1 when something cannot be asked.
 *
 * Must never: read a line with the code that it is compared with.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdbroker.h"

#define LINES_MAX 10000
#define BATCH 64 /* FDBROKER_REQUESTS_MAX of the protocol */

struct line {
	char *text; /* all of it */
	char *verbs, *object;
	bool denied;
};

static struct line lines[LINES_MAX];
static size_t line_count;
static struct fdbroker *broker;

static bool is_denied(enum fdbroker_reason reason, const struct line *line)
{
	if (reason == FDBROKER_REASON_BROKER || reason == FDBROKER_REASON_LOCAL)
		err(1, "%s: %s", line->text, fdbroker_strreason(reason));
	return reason == FDBROKER_REASON_POLICY;
}

/* What a call gave, which may be a descriptor. */
static bool settle(int result, const struct line *line, bool is_descriptor)
{
	if (result >= 0 && is_descriptor)
		close(result);
	return result < 0 && is_denied(fdbroker_last_reason(), line);
}

/* ---- files ---- */

static const struct {
	const char *verbs;
	int flags;
} open_verbs[] = {
	{"read", O_RDONLY},
	{"write", O_WRONLY},
	{"append", O_WRONLY | O_APPEND},
	{"read,write", O_RDWR},
	{"read,append", O_RDWR | O_APPEND},
};

/* -1: it is nothing that open(2) asks for. */
static int open_flags(const struct line *line)
{
	for (size_t i = 0; i < sizeof(open_verbs) / sizeof(open_verbs[0]); i++)
		if (strcmp(line->verbs, open_verbs[i].verbs) == 0)
			return open_verbs[i].flags;
	return -1;
}

static void open_batch(struct line *const *batch, size_t count)
{
	struct fdbroker_open_request requests[BATCH] = {{.path = NULL}};

	for (size_t i = 0; i < count; i++) {
		requests[i].path = batch[i]->object;
		requests[i].flags = open_flags(batch[i]) | O_CLOEXEC;
	}
	if (fdbroker_open_many(broker, requests, count) < 0)
		err(1, "fdbroker_open_many");
	for (size_t i = 0; i < count; i++) {
		if (requests[i].fd >= 0)
			close(requests[i].fd);
		batch[i]->denied =
			requests[i].error != 0 && is_denied(requests[i].reason, batch[i]);
	}
}

static void open_all(void)
{
	struct line *batch[BATCH];
	size_t count = 0;

	for (size_t i = 0; i < line_count; i++) {
		if (lines[i].object[0] != '/' || open_flags(&lines[i]) < 0)
			continue;
		batch[count++] = &lines[i];
		if (count == BATCH) {
			open_batch(batch, count);
			count = 0;
		}
	}
	if (count > 0)
		open_batch(batch, count);
}

static bool ask_for_file(const struct line *line)
{
	static int inotify = -1;
	struct stat status;

	if (strcmp(line->verbs, "stat") == 0)
		return settle(fdbroker_stat(broker, line->object, &status), line, false);
	if (strcmp(line->verbs, "list") == 0)
		return settle(fdbroker_list(broker, line->object), line, true);
	if (strcmp(line->verbs, "create") == 0)
		return settle(fdbroker_mkdir(broker, line->object, 0), line, false);
	if (strcmp(line->verbs, "remove") == 0)
		return settle(fdbroker_unlink(broker, line->object), line, false);
	if (strcmp(line->verbs, "read,stat") == 0)
		return settle(fdbroker_access(broker, line->object, R_OK), line, false);
	if (strcmp(line->verbs, "watch") != 0)
		errx(1, "%s: nothing asks for this", line->text);
	if (inotify < 0)
		inotify = inotify_init1(IN_CLOEXEC);
	return settle(fdbroker_watch(broker, inotify, line->object, IN_DELETE_SELF), line, false);
}

/* ---- endpoints ---- */

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static int make_socket(int domain, int type)
{
	int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static bool bind_unix(const struct line *line)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = make_socket(AF_UNIX, SOCK_STREAM);
	bool denied;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", line->object + strlen("unix:"));
	denied = settle(fdbroker_bind(broker, fd, (struct sockaddr *)&address, sizeof(address)),
		line, false);
	close(fd);
	return denied;
}

/* KIND:IPV4:PORT goes to connect(2), KIND:NAME:PORT is dialled. */
static bool connect_to(const struct line *line)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[64];
	unsigned int port;
	bool denied;
	int fd;

	if (sscanf(line->object + 4, "%63[^:]:%u", host, &port) != 2)
		errx(1, "%s: no endpoint", line->text);
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		return settle(fdbroker_dial(broker, line->object), line, true);
	address.sin_port = htons((in_port_t)port);
	fd = make_socket(AF_INET, begins(line->object, "udp:") ? SOCK_DGRAM : SOCK_STREAM);
	denied = settle(fdbroker_connect(broker, fd, (struct sockaddr *)&address, sizeof(address)),
		line, false);
	close(fd);
	return denied;
}

static bool make_by_broker(const struct line *line)
{
	const char *object = line->object;
	int domain = AF_INET, type = SOCK_DGRAM, protocol = IPPROTO_ICMP;

	if (begins(object, "raw:")) {
		type = SOCK_RAW;
		protocol = atoi(object + strlen("raw:"));
	} else if (begins(object, "netlink:")) {
		domain = AF_NETLINK;
		protocol = atoi(object + strlen("netlink:"));
	} else if (strcmp(object, "icmp6") == 0) {
		domain = AF_INET6;
		protocol = IPPROTO_ICMPV6;
	}
	return settle(fdbroker_socket(broker, domain, type | SOCK_CLOEXEC, protocol), line, true);
}

static bool set_option(const struct line *line)
{
	int fd = make_socket(AF_INET, SOCK_DGRAM);
	int name = begins(line->object, "mark=") ? SO_MARK : SO_PRIORITY;
	int value = atoi(strchr(line->object, '=') + 1);
	bool denied =
		settle(fdbroker_setsockopt(broker, fd, SOL_SOCKET, name, &value, sizeof(value)),
			line, false);

	close(fd);
	return denied;
}

static bool resolve(const struct line *line)
{
	struct addrinfo *found = NULL;
	int code = fdbroker_getaddrinfo(broker, line->object + strlen("host:"), NULL, NULL, &found);

	if (code == 0)
		freeaddrinfo(found);
	return code != 0 && is_denied(fdbroker_last_reason(), line);
}

static bool ask_for_endpoint(const struct line *line)
{
	if (begins(line->object, "unix:"))
		return bind_unix(line);
	if (strcmp(line->verbs, "bind") == 0)
		return settle(fdbroker_listen(broker, line->object, 1), line, true);
	if (strcmp(line->verbs, "connect") == 0)
		return connect_to(line);
	if (strcmp(line->verbs, "socket") == 0)
		return make_by_broker(line);
	if (strcmp(line->verbs, "option") == 0)
		return set_option(line);
	if (strcmp(line->verbs, "resolve") == 0)
		return resolve(line);
	errx(1, "%s: nothing asks for this", line->text);
}

/* ---- all of them ---- */

static void read_lines(void)
{
	char *text = NULL, *blank;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&text, &size, stdin)) > 0) {
		struct line *line = &lines[line_count++];

		if (line_count == LINES_MAX)
			errx(1, "too many lines");
		text[strcspn(text, "\n")] = '\0';
		line->text = strdup(text);
		line->verbs = strdup(text);
		blank = line->verbs != NULL ? strchr(line->verbs, ' ') : NULL;
		if (line->text == NULL || blank == NULL)
			errx(1, "%s: not understood", text);
		*blank = '\0';
		line->object = blank + 1;
	}
	free(text);
}

int main(void)
{
	read_lines();
	broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "fdbroker_new");
	open_all();
	for (size_t i = 0; i < line_count; i++) {
		struct line *line = &lines[i];

		if (line->object[0] != '/')
			line->denied = ask_for_endpoint(line);
		else if (open_flags(line) < 0)
			line->denied = ask_for_file(line);
		printf("%s %s\n", line->denied ? "denied" : "allowed", line->text);
		free(line->text);
		free(line->verbs);
	}
	fdbroker_free(broker);
	return 0;
}

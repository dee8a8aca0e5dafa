/* SPDX-License-Identifier: MIT */
/*
 * A client that narrows and clones connections and gives them away: narrow [COMMAND...], each one
 * argument, or one on each line of the standard input. What it narrows by is sent as it is given,
 * past the library, so that nothing is checked on the way. Every command prints one line at once:
 * "ok", "ok ANSWER", or an errno and the reason. The exit status is 0 unless a command is not
 * understood.
 *
 * One connection of several is the one in use: "first" is that to the broker's socket.
 *
 *	limit [LINE[;LINE...]]   narrows the one in use; no line at all is an empty set
 *	fill BYTES               narrows it by a set of that length, which permits /srv/one
 *	limit-and-cat LINES PATH sends both requests before it reads an answer
 *	clone NAME               of the one in use, which stays in use
 *	clone-many COUNT         or until it is refused; prints how many there are and why no more
 *	limit-many LINES         asks of all of those before it reads an answer; prints how many did
 *	drop-many                closes those
 *	clone-and-go             asks for a clone and ends without reading the answer
 *	use NAME | drop NAME     drop: closes it, and the first one is in use
 *	give PATH | take PATH NAME   the one in use, over a socket at PATH, to whoever takes it
 *	cat PATH | bind PORT     opens a file; binds an own socket, and closes it again
 *	say TEXT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdbroker.h"
#include "protocol.h"
#include "words.h"

#define CONNECTIONS_MAX 64
#define MANY_MAX 1024
#define PATIENCE_MSEC 15000

static struct {
	char name[32];
	struct fdbroker *broker; /* NULL: none */
} connections[CONNECTIONS_MAX];
static struct fdbroker *used;
static int many[MANY_MAX];
static size_t many_count;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "narrow: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- what is printed ---- */

static void print_outcome(int error, unsigned int reason)
{
	if (error == 0)
		printf("ok\n");
	else
		printf("%s %s\n", errno_word(error), reason_word(reason));
}

static void print_refusal(void)
{
	print_outcome(errno, (unsigned int)fdbroker_last_reason());
}

/* ---- past the library ---- */

static uint32_t next_id = 0x40000000;

/* Sends a request of which the answer is not waited for. */
static uint32_t request_send(int connection, const struct fdbroker_request *request)
{
	static unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, next_id);
	if (!fdbroker_packet_add_request(&packet, request))
		die("cannot build a request");
	if (send(connection, packet.bytes, packet.length, MSG_NOSIGNAL) < 0)
		die("send");
	return next_id++;
}

/* One reply packet. False: there is none, the connection is at its end. */
static bool reply_receive(int connection, struct fdbroker_result *result, int *fd)
{
	static unsigned char bytes[FDBROKER_REPLY_MAX];
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr packet = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	const unsigned char *data;
	ssize_t length = recvmsg(connection, &packet, MSG_CMSG_CLOEXEC);

	*fd = -1;
	if (length <= 0)
		return false;
	if (packet.msg_controllen > 0)
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	if (fdbroker_reply_decode(bytes, (size_t)length, results, &data) != 1)
		die("a reply that makes no sense");
	*result = results[0];
	return true;
}

/* Waits for the answer with this id, and drops others: a request may be answered twice. */
static struct fdbroker_result answer_wait(int connection, uint32_t id, int *fd)
{
	struct fdbroker_result result;
	struct pollfd readable = {.fd = connection, .events = POLLIN};

	while (poll(&readable, 1, PATIENCE_MSEC) == 1) {
		if (!reply_receive(connection, &result, fd))
			return (struct fdbroker_result){
				.error = ECONNRESET, .reason = FDBROKER_REASON_BROKER};
		if (result.id == id)
			return result;
		if (*fd >= 0)
			close(*fd);
	}
	return (struct fdbroker_result){.error = ETIMEDOUT, .reason = FDBROKER_REASON_LOCAL};
}

static struct fdbroker_result ask(const struct fdbroker_request *request, int *fd)
{
	int connection = fdbroker_fd(used);

	return answer_wait(connection, request_send(connection, request), fd);
}

static struct fdbroker_request limit_request(const char *set, size_t length)
{
	return (struct fdbroker_request){.operation = FDBROKER_LIMIT, .limits = {set, length}};
}

static const struct fdbroker_request clone_request = {.operation = FDBROKER_CLONE};

/* ---- commands ---- */

/* "read /a;read /b" is two lines. */
static size_t set_from(char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] == ';')
			text[i] = '\n';
	if (length > 0)
		text[length++] = '\n'; /* in place of the NUL */
	return length;
}

static void do_limit(char **words)
{
	size_t length = words[1] != NULL ? set_from(words[1]) : 0;
	struct fdbroker_request request = limit_request(length > 0 ? words[1] : "", length);
	struct fdbroker_result result;
	int fd;

	result = ask(&request, &fd);
	print_outcome(result.error, result.reason);
}

static void do_fill(char **words)
{
	static const char line[] = "read /srv/one\n";
	char set[FDBROKER_LIMITS_MAX];
	size_t length = strtoul(words[1], NULL, 10);
	struct fdbroker_request request = limit_request(set, length);
	struct fdbroker_result result;
	int fd;

	if (length < sizeof(line) || length > sizeof(set))
		die("fill: the length");
	/* One line that permits something, and one of a long path: no component of it is long. */
	for (size_t i = 0; i < length; i++)
		set[i] = i % 2 == 0 || i + sizeof(line) + 1 >= length ? 'x' : '/';
	memcpy(set, "read /", 6);
	memcpy(set + length - sizeof(line), "\n", 1);
	memcpy(set + length - strlen(line), line, strlen(line));
	result = ask(&request, &fd);
	print_outcome(result.error, result.reason);
}

static void print_file(int fd)
{
	char text[4096];
	ssize_t length = read(fd, text, sizeof(text));

	if (length < 0)
		die("read");
	printf("ok %.*s\n", (int)length, text);
	close(fd);
}

static void do_limit_and_cat(char **words)
{
	size_t length = set_from(words[1]);
	struct fdbroker_request limit = limit_request(words[1], length);
	struct fdbroker_request file = {
		.operation = FDBROKER_OPEN, .path = {words[2], strlen(words[2])}};
	struct fdbroker_result result;
	uint32_t id;
	int fd;

	(void)request_send(fdbroker_fd(used), &limit);
	id = request_send(fdbroker_fd(used), &file);
	result = answer_wait(fdbroker_fd(used), id, &fd);
	if (result.error == 0)
		print_file(fd);
	else
		print_outcome(result.error, result.reason);
}

static void keep(const char *name, int fd)
{
	size_t i = 0;

	while (i < CONNECTIONS_MAX && connections[i].broker != NULL)
		i++;
	if (i == CONNECTIONS_MAX)
		die("too many connections");
	connections[i].broker = fdbroker_from_fd(fd);
	if (connections[i].broker == NULL) {
		print_refusal();
		close(fd);
		return;
	}
	snprintf(connections[i].name, sizeof(connections[i].name), "%s", name);
	printf("ok\n");
}

static void do_clone(char **words)
{
	struct fdbroker_result result;
	int fd;

	result = ask(&clone_request, &fd);
	if (result.error == 0)
		keep(words[1], fd);
	else
		print_outcome(result.error, result.reason);
}

static void do_clone_many(char **words)
{
	struct fdbroker_result result = {.error = 0};
	size_t wanted = strtoul(words[1], NULL, 10);
	int fd;

	while (many_count < wanted && many_count < MANY_MAX) {
		result = ask(&clone_request, &fd);
		if (result.error != 0)
			break;
		many[many_count++] = fd;
	}
	printf("%zu %s %s\n", many_count, errno_word(result.error), reason_word(result.reason));
}

static void do_limit_many(char **words)
{
	static uint32_t ids[MANY_MAX];
	size_t length = set_from(words[1]), answered = 0;
	struct fdbroker_request request = limit_request(words[1], length);
	int fd;

	for (size_t i = 0; i < many_count; i++)
		ids[i] = request_send(many[i], &request);
	for (size_t i = 0; i < many_count; i++)
		answered += answer_wait(many[i], ids[i], &fd).error == 0;
	printf("ok %zu\n", answered);
}

static void do_drop_many(char **words)
{
	(void)words;
	while (many_count > 0)
		close(many[--many_count]);
	printf("ok\n");
}

static void do_clone_and_go(char **words)
{
	(void)words;
	(void)request_send(fdbroker_fd(used), &clone_request);
	printf("ok\n");
	exit(0);
}

static size_t find(const char *name)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].broker != NULL && strcmp(connections[i].name, name) == 0)
			return i;
	errno = ENOENT;
	die(name);
}

static void do_use(char **words)
{
	used = connections[find(words[1])].broker;
	printf("ok\n");
}

static void do_drop(char **words)
{
	size_t i = find(words[1]);

	fdbroker_free(connections[i].broker);
	connections[i].broker = NULL;
	used = connections[0].broker;
	printf("ok\n");
}

static void do_give(char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t) "x", 1};
	struct msghdr packet = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int fd = fdbroker_fd(used), taker, listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", words[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(listener, 1) != 0 || chmod(words[1], 0666) != 0)
		die(words[1]);
	taker = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (taker < 0 || sendmsg(taker, &packet, MSG_NOSIGNAL) < 0)
		die("give");
	close(taker);
	close(listener);
	printf("ok\n");
}

static void do_take(char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr packet = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int fd, giver = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", words[1]);
	for (int i = 0; connect(giver, (struct sockaddr *)&address, sizeof(address)) != 0; i++) {
		if (i == 500)
			die(words[1]);
		usleep(10000);
	}
	if (recvmsg(giver, &packet, MSG_CMSG_CLOEXEC) != 1 || packet.msg_controllen == 0)
		die("take");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	close(giver);
	keep(words[2], fd);
}

static void do_cat(char **words)
{
	int fd = fdbroker_open(used, words[1], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		print_refusal();
	else
		print_file(fd);
}

static void do_bind(char **words)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(words[1], NULL, 10))};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fdbroker_bind(used, fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		print_refusal();
	else
		printf("ok\n");
	close(fd);
}

static void do_say(char **words)
{
	printf("%s\n", words[1]);
}

static const struct command {
	const char *name;
	int arguments;
	void (*run)(char **words);
} commands[] = {
	{"limit", 1, do_limit},
	{"fill", 1, do_fill},
	{"limit-and-cat", 2, do_limit_and_cat},
	{"clone", 1, do_clone},
	{"clone-many", 1, do_clone_many},
	{"limit-many", 1, do_limit_many},
	{"drop-many", 0, do_drop_many},
	{"clone-and-go", 0, do_clone_and_go},
	{"use", 1, do_use},
	{"drop", 1, do_drop},
	{"give", 1, do_give},
	{"take", 2, do_take},
	{"cat", 1, do_cat},
	{"bind", 1, do_bind},
	{"say", 1, do_say},
};

/* The last word of two is what comes after the last blank; lines of limits have blanks in them. */
static void run(char *line)
{
	char *words[3] = {line};

	words[1] = strchr(line, ' ');
	if (words[1] != NULL)
		*words[1]++ = '\0';
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, line) != 0)
			continue;
		if (commands[i].arguments == 2 && words[1] != NULL) {
			words[2] = strrchr(words[1], ' ');
			if (words[2] != NULL)
				*words[2]++ = '\0';
		}
		if (commands[i].arguments > 0 && words[commands[i].arguments] == NULL &&
			commands[i].run != do_limit)
			break;
		commands[i].run(words);
		fflush(stdout);
		return;
	}
	fprintf(stderr, "narrow: not understood: %s\n", line);
	exit(64);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;

	used = fdbroker_new(NULL);
	if (used == NULL) {
		print_refusal();
		return 1;
	}
	connections[0].broker = used;
	snprintf(connections[0].name, sizeof(connections[0].name), "first");
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	while (argc == 1 && getline(&line, &size, stdin) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		run(line);
	}
	free(line);
	return 0;
}

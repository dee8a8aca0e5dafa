/* SPDX-License-Identifier: MIT */
/*
 * A client that keeps no rule: hostile WHAT [ARGUMENTS]. It speaks the protocol without the
 * library, does the one bad thing it is named after, and prints what the broker made of it within
 * five seconds: "closed", "answered ERRNO REASON", or "silent". The table at the end lists WHAT.
 *
 * Those that hold print "holding" and stay until they are killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol.h"
#include "words.h"

#define PATIENCE_MSEC 5000
#define DESCRIPTORS_MAX 253 /* SCM_MAX_FD */

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the connection ---- */

static int broker_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("FDBROKER_SOCKET");
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		path != NULL ? path : FDBROKER_SOCKET_PATH);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	return fd;
}

/* The broker may have closed already: that is for outcome() to say. */
static void packet_send(int fd, const void *bytes, size_t length, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
	} control;
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = length};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (count > 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
	}
	/* Linux 6.16: no descriptor is taken before the connection is accepted. */
	for (int tries = 0; sendmsg(fd, &message, MSG_NOSIGNAL) < 0; tries++) {
		if (errno == EPIPE || errno == ECONNRESET)
			return;
		if (errno != EPERM || tries == 2000)
			die("sendmsg");
		usleep(1000);
	}
}

static void outcome(int fd)
{
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
	unsigned char packet[FDBROKER_PACKET_MAX];
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	const unsigned char *data;
	ssize_t length;

	if (poll(&readable, 1, PATIENCE_MSEC) == 0) {
		printf("silent\n");
		return;
	}
	length = recv(fd, packet, sizeof(packet), 0); /* descriptors are dropped by the kernel */
	if (length <= 0)
		printf("closed\n");
	else if (fdbroker_reply_decode(packet, (size_t)length, results, &data) < 1)
		printf("answered nonsense\n");
	else
		printf("answered %s %s\n",
			results[0].error == 0 ? "ok" : strerrorname_np(results[0].error),
			reason_word(results[0].reason));
}

static void __attribute__((noreturn)) hold(void)
{
	printf("holding\n");
	fflush(stdout);
	for (;;)
		pause();
}

/* ---- packets ---- */

/* Where the path of an open request begins that is the first of its packet. */
#define OPEN_PATH_OFFSET                                                                           \
	(sizeof(struct fdbroker_header) + sizeof(struct fdbroker_request_header) +                 \
		sizeof(int32_t) + FDBROKER_TEXTS_MAX * sizeof(uint16_t))

static size_t open_packet(unsigned char *buffer, const char *path, uint32_t id)
{
	struct fdbroker_request request = {
		.operation = FDBROKER_OPEN,
		.open.flags = O_RDONLY,
		.path = {path, strlen(path)},
	};
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, id);
	if (!fdbroker_packet_add_request(&packet, &request))
		die("the path is too long");
	return packet.length;
}

/* For a socket that is sent along: BIND or CONNECT, at the unspecified address of IPv4. */
static size_t socket_packet(unsigned char *buffer, enum fdbroker_operation operation, uint16_t port)
{
	struct fdbroker_request request = {
		.operation = operation,
		.endpoint = {.family = FDBROKER_IPV4, .port = port},
	};
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, 1);
	if (!fdbroker_packet_add_request(&packet, &request))
		die("cannot build a request");
	return packet.length;
}

static size_t bind_packet(unsigned char *buffer, uint16_t port)
{
	return socket_packet(buffer, FDBROKER_BIND, port);
}

static uint16_t port_of(const char *text)
{
	return (uint16_t)strtoul(text, NULL, 10);
}

/* ---- bytes ---- */

static void garbage(char **arguments)
{
	unsigned char bytes[200];
	int fd = broker_connect();

	(void)arguments;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 167 + 13);
	packet_send(fd, bytes, sizeof(bytes), NULL, 0);
	outcome(fd);
}

static void half_header(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	int fd = broker_connect();

	(void)arguments;
	open_packet(buffer, "/etc/hostname", 1);
	packet_send(fd, buffer, sizeof(struct fdbroker_header) / 2, NULL, 0);
	outcome(fd);
}

/* A good request, but for what lies behind it. */
static void oversize(char **arguments)
{
	static unsigned char buffer[65536];
	int fd = broker_connect();

	(void)arguments;
	open_packet(buffer, "/etc/hostname", 1);
	packet_send(fd, buffer, sizeof(buffer), NULL, 0);
	outcome(fd);
}

/* A good request with one byte of its bytes changed: OFFSET VALUE. */
static void altered(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	size_t length, offset = strtoul(arguments[0], NULL, 0);
	int fd = broker_connect();

	length = open_packet(buffer, "/etc/hostname", 1);
	if (offset >= length)
		die("the offset lies beyond the packet");
	buffer[offset] = (unsigned char)strtoul(arguments[1], NULL, 0);
	packet_send(fd, buffer, length, NULL, 0);
	outcome(fd);
}

static void wrong_version(char **arguments)
{
	char offset[16], value[16];
	char *change[] = {offset, value};

	(void)arguments;
	snprintf(offset, sizeof(offset), "%zu", offsetof(struct fdbroker_header, version));
	snprintf(value, sizeof(value), "%u", FDBROKER_PROTOCOL_VERSION + 1);
	altered(change);
}

static void nul_in_path(char **arguments)
{
	char offset[32];
	char *change[] = {offset, "0"};

	(void)arguments;
	snprintf(offset, sizeof(offset), "%zu", OPEN_PATH_OFFSET + 4);
	altered(change);
}

static void empty(char **arguments)
{
	int fd = broker_connect();

	(void)arguments;
	packet_send(fd, "", 0, NULL, 0);
	outcome(fd);
}

/* ---- descriptors ---- */

/* COUNT descriptors that nobody asked for, with a good request. */
static void descriptors(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	size_t count = strtoul(arguments[0], NULL, 10);
	int fd = broker_connect(), fds[DESCRIPTORS_MAX];
	int junk = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (count > DESCRIPTORS_MAX)
		count = DESCRIPTORS_MAX;
	for (size_t i = 0; i < count; i++)
		fds[i] = junk;
	packet_send(fd, buffer, open_packet(buffer, "/etc/hostname", 1), fds, count);
	outcome(fd);
}

static void empty_with_descriptors(char **arguments)
{
	int junk = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fds[] = {junk, junk}, fd = broker_connect();

	(void)arguments;
	packet_send(fd, "", 0, fds, 2);
	outcome(fd);
}

/* Behind what ends the connection lies more: with descriptors, without, and without bytes. */
static void mixed(char **arguments)
{
	unsigned char packet[FDBROKER_PACKET_MAX];
	size_t length = open_packet(packet, "/srv/file", 1);
	int fd = broker_connect(), thing = open("/dev/null", O_RDONLY);

	(void)arguments;
	/* Accepted only then does it take descriptors. */
	packet_send(fd, packet, length, &thing, 1);
	for (int i = 0; i < 5; i++) {
		packet_send(fd, packet, length, NULL, 0);
		packet_send(fd, packet, length, &thing, 1);
		packet_send(fd, packet, 0, NULL, 0);
		packet_send(fd, packet, 0, &thing, 1);
	}
	outcome(fd);
}

static int thing_of(const char *kind)
{
	int pair[2];

	if (strcmp(kind, "file") == 0)
		return memfd_create("junk", MFD_CLOEXEC);
	if (strcmp(kind, "epoll") == 0)
		return epoll_create1(EPOLL_CLOEXEC);
	if (strcmp(kind, "unix") == 0)
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strcmp(kind, "path") == 0)
		return open("/", O_PATH | O_CLOEXEC);
	if (strcmp(kind, "pipe") == 0)
		return pipe2(pair, O_CLOEXEC) == 0 ? pair[0] : -1;
	errno = EINVAL;
	return -1;
}

/* KIND PORT: something that is no Internet socket, to be bound. */
static void bind_a(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	int fd = broker_connect(), junk = thing_of(arguments[0]);

	if (junk < 0)
		die(arguments[0]);
	packet_send(fd, buffer, bind_packet(buffer, port_of(arguments[1])), &junk, 1);
	outcome(fd);
}

/* PORT: a bind without the socket that it needs. */
static void bind_nothing(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	int fd = broker_connect();

	packet_send(fd, buffer, bind_packet(buffer, port_of(arguments[0])), NULL, 0);
	outcome(fd);
}

/* limit|clone PATH: asks for that together with a file, in one packet. */
static void not_alone(char **arguments)
{
	static const char line[] = "read /\n";
	struct fdbroker_request request = {.operation = FDBROKER_CLONE};
	unsigned char buffer[FDBROKER_PACKET_MAX], file[FDBROKER_PACKET_MAX];
	const size_t header = sizeof(struct fdbroker_header);
	size_t file_length = open_packet(file, arguments[1], 1);
	struct fdbroker_packet packet;
	const uint16_t two = 2;
	int fd = broker_connect();

	if (strcmp(arguments[0], "limit") == 0) {
		request.operation = FDBROKER_LIMIT;
		request.limits = (struct fdbroker_text){line, strlen(line)};
	}
	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, 1);
	if (!fdbroker_packet_add_request(&packet, &request))
		die("cannot build a request");
	memcpy(buffer + offsetof(struct fdbroker_header, count), &two, sizeof(two));
	memcpy(buffer + packet.length, file + header, file_length - header);
	packet_send(fd, buffer, packet.length + file_length - header, NULL, 0);
	outcome(fd);
}

/* limit|clone: sends a descriptor along, which neither takes. */
static void not_bare(char **arguments)
{
	struct fdbroker_request request = {.operation = FDBROKER_CLONE};
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;
	int fd = broker_connect();

	if (strcmp(arguments[0], "limit") == 0)
		request.operation = FDBROKER_LIMIT;
	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, 1);
	if (!fdbroker_packet_add_request(&packet, &request))
		die("cannot build a request");
	packet_send(fd, packet.bytes, packet.length, &fd, 1);
	outcome(fd);
}

/*
 * PORT: a connected socket with unsent data that lingers for five minutes; the peer reads
 * nothing. Its last close is the broker's (SO_LINGER in man 7 socket: that close blocks).
 */
static void lingering(char **arguments)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 300};
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static char data[65536];
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int peer, fd = broker_connect(), small = 2048;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(listener, 1) != 0 ||
		getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		die("listen");
	connect(sock, (struct sockaddr *)&address, sizeof(address));
	peer = accept(listener, NULL, NULL);
	if (peer < 0)
		die("accept");
	while (send(sock, data, sizeof(data), MSG_NOSIGNAL) > 0)
		continue;
	/* Blocking again: a close of a non-blocking socket lingers too, but let it be plain. */
	if (fcntl(sock, F_SETFL, 0) != 0 ||
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) != 0)
		die("SO_LINGER");
	packet_send(fd, buffer, bind_packet(buffer, port_of(arguments[0])), &sock, 1);
	close(sock); /* not the last: one is in the packet */
	outcome(fd);
	hold();
}

struct stall {
	int sock;
	void *value; /* its second half never arrives */
};

static void *stall_socket(void *argument)
{
	const struct stall *stall = argument;

	/* The kernel takes the first int, locks the socket, and then waits for the rest. */
	setsockopt(stall->sock, SOL_SOCKET, SO_LINGER, stall->value, sizeof(struct linger));
	return NULL;
}

/* Memory for a struct linger on the edge of two pages, of which the second is the file's. */
static void *value_on_the_edge(const char *path)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *pages = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED ||
		mmap(pages + page, page, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		die(path);
	return pages + page - sizeof(int);
}

/*
 * PORT FILE: a socket that its owner keeps locked for ever, to be bound or connected. FILE can be
 * opened, but not read (hangfs's `read`): mapped, it is memory that never arrives.
 */
static void stalled(enum fdbroker_operation operation, char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	int fd = broker_connect();
	struct stall stall = {
		.sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.value = value_on_the_edge(arguments[1]),
	};
	pthread_t thread;

	if (pthread_create(&thread, NULL, stall_socket, &stall) != 0)
		die("pthread_create");
	usleep(200000);
	packet_send(fd, buffer, socket_packet(buffer, operation, port_of(arguments[0])),
		&stall.sock, 1);
	outcome(fd);
	hold();
}

static void stalled_bind(char **arguments)
{
	stalled(FDBROKER_BIND, arguments);
}

static void stalled_connect(char **arguments)
{
	stalled(FDBROKER_CONNECT, arguments);
}

/* ---- manners ---- */

static void silent(char **arguments)
{
	(void)arguments;
	broker_connect();
	hold();
}

/* COUNT connections that say nothing. */
static void many_silent(char **arguments)
{
	unsigned long count = strtoul(arguments[0], NULL, 10);

	while (count-- > 0)
		broker_connect();
	hold();
}

/* PATH: asks, and shuts down its half at once. */
static void half_close(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	int fd = broker_connect();

	packet_send(fd, buffer, open_packet(buffer, arguments[0], 1), NULL, 0);
	shutdown(fd, SHUT_WR);
	outcome(fd);
}

/* PATH COUNT: asks and is gone before the answer, so often. */
static void vanish(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	unsigned long count = strtoul(arguments[1], NULL, 10);

	while (count-- > 0) {
		int fd = broker_connect();

		packet_send(fd, buffer, open_packet(buffer, arguments[0], 1), NULL, 0);
		close(fd);
	}
	printf("gone\n");
}

/* PATH PACKETS: asks without ever reading an answer. */
static void never_read(char **arguments)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	unsigned long count = strtoul(arguments[1], NULL, 10);
	int fd = broker_connect();
	size_t length = open_packet(buffer, arguments[0], 1);

	while (count-- > 0 && send(fd, buffer, length, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		usleep(100);
	hold();
}

static const struct deed {
	const char *name, *arguments;
	int count;
	void (*run)(char **arguments);
} deeds[] = {
	{"garbage", "", 0, garbage},
	{"half-header", "", 0, half_header},
	{"oversize", "", 0, oversize},
	{"wrong-version", "", 0, wrong_version},
	{"nul-in-path", "", 0, nul_in_path},
	{"altered", "OFFSET VALUE", 2, altered},
	{"empty", "", 0, empty},
	{"descriptors", "COUNT", 1, descriptors},
	{"empty-with-descriptors", "", 0, empty_with_descriptors},
	{"mixed", "", 0, mixed},
	{"bind-a", "file|epoll|unix|path|pipe PORT", 2, bind_a},
	{"bind-nothing", "PORT", 1, bind_nothing},
	{"not-alone", "limit|clone PATH", 2, not_alone},
	{"not-bare", "limit|clone", 1, not_bare},
	{"lingering", "PORT", 1, lingering},
	{"stalled-bind", "PORT FILE", 2, stalled_bind},
	{"stalled-connect", "PORT FILE", 2, stalled_connect},
	{"silent", "", 0, silent},
	{"many-silent", "COUNT", 1, many_silent},
	{"half-close", "PATH", 1, half_close},
	{"vanish", "PATH COUNT", 2, vanish},
	{"never-read", "PATH PACKETS", 2, never_read},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (strcmp(deeds[i].name, argv[1]) == 0 && argc - 2 == deeds[i].count) {
			deeds[i].run(argv + 2);
			return 0;
		}
	}
	fprintf(stderr, "usage: hostile WHAT [ARGUMENTS], where WHAT is one of\n");
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		fprintf(stderr, "  %s %s\n", deeds[i].name, deeds[i].arguments);
	return 64;
}

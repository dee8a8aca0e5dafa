/* SPDX-License-Identifier: MIT */
/*
 * A table of socket options: for a TCP, a UDP and a Unix-domain socket each is read, set, and read
 * back. Those that need a privilege are set by the broker on this program's own socket; setting
 * them without it is tried first, and fails.
 *
 * What is read back is not always what was set: the kernel doubles the size of a buffer to have
 * room for its own (socket(7)), and rounds times.
 *
 *	example-options
 *
 *	cc options.c -o example-options \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow option mark=100 priority=7 rcvbufforce=0-8M sndbufforce=0-8M debug=1
 *		allow option transparent=1
 */
#include <fdbroker.h>

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TCP = 1, UDP = 2, UNIX = 4, INET = TCP | UDP, ALL = INET | UNIX };

/* How the value looks: an int, a struct linger, a struct timeval. */
enum value_type { NUMBER, LINGER, TIME };

union value {
	int number;
	struct linger linger;
	struct timeval time;
};

static const socklen_t sizes[] = {
	[NUMBER] = sizeof(int),
	[LINGER] = sizeof(struct linger),
	[TIME] = sizeof(struct timeval),
};

static const struct option {
	const char *label;
	int level, name;
	int sockets; /* on which it is shown */
	enum value_type type;
	union value value; /* to be set */
	bool needs_broker;
	int read_as; /* another option, where this one can only be set; 0: the same */
} options[] = {
	{"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, INET, NUMBER, {1}, false, 0},
	{"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, TCP, NUMBER, {1}, false, 0},
	{"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, UDP, NUMBER, {1}, false, 0},
	{"SO_PASSCRED", SOL_SOCKET, SO_PASSCRED, UNIX, NUMBER, {1}, false, 0},
	{"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, TCP, NUMBER, {1}, false, 0},
	{"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, ALL, NUMBER, {8192}, false, 0},
	{"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, ALL, NUMBER, {8192}, false, 0},
	{"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, TCP, NUMBER, {16}, false, 0},
	{"SO_LINGER", SOL_SOCKET, SO_LINGER, ALL, LINGER, {.linger = {1, 5}}, false, 0},
	{"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, ALL, TIME, {.time = {2, 500000}}, false, 0},
	{"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, ALL, TIME, {.time = {3, 0}}, false, 0},
	{"IP_TTL", IPPROTO_IP, IP_TTL, INET, NUMBER, {33}, false, 0},
	{"IP_TOS", IPPROTO_IP, IP_TOS, INET, NUMBER, {IPTOS_LOWDELAY}, false, 0},
	{"IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, UDP, NUMBER, {1}, false, 0},
	{"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, TCP, NUMBER, {1}, false, 0},
	{"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, TCP, NUMBER, {60}, false, 0},
	{"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, TCP, NUMBER, {9000}, false, 0},
	{"SO_MARK", SOL_SOCKET, SO_MARK, INET, NUMBER, {100}, true, 0},
	{"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, INET, NUMBER, {7}, true, 0},
	{"SO_DEBUG", SOL_SOCKET, SO_DEBUG, INET, NUMBER, {1}, true, 0},
	{"SO_RCVBUFFORCE", SOL_SOCKET, SO_RCVBUFFORCE, INET, NUMBER, {4 << 20}, true, SO_RCVBUF},
	{"SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE, INET, NUMBER, {4 << 20}, true, SO_SNDBUF},
	{"IP_TRANSPARENT", IPPROTO_IP, IP_TRANSPARENT, INET, NUMBER, {1}, true, 0},
};

static void print_value(enum value_type type, const union value *value)
{
	switch (type) {
	case NUMBER:
		printf("%d", value->number);
		break;
	case LINGER:
		printf("%s %d s", value->linger.l_onoff ? "on" : "off", value->linger.l_linger);
		break;
	case TIME:
		printf("%ld.%06ld s", (long)value->time.tv_sec, (long)value->time.tv_usec);
		break;
	}
}

static void read_and_print(int fd, const struct option *option)
{
	union value value = {0};
	socklen_t length = sizes[option->type];
	int name = option->read_as != 0 ? option->read_as : option->name;

	if (getsockopt(fd, option->level, name, &value, &length) != 0)
		err(1, "reading %s", option->label);
	print_value(option->type, &value);
}

static void set_directly(int fd, const struct option *option)
{
	if (setsockopt(fd, option->level, option->name, &option->value, sizes[option->type]) != 0)
		err(1, "setting %s", option->label);
}

static void set_by_broker(struct fdbroker *broker, int fd, const struct option *option)
{
	socklen_t length = sizes[option->type];

	if (setsockopt(fd, option->level, option->name, &option->value, length) == 0)
		errx(1, "%s needs no privilege", option->label);
	printf(", itself: %s", strerror(errno));
	if (fdbroker_setsockopt(broker, fd, option->level, option->name, &option->value, length) !=
		0)
		err(1, "setting %s (%s)", option->label,
			fdbroker_strreason(fdbroker_last_reason()));
}

static void go_through(struct fdbroker *broker, const char *label, int socket_bit, int fd)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option *option = &options[i];

		if (!(option->sockets & socket_bit))
			continue;
		printf("%s %s: ", label, option->label);
		read_and_print(fd, option);
		if (option->needs_broker)
			set_by_broker(broker, fd, option);
		else
			set_directly(fd, option);
		printf(", set ");
		print_value(option->type, &option->value);
		printf(", now ");
		read_and_print(fd, option);
		printf("\n");
	}
}

static int make_socket(int domain, int type)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 1)
		errx(64, "usage: %s", argv[0]);
	int tcp = make_socket(AF_INET, SOCK_STREAM);
	int udp = make_socket(AF_INET, SOCK_DGRAM);
	int local = make_socket(AF_UNIX, SOCK_STREAM);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	go_through(broker, "tcp", TCP, tcp);
	go_through(broker, "udp", UDP, udp);
	go_through(broker, "unix", UNIX, local);
	fdbroker_free(broker);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * Provokes the errors that socket(2), bind(2), listen(2), connect(2), accept(2), setsockopt(2) and
 * unix(7) list, and prints what came of each: errnos direct, with the system calls, or errnos
 * brokered, with the functions of the library that stand for them. Errors are the kernel's, so the
 * first as root and the second as anybody must print the same lines. What has to be there is made
 * by errnos.sh; its folders are named in `places`.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdbroker.h"

/* The calls in one of the two ways. */
struct way {
	int (*socket)(int domain, int type, int protocol);
	int (*bind)(int fd, const struct sockaddr *address, socklen_t length);
	int (*connect)(int fd, const struct sockaddr *address, socklen_t length);
	int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t length);
	int (*listen)(const char *endpoint, const struct sockaddr_in *address, int type);
};

/* ---- directly ---- */

static int direct_listen(const char *endpoint, const struct sockaddr_in *address, int type)
{
	int fd = socket(AF_INET, type, 0), on = 1;

	(void)endpoint;
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -1;
	return type == SOCK_STREAM && listen(fd, 1) < 0 ? -1 : fd;
}

static const struct way direct = {socket, bind, connect, setsockopt, direct_listen};

/* ---- by the broker ---- */

static struct fdbroker *broker;

static int brokered_socket(int domain, int type, int protocol)
{
	return fdbroker_socket(broker, domain, type, protocol);
}

static int brokered_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return fdbroker_bind(broker, fd, address, length);
}

static int brokered_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return fdbroker_connect(broker, fd, address, length);
}

static int brokered_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	return fdbroker_setsockopt(broker, fd, level, name, value, length);
}

static int brokered_listen(const char *endpoint, const struct sockaddr_in *address, int type)
{
	(void)address;
	(void)type;
	return fdbroker_listen(broker, endpoint, 1);
}

static const struct way brokered = {
	brokered_socket, brokered_bind, brokered_connect, brokered_setsockopt, brokered_listen};

/* ---- what the cases are made of ---- */

static const struct way *way;

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int udp(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int tcp6(void)
{
	return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int stream(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static struct sockaddr_in v4(const char *text, in_port_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		errx(1, "%s: no address", text);
	return address;
}

static struct sockaddr_in6 v6(const char *text, in_port_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET6, text, &address.sin6_addr) != 1)
		errx(1, "%s: no address", text);
	return address;
}

static struct sockaddr_un path(const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strncpy(address.sun_path, text, sizeof(address.sun_path) - 1);
	return address;
}

#define BIND(fd, address) way->bind(fd, (const struct sockaddr *)&(address), sizeof(address))
#define CONNECT(fd, address) way->connect(fd, (const struct sockaddr *)&(address), sizeof(address))
#define SET(fd, level, name, value) way->setsockopt(fd, level, name, &(value), sizeof(value))

static int bind_v4(int fd, const char *text, in_port_t port)
{
	const struct sockaddr_in address = v4(text, port);

	return BIND(fd, address);
}

static int bind_path(const char *text)
{
	const struct sockaddr_un address = path(text);

	return BIND(stream(), address);
}

static int connect_v4(int fd, const char *text, in_port_t port)
{
	const struct sockaddr_in address = v4(text, port);

	return CONNECT(fd, address);
}

static int nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		err(1, "O_NONBLOCK");
	return fd;
}

/* A socket that listens on a port of the loopback interface that the kernel chose. */
static in_port_t listener(int *fd)
{
	struct sockaddr_in address = v4("127.0.0.1", 0);
	socklen_t length = sizeof(address);

	*fd = tcp();
	if (bind(*fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(*fd, 8) < 0 ||
		getsockname(*fd, (struct sockaddr *)&address, &length) < 0)
		err(1, "listener");
	return ntohs(address.sin_port);
}

/* One on which nobody listens. */
static in_port_t closed_port(void)
{
	int fd;
	in_port_t port = listener(&fd);

	close(fd);
	return port;
}

/* ---- the cases ---- */

static int socket_family(void)
{
	return way->socket(9999, SOCK_STREAM, 0);
}
static int socket_negative_family(void)
{
	return way->socket(-1, SOCK_STREAM, 0);
}
static int socket_flags(void)
{
	return way->socket(AF_NETLINK, SOCK_RAW | 0x10000, 0);
}
static int socket_type(void)
{
	return way->socket(AF_INET, 15, 0);
}
static int socket_no_type(void)
{
	return way->socket(AF_INET, 0, 0);
}
static int socket_type_of_netlink(void)
{
	return way->socket(AF_NETLINK, SOCK_STREAM, 0);
}
static int socket_netlink_family(void)
{
	return way->socket(AF_NETLINK, SOCK_RAW, 99);
}
static int socket_raw_without_protocol(void)
{
	return way->socket(AF_INET, SOCK_RAW, 0);
}
static int socket_raw_number(void)
{
	return way->socket(AF_INET, SOCK_RAW, 700);
}
static int socket_negative_protocol(void)
{
	return way->socket(AF_INET, SOCK_RAW, -1);
}
static int socket_ping(void)
{
	return way->socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}
static int socket_ping_stream(void)
{
	return way->socket(AF_INET, SOCK_STREAM, IPPROTO_ICMP);
}
static int socket_ping_of_the_other_family(void)
{
	return way->socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6);
}
static int socket_vsock_protocol(void)
{
	return way->socket(AF_VSOCK, SOCK_STREAM, 5);
}
static int socket_vsock_type(void)
{
	return way->socket(AF_VSOCK, SOCK_RDM, 0);
}

static int socket_datagrams_of_tcp(void)
{
	return way->socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP);
}

static int socket_packets_of_the_internet(void)
{
	return way->socket(AF_INET, SOCK_SEQPACKET, 0);
}

static int socket_ping6(void)
{
	return way->socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
}

static int socket_raw(void)
{
	return way->socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
}

static int socket_netlink(void)
{
	return way->socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int socket_unix_protocol(void)
{
	return way->socket(AF_UNIX, SOCK_STREAM, 7);
}

static int socket_unix_type(void)
{
	return way->socket(AF_UNIX, SOCK_RDM, 0);
}

static int bind_not_open(void)
{
	return bind_v4(-1, "127.0.0.1", 80);
}
static int bind_closed(void)
{
	return bind_v4(999, "127.0.0.1", 80);
}
static int bind_file(void)
{
	return bind_v4(file(), "127.0.0.1", 80);
}
static int bind_ok(void)
{
	return bind_v4(tcp(), "127.0.0.1", 80);
}
static int bind_udp_ok(void)
{
	return bind_v4(udp(), "127.0.0.1", 80);
}

static int bind_twice(void)
{
	int fd = tcp();

	return bind_v4(fd, "127.0.0.1", 80) < 0 ? -2 : bind_v4(fd, "127.0.0.1", 81);
}

static int bind_in_use(void)
{
	int fd;
	in_port_t port = listener(&fd);

	return bind_v4(tcp(), "127.0.0.1", port);
}

static int bind_no_such_address(void)
{
	return bind_v4(tcp(), "192.0.2.1", 80);
}
static int bind_multicast(void)
{
	return bind_v4(tcp(), "224.0.0.1", 80);
}

static int bind_v6_to_v4(void)
{
	const struct sockaddr_in6 address = v6("::1", 80);

	return BIND(tcp(), address);
}

static int bind_v4_to_v6(void)
{
	return bind_v4(tcp6(), "127.0.0.1", 80);
}

static int bind_v6_no_such_address(void)
{
	const struct sockaddr_in6 address = v6("2001:db8::1", 80);

	return BIND(tcp6(), address);
}

static int bind_v6_link_local_without_scope(void)
{
	const struct sockaddr_in6 address = v6("fe80::1", 80);

	return BIND(tcp6(), address);
}

static int bind_short(void)
{
	const struct sockaddr_in address = v4("127.0.0.1", 80);

	return way->bind(tcp(), (const struct sockaddr *)&address, 4);
}

static int bind_v6_short(void)
{
	const struct sockaddr_in6 address = v6("::1", 80);

	return way->bind(tcp6(), (const struct sockaddr *)&address, 16);
}

static int bind_internet_to_unix(void)
{
	return bind_v4(stream(), "127.0.0.1", 80);
}

static int bind_unix_to_internet(void)
{
	const struct sockaddr_un address = path("/run/places/new");

	return BIND(tcp(), address);
}

static int unix_ok(void)
{
	return bind_path("/run/places/new");
}
static int unix_no_folder(void)
{
	return bind_path("/run/places/none/socket");
}
static int unix_below_a_file(void)
{
	return bind_path("/run/places/file/socket");
}
static int unix_exists(void)
{
	return bind_path("/run/places/file");
}
static int unix_folder(void)
{
	return bind_path("/run/places/folder");
}
static int unix_through_a_loop(void)
{
	return bind_path("/run/places/loop/socket");
}
static int unix_on_a_link(void)
{
	return bind_path("/run/places/dangling");
}
static int unix_through_a_long_name(void)
{
	return bind_path("/run/places/long/socket");
}

static int unix_on_a_loop(void)
{
	return bind_path("/run/places/loop");
}

static int unix_read_only(void)
{
	return bind_path("/run/places/read-only/socket");
}
static int unix_through_a_link(void)
{
	return bind_path("/run/places/link/through");
}

static int unix_long_name(void)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(name, 'x', sizeof(name));
	memcpy(name, "/run/places/", 12);
	memcpy(address.sun_path, name, sizeof(name));
	/* All of sun_path and no NUL: unix(7), BUGS. One byte more than that is too long. */
	return way->bind(stream(), (const struct sockaddr *)&address, sizeof(address) + 1);
}

static int unix_twice(void)
{
	const struct sockaddr_un first = path("/run/places/first"),
				 second = path("/run/places/second");
	int fd = stream();

	return BIND(fd, first) < 0 ? -2 : BIND(fd, second);
}

static int unix_alive(void)
{
	const struct sockaddr_un address = path("/run/places/alive");
	int fd = stream();

	if (BIND(fd, address) < 0 || listen(fd, 1) < 0)
		return -2;
	return bind_path("/run/places/alive");
}

static int vsock_bind(int fd, unsigned int cid, unsigned int port)
{
	const struct sockaddr_vm address = {
		.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};

	return BIND(fd, address);
}

static int vsock_socket(void)
{
	return socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static int bind_vsock(void)
{
	return vsock_bind(vsock_socket(), VMADDR_CID_ANY, 70000);
}
static int bind_vsock_low(void)
{
	return vsock_bind(vsock_socket(), VMADDR_CID_ANY, 700);
}
static int bind_vsock_elsewhere(void)
{
	return vsock_bind(vsock_socket(), 77, 700);
}

static int bind_vsock_in_use(void)
{
	int fd = vsock_socket();

	return vsock_bind(fd, VMADDR_CID_ANY, 701) < 0
		       ? -2
		       : vsock_bind(vsock_socket(), VMADDR_CID_ANY, 701);
}

static int bind_vsock_to_internet(void)
{
	return vsock_bind(tcp(), VMADDR_CID_ANY, 700);
}

static int listen_ok(void)
{
	const struct sockaddr_in address = v4("127.0.0.1", 90);

	return way->listen("tcp:127.0.0.1:90", &address, SOCK_STREAM);
}

static int listen_in_use(void)
{
	const struct sockaddr_in address = v4("127.0.0.1", 91);

	return way->listen("tcp:127.0.0.1:91", &address, SOCK_STREAM) < 0
		       ? -2
		       : way->listen("tcp:127.0.0.1:91", &address, SOCK_STREAM);
}

static int listen_udp_in_use(void)
{
	const struct sockaddr_in address = v4("127.0.0.1", 92);

	return way->listen("udp:127.0.0.1:92", &address, SOCK_DGRAM) < 0
		       ? -2
		       : way->listen("udp:127.0.0.1:92", &address, SOCK_DGRAM);
}

static int listen_no_such_address(void)
{
	const struct sockaddr_in address = v4("192.0.2.1", 90);

	return way->listen("tcp:192.0.2.1:90", &address, SOCK_STREAM);
}

static int accept_nobody(void)
{
	const struct sockaddr_in address = v4("127.0.0.1", 93);
	int fd = way->listen("tcp:127.0.0.1:93", &address, SOCK_STREAM);

	return fd < 0 ? -2 : accept4(nonblocking(fd), NULL, NULL, SOCK_CLOEXEC);
}

static int accept_udp(void)
{
	const struct sockaddr_in address = v4("127.0.0.1", 94);
	int fd = way->listen("udp:127.0.0.1:94", &address, SOCK_DGRAM);

	return fd < 0 ? -2 : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static int accept_not_listening(void)
{
	int fd = tcp();

	return bind_v4(fd, "127.0.0.1", 95) < 0 ? -2 : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static int listen_bound_udp(void)
{
	int fd = udp();

	return bind_v4(fd, "127.0.0.1", 96) < 0 ? -2 : listen(fd, 1);
}

static int connect_not_open(void)
{
	return connect_v4(-1, "127.0.0.1", 80);
}
static int connect_file(void)
{
	return connect_v4(file(), "127.0.0.1", 80);
}

static int connect_ok(void)
{
	int fd;

	return connect_v4(tcp(), "127.0.0.1", listener(&fd));
}

static int connect_udp_ok(void)
{
	return connect_v4(udp(), "127.0.0.1", 53);
}
static int connect_refused(void)
{
	return connect_v4(tcp(), "127.0.0.1", closed_port());
}

static int connect_refused_nonblocking(void)
{
	return connect_v4(nonblocking(tcp()), "127.0.0.1", closed_port());
}

static int connect_unspecified_refused(void)
{
	return connect_v4(tcp(), "0.0.0.0", closed_port());
}

static int connect_twice(void)
{
	int listening, fd = tcp();
	in_port_t port = listener(&listening);

	return connect_v4(fd, "127.0.0.1", port) < 0 ? -2 : connect_v4(fd, "127.0.0.1", port);
}

static int connect_listening(void)
{
	int fd;
	in_port_t port = listener(&fd);

	return connect_v4(fd, "127.0.0.1", port);
}

/* A port that answers nothing: what listens there has as many in its queue as fit, listen(2). */
static in_port_t silent_port(void)
{
	struct sockaddr_in address;
	int listening;
	in_port_t port = listener(&listening);

	if (listen(listening, 0) < 0)
		err(1, "listen");
	address = v4("127.0.0.1", port);
	for (int i = 0; i < 3; i++) {
		if (connect(nonblocking(tcp()), (struct sockaddr *)&address, sizeof(address)) < 0 &&
			errno != EINPROGRESS)
			err(1, "filling the queue");
	}
	return port;
}

static int connect_in_progress(void)
{
	return connect_v4(nonblocking(tcp()), "127.0.0.1", silent_port());
}

static int connect_already(void)
{
	int fd = nonblocking(tcp());
	in_port_t port = silent_port();

	if (connect_v4(fd, "127.0.0.1", port) == 0 || errno != EINPROGRESS)
		return -2;
	return connect_v4(fd, "127.0.0.1", port);
}

static int connect_timed_out(void)
{
	return connect_v4(tcp(), "127.0.0.1", silent_port());
}
static int connect_no_network(void)
{
	return connect_v4(tcp(), "203.0.113.1", 80);
}
static int connect_udp_no_network(void)
{
	return connect_v4(udp(), "203.0.113.1", 80);
}
static int connect_no_host(void)
{
	return connect_v4(tcp(), "198.51.100.1", 80);
}
static int connect_prohibited(void)
{
	return connect_v4(tcp(), "198.51.101.1", 80);
}
static int connect_broadcast(void)
{
	return connect_v4(udp(), "127.255.255.255", 80);
}

static int connect_v6_to_v4(void)
{
	const struct sockaddr_in6 address = v6("::1", 80);

	return CONNECT(tcp(), address);
}

static int connect_v4_to_v6(void)
{
	return connect_v4(tcp6(), "127.0.0.1", 80);
}

static int connect_v6_no_network(void)
{
	const struct sockaddr_in6 address = v6("2001:db8::1", 80);

	return CONNECT(tcp6(), address);
}

static int connect_v6_link_local_without_scope(void)
{
	const struct sockaddr_in6 address = v6("fe80::1", 80);

	return CONNECT(tcp6(), address);
}

static int connect_v4_to_udp6(void)
{
	return connect_v4(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "127.0.0.1", 53);
}

static int connect_internet_to_unix(void)
{
	return connect_v4(stream(), "127.0.0.1", 80);
}

static int connect_port_0(void)
{
	return connect_v4(tcp(), "127.0.0.1", 0);
}

static int connect_multicast(void)
{
	return connect_v4(tcp(), "224.0.0.1", 80);
}

static int connect_short(void)
{
	const struct sockaddr_in address = v4("127.0.0.1", 80);

	return way->connect(tcp(), (const struct sockaddr *)&address, 4);
}

/* What became of a connecting that went on after EINPROGRESS. */
static int connect_later(void)
{
	int fd = nonblocking(tcp()), error = 0;
	socklen_t length = sizeof(error);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};

	if (connect_v4(fd, "127.0.0.1", silent_port()) == 0 || errno != EINPROGRESS)
		return -2;
	if (poll(&ready, 1, -1) < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return -2;
	errno = error;
	return error != 0 ? -1 : 0;
}

static int set_int(int fd, int level, int name, int value)
{
	return SET(fd, level, name, value);
}
static int set_not_open(void)
{
	return set_int(-1, SOL_SOCKET, SO_MARK, 7);
}
static int set_file(void)
{
	return set_int(file(), SOL_SOCKET, SO_MARK, 7);
}
static int set_mark(void)
{
	return set_int(tcp(), SOL_SOCKET, SO_MARK, 7);
}
static int set_priority(void)
{
	return set_int(udp(), SOL_SOCKET, SO_PRIORITY, 7);
}
static int set_receive(void)
{
	return set_int(udp(), SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
}
static int set_send(void)
{
	return set_int(stream(), SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
}
static int set_debug(void)
{
	return set_int(tcp(), SOL_SOCKET, SO_DEBUG, 1);
}
static int set_transparent(void)
{
	return set_int(tcp(), SOL_IP, IP_TRANSPARENT, 1);
}
static int set_transparent6(void)
{
	return set_int(tcp6(), SOL_IPV6, IPV6_TRANSPARENT, 1);
}

static int set_transparent_of_unix(void)
{
	return set_int(stream(), SOL_IP, IP_TRANSPARENT, 1);
}

static int set_transparent6_of_v4(void)
{
	return set_int(tcp(), SOL_IPV6, IPV6_TRANSPARENT, 1);
}

static int set_no_such_name(void)
{
	return set_int(tcp(), SOL_SOCKET, 9999, 1);
}
static int set_no_such_level(void)
{
	return set_int(udp(), 9999, 1, 1);
}

static int set_short(void)
{
	const char byte = 1;

	return way->setsockopt(tcp(), SOL_SOCKET, SO_MARK, &byte, sizeof(byte));
}

static int set_nothing(void)
{
	return way->setsockopt(tcp(), SOL_SOCKET, SO_MARK, NULL, 4);
}

static int set_device(void)
{
	return way->setsockopt(tcp(), SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo"));
}

static int set_device_without_nul(void)
{
	return way->setsockopt(tcp(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
}

static int set_no_such_device(void)
{
	return way->setsockopt(tcp(), SOL_SOCKET, SO_BINDTODEVICE, "none7", sizeof("none7"));
}

static int set_no_device(void)
{
	return way->setsockopt(tcp(), SOL_SOCKET, SO_BINDTODEVICE, "", 0);
}

struct case_entry {
	const char *name;
	int (*run)(void);
};
#define CASE(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}

static const struct case_entry cases[] = {
	CASE(socket_family),
	CASE(socket_negative_family),
	CASE(socket_flags),
	CASE(socket_type),
	CASE(socket_no_type),
	CASE(socket_type_of_netlink),
	CASE(socket_netlink_family),
	CASE(socket_raw_without_protocol),
	CASE(socket_raw_number),
	CASE(socket_negative_protocol),
	CASE(socket_ping),
	CASE(socket_ping_stream),
	CASE(socket_ping_of_the_other_family),
	CASE(socket_datagrams_of_tcp),
	CASE(socket_packets_of_the_internet),
	CASE(socket_ping6),
	CASE(socket_raw),
	CASE(socket_netlink),
	CASE(socket_unix_protocol),
	CASE(socket_unix_type),
	CASE(socket_vsock_protocol),
	CASE(socket_vsock_type),
	CASE(bind_not_open),
	CASE(bind_closed),
	CASE(bind_file),
	CASE(bind_ok),
	CASE(bind_udp_ok),
	CASE(bind_twice),
	CASE(bind_in_use),
	CASE(bind_no_such_address),
	CASE(bind_multicast),
	CASE(bind_v6_to_v4),
	CASE(bind_v4_to_v6),
	CASE(bind_v6_no_such_address),
	CASE(bind_v6_link_local_without_scope),
	CASE(bind_short),
	CASE(bind_v6_short),
	CASE(bind_internet_to_unix),
	CASE(bind_unix_to_internet),
	CASE(unix_ok),
	CASE(unix_no_folder),
	CASE(unix_below_a_file),
	CASE(unix_exists),
	CASE(unix_folder),
	CASE(unix_through_a_loop),
	CASE(unix_on_a_loop),
	CASE(unix_on_a_link),
	CASE(unix_through_a_long_name),
	CASE(unix_read_only),
	CASE(unix_through_a_link),
	CASE(unix_long_name),
	CASE(unix_twice),
	CASE(unix_alive),
	CASE(bind_vsock),
	CASE(bind_vsock_low),
	CASE(bind_vsock_elsewhere),
	CASE(bind_vsock_in_use),
	CASE(bind_vsock_to_internet),
	CASE(listen_ok),
	CASE(listen_in_use),
	CASE(listen_udp_in_use),
	CASE(listen_no_such_address),
	CASE(accept_nobody),
	CASE(accept_udp),
	CASE(accept_not_listening),
	CASE(listen_bound_udp),
	CASE(connect_not_open),
	CASE(connect_file),
	CASE(connect_ok),
	CASE(connect_udp_ok),
	CASE(connect_refused),
	CASE(connect_refused_nonblocking),
	CASE(connect_unspecified_refused),
	CASE(connect_twice),
	CASE(connect_listening),
	CASE(connect_in_progress),
	CASE(connect_already),
	CASE(connect_timed_out),
	CASE(connect_no_network),
	CASE(connect_udp_no_network),
	CASE(connect_no_host),
	CASE(connect_prohibited),
	CASE(connect_broadcast),
	CASE(connect_v6_to_v4),
	CASE(connect_v4_to_v6),
	CASE(connect_v6_no_network),
	CASE(connect_v6_link_local_without_scope),
	CASE(connect_short),
	CASE(connect_v4_to_udp6),
	CASE(connect_internet_to_unix),
	CASE(connect_port_0),
	CASE(connect_multicast),
	CASE(connect_later),
	CASE(set_not_open),
	CASE(set_file),
	CASE(set_mark),
	CASE(set_priority),
	CASE(set_receive),
	CASE(set_send),
	CASE(set_debug),
	CASE(set_transparent),
	CASE(set_transparent6),
	CASE(set_transparent_of_unix),
	CASE(set_transparent6_of_v4),
	CASE(set_no_such_name),
	CASE(set_no_such_level),
	CASE(set_short),
	CASE(set_nothing),
	CASE(set_device),
	CASE(set_device_without_nul),
	CASE(set_no_such_device),
	CASE(set_no_device),
};

/* Each case in a process of its own would hide what it leaves behind: this closes it instead. */
static void run(const struct case_entry *entry, int first_free)
{
	int result, error;
	const char *word;

	errno = 0;
	result = entry->run();
	error = result < 0 ? errno : 0;
	word = error != 0 ? strerrorname_np(error) : "0";
	printf("%s: %s %s\n", entry->name,
		result == -2 ? "not reached"
		: result < 0 ? "-1"
			     : "done",
		word != NULL ? word : "?");
	close_range((unsigned int)first_free, ~0U, 0);
}

int main(int argc, char **argv)
{
	int first_free;

	if (argc != 2 || (strcmp(argv[1], "direct") != 0 && strcmp(argv[1], "brokered") != 0))
		errx(64, "usage: errnos direct|brokered");
	way = strcmp(argv[1], "direct") == 0 ? &direct : &brokered;
	if (way == &brokered) {
		broker = fdbroker_new(NULL);
		if (broker == NULL)
			err(1, "fdbroker_new");
	}
	first_free = dup(0);
	close(first_free);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(&cases[i], first_free);
	return 0;
}

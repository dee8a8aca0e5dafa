/* SPDX-License-Identifier: MIT */
/*
 * Promises of libfdbroker about sockets that it has made or connected and names that it has looked
 * up: against a broker that is a child process of the test, and for the names against libc's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-broker.h"
#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#define MSEC 1000 /* in microseconds, usleep(3) */

/* ---- the broker's part ---- */

/* What arrived, in words: numbers, then the endpoint, then the texts. */
static void describe(char *text, size_t size, const struct fdbroker_request *request)
{
	const struct fdbroker_endpoint *endpoint = &request->endpoint;
	uint32_t first;

	memcpy(&first, endpoint->address, sizeof(first));
	if (endpoint->family == FDBROKER_CID)
		snprintf(text, size, "vsock %u %u '%.*s'", first, endpoint->port, 0, "");
	else
		snprintf(text, size, "%d %d %d, %u %u %u %u %u, '%.*s' '%.*s'", request->numbers[0],
			request->numbers[1], request->numbers[2], endpoint->protocol,
			endpoint->family, endpoint->port, endpoint->scope, endpoint->address[15],
			(int)request->texts[0].length, request->texts[0].bytes,
			(int)request->texts[1].length, request->texts[1].bytes);
}

/* A file that says what was asked for. */
static void grant_description(int fd, const struct asked *asked)
{
	const struct fdbroker_result result = {.id = asked->first_id, .has_descriptor = 1};
	char text[FDBROKER_PATH_MAX] = "";
	int file = memfd_create("answer", MFD_CLOEXEC);

	describe(text, sizeof(text), &asked->requests[0]);
	dprintf(file, "%s", text);
	lseek(file, 0, SEEK_SET);
	reply(fd, &result, 1, &file, 1);
}

static void serve_descriptions(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked))
		grant_description(fd, &asked);
}

/*
 * For what brings a descriptor along, which has to be a pipe that was opened for writing: the
 * description goes into that.
 */
static void serve_into_pipe(int fd)
{
	static struct asked asked;
	char text[FDBROKER_PATH_MAX] = "";

	while (ask_next(fd, &asked)) {
		describe(text, sizeof(text), &asked.requests[0]);
		dprintf(asked.descriptor, "%s", text);
		close(asked.descriptor);
		reply(fd, &(struct fdbroker_result){.id = asked.first_id}, 1, NULL, 0);
	}
}

static void answer_names(int fd, uint32_t id, const struct fdbroker_answer *answer)
{
	unsigned char data[FDBROKER_DATA_MAX];
	size_t length = fdbroker_names_encode(data, answer);

	reply_with_data(fd, (struct fdbroker_result){.id = id}, data, length);
}

/* ---- what arrives ---- */

/* A call whose descriptor arrives at serve_into_pipe(); sockets may be anything to the library. */
static int pipe_ends[2];

static void open_pipe(void)
{
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
}

static void expect_in_pipe(const char *expected)
{
	char content[FDBROKER_PATH_MAX] = "";

	assert_true(read(pipe_ends[0], content, sizeof(content) - 1) > 0);
	assert_string_equal(content, expected);
}

static void close_pipe(void)
{
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static int bind_path(struct fdbroker *broker, int fd, const char *path, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, length);
	return fdbroker_bind(broker, fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

static void a_unix_socket_is_bound_by_its_absolute_path(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_into_pipe);
	static const struct {
		const char *path;
		size_t length;
		const char *arrives;
	} paths[] = {
		{"/run/a", 6, "0 0 0, 0 1 0 0 0, '/run/a' ''"},
		{"/run/a", 7, "0 0 0, 0 1 0 0 0, '/run/a' ''"},
		{"/run/a\0b", 8, "0 0 0, 0 1 0 0 0, '/run/a' ''"},
		{"//run/./a", 9, "0 0 0, 0 1 0 0 0, '/run/a' ''"},
		{"a/../b", 6, "0 0 0, 0 1 0 0 0, '/usr/a/../b' ''"},
		{"a.", 2, "0 0 0, 0 1 0 0 0, '/usr/a.' ''"},
	};
	int before = open(".", O_PATH | O_CLOEXEC);

	open_pipe();
	assert_int_equal(chdir("/usr"), 0);
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_int_equal(
			bind_path(broker, pipe_ends[1], paths[i].path, paths[i].length), 0);
		expect_in_pipe(paths[i].arrives);
	}
	assert_int_equal(fchdir(before), 0);
	close(before);
	close_pipe();
	disconnect(broker);
}

static void a_unix_path_has_107_bytes(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_into_pipe);
	char path[108], expected[160];
	int before = open(".", O_PATH | O_CLOEXEC);

	open_pipe();
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	assert_int_equal(bind_path(broker, pipe_ends[1], path, 107), 0);
	snprintf(expected, sizeof(expected), "0 0 0, 0 1 0 0 0, '%.107s' ''", path);
	expect_in_pipe(expected);
	expect_failure(
		bind_path(broker, pipe_ends[1], path, 108), ENAMETOOLONG, FDBROKER_REASON_LOCAL);
	/* Relative, it grows. */
	assert_int_equal(chdir("/usr"), 0);
	expect_failure(bind_path(broker, pipe_ends[1], path + 1, 103), ENAMETOOLONG,
		FDBROKER_REASON_LOCAL);
	assert_int_equal(bind_path(broker, pipe_ends[1], path + 1, 102), 0);
	assert_int_equal(fchdir(before), 0);
	close(before);
	close_pipe();
	disconnect(broker);
}

static void a_unix_address_that_cannot_be_is_refused(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_into_pipe);
	struct sockaddr_storage large = {.ss_family = AF_UNIX};
	static const struct {
		const char *path;
		size_t length;
		int error;
		enum fdbroker_reason reason;
	} paths[] = {
		{"", 0, EACCES, FDBROKER_REASON_SOCKET},      /* unnamed */
		{"\0abc", 4, EACCES, FDBROKER_REASON_SOCKET}, /* abstract */
		{"/run/a/", 7, ENOENT, FDBROKER_REASON_LOCAL},
		{"/run/.", 6, EADDRINUSE, FDBROKER_REASON_LOCAL},
		{"/run/./", 7, EADDRINUSE, FDBROKER_REASON_LOCAL},
		{".", 1, EADDRINUSE, FDBROKER_REASON_LOCAL},
		{"/", 1, EADDRINUSE, FDBROKER_REASON_LOCAL},
	};

	for (size_t i = 0; i < COUNT(paths); i++)
		expect_failure(bind_path(broker, 0, paths[i].path, paths[i].length), paths[i].error,
			paths[i].reason);
	expect_failure(fdbroker_bind(broker, 0, (struct sockaddr *)&large, 111), EINVAL,
		FDBROKER_REASON_LOCAL);
	expect_failure(bind_path(broker, -1, "/run/a", 6), EBADF, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

static void a_vsock_address_arrives_as_it_is(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_into_pipe);
	struct sockaddr_vm vsock = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 70000};
	const struct sockaddr *address = (struct sockaddr *)&vsock;

	open_pipe();
	assert_int_equal(fdbroker_bind(broker, pipe_ends[1], address, sizeof(vsock)), 0);
	expect_in_pipe("vsock 4294967295 70000 ''");
	vsock.svm_cid = 2;
	assert_int_equal(fdbroker_connect(broker, pipe_ends[1], address, sizeof(vsock)), 0);
	expect_in_pipe("vsock 2 70000 ''");
	expect_failure(fdbroker_bind(broker, 0, address, sizeof(vsock) - 1), EINVAL,
		FDBROKER_REASON_LOCAL);
	vsock.svm_flags = 1;
	expect_failure(
		fdbroker_bind(broker, 0, address, sizeof(vsock)), EINVAL, FDBROKER_REASON_LOCAL);
	close_pipe();
	disconnect(broker);
}

static void a_vsock_may_listen(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_descriptions);
	static const char *const others[] = {"vsock:1024", "vsock::1024",
		"vsock:*:", "vsock:*:http", "vsock:-1:5", "vsock:4294967296:1",
		"vsock:1:4294967296", "vsock:[1]:1"};

	expect_content(fdbroker_listen(broker, "vsock:*:1024", 1), "vsock 4294967295 1024 ''");
	expect_content(fdbroker_listen(broker, "vsock:2:4294967295", 1), "vsock 2 4294967295 ''");
	for (size_t i = 0; i < COUNT(others); i++)
		expect_failure(
			fdbroker_listen(broker, others[i], 1), EINVAL, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

static void what_is_dialled_may_have_names(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_descriptions);
	static const struct {
		const char *endpoint, *arrives;
	} endpoints[] = {
		{"tcp:127.0.0.1:80", "0 0 0, 1 4 80 0 0, '' ''"},
		{"udp:[::1]:53", "0 0 0, 2 6 53 0 1, '' ''"},
		{"tcp:[fe80::1%2]:http", "0 0 0, 1 6 0 2 1, '' 'http'"},
		{"tcp:db.internal:5432", "0 0 0, 1 0 5432 0 0, 'db.internal' ''"},
		{"udp:localhost:ntp", "0 0 0, 2 0 0 0 0, 'localhost' 'ntp'"},
		{"tcp:127.0.0.1.:8o", "0 0 0, 1 0 0 0 0, '127.0.0.1.' '8o'"},
		{"vsock:2:1024", "vsock 2 1024 ''"},
	};

	for (size_t i = 0; i < COUNT(endpoints); i++) {
		int fd = fdbroker_dial(broker, endpoints[i].endpoint);

		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		expect_content(fd, endpoints[i].arrives);
	}
	disconnect(broker);
}

static void what_cannot_be_dialled_is_refused(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_descriptions);
	const char *volatile no_endpoint = NULL;
	char host[FDBROKER_HOST_MAX + 16], service[FDBROKER_SERVICE_MAX + 16];
	static const char *const endpoints[] = {"", "tcp:80", "tcp:http", "tcp::80", "tcp:*:80",
		"vsock:*:80", "vsock:80", "vsock:2:http", "vsock:host:80",
		"udp:host:", "tcp:host:65536", "tcp:host:99999999999999999999", "tcp:a:b:80",
		"tcp:[::1:80", "tcp:[host]:80", "tcp:[]:80", "tcp:::1:80", "unix:/run/a",
		"sctp:host:80", "tcp:[fe80::1%eth0]:80", "tcp://db:80", "tcp:db/:80", "tcp: db:80",
		"tcp:db :80", "tcp:db:80/", "tcp:db:http/", "tcp:db: 80", "tcp:db:80\n",
		"tcp:d\tb:80", "tcp:db:[80]"};

	for (size_t i = 0; i < COUNT(endpoints); i++) {
		if (fdbroker_dial(broker, endpoints[i]) != -1)
			fail_msg("dialled: '%s'", endpoints[i]);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	}
	expect_failure(fdbroker_dial(broker, no_endpoint), EFAULT, FDBROKER_REASON_LOCAL);

	snprintf(host, sizeof(host), "tcp:%0*d:80", FDBROKER_HOST_MAX, 0);
	snprintf(service, sizeof(service), "tcp:a:x%0*d", FDBROKER_SERVICE_MAX - 1, 0);
	close(fdbroker_dial(broker, host));
	close(fdbroker_dial(broker, service));
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
	snprintf(host, sizeof(host), "tcp:%0*d:80", FDBROKER_HOST_MAX + 1, 0);
	snprintf(service, sizeof(service), "tcp:a:x%0*d", FDBROKER_SERVICE_MAX, 0);
	expect_failure(fdbroker_dial(broker, host), EINVAL, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_dial(broker, service), EINVAL, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

static void a_socket_is_asked_for_as_by_socket(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_descriptions);
	char expected[64];
	int with = fdbroker_socket(
		broker, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	int without = fdbroker_socket(broker, AF_NETLINK, SOCK_RAW, 15);

	assert_int_equal(fcntl(with, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(without, F_GETFD), 0);
	snprintf(
		expected, sizeof(expected), "2 %d 1, 0 0 0 0 0, '' ''", SOCK_DGRAM | SOCK_NONBLOCK);
	expect_content(with, expected);
	expect_content(without, "16 3 15, 0 0 0 0 0, '' ''");
	expect_failure(fdbroker_socket(NULL, 1, 1, 1), EFAULT, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

static void a_tun_device_has_a_kind_and_perhaps_a_name(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_descriptions);
	const char *volatile no_device = NULL;
	static const char *const others[] = {
		"", "tun", "vpn0", "TUN:a", "tun:0123456789abcdef", "tap:0123456789abcdefgh"};
	int fd = fdbroker_tun(broker, "tun:vpn0", FDBROKER_TUN_NO_PI | FDBROKER_TUN_UP);

	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	expect_content(fd, "9 0 0, 0 0 0 0 0, 'vpn0' ''");
	expect_content(fdbroker_tun(broker, "tap:", 15), "15 1 0, 0 0 0 0 0, '' ''");
	expect_content(fdbroker_tun(broker, "tap:0123456789abcde", 0),
		"0 1 0, 0 0 0 0 0, '0123456789abcde' ''");
	for (size_t i = 0; i < COUNT(others); i++)
		expect_failure(fdbroker_tun(broker, others[i], 0), EINVAL, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_tun(broker, "tun:a", 16), EINVAL, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_tun(broker, no_device, 0), EFAULT, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

static void an_option_is_a_number_or_a_device(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_into_pipe);
	const int numbers[] = {-7, 8};
	static const struct {
		const char *value;
		socklen_t length;
		const char *arrives;
	} devices[] = {
		{"eth0", 4, "1 25 0, 0 0 0 0 0, 'eth0' ''"},
		{"eth0", 5, "1 25 0, 0 0 0 0 0, 'eth0' ''"},
		{"eth0", 2, "1 25 0, 0 0 0 0 0, 'et' ''"},
		{"0123456789abcdefgh", 18, "1 25 0, 0 0 0 0 0, '0123456789abcde' ''"},
		{"", 1, "1 25 0, 0 0 0 0 0, '' ''"},
		{NULL, 0, "1 25 0, 0 0 0 0 0, '' ''"},
	};

	open_pipe();
	assert_int_equal(
		fdbroker_setsockopt(broker, pipe_ends[1], SOL_SOCKET, SO_MARK, numbers, 4), 0);
	expect_in_pipe("1 36 -7, 0 0 0 0 0, '' ''");
	assert_int_equal(
		fdbroker_setsockopt(broker, pipe_ends[1], SOL_SOCKET, SO_MARK, numbers, 8), 0);
	expect_in_pipe("1 36 -7, 0 0 0 0 0, '' ''");
	for (size_t i = 0; i < COUNT(devices); i++) {
		assert_int_equal(fdbroker_setsockopt(broker, pipe_ends[1], SOL_SOCKET,
					 SO_BINDTODEVICE, devices[i].value, devices[i].length),
			0);
		expect_in_pipe(devices[i].arrives);
	}
	close_pipe();
	disconnect(broker);
}

static void a_bad_option_is_refused_as_by_setsockopt(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_into_pipe);
	const int number = 1;
	const void *volatile no_value = NULL;

	expect_failure(fdbroker_setsockopt(broker, 0, SOL_SOCKET, SO_MARK, &number, 3), EINVAL,
		FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_setsockopt(broker, 0, SOL_SOCKET, SO_MARK, no_value, 4), EFAULT,
		FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_setsockopt(broker, 0, SOL_SOCKET, SO_BINDTODEVICE, no_value, 4),
		EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_setsockopt(broker, 0, SOL_SOCKET, SO_MARK, &number, 0x80000000u),
		EINVAL, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_setsockopt(broker, -1, SOL_SOCKET, SO_MARK, &number, 4), EBADF,
		FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_setsockopt(broker, 999, SOL_SOCKET, SO_MARK, &number, 4), EBADF,
		FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

/* ---- connecting ---- */

/* A second time, as tcp(7) sockets that are connected at once say so only then. */
static int connect_now(int fd, const struct sockaddr_in *address)
{
	const struct sockaddr *generic = (const struct sockaddr *)address;

	if (connect(fd, generic, sizeof(*address)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (connect(fd, generic, sizeof(*address)) == 0)
		return 0;
	return errno == EALREADY ? EINPROGRESS : errno;
}

/* Without ever waiting. */
static void serve_connects(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		if (asked.requests[0].operation != FDBROKER_CONNECT) {
			grant_packet(fd, &asked);
			continue;
		}
		struct sockaddr_in address = {.sin_family = AF_INET,
			.sin_port = htons((uint16_t)asked.requests[0].endpoint.port)};
		memcpy(&address.sin_addr, asked.requests[0].endpoint.address, 4);
		int flags = fcntl(asked.descriptor, F_GETFL);
		fcntl(asked.descriptor, F_SETFL, flags | O_NONBLOCK);
		int error = connect_now(asked.descriptor, &address);
		fcntl(asked.descriptor, F_SETFL, flags);
		close(asked.descriptor);
		if (error != 0)
			deny(fd, asked.first_id, error, FDBROKER_REASON_KERNEL);
		else
			reply(fd, &(struct fdbroker_result){.id = asked.first_id}, 1, NULL, 0);
	}
}

/* A listener whose queue is full: who connects now waits until it is opened or closed. */
static struct busy_server {
	int listener, waiting;
	struct sockaddr_in address;
	bool opens; /* else it closes */
} server;

static void start_server(bool is_busy)
{
	socklen_t size = sizeof(server.address);

	server.address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.listener, (struct sockaddr *)&server.address, size), 0);
	assert_int_equal(
		getsockname(server.listener, (struct sockaddr *)&server.address, &size), 0);
	assert_int_equal(listen(server.listener, is_busy ? 0 : 5), 0);
	server.waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (is_busy)
		assert_int_equal(
			connect(server.waiting, (struct sockaddr *)&server.address, size), 0);
}

static void stop_server(void)
{
	if (server.listener != -1)
		close(server.listener);
	close(server.waiting);
}

static int connect_to_server(struct fdbroker *broker, int fd)
{
	return fdbroker_connect(
		broker, fd, (struct sockaddr *)&server.address, sizeof(server.address));
}

static void *stop_being_busy(void *data)
{
	struct fdbroker *broker = data;

	usleep(200 * MSEC);
	/* Meanwhile the connection to the broker is free. */
	int file = fdbroker_open(broker, "/a", O_RDONLY | O_CLOEXEC);
	if (server.opens) {
		close(accept(server.listener, NULL, NULL));
	} else {
		close(server.listener);
		server.listener = -1;
	}
	return file >= 0 && close(file) == 0 ? NULL : "the connection was not free";
}

static void a_socket_is_connected_in_place(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_connects);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	start_server(false);
	assert_int_equal(connect_to_server(broker, fd), 0);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
	expect_failure(connect_to_server(broker, fd), EISCONN, FDBROKER_REASON_KERNEL);
	int accepted = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	char byte;
	assert_int_equal(read(accepted, &byte, 1), 1);
	close(accepted);
	close(fd);
	stop_server();
	disconnect(broker);
}

static void a_blocking_socket_waits_until_it_is_connected(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_connects);
	void *failed = NULL;
	pthread_t thread;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	start_server(true);
	server.opens = true;
	assert_int_equal(pthread_create(&thread, NULL, stop_being_busy, broker), 0);
	assert_int_equal(connect_to_server(broker, fd), 0);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	stop_server();
	disconnect(broker);
}

static void a_blocking_socket_hears_why_it_is_not_connected(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_connects);
	void *failed = NULL;
	pthread_t thread;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	start_server(true);
	server.opens = false;
	assert_int_equal(pthread_create(&thread, NULL, stop_being_busy, broker), 0);
	expect_failure(connect_to_server(broker, fd), ECONNREFUSED, FDBROKER_REASON_KERNEL);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	close(fd);
	stop_server();
	disconnect(broker);
}

static void a_non_blocking_socket_does_not_wait(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_connects);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), result = -1;
	socklen_t size = sizeof(result);

	start_server(true);
	expect_failure(connect_to_server(broker, fd), EINPROGRESS, FDBROKER_REASON_KERNEL);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	expect_failure(connect_to_server(broker, fd), EALREADY, FDBROKER_REASON_KERNEL);
	close(accept(server.listener, NULL, NULL));
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	assert_int_equal(poll(&ready, 1, 5000), 1);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size), 0);
	assert_int_equal(result, 0);
	close(fd);
	stop_server();
	disconnect(broker);
}

static void the_sockets_timeout_bounds_connecting(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_connects);
	const struct timeval timeout = {.tv_usec = 100 * MSEC};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	start_server(true);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)), 0);
	expect_failure(connect_to_server(broker, fd), EINPROGRESS, FDBROKER_REASON_KERNEL);
	close(fd);
	stop_server();
	disconnect(broker);
}

static void ignore_signal(int number)
{
	(void)number;
}

/* If each tick made the time begin anew, this would wait until connecting itself gives up. */
static void signals_do_not_prolong_the_sockets_timeout(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_connects);
	const struct timeval timeout = {.tv_usec = 300 * MSEC};
	const struct itimerval ticks = {{.tv_usec = 50 * MSEC}, {.tv_usec = 50 * MSEC}}, none = {0};
	struct sigaction handler = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART}, before;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	start_server(true);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)), 0);
	assert_int_equal(sigaction(SIGALRM, &handler, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &ticks, NULL), 0);
	expect_failure(connect_to_server(broker, fd), EINPROGRESS, FDBROKER_REASON_KERNEL);
	assert_int_equal(setitimer(ITIMER_REAL, &none, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	close(fd);
	stop_server();
	disconnect(broker);
}

static void a_bad_connect_is_refused_as_by_connect(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_connects);
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	const struct sockaddr *address = (struct sockaddr *)&ipv4, *volatile no_address = NULL;
	static const sa_family_t others[] = {AF_UNIX, AF_UNSPEC, AF_PACKET};

	expect_failure(fdbroker_connect(broker, 0, no_address, 16), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_connect(NULL, 0, address, 16), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_connect(broker, 0, address, 15), EINVAL, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_connect(broker, -1, address, 16), EBADF, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_connect(broker, 999, address, 16), EBADF, FDBROKER_REASON_LOCAL);
	for (size_t i = 0; i < COUNT(others); i++) {
		ipv4.sin_family = others[i];
		expect_failure(fdbroker_connect(broker, 0, address, 16), EAFNOSUPPORT,
			FDBROKER_REASON_SOCKET);
	}
	disconnect(broker);
}

/* ---- names, as libc has them ---- */

/* As a C string, or NULL if it is empty. */
static const char *text_of(const struct fdbroker_text *text, char *buffer)
{
	memcpy(buffer, text->bytes, text->length);
	buffer[text->length] = '\0';
	return text->length > 0 ? buffer : NULL;
}

static void add_address(struct fdbroker_answer *answer, const struct addrinfo *info)
{
	struct fdbroker_address *address = &answer->addresses[answer->address_count++];

	*address = (struct fdbroker_address){
		.socktype = info->ai_socktype, .protocol = info->ai_protocol};
	if (info->ai_family == AF_INET) {
		const struct sockaddr_in *ipv4 = (const void *)info->ai_addr;

		address->endpoint.family = FDBROKER_IPV4;
		address->endpoint.port = ntohs(ipv4->sin_port);
		memcpy(address->endpoint.address, &ipv4->sin_addr, 4);
	} else {
		const struct sockaddr_in6 *ipv6 = (const void *)info->ai_addr;

		address->endpoint.family = FDBROKER_IPV6;
		address->endpoint.port = ntohs(ipv6->sin6_port);
		address->endpoint.scope = ipv6->sin6_scope_id;
		address->endpoint.flowinfo = ipv6->sin6_flowinfo;
		memcpy(address->endpoint.address, &ipv6->sin6_addr, 16);
	}
}

static void answer_addrinfo(int fd, const struct asked *asked)
{
	const struct fdbroker_request *request = &asked->requests[0];
	const struct addrinfo hints = {.ai_flags = request->addrinfo.flags,
		.ai_family = request->addrinfo.family,
		.ai_socktype = request->addrinfo.socktype,
		.ai_protocol = request->addrinfo.protocol};
	static struct fdbroker_answer answer;
	char node[FDBROKER_HOST_MAX + 1], service[FDBROKER_SERVICE_MAX + 1];
	struct addrinfo *list = NULL;

	answer = (struct fdbroker_answer){0};
	answer.code = getaddrinfo(
		text_of(&request->host, node), text_of(&request->service, service), &hints, &list);
	for (struct addrinfo *info = list; info != NULL; info = info->ai_next)
		add_address(&answer, info);
	if (list != NULL && list->ai_canonname != NULL)
		answer.name =
			(struct fdbroker_text){list->ai_canonname, strlen(list->ai_canonname)};
	answer_names(fd, asked->first_id, &answer);
	if (list != NULL)
		freeaddrinfo(list);
}

static void answer_nameinfo(int fd, const struct asked *asked)
{
	const struct fdbroker_endpoint *endpoint = &asked->requests[0].endpoint;
	struct sockaddr_in ipv4 = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)endpoint->port)};
	char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
	static struct fdbroker_answer answer;

	memcpy(&ipv4.sin_addr, endpoint->address, 4);
	answer = (struct fdbroker_answer){0};
	answer.code = getnameinfo((struct sockaddr *)&ipv4, sizeof(ipv4), host, sizeof(host),
		service, sizeof(service), asked->requests[0].nameinfo.flags);
	if (answer.code == 0) {
		answer.name = (struct fdbroker_text){host, strlen(host)};
		answer.service = (struct fdbroker_text){service, strlen(service)};
	}
	answer_names(fd, asked->first_id, &answer);
}

/* "tcp" is known, and "denied" denied. */
static void answer_protocol(int fd, const struct asked *asked)
{
	const struct fdbroker_text *name = &asked->requests[0].name;
	struct fdbroker_answer answer = {.code = EAI_NONAME};

	if (name->length == 6 && memcmp(name->bytes, "denied", 6) == 0) {
		deny(fd, asked->first_id, EACCES, FDBROKER_REASON_POLICY);
		return;
	}
	if (name->length == 3 && memcmp(name->bytes, "tcp", 3) == 0)
		answer = (struct fdbroker_answer){.number = 6};
	answer_names(fd, asked->first_id, &answer);
}

static void serve_names(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		const struct fdbroker_text *host = &asked.requests[0].host;

		if (asked.requests[0].operation == FDBROKER_GETADDRINFO && host->length == 6 &&
			memcmp(host->bytes, "denied", 6) == 0)
			deny(fd, asked.first_id, EACCES, FDBROKER_REASON_POLICY);
		else if (asked.requests[0].operation == FDBROKER_GETADDRINFO)
			answer_addrinfo(fd, &asked);
		else if (asked.requests[0].operation == FDBROKER_GETNAMEINFO)
			answer_nameinfo(fd, &asked);
		else
			answer_protocol(fd, &asked);
	}
}

static void expect_same_list(const struct addrinfo *list, const struct addrinfo *expected)
{
	for (; list != NULL && expected != NULL;
		list = list->ai_next, expected = expected->ai_next) {
		assert_int_equal(list->ai_flags, expected->ai_flags);
		assert_int_equal(list->ai_family, expected->ai_family);
		assert_int_equal(list->ai_socktype, expected->ai_socktype);
		assert_int_equal(list->ai_protocol, expected->ai_protocol);
		assert_int_equal(list->ai_addrlen, expected->ai_addrlen);
		assert_memory_equal(list->ai_addr, expected->ai_addr, expected->ai_addrlen);
		assert_int_equal(list->ai_canonname == NULL, expected->ai_canonname == NULL);
		if (expected->ai_canonname != NULL)
			assert_string_equal(list->ai_canonname, expected->ai_canonname);
	}
	assert_null(list);
	assert_null(expected);
}

/* Numbers and localhost: nothing that needs a network. */
static void addresses_are_those_of_libc(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_names);
	static const struct addrinfo hints[] = {{0}, {.ai_flags = AI_CANONNAME},
		{.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM}, {.ai_family = AF_INET6},
		{.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM},
		{.ai_family = AF_INET6, .ai_flags = AI_V4MAPPED | AI_ALL},
		{.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, {.ai_socktype = SOCK_RAW},
		{.ai_protocol = IPPROTO_UDP}, {.ai_flags = 0x8000}, {.ai_family = 77},
		{.ai_socktype = 77}};
	static const char *const names[][2] = {{"127.0.0.1", "80"}, {"::1", "65535"},
		{"fe80::1%1", "22"}, {"localhost", "80"}, {"localhost", NULL}, {NULL, "80"},
		{"127.0.0.1", ""}, {NULL, ""}, {"*", ""}, {"", "80"}, {"", NULL}, {NULL, NULL},
		{"*", "80"}, {"*", "*"}, {"127.0.0.1", "*"}, {"127.0.0.1", "70000"},
		{"127.0.0.1", "no-such-service"}, {"1.2.3", "80"}};

	for (size_t i = 0; i < COUNT(names) * (COUNT(hints) + 1); i++) {
		const char *node = names[i % COUNT(names)][0];
		const char *service = names[i % COUNT(names)][1];
		const struct addrinfo *hint =
			i < COUNT(names) ? NULL : &hints[i / COUNT(names) - 1];
		struct addrinfo *list = NULL, *expected = NULL;
		int wanted = getaddrinfo(node, service, hint, &expected);
		int code = fdbroker_getaddrinfo(broker, node, service, hint, &list);

		/* Refused without asking: what libc would find wrong before that is not seen. */
		if (node != NULL && node[0] == '\0' && wanted != 0)
			wanted = EAI_NONAME;
		if (code != wanted)
			fail_msg("%s %s: %d, not %d", node ? node : "-", service ? service : "-",
				code, wanted);
		expect_same_list(list, expected);
		fdbroker_freeaddrinfo(list);
		if (expected != NULL)
			freeaddrinfo(expected);
	}
	disconnect(broker);
}

static void a_lookup_says_who_refused_it(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_names);
	const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
	char node[FDBROKER_HOST_MAX + 2], service[FDBROKER_SERVICE_MAX + 2];
	struct addrinfo *list = NULL, **volatile no_list = NULL;

	assert_int_equal(fdbroker_getaddrinfo(broker, "denied", NULL, NULL, &list), EAI_SYSTEM);
	assert_int_equal(errno, EACCES);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_POLICY);
	assert_int_equal(fdbroker_getaddrinfo(broker, "other", NULL, &numeric, &list), EAI_NONAME);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NAMES);
	assert_int_equal(fdbroker_getaddrinfo(broker, NULL, NULL, NULL, &list), EAI_NONAME);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	assert_int_equal(fdbroker_getaddrinfo(broker, "a", NULL, NULL, no_list), EAI_SYSTEM);
	assert_int_equal(errno, EFAULT);

	memset(node, 'x', sizeof(node));
	memset(service, 'x', sizeof(service));
	node[FDBROKER_HOST_MAX + 1] = service[FDBROKER_SERVICE_MAX + 1] = '\0';
	assert_int_equal(fdbroker_getaddrinfo(broker, node, NULL, &numeric, &list), EAI_NONAME);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	assert_int_equal(fdbroker_getaddrinfo(broker, "::1", service, NULL, &list), EAI_SERVICE);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	node[FDBROKER_HOST_MAX] = service[FDBROKER_SERVICE_MAX] = '\0';
	assert_int_equal(fdbroker_getaddrinfo(broker, node, NULL, &numeric, &list), EAI_NONAME);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NAMES);
	assert_int_equal(fdbroker_getaddrinfo(broker, "::1", service, NULL, &list), EAI_SERVICE);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NAMES);
	assert_null(list);
	disconnect(broker);
}

static void names_of_addresses_are_those_of_libc(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_names);
	static const int flags[] = {0, NI_NUMERICHOST, NI_NUMERICSERV,
		NI_NUMERICHOST | NI_NUMERICSERV, NI_DGRAM, NI_NAMEREQD,
		NI_NAMEREQD | NI_NUMERICHOST, 1 << 20};
	const struct sockaddr_in ipv4 = {.sin_family = AF_INET,
		.sin_port = htons(80),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr *address = (const struct sockaddr *)&ipv4;

	for (size_t i = 0; i < COUNT(flags); i++) {
		for (socklen_t size = 0; size < 16; size++) {
			char host[16] = "", service[16] = "", wanted_host[16] = "",
			     wanted_service[16] = "";
			/* One of the two is always wanted. */
			int wanted = getnameinfo(address, sizeof(ipv4), wanted_host, size,
				wanted_service, 15 - size, flags[i]);
			int code = fdbroker_getnameinfo(broker, address, sizeof(ipv4), host, size,
				service, 15 - size, flags[i]);

			assert_int_equal(code, wanted);
			if (code != 0)
				continue;
			assert_string_equal(host, wanted_host);
			assert_string_equal(service, wanted_service);
		}
	}
	disconnect(broker);
}

static void only_addresses_of_the_internet_have_names(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_names);
	struct sockaddr_storage address = {0};
	const struct sockaddr *generic = (const struct sockaddr *)&address;
	const struct sockaddr *volatile no_address = NULL;
	static const struct {
		sa_family_t family;
		socklen_t length;
	} table[] = {{AF_UNIX, 16}, {AF_VSOCK, 16}, {AF_INET, 15}, {AF_INET6, 24}, {AF_INET, 1}};
	char host[NI_MAXHOST];

	for (size_t i = 0; i < COUNT(table); i++) {
		address.ss_family = table[i].family;
		assert_int_equal(fdbroker_getnameinfo(broker, generic, table[i].length, host,
					 sizeof(host), NULL, 0, 0),
			EAI_FAMILY);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	}
	assert_int_equal(
		fdbroker_getnameinfo(broker, no_address, 16, host, sizeof(host), NULL, 0, 0),
		EAI_FAMILY);
	assert_int_equal(
		fdbroker_getnameinfo(broker, generic, 16, NULL, 0, NULL, 0, 0), EAI_NONAME);
	disconnect(broker);
}

static void a_protocol_has_a_number(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_names);
	const char *volatile no_name = NULL;
	char name[FDBROKER_SERVICE_MAX + 2];

	assert_int_equal(fdbroker_getprotobyname(broker, "tcp"), 6);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
	expect_failure(fdbroker_getprotobyname(broker, "other"), ENOENT, FDBROKER_REASON_NAMES);
	expect_failure(fdbroker_getprotobyname(broker, "denied"), EACCES, FDBROKER_REASON_POLICY);
	expect_failure(fdbroker_getprotobyname(broker, ""), ENOENT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_getprotobyname(broker, no_name), EFAULT, FDBROKER_REASON_LOCAL);
	memset(name, 'x', sizeof(name));
	name[FDBROKER_SERVICE_MAX + 1] = '\0';
	expect_failure(fdbroker_getprotobyname(broker, name), ENOENT, FDBROKER_REASON_LOCAL);
	name[FDBROKER_SERVICE_MAX] = '\0';
	expect_failure(fdbroker_getprotobyname(broker, name), ENOENT, FDBROKER_REASON_NAMES);
	disconnect(broker);
}

/* Answers each question with the next of these codes. */
static const struct fdbroker_answer failures[] = {{.code = EAI_AGAIN}, {.code = EAI_FAIL},
	{.code = EAI_SYSTEM, .error = ENOTTY}, {.code = EAI_MEMORY}, {.code = -105},
	/* "then the rest is 0"; if it is not, it is not looked at */
	{.code = EAI_NONAME,
		.number = 7,
		.address_count = 1,
		.addresses = {{1, 6, {.family = FDBROKER_IPV4}}}}};

static void serve_failures(int fd)
{
	static struct asked asked;

	for (size_t i = 0; ask_next(fd, &asked); i++)
		answer_names(fd, asked.first_id, &failures[i / 2]);
}

static void what_the_name_service_says_is_passed_on(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_failures);
	static const int errors[] = {EAGAIN, EIO, ENOTTY, ENOMEM, EIO, ENOENT};
	struct addrinfo *list = NULL;

	for (size_t i = 0; i < COUNT(failures); i++) {
		errno = 0;
		assert_int_equal(
			fdbroker_getaddrinfo(broker, "a", NULL, NULL, &list), failures[i].code);
		assert_int_equal(errno, failures[i].error);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NAMES);
		expect_failure(
			fdbroker_getprotobyname(broker, "a"), errors[i], FDBROKER_REASON_NAMES);
	}
	assert_null(list);
	disconnect(broker);
}

/* ---- a broker that lies ---- */

static const struct fdbroker_answer lies[] = {
	{0}, /* no address */
	{.code = 1},
	{.code = -106},
	{.code = INT32_MIN},
	{.code = EAI_SYSTEM},
	{.address_count = 1, .addresses = {{1, 6, {.family = FDBROKER_IPV4}}}}, /* not asked for */
	{.address_count = 2,
		.addresses = {{1, 6, {.family = FDBROKER_IPV6}},
			{1, 6, {.family = FDBROKER_IPV4}}}},
	{.address_count = 1, .addresses = {{1, 6, {.family = FDBROKER_UNIX}}}},
	{.address_count = 1, .addresses = {{1, 6, {.family = FDBROKER_IPV6, .port = 70000}}}},
};
static size_t lie;

static void serve_lie(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	answer_names(fd, asked.first_id, &lies[lie]);
	ask_next(fd, &asked);
}

static void expect_lie_found(void (*serve)(int fd))
{
	const struct addrinfo hints = {.ai_family = AF_INET6};
	struct fdbroker *broker = connect_to(serve);
	struct addrinfo *list = NULL;

	assert_int_equal(fdbroker_getaddrinfo(broker, "a", NULL, &hints, &list), EAI_SYSTEM);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_BROKER);
	assert_null(list);
	assert_int_equal(fdbroker_getaddrinfo(broker, "a", NULL, &hints, &list), EAI_SYSTEM);
	assert_int_equal(errno, ECONNRESET);
	disconnect(broker);
}

static void an_answer_that_does_not_fit_ends_the_connection(void **state)
{
	(void)state;
	for (lie = 0; lie < COUNT(lies); lie++)
		expect_lie_found(serve_lie);
}

static void serve_no_data(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	reply(fd, &(struct fdbroker_result){.id = asked.first_id}, 1, NULL, 0);
	ask_next(fd, &asked);
}

static void serve_short_data(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	reply_with_data(fd, (struct fdbroker_result){.id = asked.first_id}, "1234", 4);
	ask_next(fd, &asked);
}

static void serve_too_much_data(int fd)
{
	static struct asked asked;
	static const char data[FDBROKER_REPLY_MAX];

	ask_next(fd, &asked);
	reply_with_data(fd, (struct fdbroker_result){.id = asked.first_id}, data, sizeof(data));
	ask_next(fd, &asked);
}

static void serve_most_data(int fd)
{
	static struct asked asked;
	static const char data[FDBROKER_REPLY_MAX - sizeof(struct fdbroker_header) -
			       sizeof(struct fdbroker_result)];

	ask_next(fd, &asked);
	reply_with_data(fd, (struct fdbroker_result){.id = asked.first_id}, data, sizeof(data));
	ask_next(fd, &asked);
}

static void serve_a_descriptor(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	grant(fd, asked.first_id, &asked.requests[0]);
	ask_next(fd, &asked);
}

static void data_that_is_none_ends_the_connection(void **state)
{
	(void)state;
	expect_lie_found(serve_no_data);
	expect_lie_found(serve_short_data);
	expect_lie_found(serve_too_much_data);
	expect_lie_found(serve_most_data);
	expect_lie_found(serve_a_descriptor);
}

static void serve_empty_name(int fd)
{
	static struct asked asked;
	const struct fdbroker_answer answer = {.service = {"http", 4}, .number = -1};

	ask_next(fd, &asked);
	answer_names(fd, asked.first_id, &answer);
	ask_next(fd, &asked);
}

static void names_and_numbers_that_are_none_end_the_connection(void **state)
{
	(void)state;
	const struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	char host[NI_MAXHOST];
	struct fdbroker *broker = connect_to(serve_empty_name);

	assert_int_equal(fdbroker_getnameinfo(broker, (const struct sockaddr *)&ipv4, sizeof(ipv4),
				 host, sizeof(host), NULL, 0, 0),
		EAI_SYSTEM);
	assert_int_equal(errno, EPROTO);
	disconnect(broker);
	broker = connect_to(serve_empty_name);
	expect_failure(fdbroker_getprotobyname(broker, "tcp"), EPROTO, FDBROKER_REASON_BROKER);
	disconnect(broker);
}

/* Where no descriptor belongs, or no data, or where one is missing. */
static void what_a_call_does_not_give_ends_the_connection(void **state)
{
	(void)state;
	static const struct {
		void (*serve)(int fd);
		int operation;
	} table[] = {{serve_a_descriptor, FDBROKER_CONNECT}, {serve_short_data, FDBROKER_CONNECT},
		{serve_a_descriptor, FDBROKER_SETSOCKOPT}, {serve_short_data, FDBROKER_SETSOCKOPT},
		{serve_a_descriptor, FDBROKER_BIND}, {serve_short_data, FDBROKER_BIND},
		{serve_no_data, FDBROKER_DIAL}, {serve_short_data, FDBROKER_DIAL},
		{serve_no_data, FDBROKER_SOCKET}, {serve_no_data, FDBROKER_TUN}};
	const struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	const struct sockaddr *address = (const struct sockaddr *)&ipv4;
	const int one = 1;

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fdbroker *broker = connect_to(table[i].serve);
		int result = 0;

		if (table[i].operation == FDBROKER_CONNECT)
			result = fdbroker_connect(broker, 0, address, sizeof(ipv4));
		else if (table[i].operation == FDBROKER_SETSOCKOPT)
			result = fdbroker_setsockopt(broker, 0, 1, 1, &one, sizeof(one));
		else if (table[i].operation == FDBROKER_BIND)
			result = fdbroker_bind(broker, 0, address, sizeof(ipv4));
		else if (table[i].operation == FDBROKER_DIAL)
			result = fdbroker_dial(broker, "tcp:a:1");
		else if (table[i].operation == FDBROKER_SOCKET)
			result = fdbroker_socket(broker, AF_INET, SOCK_RAW, 1);
		else
			result = fdbroker_tun(broker, "tun:", 0);
		expect_failure(result, EPROTO, FDBROKER_REASON_BROKER);
		disconnect(broker);
	}
}

/* Answers to others before and after it, with data and descriptors. */
static void serve_names_among_others(int fd)
{
	static struct asked asked;
	const struct fdbroker_answer right = {.number = 6}, wrong = {.number = 17};

	while (ask_next(fd, &asked)) {
		answer_names(fd, asked.first_id - 1, &wrong);
		grant(fd, asked.first_id + 70, &asked.requests[0]);
		answer_names(fd, asked.first_id, &right);
		answer_names(fd, asked.first_id, &wrong);
	}
}

static void data_that_nobody_waits_for_is_dropped(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_names_among_others);

	for (int i = 0; i < 10; i++)
		assert_int_equal(fdbroker_getprotobyname(broker, "tcp"), 6);
	disconnect(broker);
}

/* Two results in one packet: the data of each is its own. */
static void serve_two_in_a_packet(int fd)
{
	static struct asked asked;
	const struct fdbroker_answer right = {.number = 6}, wrong = {.number = 17};
	unsigned char buffer[FDBROKER_PACKET_MAX], data[FDBROKER_DATA_MAX];
	struct fdbroker_packet packet;

	while (ask_next(fd, &asked)) {
		const struct fdbroker_result results[] = {
			{.id = asked.first_id - 1, .data_length = 20},
			{.id = asked.first_id, .data_length = 20}};

		fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 0);
		fdbroker_packet_add_result(&packet, &results[0]);
		fdbroker_packet_add_result(&packet, &results[1]);
		fdbroker_packet_add_data(&packet, data, fdbroker_names_encode(data, &wrong));
		fdbroker_packet_add_data(&packet, data, fdbroker_names_encode(data, &right));
		send_with(fd, packet.bytes, packet.length, NULL, 0);
	}
}

static void data_goes_to_whom_it_is_meant_for(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_two_in_a_packet);

	assert_int_equal(fdbroker_getprotobyname(broker, "tcp"), 6);
	disconnect(broker);
}

static void freeing_no_list_is_fine_and_keeps_errno(void **state)
{
	(void)state;
	errno = EXDEV;
	fdbroker_freeaddrinfo(NULL);
	assert_int_equal(errno, EXDEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_unix_socket_is_bound_by_its_absolute_path),
		TEST(a_unix_path_has_107_bytes),
		TEST(a_unix_address_that_cannot_be_is_refused),
		TEST(a_vsock_address_arrives_as_it_is),
		TEST(a_vsock_may_listen),
		TEST(what_is_dialled_may_have_names),
		TEST(what_cannot_be_dialled_is_refused),
		TEST(a_socket_is_asked_for_as_by_socket),
		TEST(a_tun_device_has_a_kind_and_perhaps_a_name),
		TEST(an_option_is_a_number_or_a_device),
		TEST(a_bad_option_is_refused_as_by_setsockopt),
		TEST(a_socket_is_connected_in_place),
		TEST(a_blocking_socket_waits_until_it_is_connected),
		TEST(a_blocking_socket_hears_why_it_is_not_connected),
		TEST(a_non_blocking_socket_does_not_wait),
		TEST(the_sockets_timeout_bounds_connecting),
		TEST(signals_do_not_prolong_the_sockets_timeout),
		TEST(a_bad_connect_is_refused_as_by_connect),
		TEST(addresses_are_those_of_libc),
		TEST(a_lookup_says_who_refused_it),
		TEST(names_of_addresses_are_those_of_libc),
		TEST(only_addresses_of_the_internet_have_names),
		TEST(a_protocol_has_a_number),
		TEST(what_the_name_service_says_is_passed_on),
		TEST(an_answer_that_does_not_fit_ends_the_connection),
		TEST(data_that_is_none_ends_the_connection),
		TEST(names_and_numbers_that_are_none_end_the_connection),
		TEST(what_a_call_does_not_give_ends_the_connection),
		TEST(data_that_nobody_waits_for_is_dropped),
		TEST(data_goes_to_whom_it_is_meant_for),
		TEST(freeing_no_list_is_fine_and_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

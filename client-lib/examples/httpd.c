/* SPDX-License-Identifier: MIT */
/*
 * A web server in miniature that can open nothing by itself: it connects to the broker, gives up
 * open(2) and bind(2) for good, and still reads a root-only file and serves a low port, on IPv4 by
 * a socket that the broker made and on IPv6 by one of its own that the broker bound in place. Then
 * it asks for a file and a port that it was not granted, and shows what it is told.
 *
 * It ends with status 0 only if every step went as it should.
 *
 *	cc httpd.c -o httpd $(pkg-config --cflags --libs fdbroker-sandbox)
 */
#include <fdbroker.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *errno_name(int error)
{
	switch (error) {
	case EACCES:
		return "EACCES";
	case EPERM:
		return "EPERM";
	default:
		return strerror(error);
	}
}

static void expect_eperm(const char *what, int result)
{
	if (result != -1 || errno != EPERM)
		errx(1, "the sandbox does not stop %s", what);
	printf("%s itself: EPERM\n", what);
}

static void expect_denied(const char *what, const char *object, int result)
{
	int error = errno;
	enum fdbroker_reason reason = fdbroker_last_reason();

	printf("%s %s: %s, reason \"%s\"\n", what, object,
		result < 0 ? errno_name(error) : "granted", fdbroker_strreason(reason));
	if (result >= 0 || error != EACCES || reason != FDBROKER_REASON_POLICY)
		errx(1, "%s: expected to be denied by the policy", object);
}

static void print_file(struct fdbroker *broker, const char *path)
{
	char buffer[4096];
	ssize_t length;
	int fd = fdbroker_open(broker, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s (%s)", path, fdbroker_strreason(fdbroker_last_reason()));
	printf("fdbroker_open %s: ", path);
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)length, stdout);
	close(fd);
}

static struct sockaddr_in6 any_address(in_port_t port)
{
	return (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
}

/* For IPv6 alone, so that the IPv4 socket can have the same port: ipv6(7), IPV6_V6ONLY. */
static int make_ipv6_socket(void)
{
	int on = 1, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		err(1, "IPv6 socket");
	return fd;
}

static void bind_ipv6(struct fdbroker *broker, int fd, in_port_t port)
{
	struct sockaddr_in6 any = any_address(port);

	if (fdbroker_bind(broker, fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		err(1, "tcp:[::]:%u (%s)", port, fdbroker_strreason(fdbroker_last_reason()));
	if (listen(fd, 16) != 0)
		err(1, "listen");
	printf("fdbroker_bind tcp:[::]:%u: listening\n", port);
}

static int listen_ipv4(struct fdbroker *broker, in_port_t port)
{
	char endpoint[64];

	snprintf(endpoint, sizeof(endpoint), "tcp:0.0.0.0:%u", port);
	int fd = fdbroker_listen(broker, endpoint, 16);
	if (fd < 0)
		err(1, "%s (%s)", endpoint, fdbroker_strreason(fdbroker_last_reason()));
	printf("fdbroker_listen %s: listening\n", endpoint);
	return fd;
}

static void answer_one_request(int listener, const char *family)
{
	char request[4096], answer[256];
	int peer = accept(listener, NULL, NULL);

	if (peer < 0)
		err(1, "accept");
	if (recv(peer, request, sizeof(request), 0) <= 0)
		errx(1, "%s: no request came", family);
	int length = snprintf(answer, sizeof(answer),
		"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nserved over %s from a "
		"sandbox\n",
		family);
	if (send(peer, answer, (size_t)length, MSG_NOSIGNAL) != length)
		err(1, "%s: send", family);
	shutdown(peer, SHUT_WR);
	close(peer);
	printf("%s: answered one request\n", family);
}

static in_port_t parse_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || port == 0 || port > 65535)
		errx(64, "'%s' is not a port", text);
	return (in_port_t)port;
}

static void prove_sandbox(const char *path, int socket_fd, in_port_t port)
{
	struct sockaddr_in6 any = any_address(port);

	expect_eperm("open(2)", open(path, O_RDONLY | O_CLOEXEC));
	expect_eperm("bind(2)", bind(socket_fd, (struct sockaddr *)&any, sizeof(any)));
}

static void ask_for_what_is_not_granted(struct fdbroker *broker, const char *path, const char *port)
{
	char endpoint[64];

	expect_denied("fdbroker_open", path, fdbroker_open(broker, path, O_RDONLY | O_CLOEXEC));
	snprintf(endpoint, sizeof(endpoint), "tcp:%s", port);
	expect_denied("fdbroker_listen", endpoint, fdbroker_listen(broker, endpoint, 16));
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: %s FILE PORT UNGRANTED-FILE UNGRANTED-PORT\n", argv[0]);
		return 64;
	}
	const char *path = argv[1];
	in_port_t port = parse_port(argv[2]);

	setvbuf(stdout, NULL, _IOLBF, 0);

	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	int ipv6 = make_ipv6_socket();
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");
	prove_sandbox(path, ipv6, port);

	print_file(broker, path);
	int ipv4 = listen_ipv4(broker, port);
	bind_ipv6(broker, ipv6, port);
	answer_one_request(ipv4, "IPv4");
	answer_one_request(ipv6, "IPv6");
	ask_for_what_is_not_granted(broker, argv[3], argv[4]);
	fdbroker_free(broker);
	return 0;
}

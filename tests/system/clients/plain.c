/* SPDX-License-Identifier: MIT */
/*
 * Plain peers for the example programs: every system call is made directly, no library of ours and
 * no sandbox, so that an example and its counterpart cannot both be wrong in the same way. Some
 * print "listening" when they can be connected to.
 *
 *	plain listen PLACE TEXT		accepts one, sends TEXT, prints all that it receives
 *	plain connect PLACE TEXT	sends TEXT, prints all that it receives
 *	plain echo PLACE COUNT		accepts COUNT, one after the other; each gets its line back
 *	plain answer PLACE IGNORED TEXT	UDP: the first IGNORED datagrams are lost, then one is
 *					answered with TEXT
 *	plain ask PLACE			UDP: sends a datagram, prints the answer
 *	plain urgent-listen PLACE	accepts one, says that it is ready, prints all, the
 *					urgent byte inline
 *	plain urgent-connect PLACE	when told so, sends some bytes with an urgent one among
 *					them
 *	plain give PATH FILE		connects to a Unix-domain socket, sends the opened file
 *	plain take PATH			listens at one, receives a descriptor, prints what it reads
 *	plain lookup NAME		prints what getaddrinfo(3) and getnameinfo(3) say of a host
 *
 * PLACE is an IPv4 address, a colon and a port, or the path of a Unix-domain socket.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_un local;
};

/* ---- sockets ---- */

static socklen_t parse_place(const char *place, union address *address)
{
	char host[INET_ADDRSTRLEN];
	unsigned int port;

	memset(address, 0, sizeof(*address));
	if (*place == '/') {
		address->local.sun_family = AF_UNIX;
		strncpy(address->local.sun_path, place, sizeof(address->local.sun_path) - 1);
		return sizeof(address->local);
	}
	address->ipv4.sin_family = AF_INET;
	if (sscanf(place, "%15[0-9.]:%u", host, &port) != 2 ||
		inet_pton(AF_INET, host, &address->ipv4.sin_addr) != 1)
		errx(64, "'%s' is no place", place);
	address->ipv4.sin_port = htons((in_port_t)port);
	return sizeof(address->ipv4);
}

static int bind_at(const char *place, int type)
{
	union address address;
	socklen_t length = parse_place(place, &address);
	int on = 1, fd = socket(address.any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address.any, length) != 0)
		err(1, "bind %s", place);
	if (*place == '/' && chmod(place, 0666) != 0)
		err(1, "chmod %s", place);
	return fd;
}

static int listen_at(const char *place)
{
	int fd = bind_at(place, SOCK_STREAM);

	/* More than will wait at a time. */
	if (listen(fd, 2048) != 0)
		err(1, "listen");
	printf("listening\n");
	return fd;
}

static int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		err(1, "accept");
	return fd;
}

static int connect_to(const char *place, int type)
{
	union address address;
	socklen_t length = parse_place(place, &address);
	int fd = socket(address.any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &address.any, length) != 0)
		err(1, "connect %s", place);
	return fd;
}

static void send_text(int fd, const char *text, int flags)
{
	size_t length = strlen(text);

	if (send(fd, text, length, flags | MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "send");
}

/* The last line is ended if the peer has not done so. */
static void print_all(int fd)
{
	char buffer[4096], last = '\n';
	ssize_t length;

	while ((length = read(fd, buffer, sizeof(buffer))) > 0) {
		fwrite(buffer, 1, (size_t)length, stdout);
		last = buffer[length - 1];
	}
	if (length < 0)
		err(1, "read");
	if (last != '\n')
		putchar('\n');
}

/* ---- streams ---- */

static void listen_for_one(char **words)
{
	int fd = accept_one(listen_at(words[0]));

	send_text(fd, words[1], 0);
	shutdown(fd, SHUT_WR);
	print_all(fd);
}

static void connect_as_one(char **words)
{
	int fd = connect_to(words[0], SOCK_STREAM);

	send_text(fd, words[1], 0);
	shutdown(fd, SHUT_WR);
	print_all(fd);
}

static void echo(char **words)
{
	int listener = listen_at(words[0]);
	char buffer[4096];

	for (int left = atoi(words[1]); left > 0; left--) {
		int fd = accept_one(listener);

		ssize_t length = read(fd, buffer, sizeof(buffer));

		if (length <= 0 || write(fd, buffer, (size_t)length) != length)
			err(1, "a line");
		close(fd);
	}
}

/* ---- datagrams ---- */

static void answer(char **words)
{
	union address client;
	socklen_t client_length = sizeof(client);
	char buffer[4096];
	int fd = bind_at(words[0], SOCK_DGRAM);

	printf("listening\n");
	for (int i = 0; i <= atoi(words[1]); i++) {
		client_length = sizeof(client);
		if (recvfrom(fd, buffer, sizeof(buffer), 0, &client.any, &client_length) < 0)
			err(1, "recvfrom");
	}
	if (sendto(fd, words[2], strlen(words[2]), 0, &client.any, client_length) < 0)
		err(1, "sendto");
}

static void ask(char **words)
{
	char buffer[4096];
	int fd = connect_to(words[0], SOCK_DGRAM);

	send_text(fd, "?", 0);
	ssize_t length = recv(fd, buffer, sizeof(buffer), 0);
	if (length < 0)
		err(1, "recv");
	fwrite(buffer, 1, (size_t)length, stdout);
}

/* ---- urgent data ---- */

static void urgent_listen(char **words)
{
	int on = 1, fd = accept_one(listen_at(words[0]));

	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) != 0)
		err(1, "SO_OOBINLINE");
	send_text(fd, "ready\n", 0);
	print_all(fd);
}

static void urgent_connect(char **words)
{
	char line[16];
	int fd = connect_to(words[0], SOCK_STREAM);

	if (recv(fd, line, sizeof(line), 0) != 6)
		errx(1, "the server is not ready");
	send_text(fd, "12345", 0);
	send_text(fd, "u", MSG_OOB);
	send_text(fd, "the rest", 0);
	shutdown(fd, SHUT_WR);
	print_all(fd);
}

/* ---- descriptors ---- */

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

static void give(char **words)
{
	int file = open(words[1], O_RDONLY | O_CLOEXEC);
	struct iovec data = {.iov_base = (char[]){'x'}, .iov_len = 1};
	union control control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	if (file < 0)
		err(1, "%s", words[1]);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &file, sizeof(int));
	if (sendmsg(connect_to(words[0], SOCK_STREAM), &message, 0) != 1)
		err(1, "sendmsg");
}

static void take(char **words)
{
	char byte;
	int file, sender = accept_one(listen_at(words[0]));
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union control control;
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	if (recvmsg(sender, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL)
		errx(1, "no descriptor came");
	memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	print_all(file);
}

/* ---- names ---- */

static void lookup(char **words)
{
	struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM}, *answers;
	int code = getaddrinfo(words[0], NULL, &hints, &answers);

	if (code != 0)
		errx(1, "%s: %s", words[0], gai_strerror(code));
	printf("canonical name %s\n", answers->ai_canonname);
	for (struct addrinfo *answer = answers; answer != NULL; answer = answer->ai_next) {
		char address[NI_MAXHOST], name[NI_MAXHOST];

		if (getnameinfo(answer->ai_addr, answer->ai_addrlen, address, sizeof(address), NULL,
			    0, NI_NUMERICHOST) != 0)
			errx(1, "%s: an address", words[0]);
		code = getnameinfo(answer->ai_addr, answer->ai_addrlen, name, sizeof(name), NULL, 0,
			NI_NAMEREQD);
		printf("flags %s family %s type %s protocol %d address %s name %s\n",
			answer->ai_flags == AI_CANONNAME ? "AI_CANONNAME" : "?",
			answer->ai_family == AF_INET6 ? "AF_INET6" : "AF_INET",
			answer->ai_socktype == SOCK_STREAM ? "SOCK_STREAM" : "?",
			answer->ai_protocol, address, code == 0 ? name : gai_strerror(code));
	}
	freeaddrinfo(answers);
}

/* ---- the command line ---- */

static const struct {
	const char *name;
	int words;
	void (*run)(char **words);
} modes[] = {
	{"listen", 2, listen_for_one},
	{"connect", 2, connect_as_one},
	{"echo", 2, echo},
	{"answer", 3, answer},
	{"ask", 1, ask},
	{"urgent-listen", 1, urgent_listen},
	{"urgent-connect", 1, urgent_connect},
	{"give", 2, give},
	{"take", 1, take},
	{"lookup", 1, lookup},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]) && argc > 1; i++) {
		if (strcmp(argv[1], modes[i].name) != 0 || argc != 2 + modes[i].words)
			continue;
		modes[i].run(argv + 2);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	errx(64, "no such mode, or not with so many words: see the head of plain.c");
}

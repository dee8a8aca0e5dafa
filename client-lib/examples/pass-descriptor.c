/* SPDX-License-Identifier: MIT */
/*
 * Passing on what the broker opened. Whoever has a descriptor can give it to others, who then read
 * the file without asking anybody: to a child over a socketpair, or to an unrelated process, of
 * another user perhaps, over a connection.
 *
 *	example-pass-descriptor pair FILE		opens FILE; a child prints it
 *	example-pass-descriptor send SOCKET FILE	opens FILE for who listens at SOCKET
 *	example-pass-descriptor receive SOCKET		listens at SOCKET, prints what comes
 *
 *	cc -D_GNU_SOURCE pass-descriptor.c descriptor.c -o example-pass-descriptor \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow read /etc/classics/secret		(pair, send)
 *		allow bind unix:/run/classics/pass.sock mode 0666	(receive)
 */
#include "descriptor.h"

#include <fdbroker.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fdbroker *connect_to_broker(void)
{
	struct fdbroker *broker = fdbroker_new(NULL);

	if (broker == NULL)
		err(1, "cannot connect to the broker");
	return broker;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		errx(64, "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	return address;
}

static int open_by_broker(struct fdbroker *broker, const char *file)
{
	int fd = fdbroker_open(broker, file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s (%s)", file, fdbroker_strreason(fdbroker_last_reason()));
	return fd;
}

/* Receives one descriptor and prints what can be read from it. */
static int print_received(int socket)
{
	char buffer[4096];
	ssize_t length;
	int fd;

	if (!receive_descriptor(socket, &fd) || fd < 0)
		errx(1, "no descriptor came");
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)length, stdout);
	if (length < 0)
		err(1, "what was received");
	close(fd);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* The child has no connection to the broker: it is forked before there is one. */
static int pass_to_child(const char *file)
{
	int pair[2], status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		err(1, "socketpair");
	pid_t child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		close(pair[0]);
		if (fdbroker_sandbox(0) != 0)
			err(1, "fdbroker_sandbox");
		_exit(print_received(pair[1]));
	}
	close(pair[1]);
	struct fdbroker *broker = connect_to_broker();
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");
	send_descriptor(pair[0], open_by_broker(broker, file));
	fdbroker_free(broker);
	if (waitpid(child, &status, 0) < 0)
		err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Connecting to Unix-domain sockets is not the broker's business: see unix-client.c. */
static int send_to(const char *path, const char *file)
{
	struct sockaddr_un address = address_of(path);
	int receiver = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (receiver < 0 || connect(receiver, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "%s", path);
	struct fdbroker *broker = connect_to_broker();
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");
	send_descriptor(receiver, open_by_broker(broker, file));
	fdbroker_free(broker);
	return 0;
}

static int receive_at(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0)
		err(1, "socket");
	struct fdbroker *broker = connect_to_broker();
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");
	if (fdbroker_bind(broker, listener, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "unix:%s (%s)", path, fdbroker_strreason(fdbroker_last_reason()));
	fdbroker_free(broker);
	if (listen(listener, 1) != 0)
		err(1, "listen");
	int sender = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (sender < 0)
		err(1, "accept");
	return print_received(sender);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "pair") == 0)
		return pass_to_child(argv[2]);
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return send_to(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "receive") == 0)
		return receive_at(argv[2]);
	fprintf(stderr, "usage: %s pair FILE | send SOCKET FILE | receive SOCKET\n", argv[0]);
	return 64;
}

/* SPDX-License-Identifier: MIT */
/*
 * A conversation over a Unix-domain socket, the server's side: says who has connected, and then
 * what comes from the client is printed, and what is typed goes to the client.
 *
 * The socket's name lies in a folder where only root may create anything. The broker binds it
 * there, with the owner and mode of the rule, in place of one that nobody listens on any more. But
 * the socket is this program's own, made before the sandbox, and it calls listen(2) itself: that
 * call records whom clients see by SO_PEERCRED, unix(7), and that should be this program's user.
 *
 *	example-unix-server PATH
 *
 *	cc -D_GNU_SOURCE unix-server.c stream.c -o example-unix-server \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow bind unix:/run/classics/chat.sock mode 0666
 */
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void bind_to(struct fdbroker *broker, int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		errx(64, "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fdbroker_bind(broker, fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "unix:%s (%s)", path, fdbroker_strreason(fdbroker_last_reason()));
}

static void print_who_connected(int fd)
{
	struct ucred who;
	socklen_t length = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
		err(1, "SO_PEERCRED");
	printf("connected: uid %u\n", who.uid);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(64, "usage: %s PATH", argv[0]);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		err(1, "socket");
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	bind_to(broker, listener, argv[1]);
	fdbroker_free(broker);
	if (listen(listener, 1) != 0)
		err(1, "listen");
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		err(1, "accept");
	print_who_connected(client);
	converse(client);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A conversation over a Unix-domain socket, the client's side: says whose server it is, and then
 * what is typed goes to the server, and what comes from it is printed.
 *
 * The broker has no part in this. Connecting to Unix-domain sockets is nothing that it does for
 * others: the server would see the broker's credentials by SO_PEERCRED, unix(7), not the client's,
 * and trust it for what it is not. So the client connects by itself, and enters the sandbox then.
 *
 *	example-unix-client PATH
 *
 *	cc -D_GNU_SOURCE unix-client.c stream.c -o example-unix-client \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	none is needed; the mode of the socket says who may connect
 */
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(64, "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "%s", path);
	return fd;
}

int main(int argc, char **argv)
{
	struct ucred who;
	socklen_t length = sizeof(who);

	if (argc != 2)
		errx(64, "usage: %s PATH", argv[0]);
	int server = connect_to(argv[1]);
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	if (getsockopt(server, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
		err(1, "SO_PEERCRED");
	printf("server: uid %u\n", who.uid);
	fflush(stdout);
	converse(server);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A server for one client: receives a string over TCP, prints it and answers "OK". The port may be
 * one below 1024, which is root's to bind: the broker makes the socket.
 *
 *	example-oneshot-server ENDPOINT		such as tcp:810 or tcp:127.0.0.1:810
 *
 *	cc -D_GNU_SOURCE oneshot-server.c stream.c -o example-oneshot-server \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow bind tcp:810
 */
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char text[4096];

	if (argc != 2)
		errx(64, "usage: %s ENDPOINT", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int listener = fdbroker_listen(broker, argv[1], 1);
	if (listener < 0)
		err(1, "%s (%s)", argv[1], fdbroker_strreason(fdbroker_last_reason()));
	fdbroker_free(broker); /* nothing more is wanted of it */

	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		err(1, "accept");
	if (receive_all(client, text, sizeof(text)) < 0)
		err(1, "recv");
	printf("%s\n", text);
	if (send_all(client, "OK", 2) != 0)
		err(1, "send");
	close(client);
	return fflush(stdout) == 0 ? 0 : 1;
}

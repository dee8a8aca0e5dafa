/* SPDX-License-Identifier: MIT */
/*
 * Sends a string over TCP and prints the answer. Its status is 0 only if the answer is "OK".
 *
 *	example-oneshot-client ENDPOINT TEXT	such as tcp:127.0.0.1:810 or tcp:localhost:810
 *
 *	cc oneshot-client.c stream.c -o example-oneshot-client \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow connect tcp:127.0.0.1:810
 */
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char answer[64];

	if (argc != 3)
		errx(64, "usage: %s ENDPOINT TEXT", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int server = fdbroker_dial(broker, argv[1]);
	if (server < 0)
		err(1, "%s (%s)", argv[1], fdbroker_strreason(fdbroker_last_reason()));
	if (send_all(server, argv[2], strlen(argv[2])) != 0)
		err(1, "send");
	shutdown(server, SHUT_WR); /* that was all: the server reads to the end */
	if (receive_all(server, answer, sizeof(answer)) < 0)
		err(1, "recv");
	printf("%s\n", answer);
	close(server);
	fdbroker_free(broker);
	return strcmp(answer, "OK") == 0 ? 0 : 1;
}

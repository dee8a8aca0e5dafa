/* SPDX-License-Identifier: MIT */
/*
 * Greets a server that is found by the names of its host and its service, and prints what the
 * server answers. The broker resolves both names and tries every address of the host.
 *
 *	example-greet-client HOST SERVICE
 *
 *	cc greet-client.c service.c stream.c -o example-greet-client \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow connect tcp:classics.example:811
 * For a name that leads to this very machine, its address must be granted too:
 *		allow connect tcp:localhost:811 tcp:127.0.0.0/8:811 tcp:[::1]:811
 */
#include "service.h"
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char greeting[] = "Hello, server\n";

	if (argc != 3)
		errx(64, "usage: %s HOST SERVICE", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int server = dial_service(broker, argv[1], argv[2], SOCK_STREAM);
	if (server < 0)
		err(1, "%s %s (%s)", argv[1], argv[2], fdbroker_strreason(fdbroker_last_reason()));
	if (send_all(server, greeting, strlen(greeting)) != 0)
		err(1, "send");
	print_all(server);
	close(server);
	fdbroker_free(broker);
	return 0;
}

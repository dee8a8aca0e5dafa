/* SPDX-License-Identifier: MIT */
/*
 * Greets whoever connects: reads a line, prints it with the name of the client's host, and answers
 * with a line of its own. The port is that of a service, by name; one client after the other.
 *
 *	example-greet-server SERVICE
 *
 *	cc -D_GNU_SOURCE greet-server.c service.c stream.c -o example-greet-server \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow bind tcp:811			the port of SERVICE in /etc/services
 *		allow resolve host:*
 */
#include "service.h"
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that breaks off is no reason to stop: the next one waits. */
static void greet(struct fdbroker *broker, int client, const struct sockaddr *address,
	socklen_t address_length)
{
	char name[PEER_NAME_SIZE], line[256], answer[PEER_NAME_SIZE + 16];

	name_peer(broker, address, address_length, name);
	if (receive_line(client, line, sizeof(line)) < 0) {
		warn("%s", name);
		return;
	}
	printf("%s: %s\n", name, line);
	int length = snprintf(answer, sizeof(answer), "Hello, %s\n", name);
	if (send_all(client, answer, (size_t)length) != 0)
		warn("%s", name);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2)
		errx(64, "usage: %s SERVICE", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int listener = listen_for_service(broker, argv[1], SOCK_STREAM);
	printf("listening\n");
	for (;;) {
		struct sockaddr_storage address;
		socklen_t length = sizeof(address);
		int client = accept4(listener, (struct sockaddr *)&address, &length, SOCK_CLOEXEC);

		if (client < 0) {
			/* Out of descriptors: it would fail again at once, and for ever. */
			warn("accept");
			sleep(1);
			continue;
		}
		greet(broker, client, (struct sockaddr *)&address, length);
		close(client);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Sends the output of uptime(1) to whoever connects over TCP. There are two ways, and this program
 * has both: to copy it, or to hand the connection to uptime as its standard output.
 *
 *	example-ruptimed copy|handover SERVICE
 *
 *	cc -D_GNU_SOURCE ruptimed.c descriptor.c service.c stream.c uptime.c \
 *		-o example-ruptimed $(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow bind tcp:812			the port of SERVICE in /etc/services
 *		allow resolve host:*
 */
#include "service.h"
#include "stream.h"
#include "uptime.h"

#include <fdbroker.h>

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that breaks off is no reason to stop: the next one waits. */
static void copy_uptime(int helper, int client)
{
	char text[UPTIME_SIZE];

	if (send_all(client, text, ask_for_uptime(helper, text)) != 0)
		warn("send");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3 || (strcmp(argv[1], "copy") != 0 && strcmp(argv[1], "handover") != 0))
		errx(64, "usage: %s copy|handover SERVICE", argv[0]);
	bool copies = strcmp(argv[1], "copy") == 0;
	int helper = start_uptime_helper();
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int listener = listen_for_service(broker, argv[2], SOCK_STREAM);
	fdbroker_free(broker);
	printf("listening\n");
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0) {
			/* Out of descriptors: it would fail again at once, and for ever. */
			warn("accept");
			sleep(1);
			continue;
		}
		if (copies)
			copy_uptime(helper, client);
		else
			hand_over_to_uptime(helper, client);
		close(client);
	}
}

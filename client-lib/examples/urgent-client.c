/* SPDX-License-Identifier: MIT */
/*
 * Urgent data, the sender's side: waits until the server is ready, and sends a few words, then a
 * "!" that is urgent (MSG_OOB, send(2)), then another word.
 *
 *	example-urgent-client ENDPOINT		such as tcp:127.0.0.1:814
 *
 *	cc urgent-client.c stream.c -o example-urgent-client \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow connect tcp:127.0.0.1:814
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
	static const char before[] = "of no importance", after[] = "afterwards";
	char line[16];

	if (argc != 2)
		errx(64, "usage: %s ENDPOINT", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int server = fdbroker_dial(broker, argv[1]);
	if (server < 0)
		err(1, "%s (%s)", argv[1], fdbroker_strreason(fdbroker_last_reason()));
	if (receive_line(server, line, sizeof(line)) < 0 || strcmp(line, "ready") != 0)
		errx(1, "the server is not ready");
	if (send_all(server, before, strlen(before)) != 0 ||
		send(server, "!", 1, MSG_OOB | MSG_NOSIGNAL) != 1 ||
		send_all(server, after, strlen(after)) != 0)
		err(1, "send");
	shutdown(server, SHUT_WR);
	/* Closed only when the server has read it all: a close with unread data resets. */
	print_all(server);
	close(server);
	fdbroker_free(broker);
	return 0;
}

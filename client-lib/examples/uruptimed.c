/* SPDX-License-Identifier: MIT */
/*
 * Sends the output of uptime(1) to whoever asks with a datagram, whatever is in it.
 *
 * An answer larger than the question can be used to flood others, for the sender of a datagram may
 * be forged: a server like this is for a network that one trusts.
 *
 *	example-uruptimed SERVICE
 *
 *	cc uruptimed.c descriptor.c service.c uptime.c -o example-uruptimed \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow bind udp:812			the port of SERVICE in /etc/services
 *		allow resolve host:*
 */
#include "service.h"
#include "uptime.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <sys/socket.h>

static void answer_one(int fd, int helper)
{
	char question[64], text[UPTIME_SIZE];
	struct sockaddr_storage client;
	socklen_t client_length = sizeof(client);

	if (recvfrom(fd, question, sizeof(question), 0, (struct sockaddr *)&client,
		    &client_length) < 0)
		err(1, "recvfrom");
	size_t length = ask_for_uptime(helper, text);
	/* A client that cannot be reached is its own affair. */
	if (sendto(fd, text, length, 0, (struct sockaddr *)&client, client_length) < 0)
		warn("sendto");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2)
		errx(64, "usage: %s SERVICE", argv[0]);
	int helper = start_uptime_helper();
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	int fd = listen_for_service(broker, argv[1], SOCK_DGRAM);
	fdbroker_free(broker);
	printf("listening\n");
	for (;;)
		answer_one(fd, helper);
}

/* SPDX-License-Identifier: MIT */
/*
 * Prints how long another machine has been up: whatever its server sends over TCP.
 *
 *	example-ruptime HOST SERVICE
 *
 *	cc ruptime.c service.c stream.c -o example-ruptime \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow connect tcp:classics.example:812
 */
#include "service.h"
#include "stream.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
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
	print_all(server);
	close(server);
	fdbroker_free(broker);
	return 0;
}

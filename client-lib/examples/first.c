/* SPDX-License-Identifier: MIT */
/*
 * A first program: prints a file that its user may not open, if the broker's policy allows it.
 */
#include <fdbroker.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char buffer[4096];
	ssize_t length;

	if (argc != 2)
		errx(64, "usage: %s PATH", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "the broker's socket ($FDBROKER_SOCKET or /run/fdbroker/broker.sock)");
	int fd = fdbroker_open(broker, argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s (%s)", argv[1], fdbroker_strreason(fdbroker_last_reason()));

	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)length, stdout);
	if (length < 0)
		err(1, "%s", argv[1]);
	close(fd);
	fdbroker_free(broker);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * Races the broker: swapper A B COUNT FILE exchanges two names (renameat2(2), RENAME_EXCHANGE: at
 * every moment both exist) at least COUNT times, then creates FILE, and goes on until that is
 * removed again. Prints how often it swapped. COUNT is even at the end, so A is A again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int swap(const char *one, const char *other)
{
	if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0)
		return 0;
	fprintf(stderr, "swapper: %s and %s: %s\n", one, other, strerror(errno));
	return -1;
}

int main(int argc, char **argv)
{
	unsigned long count = 0, wanted;
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: swapper A B COUNT FILE\n");
		return 64;
	}
	wanted = strtoul(argv[3], NULL, 10);
	for (;;) {
		if (swap(argv[1], argv[2]) != 0 || swap(argv[1], argv[2]) != 0)
			return 1;
		count += 2;
		if (count == wanted || count == wanted + 1) {
			fd = open(argv[4], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
			if (fd < 0) {
				fprintf(stderr, "swapper: %s: %s\n", argv[4], strerror(errno));
				return 1;
			}
			close(fd);
		}
		if (count > wanted && count % 1024 == 0 && access(argv[4], F_OK) != 0)
			break;
	}
	printf("%lu\n", count);
	return 0;
}

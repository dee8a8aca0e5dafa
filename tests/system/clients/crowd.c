/* SPDX-License-Identifier: MIT */
/*
 * Opens files from many threads at once: crowd THREADS TIMES FILE... Each thread opens the files by
 * turns, TIMES in all, and the content of each must be its own path. Prints what went wrong, and how
 * many opens were as they should be.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64

static char **files;
static unsigned int file_count;
static unsigned long times;
static atomic_ulong right;

static void open_one(const char *path)
{
	char text[256] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		warn("%s", path);
		return;
	}
	if (read(fd, text, sizeof(text) - 1) < 0)
		warn("%s: read", path);
	else if (strcmp(text, path) != 0)
		warnx("%s: has the content '%s'", path, text);
	else
		right++;
	close(fd);
}

static void *open_all(void *first)
{
	for (uintptr_t i = 0; i < times; i++)
		open_one(files[((uintptr_t)first + i) % file_count]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	uintptr_t count;

	if (argc < 4 || atoi(argv[1]) < 1 || atoi(argv[1]) > THREADS_MAX)
		errx(64, "usage: crowd THREADS TIMES FILE...");
	count = (uintptr_t)atoi(argv[1]);
	times = strtoul(argv[2], NULL, 10);
	files = argv + 3;
	file_count = (unsigned int)argc - 3;
	for (uintptr_t i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, open_all, (void *)i) != 0)
			errx(1, "pthread_create");
	}
	for (uintptr_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%lu\n", (unsigned long)right);
	return right == count * times ? 0 : 1;
}

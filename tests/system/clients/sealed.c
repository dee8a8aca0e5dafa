/* SPDX-License-Identifier: MIT */
/*
 * What a program has in hand that was given names, or a copy: sealed list|copy PATH gets it and
 * tries everything with it, and prints what came of each in one line:
 *
 *	bytes=N names=N seals=... offset=N mode=... write=ERRNO grow=... shrink=... punch=...
 *	map=... seal=... again=ok
 *
 * names counts NUL bytes. again: the same bytes by way of /proc/self/fd/N. Or an errno and a number,
 * the reason. sealed run PATH gets a copy of a program, and runs it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdbroker.h"

static struct fdbroker *broker;

static void print_errno(const char *what, int result)
{
	printf(" %s=%s", what, result < 0 ? strerrorname_np(errno) : "ok");
}

static void print_seals(int fd)
{
	static const struct {
		const char *name;
		int bit;
	} seals[] = {{"seal", F_SEAL_SEAL}, {"shrink", F_SEAL_SHRINK}, {"grow", F_SEAL_GROW},
		{"write", F_SEAL_WRITE}};
	int set = fcntl(fd, F_GET_SEALS);
	const char *comma = "";

	printf(" seals=");
	for (size_t i = 0; set >= 0 && i < sizeof(seals) / sizeof(seals[0]); i++) {
		if ((set & seals[i].bit) != 0) {
			printf("%s%s", comma, seals[i].name);
			comma = ",";
		}
	}
}

static size_t count_names(const char *bytes, size_t length)
{
	size_t names = 0;

	for (size_t i = 0; i < length; i++)
		names += bytes[i] == '\0';
	return names;
}

static char *read_whole(int fd, size_t length)
{
	char *bytes = malloc(length + 1);
	size_t at = 0;
	ssize_t n;

	if (bytes == NULL)
		err(1, "malloc");
	while ((n = pread(fd, bytes + at, length + 1 - at, (off_t)at)) > 0)
		at += (size_t)n;
	if (n < 0 || at != length)
		errx(1, "%zu bytes of %zu", at, length);
	return bytes;
}

/* What insists on a path finds the same there. */
static void print_again(int fd, const char *bytes, size_t length)
{
	char path[32], *again;
	int other;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDONLY | O_CLOEXEC);
	if (other < 0) {
		print_errno("again", other);
		return;
	}
	again = read_whole(other, length);
	printf(" again=%s", memcmp(bytes, again, length) == 0 ? "ok" : "different");
	free(again);
	close(other);
}

static void print_map(int fd)
{
	void *map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	print_errno("map", map == MAP_FAILED ? -1 : 0);
	map = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		print_errno("map-to-read", -1);
	else
		print_errno("protect", mprotect(map, 1, PROT_READ | PROT_WRITE));
}

static void inspect(int fd)
{
	struct stat status;
	char *bytes;

	if (fstat(fd, &status) < 0)
		err(1, "fstat");
	bytes = read_whole(fd, (size_t)status.st_size);
	printf("bytes=%jd names=%zu", (intmax_t)status.st_size,
		count_names(bytes, (size_t)status.st_size));
	print_seals(fd);
	printf(" offset=%jd", (intmax_t)lseek(fd, 0, SEEK_CUR));
	print_errno("write", (int)write(fd, "x", 1));
	print_errno("grow", ftruncate(fd, status.st_size + 1));
	print_errno("shrink", ftruncate(fd, 0));
	print_errno("punch",
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, status.st_size));
	print_map(fd);
	print_errno("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	print_again(fd, bytes, (size_t)status.st_size);
	printf("\n");
	free(bytes);
}

/* execve(2) of a path, as what insists on one does. */
static void run(int fd)
{
	char path[32];
	char *words[] = {path, "it", "runs", NULL};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fcntl(fd, F_SETFD, 0);
	execv(path, words);
	printf("%s\n", strerrorname_np(errno));
}

int main(int argc, char **argv)
{
	bool is_list = argc == 3 && strcmp(argv[1], "list") == 0;
	bool is_grants = argc == 3 && strcmp(argv[1], "grants") == 0;
	int fd;

	if (argc != 3)
		errx(64, "usage: sealed list|copy|grants|run PATH");
	broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "no broker");
	if (is_grants)
		fd = fdbroker_grants(broker);
	else
		fd = is_list ? fdbroker_list(broker, argv[2])
			     : fdbroker_open(broker, argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		printf("%s %d\n", strerrorname_np(errno), fdbroker_last_reason());
	else if (strcmp(argv[1], "run") == 0)
		run(fd);
	else
		inspect(fd);
	return 0;
}

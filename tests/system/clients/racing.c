/* SPDX-License-Identifier: MIT */
/*
 * Changes the arguments of a system call while it is made: another thread swaps what is granted with
 * what is not, without a pause, while this one calls again and again.
 *
 *	racing path GRANTED OTHER TRIES    the bytes of the path of an open
 *	racing folder GRANTED OTHER TRIES  the number of the folder's descriptor: opens "file" below it
 *	racing flags GRANTED TRIES         the flags in the struct of openat2(2): O_RDONLY is granted,
 *	                                   O_RDWR is not
 *	racing port GRANTED OTHER TRIES    the port in the address of a bind
 *	racing socket PORT TRIES           the number of the socket: TCP is granted, UDP is not
 *
 * GRANTED and OTHER, two paths, are of the same length and differ in one byte, as do the ports, so
 * that no third name comes about; the content of a file that is granted is "granted". Prints how
 * often what is granted was got and how often nothing was, and ends with 1 at once if anything else
 * is got.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBER 100 /* the descriptor that is now one thing and now the other */

static volatile bool done;
static unsigned long got, refused;

/* What the other thread does: a byte that is now one and now the other ... */
static volatile unsigned char *byte;
static unsigned char byte_one, byte_other;
/* ... or a descriptor. */
static volatile int fd_one, fd_other;

static void *swap_bytes(void *unused)
{
	while (!done) {
		*byte = byte_other;
		*byte = byte_one;
	}
	return unused;
}

static void *swap_descriptors(void *unused)
{
	while (!done) {
		dup2(fd_other, NUMBER);
		dup2(fd_one, NUMBER);
	}
	return unused;
}

static void begin(pthread_t *thread, void *(*swap)(void *))
{
	if (pthread_create(thread, NULL, swap, NULL) != 0)
		errx(1, "pthread_create");
}

static void end(pthread_t thread)
{
	done = true;
	pthread_join(thread, NULL);
	printf("got=%lu refused=%lu\n", got, refused);
}

/* Takes the descriptor over. */
static void judge_content(int fd)
{
	char text[64] = {0};

	if (fd < 0) {
		if (errno != EACCES)
			err(1, "open");
		refused++;
		return;
	}
	if (read(fd, text, sizeof(text) - 1) < 0)
		err(1, "read");
	if (strcmp(text, "granted") != 0)
		errx(1, "after %lu tries it has got '%s'", got + refused, text);
	got++;
	close(fd);
}

/* ---- opens ---- */

static void race_path(char **words)
{
	static char path[256];
	size_t at = 0;
	pthread_t thread;

	snprintf(path, sizeof(path), "%s", words[0]);
	while (words[0][at] != '\0' && words[0][at] == words[1][at])
		at++;
	byte = (volatile unsigned char *)&path[at];
	byte_one = (unsigned char)words[0][at];
	byte_other = (unsigned char)words[1][at];
	begin(&thread, swap_bytes);
	for (unsigned long left = strtoul(words[2], NULL, 10); left > 0; left--)
		judge_content((int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
	end(thread);
}

static void race_folder(char **words)
{
	pthread_t thread;

	fd_one = open(words[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_other = open(words[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd_one < 0 || fd_other < 0 || dup2(fd_one, NUMBER) < 0)
		err(1, "the folders");
	begin(&thread, swap_descriptors);
	for (unsigned long left = strtoul(words[2], NULL, 10); left > 0; left--)
		judge_content(openat(NUMBER, "file", O_RDONLY | O_CLOEXEC));
	end(thread);
}

static void race_flags(char **words)
{
	static struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	pthread_t thread;

	/* The lowest byte, in which the access mode lies; on a big-endian machine the last one. */
	byte = (volatile unsigned char *)&how.flags + (ntohs(1) == 1 ? sizeof(how.flags) - 1 : 0);
	byte_one = O_RDONLY;
	byte_other = O_RDWR;
	begin(&thread, swap_bytes);
	for (unsigned long left = strtoul(words[1], NULL, 10); left > 0; left--) {
		int fd = (int)syscall(SYS_openat2, AT_FDCWD, words[0], &how, sizeof(how));

		if (fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			errx(1, "after %lu tries it may write", got + refused);
		judge_content(fd);
	}
	end(thread);
}

/* ---- binds ---- */

static in_port_t port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		err(1, "getsockname");
	return ntohs(address.sin_port);
}

static void judge_bind(int result)
{
	if (result < 0 && errno != EACCES)
		err(1, "bind");
	if (result < 0)
		refused++;
	else
		got++;
}

static void race_port(char **words)
{
	static struct sockaddr_in address = {.sin_family = AF_INET};
	const in_port_t granted = (in_port_t)atoi(words[0]);
	pthread_t thread;

	address.sin_port = htons(granted);
	byte = (volatile unsigned char *)&address.sin_port + 1;
	byte_one = (unsigned char)granted;
	byte_other = (unsigned char)atoi(words[1]);
	begin(&thread, swap_bytes);
	for (unsigned long left = strtoul(words[2], NULL, 10); left > 0; left--) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		in_port_t port;

		judge_bind(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
		port = port_of(fd);
		if (port != 0 && port != granted)
			errx(1, "after %lu tries it has port %u", got + refused, port);
		close(fd);
	}
	end(thread);
}

/* The UDP socket is kept; of TCP there is a fresh one for each try, under the number of the last. */
static void race_socket(char **words)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((in_port_t)atoi(words[0]))};
	pthread_t thread;

	fd_one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd_other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (dup2(fd_one, NUMBER) < 0)
		err(1, "dup2");
	begin(&thread, swap_descriptors);
	for (unsigned long left = strtoul(words[1], NULL, 10); left > 0; left--) {
		const int tcp = fd_one;
		int result = bind(NUMBER, (const struct sockaddr *)&address, sizeof(address));

		if (port_of(fd_other) != 0)
			errx(1, "after %lu tries the other socket is bound", got + refused);
		/* The one of the try before, which the number still stood for. */
		if (result < 0 && (errno == EINVAL || errno == EADDRINUSE))
			errno = EACCES;
		judge_bind(result);
		if (port_of(tcp) == 0)
			continue;
		fd_one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		close(tcp);
	}
	end(thread);
}

/* ---- the command line ---- */

static const struct {
	const char *name;
	int words;
	void (*run)(char **words);
} races[] = {
	{"path", 3, race_path},
	{"folder", 3, race_folder},
	{"flags", 2, race_flags},
	{"port", 3, race_port},
	{"socket", 2, race_socket},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(races) / sizeof(races[0]) && argc > 1; i++) {
		if (strcmp(argv[1], races[i].name) != 0 || argc != 2 + races[i].words)
			continue;
		races[i].run(argv + 2);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	errx(64, "no such race, or not with so many words: see the head of racing.c");
}

/* SPDX-License-Identifier: MIT */
/*
 * Enters the sandbox that the examples are in, tries what it forbids, and prints what became of each.
 *
 *	confined full|helper|none
 *
 * "none" is the proof that it is the sandbox that forbids: the arguments of the calls are such that
 * for root each of them then succeeds, or fails in another way than by EPERM.
 */
#include <fdbroker.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void report(const char *what, long result)
{
	if (result < 0)
		printf("%s: %s\n", what, errno == EPERM ? "EPERM" : strerror(errno));
	else
		printf("%s: done\n", what);
}

static void try_the_network(int made_before)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/confined"};
	struct sockaddr *any = (struct sockaddr *)&address;
	int pair[2];

	report("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	report("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	report("bind", bind(made_before, any, sizeof(address)));
	report("connect", connect(made_before, any, sizeof(address)));
	report("sendto that connects",
		sendto(made_before, "x", 1, MSG_FASTOPEN, any, sizeof(address)));
	report("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
}

static void try_files(void)
{
	struct open_how how = {.flags = O_RDONLY};
	char *const words[] = {(char[]){"nothing"}, NULL};

	report("open", syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0));
	report("openat2", syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how)));
	report("creat", creat("/tmp/confined", 0600));
	report("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
	report("execve", execve("/nonexistent", words, NULL));
}

int main(int argc, char **argv)
{
	int made_before = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 2)
		errx(64, "usage: %s full|helper|none", argv[0]);
	if (strcmp(argv[1], "full") == 0 && fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");
	if (strcmp(argv[1], "helper") == 0 && fdbroker_sandbox(FDBROKER_SANDBOX_PROGRAMS) != 0)
		err(1, "fdbroker_sandbox");
	try_the_network(made_before);
	try_files();
	return fflush(stdout) == 0 ? 0 : 1;
}

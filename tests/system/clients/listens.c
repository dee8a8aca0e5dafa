/* SPDX-License-Identifier: MIT */
/*
 * Runs a program whose system calls have a listener already, as a container manager's have: listens
 * CALL PROGRAM [ARGUMENT...]. Nobody answers, so the program must not make the call.
 */
#include <err.h>
#include <seccomp.h>
#include <stddef.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int call;

	if (argc < 3)
		errx(64, "usage: listens CALL PROGRAM [ARGUMENT...]");
	call = seccomp_syscall_resolve_name(argv[1]);
	if (call == __NR_SCMP_ERROR)
		errx(64, "%s: no such system call", argv[1]);
	if (filter == NULL || seccomp_rule_add(filter, SCMP_ACT_NOTIFY, call, 0) != 0 ||
		seccomp_load(filter) != 0)
		errx(1, "the filter");
	/* As long as it is open there is a listener. */
	if (dup(seccomp_notify_fd(filter)) < 0)
		err(1, "the listener");
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}

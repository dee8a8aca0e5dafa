/* SPDX-License-Identifier: MIT */
/*
 * Runs a program on a kernel that seems to lack a system call: without CALL PROGRAM [ARGUMENT...].
 * The call fails with ENOSYS, for the program and all that it starts.
 */
#include <err.h>
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int call;

	if (argc < 3)
		errx(64, "usage: without CALL PROGRAM [ARGUMENT...]");
	call = seccomp_syscall_resolve_name(argv[1]);
	if (call == __NR_SCMP_ERROR)
		errx(64, "%s: no such system call", argv[1]);
	if (filter == NULL || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0) != 0 ||
		seccomp_load(filter) != 0)
		errx(1, "the filter");
	seccomp_release(filter);
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}

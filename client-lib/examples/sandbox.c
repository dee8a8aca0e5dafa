/* SPDX-License-Identifier: MIT */
/*
 * The sandbox of the examples: a seccomp filter that lets everything pass but the system calls by
 * which a program gets at a file or at the network. What must never happen is that a program goes
 * on without it: every failure here ends the process.
 *
 * A program that meets hostile data wants a list of what is allowed instead of what is forbidden,
 * and Landlock beside it. This one is short enough to be read.
 */
#include "sandbox.h"

#include <err.h>
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Every way to the network. io_uring makes system calls that no filter sees: io_uring_setup(2). */
static const int networking[] = {
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(io_uring_setup),
};

static const int opening[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(creat),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
};

/* The flags of these are the argument with that number. */
static const struct {
	int system_call;
	unsigned int flags;
} sending[] = {
	{SCMP_SYS(sendto), 3},
	{SCMP_SYS(sendmsg), 2},
	{SCMP_SYS(sendmmsg), 3},
};

static void check(int error, const char *what)
{
	if (error < 0)
		errx(1, "sandbox: %s: %s", what, strerror(-error));
}

/* EPERM, so that the filter's refusals look different from the broker's EACCES. */
static void forbid(scmp_filter_ctx filter, const int *system_calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), system_calls[i], 0),
			"seccomp_rule_add");
}

/* MSG_FASTOPEN is a connect(2) in the disguise of a send(2): tcp(7). */
static void forbid_fast_open(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(sending) / sizeof(sending[0]); i++) {
		struct scmp_arg_cmp with_flag =
			SCMP_CMP(sending[i].flags, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN);

		check(seccomp_rule_add(
			      filter, SCMP_ACT_ERRNO(EPERM), sending[i].system_call, 1, with_flag),
			"seccomp_rule_add");
	}
}

static void prove_it_holds(void)
{
	if (socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != EPERM)
		errx(1, "sandbox: it does not stop socket(2)");
	if (connect(-1, NULL, 0) != -1 || errno != EPERM)
		errx(1, "sandbox: it does not stop connect(2)");
}

/* System calls of another architecture (int 0x80, x32) end the process: seccomp_init(3),
   SCMP_FLTATR_ACT_BADARCH. */
void enter_sandbox(unsigned int flags)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (filter == NULL)
		errx(1, "sandbox: seccomp_init failed");
	forbid(filter, networking, sizeof(networking) / sizeof(networking[0]));
	forbid_fast_open(filter);
	if (!(flags & SANDBOX_MAY_RUN_PROGRAMS))
		forbid(filter, opening, sizeof(opening) / sizeof(opening[0]));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		err(1, "sandbox: PR_SET_NO_NEW_PRIVS");
	check(seccomp_load(filter), "seccomp_load");
	seccomp_release(filter);
	prove_it_holds();
}

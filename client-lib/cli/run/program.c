/* SPDX-License-Identifier: MIT */
/*
 * Must never run the program with less around it than was asked for: whatever fails ends the child
 * with 125.
 */
#include "program.h"
#include "capabilities.h"
#include "cli.h"
#include "confinement.h"
#include "filter.h"
#include "sandbox-filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
	tool_fail("run", what);
	_exit(EXIT_OWN_FAILURE);
}

static _Noreturn void fail_busy(void)
{
	fprintf(stderr,
		"fdbroker: run: another process is supervising this one's system calls, such as a "
		"container manager, and a process can have but one such supervisor "
		"(seccomp_unotify(2)); run it outside of that\n");
	_exit(EXIT_OWN_FAILURE);
}

/* ---- handing the listener over: SCM_RIGHTS, unix(7) ---- */

union control {
	struct cmsghdr header; /* for the alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

static bool send_descriptor(int gate, int fd)
{
	union control control = {.bytes = ""};
	char byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(gate, &message, MSG_NOSIGNAL) == 1;
}

/* -1: none came. */
static int receive_descriptor(int gate)
{
	union control control = {.bytes = ""};
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	const struct cmsghdr *header;
	int fd;

	if (recvmsg(gate, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		header->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* ---- the child ---- */

static void hand_over(int gate, int listener)
{
	char byte;

	if (!send_descriptor(gate, listener))
		fail("handing the listener over");
	close(listener);
	/* Nobody would answer what is trapped. The supervisor has said why. */
	if (read(gate, &byte, 1) != 1)
		_exit(EXIT_OWN_FAILURE);
}

static void drop_capabilities(void)
{
	if (capabilities_drop() != 0)
		fail("dropping the capabilities");
	if (capabilities_are_none())
		return;
	fprintf(stderr, "fdbroker: run: there are capabilities left that cannot be dropped\n");
	_exit(EXIT_OWN_FAILURE);
}

static void enter_filter(bool policy_only)
{
	scmp_filter_ctx filter = sandbox_filter_for_run(policy_only);

	if (filter == NULL || sandbox_filter_enter(filter) != 0)
		fail("seccomp");
	seccomp_release(filter);
}

/* For good. */
static void confine(const struct program *program)
{
	const bool is_boundary = program->mode != RUN_OPEN;

	if (is_boundary)
		drop_capabilities();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("no_new_privs");
	if (program->confinement >= 0 && !confinement_enter(program->confinement))
		fail("Landlock");
	if (is_boundary)
		enter_filter(program->mode == RUN_POLICY_ONLY);
	if (!filter_refuse())
		fail("seccomp");
}

/* Opening is trapped from here on. */
static void submit(int gate)
{
	int listener = filter_trap();

	if (listener < 0 && errno == EBUSY)
		fail_busy();
	if (listener < 0)
		fail("seccomp");
	hand_over(gate, listener);
}

static _Noreturn void become_supervised(const struct program *program, int gate)
{
	confine(program);
	submit(gate);
	close(gate);
	if (program->ignores_children)
		signal(SIGCHLD, SIG_IGN);
	sigprocmask(SIG_SETMASK, &program->mask, NULL);
	_exit(tool_become(program->arguments));
}

int program_become(const struct program *program)
{
	confine(program);
	return tool_become(program->arguments);
}

/* ---- the supervisor's side ---- */

pid_t program_start(const struct program *program, int *listener, int *gate)
{
	int gates[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gates) != 0)
		return -1;
	child = fork();
	if (child == 0) {
		close(gates[0]);
		become_supervised(program, gates[1]);
	}
	close(gates[1]);
	*gate = gates[0];
	*listener = child > 0 ? receive_descriptor(gates[0]) : -1;
	return child;
}

void program_go(int gate)
{
	(void)send(gate, "", 1, MSG_NOSIGNAL);
	close(gate);
}

/* SPDX-License-Identifier: MIT */
/* Starting and ending roles: fork, descriptors in their places, exec of our own program. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "log.h"

#define COUNT (CHILD_DESCRIPTORS_END - CHILD_CHANNEL)

static int program = -1;

int child_prepare(void)
{
	program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return program < 0 ? -errno : 0;
}

/* Puts each descriptor in its place: first all out of the way, then down. */
static int child_arrange(const int fds[static COUNT])
{
	int parked[COUNT];

	for (int i = 0; i < COUNT; i++) {
		parked[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, CHILD_DESCRIPTORS_END);
		if (fds[i] >= 0 && parked[i] < 0)
			return -errno;
	}
	for (int i = 0; i < COUNT; i++) {
		if (parked[i] < 0)
			close(CHILD_CHANNEL + i);
		else if (dup2(parked[i], CHILD_CHANNEL + i) < 0)
			return -errno;
	}
	return 0;
}

/* The child's side of the fork; nothing but system calls. */
static _Noreturn void child_exec(enum role role, const int fds[static COUNT])
{
	char name[32];
	char *arguments[] = {name, NULL};
	char *environment[] = {NULL, NULL};
	sigset_t none;
	int own = fcntl(program, F_DUPFD_CLOEXEC, 64);

	/* Only a build with sanitizers looks at it. */
	if (FDBROKER_SANITIZED)
		environment[0] = (char *)"ASAN_OPTIONS=detect_leaks=0";
	snprintf(name, sizeof(name), "fdbrokerd-%s", role_name(role));
	sigemptyset(&none);
	/* Parked descriptors, and whatever else is open, must not reach the role. */
	if (own < 0 || child_arrange(fds) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0 ||
		syscall(SYS_close_range, CHILD_DESCRIPTORS_END, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(1);
	execveat(own, "", arguments, environment, AT_EMPTY_PATH);
	_exit(1);
}

int child_start(enum role role, const int fds[static COUNT], pid_t *pid)
{
	int pidfd;

	*pid = fork();
	if (*pid < 0)
		return -errno;
	if (*pid == 0)
		child_exec(role, fds);
	/* Nobody but us can reap it, so the pid is still its own. */
	pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
	if (pidfd < 0) {
		int error = -errno;

		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
		return error;
	}
	return pidfd;
}

void child_kill(int pidfd)
{
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

bool child_ended(int pidfd, int *status)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return false;
	*status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
					     : W_EXITCODE(0, info.si_status);
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Must never signal anybody by a number that may be another's by now.
 */
#include "watch.h"
#include "cleanup.h"
#include "supervisor.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A signal that is sent to a whole process group comes to each process within this time. */
#define GROUP_MSEC 10

void watch_tell(const struct watch *watch, int status)
{
	(void)send(watch->channel, &status, sizeof(status), MSG_NOSIGNAL);
}

/* The command stops with the program, and so cannot see that that goes on, or has ended. */
static void wake_command(const struct watch *watch)
{
	if (watch->channel >= 0)
		(void)kill(getppid(), SIGCONT);
}

static void take_status(struct watch *watch, int status)
{
	if (!WIFCONTINUED(status))
		watch_tell(watch, status);
	if (watch->is_stopped)
		wake_command(watch);
	watch->is_stopped = WIFSTOPPED(status);
	watch->has_ended = !WIFSTOPPED(status) && !WIFCONTINUED(status);
}

/* Also the program's descendants whose parent has died: they have come to this process. */
void watch_reap(struct watch *watch, int options)
{
	int status;
	pid_t child;

	while ((child = waitpid(-1, &status, options | WUNTRACED | WCONTINUED)) > 0) {
		if (child == watch->program)
			take_status(watch, status);
	}
}

static int64_t now_msec(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void take_signal(struct watch *watch)
{
	struct signalfd_siginfo signal;

	if (read(watch->signals, &signal, sizeof(signal)) != sizeof(signal))
		return;
	if (signal.ssi_signo == SIGCHLD) {
		watch_reap(watch, WNOHANG);
	} else if (signal.ssi_signo < _NSIG) {
		watch->last[signal.ssi_signo].sender = (pid_t)signal.ssi_pid;
		watch->last[signal.ssi_signo].msec = now_msec();
	}
}

static bool came_here(const struct watch *watch, const struct passed_signal *passed, int64_t now)
{
	return watch->last[passed->number].sender == passed->sender &&
	       now - watch->last[passed->number].msec <= GROUP_MSEC;
}

/* Has the program got it as well, as it was sent to the group of all three processes? */
static bool is_for_group(struct watch *watch, const struct passed_signal *passed)
{
	struct pollfd ready = {.fd = watch->signals, .events = POLLIN};
	int64_t now = now_msec();

	if (passed->sender == 0 || getpgid(watch->program) != getpgrp())
		return false;
	while (!came_here(watch, passed, now) && poll(&ready, 1, GROUP_MSEC) == 1)
		take_signal(watch);
	if (!came_here(watch, passed, now))
		return false;
	watch->last[passed->number].sender = 0;
	return true;
}

/* Until it has been waited for, the program's number is its own. */
static void pass_on(struct watch *watch, const struct passed_signal *passed)
{
	if (passed->number <= 0 || passed->number >= _NSIG || passed->sender == getpid())
		return;
	if (!is_for_group(watch, passed) && !watch->has_ended)
		(void)kill(watch->program, passed->number);
}

/* The end of the command, while the program runs, is that of the program. */
void watch_listen(struct watch *watch)
{
	struct passed_signal passed;

	if (recv(watch->channel, &passed, sizeof(passed), 0) == sizeof(passed)) {
		pass_on(watch, &passed);
		return;
	}
	cleanup_close(&watch->channel);
	watch->channel = -1;
	if (!watch->has_ended)
		(void)kill(watch->program, SIGKILL);
}

void watch_over(struct watch *watch)
{
	struct pollfd ready[3] = {{.fd = -1}};

	while ((ready[0].revents & POLLHUP) == 0) {
		ready[0] = (struct pollfd){.fd = watch->listener};
		ready[1] = (struct pollfd){.fd = watch->channel, .events = POLLIN};
		ready[2] = (struct pollfd){.fd = watch->signals, .events = POLLIN};
		if (poll(ready, 3, -1) < 0)
			continue;
		if (ready[1].revents != 0)
			watch_listen(watch);
		if (ready[2].revents != 0)
			take_signal(watch);
	}
	/* Who has hung up may not have been reaped yet. */
	if (!watch->has_ended)
		watch_reap(watch, 0);
}

int watch_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* SPDX-License-Identifier: MIT */
/*
 * Must never keep what the program should get, nor give it twice.
 */
#include "relay.h"
#include "cli.h"
#include "descriptors.h"
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* All but those that mean this process. What it does wrong itself kills it all the same: a blocked
   SIGSEGV is forced, and abort(3) unblocks its own. */
static void choose_signals(sigset_t *signals)
{
	sigfillset(signals);
	sigdelset(signals, SIGCHLD);
	sigdelset(signals, SIGPIPE);
}

/*
 * What the kernel sends to all processes of a terminal, the program gets by itself. Not so what a timer
 * sends that was set before execve(2), nor that the terminal is gone, which only the leader of the
 * session is told: setsid(2).
 */
static bool is_from_terminal(const struct signalfd_siginfo *signal)
{
	static const int sent[] = {
		SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP, SIGCONT, SIGWINCH};
	bool is_of_leader = signal->ssi_signo == SIGHUP || signal->ssi_signo == SIGCONT;

	if (signal->ssi_code != SI_KERNEL || (is_of_leader && getsid(0) == getpid()))
		return false;
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		if ((int)signal->ssi_signo == sent[i])
			return true;
	}
	return false;
}

static void pass_signal_on(int signals, int channel)
{
	struct signalfd_siginfo signal;
	struct passed_signal passed;

	if (read(signals, &signal, sizeof(signal)) != sizeof(signal) || is_from_terminal(&signal))
		return;
	passed = (struct passed_signal){(int)signal.ssi_signo, (pid_t)signal.ssi_pid};
	(void)send(channel, &passed, sizeof(passed), MSG_NOSIGNAL);
}

/* Job control: whoever waits for this process sees a stopped job, and lets its whole process group
   go on. */
static void stop_like(int status)
{
	sigset_t stopping;

	sigemptyset(&stopping);
	sigaddset(&stopping, WSTOPSIG(status));
	raise(WSTOPSIG(status));
	sigprocmask(SIG_UNBLOCK, &stopping, NULL);
	/* And here it has been let go on. */
	sigprocmask(SIG_BLOCK, &stopping, NULL);
}

/* False: it has died. */
static bool receive_status(int channel, int *status)
{
	ssize_t length;

	do
		length = recv(channel, status, sizeof(*status), 0);
	while (length < 0 && errno == EINTR);
	return length == sizeof(*status);
}

/* False: the supervisor has died. */
static bool wait_for_status(int signals, int channel, int *status)
{
	for (;;) {
		struct pollfd ready[] = {
			{.fd = channel, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

		if (poll(ready, sizeof(ready) / sizeof(ready[0]), -1) < 0)
			continue;
		if (ready[1].revents != 0)
			pass_signal_on(signals, channel);
		if (ready[0].revents == 0)
			continue;
		if (!receive_status(channel, status))
			return false;
		if (!WIFSTOPPED(*status))
			return true;
		stop_like(*status);
	}
}

/* As the program has ended: whoever waits for this process is to see the same. */
static int end_like(int status)
{
	sigset_t ending;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	/* This process is not dumpable, so there is no second core(5). */
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&ending);
	sigaddset(&ending, WTERMSIG(status));
	raise(WTERMSIG(status));
	/* No other one, which may have come meanwhile. */
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
	return 128 + WTERMSIG(status); /* process 1 of a pid namespace survives its own signals */
}

static int complain_of_death(void)
{
	fprintf(stderr,
		"fdbroker: run: the supervisor has died; what the program opens and binds from "
		"now on fails\n");
	return EXIT_OWN_FAILURE;
}

/* From here on signals are the program's. */
static int relay_until_end(int channel)
{
	const struct passed_signal go = {.number = 0};
	sigset_t passed;
	int signals, status;

	choose_signals(&passed);
	signals = signalfd(-1, &passed, SFD_CLOEXEC);
	if (signals < 0 || sigprocmask(SIG_BLOCK, &passed, NULL) != 0)
		return tool_fail("run", "signalfd");
	if (!descriptors_keep((int[]){channel, signals}, 2))
		return tool_fail("run", "close_range");
	descriptors_leave_standard(STDOUT_FILENO);
	(void)send(channel, &go, sizeof(go), MSG_NOSIGNAL);
	return wait_for_status(signals, channel, &status) ? end_like(status) : complain_of_death();
}

int relay(int channel)
{
	int status;

	if (!receive_status(channel, &status))
		return complain_of_death();
	return status == SUPERVISOR_READY ? relay_until_end(channel) : end_like(status);
}

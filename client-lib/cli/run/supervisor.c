/* SPDX-License-Identifier: MIT */
/*
 * The program is of the same user, and could do all this by itself: connect to the broker, and ask.
 * What it must not get is more: so nobody may look into this process, and what it answers with is
 * what the broker gave for what the program asked.
 *
 * Must never: hold what the program or its starter has open (they would see no end of file), write
 * to a terminal, or die of a signal that was meant for the program.
 */
#include "supervisor.h"
#include "cleanup.h"
#include "cli.h"
#include "descriptors.h"
#include "supervision.h"
#include "trapped.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beside the threads that answer there is this one, which watches over the processes. */
struct watch {
	pid_t program;
	int listener, channel, children; /* -1: no longer */
	bool has_ended;                  /* the program, not its descendants */
};

/* ---- at the start ---- */

/* Each thread may hold a socket and a file, beside its connection. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* ---- while the program runs ---- */

static void tell_status(struct watch *watch, int status)
{
	(void)send(watch->channel, &status, sizeof(status), MSG_NOSIGNAL);
	watch->has_ended = !WIFSTOPPED(status);
}

/* Also the program's descendants whose parent has died: they have come to this process. */
static void reap(struct watch *watch, int options)
{
	int status;
	pid_t child;

	while ((child = waitpid(-1, &status, options | WUNTRACED)) > 0) {
		if (child == watch->program)
			tell_status(watch, status);
	}
}

static void reap_signalled(struct watch *watch)
{
	struct signalfd_siginfo information;

	if (read(watch->children, &information, sizeof(information)) > 0)
		reap(watch, WNOHANG);
}

/* Until it has been waited for, its number is its own. */
static void pass_signal_on(struct watch *watch)
{
	int number;

	if (recv(watch->channel, &number, sizeof(number), 0) == sizeof(number)) {
		if (!watch->has_ended)
			(void)kill(watch->program, number);
		return;
	}
	/* The command is gone; the program goes on. */
	cleanup_close(&watch->channel);
	watch->channel = -1;
}

static bool is_over(const struct watch *watch, const struct pollfd *listener)
{
	return watch->listener >= 0 ? (listener->revents & POLLHUP) != 0 : watch->has_ended;
}

static void watch_over(struct watch *watch)
{
	struct pollfd ready[3] = {{.fd = -1}};

	while (!is_over(watch, &ready[0])) {
		ready[0] = (struct pollfd){.fd = watch->listener};
		ready[1] = (struct pollfd){.fd = watch->channel, .events = POLLIN};
		ready[2] = (struct pollfd){.fd = watch->children, .events = POLLIN};
		if (poll(ready, 3, -1) < 0)
			continue;
		if (ready[1].revents != 0)
			pass_signal_on(watch);
		if (ready[2].revents != 0)
			reap_signalled(watch);
	}
	/* Who has hung up may not have been reaped yet. */
	if (!watch->has_ended)
		reap(watch, 0);
}

static int watch_children(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* ---- the process ---- */

static bool fail(const char *what)
{
	tool_fail("run", what);
	return false;
}

static bool fail_with(int error, const char *what)
{
	errno = error;
	return fail(what);
}

/* Connects by itself: of whose connection it is the log of the broker tells. */
static bool prepare(struct supervision *supervision, const struct program *program)
{
	struct fdbroker *broker = tool_connect();

	if (broker == NULL)
		return false;
	supervision->mode = program->mode;
	supervision->grants = grants_new();
	connections_init(&supervision->connections, broker, tool_inherits());
	if (supervision->grants == NULL)
		return fail("the policy");
	if (!place_find_own(&supervision->place))
		return fail("/proc/self/root");
	if (grants_refresh(supervision->grants, broker) == 0)
		return true;
	tool_complain("run");
	return false;
}

static bool start_threads(struct supervision *supervision, int listener)
{
	int error = refresher_start(
		&supervision->refresher, supervision->grants, &supervision->connections);

	if (error == 0)
		error = receivers_start(listener, trapped_serve, supervision);
	return error == 0 || fail_with(error, "starting a thread");
}

/* The program has what was open; from here on this process has not. */
static bool let_go(const struct supervision *supervision, const struct watch *watch, int gate)
{
	int kept[] = {gate, watch->listener, watch->channel, watch->children,
		fdbroker_fd(supervision->connections.first)};

	if (!descriptors_keep(kept, sizeof(kept) / sizeof(kept[0])))
		return fail("close_range");
	/* From "/", or what this is on could not be unmounted. */
	if (chdir("/") != 0)
		return fail("/");
	return true;
}

static bool start(
	struct supervision *supervision, struct watch *watch, const struct program *program)
{
	int gate;

	watch->children = watch_children();
	if (watch->children < 0)
		return fail("signalfd");
	watch->program = program_start(program, &watch->listener, &gate);
	if (watch->program < 0)
		return fail("starting the program");
	if (!let_go(supervision, watch, gate) ||
		(watch->listener >= 0 && !start_threads(supervision, watch->listener)))
		return false;
	raise_descriptor_limit();
	descriptors_leave_standard(STDERR_FILENO);
	program_go(gate);
	return true;
}

/* Orphans come to this process: so it stays their ancestor, as the kernel may want it of who looks
   into a process (Yama). Of an ignored SIGCHLD there would be no status to tell, waitpid(2). */
static bool become_parent(struct program *program)
{
	struct sigaction before;
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) != 0 || sigaction(SIGCHLD, NULL, &before) != 0 ||
		signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return fail("becoming a parent");
	program->ignores_children = before.sa_handler == SIG_IGN;
	return true;
}

static _Noreturn void supervise(struct program *program, int channel)
{
	static struct supervision supervision;
	struct watch watch = {.listener = -1, .channel = channel};

	if (become_parent(program) && prepare(&supervision, program) &&
		start(&supervision, &watch, program))
		watch_over(&watch);
	else
		tell_status(&watch, W_EXITCODE(EXIT_OWN_FAILURE, 0));
	/* Closed with a signal unread, the socket would take the status back: ECONNRESET. */
	while (watch.channel >= 0)
		pass_signal_on(&watch);
	_exit(EXIT_SUCCESS);
}

bool supervisor_start(struct program *program, int *channel)
{
	int channels[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels) != 0)
		return false;
	child = fork();
	if (child == 0) {
		close(channels[0]);
		supervise(program, channels[1]);
	}
	close(channels[1]);
	*channel = channels[0];
	return child > 0;
}

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
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Beyond these, calls wait until one of those before has been answered. */
#define THREADS_MAX 64
/* Descriptors of this process itself, and of each thread: a connection, a file, a process. */
#define DESCRIPTORS_OWN 32
#define DESCRIPTORS_EACH 3

/* A signal that is sent to a whole process group comes to each process within this time. */
#define GROUP_MSEC 10
/* Not found by the name of the command, as by pkill(1): who kills the command kills the program. */
#define PROCESS_NAME "fdb-supervisor"

/* Beside the threads that answer there is this one, which watches over the processes. */
struct watch {
	pid_t program;
	int listener, channel, signals; /* -1: no longer */
	bool has_ended, is_stopped;     /* the program, not its descendants */
	/* Who last sent a signal to this process, and when. */
	struct {
		pid_t sender;
		int64_t msec;
	} last[_NSIG];
};

/* ---- at the start ---- */

/* How many threads this process has descriptors for. */
static unsigned int raise_descriptor_limit(void)
{
	struct rlimit limit;
	rlim_t threads;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < DESCRIPTORS_OWN)
		return 0;
	threads = (limit.rlim_cur - DESCRIPTORS_OWN) / DESCRIPTORS_EACH;
	return threads < THREADS_MAX ? (unsigned int)threads : THREADS_MAX;
}

/* ---- while the program runs ---- */

static void tell(const struct watch *watch, int status)
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
		tell(watch, status);
	if (watch->is_stopped)
		wake_command(watch);
	watch->is_stopped = WIFSTOPPED(status);
	watch->has_ended = !WIFSTOPPED(status) && !WIFCONTINUED(status);
}

/* Also the program's descendants whose parent has died: they have come to this process. */
static void reap(struct watch *watch, int options)
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
		reap(watch, WNOHANG);
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
static void listen_to_command(struct watch *watch)
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

static void watch_over(struct watch *watch)
{
	struct pollfd ready[3] = {{.fd = -1}};

	while ((ready[0].revents & POLLHUP) == 0) {
		ready[0] = (struct pollfd){.fd = watch->listener};
		ready[1] = (struct pollfd){.fd = watch->channel, .events = POLLIN};
		ready[2] = (struct pollfd){.fd = watch->signals, .events = POLLIN};
		if (poll(ready, 3, -1) < 0)
			continue;
		if (ready[1].revents != 0)
			listen_to_command(watch);
		if (ready[2].revents != 0)
			take_signal(watch);
	}
	/* Who has hung up may not have been reaped yet. */
	if (!watch->has_ended)
		reap(watch, 0);
}

static int watch_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
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

/* By itself: of whose connection it is the log of the broker tells. */
static bool connect_to_broker(struct supervision *supervision)
{
	struct fdbroker *broker = tool_connect();

	if (broker == NULL)
		return false;
	connections_init(&supervision->connections, broker, tool_inherits());
	return true;
}

/* ip(7): ip_local_port_range's neighbour, which containers often set to 0. */
static unsigned int find_unprivileged_port(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned int port;

	if (file == NULL)
		return IPPORT_RESERVED;
	if (fscanf(file, "%u", &port) != 1)
		port = IPPORT_RESERVED;
	fclose(file);
	return port;
}

/* What there is to know before the first call. The name service may be asked, and keep descriptors:
   so it is asked when those of others have been closed. */
static bool prepare(struct supervision *supervision, enum run_mode mode)
{
	supervision->mode = mode;
	supervision->unprivileged_port = find_unprivileged_port();
	supervision->grants = grants_new();
	if (supervision->grants == NULL)
		return fail("the policy");
	if (!place_find_own(&supervision->place))
		return fail("/proc/self/root");
	if (grants_refresh(supervision->grants, supervision->connections.first) == 0)
		return true;
	tool_complain("run");
	return false;
}

static bool start_threads(struct supervision *supervision, int listener)
{
	unsigned int threads_max = raise_descriptor_limit();
	int error;

	if (threads_max == 0)
		return fail_with(EMFILE, "its files and connections (see 'ulimit -n')");
	error = refresher_start(
		&supervision->refresher, supervision->grants, &supervision->connections);
	if (error == 0)
		error = receivers_start(listener, trapped_serve, supervision, threads_max);
	return error == 0 || fail_with(error, "starting a thread (see 'ulimit -u')");
}

/* False: the command has ended. */
static bool wait_for_go(const struct watch *watch)
{
	struct passed_signal go;

	tell(watch, SUPERVISOR_READY);
	return recv(watch->channel, &go, sizeof(go), 0) == sizeof(go);
}

/* The program has what was open; from here on this process has not. */
static bool let_go(const struct supervision *supervision, const struct watch *watch, int gate)
{
	int kept[] = {gate, watch->listener, watch->channel, watch->signals,
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

	watch->signals = watch_signals();
	if (watch->signals < 0)
		return fail("signalfd");
	watch->program = program_start(program, &watch->listener, &gate);
	if (watch->program < 0)
		return fail("starting the program (see 'ulimit -u')");
	/* Why there is none, it has told by itself. */
	if (watch->listener < 0) {
		reap(watch, 0);
		return true;
	}
	if (!let_go(supervision, watch, gate) || !prepare(supervision, program->mode) ||
		!start_threads(supervision, watch->listener) || !wait_for_go(watch))
		return false;
	descriptors_leave_standard(STDERR_FILENO);
	program_go(gate);
	watch_over(watch);
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
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_NAME, PROCESS_NAME, 0, 0, 0) != 0)
		return fail("becoming a parent");
	program->ignores_children = before.sa_handler == SIG_IGN;
	return true;
}

static _Noreturn void supervise(struct program *program, int channel)
{
	static struct supervision supervision;
	struct watch watch = {.listener = -1, .channel = channel};

	if (!become_parent(program) || !connect_to_broker(&supervision) ||
		!start(&supervision, &watch, program))
		tell(&watch, W_EXITCODE(EXIT_OWN_FAILURE, 0));
	/* Closed with a signal unread, the socket would take the status back: ECONNRESET. */
	watch.has_ended = true;
	while (watch.channel >= 0)
		listen_to_command(&watch);
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

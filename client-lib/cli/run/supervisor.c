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
#include "cli.h"
#include "descriptors.h"
#include "setting.h"
#include "supervision.h"
#include "trapped.h"
#include "watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beyond these, calls wait until one of those before has been answered. */
#define THREADS_MAX 64
/* Descriptors of this process itself, and of each thread: a connection, a file, a process. */
#define DESCRIPTORS_OWN 32
#define DESCRIPTORS_EACH 3

/* Not found by the name of the command, as by pkill(1): who kills the command kills the program. */
#define PROCESS_NAME "fdb-supervisor"

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

/* What there is to know before the first call. The name service may be asked, and keep descriptors:
   so it is asked when those of others have been closed. */
static bool prepare(struct supervision *supervision, enum run_mode mode)
{
	supervision->mode = mode;
	/* ip(7); containers often set it to 0. */
	supervision->unprivileged_port =
		setting_read("/proc/sys/net/ipv4/ip_unprivileged_port_start", IPPORT_RESERVED);
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

	watch_tell(watch, SUPERVISOR_READY);
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
		watch_reap(watch, 0);
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
		watch_tell(&watch, W_EXITCODE(EXIT_OWN_FAILURE, 0));
	/* Closed with a signal unread, the socket would take the status back: ECONNRESET. */
	watch.has_ended = true;
	while (watch.channel >= 0)
		watch_listen(&watch);
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

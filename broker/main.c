/* SPDX-License-Identifier: MIT */
/*
 * fdbrokerd: where each of its processes begins. The order of start-up, from top to bottom, is the
 * function supervise(); nothing privileged happens before or after it that is not in that list.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "confine.h"
#include "generation.h"
#include "identify.h"
#include "listener.h"
#include "log.h"
#include "manager.h"
#include "names.h"
#include "options.h"
#include "resolver.h"
#include "role.h"
#include "supervisor.h"

/* Started with 0, 1 or 2 closed, a descriptor of ours would become somebody's stderr. */
static int begin_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -errno : close(fd);
}

/* Each connection is a descriptor; the soft limit is for programs that use select(2). */
static void begin_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	limit = (struct rlimit){0, 0};
	(void)setrlimit(RLIMIT_CORE, &limit);
}

static void begin_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* RLIMIT_FSIZE is an errno, write(2) */
	/* Ignored by whoever started us, it would reap our children before we do, wait(2). */
	(void)signal(SIGCHLD, SIG_DFL);
}

/* Root becomes the broker's user; anybody else stays who they are, with what they have. */
static int become_broker_user(void)
{
	struct policy_name user = {.kind = POLICY_NAME_USER, .name = FDBROKER_USER};
	int error;

	if (geteuid() != 0)
		return 0;
	error = names_ask(&user, 1);
	if (error < 0)
		return error;
	if (user.status != POLICY_NAME_FOUND || user.id == 0) {
		log_message(LOG_ERR,
			"there is no unprivileged user '%s' to become: create it, with "
			"'systemd-sysusers' or 'useradd --system --no-create-home %s'",
			FDBROKER_USER, FDBROKER_USER);
		return -ENOENT;
	}
	identify_reserve_own_uid();
	return confine_become(user.id, user.gid);
}

/* The first policy; waits for the name service. */
static struct generation *load(const struct options *options)
{
	struct loading *loading =
		loading_begin(options->policies, options->policy_count, confine_permitted());
	int step;

	if (loading == NULL)
		return NULL;
	while ((step = loading_step(loading)) == 0) {
		struct pollfd ready = {.fd = loading_channel(loading), .events = POLLIN};
		uint64_t now = clock_msec(), deadline = loading_deadline(loading);

		(void)poll(&ready, 1, now < deadline ? (int)(deadline - now) : 0);
	}
	if (step > 0)
		return loading_finish(loading);
	loading_end(loading);
	return NULL;
}

static int supervise(const struct options *options)
{
	struct generation *generation;
	int listener = -1;

	umask(0077);
	if (begin_descriptors() < 0 || child_prepare() < 0) {
		fprintf(stderr, "fdbrokerd: cannot open /dev/null and /proc/self/exe: %s\n",
			strerror(errno));
		return 1;
	}
	log_open(options->log_format, options->log_level);
	begin_limits();
	begin_signals();
	manager_connect();
	if (!options->check)
		listener = listener_open(options->socket);
	if (listener < 0 && !options->check)
		return 1;
	if (become_broker_user() < 0 || confine_suspend() < 0)
		return 1;
	/* As the user who will reload it, so that what cannot be read then is found out now. */
	generation = load(options);
	if (generation == NULL || options->check)
		return generation == NULL ? 1 : 0;
	if (confine_for_good(ROLE_SUPERVISOR,
		    confine_capabilities(&generation->needs, ROLE_SUPERVISOR)) < 0 ||
		confine_syscalls(ROLE_SUPERVISOR, &generation->needs) < 0)
		return 1;
	return supervisor_run(options, listener, generation);
}

int main(int argc, char **argv)
{
	static int (*const mains[ROLE_COUNT])(void) = {
		[ROLE_WORKER] = worker_main,
		[ROLE_EXECUTOR] = executor_main,
		[ROLE_NAMES] = names_main,
		[ROLE_RESOLVER] = resolver_main,
	};
	struct options options;
	int status;

	for (enum role role = 0; role < ROLE_COUNT && argc == 1; role++) {
		char name[32];

		snprintf(name, sizeof(name), "fdbrokerd-%s", role_name(role));
		if (mains[role] != NULL && strcmp(argv[0], name) == 0)
			return mains[role]();
	}
	status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	status = supervise(&options);
	log_close();
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: accepts connections (registry.c), keeps the workers of the generation in force
 * alive (crew.c), and changes generations. It never interprets a byte from a client.
 *
 *	reload:	load the policy				supervisor_reload(), loading_advance()
 *		start its workers			next_advance()
 *		all are ready: use it, retire the others	next_takes_over()
 *		all of the others are buried: done	relieved()
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "crew.h"
#include "events.h"
#include "journal.h"
#include "limits.h"
#include "log.h"
#include "manager.h"
#include "registry.h"
#include "supervisor.h"
#include "trust.h"

static struct {
	const struct options *options;
	int listener, signals;
	int mountinfo;
	struct source arrived, signalled, remounted;
	uint64_t accept_at;         /* when to accept again; 0: now */
	struct generation *current; /* in force; NULL until the first one is ready */
	struct loading *loading;    /* the policy to come; NULL: none is being loaded */
	struct source answered;     /* the name service, to the loading */
	struct generation *next;    /* its workers are being started; NULL: none */
	bool next_started;          /* they have been */
	bool relieving;             /* workers of former generations are still there */
	bool reload_wanted;
	bool ending;
	int status;
	uint64_t restart_at;
	uint64_t restart_delay;
} supervisor;

static const struct crew_listener crew_listener = {
	.connection_ended = registry_connection_ended,
	.worker_buried = registry_worker_buried,
	.limit = registry_limit,
	.clone = registry_clone,
};

static void listener_arrived(struct source *source);

static void supervisor_end(int status)
{
	supervisor.ending = true;
	supervisor.status = status;
}

/* ---- generations ---- */

/* MONOTONIC_USEC: sd_notify(3), Type=notify-reload. */
static void tell_reloading(void)
{
	char state[96];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	manager_notify(state);
}

static void tell_ready(const char *what)
{
	char state[128];

	snprintf(state, sizeof(state), "READY=1\nSTATUS=%s, policy generation %u, %u rules", what,
		supervisor.current->number, policy_image_rule_count(supervisor.current->image));
	manager_notify(state);
}

static void reload_failed(void)
{
	log_event(LOG_ERR, JOURNAL_RELOAD_FAILED, "reload failed: the policy in force stays");
	tell_ready("reload failed, the policy in force stays");
}

static void loading_advance(void)
{
	int step = loading_step(supervisor.loading);

	if (step == 0)
		return;
	source_remove(&supervisor.answered);
	if (step > 0)
		supervisor.next = loading_finish(supervisor.loading);
	else
		loading_end(supervisor.loading);
	supervisor.loading = NULL;
	if (supervisor.next == NULL)
		reload_failed();
}

static void loading_answered(struct source *source)
{
	(void)source; /* the loop advances whatever can be advanced */
}

static void supervisor_reload(void)
{
	int channel;

	supervisor.reload_wanted = false;
	log_message(LOG_INFO, "reload begins");
	tell_reloading();
	supervisor.loading = loading_begin(supervisor.options->policies,
		supervisor.options->policy_count, confine_permitted());
	if (supervisor.loading == NULL) {
		reload_failed();
		return;
	}
	channel = loading_channel(supervisor.loading);
	supervisor.answered.fd = -1;
	if (channel >= 0 && source_add(&supervisor.answered, channel, loading_answered) < 0) {
		loading_end(supervisor.loading);
		supervisor.loading = NULL;
		reload_failed();
	}
}

/* The workers of the next generation do not come up. */
static void next_failed(void)
{
	crew_dismiss(supervisor.next);
	generation_release(supervisor.next);
	supervisor.next = NULL;
	supervisor.next_started = false;
	if (supervisor.current != NULL) {
		reload_failed();
		return;
	}
	log_message(LOG_ERR, "the workers do not start");
	supervisor_end(1);
}

static void tell_what_is_in_force(void)
{
	const uint32_t rules = policy_image_rule_count(supervisor.current->image);
	const int workers = supervisor.options->workers;

	log_message(LOG_INFO, "ready: %u rule%s, %d worker%s", rules, rules == 1 ? "" : "s",
		workers, workers == 1 ? "" : "s");
}

/* All workers of the next generation are ready: from now on it is the one in force. */
static void next_takes_over(void)
{
	bool first = supervisor.current == NULL;

	generation_release(supervisor.current);
	supervisor.current = supervisor.next;
	supervisor.next = NULL;
	supervisor.next_started = false;
	registry_use(supervisor.current);
	crew_retire_others(supervisor.current);
	if (first) {
		/* Whoever has been waiting comes in now: there is a policy to judge by. */
		if (source_add(&supervisor.arrived, supervisor.listener, listener_arrived) < 0) {
			log_message(LOG_ERR, "cannot watch the listening socket");
			supervisor_end(1);
			return;
		}
		tell_what_is_in_force();
		tell_ready("serving");
	} else {
		supervisor.relieving = true;
	}
}

static void next_advance(void)
{
	unsigned int wanted = (unsigned int)supervisor.options->workers;
	unsigned int serving = crew_serving(supervisor.next);
	unsigned int coming = serving + crew_starting(supervisor.next);

	if (serving == wanted) {
		next_takes_over();
		return;
	}
	/* Each is started once: one that dies on the way would die again. */
	if (!supervisor.next_started) {
		supervisor.next_started = true;
		while (coming < wanted && crew_start(supervisor.next) == 0)
			coming++;
	}
	if (coming < wanted)
		next_failed();
}

/* A worker of the generation in force that died is replaced; slower, when they die at once. */
static uint64_t current_advance(uint64_t now)
{
	unsigned int there = crew_serving(supervisor.current) + crew_starting(supervisor.current);

	if (there >= (unsigned int)supervisor.options->workers) {
		supervisor.restart_at = 0;
		return UINT64_MAX;
	}
	if (supervisor.restart_at == 0) {
		uint64_t delay = supervisor.restart_delay * 2;

		if (crew_last_life_msec() >= RESTART_SETTLED_MSEC)
			delay = 0;
		else if (delay < RESTART_DELAY_MIN_MSEC)
			delay = RESTART_DELAY_MIN_MSEC;
		else if (delay > RESTART_DELAY_MAX_MSEC)
			delay = RESTART_DELAY_MAX_MSEC;
		supervisor.restart_delay = delay;
		supervisor.restart_at = now + delay;
	}
	if (supervisor.restart_at > now)
		return supervisor.restart_at;
	supervisor.restart_at = 0;
	return crew_start(supervisor.current) == 0 ? UINT64_MAX : now + RESTART_DELAY_MAX_MSEC;
}

/* Nobody is left who could grant anything by a former policy. */
static void relieved(void)
{
	supervisor.relieving = false;
	log_event(LOG_INFO, JOURNAL_RELOAD_DONE, "reload done: generation %u, %u rules",
		supervisor.current->number, policy_image_rule_count(supervisor.current->image));
	tell_ready("serving");
}

static bool reload_is_under_way(void)
{
	return supervisor.loading != NULL || supervisor.next != NULL || supervisor.relieving;
}

/* Whatever the state of things allows to be done next. Returns when to look again. */
static uint64_t supervisor_advance(uint64_t now)
{
	uint64_t next = UINT64_MAX;

	if (supervisor.reload_wanted && !reload_is_under_way())
		supervisor_reload();
	if (supervisor.loading != NULL)
		loading_advance();
	if (supervisor.next != NULL)
		next_advance();
	if (supervisor.current != NULL)
		next = current_advance(now);
	if (supervisor.loading != NULL && loading_deadline(supervisor.loading) < next)
		next = loading_deadline(supervisor.loading);
	if (supervisor.relieving && crew_others(supervisor.current) == 0)
		relieved();
	/* One that was asked for meanwhile does not wait for an event of its own. */
	return supervisor.reload_wanted && !reload_is_under_way() ? now : next;
}

/* ---- events ---- */

/* accept(2): what fails for one connection fails for the next, EMFILE above all; never spin. */
static void listener_arrived(struct source *source)
{
	int fd;

	if (registry_is_full()) {
		source_remove(source);
		supervisor.accept_at = clock_msec() + ACCEPT_RETRY_MSEC;
		return;
	}
	fd = accept4(supervisor.listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		registry_accept(fd);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	log_message(LOG_WARNING, "cannot accept connections: %s; trying again", strerror(errno));
	source_remove(source);
	supervisor.accept_at = clock_msec() + ACCEPT_RETRY_MSEC;
}

static uint64_t listener_tick(uint64_t now)
{
	if (supervisor.accept_at == 0)
		return UINT64_MAX;
	if (supervisor.accept_at > now)
		return supervisor.accept_at;
	supervisor.accept_at = 0;
	if (source_add(&supervisor.arrived, supervisor.listener, listener_arrived) < 0)
		supervisor.accept_at = now + ACCEPT_RETRY_MSEC;
	return supervisor.accept_at == 0 ? UINT64_MAX : supervisor.accept_at;
}

/*
 * A mount has come or gone. Where mount ids are used again, what was trusted and has gone must not
 * be taken for what comes next. Those that come are trusted from the next reload on.
 */
static void mounts_changed(struct source *source)
{
	(void)source;
	if (supervisor.current == NULL || trusted_mounts_remain(supervisor.current->mounts) == 1)
		return;
	log_message(LOG_NOTICE, "a mount that was trusted is gone: reloading");
	supervisor.reload_wanted = true;
}

static void signal_arrived(struct source *source)
{
	struct signalfd_siginfo info;

	(void)source;
	if (read(supervisor.signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		supervisor.reload_wanted = true;
	else
		supervisor_end(0);
}

static int supervisor_open(void)
{
	sigset_t signals;
	int error;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	supervisor.signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	supervisor.mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (supervisor.signals < 0 || supervisor.mountinfo < 0)
		return -errno;
	error = events_open();
	if (error == 0)
		error = source_add(&supervisor.signalled, supervisor.signals, signal_arrived);
	if (error == 0)
		error = source_add_urgent(
			&supervisor.remounted, supervisor.mountinfo, mounts_changed);
	return error;
}

static void supervisor_loop(void)
{
	while (!supervisor.ending) {
		uint64_t now = clock_msec(), next = UINT64_MAX;
		uint64_t due[] = {
			crew_tick(now),
			supervisor_advance(now),
			registry_tick(now),
			listener_tick(now),
		};
		/* It says what the others had to say. */
		const uint64_t log_due = log_tick(now);

		for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++)
			if (due[i] < next)
				next = due[i];
		if (log_due < next)
			next = log_due;
		if (!supervisor.ending)
			events_wait(next);
	}
}

int supervisor_run(const struct options *options, int listener, struct generation *generation)
{
	int error;

	supervisor.options = options;
	supervisor.listener = listener;
	supervisor.next = generation;
	crew_listen(&crew_listener);
	registry_open((unsigned int)options->workers);
	error = supervisor_open();
	if (error < 0) {
		log_message(LOG_ERR, "cannot start: %s", strerror(-error));
		return 1;
	}
	supervisor_loop();
	manager_notify("STOPPING=1");
	crew_end();
	if (supervisor.status == 0)
		log_message(LOG_INFO, "stopped");
	return supervisor.status;
}

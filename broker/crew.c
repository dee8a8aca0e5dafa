/* SPDX-License-Identifier: MIT */
/*
 * The life of a worker: STARTING until it says that it is ready, SERVING, perhaps RETIRING, and
 * ENDED when its pidfd says so. Then its executors are ended too, and only when none of them can
 * touch a connection any more is it buried: what it held can be dealt anew.
 *
 * An executor that was killed is gone when its pidfd says so, or, when it hangs in the kernel,
 * after a while in which it would have left any system call that touches a connection.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "cleanup.h"
#include "clock.h"
#include "connection.h"
#include "crew.h"
#include "events.h"
#include "limits.h"
#include "log.h"
#include "memory.h"
#include "process.h"

enum executor_state {
	EXECUTOR_NONE = 0,
	EXECUTOR_OFFERED, /* runs; its channel is still to be sent to the worker */
	EXECUTOR_RUNNING,
	EXECUTOR_KILLED,
	EXECUTOR_HANGING, /* killed, and still there; it touches nothing any more */
};

struct crew_executor {
	enum executor_state state;
	struct process process;
	struct process resolver; /* its pidfd is -1 when there is none */
	struct crew_worker *worker;
	int offer; /* OFFERED: the worker's end of the channel */
	uint64_t killed;
	uint64_t started;
	uint64_t start_at; /* NONE: when to start one; 0: it is not wanted */
};

enum worker_state {
	WORKER_NONE = 0,
	WORKER_STARTING,
	WORKER_SERVING,
	WORKER_RETIRING,
	WORKER_ENDED,
};

struct crew_worker {
	enum worker_state state;
	bool expected; /* its end was asked for */
	bool killed;   /* its deadline has passed */
	struct process process;
	unsigned int generation; /* its number */
	int channel;
	struct source heard;
	struct hands *hands;
	uint64_t started;
	uint64_t deadline; /* STARTING, RETIRING */
	unsigned int connections;
	struct crew_executor executors[EXECUTORS_MAX];
};

/* Two generations while one relieves the other, and those of both that have just ended. */
static struct crew_worker workers[4 * WORKERS_MAX];
static const struct crew_listener *listener;
static uint64_t last_life = UINT64_MAX;

#define for_each_worker(worker)                                                                    \
	for (struct crew_worker *worker = workers;                                                 \
		worker < workers + sizeof(workers) / sizeof(workers[0]); (worker)++)
#define for_each_executor(executor, worker)                                                        \
	for (struct crew_executor *executor = (worker)->executors;                                 \
		(executor) < (worker)->executors + EXECUTORS_MAX; (executor)++)

void crew_listen(const struct crew_listener *who)
{
	listener = who;
}

/* ---- telling a worker ---- */

static bool worker_lives(const struct crew_worker *worker)
{
	return worker->state == WORKER_STARTING || worker->state == WORKER_SERVING ||
	       worker->state == WORKER_RETIRING;
}

/* A worker that does not empty its channel is not well; DEAL_QUEUE_BYTES_MAX keeps room in it. */
static void worker_send(struct crew_worker *worker, const struct message *message)
{
	if (worker_lives(worker) && channel_send(worker->channel, message, -1) < 0)
		child_kill(worker->process.pidfd);
}

static void worker_tell(
	struct crew_worker *worker, enum message_type type, uint32_t slot, bool flag)
{
	worker_send(worker, &(struct message){.type = type, .slot = slot, .flag = flag});
}

/* ---- what ends by itself ---- */

/*
 * What hangs in the kernel may outlive its worker, and every worker after it; and nobody waits for
 * the end of a resolver. Of such a process only the pidfd is kept, to reap it; when even these are
 * too many, it is reaped with us.
 */
struct ghost {
	int pidfd;
	struct source ended;
};

static struct ghost ghosts[GHOSTS_MAX];

static void ghost_ended(struct source *source)
{
	struct ghost *ghost = source_owner(source, struct ghost, ended);
	int status;

	source_remove(&ghost->ended);
	(void)child_ended(ghost->pidfd, &status);
	close(ghost->pidfd);
	*ghost = (struct ghost){.pidfd = 0};
}

/* Takes the pidfd of a process over; the rest of it is let go. */
static void ghost_add(struct process *process)
{
	int pidfd = process_forget(process);

	for (struct ghost *ghost = ghosts; ghost < ghosts + GHOSTS_MAX; ghost++) {
		if (ghost->pidfd > 0)
			continue;
		ghost->pidfd = pidfd;
		if (source_add(&ghost->ended, pidfd, ghost_ended) == 0)
			return;
		ghost->pidfd = 0;
		break;
	}
	close(pidfd);
}

static void worker_bury_if_quiet(struct crew_worker *worker);

static uint32_t executor_index(const struct crew_executor *executor)
{
	return (uint32_t)(executor - executor->worker->executors);
}

static void executor_drop_offer(struct crew_executor *executor)
{
	if (executor->offer >= 0)
		close(executor->offer);
	executor->offer = -1;
}

/* ---- resolvers ---- */

/* The executor hears of it too: it ends as soon as it is idle, and both are replaced. */
static void resolver_ended(struct source *source)
{
	process_end(source_owner(source, struct process, ended), false);
}

/* It is of no use without its executor, and may hang, as an executor may. */
static void resolver_kill(struct crew_executor *executor)
{
	struct pollfd ended = {.fd = executor->resolver.pidfd, .events = POLLIN};

	if (executor->resolver.pidfd < 0)
		return;
	if (poll(&ended, 1, 0) == 1) {
		process_end(&executor->resolver, false); /* it was first */
		return;
	}
	child_kill(executor->resolver.pidfd);
	ghost_add(&executor->resolver);
}

/*
 * Starts the executor's resolver, if its policy can need one. *channel becomes the executor's end
 * of the channel, or -1. 0 or a negative errno.
 */
static int resolver_start(struct crew_executor *executor, int *channel)
{
	const uint32_t verbs = POLICY_BIT(POLICY_RESOLVE) | POLICY_BIT(POLICY_CONNECT);
	struct generation *generation = executor->worker->process.generation;
	int ends[2], error;

	*channel = -1;
	if ((generation->needs.allowed_verbs & verbs) == 0)
		return 0;
	error = channel_pair(ends);
	if (error < 0)
		return error;
	error = process_start(
		&executor->resolver, ROLE_RESOLVER, generation, ends[1], -1, resolver_ended);
	close(ends[1]);
	if (error < 0)
		close(ends[0]);
	else
		*channel = ends[0];
	return error;
}

/* ---- executors ---- */

/* One is wanted: now, or after a pause when the last one died at once. */
static void executor_want(struct crew_executor *executor, uint64_t now)
{
	uint64_t earliest = executor->started + RESTART_SETTLED_MSEC;

	if (executor->state == EXECUTOR_NONE && executor->start_at == 0)
		executor->start_at = executor->started == 0 || earliest < now ? now : earliest;
}

static void executor_ended(struct source *source)
{
	struct process *process = source_owner(source, struct process, ended);
	struct crew_executor *executor = source_owner(process, struct crew_executor, process);
	struct crew_worker *worker = executor->worker;
	bool asked_for = executor->state == EXECUTOR_KILLED ||
			 executor->state == EXECUTOR_HANGING || !worker_lives(worker) ||
			 worker->expected;

	process_end(process, asked_for);
	resolver_kill(executor);
	executor_drop_offer(executor);
	executor->state = EXECUTOR_NONE;
	worker_tell(worker, MESSAGE_EXECUTOR_GONE, executor_index(executor), false);
	if (worker->state == WORKER_SERVING && executor_index(executor) < EXECUTORS_READY)
		executor_want(executor, clock_msec());
	worker_bury_if_quiet(worker);
}

/* Sends the worker its end of the channel, once there is room for it. */
static void executor_offer(struct crew_executor *executor)
{
	struct message message = {.type = MESSAGE_EXECUTOR, .slot = executor_index(executor)};
	int error;

	if (!worker_lives(executor->worker))
		return;
	error = channel_send(executor->worker->channel, &message, executor->offer);
	if (error == -EAGAIN || error == -ETOOMANYREFS)
		return;
	executor_drop_offer(executor);
	executor->state = EXECUTOR_RUNNING;
}

static void executor_start(struct crew_executor *executor, uint64_t now)
{
	_cleanup_close_ int resolver = -1;
	int ends[2], error;

	executor->started = now;
	executor->start_at = now + RESTART_SETTLED_MSEC; /* should it fail */
	error = channel_pair(ends);
	if (error < 0) {
		log_message(LOG_ERR, "cannot start an executor: %s", strerror(-error));
		return;
	}
	error = resolver_start(executor, &resolver);
	if (error == 0)
		error = process_start(&executor->process, ROLE_EXECUTOR,
			executor->worker->process.generation, ends[1], resolver, executor_ended);
	close(ends[1]);
	if (error < 0) {
		close(ends[0]);
		resolver_kill(executor);
		return;
	}
	executor->start_at = 0;
	executor->offer = ends[0];
	executor->state = EXECUTOR_OFFERED;
	executor_offer(executor);
}

static void executor_kill(struct crew_executor *executor)
{
	if (executor->state != EXECUTOR_RUNNING && executor->state != EXECUTOR_OFFERED)
		return;
	child_kill(executor->process.pidfd);
	resolver_kill(executor);
	executor_drop_offer(executor);
	executor->state = EXECUTOR_KILLED;
	executor->killed = clock_msec();
}

/* Killed, and it does not end. */
static void executor_hangs(struct crew_executor *executor)
{
	executor->state = EXECUTOR_HANGING;
	process_account(&executor->process);
	log_message(LOG_WARNING,
		"executor %d hangs in the kernel and serves nobody any more; what it was doing may "
		"still come to pass",
		executor->process.pid);
	worker_tell(executor->worker, MESSAGE_EXECUTOR_GONE, executor_index(executor), true);
	worker_bury_if_quiet(executor->worker);
}

/* ---- workers ---- */

/* Nothing of it touches a connection any more: what it held can be dealt anew. */
static void worker_bury_if_quiet(struct crew_worker *worker)
{
	if (worker->state != WORKER_ENDED)
		return;
	for_each_executor (executor, worker)
		if (executor->state != EXECUTOR_NONE && executor->state != EXECUTOR_HANGING)
			return;
	for_each_executor (executor, worker) {
		if (executor->state == EXECUTOR_HANGING)
			ghost_add(&executor->process);
		executor->state = EXECUTOR_NONE;
	}
	listener->worker_buried(worker, !worker->expected, worker->hands);
	munmap(worker->hands, sizeof(*worker->hands));
	worker->hands = NULL;
	worker->state = WORKER_NONE;
}

/* It serves no more, and touches no connection. Its executors follow. */
static void worker_gone(struct crew_worker *worker)
{
	source_remove(&worker->heard);
	close(worker->channel);
	worker->channel = -1;
	if (!worker->expected)
		last_life = clock_msec() - worker->started;
	worker->state = WORKER_ENDED;
	for_each_executor (executor, worker)
		executor_kill(executor);
	worker_bury_if_quiet(worker);
}

static void worker_ended(struct source *source)
{
	struct process *process = source_owner(source, struct process, ended);
	struct crew_worker *worker = source_owner(process, struct crew_worker, process);

	process_end(process, worker->expected);
	worker_gone(worker);
}

/* It never should; but a reload must not wait for it for ever. */
static void worker_hangs(struct crew_worker *worker)
{
	log_message(LOG_ERR, "worker %d hangs in the kernel", worker->process.pid);
	ghost_add(&worker->process);
	worker_gone(worker);
}

/* What came of a question; it is asked of one connection at a time, so there is room for it. */
static struct message answer_to(const struct message *question, enum message_type type, int error)
{
	return (struct message){
		.type = type,
		.slot = question->slot,
		.serial = question->serial,
		.error = (uint32_t)error,
	};
}

static void worker_limit(
	struct crew_worker *worker, const struct message *question, const char *set, size_t length)
{
	int error = listener->limit(worker, question->slot, question->serial, set, length);
	struct message answer = answer_to(question, MESSAGE_LIMITED, error);

	if (error >= 0)
		worker_send(worker, &answer);
}

/* A clone whose client's end cannot be sent ends like one whose client has closed it. */
static void worker_clone(struct crew_worker *worker, const struct message *question)
{
	_cleanup_close_ int fd = -1;
	int error = listener->clone(worker, question->slot, question->serial, &fd);
	struct message answer = answer_to(question, MESSAGE_CLONED, error);

	if (error < 0 || (error == 0 && channel_send(worker->channel, &answer, fd) == 0))
		return;
	if (error == 0)
		answer.error = ETOOMANYREFS; /* unix(7): too many descriptors are in flight */
	worker_send(worker, &answer);
}

static void worker_obey(struct crew_worker *worker, const struct message *message)
{
	struct crew_executor *executor =
		message->slot < EXECUTORS_MAX ? &worker->executors[message->slot] : NULL;

	switch (message->type) {
	case MESSAGE_READY:
		if (worker->state != WORKER_STARTING)
			return;
		worker->state = WORKER_SERVING;
		for (int i = 0; i < EXECUTORS_READY; i++)
			executor_want(&worker->executors[i], clock_msec());
		return;
	case MESSAGE_ENDED:
		listener->connection_ended(worker, message->slot, message->serial);
		return;
	case MESSAGE_ABANDON:
		if (executor != NULL)
			executor_kill(executor);
		return;
	case MESSAGE_WANT_EXECUTOR:
		if (executor != NULL)
			executor_want(executor, clock_msec());
		return;
	case MESSAGE_CLONE:
		worker_clone(worker, message);
		return;
	default:
		return;
	}
}

static void worker_heard(struct source *source)
{
	struct crew_worker *worker = source_owner(source, struct crew_worker, heard);
	static char bytes[CHANNEL_BYTES_MAX];
	struct message message;
	int fd, received;
	size_t length;

	received = channel_receive_bytes(worker->channel, &message, &fd, bytes, &length);
	if (fd >= 0)
		close(fd); /* it has none to send */
	if (received == 1 && message.type == MESSAGE_LIMIT) {
		worker_limit(worker, &message, bytes, length);
	} else if (received == 1 && length == 0) {
		worker_obey(worker, &message);
	} else if (received != -EAGAIN) {
		source_remove(source); /* it is ending, or not well; its pidfd will say so */
		child_kill(worker->process.pidfd);
	}
}

/* 0 or a negative errno; then nothing is left of it, or its end is on the way. */
static int worker_begin(struct crew_worker *worker, struct generation *generation)
{
	_cleanup_close_ int hands = -1, theirs = -1;
	int ends[2], error;

	error = channel_pair(ends);
	if (error < 0)
		return error;
	worker->channel = ends[0];
	connection_refuse_descriptors(worker->channel); /* it has none to send */
	theirs = ends[1];
	hands = memory_share("fdbroker-hands", sizeof(*worker->hands), (void **)&worker->hands);
	error = hands < 0 ? hands : source_add(&worker->heard, worker->channel, worker_heard);
	if (error == 0)
		error = process_start(
			&worker->process, ROLE_WORKER, generation, theirs, hands, worker_ended);
	if (error == 0)
		return 0;
	source_remove(&worker->heard);
	close(worker->channel);
	if (worker->hands != NULL)
		munmap(worker->hands, sizeof(*worker->hands));
	return error;
}

int crew_start(struct generation *generation)
{
	for_each_worker (worker) {
		int error;

		if (worker->state != WORKER_NONE)
			continue;
		*worker = (struct crew_worker){.heard.fd = -1,
			.generation = generation->number,
			.started = clock_msec(),
			.deadline = clock_msec() + WORKER_START_DEADLINE_MSEC};
		for_each_executor (executor, worker) {
			executor->worker = worker;
			executor->offer = executor->resolver.pidfd = -1;
		}
		error = worker_begin(worker, generation);
		if (error < 0) {
			log_message(LOG_ERR, "cannot start a worker: %s", strerror(-error));
			return error;
		}
		worker->state = WORKER_STARTING;
		return 0;
	}
	log_message(LOG_ERR, "cannot start a worker: too many are still ending");
	return -EAGAIN;
}

static unsigned int count_state(const struct generation *generation, enum worker_state state)
{
	unsigned int count = 0;

	for_each_worker (worker)
		count += worker->state == state && worker->generation == generation->number;
	return count;
}

unsigned int crew_starting(const struct generation *generation)
{
	return count_state(generation, WORKER_STARTING);
}

unsigned int crew_serving(const struct generation *generation)
{
	return count_state(generation, WORKER_SERVING);
}

unsigned int crew_others(const struct generation *generation)
{
	unsigned int count = 0;

	for_each_worker (worker)
		count += worker->generation != generation->number &&
			 (worker_lives(worker) || worker->state == WORKER_ENDED);
	return count;
}

void crew_retire_others(const struct generation *generation)
{
	for_each_worker (worker) {
		if (!worker_lives(worker) || worker->generation == generation->number)
			continue;
		worker->expected = true;
		worker_tell(worker, MESSAGE_RETIRE, 0, false);
		worker->state = WORKER_RETIRING;
		/* Its executors have RETIRE_DEADLINE_MSEC, and then two times the grace. */
		worker->deadline = clock_msec() + RETIRE_DEADLINE_MSEC + 2 * KILL_GRACE_MSEC;
	}
}

void crew_dismiss(const struct generation *generation)
{
	for_each_worker (worker) {
		if (!worker_lives(worker) || worker->generation != generation->number)
			continue;
		worker->expected = true;
		child_kill(worker->process.pidfd);
	}
}

struct crew_worker *crew_pick(const struct generation *generation)
{
	struct crew_worker *best = NULL;

	for_each_worker (worker)
		if (worker->state == WORKER_SERVING && worker->generation == generation->number &&
			(best == NULL || worker->connections < best->connections))
			best = worker;
	return best;
}

int crew_deal(struct crew_worker *worker, const struct message *message, int connection)
{
	int queued = 0, error;

	if (ioctl(worker->channel, SIOCOUTQ, &queued) == 0 && queued > DEAL_QUEUE_BYTES_MAX)
		return -EAGAIN;
	error = channel_send(worker->channel, message, connection);
	if (error == 0)
		worker->connections++;
	return error == -ETOOMANYREFS ? -EAGAIN : error;
}

struct peers *crew_peers(const struct crew_worker *worker)
{
	return worker->process.generation->peers;
}

void crew_return(struct crew_worker *worker)
{
	worker->connections--;
}

/* ---- time ---- */

static void earlier(uint64_t *next, uint64_t when)
{
	if (when < *next)
		*next = when;
}

static void executor_tick(struct crew_executor *executor, uint64_t now, uint64_t *next)
{
	if (executor->start_at != 0 && !worker_lives(executor->worker))
		executor->start_at = 0;
	if (executor->start_at != 0 && executor->start_at <= now)
		executor_start(executor, now);
	if (executor->start_at != 0)
		earlier(next, executor->start_at);
	if (executor->state == EXECUTOR_OFFERED)
		executor_offer(executor);
	if (executor->state == EXECUTOR_OFFERED)
		earlier(next, now + DEAL_RETRY_MSEC);
	if (executor->state != EXECUTOR_KILLED)
		return;
	if (executor->killed + KILL_GRACE_MSEC <= now)
		executor_hangs(executor);
	else
		earlier(next, executor->killed + KILL_GRACE_MSEC);
}

static void worker_tick(struct crew_worker *worker, uint64_t now, uint64_t *next)
{
	if (worker->state != WORKER_STARTING && worker->state != WORKER_RETIRING)
		return;
	if (worker->deadline <= now && worker->killed) {
		worker_hangs(worker);
		return;
	}
	if (worker->deadline <= now) {
		log_message(LOG_WARNING, "worker %d does not %s in time and is ended",
			worker->process.pid,
			worker->state == WORKER_STARTING ? "get ready" : "finish");
		child_kill(worker->process.pidfd);
		worker->killed = true;
		worker->deadline = now + KILL_GRACE_MSEC;
	}
	earlier(next, worker->deadline);
}

uint64_t crew_tick(uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for_each_worker (worker) {
		if (worker->state == WORKER_NONE)
			continue;
		worker_tick(worker, now, &next);
		for_each_executor (executor, worker)
			executor_tick(executor, now, &next);
	}
	return next;
}

uint64_t crew_last_life_msec(void)
{
	return last_life;
}

/* Waits for the end of a killed process, unless it hangs, and logs what it left in its ring. */
static void process_finish(struct process *process)
{
	struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};

	(void)poll(&ended, 1, KILL_GRACE_MSEC);
	process_end(process, true);
}

void crew_end(void)
{
	for_each_worker (worker) {
		if (worker_lives(worker))
			child_kill(worker->process.pidfd);
		for_each_executor (executor, worker)
			executor_kill(executor);
	}
	for_each_worker (worker) {
		if (worker_lives(worker))
			process_finish(&worker->process);
		for_each_executor (executor, worker)
			if (executor->state == EXECUTOR_KILLED)
				process_finish(&executor->process);
	}
}

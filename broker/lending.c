/* SPDX-License-Identifier: MIT */
/*
 * Executors as a worker sees them. Each is charged to the uid whose packet it has, until it is idle
 * again or gone; a uid has as many as it leaves free for others (accounts.h), and waits its turn
 * for them (turns.h).
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "lending.h"
#include "log.h"
#include "role.h"

enum executor_state {
	EXECUTOR_NONE = 0,
	EXECUTOR_IDLE,
	EXECUTOR_BUSY,
	EXECUTOR_LEAVING, /* it is to end, and the supervisor will say when it has */
	EXECUTOR_HANGING, /* it touches nothing any more, but its end is still to come */
};

struct executor {
	enum executor_state state;
	int channel; /* -1: closed */
	struct session *session;
	struct account *account; /* who is charged for it */
	bool is_repeatable;      /* BUSY: what it does can be done anew by another */
	uint64_t deadline;       /* BUSY: when to give it up. IDLE: when to let it go */
};

struct lending {
	struct sessions *sessions;
	struct turns waiting;
	bool retiring;
	bool wanted;       /* the supervisor has been asked for one more */
	uint64_t retry_at; /* nothing can be lent until then; 0: it can */
	uint32_t last_wanted;
	unsigned int used; /* executors that are there and not idle */
	struct executor executors[EXECUTORS_MAX];
};

/* An event's key for the channel of an executor: beyond all of session_key(). */
#define EXECUTOR_KEY(index) (SESSION_KEY_MAX + 1 + (index))

struct lending *lending_open(struct sessions *sessions)
{
	static struct lending lending = {.waiting.kind = TURN_EXECUTOR};

	lending.sessions = sessions;
	return &lending;
}

static uint32_t executor_index(const struct lending *lending, const struct executor *executor)
{
	return (uint32_t)(executor - lending->executors);
}

void lending_add(struct lending *lending, struct session *session)
{
	turns_add(&lending->waiting, session);
}

void lending_follow(struct lending *lending, struct session *session, enum session_next next)
{
	if (next == SESSION_NEEDS_EXECUTOR)
		lending_add(lending, session);
}

/* ---- lending ---- */

static bool share_permits_executor(const struct account *account, uint32_t used)
{
	return share_permits(account->jobs, EXECUTORS_MAX, used);
}

static struct executor *executor_idle(struct lending *lending)
{
	for (int i = 0; i < EXECUTORS_MAX; i++)
		if (lending->executors[i].state == EXECUTOR_IDLE)
			return &lending->executors[i];
	return NULL;
}

static void executor_want(struct lending *lending)
{
	if (lending->wanted)
		return;
	/* By turns: one that ended at once is not started again at once. */
	for (uint32_t i = 0; i < EXECUTORS_MAX; i++) {
		uint32_t index = (lending->last_wanted + 1 + i) % EXECUTORS_MAX;

		if (lending->executors[index].state == EXECUTOR_NONE) {
			lending->wanted = true;
			lending->last_wanted = index;
			role_tell(&lending->sessions->server, MESSAGE_WANT_EXECUTOR, index, 0);
			return;
		}
	}
}

/* An executor without a job is not needed, or not there any more. */
static void executor_leaves(struct lending *lending, struct executor *executor)
{
	executor->state = EXECUTOR_LEAVING;
	lending->used++;
}

static void executor_close(struct lending *lending, struct executor *executor)
{
	if (executor->channel < 0)
		return;
	(void)epoll_ctl(lending->sessions->epoll, EPOLL_CTL_DEL, executor->channel, NULL);
	close(executor->channel);
	executor->channel = -1;
}

/* How long an executor may take for an operation; 0: for what is not well-formed. */
static uint64_t operation_msec(unsigned int operation)
{
	switch (operation) {
	case FDBROKER_DIAL:
		return DIAL_LENT_DEADLINE_MSEC;
	case FDBROKER_GETADDRINFO:
	case FDBROKER_GETNAMEINFO:
	case FDBROKER_GETPROTOBYNAME:
		return RESOLVE_LENT_DEADLINE_MSEC;
	default:
		return EXECUTOR_DEADLINE_MSEC;
	}
}

static void executor_give(
	struct lending *lending, struct executor *executor, struct session *session)
{
	unsigned int operation = 0;
	int error;
	struct message job = {
		.type = session->ending ? MESSAGE_DRAIN : MESSAGE_TAKE,
		.slot = session->slot,
		.serial = session->serial,
	};

	if (!session->ending)
		operation = session_lend(lending->sessions, session);
	error = channel_send(executor->channel, &job, session->fd);
	if (error < 0) {
		lending_add(lending, session);
		if (error == -EAGAIN || error == -ETOOMANYREFS)
			lending->retry_at = clock_msec() + DEAL_RETRY_MSEC;
		else
			executor_leaves(lending, executor); /* dead: the supervisor will say so */
		return;
	}
	executor->state = EXECUTOR_BUSY;
	executor->session = session;
	executor->account = session->account;
	executor->is_repeatable =
		operation != 0 && fdbroker_operation_traits(operation)->is_repeatable;
	executor->deadline = clock_msec() + operation_msec(operation);
	lending->used++;
	account_add_job(session->account);
	session_is_lent(lending->sessions, session);
}

void lending_assign(struct lending *lending)
{
	while (lending->waiting.next != NULL && !lending->retiring && lending->retry_at == 0) {
		struct executor *executor = executor_idle(lending);
		struct session *session;

		if (executor == NULL) {
			executor_want(lending);
			return;
		}
		session = turns_take(&lending->waiting, share_permits_executor, lending->used);
		if (session == NULL)
			return;
		if (session_may_be_lent(lending->sessions, session))
			executor_give(lending, executor, session);
	}
}

/* ---- back, late, or never ---- */

/* Its job is over, one way or the other; the account is not charged any more. */
static void executor_release(
	struct lending *lending, struct executor *executor, enum executor_state state)
{
	if (executor->account != NULL)
		account_remove_job(&lending->sessions->accounts, executor->account);
	executor->account = NULL;
	executor->session = NULL;
	executor->state = state;
	lending->used--;
}

static void executor_done(
	struct lending *lending, struct executor *executor, const struct message *message)
{
	struct session *session = executor->session;

	if (executor->state != EXECUTOR_BUSY)
		return; /* too late: it has been given up */
	if (message->type == MESSAGE_DONE_AND_OVER) {
		/* Charged for until it is gone: who makes them end makes others wait for new ones.
		 */
		executor->state = EXECUTOR_LEAVING;
		executor->session = NULL;
	} else {
		executor_release(lending, executor, EXECUTOR_IDLE);
		executor->deadline = clock_msec() + EXECUTOR_IDLE_MSEC;
	}
	lending_follow(
		lending, session, session_return(lending->sessions, session, message->flag != 0));
}

bool lending_hear(struct lending *lending, uint64_t key)
{
	struct executor *executor;
	struct message message;
	int fd, received;

	if (key < EXECUTOR_KEY(0) || key >= EXECUTOR_KEY(EXECUTORS_MAX))
		return false;
	executor = &lending->executors[key - EXECUTOR_KEY(0)];
	if (executor->channel < 0)
		return true;
	received = channel_receive(executor->channel, &message, &fd);
	if (fd >= 0)
		close(fd); /* it has none to send */
	if (received == 1 &&
		(message.type == MESSAGE_DONE || message.type == MESSAGE_DONE_AND_OVER)) {
		executor_done(lending, executor, &message);
	} else if (received != -EAGAIN) {
		/* It is dead; the supervisor says when nothing of it is left. */
		(void)epoll_ctl(lending->sessions->epoll, EPOLL_CTL_DEL, executor->channel, NULL);
		if (executor->state == EXECUTOR_IDLE)
			executor_leaves(lending, executor);
	}
	return true;
}

/* Its deadline has come. */
static void executor_expire(struct lending *lending, struct executor *executor)
{
	const struct peer *peer;

	if (executor->state == EXECUTOR_IDLE) {
		executor_leaves(lending, executor);
		executor_close(lending, executor); /* the end of the file is its end */
		return;
	}
	peer = session_peer(lending->sessions, executor->session);
	if (!lending->retiring || !executor->is_repeatable)
		log_message(LOG_WARNING,
			"uid=%u pid=%d: an executor is given up, it takes too long",
			peer->policy.uid, peer->pid);
	executor->state = EXECUTOR_LEAVING;
	role_tell(
		&lending->sessions->server, MESSAGE_ABANDON, executor_index(lending, executor), 0);
}

uint64_t lending_tick(struct lending *lending, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	if (lending->retry_at <= now)
		lending->retry_at = 0;
	if (lending->retry_at != 0)
		next = lending->retry_at;
	for (int i = 0; i < EXECUTORS_MAX; i++) {
		struct executor *executor = &lending->executors[i];

		if (executor->state != EXECUTOR_BUSY &&
			(executor->state != EXECUTOR_IDLE || i < EXECUTORS_READY))
			continue;
		if (executor->deadline <= now)
			executor_expire(lending, executor);
		else if (executor->deadline < next)
			next = executor->deadline;
	}
	return next;
}

void lending_retire(struct lending *lending)
{
	uint64_t now = clock_msec(), deadline;

	lending->retiring = true;
	for (int i = 0; i < EXECUTORS_MAX; i++) {
		/* What can be repeated goes on at once under the new policy. */
		deadline = lending->executors[i].is_repeatable ? now : now + RETIRE_DEADLINE_MSEC;
		if (lending->executors[i].deadline > deadline)
			lending->executors[i].deadline = deadline;
	}
}

bool lending_is_busy(const struct lending *lending)
{
	for (int i = 0; i < EXECUTORS_MAX; i++)
		if (lending->executors[i].session != NULL)
			return true;
	return false;
}

/* ---- what the supervisor says ---- */

void lending_take_executor(struct lending *lending, uint32_t index, int channel)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = EXECUTOR_KEY(index)};

	lending->wanted = false;
	if (lending->executors[index].state != EXECUTOR_NONE ||
		epoll_ctl(lending->sessions->epoll, EPOLL_CTL_ADD, channel, &event) < 0) {
		close(channel); /* it ends, and the supervisor will say so */
		return;
	}
	lending->executors[index] = (struct executor){
		.state = EXECUTOR_IDLE,
		.channel = channel,
		.deadline = clock_msec() + EXECUTOR_IDLE_MSEC,
	};
}

void lending_lose_executor(struct lending *lending, uint32_t index, bool hanging)
{
	struct executor *executor = &lending->executors[index];
	struct session *session = executor->session;
	enum session_loss loss = lending->retiring                     ? SESSION_LOSS_EXPECTED
				 : executor->state == EXECUTOR_LEAVING ? SESSION_LOSS_LATE
								       : SESSION_LOSS_CRASH;

	if (executor->state == EXECUTOR_NONE) {
		lending->wanted = false; /* it ended before it was there */
		return;
	}
	if (executor->state == EXECUTOR_IDLE)
		executor_leaves(lending, executor);
	executor_close(lending, executor);
	executor->state = EXECUTOR_HANGING;
	executor->session = NULL;
	if (!hanging)
		executor_release(lending, executor, EXECUTOR_NONE);
	if (session != NULL)
		lending_follow(lending, session, session_settle(lending->sessions, session, loss));
}

/* SPDX-License-Identifier: MIT */
/*
 * The worker: from an event to whoever deals with it.
 *
 *	a connection has a packet	-> session_ready(), and it queues for its uid's turn
 *	its turn comes			-> session_serve(): peek, decode, decide, do, reply
 *	its uid asks too fast		-> over_rate, until the rate permits more
 *	it may wait, or a descriptor came	-> lending_add(), and an executor does it
 *	it is for the supervisor	-> asking_add(), and the supervisor does it
 *
 * Must never: receive a client's descriptor, wait for anything but events, or allocate.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "asking.h"
#include "child.h"
#include "clock.h"
#include "lending.h"
#include "memory.h"
#include "role.h"

/* An event's key for the channel to the supervisor; executors' are just above SESSION_KEY_MAX. */
#define CHANNEL_KEY UINT64_MAX

static struct sessions sessions;
static struct lending *lending;
static struct asking *asking;
static struct turns ready = {.kind = TURN_READY};
static struct turns over_rate = {.kind = TURN_RATE};
static uint64_t resume_at;  /* when those that have paused are looked at again */
static uint64_t release_at; /* the same of those over their rate */
static bool some_are_gone;  /* of those that wait for their turn or their rate */

/* ---- what the supervisor says ---- */

static void worker_deal(const struct message *message, int fd)
{
	if (message->slot >= SESSIONS_MAX || sessions.table[message->slot].state != SESSION_FREE ||
		sessions.peers->table[message->slot].serial != message->serial)
		role_end(&sessions.server); /* never so, unless one of us is broken */
	lending_follow(
		lending, &sessions.table[message->slot], session_begin(&sessions, message, fd));
}

static void worker_take_answer(const struct message *message, int fd)
{
	enum session_next next = SESSION_GOES_ON;
	struct session *session = asking_answered(asking, message, fd, &next);

	if (session != NULL)
		lending_follow(lending, session, next);
}

/* Does a descriptor belong to the message? */
static bool message_has_descriptor(const struct message *message)
{
	return message->type == MESSAGE_DEAL || message->type == MESSAGE_EXECUTOR ||
	       (message->type == MESSAGE_CLONED && message->error == 0);
}

/* fd is the descriptor that came along, or -1. */
static void worker_obey(const struct message *message, int fd)
{
	switch (message->type) {
	case MESSAGE_DEAL:
		worker_deal(message, fd);
		return;
	case MESSAGE_EXECUTOR:
		if (message->slot < EXECUTORS_MAX)
			lending_take_executor(lending, message->slot, fd);
		return;
	case MESSAGE_EXECUTOR_GONE:
		if (message->slot < EXECUTORS_MAX)
			lending_lose_executor(lending, message->slot, message->flag != 0);
		return;
	case MESSAGE_LIMITED:
	case MESSAGE_CLONED:
		worker_take_answer(message, fd);
		return;
	case MESSAGE_RETIRE:
		sessions_retire(&sessions);
		lending_retire(lending);
		return;
	default:
		return;
	}
}

static void worker_hear(void)
{
	struct message message;
	int fd, received;

	received = channel_receive(CHILD_CHANNEL, &message, &fd);
	if (received == -EAGAIN)
		return;
	if (received != 1)
		role_end(&sessions.server); /* the supervisor is gone */
	if (message_has_descriptor(&message) == (fd >= 0))
		worker_obey(&message, fd);
	else
		role_end(&sessions.server); /* out of descriptors: the next one starts afresh */
}

/* ---- the loop ---- */

static void worker_event(const struct epoll_event *event)
{
	const uint64_t key = event->data.u64;
	struct session *session;

	if (key == CHANNEL_KEY) {
		worker_hear();
		return;
	}
	if (lending_hear(lending, key))
		return;
	if ((event->events & EPOLLHUP) != 0 && session_hung_up(&sessions, key))
		some_are_gone = true;
	session = session_ready(&sessions, key);
	if (session != NULL)
		turns_add(&ready, session);
}

/* What serving or resuming a session came to. */
static void worker_follow(struct session *session, enum session_next next)
{
	if (next == SESSION_HAS_MORE)
		turns_add(&ready, session);
	else if (next == SESSION_NEEDS_SUPERVISOR)
		asking_add(asking, session);
	else
		lending_follow(lending, session, next);
}

/* Who has hung up waits for no answer, and must not keep the place of one who does. */
static void worker_hold_back(struct session *session)
{
	if (session->gone) {
		worker_follow(session, session_leave(&sessions, session));
		return;
	}
	if (over_rate.next == NULL)
		release_at = clock_msec() + RATE_RECHECK_MSEC;
	turns_add(&over_rate, session);
}

/* Those that have hung up since they are held back end; the others wait on, in their order. */
static void worker_end_gone(void)
{
	struct session *held = NULL, **last = &held, *session;

	some_are_gone = false;
	while ((session = turns_take(&over_rate, NULL, 0)) != NULL) {
		*last = session;
		last = &session->queue_next;
	}
	while (held != NULL) {
		session = held;
		held = session->queue_next;
		worker_hold_back(session);
	}
}

static void worker_release(uint64_t now)
{
	if (over_rate.next == NULL || now < release_at)
		return;
	if (some_are_gone)
		worker_end_gone();
	release_at = now + RATE_RECHECK_MSEC;
	turns_release(&over_rate, &ready, clock_nsec());
}

/* Each uid that has something ready gets one packet served. */
static void worker_serve_round(void)
{
	for (uint32_t i = ready.accounts; i > 0; i--) {
		struct session *session = turns_take(&ready, NULL, 0);

		if (session_is_over_rate(session)) {
			worker_hold_back(session);
			continue;
		}
		atomic_store_explicit(
			&sessions.hands->serving, session->slot, memory_order_relaxed);
		worker_follow(session, session_serve(&sessions, session));
		atomic_store_explicit(&sessions.hands->serving, HANDS_NOBODY, memory_order_relaxed);
	}
}

static void worker_ask(void)
{
	enum session_next next = SESSION_GOES_ON;
	struct session *gone;

	while ((gone = asking_ask(asking, &next)) != NULL)
		lending_follow(lending, gone, next);
}

static void worker_resume_paused(uint64_t now)
{
	struct session *session;

	if (sessions.paused == NULL || now < resume_at)
		return;
	resume_at = now + UNREAD_RECHECK_MSEC;
	session = sessions_take_paused(&sessions);

	while (session != NULL) {
		struct session *next = session->queue_next;

		worker_follow(session, session_resume(&sessions, session));
		session = next;
	}
}

/* How long to wait for events, in milliseconds; -1: until there are some. */
static int worker_timeout(void)
{
	uint64_t now = clock_msec(), next = lending_tick(lending, now);

	if (ready.next != NULL && !sessions.retiring)
		return 0;
	if (sessions.paused != NULL && resume_at < next)
		next = resume_at > now ? resume_at : now;
	if (over_rate.next != NULL && release_at < next)
		next = release_at > now ? release_at : now;
	return next == UINT64_MAX ? -1 : (int)(next - now);
}

static void worker_loop(void)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	while (!sessions.retiring || lending_is_busy(lending)) {
		int timeout = worker_timeout(), count;

		/* All that there is, or who came first would have the first turn for ever. */
		do {
			count = epoll_wait(sessions.epoll, events, EVENTS_AT_ONCE, timeout);
			for (int i = 0; i < count; i++)
				worker_event(&events[i]);
			timeout = 0;
		} while (count == EVENTS_AT_ONCE);
		worker_resume_paused(clock_msec());
		worker_release(clock_msec());
		if (!sessions.retiring)
			worker_serve_round();
		if (!sessions.retiring)
			worker_ask();
		lending_assign(lending);
		role_wake_log(&sessions.server);
	}
}

static uint32_t unread_max(void)
{
	struct rlimit limit = {.rlim_cur = 1024};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	return (uint32_t)(limit.rlim_cur < UINT32_MAX ? limit.rlim_cur : UINT32_MAX) /
	       UNREAD_RESULTS_DIVISOR;
}

static int worker_begin(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = CHANNEL_KEY};
	size_t size;

	sessions.hands = memory_map(
		CHILD_HANDS, PROT_READ | PROT_WRITE, MAP_SHARED, sizeof(*sessions.hands), &size);
	if (sessions.hands == NULL)
		return -EBADF;
	atomic_store_explicit(&sessions.hands->serving, HANDS_NOBODY, memory_order_relaxed);
	sessions.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sessions.epoll < 0 ||
		epoll_ctl(sessions.epoll, EPOLL_CTL_ADD, CHILD_CHANNEL, &event) < 0)
		return -errno;
	lending = lending_open(&sessions);
	asking = asking_open(&sessions);
	sessions.unread_max = unread_max();
	return role_begin(ROLE_WORKER, &sessions.server, &sessions.peers);
}

int worker_main(void)
{
	if (worker_begin() < 0)
		return 1;
	role_tell(&sessions.server, MESSAGE_READY, 0, 0);
	worker_loop();
	return 0;
}

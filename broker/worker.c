/* SPDX-License-Identifier: MIT */
/*
 * The worker: the life of one request.
 *
 *	epoll says that a connection has a packet	-> worker_watch()
 *	its uid's turn comes				-> turns_take()
 *	peek, decode, decide, do, reply, consume	-> session_serve()
 *	or, what may wait or carries a descriptor	-> session_lend() to an executor
 *
 * The packet is peeked at and leaves the queue only after it was answered, so a worker that dies
 * loses none: its successor answers again, and the client drops the second answer by its id. What
 * an executor takes is done once; its ids are noted (hands.h), and when nobody knows what became of
 * them, that is the answer.
 *
 * Must never: receive a client's descriptor, wait for anything but events, or allocate.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accounts.h"
#include "channel.h"
#include "child.h"
#include "cleanup.h"
#include "clock.h"
#include "connection.h"
#include "hands.h"
#include "limits.h"
#include "log.h"
#include "role.h"
#include "session.h"
#include "turns.h"

enum executor_state {
	EXECUTOR_NONE = 0,
	EXECUTOR_IDLE,
	EXECUTOR_BUSY,
	EXECUTOR_ABANDONED, /* it is to end, and the supervisor will say when it has */
	EXECUTOR_HANGING,   /* it touches nothing any more, but its end is still to come */
};

struct executor {
	enum executor_state state;
	int channel;
	struct session *session;
	struct account *account; /* who is charged for it */
	uint64_t deadline;       /* BUSY: when to give it up. IDLE: when to let it go */
};

static struct worker {
	struct server server;
	struct hands *hands;
	int epoll;
	bool retiring;
	bool executor_wanted; /* the supervisor has been asked for one more */
	struct session sessions[SESSIONS_MAX];
	struct accounts accounts;
	struct turns ready, waiting;
	struct session *paused;
	struct executor executors[EXECUTORS_MAX];
	unsigned int executors_used; /* not idle, not none */
	unsigned char packet[FDBROKER_PACKET_MAX + 1];
	struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
} worker = {
	.ready.kind = TURN_READY,
	.waiting.kind = TURN_EXECUTOR,
};

/* What an epoll event is about: a session's slot and serial, or one of these. */
#define EVENT_CHANNEL UINT64_MAX
#define EVENT_EXECUTOR(index) (UINT64_MAX - 1 - (index))

/* ---- talking to the supervisor ---- */

/* Without the supervisor there is nothing to live for; PDEATHSIG is on its way. */
static void worker_tell(enum message_type type, uint32_t slot, uint32_t serial)
{
	struct message message = {.type = type, .slot = slot, .serial = serial};

	if (channel_send(CHILD_CHANNEL, &message, -1) < 0)
		_exit(1);
}

/* ---- sessions: watching and ending ---- */

static void session_watch(struct session *session)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)session->serial << 32 | session->slot,
	};

	session->state = SESSION_IDLE;
	if (worker.retiring)
		return; /* its packets are the successor's */
	if (epoll_ctl(worker.epoll, EPOLL_CTL_ADD, session->fd, &event) < 0) {
		log_message(LOG_ERR, "cannot watch a connection: %s", strerror(errno));
		_exit(1);
	}
}

/* Before anything else gets at its queue, and before it is closed: a duplicate would keep it there.
 */
static void session_unwatch(struct session *session)
{
	(void)epoll_ctl(worker.epoll, EPOLL_CTL_DEL, session->fd, NULL);
}

static void session_wait_for_executor(struct session *session)
{
	session->state = SESSION_WAITING;
	turns_add(&worker.waiting, session);
}

/* The session is in no queue and not watched. What is left in its queue is discarded first. */
static void session_end(struct session *session)
{
	if (!session->ending) {
		session->ending = true;
		connection_shut(session->fd);
	}
	if (!connection_is_drained(session->fd)) {
		session_wait_for_executor(session);
		return;
	}
	close(session->fd);
	account_remove_session(&worker.accounts, session->account);
	worker_tell(MESSAGE_ENDED, session->slot, session->serial);
	session->state = SESSION_FREE;
}

static void session_protocol_error(struct session *session, const char *why)
{
	log_message(LOG_NOTICE, "protocol error: uid=%u pid=%d: %s; connection ended",
		session->peer.uid, session->pid, why);
	session_end(session);
}

/* ---- one packet ---- */

/* Has the client read its replies? Each may hold descriptors that count against our uid, unix(7).
 */
static bool session_must_pause(struct session *session)
{
	int unread = 0;

	if (session->unread_results < UNREAD_RESULTS_MAX)
		return false;
	if (ioctl(session->fd, SIOCOUTQ, &unread) == 0 && unread == 0)
		session->unread_results = 0;
	return session->unread_results > 0;
}

static void session_pause(struct session *session)
{
	session_unwatch(session);
	session->state = SESSION_PAUSED;
	session->queue_next = worker.paused;
	worker.paused = session;
}

/* Looks at the packet at the head of the queue. Returns its length, or a negative errno. */
static ssize_t session_peek(struct session *session, bool *descriptors)
{
	struct iovec data = {.iov_base = worker.packet, .iov_len = sizeof(worker.packet)};
	struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};
	ssize_t length;

	do
		length = recvmsg(session->fd, &packet, MSG_PEEK | MSG_DONTWAIT);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	*descriptors = (packet.msg_flags & MSG_CTRUNC) != 0;
	return length;
}

static void session_lend(struct session *session)
{
	session_unwatch(session);
	session_wait_for_executor(session);
}

/* What was answered leaves the queue: it was seen to carry no descriptor. */
static void session_consume(struct session *session)
{
	(void)recv(session->fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
}

/* A well-formed packet of `count` requests is in worker.requests. */
static void session_serve_packet(struct session *session, uint32_t first_id, unsigned int count)
{
	const struct asker asker = {.peer = &session->peer, .pid = session->pid};
	int served;

	served = serve_packet(
		&worker.server, &asker, session->fd, first_id, worker.requests, count, -1);
	if (served == SERVED_BY_EXECUTOR) {
		session_lend(session);
		return;
	}
	session_consume(session);
	session->unread_results += count;
	if (served < 0) {
		/* EPIPE: it is gone. EAGAIN: it fills its queue and does not read. */
		session_unwatch(session);
		session_end(session);
		return;
	}
	session->state = SESSION_IDLE;
}

/* The end of file, an error, or an empty packet, which reads like the end of file. */
static void session_hang_up(struct session *session)
{
	session_unwatch(session);
	connection_shut(session->fd);
	if (connection_is_drained(session->fd))
		session_end(session);
	else
		session_protocol_error(session, "an empty packet, or one that came with the end");
}

static void session_serve(struct session *session)
{
	const char *why = NULL;
	bool descriptors = false;
	uint32_t first_id;
	ssize_t length;
	int count;

	if (session_must_pause(session)) {
		session_pause(session);
		return;
	}
	length = session_peek(session, &descriptors);
	if (length == -EAGAIN) {
		session->state = SESSION_IDLE;
		return;
	}
	if (length <= 0) {
		session_hang_up(session);
		return;
	}
	count = fdbroker_packet_decode(
		worker.packet, (size_t)length, &first_id, worker.requests, &why);
	if (count > 0 &&
		descriptors != fdbroker_operation_takes_descriptor(worker.requests[0].operation)) {
		why = descriptors ? "a descriptor that no request asks for"
				  : "a request without its descriptor";
		count = -EPROTO;
	}
	if (count < 0) {
		session_unwatch(session);
		session_protocol_error(session, why);
		return;
	}
	if (descriptors)
		session_lend(session);
	else
		session_serve_packet(session, first_id, (unsigned int)count);
}

/*
 * The ids of the packet at the head of the queue, for the note of what is lent. A packet that is
 * none has no ids: count 0.
 */
static struct hand session_head(struct session *session)
{
	struct hand hand = {.count = 0};
	bool descriptors;
	ssize_t length = session_peek(session, &descriptors);
	int count;

	if (length <= 0)
		return hand;
	count = fdbroker_packet_decode(
		worker.packet, (size_t)length, &hand.id, worker.requests, &(const char *){NULL});
	hand.count = count > 0 ? (uint32_t)count : 0;
	return hand;
}

/*
 * Somebody who had this packet in hand is gone. Either it was never taken, and is served anew; or
 * it was, and what became of it nobody knows.
 */
static void session_settle(struct session *session, struct hand hand)
{
	struct hand head = session_head(session);

	worker.hands->lent[session->slot].count = 0;
	if (hand.count > 0 && (head.count != hand.count || head.id != hand.id) &&
		serve_unknown(session->fd, hand.id, hand.count) < 0) {
		session_end(session);
		return;
	}
	session_watch(session);
}

/* ---- executors ---- */

static bool executor_share_permits(const struct account *account)
{
	return share_permits(account->jobs, EXECUTORS_MAX, worker.executors_used);
}

static struct executor *executor_idle(void)
{
	for (int i = 0; i < EXECUTORS_MAX; i++)
		if (worker.executors[i].state == EXECUTOR_IDLE)
			return &worker.executors[i];
	return NULL;
}

static void executor_want(void)
{
	if (worker.executor_wanted)
		return;
	for (int i = 0; i < EXECUTORS_MAX; i++) {
		if (worker.executors[i].state == EXECUTOR_NONE) {
			worker.executor_wanted = true;
			worker_tell(MESSAGE_WANT_EXECUTOR, (uint32_t)i, 0);
			return;
		}
	}
}

static bool executor_send(struct executor *executor, struct session *session)
{
	struct message job = {
		.type = session->ending ? MESSAGE_DRAIN : MESSAGE_TAKE,
		.slot = session->slot,
		.serial = session->serial,
		.pid = session->pid,
		.peer = session->peer,
	};

	if (!session->ending)
		worker.hands->lent[session->slot] = session_head(session);
	return channel_send(executor->channel, &job, session->fd) == 0;
}

/* An executor without a job is not needed, or not there any more. */
static void executor_set_aside(struct executor *executor)
{
	executor->state = EXECUTOR_ABANDONED;
	worker.executors_used++;
}

static void executor_close(struct executor *executor)
{
	if (executor->channel < 0)
		return;
	(void)epoll_ctl(worker.epoll, EPOLL_CTL_DEL, executor->channel, NULL);
	close(executor->channel);
	executor->channel = -1;
}

static void executor_give(struct executor *executor, struct session *session)
{
	if (!executor_send(executor, session)) {
		/* It is dead, and the supervisor will say so; others are there or will be. */
		executor_set_aside(executor);
		session_wait_for_executor(session);
		return;
	}
	executor->state = EXECUTOR_BUSY;
	executor->session = session;
	executor->account = session->account;
	executor->deadline =
		clock_msec() + (worker.retiring ? RETIRE_DEADLINE_MSEC : EXECUTOR_DEADLINE_MSEC);
	worker.executors_used++;
	account_add_job(session->account);
	session->state = SESSION_LENT;
}

/* Work that waits goes to executors that are idle. */
static void executors_assign(void)
{
	for (;;) {
		struct executor *executor = executor_idle();
		struct session *session;

		if (worker.waiting.next == NULL || worker.retiring)
			return;
		if (executor == NULL) {
			executor_want();
			return;
		}
		session = turns_take(&worker.waiting, executor_share_permits);
		if (session == NULL)
			return;
		executor_give(executor, session);
	}
}

/* Its job is over, one way or the other; the account is not charged any more. */
static void executor_release(struct executor *executor, enum executor_state state)
{
	if (executor->account != NULL)
		account_remove_job(&worker.accounts, executor->account);
	executor->account = NULL;
	executor->session = NULL;
	worker.executors_used--;
	executor->state = state;
}

static void executor_done(struct executor *executor, const struct message *message)
{
	struct session *session = executor->session;

	if (executor->state != EXECUTOR_BUSY || session == NULL)
		return;
	executor_release(executor, EXECUTOR_IDLE);
	executor->deadline = clock_msec() + EXECUTOR_IDLE_MSEC;
	session->unread_results += worker.hands->lent[session->slot].count;
	worker.hands->lent[session->slot].count = 0;
	if (session->ending || message->flag)
		session_end(session);
	else
		session_watch(session);
}

static void executor_ready(struct executor *executor)
{
	struct message message;
	int fd, received;

	if (executor->channel < 0)
		return;
	received = channel_receive(executor->channel, &message, &fd);
	if (fd >= 0)
		close(fd);
	if (received == 1 && message.type == MESSAGE_DONE) {
		executor_done(executor, &message);
		return;
	}
	if (received == -EAGAIN)
		return;
	/* It is dead; the supervisor says when nothing of it can touch the connection any more. */
	(void)epoll_ctl(worker.epoll, EPOLL_CTL_DEL, executor->channel, NULL);
}

/* Its deadline has come. */
static void executor_expire(struct executor *executor)
{
	if (executor->state == EXECUTOR_IDLE) {
		executor_set_aside(executor);
		executor_close(executor); /* the end of the file is its end */
		return;
	}
	log_message(LOG_WARNING, "uid=%u pid=%d: an executor is given up, it takes too long",
		executor->session->peer.uid, executor->session->pid);
	executor->state = EXECUTOR_ABANDONED;
	worker_tell(MESSAGE_ABANDON, (uint32_t)(executor - worker.executors), 0);
}

/* Gives up those that take too long. Returns when to look again. */
static uint64_t executors_expire(uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < EXECUTORS_MAX; i++) {
		struct executor *executor = &worker.executors[i];

		if (executor->state != EXECUTOR_BUSY &&
			(executor->state != EXECUTOR_IDLE || i < EXECUTORS_READY))
			continue;
		if (executor->deadline <= now)
			executor_expire(executor);
		else if (executor->deadline < next)
			next = executor->deadline;
	}
	return next;
}

/* The supervisor: it is dead, or it hangs where it cannot touch the connection (message->flag). */
static void executor_gone(struct executor *executor, bool hanging)
{
	struct session *session = executor->session;

	if (executor->state == EXECUTOR_NONE) {
		worker.executor_wanted = false; /* it ended before it was there */
		return;
	}
	if (executor->state == EXECUTOR_IDLE)
		worker.executors_used++; /* as if it had been at work */
	executor_close(executor);
	executor->session = NULL;
	executor->state = EXECUTOR_HANGING;
	if (!hanging)
		executor_release(executor, EXECUTOR_NONE);
	if (session == NULL)
		return;
	if (session->ending)
		session_end(session);
	else
		session_settle(session, worker.hands->lent[session->slot]);
}

static void executor_add(uint32_t index, int channel)
{
	struct executor *executor = &worker.executors[index];
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = EVENT_EXECUTOR(index)};

	if (epoll_ctl(worker.epoll, EPOLL_CTL_ADD, channel, &event) < 0)
		_exit(1);
	*executor = (struct executor){
		.state = EXECUTOR_IDLE,
		.channel = channel,
		.deadline = clock_msec() + EXECUTOR_IDLE_MSEC,
	};
	worker.executor_wanted = false;
}

/* ---- what the supervisor says ---- */

static void worker_deal(const struct message *message, int fd)
{
	struct session *session = &worker.sessions[message->slot];

	*session = (struct session){
		.fd = fd,
		.slot = message->slot,
		.serial = message->serial,
		.pid = message->pid,
		.account = account_add_session(&worker.accounts, message->peer.uid),
		.peer = message->peer,
	};
	if (message->flag)
		session_end(session);
	else
		session_settle(session, message->hand);
}

/* From now on nothing new is begun. */
static void worker_retire(void)
{
	uint64_t deadline = clock_msec() + RETIRE_DEADLINE_MSEC;

	worker.retiring = true;
	for (int i = 0; i < EXECUTORS_MAX; i++)
		if (worker.executors[i].deadline > deadline)
			worker.executors[i].deadline = deadline;
	for (uint32_t slot = 0; slot < SESSIONS_MAX; slot++)
		if (worker.sessions[slot].state == SESSION_IDLE ||
			worker.sessions[slot].state == SESSION_READY)
			session_unwatch(&worker.sessions[slot]);
}

static void worker_obey(const struct message *message, int fd)
{
	switch (message->type) {
	case MESSAGE_DEAL:
		if (message->slot < SESSIONS_MAX && fd >= 0)
			worker_deal(message, fd);
		return;
	case MESSAGE_EXECUTOR:
		if (message->slot < EXECUTORS_MAX && fd >= 0)
			executor_add(message->slot, fd);
		return;
	case MESSAGE_EXECUTOR_GONE:
		if (message->slot < EXECUTORS_MAX)
			executor_gone(&worker.executors[message->slot], message->flag);
		return;
	case MESSAGE_RETIRE:
		worker_retire();
		return;
	default:
		return;
	}
}

/* ---- the loop ---- */

static void worker_hear(void)
{
	struct message message;
	int fd, received;

	received = channel_receive(CHILD_CHANNEL, &message, &fd);
	if (received == 1)
		worker_obey(&message, fd);
	else if (received != -EAGAIN)
		_exit(1); /* the supervisor is gone */
}

static void worker_event(const struct epoll_event *event)
{
	uint32_t slot = (uint32_t)event->data.u64;
	struct session *session;

	if (event->data.u64 == EVENT_CHANNEL) {
		worker_hear();
		return;
	}
	if (event->data.u64 >= EVENT_EXECUTOR(EXECUTORS_MAX - 1)) {
		executor_ready(&worker.executors[EVENT_EXECUTOR(0) - event->data.u64]);
		return;
	}
	/* The serial tells an event of the slot's last user, which the same call may have returned.
	 */
	session = &worker.sessions[slot];
	if (worker.retiring || session->state != SESSION_IDLE ||
		session->serial != event->data.u64 >> 32)
		return;
	session->state = SESSION_READY;
	turns_add(&worker.ready, session);
}

/* Each uid that has something ready gets one packet served. */
static void worker_serve_round(void)
{
	for (uint32_t i = worker.ready.accounts; i > 0; i--) {
		struct session *session = turns_take(&worker.ready, NULL);

		if (session == NULL)
			return;
		atomic_store_explicit(&worker.hands->serving, session->slot, memory_order_relaxed);
		session_serve(session);
		atomic_store_explicit(&worker.hands->serving, HANDS_NOBODY, memory_order_relaxed);
	}
}

static void worker_resume_paused(void)
{
	struct session *session = worker.paused;

	worker.paused = NULL;
	while (session != NULL) {
		struct session *next = session->queue_next;

		if (session_must_pause(session)) {
			session->queue_next = worker.paused;
			worker.paused = session;
		} else {
			session_watch(session);
		}
		session = next;
	}
}

static bool worker_may_end(void)
{
	if (!worker.retiring)
		return false;
	for (int i = 0; i < EXECUTORS_MAX; i++)
		if (worker.executors[i].state == EXECUTOR_BUSY ||
			worker.executors[i].state == EXECUTOR_ABANDONED)
			return false;
	return true;
}

/* How long to wait for events, in milliseconds; -1: until there are some. */
static int worker_timeout(void)
{
	uint64_t now = clock_msec(), next = executors_expire(now);

	if (worker.ready.next != NULL && !worker.retiring)
		return 0;
	if (worker.paused != NULL && now + UNREAD_RECHECK_MSEC < next)
		next = now + UNREAD_RECHECK_MSEC;
	return next == UINT64_MAX ? -1 : (int)(next - now);
}

static void worker_loop(void)
{
	struct epoll_event events[64];

	while (!worker_may_end()) {
		int count = epoll_wait(worker.epoll, events, 64, worker_timeout());

		for (int i = 0; i < count; i++)
			worker_event(&events[i]);
		if (worker.paused != NULL)
			worker_resume_paused();
		if (!worker.retiring)
			worker_serve_round();
		executors_assign();
		role_wake_log(&worker.server);
	}
}

static int worker_begin(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = EVENT_CHANNEL};

	worker.hands = mmap(
		NULL, sizeof(*worker.hands), PROT_READ | PROT_WRITE, MAP_SHARED, CHILD_HANDS, 0);
	if (worker.hands == MAP_FAILED)
		return -errno;
	close(CHILD_HANDS);
	atomic_store_explicit(&worker.hands->serving, HANDS_NOBODY, memory_order_relaxed);
	worker.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (worker.epoll < 0 || epoll_ctl(worker.epoll, EPOLL_CTL_ADD, CHILD_CHANNEL, &event) < 0)
		return -errno;
	return role_begin(ROLE_WORKER, &worker.server);
}

int worker_main(void)
{
	if (worker_begin() < 0)
		return 1;
	worker_tell(MESSAGE_READY, 0, 0);
	worker_loop();
	return 0;
}

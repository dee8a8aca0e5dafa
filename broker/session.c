/* SPDX-License-Identifier: MIT */
/*
 * The life of one packet in a worker: peek, decode, decide and do, reply, and only then take it out
 * of the queue. A worker that dies loses none: its successor answers again, and the client drops
 * the second answer by its id. What an executor takes is done once; its ids are noted (hands.h).
 *
 * Must never: receive a client's descriptor, wait, or allocate.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"
#include "log.h"
#include "operations/serve.h"
#include "role.h"
#include "session.h"
#include "unread.h"

uint64_t session_key(const struct session *session)
{
	return (uint64_t)session->serial << 32 | session->slot;
}

const struct peer *session_peer(const struct sessions *sessions, const struct session *session)
{
	return &sessions->peers->table[session->slot];
}

/* ---- watching ---- */

static void session_watch(struct sessions *sessions, struct session *session)
{
	/* Edge-triggered, epoll(7): served until its queue is empty, it is not reported meanwhile.
	 */
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = session_key(session)};

	session->state = SESSION_IDLE;
	if (sessions->retiring)
		return; /* its packets are the successor's */
	if (epoll_ctl(sessions->epoll, EPOLL_CTL_ADD, session->fd, &event) < 0) {
		log_message(LOG_ERR, "cannot watch a connection: %s", strerror(errno));
		role_end(&sessions->server);
	}
}

/* Before anybody else gets at its queue, and before it is closed: a duplicate would keep it there.
 */
static void session_unwatch(struct sessions *sessions, struct session *session)
{
	(void)epoll_ctl(sessions->epoll, EPOLL_CTL_DEL, session->fd, NULL);
}

static enum session_next session_needs_executor(struct session *session)
{
	session->state = SESSION_WAITING;
	return SESSION_NEEDS_EXECUTOR;
}

/* ---- ending ---- */

/* It is in no queue, and not watched. What is left in its own queue is discarded first. */
static enum session_next session_end(struct sessions *sessions, struct session *session)
{
	session->ending = true;
	connection_shut(session->fd);
	if (!connection_is_drained(session->fd))
		return session_needs_executor(session);
	close(session->fd);
	unread_forget_lent(sessions, session);
	unread_forget(sessions, session);
	account_remove_session(&sessions->accounts, session->account);
	session->state = SESSION_FREE;
	role_tell(&sessions->server, MESSAGE_ENDED, session->slot, session->serial);
	return SESSION_GOES_ON;
}

static enum session_next session_protocol_error(
	struct sessions *sessions, struct session *session, const char *why)
{
	const struct peer *peer = session_peer(sessions, session);

	log_message(LOG_NOTICE, "protocol error: uid=%u pid=%d: %s; connection ended",
		peer->policy.uid, peer->pid, why);
	return session_end(sessions, session);
}

/* The end of file, an error, or an empty packet, which reads like the end of file. */
static enum session_next session_hang_up(struct sessions *sessions, struct session *session)
{
	session_unwatch(sessions, session);
	connection_shut(session->fd);
	if (connection_is_drained(session->fd))
		return session_end(sessions, session);
	return session_protocol_error(
		sessions, session, "an empty packet, or one that came with the end");
}

/* ---- pausing ---- */

static enum session_next session_pause(struct sessions *sessions, struct session *session)
{
	session_unwatch(sessions, session);
	session->paused_from = session->state;
	session->state = SESSION_PAUSED;
	session->paused_until = clock_msec() + UNREAD_DEADLINE_MSEC;
	session->queue_next = sessions->paused;
	sessions->paused = session;
	return SESSION_GOES_ON;
}

struct session *sessions_take_paused(struct sessions *sessions)
{
	struct session *paused = sessions->paused;

	sessions->paused = NULL;
	if (paused == NULL)
		return NULL;
	/* What another connection of the same user has read makes room as well. */
	for (uint32_t slot = 0; slot < sessions->slots_used; slot++)
		if (sessions->table[slot].state != SESSION_FREE)
			unread_recount(sessions, &sessions->table[slot]);
	return paused;
}

/* As it was before it paused; what it was charged for is not charged again. */
static enum session_next session_go_on(struct sessions *sessions, struct session *session)
{
	session->state = session->paused_from;
	if (session->state == SESSION_WAITING)
		return SESSION_NEEDS_EXECUTOR;
	if (session->state == SESSION_ASKING)
		return SESSION_NEEDS_SUPERVISOR;
	session_watch(sessions, session);
	return SESSION_GOES_ON;
}

enum session_next session_resume(struct sessions *sessions, struct session *session)
{
	if (unread_permits_answer(sessions, session))
		return session_go_on(sessions, session);
	/* What is not sent yet nobody can have read. */
	if (unread_waits_for_lent(sessions, session))
		session->paused_until = clock_msec() + UNREAD_DEADLINE_MSEC;
	if (session->paused_until <= clock_msec())
		return session_protocol_error(sessions, session, "it does not read its replies");
	session->queue_next = sessions->paused;
	sessions->paused = session;
	return SESSION_GOES_ON;
}

/* ---- one packet ---- */

/* A packet as it was peeked at; what it holds points into memory that the next one reuses. */
struct peeked {
	ssize_t length;   /* or a negative errno */
	bool descriptors; /* some came along */
	int count;        /* of requests; negative: it is malformed, and why says how */
	uint32_t first_id;
	const struct fdbroker_request *requests;
	const char *why;
};

/* Peeks without room for descriptors: MSG_CTRUNC says that there are some. */
static struct peeked session_peek(const struct session *session)
{
	static unsigned char bytes[FDBROKER_PACKET_MAX + 1]; /* one more shows what is too long */
	static struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
	struct iovec data = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};
	struct peeked peeked = {.requests = requests};

	do
		peeked.length = recvmsg(session->fd, &packet, MSG_PEEK | MSG_DONTWAIT);
	while (peeked.length < 0 && errno == EINTR);
	if (peeked.length < 0)
		peeked.length = -errno;
	if (peeked.length <= 0)
		return peeked;
	peeked.descriptors = (packet.msg_flags & MSG_CTRUNC) != 0;
	peeked.count = fdbroker_packet_decode(
		bytes, (size_t)peeked.length, &peeked.first_id, requests, &peeked.why);
	return peeked;
}

/* What was answered leaves the queue. It was seen to carry no descriptor. */
static void session_consume(const struct session *session)
{
	(void)recv(session->fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
}

static unsigned int request_components(const struct fdbroker_request *request)
{
	unsigned int components = 0;

	for (unsigned int i = 0; i < FDBROKER_TEXTS_MAX; i++)
		for (size_t at = 0; at < request->texts[i].length; at++)
			components += request->texts[i].bytes[at] == '/';
	return components;
}

/* Long paths take long to walk, long limits to match, and one packet may hold many requests. */
static bool packet_is_long(const struct peeked *peeked, const struct peer *peer)
{
	unsigned int components = 0;

	/* No executor narrows or clones. */
	if (peeked->requests[0].operation == FDBROKER_LIMIT ||
		peeked->requests[0].operation == FDBROKER_CLONE)
		return false;
	if ((uint32_t)peeked->count * peer->limits_length > WORKER_LIMITS_BYTES_MAX)
		return true;

	for (int i = 0; i < peeked->count; i++)
		if (fdbroker_operation_traits(peeked->requests[i].operation)->has_paths)
			components += request_components(&peeked->requests[i]);
	return components > WORKER_COMPONENTS_MAX;
}

static enum session_next session_serve_packet(
	struct sessions *sessions, struct session *session, const struct peeked *peeked)
{
	const struct peer *peer = session_peer(sessions, session);
	const struct asker asker = role_asker(sessions->peers, session->slot, peer, session->fd);
	enum served served = SERVED_ELSEWHERE;
	int error = 0;

	if (!packet_is_long(peeked, peer))
		error = serve_packet(&sessions->server, &asker, peeked->first_id, peeked->requests,
			(unsigned int)peeked->count, -1, &served);
	if (served == SERVED_ELSEWHERE) {
		session_unwatch(sessions, session);
		return session_needs_executor(session);
	}
	if (served == SERVED_BY_SUPERVISOR) {
		session_unwatch(sessions, session);
		session->state = SESSION_ASKING;
		return SESSION_NEEDS_SUPERVISOR;
	}
	session_consume(session);
	unread_count(sessions, session, (uint32_t)peeked->count);
	if (error == 0)
		return SESSION_HAS_MORE;
	/* EPIPE: it is gone. EAGAIN: it fills its queue and does not read. */
	session_unwatch(sessions, session);
	return session_end(sessions, session);
}

static bool has_rate(const struct session *session)
{
	return session->quota.requests != UINT32_MAX;
}

bool session_is_over_rate(const struct session *session)
{
	return has_rate(session) && session->account->serve_at > clock_nsec();
}

enum session_next session_serve(struct sessions *sessions, struct session *session)
{
	struct peeked peeked;

	if (!unread_permits_answer(sessions, session))
		return session_pause(sessions, session);
	peeked = session_peek(session);
	if (peeked.length == -EAGAIN) {
		session->state = SESSION_IDLE;
		return SESSION_GOES_ON;
	}
	if (peeked.length <= 0)
		return session_hang_up(sessions, session);
	/* Whether there is one or there are more is for an executor to see, which takes them. */
	if (peeked.count > 0)
		peeked.why =
			fdbroker_descriptors_wrong(&peeked.requests[0], peeked.descriptors ? 1 : 0);
	if (peeked.why != NULL) {
		session_unwatch(sessions, session);
		return session_protocol_error(sessions, session, peeked.why);
	}
	if (has_rate(session))
		account_charge(session->account, session->quota.requests, (uint32_t)peeked.count,
			clock_nsec());
	return session_serve_packet(sessions, session, &peeked);
}

/* ---- lent, and back ---- */

bool session_may_be_lent(struct sessions *sessions, struct session *session)
{
	/* Nothing is answered to one that is ending. */
	if (session->ending || unread_permits_answer(sessions, session))
		return true;
	(void)session_pause(sessions, session);
	return false;
}

unsigned int session_lend(struct sessions *sessions, struct session *session)
{
	struct hand *lent = &sessions->hands->lent[session->slot];
	struct peeked head = session_peek(session);

	if (head.length <= 0 || head.count <= 0) {
		*lent = (struct hand){.count = 0};
		return 0;
	}
	*lent = (struct hand){
		.id = head.first_id,
		.count = (uint32_t)head.count,
		.crashes = lent->id == head.first_id ? lent->crashes : 0,
		.repeats = lent->id == head.first_id ? lent->repeats : 0,
	};
	return head.requests[0].operation;
}

void session_is_lent(struct sessions *sessions, struct session *session)
{
	session->state = SESSION_LENT;
	if (!session->ending)
		unread_count_lent(sessions, session, sessions->hands->lent[session->slot].count);
}

enum session_next session_return(struct sessions *sessions, struct session *session, bool broken)
{
	struct hand *lent = &sessions->hands->lent[session->slot];

	unread_settle_lent(sessions, session);
	*lent = (struct hand){.count = 0};
	if (session->ending || broken)
		return session_end(sessions, session);
	session_watch(sessions, session);
	return SESSION_GOES_ON;
}

/* One more executor is gone over this packet. Is it to be served no more? */
static bool packet_is_given_up(struct hand *lent, enum session_loss loss)
{
	if (loss == SESSION_LOSS_LATE)
		lent->crashes = SESSION_CRASHES_MAX;
	else if (loss == SESSION_LOSS_CRASH)
		lent->crashes++;
	else
		lent->repeats++;
	return lent->crashes >= SESSION_CRASHES_MAX || lent->repeats >= SESSION_REPEATS_MAX;
}

enum session_next session_settle(
	struct sessions *sessions, struct session *session, enum session_loss loss)
{
	struct hand *lent = &sessions->hands->lent[session->slot];
	const uint32_t count = lent->count;
	struct peeked head;
	bool is_taken;

	lent->count = 0;
	unread_forget_lent(sessions, session);
	if (session->ending)
		return session_end(sessions, session);
	head = session_peek(session);
	is_taken = head.length <= 0 || head.count != (int)count || head.first_id != lent->id;
	if (count > 0 && !is_taken && packet_is_given_up(lent, loss)) {
		/* No worker takes a descriptor out of a queue: an executor discards it. */
		if (head.descriptors)
			return session_protocol_error(
				sessions, session, "executors died over a packet of it");
		session_consume(session);
		is_taken = true;
	}
	if (count > 0 && is_taken) {
		unread_count(sessions, session, count);
		if (serve_unknown(session->fd, lent->id, count) < 0)
			return session_end(sessions, session);
	}
	session_watch(sessions, session);
	return SESSION_GOES_ON;
}

/* ---- asked about, and answered ---- */

bool session_ask(struct sessions *sessions, struct session *session, struct question *question,
	enum session_next *next)
{
	struct peeked head;

	*next = SESSION_GOES_ON;
	if (!session_may_be_lent(sessions, session))
		return false;
	head = session_peek(session);
	if (head.length <= 0 || head.count != 1) {
		*next = session_hang_up(sessions, session);
		return false;
	}
	question->id = head.first_id;
	unread_count_lent(sessions, session, 1);
	if (head.requests[0].operation == FDBROKER_LIMIT) {
		question->answer = MESSAGE_LIMITED;
		role_tell_limit(&sessions->server, session->slot, session->serial,
			&head.requests[0].limits);
	} else {
		question->answer = MESSAGE_CLONED;
		role_tell(&sessions->server, MESSAGE_CLONE, session->slot, session->serial);
	}
	return true;
}

enum session_next session_answer(
	struct sessions *sessions, struct session *session, uint32_t id, int outcome, int fd)
{
	int error = serve_outcome(session->fd, id, outcome, fd);

	session_consume(session);
	unread_settle_lent(sessions, session);
	if (error < 0)
		return session_end(sessions, session);
	session_watch(sessions, session);
	return SESSION_GOES_ON;
}

/* ---- coming ---- */

enum session_next session_begin(struct sessions *sessions, const struct message *message, int fd)
{
	struct session *session = &sessions->table[message->slot];
	const struct policy_peer *peer = &sessions->peers->table[message->slot].policy;

	if (message->slot >= sessions->slots_used)
		sessions->slots_used = message->slot + 1;
	*session = (struct session){
		.fd = fd,
		.slot = message->slot,
		.serial = message->serial,
		.ending = message->flag != 0,
		.account = account_add_session(&sessions->accounts, peer->uid),
		.quota = policy_peer_quota(sessions->server.image, peer),
	};
	sessions->hands->lent[session->slot] = message->hand;
	return session_settle(sessions, session, SESSION_LOSS_EXPECTED);
}

struct session *session_ready(struct sessions *sessions, uint64_t key)
{
	struct session *session = &sessions->table[(uint32_t)key];

	if (sessions->retiring || session->state != SESSION_IDLE || session_key(session) != key)
		return NULL;
	session->state = SESSION_READY;
	return session;
}

bool session_hung_up(struct sessions *sessions, uint64_t key)
{
	struct session *session = &sessions->table[(uint32_t)key];

	if (session->state == SESSION_FREE || session_key(session) != key)
		return false;
	session->gone = true;
	return session->state == SESSION_READY;
}

enum session_next session_leave(struct sessions *sessions, struct session *session)
{
	session_unwatch(sessions, session);
	return session_end(sessions, session);
}

void sessions_retire(struct sessions *sessions)
{
	sessions->retiring = true;
	for (uint32_t slot = 0; slot < sessions->slots_used; slot++)
		if (sessions->table[slot].state == SESSION_IDLE ||
			sessions->table[slot].state == SESSION_READY)
			session_unwatch(sessions, &sessions->table[slot]);
}

/* SPDX-License-Identifier: MIT */
/*
 * A session: a worker's side of one connection. It lies at the same slot in the tables of
 * supervisor and worker. A packet of it stays in the connection's queue until it has been answered,
 * so that nothing is lost with the process that serves it.
 *
 * Nothing here knows of executors: what needs one is said (SESSION_NEEDS_EXECUTOR), and whoever
 * called sees to it (lending.h). Likewise what needs the supervisor (asking.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accounts.h"
#include "channel.h"
#include "hands.h"
#include "operations/operation.h"
#include "peers.h"

enum session_state {
	SESSION_FREE = 0,
	SESSION_IDLE,    /* watched for packets */
	SESSION_READY,   /* a packet is there; it waits for its turn, or for its uid's rate */
	SESSION_WAITING, /* it needs an executor, and waits for one */
	SESSION_LENT,    /* an executor has it */
	SESSION_PAUSED,  /* too many unread replies; looked at again by a timer */
	SESSION_ASKING,  /* it needs the supervisor, and waits for its turn or the answer */
};

struct session {
	enum session_state state;
	int fd;
	uint32_t slot, serial;
	bool gone;               /* its client has hung up; perhaps it has left packets */
	bool ending;             /* shut down; only what lies in its queue is left to discard */
	uint32_t unread_results; /* sent since the queue of replies was last seen empty */
	uint32_t lent_results;   /* LENT, ASKING: what whoever has it will send */
	enum session_state paused_from; /* PAUSED: what it was, and will be again */
	uint64_t paused_until;          /* PAUSED: then it is ended */
	struct policy_quota quota;
	struct account *account;
	struct session *queue_next; /* in a queue of turns.h, or the next paused one */
};

enum session_next {
	SESSION_GOES_ON,          /* or has ended; there is nothing to do */
	SESSION_HAS_MORE,         /* READY still: perhaps there is another packet */
	SESSION_NEEDS_EXECUTOR,   /* WAITING, in no queue yet, and not watched */
	SESSION_NEEDS_SUPERVISOR, /* ASKING, in no queue yet, and not watched */
};

/* All sessions of a worker. */
struct sessions {
	struct server server;
	const struct peers *peers;
	struct hands *hands;
	int epoll;           /* an event's data is session_key() */
	uint32_t slots_used; /* beyond them the table was never touched */
	bool retiring;       /* nothing is watched or served any more */
	struct session *paused;
	uint32_t unread_results, unread_max; /* of all, and how many there may be */
	struct accounts accounts;
	struct session table[SESSIONS_MAX];
};

/* Its serial and slot as one number, for epoll; never above SESSION_KEY_MAX. */
uint64_t session_key(const struct session *session);
#define SESSION_KEY_MAX (UINT64_MAX - SESSIONS_MAX)

/* Takes over a connection that was dealt. */
enum session_next session_begin(struct sessions *sessions, const struct message *message, int fd);

/* The session that an event with this key is about, when it is to be served; else NULL. */
struct session *session_ready(struct sessions *sessions, uint64_t key);

/* Its client has hung up, an event says. Returns whether it is READY nevertheless. */
bool session_hung_up(struct sessions *sessions, uint64_t key);

/* Ends one that is READY and in no queue, with all packets that its client has left. */
enum session_next session_leave(struct sessions *sessions, struct session *session);

/* Whether its uid has asked for more than its rate: then it is not to be served yet. */
bool session_is_over_rate(const struct session *session);

/* Serves the packet at the head of its queue. */
enum session_next session_serve(struct sessions *sessions, struct session *session);

/* Those that have paused, by queue_next, to be resumed one by one. */
struct session *sessions_take_paused(struct sessions *sessions);
enum session_next session_resume(struct sessions *sessions, struct session *session);

/* From now on none is watched. */
void sessions_retire(struct sessions *sessions);

/* For the peer's part in messages: "uid=1000 pid=4711". */
const struct peer *session_peer(const struct sessions *sessions, const struct session *session);

/* ---- for whoever lends it to an executor ---- */

/*
 * Whether it may be answered still; while it waited others may have been. If not it has paused, and
 * there is nothing to do.
 */
bool session_may_be_lent(struct sessions *sessions, struct session *session);

/*
 * Notes the packet at the head of its queue as lent, before an executor gets at it. Returns the
 * operation of its first request, or 0 when it is not well-formed.
 */
unsigned int session_lend(struct sessions *sessions, struct session *session);

/* An executor has it from now on; the answers that it will give are counted. */
void session_is_lent(struct sessions *sessions, struct session *session);

/* The executor has answered. broken: the client broke the protocol. */
enum session_next session_return(struct sessions *sessions, struct session *session, bool broken);

/* Why an executor is gone that had a connection. */
enum session_loss {
	SESSION_LOSS_EXPECTED, /* it was to be: another policy is in force */
	SESSION_LOSS_CRASH,    /* it died */
	SESSION_LOSS_LATE,     /* it was given up */
};

/*
 * The executor is gone. Either it had not taken the packet, or had not finished with one that can
 * be repeated, and it is served anew, unless SESSION_CRASHES_MAX have died over it or one was late;
 * or it had, and what became of it nobody knows, which is the answer.
 */
enum session_next session_settle(
	struct sessions *sessions, struct session *session, enum session_loss loss);

/* ---- for whoever asks the supervisor ---- */

struct question {
	uint32_t id; /* of the request */
	enum message_type answer;
};

/*
 * Asks what the packet at the head of its queue needs. False: there is none, it has hung up or had
 * to pause, and *next is what follows.
 */
bool session_ask(struct sessions *sessions, struct session *session, struct question *question,
	enum session_next *next);

/* The answer: 0 or an errno, and a descriptor, which is taken over, or -1. */
enum session_next session_answer(
	struct sessions *sessions, struct session *session, uint32_t id, int outcome, int fd);

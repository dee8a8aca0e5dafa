/* SPDX-License-Identifier: MIT */
/*
 * Lending: a worker's executors, and the sessions that wait for one. A connection is lent with the
 * packet still in its queue; the executor takes the packet, answers, and gives the connection back.
 * One that takes too long is given up: the supervisor ends it, and says when nothing of it can
 * touch the connection any more.
 */
#pragma once

#include "session.h"
#include "turns.h"

struct lending;

/* The one of this process; its channels are watched in sessions->epoll. */
struct lending *lending_open(struct sessions *sessions);

/* Puts a session that needs an executor in the queue for one. */
void lending_add(struct lending *lending, struct session *session);

/* What follows from serving a session: if it needs an executor, lending_add(). */
void lending_follow(struct lending *lending, struct session *session, enum session_next next);

/* Gives work that waits to executors that are idle; wants more of them where there are none. */
void lending_assign(struct lending *lending);

/* Gives up those that take too long. Returns when to call again (UINT64_MAX: not before an event).
 */
uint64_t lending_tick(struct lending *lending, uint64_t now);

/* From now on nothing is lent, and what is has RETIRE_DEADLINE_MSEC. */
void lending_retire(struct lending *lending);

/* Is any session still lent? */
bool lending_is_busy(const struct lending *lending);

/* Is this event's key that of an executor's channel? Then it is dealt with. */
bool lending_hear(struct lending *lending, uint64_t key);

/* The supervisor: here is the channel to a new executor; it is taken over. */
void lending_take_executor(struct lending *lending, uint32_t index, int channel);
/* The supervisor: this executor touches nothing any more. hanging: but it is still there. */
void lending_lose_executor(struct lending *lending, uint32_t index, bool hanging);

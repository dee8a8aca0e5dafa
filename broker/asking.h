/* SPDX-License-Identifier: MIT */
/*
 * Asking: what a session needs that the supervisor alone can do. One question at a time is on its
 * way, so that answers never fill the channel; the sessions that wait take turns by uid. Nobody
 * waits for the answer but the session itself: a worker that ends before takes nothing along, the
 * packet is in its queue, and the next worker asks again.
 */
#pragma once

#include "session.h"
#include "turns.h"

struct asking;

/* The one of this process. */
struct asking *asking_open(struct sessions *sessions);

/* Puts a session that needs the supervisor in the queue. */
void asking_add(struct asking *asking, struct session *session);

/*
 * Asks the next question, if none is on its way. Returns a session that has hung up instead, which
 * *next is about; NULL: there is nothing more to do.
 */
struct session *asking_ask(struct asking *asking, enum session_next *next);

/*
 * The supervisor has answered; takes over fd, or -1. Returns the session that was waiting for it,
 * which *next is about; NULL: nobody was.
 */
struct session *asking_answered(
	struct asking *asking, const struct message *answer, int fd, enum session_next *next);

/* SPDX-License-Identifier: MIT */
/*
 * Taking turns: a queue of sessions that is fair between uids. Each uid with sessions in it has one
 * turn after the other's, however many of its sessions wait; within a uid, first come first served.
 */
#pragma once

#include <stdbool.h>

#include "accounts.h"
#include "session.h"

struct turns {
	enum turn_kind kind;
	struct account *next; /* whose turn it is; NULL: the queue is empty */
	uint32_t accounts;    /* how many have sessions in it */
};

/* Appends a session that is not in this queue. */
void turns_add(struct turns *turns, struct session *session);

/* Moves the sessions of all accounts whose next packet may be served now to another queue. */
void turns_release(struct turns *turns, struct turns *to, uint64_t now_nsec);

/*
 * Takes out the session whose turn it is, of an account that `may` permits; NULL: there is none.
 * NULL for `may` permits all; used is handed to it.
 */
struct session *turns_take(struct turns *turns,
	bool (*may)(const struct account *account, uint32_t used), uint32_t used);

/* SPDX-License-Identifier: MIT */
/* A ring of accounts, each with a list of sessions; see turns.h. */
#include "turns.h"

static void ring_insert(struct turns *turns, struct account *account)
{
	struct turn *turn = &account->turns[turns->kind];

	turns->accounts++;
	if (turns->next == NULL) {
		turn->next = turn->previous = account;
		turns->next = account;
		return;
	}
	/* Before the one whose turn it is: that is last. */
	turn->next = turns->next;
	turn->previous = turns->next->turns[turns->kind].previous;
	turn->previous->turns[turns->kind].next = account;
	turn->next->turns[turns->kind].previous = account;
}

static void ring_remove(struct turns *turns, struct account *account)
{
	struct turn *turn = &account->turns[turns->kind];

	turns->accounts--;
	turn->next->turns[turns->kind].previous = turn->previous;
	turn->previous->turns[turns->kind].next = turn->next;
	if (turns->next == account)
		turns->next = turn->next == account ? NULL : turn->next;
	turn->next = turn->previous = NULL;
}

void turns_add(struct turns *turns, struct session *session)
{
	struct turn *turn = &session->account->turns[turns->kind];

	session->queue_next = NULL;
	if (turn->first == NULL)
		turn->first = session;
	else
		turn->last->queue_next = session;
	turn->last = session;
	if (turn->next == NULL)
		ring_insert(turns, session->account);
}

struct session *turns_take(struct turns *turns,
	bool (*may)(const struct account *account, uint32_t used), uint32_t used)
{
	struct account *account = turns->next;
	struct session *session;
	uint32_t refused = 0;

	if (account == NULL)
		return NULL;
	while (may != NULL && !may(account, used)) {
		account = account->turns[turns->kind].next;
		if (++refused == turns->accounts)
			return NULL;
	}
	turns->next = account->turns[turns->kind].next;
	session = account->turns[turns->kind].first;
	account->turns[turns->kind].first = session->queue_next;
	if (session->queue_next == NULL)
		ring_remove(turns, account);
	session->queue_next = NULL;
	return session;
}

void turns_release(struct turns *turns, struct turns *to, uint64_t now_nsec)
{
	for (uint32_t i = turns->accounts; i > 0; i--) {
		struct account *account = turns->next;
		struct session *session = account->turns[turns->kind].first;

		turns->next = account->turns[turns->kind].next;
		if (account->serve_at > now_nsec)
			continue;
		account->turns[turns->kind].first = NULL;
		ring_remove(turns, account);
		while (session != NULL) {
			struct session *next = session->queue_next;

			turns_add(to, session);
			session = next;
		}
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Counting in three places at once: the connection, its user, and all of them. Must never count in
 * one of these alone, or forget more than was counted.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "limits.h"
#include "unread.h"

void unread_count(struct sessions *sessions, struct session *session, uint32_t more)
{
	session->unread_results += more;
	session->account->unread_results += more;
	sessions->unread_results += more;
}

void unread_forget(struct sessions *sessions, struct session *session)
{
	session->account->unread_results -= session->unread_results;
	sessions->unread_results -= session->unread_results;
	session->unread_results = 0;
}

void unread_count_lent(struct sessions *sessions, struct session *session, uint32_t count)
{
	session->lent_results = count;
	session->account->lent_results += count;
	session->account->unread_results += count;
	sessions->unread_results += count;
}

void unread_forget_lent(struct sessions *sessions, struct session *session)
{
	session->account->lent_results -= session->lent_results;
	session->account->unread_results -= session->lent_results;
	sessions->unread_results -= session->lent_results;
	session->lent_results = 0;
}

void unread_settle_lent(struct sessions *sessions, struct session *session)
{
	const uint32_t sent = session->lent_results;

	unread_forget_lent(sessions, session);
	unread_count(sessions, session, sent);
}

void unread_recount(struct sessions *sessions, struct session *session)
{
	int unread = 0;

	if (session->unread_results > 0 && ioctl(session->fd, SIOCOUTQ, &unread) == 0 &&
		unread == 0)
		unread_forget(sessions, session);
}

/* Whether it may be answered if so many of its user's need not be counted. */
static bool unread_permits(
	const struct sessions *sessions, const struct session *session, uint32_t uncounted)
{
	const uint32_t held = session->account->unread_results - uncounted;

	return session->unread_results < UNREAD_RESULTS_MAX && held < session->quota.unread &&
	       share_permits(held, sessions->unread_max, sessions->unread_results - uncounted);
}

bool unread_permits_answer(struct sessions *sessions, struct session *session)
{
	if (!unread_permits(sessions, session, 0))
		unread_recount(sessions, session);
	return unread_permits(sessions, session, 0);
}

bool unread_waits_for_lent(const struct sessions *sessions, const struct session *session)
{
	return unread_permits(sessions, session, session->account->lent_results);
}

/* SPDX-License-Identifier: MIT */
/*
 * Answers that a client has not read yet. Each may hold descriptors, which count against the
 * broker's own uid (unix(7), ETOOMANYREFS): so a connection has a bound, its user a share, and
 * perhaps a bound of the policy's.
 */
#pragma once

#include "session.h"

/* So many have been sent. */
void unread_count(struct sessions *sessions, struct session *session, uint32_t more);
void unread_forget(struct sessions *sessions, struct session *session);

/* Forgets what was counted, if the client has read all of it. */
void unread_recount(struct sessions *sessions, struct session *session);

/*
 * What somebody else will send is counted before, or any number of connections would be lent at
 * the same moment. Then nobody will send it (forget), or it has been sent (settle).
 */
void unread_count_lent(struct sessions *sessions, struct session *session, uint32_t count);
void unread_forget_lent(struct sessions *sessions, struct session *session);
void unread_settle_lent(struct sessions *sessions, struct session *session);

/* Whether the client has read enough of its replies to be sent another one. */
bool unread_permits_answer(struct sessions *sessions, struct session *session);

/* If not: whether it is only what has not been sent yet that stands in the way. */
bool unread_waits_for_lent(const struct sessions *sessions, const struct session *session);

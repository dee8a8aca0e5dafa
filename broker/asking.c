/* SPDX-License-Identifier: MIT */
/*
 * The queue of those who need the supervisor; see asking.h.
 *
 * Must never: take an answer for another question's.
 */
#include <unistd.h>

#include "asking.h"

struct asking {
	struct sessions *sessions;
	struct turns waiting;
	struct session *asked; /* whose question is on its way; NULL: none is */
	struct question question;
};

struct asking *asking_open(struct sessions *sessions)
{
	static struct asking asking;

	asking = (struct asking){.sessions = sessions, .waiting.kind = TURN_SUPERVISOR};
	return &asking;
}

void asking_add(struct asking *asking, struct session *session)
{
	turns_add(&asking->waiting, session);
}

struct session *asking_ask(struct asking *asking, enum session_next *next)
{
	struct session *session;

	if (asking->asked != NULL)
		return NULL;
	session = turns_take(&asking->waiting, NULL, 0);
	if (session == NULL)
		return NULL;
	if (!session_ask(asking->sessions, session, &asking->question, next))
		return session;
	asking->asked = session;
	return NULL;
}

struct session *asking_answered(
	struct asking *asking, const struct message *answer, int fd, enum session_next *next)
{
	struct session *session = asking->asked;

	if (session == NULL || answer->slot != session->slot || answer->serial != session->serial ||
		answer->type != asking->question.answer) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	asking->asked = NULL;
	*next = session_answer(
		asking->sessions, session, asking->question.id, (int)answer->error, fd);
	return session;
}

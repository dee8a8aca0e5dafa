/* SPDX-License-Identifier: MIT */
/*
 * fdbroker_limit() and fdbroker_clone(): less than the connection has, and for others. What a limit
 * means is the broker's to say; this file must never send one that means something else than its
 * words, because a newline in them began another.
 */
#include "call.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- limits ---- */

/* Lines of verbs, a blank and an object. */
struct set {
	char text[FDBROKER_LIMITS_MAX];
	size_t length;
};

static bool set_add(struct set *set, const char *word, char end)
{
	size_t length = strlen(word);

	if (length >= sizeof(set->text) - set->length)
		return false;
	memcpy(set->text + set->length, word, length);
	set->length += length;
	set->text[set->length++] = end;
	return true;
}

static bool is_word(const char *word, const char *forbidden)
{
	return word != NULL && word[0] != '\0' && strpbrk(word, forbidden) == NULL;
}

/* Returns 0 or a positive errno. */
static int set_add_limit(struct set *set, const struct fdbroker_limit *limit)
{
	if (!is_word(limit->verbs, " \t\n") || !is_word(limit->object, "\n"))
		return EINVAL;
	return set_add(set, limit->verbs, ' ') && set_add(set, limit->object, '\n') ? 0 : E2BIG;
}

int fdbroker_limit(struct fdbroker *broker, const struct fdbroker_limit *limits, size_t count)
{
	struct fdbroker_request request = {.operation = FDBROKER_LIMIT};
	struct set set = {.length = 0};
	int error = 0;

	if (broker == NULL || (limits == NULL && count > 0))
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	for (size_t i = 0; i < count && error == 0; i++)
		error = set_add_limit(&set, &limits[i]);
	if (error != 0)
		return report_outcome(error, FDBROKER_REASON_LOCAL);
	request.limits = (struct fdbroker_text){set.text, set.length};
	return outcome_report(call_once(broker, &request, -1));
}

/* ---- clones ---- */

/* Closes what no connection can be made of. A broker that sends such a thing is none. */
static struct call_outcome adopt(
	struct fdbroker *broker, struct call_outcome outcome, struct fdbroker **clone)
{
	bool is_connection = connection_check(outcome.fd) == 0;

	if (is_connection)
		*clone = connection_new(outcome.fd);
	if (*clone != NULL)
		return outcome;
	int error = errno;
	close(outcome.fd);
	if (is_connection)
		return outcome_refused(error, FDBROKER_REASON_LOCAL);
	shutdown(broker->fd, SHUT_RDWR);
	return outcome_refused(EPROTO, FDBROKER_REASON_BROKER);
}

struct fdbroker *fdbroker_clone(struct fdbroker *broker)
{
	const struct fdbroker_request request = {.operation = FDBROKER_CLONE};
	struct fdbroker *clone = NULL;
	int cancel_state;

	if (broker == NULL) {
		report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
		return NULL;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	struct call_outcome outcome = call_once(broker, &request, -1);
	if (outcome.error == 0)
		outcome = adopt(broker, outcome, &clone);
	pthread_setcancelstate(cancel_state, NULL);
	outcome_report(outcome);
	return clone;
}

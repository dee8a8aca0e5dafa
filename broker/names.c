/* SPDX-License-Identifier: MIT */
/*
 * Question and answer between the supervisor and the throw-away process that asks the name service.
 *
 *	question: what to look up, one packet a name
 *	answer: one struct answer each, with as many groups as it says, or a struct names_user
 *
 * Both travel as packets over the channel's socketpair; the side that asks checks every byte of
 * what comes back, since modules that it knows nothing of ran where it came from.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "child.h"
#include "cleanup.h"
#include "clock.h"
#include "limits.h"
#include "load.h"
#include "log.h"
#include "names.h"

enum question_kind { QUESTION_NAME = 1, QUESTION_USER };

struct question {
	uint32_t kind;
	uint32_t uid;              /* USER */
	uint32_t name_kind;        /* NAME: enum policy_name_kind */
	uint32_t length;           /* of name */
	char name[NAME_BYTES_MAX]; /* without NUL */
};

struct answer {
	int32_t error; /* of the name service */
	uint32_t status;
	uint32_t id, gid;
	uint32_t group_count;
	uint32_t groups[POLICY_GROUPS_MAX]; /* so many travel */
};

static_assert(POLICY_GROUPS_MAX == PEER_GROUPS_MAX, "executors take on either list");

static size_t answer_length(uint32_t group_count)
{
	return offsetof(struct answer, groups) + group_count * sizeof(uint32_t);
}

/* ---- the process that asks the name service ---- */

static int answer_name(const struct question *question)
{
	char text[sizeof(question->name) + 1] = "";
	struct policy_name name = {
		.kind = (enum policy_name_kind)question->name_kind,
		.name = text,
	};
	struct answer answer = {.error = 0};
	size_t failed;

	memcpy(text, question->name, question->length);
	answer.error = policy_load_names(&name, 1, &failed);
	answer.status = name.status;
	answer.id = name.id;
	answer.gid = name.gid;
	answer.group_count = name.group_count;
	if (name.group_count > 0)
		memcpy(answer.groups, name.groups, name.group_count * sizeof(answer.groups[0]));
	free(name.groups);
	return send(CHILD_CHANNEL, &answer, answer_length(answer.group_count), MSG_NOSIGNAL) < 0
		       ? -errno
		       : 0;
}

static int answer_user(const struct question *question)
{
	struct names_user user;

	memset(&user, 0, sizeof(user));
	if (policy_load_user(
		    question->uid, user.name, sizeof(user.name), user.home, sizeof(user.home)) < 0)
		memset(&user, 0, sizeof(user));
	return send(CHILD_CHANNEL, &user, sizeof(user), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int names_main(void)
{
	struct question question;

	if (confine_for_good(ROLE_NAMES, 0) < 0 || confine_syscalls(ROLE_NAMES, NULL) < 0)
		return 1;
	while (recv(CHILD_CHANNEL, &question, sizeof(question), 0) == sizeof(question)) {
		int error = 0;

		if (question.kind == QUESTION_NAME && question.length <= sizeof(question.name))
			error = answer_name(&question);
		else if (question.kind == QUESTION_USER)
			error = answer_user(&question);
		if (error < 0)
			return 1;
	}
	return 0;
}

/* ---- the supervisor's side ---- */

/* Starts the helper; *channel is ours. */
static int names_start(int *channel, int *pidfd)
{
	int fds[CHILD_DESCRIPTORS_END - CHILD_CHANNEL];
	int ends[2], error;
	pid_t pid;

	error = channel_pair(ends);
	if (error < 0)
		return error;
	for (int i = 0; i < CHILD_DESCRIPTORS_END - CHILD_CHANNEL; i++)
		fds[i] = -1;
	fds[0] = ends[1];
	*pidfd = child_start(ROLE_NAMES, fds, &pid);
	close(ends[1]);
	if (*pidfd < 0) {
		close(ends[0]);
		return *pidfd;
	}
	*channel = ends[0];
	return 0;
}

/* Asks about the next name. The channel has room: one question is on the way at a time. */
static int query_ask(struct names_query *query)
{
	const struct policy_name *name = &query->names[query->next];
	struct question question = {.kind = QUESTION_NAME, .name_kind = name->kind};

	question.length = (uint32_t)strlen(name->name);
	memcpy(question.name, name->name, question.length);
	return send(query->channel, &question, sizeof(question), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Names that nobody has are not asked about; what remains is, one after the other. */
static int query_ask_next(struct names_query *query)
{
	for (; query->next < query->count; query->next++) {
		if (strlen(query->names[query->next].name) <= NAME_BYTES_MAX)
			return query_ask(query);
		query->names[query->next].status = POLICY_NAME_UNKNOWN;
	}
	return 0;
}

/* Only who was found has groups, and only when they were asked for. */
static bool answer_is_sound(
	const struct answer *answer, size_t length, const struct policy_name *name)
{
	bool may_have_groups =
		answer->status == POLICY_NAME_FOUND && name->kind == POLICY_NAME_ACCOUNT;

	return (answer->status == POLICY_NAME_FOUND || answer->status == POLICY_NAME_UNKNOWN) &&
	       answer->group_count <= (may_have_groups ? POLICY_GROUPS_MAX : 0) &&
	       length == answer_length(answer->group_count);
}

static int answer_take(const struct answer *answer, struct policy_name *name)
{
	if (answer->group_count > 0) {
		uint32_t *groups = calloc(answer->group_count, sizeof(*groups));

		if (groups == NULL)
			return -ENOMEM;
		memcpy(groups, answer->groups, answer->group_count * sizeof(*groups));
		free(name->groups);
		name->groups = groups;
		name->group_count = answer->group_count;
	}
	name->status = (enum policy_name_status)answer->status;
	name->id = answer->id;
	name->gid = answer->gid;
	return 0;
}

/* -EAGAIN: it is not there yet. */
static int query_hear(struct names_query *query)
{
	struct policy_name *name = &query->names[query->next];
	struct answer answer;
	ssize_t length = recv(query->channel, &answer, sizeof(answer), MSG_DONTWAIT | MSG_TRUNC);
	int error;

	if (length < 0)
		return -errno;
	if ((size_t)length < answer_length(0) || (size_t)length > sizeof(answer))
		return -EIO;
	if (answer.error < 0)
		return answer.error;
	if (!answer_is_sound(&answer, (size_t)length, name))
		return -EIO;
	error = answer_take(&answer, name);
	if (error < 0)
		return error;
	query->next++;
	return query_ask_next(query);
}

int names_query_begin(struct names_query *query, struct policy_name *names, size_t count)
{
	int error;

	*query = (struct names_query){.names = names,
		.count = count,
		.deadline = clock_msec() + NAMES_LOAD_DEADLINE_MSEC,
		.channel = -1,
		.pidfd = -1};
	if (count == 0)
		return 0;
	error = names_start(&query->channel, &query->pidfd);
	if (error == 0)
		error = query_ask_next(query);
	if (error < 0)
		log_message(LOG_ERR, "cannot start the name service helper: %s", strerror(-error));
	return error;
}

int names_query_step(struct names_query *query)
{
	int error = 0;

	while (query->next < query->count && error == 0)
		error = query_hear(query);
	if (error == 0)
		return 1;
	if (error == -EAGAIN && clock_msec() < query->deadline)
		return 0;
	if (error == -EAGAIN)
		error = -ETIMEDOUT;
	log_message(LOG_ERR, "the name service failed at '%s': %s", query->names[query->next].name,
		policy_load_names_error(error));
	return error;
}

/* Waits for the descriptor, at most until the deadline. */
static void names_wait(int fd, uint64_t deadline)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint64_t now = clock_msec();

	(void)poll(&ready, 1, now < deadline ? (int)(deadline - now) : 0);
}

void names_query_end(struct names_query *query)
{
	int status;

	if (query->pidfd >= 0) {
		child_kill(query->pidfd);
		names_wait(query->pidfd, clock_msec() + KILL_GRACE_MSEC);
		(void)child_ended(query->pidfd, &status);
		close(query->pidfd);
	}
	if (query->channel >= 0)
		close(query->channel);
	query->channel = query->pidfd = -1;
}

int names_ask(struct policy_name *names, size_t count)
{
	struct names_query query;
	int step;

	step = names_query_begin(&query, names, count);
	while (step == 0) {
		step = names_query_step(&query);
		if (step == 0)
			names_wait(query.channel, query.deadline);
	}
	names_query_end(&query);
	return step < 0 ? step : 0;
}

int names_user_ask(uint32_t uid, int *channel, int *pidfd)
{
	struct question question = {.kind = QUESTION_USER, .uid = uid};
	int error = names_start(channel, pidfd);

	if (error < 0)
		return error;
	/* The channel is empty, it takes this at once; without a question there is no answer. */
	(void)send(*channel, &question, sizeof(question), MSG_NOSIGNAL);
	return 0;
}

void names_user_answer(int channel, struct names_user *user)
{
	if (recv(channel, user, sizeof(*user), MSG_DONTWAIT) == sizeof(*user) &&
		memchr(user->name, '\0', sizeof(user->name)) != NULL &&
		memchr(user->home, '\0', sizeof(user->home)) != NULL)
		return;
	memset(user, 0, sizeof(*user));
}

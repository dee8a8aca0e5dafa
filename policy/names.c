/* SPDX-License-Identifier: MIT */
/*
 * The questions to the name service, and which of its answers mean "there is no such name" and
 * which "I could not find out". Were the two mixed up, a deny would be lost while a directory
 * server restarts.
 *
 * Must never run in a process that must not wait or must not load foreign code: the modules of
 * nsswitch.conf(5) do as they please.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>

#include "cleanup.h"
#include "load.h"

/* A group's entry lists all its members: some directories have tens of thousands. */
#define BUFFER_BYTES_MIN 4096u
#define BUFFER_BYTES_MAX (16u << 20)

/* A question, and the answer when there is one. */
struct question {
	const char *name;
	uint32_t uid;
	bool found;
	union {
		struct passwd user;
		struct group group;
		struct servent service;
		struct protoent protocol;
	} answer;
	char *buffer; /* malloc'ed; what the answer points into */
};

static void question_end(struct question *question)
{
	free(question->buffer);
}

/* 0 with or without an answer, or an errno; ERANGE when the buffer is too small (getpwnam_r(3)). */
typedef int ask_function(struct question *question, size_t size);

static int ask_user(struct question *question, size_t size)
{
	struct passwd *found = NULL;
	int error;

	error = getpwnam_r(question->name, &question->answer.user, question->buffer, size, &found);
	question->found = found != NULL;
	return error;
}

static int ask_uid(struct question *question, size_t size)
{
	struct passwd *found = NULL;
	int error;

	error = getpwuid_r(question->uid, &question->answer.user, question->buffer, size, &found);
	question->found = found != NULL;
	return error;
}

/* By its uid, when the name is nothing but digits: the language has no such names. */
static int ask_account(struct question *question, size_t size)
{
	size_t digits = strspn(question->name, "0123456789");

	if (digits == 0 || question->name[digits] != '\0')
		return ask_user(question, size);
	question->uid = (uint32_t)strtoul(question->name, NULL, 10);
	return ask_uid(question, size);
}

static int ask_group(struct question *question, size_t size)
{
	struct group *found = NULL;
	int error;

	error = getgrnam_r(question->name, &question->answer.group, question->buffer, size, &found);
	question->found = found != NULL;
	return error;
}

static int ask_service(struct question *question, const char *protocol, size_t size)
{
	struct servent *found = NULL;
	int error;

	error = getservbyname_r(question->name, protocol, &question->answer.service,
		question->buffer, size, &found);
	question->found = found != NULL;
	return error;
}

static int ask_service_tcp(struct question *question, size_t size)
{
	return ask_service(question, "tcp", size);
}

static int ask_service_udp(struct question *question, size_t size)
{
	return ask_service(question, "udp", size);
}

static int ask_protocol(struct question *question, size_t size)
{
	struct protoent *found = NULL;
	int error;

	error = getprotobyname_r(
		question->name, &question->answer.protocol, question->buffer, size, &found);
	question->found = found != NULL;
	return error;
}

/*
 * The errors by which the name service says that there is no such entry, as man 3 getpwnam lists
 * them, and ENOENT of getservbyname_r(3) is among them. Every other one is a failure.
 */
static bool error_means_unknown(int error)
{
	static const int errors[] = {0, ENOENT, ESRCH, EBADF, EPERM};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == error)
			return true;
	return false;
}

/* Asks with ever larger buffers. */
static int question_ask(struct question *question, ask_function *ask)
{
	for (size_t size = BUFFER_BYTES_MIN; size <= BUFFER_BYTES_MAX; size *= 2) {
		char *buffer = realloc(question->buffer, size);
		int error;

		if (buffer == NULL)
			return -ENOMEM;
		question->buffer = buffer;
		do
			error = ask(question, size);
		while (error == EINTR);
		if (question->found || error_means_unknown(error))
			return 0;
		if (error != ERANGE)
			return -error;
	}
	return -EMSGSIZE;
}

static void name_set_user(struct policy_name *name, const struct question *question)
{
	name->id = question->answer.user.pw_uid;
	name->gid = question->answer.user.pw_gid;
}

static void name_set_group(struct policy_name *name, const struct question *question)
{
	name->id = question->answer.group.gr_gid;
}

static void name_set_service(struct policy_name *name, const struct question *question)
{
	name->id = ntohs((uint16_t)question->answer.service.s_port);
}

static void name_set_protocol(struct policy_name *name, const struct question *question)
{
	name->id = (uint32_t)question->answer.protocol.p_proto;
}

/* Who answers for a kind, and what of the answer is wanted. */
static const struct {
	ask_function *ask;
	void (*set)(struct policy_name *name, const struct question *question);
} name_services[] = {
	[POLICY_NAME_USER] = {ask_user, name_set_user},
	[POLICY_NAME_GROUP] = {ask_group, name_set_group},
	[POLICY_NAME_SERVICE_TCP] = {ask_service_tcp, name_set_service},
	[POLICY_NAME_SERVICE_UDP] = {ask_service_udp, name_set_service},
	[POLICY_NAME_PROTOCOL] = {ask_protocol, name_set_protocol},
	[POLICY_NAME_ACCOUNT] = {ask_account, name_set_user},
};

/*
 * All groups that a login of this user would have, the primary one among them (initgroups(3)). A
 * part of the name service that fails is passed over in silence (getgrouplist(3) has no errno): the
 * user then has fewer groups, and rights, than it should.
 */
static int name_load_groups(struct policy_name *name, const struct passwd *user)
{
	_cleanup_free_ gid_t *groups = calloc(POLICY_GROUPS_MAX, sizeof(*groups));
	int count = POLICY_GROUPS_MAX;

	static_assert(sizeof(*groups) == sizeof(*name->groups), "they are the same array");
	if (groups == NULL)
		return -ENOMEM;
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		return count > (int)POLICY_GROUPS_MAX ? -E2BIG : -ENOMEM;
	free(name->groups);
	name->groups = TAKE_PTR(groups);
	name->group_count = (uint32_t)count;
	return 0;
}

/* The kernel answers here: ENODEV, and ENXIO in POSIX's words (man 3 if_nametoindex). */
static int interface_load(struct policy_name *name)
{
	name->id = if_nametoindex(name->name);
	if (name->id == 0 && errno != ENODEV && errno != ENXIO)
		return -errno;
	name->status = name->id != 0 ? POLICY_NAME_FOUND : POLICY_NAME_UNKNOWN;
	return 0;
}

static int name_load(struct policy_name *name)
{
	_cleanup_(question_end) struct question question = {.name = name->name};
	int r;

	if (name->kind == POLICY_NAME_INTERFACE)
		return interface_load(name);
	r = question_ask(&question, name_services[name->kind].ask);
	if (r < 0)
		return r;
	name->status = question.found ? POLICY_NAME_FOUND : POLICY_NAME_UNKNOWN;
	if (question.found)
		name_services[name->kind].set(name, &question);
	if (question.found && name->kind == POLICY_NAME_ACCOUNT)
		return name_load_groups(name, &question.answer.user);
	return 0;
}

int policy_load_names(struct policy_name *names, size_t count, size_t *failed)
{
	for (size_t i = 0; i < count; i++) {
		int r = name_load(&names[i]);

		if (r < 0) {
			*failed = i;
			return r;
		}
	}
	return 0;
}

const char *policy_load_names_error(int error)
{
	static_assert(POLICY_GROUPS_MAX == 1024, "the text says so");
	return error == -E2BIG ? "this user is in more than 1024 groups" : strerror(-error);
}

/* Absolute, two components or more, none of them empty, "." or "..". */
static bool home_is_canonical(const char *home)
{
	size_t components = 0;

	if (home[0] != '/')
		return false;
	while (*home == '/') {
		size_t length = strcspn(++home, "/");

		if (length == 0 || (length == 1 && home[0] == '.') ||
			(length == 2 && home[0] == '.' && home[1] == '.'))
			return false;
		home += length;
		components++;
	}
	return components >= 2;
}

/* Some accounts share a folder that is not theirs: /var/lib/x of root, /home/common of another. */
static bool home_is_owned(const char *home, uint32_t uid)
{
	_cleanup_close_ int fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx status;

	return fd >= 0 && trust_statx(NULL, fd, &status) == 0 &&
	       (status.stx_mask & STATX_UID) != 0 && status.stx_uid == uid;
}

/* Leaves it undefined rather than cut short: a part of a name is another name. */
static void text_set(char *text, size_t size, const char *value)
{
	size_t length = strlen(value);

	if (length < size)
		memcpy(text, value, length + 1);
}

int policy_load_user(uint32_t uid, char *name, size_t name_size, char *home, size_t home_size)
{
	_cleanup_(question_end) struct question question = {.uid = uid};
	const struct passwd *user;
	int r;

	name[0] = home[0] = '\0';
	r = question_ask(&question, ask_uid);
	if (r < 0 || !question.found)
		return r;
	user = &question.answer.user;
	text_set(name, name_size, user->pw_name);
	if (home_is_canonical(user->pw_dir) && home_is_owned(user->pw_dir, uid))
		text_set(home, home_size, user->pw_dir);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The kernel records of a peer its effective ids and its supplementary groups (unix(7)), so these
 * count here, and no real or saved ones.
 *
 * Must never: know of somebody what the broker would not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "load.h"
#include "peer.h"
#include "unit.h"

#define COMMAND "fdbroker explain"

static bool fail(const char *what, const char *problem)
{
	(void)fprintf(stderr, COMMAND ": %s: %s\n", what, problem);
	return false;
}

static bool is_number(const char *text)
{
	return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* An id, or a pid. */
static bool parse_number(const char *text, uint32_t *number)
{
	unsigned long long value;

	if (!is_number(text) || strlen(text) > strlen("4294967295"))
		return false;
	value = strtoull(text, NULL, 10);
	*number = (uint32_t)value;
	return value < UINT32_MAX; /* (uid_t)-1 is nobody's, setreuid(2) */
}

static bool add_group(struct peer *peer, uint32_t gid)
{
	size_t count = peer->identity.group_count;
	uint32_t *groups = reallocarray(peer->groups, count + 1, sizeof(*groups));

	if (groups == NULL)
		return fail("groups", strerror(ENOMEM));
	groups[count] = gid;
	peer->groups = groups;
	peer->identity.groups = groups;
	peer->identity.group_count = count + 1;
	return true;
}

/* ---- the caller ---- */

static bool find_unit(struct peer *peer, const char *process)
{
	_cleanup_close_ int directory = open(process, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		return fail(
			process, errno == ENOENT ? "there is no such process" : strerror(errno));
	peer->unit = unit_of_process(directory);
	peer->identity.unit = peer->unit;
	return true;
}

static bool find_caller(struct peer *peer)
{
	gid_t groups[65536]; /* NGROUPS_MAX of linux/limits.h */
	int count = getgroups(sizeof(groups) / sizeof(groups[0]), groups);

	peer->identity.uid = geteuid();
	peer->identity.gid = getegid();
	for (int i = 0; i < count; i++)
		if (!add_group(peer, groups[i]))
			return false;
	return find_unit(peer, "/proc/self");
}

/* ---- a running process ---- */

/* "Uid:" and "Gid:" have the real, the effective, the saved and that of file systems, proc(5). */
static bool take_effective(const char *line, const char *field, uint32_t *id)
{
	return strncmp(line, field, strlen(field)) == 0 &&
	       sscanf(line + strlen(field), "%*u %u", id) == 1;
}

static bool take_groups(struct peer *peer, char *line)
{
	char *save;

	if (strncmp(line, "Groups:", strlen("Groups:")) != 0)
		return true;
	for (char *word = strtok_r(line + strlen("Groups:"), " \t\n", &save); word != NULL;
		word = strtok_r(NULL, " \t\n", &save)) {
		if (!add_group(peer, (uint32_t)strtoul(word, NULL, 10)))
			return false;
	}
	return true;
}

static bool read_status(struct peer *peer, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned int ids = 0;
	bool ok = true;

	if (file == NULL)
		return fail(path, errno == ENOENT ? "there is no such process" : strerror(errno));
	while (ok && getline(&line, &size, file) >= 0) {
		ids += take_effective(line, "Uid:", &peer->identity.uid);
		ids += take_effective(line, "Gid:", &peer->identity.gid);
		ok = take_groups(peer, line);
	}
	free(line);
	(void)fclose(file);
	return ok && (ids == 2 || fail(path, "the process has ended"));
}

static bool find_process(struct peer *peer, const char *pid)
{
	char path[64];
	uint32_t number;

	if (!parse_number(pid, &number))
		return fail(pid, "this is no process id");
	(void)snprintf(path, sizeof(path), "/proc/%u/status", number);
	if (!read_status(peer, path))
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%u", number);
	return find_unit(peer, path);
}

/* ---- somebody by name ---- */

/* 1: found; 0: there is none; -1 after telling the user. */
static int find_name(struct peer *peer, struct policy_name *name)
{
	size_t failed;
	int error = policy_load_names(name, 1, &failed);

	if (error < 0) {
		fail(name->name, policy_load_names_error(error));
		peer->has_failed = true;
		return -1;
	}
	return name->status == POLICY_NAME_FOUND;
}

static bool take_account(struct peer *peer, struct policy_name *account)
{
	peer->identity.uid = account->id;
	peer->identity.gid = account->gid;
	free(peer->groups);
	peer->groups = account->groups;
	peer->identity.groups = account->groups;
	peer->identity.group_count = account->group_count;
	account->groups = NULL;
	return true;
}

static bool find_user(struct peer *peer, const char *user)
{
	struct policy_name account = {.kind = POLICY_NAME_ACCOUNT, .name = user};
	int found;

	if (is_number(user) && !parse_number(user, &peer->identity.uid))
		return fail(user, "ids go from 0 to 4294967294");
	found = find_name(peer, &account);
	if (found > 0)
		return take_account(peer, &account);
	/* A number that is nobody's is a user all the same, with no group but those given. */
	peer->identity.gid = UINT32_MAX;
	return found == 0 && (is_number(user) || fail(user, "there is no such user"));
}

static bool find_group(struct peer *peer, const char *group)
{
	struct policy_name name = {.kind = POLICY_NAME_GROUP, .name = group};
	int found;

	if (is_number(group)) {
		if (!parse_number(group, &name.id))
			return fail(group, "ids go from 0 to 4294967294");
	} else {
		found = find_name(peer, &name);
		if (found <= 0)
			return found == 0 && fail(group, "there is no such group");
	}
	if (peer->identity.gid == UINT32_MAX)
		peer->identity.gid = name.id;
	return add_group(peer, name.id);
}

/* ---- all together ---- */

static bool find_whom(struct peer *peer, const struct peer_options *options)
{
	if (options->pid != NULL)
		return find_process(peer, options->pid);
	return options->user != NULL ? find_user(peer, options->user) : find_caller(peer);
}

bool peer_find(struct peer *peer, const struct peer_options *options)
{
	*peer = (struct peer){.groups = NULL};
	if (!find_whom(peer, options))
		return false;
	for (unsigned int i = 0; i < options->group_count; i++)
		if (!find_group(peer, options->groups[i]))
			return false;
	if (options->unit != NULL)
		peer->identity.unit = options->unit;
	return true;
}

bool peer_find_user(struct peer *peer)
{
	int error = policy_load_user(
		peer->identity.uid, peer->name, sizeof(peer->name), peer->home, sizeof(peer->home));

	if (error < 0)
		return fail("the name service", strerror(-error));
	peer->identity.user = peer->name[0] != '\0' ? peer->name : NULL;
	peer->identity.home = peer->home[0] != '\0' ? peer->home : NULL;
	return true;
}

void peer_release(struct peer *peer)
{
	free(peer->groups);
	free(peer->unit);
}

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
#include "explain.h"
#include "load.h"
#include "persona.h"
#include "unit.h"

static bool fail(const char *what, const char *problem)
{
	(void)fprintf(stderr, EXPLAIN ": %s: %s\n", what, problem);
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

static bool add_group(struct persona *persona, uint32_t gid)
{
	size_t count = persona->identity.group_count;
	uint32_t *groups = reallocarray(persona->groups, count + 1, sizeof(*groups));

	if (groups == NULL)
		return fail("groups", strerror(ENOMEM));
	groups[count] = gid;
	persona->groups = groups;
	persona->identity.groups = groups;
	persona->identity.group_count = count + 1;
	return true;
}

/* ---- the caller ---- */

/* The folder of a process in /proc, or -1 after telling the user. */
static int open_process(const char *path)
{
	int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (process < 0)
		(void)fail(path, errno == ENOENT ? "there is no such process" : strerror(errno));
	return process;
}

static void take_unit(struct persona *persona, int process)
{
	persona->unit = unit_of_process(process);
	persona->identity.unit = persona->unit;
}

static bool find_caller(struct persona *persona)
{
	gid_t groups[65536]; /* NGROUPS_MAX of linux/limits.h */
	int count = getgroups(sizeof(groups) / sizeof(groups[0]), groups);
	_cleanup_close_ int process = -1;

	if (count < 0)
		return fail("groups", strerror(errno));
	persona->identity.uid = geteuid();
	persona->identity.gid = getegid();
	for (int i = 0; i < count; i++)
		if (!add_group(persona, groups[i]))
			return false;
	process = open_process("/proc/self");
	if (process < 0)
		return false;
	take_unit(persona, process);
	return true;
}

/* ---- a running process ---- */

/* "Uid:" and "Gid:" have the real, the effective, the saved and that of file systems, proc(5). */
static bool take_effective(const char *line, const char *field, uint32_t *id)
{
	return strncmp(line, field, strlen(field)) == 0 &&
	       sscanf(line + strlen(field), "%*u %u", id) == 1;
}

static bool take_groups(struct persona *persona, char *line)
{
	char *save;

	if (strncmp(line, "Groups:", strlen("Groups:")) != 0)
		return true;
	for (char *word = strtok_r(line + strlen("Groups:"), " \t\n", &save); word != NULL;
		word = strtok_r(NULL, " \t\n", &save)) {
		if (!add_group(persona, (uint32_t)strtoul(word, NULL, 10)))
			return false;
	}
	return true;
}

static FILE *open_status(int process)
{
	int fd = openat(process, "status", O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (file == NULL)
		cleanup_close(&fd);
	return file;
}

static bool read_status(struct persona *persona, int process, const char *path)
{
	FILE *file = open_status(process);
	char *line = NULL;
	size_t size = 0;
	unsigned int ids = 0;
	bool ok = true;

	if (file == NULL)
		return fail(path, errno == ESRCH ? "the process has ended" : strerror(errno));
	while (ok && getline(&line, &size, file) >= 0) {
		ids += take_effective(line, "Uid:", &persona->identity.uid);
		ids += take_effective(line, "Gid:", &persona->identity.gid);
		ok = take_groups(persona, line);
	}
	free(line);
	(void)fclose(file);
	return ok && (ids == 2 || fail(path, "the process has ended"));
}

/* Its folder is opened once: the number may become another's in between. */
static bool find_process(struct persona *persona, const char *pid)
{
	_cleanup_close_ int process = -1;
	char path[64];
	uint32_t number;

	if (!parse_number(pid, &number))
		return fail(pid, "this is no process id");
	(void)snprintf(path, sizeof(path), "/proc/%u", number);
	process = open_process(path);
	if (process < 0 || !read_status(persona, process, path))
		return false;
	take_unit(persona, process);
	return true;
}

/* ---- somebody by name ---- */

static bool fail_unknown(struct policy_name *name, const char *what)
{
	if (name->kind == POLICY_NAME_ACCOUNT)
		name->kind = POLICY_NAME_USER; /* `as` has other words too */
	(void)policy_load_near(name, 1);       /* without a guess it is unknown all the same */
	(void)fprintf(stderr, EXPLAIN ": %s: there is no such %s\n", name->name, what);
	if (name->near != NULL)
		(void)fprintf(stderr, "    did you mean '%s'?\n",
			text_quote(name->near, strlen(name->near)).text);
	free(name->near);
	name->near = NULL;
	return false;
}

/* 1: found; 0: there is none; -1 after telling the user. */
static int find_name(struct persona *persona, struct policy_name *name)
{
	size_t failed;
	int error = policy_load_names(name, 1, &failed);

	if (error < 0) {
		fail(name->name, policy_load_names_error(error));
		persona->has_failed = true;
		return -1;
	}
	return name->status == POLICY_NAME_FOUND;
}

static bool take_account(struct persona *persona, struct policy_name *account)
{
	persona->identity.uid = account->id;
	persona->identity.gid = account->gid;
	free(persona->groups);
	persona->groups = account->groups;
	persona->identity.groups = account->groups;
	persona->identity.group_count = account->group_count;
	account->groups = NULL;
	return true;
}

static bool find_user(struct persona *persona, const char *user)
{
	struct policy_name account = {.kind = POLICY_NAME_ACCOUNT, .name = user};
	int found;

	if (is_number(user) && !parse_number(user, &persona->identity.uid))
		return fail(user, "ids go from 0 to 4294967294");
	found = find_name(persona, &account);
	if (found > 0)
		return take_account(persona, &account);
	/* A number that is nobody's is a user all the same, with no group but those given. */
	persona->identity.gid = UINT32_MAX;
	return found == 0 && (is_number(user) || fail_unknown(&account, "user"));
}

static bool find_group(struct persona *persona, const char *group)
{
	struct policy_name name = {.kind = POLICY_NAME_GROUP, .name = group};
	int found;

	if (is_number(group)) {
		if (!parse_number(group, &name.id))
			return fail(group, "ids go from 0 to 4294967294");
	} else {
		found = find_name(persona, &name);
		if (found <= 0)
			return found == 0 && fail_unknown(&name, "group");
	}
	if (persona->identity.gid == UINT32_MAX)
		persona->identity.gid = name.id;
	return add_group(persona, name.id);
}

/* ---- all together ---- */

static bool find_whom(struct persona *persona, const struct persona_options *options)
{
	if (options->pid != NULL)
		return find_process(persona, options->pid);
	return options->user != NULL ? find_user(persona, options->user) : find_caller(persona);
}

/* Like check of a policy: it may be meant so, and hardly ever is. */
static void take_given_unit(struct persona *persona, const char *unit)
{
	if (strchr(unit, '.') == NULL)
		(void)fprintf(stderr,
			EXPLAIN ": warning: no unit is called '%s'\n"
				"    write its suffix too, as in nginx.service\n",
			text_quote(unit, strlen(unit)).text);
	persona->identity.unit = unit;
}

bool persona_find(struct persona *persona, const struct persona_options *options)
{
	*persona = (struct persona){.groups = NULL};
	if (!find_whom(persona, options))
		return false;
	for (unsigned int i = 0; i < options->group_count; i++)
		if (!find_group(persona, options->groups[i]))
			return false;
	if (options->unit != NULL)
		take_given_unit(persona, options->unit);
	return true;
}

bool persona_find_user(struct persona *persona)
{
	int error = policy_load_user(persona->identity.uid, persona->name, sizeof(persona->name),
		persona->home, sizeof(persona->home));

	if (error < 0)
		return fail("the name service", strerror(-error));
	persona->identity.user = persona->name[0] != '\0' ? persona->name : NULL;
	persona->identity.home = persona->home[0] != '\0' ? persona->home : NULL;
	return true;
}

void persona_release(struct persona *persona)
{
	free(persona->groups);
	free(persona->unit);
}

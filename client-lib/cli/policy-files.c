/* SPDX-License-Identifier: MIT */
/*
 * Files to set, names to numbers, set to image. Must never stop at what is wrong with the policy:
 * that is for the caller to show.
 */
#include "policy-files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "load.h"

/* The loading itself failed; what it failed at is not a problem of the policy. */
static int fail(const char *command, const char *action, int error)
{
	(void)fprintf(stderr, "%s: %s: %s\n", command, action, strerror(-error));
	return error;
}

/* ---- as the broker ---- */

/* What root gave up for a while; count -1: nothing. */
struct given_up {
	gid_t gid, *groups;
	int count;
};

static void given_up_release(struct given_up *given_up)
{
	free(given_up->groups);
}

static int groups_remember(struct given_up *given_up)
{
	int count = getgroups(0, NULL);

	if (count < 0)
		return -errno;
	given_up->groups = calloc((size_t)count + 1, sizeof(given_up->groups[0]));
	if (given_up->groups == NULL)
		return -ENOMEM;
	given_up->gid = getegid();
	given_up->count = getgroups(count, given_up->groups);
	return given_up->count < 0 ? -errno : 0;
}

/* Only what counts for files: the real user stays root, and so it can come back. */
static int become_broker(const char *command, struct given_up *given_up)
{
	const struct passwd *user;
	int r;

	if (geteuid() != 0)
		return 0;
	user = getpwnam(FDBROKER_USER);
	if (user == NULL) {
		(void)fprintf(stderr,
			"%s: there is no user '" FDBROKER_USER
			"' yet: whether it may read the files is not checked\n",
			command);
		return 0;
	}
	r = groups_remember(given_up);
	if (r == 0 &&
		(setgroups(0, NULL) < 0 || setegid(user->pw_gid) < 0 || seteuid(user->pw_uid) < 0))
		r = -errno;
	return r < 0 ? fail(command, "cannot become user '" FDBROKER_USER "'", r) : 0;
}

static int become_root(const char *command, const struct given_up *given_up)
{
	if (given_up->count < 0)
		return 0;
	if (seteuid(0) < 0 || setegid(given_up->gid) < 0 ||
		setgroups((size_t)given_up->count, given_up->groups) < 0)
		return fail(command, "cannot become root again", -errno);
	return 0;
}

/* ---- the parts ---- */

static int load_files(
	struct loaded_policy *policy, const char *command, const char *const *paths, size_t count)
{
	_cleanup_(given_up_release) struct given_up given_up = {.count = -1};
	int r = 0;

	policy->set = policy_set_new();
	if (policy->set == NULL)
		return fail(command, "cannot begin", -ENOMEM);
	if (count == 0)
		r = trusted_mounts_read(&policy->mounts);
	if (r < 0)
		return fail(command, "cannot read /proc/self/mountinfo", r);
	if (count == 0)
		r = become_broker(command, &given_up);
	if (r < 0)
		return r;
	r = policy_load_files(policy->set, policy->mounts, paths, count);
	if (r < 0)
		return fail(command, "cannot load the policy files", r);
	policy->file_count = (size_t)r;
	return become_root(command, &given_up);
}

static int load_names(struct loaded_policy *policy, const char *command)
{
	struct policy_name *names;
	size_t count, failed;
	int r;

	names = policy_set_names(policy->set, &count);
	r = policy_load_names(names, count, &failed);
	if (r < 0)
		(void)fprintf(stderr,
			"%s: the name service failed at '%s': %s\n"
			"Look at nsswitch.conf(5) and at the services that it names.\n",
			command, names[failed].name, policy_load_names_error(r));
	/* Without a guess a name is unknown all the same. */
	else
		(void)policy_load_near(names, count);
	return r;
}

static int compile(struct loaded_policy *policy, const char *command)
{
	size_t size;
	int r;

	r = policy_set_compile(policy->set, &policy->bytes, &size);
	if (r == -EINVAL)
		return 0; /* the diagnostics say why */
	if (r < 0)
		return fail(command, "cannot compile the policy", r);
	policy->image = policy_image_open(policy->bytes, size);
	return 0;
}

enum policy_loaded policy_load(
	struct loaded_policy *policy, const char *command, const char *const *paths, size_t count)
{
	*policy = (struct loaded_policy){.set = NULL};
	if (load_files(policy, command, paths, count) < 0)
		return POLICY_NOT_LOADED;
	if (load_names(policy, command) < 0 || compile(policy, command) < 0)
		return POLICY_PARTLY_LOADED;
	return POLICY_LOADED;
}

/* no-color.org; a terminal that does not say what it is may know no colours. */
static bool terminal_has_colours(int fd)
{
	const char *refused = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(fd) == 1 && (refused == NULL || refused[0] == '\0') && terminal != NULL &&
	       terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
}

bool policy_print(const struct loaded_policy *policy, enum policy_severity least)
{
	const struct policy_diagnostic *diagnostics;
	bool is_coloured = terminal_has_colours(STDERR_FILENO);
	/* Through a buffer, which stderr has none: there may be a hundred thousand. */
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	size_t count;

	if (out == NULL) {
		cleanup_close(&fd);
		return false;
	}
	diagnostics = policy_set_diagnostics(policy->set, &count);
	for (size_t i = 0; i < count; i++) {
		if (diagnostics[i].severity >= least)
			policy_diagnostic_print(&diagnostics[i], is_coloured, out);
	}
	return fclose(out) == 0;
}

void policy_release(struct loaded_policy *policy)
{
	policy_set_free(policy->set);
	free(policy->mounts);
	free(policy->bytes);
}

/* SPDX-License-Identifier: MIT */
/*
 * From policy files to a generation: read and parse, ask for the names, compile, seal. This is the
 * only place of the daemon where policy text is looked at, and it runs before anything of the old
 * policy is touched. The name service may take its time; nobody else has to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "generation.h"
#include "limits.h"
#include "load.h"
#include "log.h"
#include "memory.h"
#include "names.h"
#include "surroundings.h"

static const struct {
	int level;
	const char *word;
} severities[] = {
	[POLICY_NOTE] = {LOG_INFO, "note"},
	[POLICY_WARNING] = {LOG_WARNING, "warning"},
	[POLICY_ERROR] = {LOG_ERR, "error"},
};

static void log_diagnostic(const struct policy_diagnostic *diagnostic)
{
	char place[32] = "";

	if (diagnostic->line > 0)
		snprintf(place, sizeof(place), ":%u:%u", diagnostic->line, diagnostic->column);
	log_message(severities[diagnostic->severity].level, "%s%s: %s: %s%s%s", diagnostic->file,
		place, severities[diagnostic->severity].word, diagnostic->message,
		diagnostic->remedy != NULL ? "; " : "",
		diagnostic->remedy != NULL ? diagnostic->remedy : "");
}

/*
 * One line each, the worst first. Not more of them than a log can be expected to take at once: what
 * comes of the load is said after them.
 */
static void log_diagnostics(const struct policy_set *set)
{
	size_t count, said = 0;
	const struct policy_diagnostic *diagnostics = policy_set_diagnostics(set, &count);

	for (int severity = POLICY_ERROR; severity >= POLICY_NOTE; severity--)
		for (size_t i = 0; i < count && said < DIAGNOSTICS_LOGGED_MAX; i++)
			if ((int)diagnostics[i].severity == severity) {
				log_diagnostic(&diagnostics[i]);
				said++;
			}
	if (count > said)
		log_message(LOG_WARNING, "%zu more of these are not shown: see 'fdbroker check'",
			count - said);
}

static int generation_seal(struct generation *generation, const void *image, size_t size,
	const struct trusted_mounts *mounts)
{
	void *mapped;

	generation->image_fd = memory_seal("fdbroker-policy", image, size);
	if (generation->image_fd < 0)
		return generation->image_fd;
	generation->mounts_fd = memory_seal("fdbroker-mounts", mounts, trusted_mounts_size(mounts));
	if (generation->mounts_fd < 0)
		return generation->mounts_fd;
	generation->peers_fd = memory_publish(
		"fdbroker-peers", sizeof(*generation->peers), (void **)&generation->peers);
	if (generation->peers_fd < 0)
		return generation->peers_fd;
	mapped = mmap(NULL, size, PROT_READ, MAP_PRIVATE, generation->image_fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	generation->image_size = size;
	generation->image = policy_image_open(mapped, size);
	if (generation->image == NULL) {
		munmap(mapped, size);
		return -EINVAL;
	}
	policy_image_needs(generation->image, &generation->needs);
	return 0;
}

/* Can this process still do what the policy needs? What it gave up once it never has again. */
static int check_capabilities(
	const struct policy_needs *needs, capability_set available, bool is_reload)
{
	capability_set missing = confine_capabilities(needs, ROLE_SUPERVISOR) & ~available;
	char names[256];

	if (missing == 0)
		return 0;
	confine_capability_names(missing, names, sizeof(names));
	if (is_reload)
		log_message(LOG_ERR,
			"the policy needs %s, which was given up, since the first policy did not "
			"need it: restart fdbrokerd (systemctl restart fdbroker)",
			names);
	else
		log_message(LOG_ERR,
			"the policy needs %s, which fdbrokerd does not have: start it as root or "
			"with AmbientCapabilities=%s",
			names, names);
	return -EPERM;
}

static struct generation *generation_make(const void *image, size_t size,
	const struct trusted_mounts *mounts, capability_set available)
{
	static unsigned int number;
	struct generation *generation = malloc(sizeof(*generation));
	int error;

	if (generation == NULL)
		return NULL;
	*generation =
		(struct generation){.holders = 1, .image_fd = -1, .mounts_fd = -1, .peers_fd = -1};
	error = generation_seal(generation, image, size, mounts);
	if (error < 0)
		log_message(LOG_ERR, "cannot keep the policy: %s", strerror(-error));
	else
		error = check_capabilities(&generation->needs, available, number > 0);
	if (error == 0)
		surroundings_check(&generation->needs);
	if (error < 0) {
		generation_release(generation);
		return NULL;
	}
	generation->number = ++number;
	return generation;
}

/* ---- loading, step by step ---- */

struct loading {
	struct policy_set *set;
	struct trusted_mounts *mounts;
	struct names_query query;
	capability_set available;
};

static int loading_parse(struct loading *loading, const char *const *paths, size_t count)
{
	int error;

	error = trusted_mounts_read(&loading->mounts);
	if (error < 0) {
		log_message(LOG_ERR, "cannot read /proc/self/mountinfo: %s", strerror(-error));
		return error;
	}
	loading->set = policy_set_new();
	error = loading->set != NULL
			? policy_load_files(loading->set, loading->mounts, paths, count)
			: -ENOMEM;
	if (error < 0)
		log_message(LOG_ERR, "cannot read the policy: %s", strerror(-error));
	return error < 0 ? error : 0;
}

struct loading *loading_begin(const char *const *paths, size_t count, capability_set available)
{
	struct loading *loading = malloc(sizeof(*loading));
	struct policy_name *names;
	size_t name_count;

	if (loading == NULL) {
		log_message(LOG_ERR, "cannot load the policy: %s", strerror(ENOMEM));
		return NULL;
	}
	*loading = (struct loading){.available = available, .query.channel = -1, .query.pidfd = -1};
	if (loading_parse(loading, paths, count) < 0)
		goto failed;
	/* Nobody is asked about the names of a policy that cannot be parsed. */
	if (policy_set_count(loading->set, POLICY_ERROR) > 0) {
		log_diagnostics(loading->set);
		goto failed;
	}
	names = policy_set_names(loading->set, &name_count);
	if (names_query_begin(&loading->query, names, name_count) < 0)
		goto failed;
	return loading;

failed:
	loading_end(loading);
	return NULL;
}

int loading_channel(const struct loading *loading)
{
	return loading->query.channel;
}

uint64_t loading_deadline(const struct loading *loading)
{
	return loading->query.deadline;
}

int loading_step(struct loading *loading)
{
	return names_query_step(&loading->query);
}

struct generation *loading_finish(struct loading *loading)
{
	struct generation *generation = NULL;
	void *image = NULL;
	size_t size = 0;
	int error;

	error = policy_set_compile(loading->set, &image, &size);
	log_diagnostics(loading->set);
	if (error < 0 && error != -EINVAL)
		log_message(LOG_ERR, "cannot compile the policy: %s", strerror(-error));
	if (error == 0)
		generation = generation_make(image, size, loading->mounts, loading->available);
	if (generation != NULL) {
		generation->mounts = loading->mounts;
		loading->mounts = NULL;
	}
	free(image);
	loading_end(loading);
	return generation;
}

void loading_end(struct loading *loading)
{
	names_query_end(&loading->query);
	policy_set_free(loading->set);
	free(loading->mounts);
	free(loading);
}

/* ---- holding ---- */

struct generation *generation_hold(struct generation *generation)
{
	generation->holders++;
	return generation;
}

void generation_release(struct generation *generation)
{
	if (generation == NULL || --generation->holders > 0)
		return;
	if (generation->image != NULL)
		munmap((void *)generation->image, generation->image_size);
	if (generation->peers != NULL)
		munmap(generation->peers, sizeof(*generation->peers));
	if (generation->peers_fd >= 0)
		close(generation->peers_fd);
	if (generation->image_fd >= 0)
		close(generation->image_fd);
	if (generation->mounts_fd >= 0)
		close(generation->mounts_fd);
	free(generation->mounts);
	free(generation);
}

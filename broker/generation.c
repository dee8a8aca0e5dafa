/* SPDX-License-Identifier: MIT */
/*
 * From policy files to a generation: read, parse, ask for the names, compile, seal. This is the
 * only place of the daemon where policy text is looked at, and it runs before anything of the old
 * policy is touched.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "generation.h"
#include "load.h"
#include "log.h"
#include "memory.h"
#include "names.h"

/* Every diagnostic on the log, one line each. */
static void log_diagnostics(const struct policy_set *set)
{
	static const struct {
		int level;
		const char *word;
	} severities[] = {
		[POLICY_NOTE] = {LOG_INFO, "note"},
		[POLICY_WARNING] = {LOG_WARNING, "warning"},
		[POLICY_ERROR] = {LOG_ERR, "error"},
	};
	size_t count;
	const struct policy_diagnostic *diagnostics = policy_set_diagnostics(set, &count);

	for (size_t i = 0; i < count; i++) {
		const struct policy_diagnostic *d = &diagnostics[i];
		char place[32] = "";

		if (d->line > 0)
			snprintf(place, sizeof(place), ":%u:%u", d->line, d->column);
		log_message(severities[d->severity].level, "%s%s: %s: %s%s%s", d->file, place,
			severities[d->severity].word, d->message, d->remedy != NULL ? "; " : "",
			d->remedy != NULL ? d->remedy : "");
	}
}

static int compile(struct policy_set *set, const struct trusted_mounts *mounts,
	const char *const *paths, size_t count, void **image, size_t *size)
{
	struct policy_name *names;
	size_t name_count;
	int error;

	error = policy_load_files(set, mounts, paths, count);
	if (error < 0)
		return error;
	names = policy_set_names(set, &name_count);
	/* Errors do not depend on the names, and the names of a broken policy mean nothing. */
	if (policy_set_count(set, POLICY_ERROR) == 0) {
		error = names_ask(names, name_count);
		if (error < 0)
			return error;
		error = policy_set_compile(set, image, size);
	} else {
		error = -EINVAL;
	}
	log_diagnostics(set);
	return error;
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
static int check_capabilities(const struct policy_needs *needs, capability_set available)
{
	capability_set missing = confine_capabilities(needs, ROLE_SUPERVISOR) & ~available;
	char names[256];

	if (missing == 0)
		return 0;
	confine_capability_names(missing, names, sizeof(names));
	log_message(LOG_ERR,
		"the policy needs %s, which fdbrokerd does not have (it keeps only what the policy "
		"that it was started with needs); restart it, as root or with "
		"AmbientCapabilities=%s",
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
		error = check_capabilities(&generation->needs, available);
	if (error < 0) {
		generation_release(generation);
		return NULL;
	}
	generation->number = ++number;
	return generation;
}

struct generation *generation_load(const char *const *paths, size_t count, capability_set available)
{
	_cleanup_free_ struct trusted_mounts *mounts = NULL;
	_cleanup_free_ void *image = NULL;
	struct policy_set *set;
	size_t size = 0;
	int error;

	error = trusted_mounts_read(&mounts);
	if (error < 0) {
		log_message(LOG_ERR, "cannot read /proc/self/mountinfo: %s", strerror(-error));
		return NULL;
	}
	set = policy_set_new();
	error = set != NULL ? compile(set, mounts, paths, count, &image, &size) : -ENOMEM;
	policy_set_free(set);
	if (error < 0) {
		if (error != -EINVAL)
			log_message(LOG_ERR, "cannot load the policy: %s", strerror(-error));
		return NULL;
	}
	return generation_make(image, size, mounts, available);
}

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
	free(generation);
}

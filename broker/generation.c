/* SPDX-License-Identifier: MIT */
/*
 * From policy files to a generation: read, parse, ask for the names, compile, seal. This is the
 * only place of the daemon where policy text is looked at, and it runs before anything of the old
 * policy is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "generation.h"
#include "load.h"
#include "log.h"
#include "names.h"

/* A memfd with these bytes that nobody can change any more (memfd_create(2)), or a negative errno.
 */
static int memfd_sealed(const char *name, const void *bytes, size_t size)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t written = 0;

	if (fd < 0)
		return -errno;
	while (written < size) {
		ssize_t n = write(fd, (const char *)bytes + written, size - written);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			written += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return -errno;
	return take_fd(&fd);
}

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

	generation->image_fd = memfd_sealed("fdbroker-policy", image, size);
	if (generation->image_fd < 0)
		return generation->image_fd;
	generation->mounts_fd =
		memfd_sealed("fdbroker-mounts", mounts, trusted_mounts_size(mounts));
	if (generation->mounts_fd < 0)
		return generation->mounts_fd;
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
	*generation = (struct generation){.holders = 1, .image_fd = -1, .mounts_fd = -1};
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
	if (generation->image_fd >= 0)
		close(generation->image_fd);
	if (generation->mounts_fd >= 0)
		close(generation->mounts_fd);
	free(generation);
}

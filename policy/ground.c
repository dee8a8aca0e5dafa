/* SPDX-License-Identifier: MIT */
/*
 * The ground that rules stand on: which of them are about folders that somebody unprivileged can
 * write to, where the broker's placement rule refuses most of what they seem to grant
 * (fdbroker.policy(5), "What users could have placed").
 *
 * A tree of the folders that were looked at. Each is looked at once, from `/` on, and never further
 * than to the first that is not safe; so nobody unprivileged can exchange a folder on the way, send
 * the walk elsewhere by a link, or let it wait for a file system that does not answer.
 *
 * Must never: look into a folder that is not safe, or open anything else without O_PATH.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "cleanup.h"
#include "load.h"
#include "lookup.h"
#include "openat2.h"

/* Entries of a folder that a wildcard is tried with, to see whose they are: the first ones. */
#define ENTRIES_MAX 256u

enum footing {
	FOOTING_TRUSTED, /* root's alone, as all above it */
	FOOTING_OWN,     /* or the broker's own: safe, but no links are followed there */
	FOOTING_UNSAFE,
	FOOTING_LINK,    /* of root, in a trusted folder */
	FOOTING_UNKNOWN, /* not there, no folder, or not to be seen by us */
};

struct folder {
	enum footing footing;
	uint32_t parent; /* of `/`: itself */
	uint32_t name;   /* offset in the pool */
	uint32_t name_length;
	uint32_t link, link_length; /* the text of a link */
	enum distrust distrust;     /* of one that is unsafe */
	uint32_t uid, mode;         /* of a folder */
	const char *owner;          /* once somebody wants to know */
	bool is_listed;             /* of one that is safe: it is known what is in it */
	uint32_t first_child;       /* of the folders in it the first, or NONE */
	uint32_t next_child;        /* the next in the same folder, or NONE */
	bool is_child;              /* it has its place among these */
};

#define ROOT 0u

struct ground {
	struct policy_set *set;
	const struct trusted_mounts *mounts;
	uint32_t broker; /* its uid; POLICY_OWNER_DEFAULT: there is no such user */
	bool out_of_memory;
	LIST(struct folder) folders;
	struct lookup_table table; /* by parent and name */
	struct byte_pool bytes;
};

static void ground_end(struct ground *ground)
{
	free(ground->folders.items);
	free(ground->bytes.items);
	lookup_table_free(&ground->table);
}

static bool footing_is_safe(enum footing footing)
{
	return footing == FOOTING_TRUSTED || footing == FOOTING_OWN;
}

/* ---- one folder ---- */

/* Its path, from the end of the buffer to the front; NULL: too long for the kernel as well. */
static const char *folder_path(
	const struct ground *ground, const struct folder *folder, char buffer[static PATH_MAX])
{
	const struct folder *all = ground->folders.items;
	size_t at = PATH_MAX - 1;

	buffer[at] = '\0';
	for (; folder != &all[ROOT]; folder = &all[folder->parent]) {
		if (at < (size_t)folder->name_length + 1)
			return NULL;
		at -= folder->name_length;
		memcpy(buffer + at, ground->bytes.items + folder->name, folder->name_length);
		buffer[--at] = '/';
	}
	if (at == PATH_MAX - 1)
		buffer[--at] = '/';
	return buffer + at;
}

static enum footing link_judge(struct ground *ground, struct folder *folder, int fd,
	const struct statx *status, enum footing parent)
{
	char text[PATH_MAX];
	ssize_t length;

	if (parent != FOOTING_TRUSTED || trust_judge(ground->mounts, status) != DISTRUST_NONE)
		return FOOTING_UNKNOWN;
	length = readlinkat(fd, "", text, sizeof(text));
	if (length <= 0 || length == sizeof(text))
		return FOOTING_UNKNOWN;
	folder->link = pool_add(&ground->bytes, text, (size_t)length);
	folder->link_length = (uint32_t)length;
	ground->out_of_memory |= folder->link == NONE;
	return FOOTING_LINK;
}

/* As the broker judges it, which acts as itself here (broker/operations/walk.c). */
static enum footing status_judge(struct ground *ground, struct folder *folder, int fd,
	const struct statx *status, enum footing parent)
{
	const uint32_t others = S_IWGRP | S_IWOTH;

	if (S_ISLNK(status->stx_mode))
		return link_judge(ground, folder, fd, status, parent);
	if (!S_ISDIR(status->stx_mode))
		return FOOTING_UNKNOWN;
	folder->distrust = trust_judge(ground->mounts, status);
	folder->uid = status->stx_uid;
	folder->mode = status->stx_mode;
	if (folder->distrust == DISTRUST_NONE)
		return parent;
	if (status->stx_uid == ground->broker && ground->broker != 0 &&
		(status->stx_mode & others) == 0)
		return FOOTING_OWN;
	return FOOTING_UNSAFE;
}

/* All above it are safe, so its path leads nowhere else. */
static enum footing folder_look(struct ground *ground, struct folder *folder, enum footing parent)
{
	char buffer[PATH_MAX];
	const char *path = folder_path(ground, folder, buffer);
	_cleanup_close_ int fd = -1;
	struct statx status;

	if (path == NULL)
		return FOOTING_UNKNOWN;
	fd = openat2_at(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	if (fd < 0 || trust_statx(ground->mounts, fd, &status) < 0)
		return FOOTING_UNKNOWN;
	return status_judge(ground, folder, fd, &status, parent);
}

/* Looks at what is called so in a safe folder, once. NONE: out of memory. */
static uint32_t folder_find(
	struct ground *ground, uint32_t parent, const void *name, uint32_t length)
{
	uint64_t owner = OWNER(OWNER_LITERAL, parent);
	uint32_t number = lookup_table_find(&ground->table, &ground->bytes, owner, name, length);
	struct folder *folder;

	if (number != LOOKUP_NONE)
		return number;
	number = ground->folders.count;
	folder = list_append(&ground->folders, &ground->out_of_memory);
	if (folder == NULL)
		return NONE;
	folder->parent = parent;
	folder->first_child = folder->next_child = NONE;
	folder->name_length = length;
	folder->name = pool_add(&ground->bytes, name, length);
	if (folder->name == NONE ||
		!lookup_table_put(&ground->table, &ground->bytes, owner, name, length, number)) {
		ground->out_of_memory = true;
		return NONE;
	}
	folder->footing = folder_look(ground, folder, ground->folders.items[parent].footing);
	return number;
}

/* ---- the way to it ---- */

static uint32_t folder_enter(
	struct ground *ground, uint32_t at, const void *name, uint32_t length, uint32_t *links);

/* Where a link's text leads from the folder that it is in. The pool grows meanwhile. */
static uint32_t link_follow(
	struct ground *ground, uint32_t at, const struct folder *link, uint32_t *links)
{
	const uint32_t first = link->link, end = first + link->link_length;
	uint32_t next;

	if (ground->bytes.items[first] == '/')
		at = ROOT;
	for (uint32_t from = first; from < end; from = next + 1) {
		char name[NAME_MAX];
		uint32_t length;

		for (next = from; next < end && ground->bytes.items[next] != '/'; next++)
			;
		length = next - from;
		if (length > sizeof(name))
			return NONE;
		memcpy(name, ground->bytes.items + from, length);
		if (length == 2 && memcmp(name, "..", 2) == 0)
			at = ground->folders.items[at].parent;
		else if (length > 1 || (length == 1 && name[0] != '.'))
			at = folder_enter(ground, at, name, length, links);
		if (at == NONE || !footing_is_safe(ground->folders.items[at].footing))
			return at;
	}
	return at;
}

/* Goes on to what is called so, and where it leads if it is a link. NONE: nobody knows. */
static uint32_t folder_enter(
	struct ground *ground, uint32_t at, const void *name, uint32_t length, uint32_t *links)
{
	uint32_t number = folder_find(ground, at, name, length);

	if (number == NONE || ground->folders.items[number].footing != FOOTING_LINK)
		return number;
	if (++*links > POLICY_LINKS_MAX)
		return NONE;
	return link_follow(ground, at, &ground->folders.items[number], links);
}

/* The folders above whatever the pattern matches: as many components as are names. */
static uint32_t pattern_folders(const struct pattern *pattern)
{
	uint32_t count = 0;

	while (count < pattern->component_count &&
		pattern->components[count].kind == COMPONENT_LITERAL)
		count++;
	return count > 0 && count == pattern->component_count ? count - 1 : count;
}

/* In /proc nobody can put anything, though its folders belong to those whose processes they are. */
static bool pattern_is_of_processes(const struct pattern *pattern)
{
	return pattern->component_count > 0 && pattern->components[0].length == strlen("proc") &&
	       memcmp(pattern->components[0].bytes, "proc", strlen("proc")) == 0;
}

/* ---- what a wildcard matches ---- */

static DIR *folder_open(const struct ground *ground, uint32_t number)
{
	char buffer[PATH_MAX];
	const char *path = folder_path(ground, &ground->folders.items[number], buffer);
	DIR *directory;
	int fd;

	if (path == NULL)
		return NULL;
	fd = openat2_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL && fd >= 0)
		cleanup_close(&fd);
	return directory;
}

/* Wildcards match no leading dot in an allow. */
static bool entry_may_be_folder(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

/* Looks at what is in a safe folder, once. */
static void folder_list(struct ground *ground, uint32_t number)
{
	const struct dirent *entry;
	DIR *directory;

	if (ground->folders.items[number].is_listed)
		return;
	ground->folders.items[number].is_listed = true;
	directory = folder_open(ground, number);
	if (directory == NULL)
		return;
	for (uint32_t i = 0; i < ENTRIES_MAX && (entry = readdir(directory)) != NULL; i++) {
		uint32_t child;

		if (!entry_may_be_folder(entry))
			continue;
		child = folder_find(ground, number, entry->d_name, (uint32_t)strlen(entry->d_name));
		/* readdir(3) may give a name again that comes or goes meanwhile. */
		if (child == NONE || ground->folders.items[child].is_child)
			continue;
		ground->folders.items[child].is_child = true;
		ground->folders.items[child].next_child = ground->folders.items[number].first_child;
		ground->folders.items[number].first_child = child;
	}
	(void)closedir(directory);
}

static bool component_matches(
	const struct ground *ground, const struct component *component, const struct folder *folder)
{
	static const struct variables none;

	return component->kind == COMPONENT_STAR ||
	       (component->kind == COMPONENT_GLOB &&
		       glob_match(component->bytes, component->length,
			       (const char *)ground->bytes.items + folder->name,
			       folder->name_length, &none, SENSE_ALLOW));
}

/* By name, so that of several the same one is told of each time. */
static bool folder_precedes(
	const struct ground *ground, const struct folder *folder, const struct folder *other)
{
	const uint8_t *a = ground->bytes.items + folder->name;
	const uint8_t *b = ground->bytes.items + other->name;
	bool is_shorter = folder->name_length < other->name_length;
	int order = memcmp(a, b, is_shorter ? folder->name_length : other->name_length);

	return order < 0 || (order == 0 && is_shorter);
}

/*
 * Of the folders that the wildcard leads through the first that is not safe, where at least half are
 * not: in /home that is so, and in /var/lib some belong to services, which is nothing to warn of.
 * NULL: there is none.
 */
static struct folder *wildcard_find_unsafe(
	struct ground *ground, uint32_t at, const struct component *component)
{
	uint32_t safe = 0, unsafe = 0;
	struct folder *all, *found = NULL;

	folder_list(ground, at);
	all = ground->folders.items;
	for (uint32_t i = all[at].first_child; i != NONE; i = all[i].next_child) {
		if (!component_matches(ground, component, &all[i]))
			continue;
		safe += footing_is_safe(all[i].footing);
		if (all[i].footing != FOOTING_UNSAFE)
			continue;
		unsafe++;
		if (found == NULL || folder_precedes(ground, &all[i], found))
			found = &all[i];
	}
	return unsafe >= safe ? found : NULL;
}

/*
 * The first folder on the way that is not safe; NULL: none is known. *is_one_of_many: a wildcard
 * leads there.
 */
static struct folder *pattern_find_unsafe(struct ground *ground, const struct pattern *pattern,
	bool follows_links, bool *is_one_of_many)
{
	uint32_t links = follows_links ? 0 : POLICY_LINKS_MAX;
	uint32_t count = pattern_folders(pattern), at = ROOT;
	struct folder *folder;

	for (uint32_t i = 0; i < count && footing_is_safe(ground->folders.items[at].footing); i++) {
		const struct component *component = &pattern->components[i];

		at = folder_enter(ground, at, component->bytes, component->length, &links);
		if (at == NONE)
			return NULL;
	}
	folder = &ground->folders.items[at];
	*is_one_of_many = footing_is_safe(folder->footing) && count + 1 < pattern->component_count;
	if (*is_one_of_many)
		return wildcard_find_unsafe(ground, at, &pattern->components[count]);
	return folder->footing == FOOTING_UNSAFE ? folder : NULL;
}

/* ---- saying so ---- */

/* The name of its owner, or else the digits, as it can follow `as`. */
static const char *folder_owner(struct ground *ground, struct folder *folder)
{
	char digits[sizeof("4294967295")];
	const struct passwd *user;
	const char *name = digits;

	if (folder->owner != NULL)
		return folder->owner;
	(void)snprintf(digits, sizeof(digits), "%u", folder->uid);
	user = getpwuid(folder->uid);
	if (user != NULL)
		name = user->pw_name;
	folder->owner = set_copy(ground->set, name, strlen(name));
	return folder->owner != NULL ? folder->owner : "";
}

static void folder_advise(struct ground *ground, const struct object *object, struct folder *folder,
	bool is_one_of_many, struct advice *advice)
{
	char buffer[PATH_MAX];
	const char *path = folder_path(ground, folder, buffer);
	const struct unsafe_folder unsafe = {.path = path != NULL ? path : "",
		.owner = folder_owner(ground, folder),
		.mode = folder->mode,
		.distrust = folder->distrust,
		.is_one_of_many = is_one_of_many};

	advise_folder(object, &unsafe, advice);
}

/* folder NULL: the object is below %h. */
static void object_report(struct ground *ground, const struct object *object, struct folder *folder,
	bool is_one_of_many)
{
	struct advice advice;

	if (folder == NULL)
		advise_home(object, &advice);
	else
		folder_advise(ground, object, folder, is_one_of_many, &advice);
	set_report(
		ground->set, POLICY_WARNING, &object->where, advice.remedy, "%s", advice.message);
}

/* ---- all rules ---- */

static bool object_is_on_ground(const struct object *object)
{
	return object->kind == OBJECT_PATH || object->kind == OBJECT_UNIX ||
	       object->kind == OBJECT_CREDENTIAL;
}

/* Whether `as` has all that can be had there: not where several may place things. */
static bool as_helps(const struct folder *folder)
{
	return folder == NULL || (folder->mode & (S_IWGRP | S_IWOTH)) == 0;
}

static void rule_check(struct ground *ground, const struct rule *rule)
{
	bool follows_links = rule->options.symlinks == POLICY_SYMLINKS_TRUSTED;
	bool has_as = rule->options.as != POLICY_AS_BROKER;

	if (rule->effect != EFFECT_ALLOW)
		return;
	for (uint32_t i = 0; i < rule->object_count && !ground->out_of_memory; i++) {
		const struct object *object = &ground->set->objects.items[rule->first_object + i];
		struct folder *folder = NULL;
		bool is_one_of_many = false;

		if (!object_is_on_ground(object) || pattern_is_of_processes(&object->pattern))
			continue;
		if (!object->pattern.is_home) {
			folder = pattern_find_unsafe(
				ground, &object->pattern, follows_links, &is_one_of_many);
			if (folder == NULL)
				continue;
		}
		if (!has_as || !as_helps(folder))
			object_report(ground, object, folder, is_one_of_many);
	}
}

static bool ground_begin(struct ground *ground)
{
	const struct passwd *broker = getpwnam(FDBROKER_USER);
	struct folder *root = list_append(&ground->folders, &ground->out_of_memory);

	ground->broker = broker != NULL ? broker->pw_uid : POLICY_OWNER_DEFAULT;
	if (root == NULL)
		return false;
	root->parent = ROOT;
	root->first_child = root->next_child = NONE;
	root->footing = folder_look(ground, root, FOOTING_TRUSTED);
	return true;
}

int policy_load_ground(struct policy_set *set, const struct trusted_mounts *mounts)
{
	_cleanup_(ground_end) struct ground ground = {.set = set, .mounts = mounts};

	if (!ground_begin(&ground))
		return -ENOMEM;
	for (uint32_t i = 0; i < set->rules.count && !ground.out_of_memory; i++)
		rule_check(&ground, &set->rules.items[i]);
	set_order_diagnostics(set);
	return ground.out_of_memory || set->out_of_memory ? -ENOMEM : 0;
}

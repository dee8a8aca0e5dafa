/* SPDX-License-Identifier: MIT */
/*
 * Which policy files there are, which of them count, and their text.
 *
 * What is judged is a descriptor and what is read is the same file: a folder is held while its
 * files are opened relative to it, and a file is opened with O_PATH, judged, and then opened for
 * reading through that descriptor. Opening a FIFO or a device for reading would already act.
 *
 * Must never: leave out a file without saying so, or take in a text that changed while it was read.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "load.h"
#include "openat2.h"
#include "place.h"

/* Later ones mask earlier ones, as in systemd's own drop-in folders. */
static const char *const installed_folders[] = {
	"/usr/lib/fdbroker/policy.d", "/run/fdbroker/policy.d", "/etc/fdbroker/policy.d"};

#define SUFFIX ".policy"

struct folder {
	const char *path; /* as given */
	int fd;           /* O_PATH */
};

struct entry {
	const struct folder *folder;
	char *name;
	bool counts; /* as its name says */
};

struct loader {
	struct policy_set *set;
	const struct trusted_mounts *mounts;
	bool installed; /* the folders were not named: they may be missing */
	int added;
	struct folder *folders; /* in the order in which they were given */
	size_t folder_count;
	struct entry *entries;
	size_t entry_count, entry_capacity;
};

static void loader_end(struct loader *loader)
{
	for (size_t i = 0; i < loader->folder_count; i++)
		(void)close(loader->folders[i].fd);
	for (size_t i = 0; i < loader->entry_count; i++)
		free(loader->entries[i].name);
	free(loader->folders);
	free(loader->entries);
}

static void directory_close(DIR *const *directory)
{
	if (*directory != NULL)
		(void)closedir(*directory);
}

static int loader_note(struct loader *loader, enum policy_severity severity, const char *path,
	const struct refusal *refusal)
{
	return policy_set_note(loader->set, severity, path, refusal->message, refusal->remedy);
}

static int path_join(const struct folder *folder, const char *name, char **path)
{
	size_t length = strlen(folder->path);
	const char *slash = length > 0 && folder->path[length - 1] == '/' ? "" : "/";

	return asprintf(path, "%s%s%s", folder->path, slash, name) < 0 ? -ENOMEM : 0;
}

/* ---- one file ---- */

/* Is it a link whose text is exactly /dev/null? Where it would lead is never asked. */
static bool link_disables(int object, const struct statx *status)
{
	static const char null[] = "/dev/null";
	char text[sizeof(null)];

	if (!S_ISLNK(status->stx_mode))
		return false;
	return readlinkat(object, "", text, sizeof(text)) == sizeof(null) - 1 &&
	       memcmp(text, null, sizeof(null) - 1) == 0;
}

static int file_judge(const struct trusted_mounts *mounts, int object, const struct statx *status,
	const char *path, struct refusal *refusal)
{
	if (S_ISLNK(status->stx_mode)) {
		place_refuse_link(object, path, refusal);
		return PLACE_REFUSED;
	}
	if (!S_ISREG(status->stx_mode)) {
		(void)snprintf(refusal->message, sizeof(refusal->message),
			"is %s, not a regular file", place_type_name(status));
		(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
			"put a file in its place, or take it away");
		return PLACE_REFUSED;
	}
	if (status->stx_size > POLICY_FILE_BYTES_MAX) {
		(void)snprintf(refusal->message, sizeof(refusal->message),
			"is larger than %u bytes", POLICY_FILE_BYTES_MAX);
		(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
			"see whether it is a policy at all; if so, split it");
		return PLACE_REFUSED;
	}
	return place_judge(mounts, status, path, refusal);
}

static bool time_is_same(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A change of owner or mode shows in the ctime as well. */
static bool file_is_same(const struct statx *before, const struct statx *after)
{
	return before->stx_ino == after->stx_ino && before->stx_dev_major == after->stx_dev_major &&
	       before->stx_dev_minor == after->stx_dev_minor &&
	       before->stx_size == after->stx_size &&
	       time_is_same(&before->stx_mtime, &after->stx_mtime) &&
	       time_is_same(&before->stx_ctime, &after->stx_ctime);
}

/* Fills the buffer up to its end or that of the file. */
static int read_all(int fd, char *buffer, size_t size, size_t *length)
{
	*length = 0;
	while (*length < size) {
		ssize_t n = read(fd, buffer + *length, size - *length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*length += (size_t)n;
	}
	return 0;
}

/* Opens for reading what an O_PATH descriptor holds. It is a regular file: this does not act. */
static int object_reopen(int object)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(object)];
	int fd;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", object);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* *text is malloc'ed, and status->stx_size bytes long. */
static int file_read(int object, const struct statx *status, const char *path, char **text,
	struct refusal *refusal)
{
	_cleanup_free_ char *buffer = NULL;
	_cleanup_close_ int fd = -1;
	struct statx after = {0};
	size_t length;
	int r;

	fd = object_reopen(object);
	if (fd < 0)
		return place_error(-fd, "cannot be read", path, refusal);
	/* One byte more than there should be, to see the end of the file. */
	buffer = malloc((size_t)status->stx_size + 1);
	if (buffer == NULL)
		return -ENOMEM;
	r = read_all(fd, buffer, (size_t)status->stx_size + 1, &length);
	if (r == 0)
		r = trust_statx(NULL, fd, &after);
	if (r < 0)
		return place_error(-r, "cannot be read", path, refusal);
	if (length != status->stx_size || !file_is_same(status, &after)) {
		(void)snprintf(
			refusal->message, sizeof(refusal->message), "changed while it was read");
		(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
			"load again when it is complete; mv(1) puts a file in place at once");
		return PLACE_REFUSED;
	}
	*text = TAKE_PTR(buffer);
	return PLACE_FOUND;
}

/* Adds the file that an O_PATH descriptor holds, or notes with this severity why not. */
static int file_load(struct loader *loader, const char *path, int object,
	const struct statx *status, enum policy_severity severity)
{
	_cleanup_free_ char *text = NULL;
	struct refusal refusal = {0};
	int r;

	if (link_disables(object, status))
		return policy_set_note(
			loader->set, POLICY_NOTE, path, "is disabled by a link to /dev/null", NULL);
	r = file_judge(loader->mounts, object, status, path, &refusal);
	if (r < 0)
		return r;
	if (r != PLACE_FOUND)
		return loader_note(loader, severity, path, &refusal);
	r = file_read(object, status, path, &text, &refusal);
	if (r < 0)
		return r;
	/* It counts: without what it denies, the rest would grant too much. */
	if (r != PLACE_FOUND)
		return loader_note(loader, POLICY_ERROR, path, &refusal);
	r = policy_set_add(loader->set, path, text, (size_t)status->stx_size);
	if (r < 0)
		return r;
	loader->added++;
	return 0;
}

/* ---- folders ---- */

/* As *.policy in a shell: no leading dot, which is how editors call their temporary files. */
static bool name_counts(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(SUFFIX) &&
	       strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static int entry_add(struct loader *loader, const struct folder *folder, const char *name)
{
	struct entry *entry;

	if (loader->entry_count == loader->entry_capacity) {
		size_t capacity = loader->entry_capacity == 0 ? 32 : 2 * loader->entry_capacity;
		struct entry *entries = reallocarray(loader->entries, capacity, sizeof(*entries));

		if (entries == NULL)
			return -ENOMEM;
		loader->entries = entries;
		loader->entry_capacity = capacity;
	}
	entry = &loader->entries[loader->entry_count];
	*entry =
		(struct entry){.folder = folder, .name = strdup(name), .counts = name_counts(name)};
	if (entry->name == NULL)
		return -ENOMEM;
	loader->entry_count++;
	return 0;
}

static int folder_list(struct loader *loader, const struct folder *folder, DIR *directory)
{
	const struct dirent *found;
	int r;

	for (errno = 0; (found = readdir(directory)) != NULL; errno = 0) {
		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
			continue;
		r = entry_add(loader, folder, found->d_name);
		if (r < 0)
			return r;
	}
	return -errno;
}

/* The caller has judged the folder; an O_PATH descriptor cannot be read from. */
static int folder_read(struct loader *loader, const struct folder *folder, struct refusal *refusal)
{
	_cleanup_(directory_close) DIR *directory = NULL;
	int fd, r;

	fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return place_error(errno, "cannot be read", folder->path, refusal);
	directory = fdopendir(fd);
	if (directory == NULL) {
		cleanup_close(&fd);
		return place_error(errno, "cannot be read", folder->path, refusal);
	}
	r = folder_list(loader, folder, directory);
	return r < 0 ? place_error(-r, "cannot be read", folder->path, refusal) : PLACE_FOUND;
}

/* Takes over the descriptor. */
static int folder_take(struct loader *loader, const char *path, int fd, const struct statx *status)
{
	struct folder *folder = &loader->folders[loader->folder_count++];
	struct refusal refusal = {0};
	int r;

	*folder = (struct folder){.path = path, .fd = fd};
	r = place_judge(loader->mounts, status, path, &refusal);
	if (r == PLACE_FOUND)
		r = folder_read(loader, folder, &refusal);
	if (r > 0)
		return loader_note(loader, POLICY_ERROR, path, &refusal);
	return r;
}

/* By name; of one name the last folder first. All folders stand in one array, in their order. */
static int entry_compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (order != 0)
		return order;
	return (a->folder < b->folder) - (a->folder > b->folder);
}

/* Which file a link leads to is for the caller to see: a name may be somebody else's choice. */
static int refuse_draft_link(struct refusal *refusal)
{
	(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
		"look where it leads, and name that file itself");
	return PLACE_REFUSED;
}

/* Goes where the text of a link leads that stands in the folder, over no further link. */
static int link_open(int folder, int link, int *fd, struct statx *status)
{
	_cleanup_close_ int object = -1;
	char text[PATH_MAX];
	ssize_t length;
	int r;

	length = readlinkat(link, "", text, sizeof(text));
	if (length < 0)
		return -errno;
	if (length == sizeof(text))
		return -ENAMETOOLONG;
	text[length] = '\0';
	object = openat2_at(
		folder, text, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	r = object < 0 ? -errno : trust_statx(NULL, object, status);
	if (r < 0)
		return r;
	*fd = take_fd(&object);
	return 0;
}

/*
 * Of a draft folder links are followed, but not those of somebody else, who could have a line of
 * any file shown that the caller may read. One may stand at any place on the way: so the first link
 * is the only one that is followed, and it is the one whose owner was looked at.
 */
static int entry_follow_link(const struct entry *entry, int link, const char *path, int *fd,
	struct statx *status, struct refusal *refusal)
{
	int r;

	if (status->stx_uid != 0 && status->stx_uid != getuid()) {
		(void)snprintf(refusal->message, sizeof(refusal->message),
			"is a symbolic link of uid %u, and is not followed for you",
			status->stx_uid);
		return refuse_draft_link(refusal);
	}
	r = link_open(entry->folder->fd, link, fd, status);
	if (r == -ELOOP) {
		(void)snprintf(refusal->message, sizeof(refusal->message),
			"is a symbolic link that leads over another one, which is not followed");
		return refuse_draft_link(refusal);
	}
	return r < 0 ? place_error(-r, "cannot be read", path, refusal) : PLACE_FOUND;
}

static int entry_open(const struct loader *loader, const struct entry *entry, const char *path,
	int *fd, struct statx *status, struct refusal *refusal)
{
	_cleanup_close_ int object = -1;
	int r;

	object = openat2_at(entry->folder->fd, entry->name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	r = object < 0 ? -errno : trust_statx(loader->mounts, object, status);
	if (r < 0)
		return place_error(-r, "cannot be read", path, refusal);
	if (loader->mounts == NULL && S_ISLNK(status->stx_mode) && !link_disables(object, status))
		return entry_follow_link(entry, object, path, fd, status, refusal);
	*fd = take_fd(&object);
	return PLACE_FOUND;
}

static int entry_load(struct loader *loader, const struct entry *entry)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int object = -1;
	struct refusal refusal = {0};
	struct statx status = {0};
	int r;

	if (path_join(entry->folder, entry->name, &path) < 0)
		return -ENOMEM;
	r = entry_open(loader, entry, path, &object, &status, &refusal);
	if (r > 0)
		return loader_note(loader, POLICY_ERROR, path, &refusal);
	return r < 0 ? r : file_load(loader, path, object, &status, POLICY_WARNING);
}

static int entry_note_name(struct loader *loader, const struct entry *entry)
{
	_cleanup_free_ char *path = NULL;
	const char *why = entry->name[0] == '.' ? "does not count: its name begins with a dot"
						: "does not count: its name is not *" SUFFIX;

	if (path_join(entry->folder, entry->name, &path) < 0)
		return -ENOMEM;
	return policy_set_note(loader->set, POLICY_NOTE, path, why, "rename it if it should count");
}

static int entry_note_masked(
	struct loader *loader, const struct entry *entry, const struct entry *winner)
{
	_cleanup_free_ char *path = NULL, *mask = NULL, *message = NULL;

	if (path_join(entry->folder, entry->name, &path) < 0 ||
		path_join(winner->folder, winner->name, &mask) < 0 ||
		asprintf(&message, "is masked by %s", mask) < 0)
		return -ENOMEM;
	return policy_set_note(loader->set, POLICY_NOTE, path, message, NULL);
}

/* A name is masked also by a file that itself does not count: somebody meant to replace it. */
static int entries_load(struct loader *loader)
{
	const struct entry *winner = NULL;
	int r;

	if (loader->entry_count > 0)
		qsort(loader->entries, loader->entry_count, sizeof(loader->entries[0]),
			entry_compare);
	for (size_t i = 0; i < loader->entry_count; i++) {
		const struct entry *entry = &loader->entries[i];

		if (!entry->counts) {
			r = entry_note_name(loader, entry);
		} else if (winner != NULL && strcmp(winner->name, entry->name) == 0) {
			r = entry_note_masked(loader, entry, winner);
		} else {
			winner = entry;
			r = entry_load(loader, entry);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- all ---- */

static int path_load(struct loader *loader, const char *path)
{
	_cleanup_close_ int object = -1;
	struct refusal refusal = {0};
	struct statx status = {0};
	int r;

	r = place_open(loader->mounts, path, &object, &status, &refusal);
	if (r == PLACE_MISSING && loader->installed)
		return 0;
	if (r > 0)
		return loader_note(loader, POLICY_ERROR, path, &refusal);
	if (r < 0)
		return r;
	if (S_ISDIR(status.stx_mode))
		return folder_take(loader, path, take_fd(&object), &status);
	return file_load(loader, path, object, &status, POLICY_ERROR);
}

/* What has been said of a folder already says why nothing is in it. */
static int installed_note_empty(struct policy_set *set)
{
	size_t count;

	(void)policy_set_diagnostics(set, &count);
	if (count > 0)
		return 0;
	return policy_set_note(set, POLICY_NOTE, "/etc/fdbroker/policy.d",
		"no file is here, nor in /run/fdbroker/policy.d and /usr/lib/fdbroker/policy.d: "
		"nobody is a client",
		"put a policy there: NAME" SUFFIX);
}

int policy_load_files(struct policy_set *set, const struct trusted_mounts *mounts,
	const char *const *paths, size_t count)
{
	_cleanup_(loader_end) struct loader loader = {.set = set, .mounts = mounts};
	int r;

	if (count == 0) {
		loader.installed = true;
		paths = installed_folders;
		count = sizeof(installed_folders) / sizeof(installed_folders[0]);
	}
	loader.folders = calloc(count, sizeof(loader.folders[0]));
	if (loader.folders == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		r = path_load(&loader, paths[i]);
		if (r < 0)
			return r;
	}
	r = entries_load(&loader);
	if (r == 0 && loader.installed && loader.entry_count == 0)
		r = installed_note_empty(set);
	return r < 0 ? r : loader.added;
}

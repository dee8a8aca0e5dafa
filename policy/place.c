/* SPDX-License-Identifier: MIT */
/*
 * The walk to a policy file: from `/` one component after the other, each opened relative to the
 * directory before it, which was judged by its own descriptor. So nothing that is judged can be
 * exchanged before it is used.
 *
 * Links are not followed: a policy is named by the path where it is. The refusal says which path
 * that is.
 *
 * Must never: open anything without O_PATH when there are mounts to judge by, or judge by a path.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "openat2.h"
#include "place.h"

/* What the kernel says, and the way out of it, which may end with the path. */
static const struct {
	int error;
	bool names_path;
	const char *remedy;
} errno_remedies[] = {
	{ENOENT, false, "create it, or correct the name"},
	{EACCES, true, "let everyone read it, the broker reads it without privileges: chmod a+rX "},
	{EPERM, true, "see what a security module has against it: ls -lZ "},
	{EIO, false, "look for errors of the disk in the kernel's log: dmesg"},
	{EAGAIN, false, "another program holds a lease on it (fcntl(2)); try again"},
	{ENAMETOOLONG, false, "use a shorter path"},
	{ENOTDIR, false, "correct the path: something on the way is not a folder"},
	{0, true, "see what this says: stat "},
};

/* A command is there to be pasted: a name that a shell would take apart is not put into it. */
static const char *word_of_path(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._@%+=:,-";

	return path[0] != '-' && path[strspn(path, plain)] == '\0' ? path : "FILE";
}

static void remedy_set(struct refusal *refusal, int error, const char *path)
{
	size_t i = 0;

	while (errno_remedies[i].error != error && errno_remedies[i].error != 0)
		i++;
	(void)snprintf(refusal->remedy, sizeof(refusal->remedy), "%s%s", errno_remedies[i].remedy,
		errno_remedies[i].names_path ? word_of_path(path) : "");
}

/* Errors that say nothing of the file: the next one would fail as well. */
static bool error_is_ours(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE;
}

int place_error(int error, const char *action, const char *path, struct refusal *refusal)
{
	if (error_is_ours(error))
		return -error;
	(void)snprintf(
		refusal->message, sizeof(refusal->message), "%s: %s", action, strerror(error));
	remedy_set(refusal, error, path);
	return error == ENOENT ? PLACE_MISSING : PLACE_REFUSED;
}

const char *place_type_name(const struct statx *status)
{
	switch (status->stx_mode & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a folder";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

static void refuse_mount(struct refusal *refusal)
{
	(void)snprintf(refusal->message, sizeof(refusal->message),
		"is not on a trusted mount (FUSE, network, FAT, removable, or newer than the "
		"table of mounts)");
	(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
		"put it onto a local file system, such as /etc; if it was mounted just now, "
		"load again");
}

static void refuse_owner(struct refusal *refusal, const struct statx *status, const char *path)
{
	(void)snprintf(refusal->message, sizeof(refusal->message),
		"is owned by uid %u, not by root", status->stx_uid);
	(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
		"look at what it contains, then: chown root: %s", word_of_path(path));
}

static void refuse_writable(struct refusal *refusal, const struct statx *status, const char *path)
{
	(void)snprintf(refusal->message, sizeof(refusal->message),
		"may be written by others than root (mode %04o)", status->stx_mode & 07777u);
	/* In a sticky folder a user can still move about what root owns, and /tmp stays as it is.
	 */
	if ((status->stx_mode & S_ISVTX) != 0)
		(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
			"put the policy elsewhere, such as /etc/fdbroker/policy.d: the sticky bit "
			"does not protect it");
	else
		(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
			"look at what it contains, then: chmod go-w %s", word_of_path(path));
}

int place_judge(const struct trusted_mounts *mounts, const struct statx *status, const char *path,
	struct refusal *refusal)
{
	switch (mounts == NULL ? DISTRUST_NONE : trust_judge(mounts, status)) {
	case DISTRUST_NONE:
		return PLACE_FOUND;
	case DISTRUST_OWNER:
		refuse_owner(refusal, status, path);
		return PLACE_REFUSED;
	case DISTRUST_WRITABLE:
		refuse_writable(refusal, status, path);
		return PLACE_REFUSED;
	case DISTRUST_MOUNT:
		break;
	}
	refuse_mount(refusal);
	return PLACE_REFUSED;
}

void place_refuse_link(int link, const char *path, struct refusal *refusal)
{
	char text[PATH_MAX];
	ssize_t length;

	/* The text of the very link that was opened: readlinkat(2) with an empty path. */
	length = readlinkat(link, "", text, sizeof(text));
	if (length < 0)
		length = 0;
	(void)snprintf(refusal->message, sizeof(refusal->message), "is a symbolic link to '%.*s'",
		(int)length, text);
	(void)snprintf(refusal->remedy, sizeof(refusal->remedy),
		"put the file itself there, or name the path where it really is: realpath %s",
		word_of_path(path));
}

/* Where the walk is. */
struct walk {
	const struct trusted_mounts *mounts;
	struct refusal *refusal;
	int at;               /* O_PATH of what has been reached */
	struct statx *status; /* of it */
	const char *path;     /* absolute */
	size_t reached;       /* how much of it is behind us */
};

/* "is owned by uid 7" becomes "lies below /srv, which is owned by uid 7". */
static void refusal_lift(struct refusal *refusal, const char *directory)
{
	struct refusal inner = *refusal;

	(void)snprintf(refusal->message, sizeof(refusal->message), "lies below %s, which %.200s",
		directory, inner.message);
}

/* Judges what has been reached as a directory to go on from. */
static int walk_judge(struct walk *walk)
{
	char directory[PATH_MAX]; /* for the eyes only: a longer one may be cut */

	if (directory_is_trusted(walk->mounts, walk->status))
		return PLACE_FOUND;
	(void)snprintf(directory, sizeof(directory), "%.*s",
		walk->reached == 0 ? 1 : (int)walk->reached, walk->path);
	if (S_ISLNK(walk->status->stx_mode))
		place_refuse_link(walk->at, directory, walk->refusal);
	else if (!S_ISDIR(walk->status->stx_mode))
		return place_error(ENOTDIR, "cannot be read", walk->path, walk->refusal);
	else if (place_judge(walk->mounts, walk->status, directory, walk->refusal) == PLACE_FOUND)
		return PLACE_FOUND;
	refusal_lift(walk->refusal, directory);
	return PLACE_REFUSED;
}

/* Folders of the system, which anybody may pass; no advice is to open another, or somebody's home. */
static bool path_is_of_system(const char *path)
{
	static const char *const folders[] = {"/etc/", "/usr/", "/run/fdbroker/"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

static int walk_error(struct walk *walk, int error)
{
	int r;

	r = place_error(error, "cannot be read", walk->path, walk->refusal);
	if (error == EACCES && path_is_of_system(walk->path))
		(void)snprintf(walk->refusal->remedy, sizeof(walk->refusal->remedy),
			"let everyone pass, the broker comes without privileges: chmod a+x %.*s",
			walk->reached == 0 ? 1 : (int)walk->reached, walk->path);
	else if (error == EACCES)
		(void)snprintf(walk->refusal->remedy, sizeof(walk->refusal->remedy),
			"put the policy into /etc/fdbroker/policy.d: the broker comes without "
			"privileges, and may not pass %.*s",
			walk->reached == 0 ? 1 : (int)walk->reached, walk->path);
	return r;
}

/* Goes on to the component of this length that begins at start. */
static int walk_enter(struct walk *walk, size_t start, size_t length)
{
	char component[NAME_MAX + 1];
	int next, r;

	if (length > NAME_MAX)
		return walk_error(walk, ENAMETOOLONG);
	memcpy(component, walk->path + start, length);
	component[length] = '\0';
	next = openat2_at(walk->at, component, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	if (next < 0)
		return walk_error(walk, errno);
	(void)close(walk->at);
	walk->at = next;
	walk->reached = start + length;
	r = trust_statx(walk->mounts, walk->at, walk->status);
	return r < 0 ? walk_error(walk, -r) : PLACE_FOUND;
}

static void walk_end(const struct walk *walk)
{
	cleanup_close(&walk->at);
}

/* ".." needs no care of its own: it is opened and judged as any other directory. */
static int walk_all(struct walk *walk)
{
	for (;;) {
		size_t start = walk->reached + strspn(walk->path + walk->reached, "/");
		size_t length = strcspn(walk->path + start, "/");
		int r;

		if (length == 0)
			return PLACE_FOUND;
		r = walk_judge(walk);
		if (r != PLACE_FOUND)
			return r;
		r = walk_enter(walk, start, length);
		if (r != PLACE_FOUND)
			return r;
	}
}

/* malloc'ed; NULL and errno. */
static char *path_make_absolute(const char *path)
{
	_cleanup_free_ char *folder = NULL;
	char *absolute;

	if (path[0] == '/')
		return strdup(path);
	folder = getcwd(NULL, 0);
	if (folder == NULL)
		return NULL;
	return asprintf(&absolute, "%s/%s", folder, path) < 0 ? NULL : absolute;
}

static int place_open_trusted(const struct trusted_mounts *mounts, const char *path, int *fd,
	struct statx *status, struct refusal *refusal)
{
	_cleanup_free_ char *absolute = path_make_absolute(path);
	_cleanup_(walk_end) struct walk walk = {
		.mounts = mounts, .refusal = refusal, .at = -1, .status = status, .path = absolute};
	int r;

	if (absolute == NULL)
		return place_error(errno, "cannot be read", path, refusal);
	walk.at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk.at < 0)
		return walk_error(&walk, errno);
	r = trust_statx(mounts, walk.at, status);
	if (r < 0)
		return walk_error(&walk, -r);
	r = walk_all(&walk);
	if (r == PLACE_FOUND)
		*fd = take_fd(&walk.at);
	return r;
}

static int place_open_draft(
	const char *path, int *fd, struct statx *status, struct refusal *refusal)
{
	_cleanup_close_ int object = open(path, O_PATH | O_CLOEXEC);
	int r;

	r = object < 0 ? -errno : trust_statx(NULL, object, status);
	if (r < 0)
		return place_error(-r, "cannot be read", path, refusal);
	*fd = take_fd(&object);
	return PLACE_FOUND;
}

int place_open(const struct trusted_mounts *mounts, const char *path, int *fd, struct statx *status,
	struct refusal *refusal)
{
	/* An empty path is the current folder once it is absolute, and ENOENT to open(2). */
	if (path[0] == '\0')
		return place_error(ENOENT, "cannot be read", path, refusal);
	if (mounts == NULL)
		return place_open_draft(path, fd, status, refusal);
	return place_open_trusted(mounts, path, fd, status, refusal);
}

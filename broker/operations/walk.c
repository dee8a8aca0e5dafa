/* SPDX-License-Identifier: MIT */
/*
 * One component after the other, each by openat2(2) relative to the descriptor of the one before,
 * O_NOFOLLOW. A link's text is read from the very descriptor that was judged, put into the path in
 * its place, and the walk starts again from `/`; so while it goes on, the part of the path that is
 * behind it holds no link.
 *
 * Must never: follow a link that the kernel resolves, act on a path string that was judged before,
 * or open anything without O_PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "openat2.h"
#include "walk.h"

/* "Could a user have placed it?", directory by directory. */
struct placement {
	uint32_t as;
	bool trusted; /* all so far */
	bool safe;    /* all so far are trusted, or the own ones of `as` */
	bool refused;
	uint32_t owner; /* of the first that is not safe */
};

static bool directory_is_own(const struct statx *directory, uint32_t uid)
{
	/* Root's own are those that are trusted. */
	return uid != WALK_AS_NOBODY && uid != 0 && directory->stx_uid == uid &&
	       (directory->stx_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static void placement_add(struct placement *placement, const struct trusted_mounts *mounts,
	const struct statx *directory)
{
	bool trusted = directory_is_trusted(mounts, directory);

	placement->trusted = placement->trusted && trusted;
	if (placement->safe && (trusted || directory_is_own(directory, placement->as)))
		return;
	if (placement->safe) {
		placement->safe = false;
		placement->owner = directory->stx_uid;
	}
	if ((directory->stx_mode & (S_IWGRP | S_IWOTH)) != 0 ||
		(directory->stx_uid != placement->owner && directory->stx_uid != 0))
		placement->refused = true;
}

/* An object in a user's own folder must be that user's own: a hard link or a rename of root's is
 * not. */
static bool placement_permits(const struct placement *placement, const struct statx *object)
{
	if (placement->safe)
		return true;
	return !placement->refused && object->stx_uid == placement->owner;
}

static enum walk_outcome walk_error(struct walk *walk, int error)
{
	walk->error = error;
	return WALK_ERROR;
}

/*
 * Makes head + "/" + tail the path to walk, without empty components, "." and a trailing slash.
 * The parts may lie in walk->path itself.
 */
static enum walk_outcome walk_rewrite(struct walk *walk, const char *head, size_t head_length,
	const char *tail, size_t tail_length)
{
	char joined[2 * sizeof(walk->path)];
	size_t length = 0, i, end;

	memcpy(joined, head, head_length);
	joined[head_length] = '/';
	memcpy(joined + head_length + 1, tail, tail_length);
	joined[head_length + 1 + tail_length] = '\0';

	for (i = 0; joined[i] != '\0'; i = end) {
		while (joined[i] == '/')
			i++;
		end = i + strcspn(joined + i, "/");
		if (end == i || (end == i + 1 && joined[i] == '.'))
			continue;
		if (length + 1 + (end - i) >= sizeof(walk->path))
			return walk_error(walk, ENAMETOOLONG);
		walk->path[length++] = '/';
		memcpy(walk->path + length, joined + i, end - i);
		length += end - i;
	}
	if (length == 0)
		walk->path[length++] = '/';
	walk->path[length] = '\0';
	walk->length = length;
	return WALK_RESTART;
}

/* Puts a link's text, read from the link's own descriptor, in the place of its name. */
static enum walk_outcome walk_splice_link(struct walk *walk, int link, size_t start, size_t end)
{
	char text[sizeof(walk->path)];
	size_t length, rest = walk->length - end;
	ssize_t n;

	n = readlinkat(link, "", text, sizeof(text));
	if (n < 0)
		return walk_error(walk, errno);
	length = (size_t)n;
	if (length == 0)
		return walk_error(walk, ENOENT);
	if (length + rest >= sizeof(text))
		return walk_error(walk, ENAMETOOLONG);
	memcpy(text + length, walk->path + end, rest);
	return walk_rewrite(walk, walk->path, text[0] == '/' ? 0 : start - 1, text, length + rest);
}

/* "DIRECTORY/..": what stands before it is a real directory, so its parent is the one named. */
static enum walk_outcome walk_splice_parent(struct walk *walk, size_t start, size_t end)
{
	size_t keep = start - 1;

	while (keep > 0 && walk->path[--keep] != '/')
		;
	return walk_rewrite(walk, walk->path, keep, walk->path + end, walk->length - end);
}

/* A link was met: is it followed? */
static enum walk_outcome walk_link(const struct walker *walker, const struct walk_way *way,
	const struct placement *placement, struct walk *walk, size_t start, size_t end)
{
	bool final = end == walk->length;

	if (final && way->final == WALK_FINAL_HOLD)
		return WALK_FOUND;
	if (way->links == WALK_LINKS_NONE)
		return WALK_LINK;
	if (!placement->trusted || walk->status.stx_uid != 0 ||
		!trusted_mounts_hold(walker->mounts, &walk->status))
		return WALK_LINK;
	if (++walk->links > POLICY_LINKS_MAX)
		return WALK_LINK;
	walk->final_link |= final;
	return walk_splice_link(walk, walk->object, start, end);
}

/* Opens the component [start, end) in walk->parent as walk->object, and looks at it. */
static enum walk_outcome walk_open(
	const struct walker *walker, struct walk *walk, size_t start, size_t end)
{
	uint64_t resolve = RESOLVE_NO_MAGICLINKS | (walker->cached ? RESOLVE_CACHED : 0);
	char after = walk->path[end];
	int error;

	walk->path[end] = '\0';
	walk->object = openat2_at(
		walk->parent, walk->path + start, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, resolve);
	walk->path[end] = after;
	if (walk->object < 0) {
		if (errno == EAGAIN && walker->cached)
			return WALK_AGAIN;
		return errno == ENOENT ? WALK_MISSING : walk_error(walk, errno);
	}
	error = trust_statx(walker->mounts, walk->object, &walk->status);
	return error < 0 ? walk_error(walk, -error) : WALK_FOUND;
}

/* One component of the path, [start, end). */
static enum walk_outcome walk_component(const struct walker *walker, const struct walk_way *way,
	struct placement *placement, struct walk *walk, size_t start, size_t end)
{
	enum walk_outcome outcome;

	if (!S_ISDIR(walk->status.stx_mode))
		return walk_error(walk, ENOTDIR);
	placement_add(placement, walker->mounts, &walk->status);
	walk->parent_trusted = placement->trusted;
	walk->parent_safe = placement->safe;
	if (end - start == 2 && memcmp(walk->path + start, "..", 2) == 0)
		return walk_splice_parent(walk, start, end);

	if (walk->parent >= 0)
		close(walk->parent);
	walk->parent = take_fd(&walk->object);
	walk->name = start;
	outcome = walk_open(walker, walk, start, end);
	if (outcome == WALK_FOUND && S_ISLNK(walk->status.stx_mode))
		return walk_link(walker, way, placement, walk, start, end);
	if (outcome == WALK_MISSING && end < walk->length)
		return walk_error(walk, ENOENT);
	return outcome;
}

/* From `/` to the end of the path, or to the first link or `..` that changes it. */
static enum walk_outcome walk_pass(
	const struct walker *walker, const struct walk_way *way, struct walk *walk)
{
	struct placement placement = {.as = way->as, .trusted = true, .safe = true};
	enum walk_outcome outcome;
	size_t start, end;
	int error;

	walk->object = fcntl(walker->root, F_DUPFD_CLOEXEC, 0);
	if (walk->object < 0)
		return walk_error(walk, errno);
	error = trust_statx(walker->mounts, walk->object, &walk->status);
	if (error < 0)
		return walk_error(walk, -error);
	for (start = 1; start < walk->length; start = end + 1) {
		end = start + strcspn(walk->path + start, "/");
		outcome = walk_component(walker, way, &placement, walk, start, end);
		if (outcome != WALK_FOUND)
			return outcome;
	}
	return placement_permits(&placement, &walk->status) ? WALK_FOUND : WALK_PLACEMENT;
}

/* Such a path does not say yet where it leads, and no policy can be asked about it. */
static bool has_parent_component(const char *path)
{
	for (const char *at = strstr(path, "/.."); at != NULL; at = strstr(at + 1, "/.."))
		if (at[3] == '/' || at[3] == '\0')
			return true;
	return false;
}

static bool walk_is_denied(const struct walk_way *way, const struct walk *walk)
{
	return way->is_denied != NULL && !has_parent_component(walk->path) &&
	       way->is_denied(way->context, walk->path, walk->length);
}

enum walk_outcome walk_to(const struct walker *walker, const char *path, size_t length,
	const struct walk_way *way, struct walk *walk)
{
	enum walk_outcome outcome;

	walk->parent = walk->object = -1;
	walk->error = 0;
	walk->links = 0;
	walk->final_link = false;
	walk->parent_trusted = walk->parent_safe = false;
	walk->name = 0;
	if (length >= sizeof(walk->path))
		return walk_error(walk, ENAMETOOLONG);
	memcpy(walk->path, path, length);
	walk->path[length] = '\0';
	walk->length = length;
	/* Each pass consumes a link, of which there are at most POLICY_LINKS_MAX, or a `..` of their
	 * texts. */
	for (;;) {
		outcome = walk_pass(walker, way, walk);
		if (outcome != WALK_RESTART)
			return outcome;
		walk_end(walk);
		if (walk_is_denied(way, walk))
			return WALK_DENIED;
	}
}

void walk_end(struct walk *walk)
{
	if (walk->parent >= 0)
		close(walk->parent);
	if (walk->object >= 0)
		close(walk->object);
	walk->parent = walk->object = -1;
}

/* SPDX-License-Identifier: MIT */
/*
 * Makes paths absolute, because a policy is about names and the broker has a working directory of
 * its own. Only text is changed here, and only where the kernel would not mind: this file must
 * never resolve "..", which means something else behind a symbolic link.
 */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t end_length = strlen(end);

	return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/*
 * The name of a folder by its link in /proc, or a positive errno. The kernel writes "(unreachable)"
 * in front of what this process's root does not reach, and " (deleted)" behind what has no name any
 * more (d_path() in fs/d_path.c).
 */
static int read_folder_link(const char *link, char name[static PATH_MAX])
{
	static const char deleted[] = " (deleted)";
	ssize_t length = readlink(link, name, PATH_MAX);

	if (length < 0)
		return errno;
	if (length == PATH_MAX)
		return ENAMETOOLONG;
	if (name[0] != '/' || ends_with(name, (size_t)length, deleted))
		return ENOENT;
	name[length] = '\0';
	return 0;
}

/* thread-self, not self: a thread may have a working directory or descriptors of its own, clone(2).
 */
static int read_folder_name(int dirfd, char name[static PATH_MAX])
{
	char link[sizeof("/proc/thread-self/fd/-2147483648")];
	struct stat folder;

	if (dirfd == AT_FDCWD)
		return read_folder_link("/proc/thread-self/cwd", name);
	if (fstat(dirfd, &folder) != 0)
		return errno;
	if (!S_ISDIR(folder.st_mode))
		return ENOTDIR;
	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", dirfd);
	return read_folder_link(link, name);
}

static bool append_component(struct full_path *full, const char *name, size_t length)
{
	if (length + 1 > sizeof(full->bytes) - full->length)
		return false;
	full->bytes[full->length++] = '/';
	memcpy(full->bytes + full->length, name, length);
	full->length += length;
	return true;
}

static int append_path(struct full_path *full, const char *path)
{
	while (*path != '\0') {
		size_t length = strcspn(path, "/");
		bool is_named = length > 1 || (length == 1 && *path != '.');

		if (is_named && !append_component(full, path, length))
			return ENAMETOOLONG;
		path += length;
		full->wants_directory = !is_named || *path == '/';
		full->last = is_named ? LAST_NAME : length == 1 ? LAST_DOT : LAST_ROOT;
		path += strspn(path, "/");
	}
	return 0;
}

static int append_folder(struct full_path *full, int dirfd)
{
	char name[PATH_MAX] = "";
	int error = read_folder_name(dirfd, name);

	return error != 0 ? error : append_path(full, name);
}

int full_path_make(struct full_path *full, int dirfd, const char *path)
{
	int error = 0;

	if (path == NULL)
		return EFAULT;
	if (path[0] == '\0')
		return ENOENT;
	if (strnlen(path, FDBROKER_PATH_MAX + 1) > FDBROKER_PATH_MAX)
		return ENAMETOOLONG;

	full->length = 0;
	full->wants_directory = false;
	full->last = LAST_ROOT;
	if (path[0] != '/')
		error = append_folder(full, dirfd);
	if (error == 0)
		error = append_path(full, path);
	if (error == 0 && full->length == 0)
		full->bytes[full->length++] = '/';
	return error;
}

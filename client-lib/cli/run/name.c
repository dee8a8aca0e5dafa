/* SPDX-License-Identifier: MIT */
#include "name.h"
#include "cleanup.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A name on its way; `known` of its bytes are as the kernel wrote them, so that no link is in
   them. */
struct walk {
	struct name *name;
	size_t known;
};

static bool append(struct walk *walk, const char *component, size_t length)
{
	struct name *name = walk->name;

	if (name->length + 1 + length >= sizeof(name->text))
		return false;
	name->text[name->length++] = '/';
	memcpy(name->text + name->length, component, length);
	name->length += length;
	name->text[name->length] = '\0';
	return true;
}

/* "/" is no component. */
static void take_known(struct walk *walk, const char *folder)
{
	size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

	memcpy(walk->name->text, folder, length);
	walk->name->text[length] = '\0';
	walk->name->length = length;
	walk->known = length;
}

static bool is_below(const struct name *name, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(name->text, folder, length) == 0 &&
	       (name->text[length] == '\0' || name->text[length] == '/');
}

static bool is_of_kernel(const struct name *name)
{
	return is_below(name, "/proc") || is_below(name, "/sys");
}

/*
 * Where the name so far leads. Not by a link like those of /proc/PID, which lead this process
 * elsewhere than the one that asks.
 */
static int open_folder(const struct name *name)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};

	return is_of_kernel(name)
		       ? -1
		       : (int)syscall(SYS_openat2, AT_FDCWD, name->text, &how, sizeof(how));
}

static bool look(struct walk *walk)
{
	char folder[PATH_MAX];
	_cleanup_close_ int fd = open_folder(walk->name);

	if (fd < 0 || !target_folder(gettid(), fd, folder))
		return false;
	take_known(walk, folder);
	return !is_of_kernel(walk->name);
}

static bool go_up(struct walk *walk)
{
	struct name *name = walk->name;

	if (name->length > walk->known && !look(walk))
		return false;
	while (name->length > 0 && name->text[--name->length] != '/')
		;
	name->text[name->length] = '\0';
	walk->known = name->length;
	return true;
}

static bool is_dot(const char *component, size_t length)
{
	return length == 1 && component[0] == '.';
}

static bool is_dot_dot(const char *component, size_t length)
{
	return length == 2 && component[0] == '.' && component[1] == '.';
}

static bool go_along(struct walk *walk, const char *path)
{
	while (*path != '\0') {
		size_t length = strcspn(path, "/");
		bool is_dots = is_dot(path, length) || is_dot_dot(path, length);

		if (is_dot_dot(path, length) && !go_up(walk))
			return false;
		if (length > 0 && !is_dots && !append(walk, path, length))
			return false;
		path += length;
		walk->name->wants_folder = is_dots || *path == '/';
		path += strspn(path, "/");
	}
	return true;
}

bool name_may_wait(const char *path)
{
	return strstr(path, "..") != NULL;
}

bool name_make(struct name *name, pid_t thread, int dirfd, const char *path)
{
	struct walk walk = {.name = name};
	char folder[PATH_MAX] = "/";

	name->wants_folder = false;
	if (path[0] != '/' && !target_folder(thread, dirfd, folder))
		return false;
	take_known(&walk, folder);
	if (!go_along(&walk, path))
		return false;
	if (name->length == 0)
		return append(&walk, "", 0);
	return !is_of_kernel(name);
}

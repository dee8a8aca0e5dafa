/* SPDX-License-Identifier: MIT */
/*
 * The unit stands in the path of the process's cgroup, as far as the service manager made it: what
 * a unit makes below its own is its own business.
 *
 * Must never: take a name that an unprivileged process could have chosen for a unit's.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "unit.h"

/* What follows in a line "ID:CONTROLLERS:PATH" (cgroups(7)) with these controllers, or NULL. */
static char *line_path(char *line, const char *controllers)
{
	size_t length = strlen(controllers);

	line += strspn(line, "0123456789");
	if (line[0] != ':' || strncmp(line + 1, controllers, length) != 0 ||
		line[1 + length] != ':')
		return NULL;
	return line + 1 + length + 1;
}

/*
 * The cgroup that systemd made: in the unified hierarchy, which has no controllers' names, or in
 * the one of its own on a legacy system, where the other says "/".
 */
static const char *cgroup_path(char *text)
{
	static const char *const controllers[] = {"name=systemd", ""};
	char *save, *found = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
		line = strtok_r(NULL, "\n", &save)) {
		for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
			char *path = line_path(line, controllers[i]);

			if (path != NULL && (found == NULL || strcmp(path, "/") != 0))
				found = path;
		}
	}
	return found;
}

/*
 * The first component that is not a slice. Everything below it may have been made by the unit
 * itself, everything above by nobody but the service manager.
 */
static char *unit_of_path(const char *path)
{
	while (*path == '/') {
		const char *start = ++path;
		size_t length = strcspn(start, "/");

		path += length;
		if (length > 6 && memcmp(path - 6, ".slice", 6) == 0)
			continue;
		if (length > 0 && start[0] == '_') { /* escaped by systemd, cg_escape */
			start++;
			length--;
		}
		/* A unit has a type; a container manager's own folders have none. */
		if (length < 3 || start[0] == '.' || memchr(start, '.', length) == NULL)
			return NULL;
		return strndup(start, length);
	}
	return NULL;
}

char *unit_of_process(int process)
{
	_cleanup_close_ int file = openat(process, "cgroup", O_RDONLY | O_CLOEXEC);
	char text[8192];
	const char *path;
	ssize_t n;

	if (file < 0)
		return NULL;
	n = read(file, text, sizeof(text) - 1);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	path = cgroup_path(text);
	return path != NULL ? unit_of_path(path) : NULL;
}

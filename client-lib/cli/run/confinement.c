/* SPDX-License-Identifier: MIT */
/*
 * The rules of confinement.h: those of the system's folders, and to them the program's own folder
 * and what the command line names.
 *
 * Must never: go on where a rule set does not hold what it should, or where this kernel's Landlock
 * leaves something open without the user being told.
 */
#include "confinement.h"

#include "landlock.h"
#include "set.h"
#include "system-folders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What execvp(3) of glibc takes where $PATH is not set. */
#define DEFAULT_PATH "/bin:/usr/bin"

/* What a version of Landlock restricts for the first time. */
static const struct {
	int since;
	const char *what;
} restrictions[] = {
	{LANDLOCK_VERSION_TRUNCATE, "truncate(2) of files"},
	{LANDLOCK_VERSION_BIND, "binding TCP ports without the broker"},
	{LANDLOCK_VERSION_IOCTL, "ioctl(2) of devices"},
	{LANDLOCK_VERSION_SCOPES, "signals and abstract unix sockets to other programs"},
};

static void tell_what_is_open(int version)
{
	const char *separator = "";

	if (version >= LANDLOCK_VERSION_SCOPES)
		return;
	fprintf(stderr,
		"fdbroker: run: this kernel's Landlock (version %d) leaves open: ", version);
	for (size_t i = 0; i < sizeof(restrictions) / sizeof(restrictions[0]); i++) {
		if (version >= restrictions[i].since)
			continue;
		fprintf(stderr, "%s%s", separator, restrictions[i].what);
		separator = "; ";
	}
	fputc('\n', stderr);
}

static bool complain(const char *option, const char *path, int error)
{
	fprintf(stderr, "fdbroker: run: %s", option);
	text_print(path, strlen(path), stderr);
	fprintf(stderr, ": %s\n", strerror(error));
	return false;
}

/* 0, or an errno. */
static int allow(const struct landlock_rules *rules, const char *path, enum landlock_access access)
{
	int fd = open(path, O_PATH | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (landlock_allow(rules, fd, access) != 0)
		error = errno;
	close(fd);
	return error;
}

static bool allow_all(const struct landlock_rules *rules, const char *option, char *const *paths,
	size_t count, enum landlock_access access)
{
	for (size_t i = 0; i < count; i++) {
		int error = allow(rules, paths[i], access);

		if (error != 0)
			return complain(option, paths[i], error);
	}
	return true;
}

/* ---- the program ---- */

static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* Where it lies, links resolved. False if there is none: then execvp(3) will say so. */
static bool find_program(const char *name, char found[static PATH_MAX])
{
	const char *folder = getenv("PATH");
	char path[PATH_MAX];

	if (strchr(name, '/') != NULL)
		return is_program(name) && realpath(name, found) != NULL;
	if (folder == NULL)
		folder = DEFAULT_PATH;
	for (;;) {
		size_t length = strcspn(folder, ":");
		/* An empty one is the current folder: execvp(3). */
		int written = snprintf(path, sizeof(path), "%.*s%s%s", (int)length, folder,
			length > 0 ? "/" : "", name);

		if (written > 0 && (size_t)written < sizeof(path) && is_program(path))
			return realpath(path, found) != NULL;
		if (folder[length] == '\0')
			return false;
		folder += length + 1;
	}
}

/* Both without links. */
static bool is_in(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 &&
	       (length == 1 || path[length] == '/' || path[length] == '\0');
}

static bool holds(const char *folder, const char *home)
{
	char real[PATH_MAX];

	return home != NULL && realpath(home, real) != NULL && is_in(real, folder);
}

/*
 * May all that lies beside the program be read? Not if that is what the sandbox is there to keep
 * from it: "/", the user's home and what that lies in; or where anybody may put files. After su(1)
 * and the like $HOME need not be what the user database says, so both count.
 */
static bool is_of_the_program(const char *folder)
{
	const struct passwd *user = getpwuid(getuid());
	struct stat status;

	if (stat(folder, &status) != 0 || (status.st_mode & S_IWOTH) != 0)
		return false;
	return strcmp(folder, "/") != 0 && !holds(folder, getenv("HOME")) &&
	       (user == NULL || !holds(folder, user->pw_dir));
}

/*
 * The program is what was named, also if it begins with "#!": its interpreter lies in the system's
 * folders, or is to be named by -r. Of a link it is the folder that the link leads to.
 */
static bool allow_program(const struct landlock_rules *rules, const char *name)
{
	char path[PATH_MAX], folder[PATH_MAX];
	char *slash;
	int error;

	if (!find_program(name, path))
		return true;
	strcpy(folder, path);
	slash = strrchr(folder, '/');
	slash[slash == folder ? 1 : 0] = '\0';
	error = allow(rules, is_of_the_program(folder) ? folder : path, LANDLOCK_READ);
	return error == 0 || complain("", path, error);
}

/* ---- the whole ---- */

static bool add_rules(const struct landlock_rules *rules, const struct confinement_wishes *wishes)
{
	if (system_folders_allow(rules) != 0) {
		fprintf(stderr, "fdbroker: run: the rules of the system's folders: %s\n",
			strerror(errno));
		return false;
	}
	return allow_program(rules, wishes->program) &&
	       allow_all(rules, "-r ", wishes->readable, wishes->readable_count, LANDLOCK_READ) &&
	       allow_all(rules, "-w ", wishes->writable, wishes->writable_count, LANDLOCK_WRITE);
}

int confinement_make(const struct confinement_wishes *wishes)
{
	struct landlock_rules rules;
	int version = landlock_version();

	if (version == 0) {
		fprintf(stderr, "fdbroker: run: this kernel has no Landlock, or it is turned off: "
				"see \"lsm=\" in landlock(7); without it there is no sandbox\n");
		return -1;
	}
	if (landlock_new(&rules) != 0) {
		fprintf(stderr, "fdbroker: run: Landlock: %s\n", strerror(errno));
		return -1;
	}
	if (!add_rules(&rules, wishes)) {
		close(rules.fd);
		return -1;
	}
	tell_what_is_open(version);
	return rules.fd;
}

bool confinement_enter(int confinement)
{
	return landlock_enter(confinement) == 0;
}

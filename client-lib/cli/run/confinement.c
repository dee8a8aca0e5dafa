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
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* Where execvp(3) finds it. False if there is none: then that will say so. */
static bool find_program(const char *name, char found[static PATH_MAX])
{
	const char *folder = getenv("PATH");

	if (strchr(name, '/') != NULL)
		return snprintf(found, PATH_MAX, "%s", name) < PATH_MAX && is_program(found);
	if (folder == NULL)
		folder = DEFAULT_PATH;
	for (;;) {
		size_t length = strcspn(folder, ":");
		/* An empty one is the current folder: execvp(3). */
		int written = snprintf(found, PATH_MAX, "%.*s%s%s", (int)length, folder,
			length > 0 ? "/" : "", name);

		if (written > 0 && written < PATH_MAX && is_program(found))
			return true;
		if (folder[length] == '\0')
			return false;
		folder += length + 1;
	}
}

static bool has_link(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0)
		return true;
	close(fd);
	return false;
}

/* To the folder that it lies in; "/" stays. */
static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path ? 1 : 0] = '\0';
}

/* Is the folder this place, or one above it? A folder may have several paths, by bind mounts; so
   what counts is which it is, not what it is called. */
static bool holds(const struct stat *folder, const char *place)
{
	char path[PATH_MAX];
	struct stat status;

	if (place == NULL || realpath(place, path) == NULL)
		return false;
	for (;; go_up(path)) {
		if (stat(path, &status) == 0 && status.st_dev == folder->st_dev &&
			status.st_ino == folder->st_ino)
			return true;
		if (strcmp(path, "/") == 0)
			return false;
	}
}

/*
 * May all that lies beside the program be read? Not if that is what the sandbox is there to keep
 * from it: "/", the user's home, the folder of the user's session, and what these lie in; or where
 * anybody may put files. After su(1) and the like $HOME need not be what the user database says, so
 * both count; of a user of whom neither knows a home, every folder could be it.
 */
static bool is_of_the_program(const char *folder)
{
	const struct passwd *user = getpwuid(getuid());
	const char *home = getenv("HOME");
	char session[sizeof("/run/user/4294967295")];
	struct stat status;

	if (stat(folder, &status) != 0 || (status.st_mode & S_IWOTH) != 0)
		return false;
	if (user == NULL && (home == NULL || *home == '\0'))
		return false;
	/* pam_systemd(8), which $XDG_RUNTIME_DIR need not be there to say. */
	snprintf(session, sizeof(session), "/run/user/%u", getuid());
	return !holds(&status, "/") && !holds(&status, home) && !holds(&status, session) &&
	       (user == NULL || !holds(&status, user->pw_dir));
}

/*
 * The program is what was named, also if it begins with "#!": its interpreter lies in the system's
 * folders, or is to be named by -r. Behind a link it is the file alone: who made the link has chosen
 * where it leads, as in an archive that was unpacked, and not who called.
 */
static bool allow_program(const struct landlock_rules *rules, const char *name)
{
	char found[PATH_MAX], path[PATH_MAX], folder[PATH_MAX];
	int error;

	if (!find_program(name, found) || realpath(found, path) == NULL)
		return true;
	strcpy(folder, path);
	go_up(folder);
	error = allow(rules, !has_link(found) && is_of_the_program(folder) ? folder : path,
		LANDLOCK_READ);
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

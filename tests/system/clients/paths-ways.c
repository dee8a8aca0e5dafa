/* SPDX-License-Identifier: MIT */
/* The operations of the program `paths`, directly and by the broker. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "paths.h"

/* ---- directly ---- */

static int direct_open(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, MODE_OF_NEW);
}

static int direct_mkdir(const char *path)
{
	return mkdir(path, MODE_OF_NEW);
}

/* The names in a file, as the library gives them. */
static int direct_list(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), names;
	DIR *stream;

	if (folder < 0)
		return -1;
	names = memfd_create("names", MFD_CLOEXEC);
	stream = fdopendir(folder);
	if (names < 0 || stream == NULL)
		err(1, "%s", path);
	for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (write(names, entry->d_name, strlen(entry->d_name) + 1) < 0)
			err(1, "names");
	}
	closedir(stream);
	lseek(names, 0, SEEK_SET);
	return names;
}

const struct way way_direct = {
	.open = direct_open,
	.stat = stat,
	.lstat = lstat,
	.access = access,
	.readlink = readlink,
	.mkdir = direct_mkdir,
	.unlink = unlink,
	.rmdir = rmdir,
	.rename = rename,
	.list = direct_list,
	.watch = inotify_add_watch,
};

/* ---- by the broker ---- */

struct fdbroker *broker;

static int brokered_open(const char *path, int flags)
{
	return fdbroker_open(broker, path, flags | O_CLOEXEC, MODE_OF_NEW);
}

static int brokered_stat(const char *path, struct stat *status)
{
	return fdbroker_stat(broker, path, status);
}

static int brokered_lstat(const char *path, struct stat *status)
{
	return fdbroker_lstat(broker, path, status);
}

static int brokered_access(const char *path, int mode)
{
	return fdbroker_access(broker, path, mode);
}

static ssize_t brokered_readlink(const char *path, char *text, size_t size)
{
	return fdbroker_readlink(broker, path, text, size);
}

static int brokered_mkdir(const char *path)
{
	return fdbroker_mkdir(broker, path, MODE_OF_NEW);
}

static int brokered_unlink(const char *path)
{
	return fdbroker_unlink(broker, path);
}

static int brokered_rmdir(const char *path)
{
	return fdbroker_rmdir(broker, path);
}

static int brokered_rename(const char *path, const char *new_path)
{
	return fdbroker_rename(broker, path, new_path);
}

static int brokered_list(const char *path)
{
	return fdbroker_list(broker, path);
}

static int brokered_watch(int inotify, const char *path, unsigned int mask)
{
	return fdbroker_watch(broker, inotify, path, mask);
}

const struct way way_brokered = {
	.open = brokered_open,
	.stat = brokered_stat,
	.lstat = brokered_lstat,
	.access = brokered_access,
	.readlink = brokered_readlink,
	.mkdir = brokered_mkdir,
	.unlink = brokered_unlink,
	.rmdir = brokered_rmdir,
	.rename = brokered_rename,
	.list = brokered_list,
	.watch = brokered_watch,
};

/* ---- words ---- */

#define WORD(flag) .name = #flag, .value = (int)(flag)

static const struct {
	const char *name;
	int value;
} words[] = {
	{WORD(F_OK)},
	{WORD(R_OK)},
	{WORD(W_OK)},
	{WORD(X_OK)},
	{WORD(O_RDONLY)},
	{WORD(O_WRONLY)},
	{WORD(O_RDWR)},
	{WORD(O_ACCMODE)},
	{WORD(O_APPEND)},
	{WORD(O_CREAT)},
	{WORD(O_DIRECT)},
	{WORD(O_DIRECTORY)},
	{WORD(O_DSYNC)},
	{WORD(O_EXCL)},
	{WORD(O_NOATIME)},
	{WORD(O_NOCTTY)},
	{WORD(O_NOFOLLOW)},
	{WORD(O_NONBLOCK)},
	{WORD(O_PATH)},
	{WORD(O_SYNC)},
	{WORD(O_TMPFILE)},
	{WORD(O_TRUNC)},
	{WORD(IN_ATTRIB)},
	{WORD(IN_CREATE)},
	{WORD(IN_DELETE_SELF)},
	{WORD(IN_DONT_FOLLOW)},
	{WORD(IN_MODIFY)},
	{WORD(IN_MOVE_SELF)},
	{WORD(IN_ONESHOT)},
	{WORD(IN_ONLYDIR)},
	{WORD(IN_OPEN)},
};

static int number_of(const char *word)
{
	char *end;
	int number = (int)strtol(word, &end, 0);

	if (end != word && *end == '\0')
		return number;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, word) == 0)
			return words[i].value;
	}
	errx(64, "no such flag: %s", word);
}

int number_from(const char *text)
{
	char copy[256];
	char *rest = copy;
	int number = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (const char *word; (word = strsep(&rest, "|")) != NULL;)
		number |= number_of(word);
	return number;
}

/* SPDX-License-Identifier: MIT */
/*
 * The names in a directory, in a memfd that the client has sent: those of which the policy grants
 * the peer something, and no other. What is judged is the name below the path that was asked for;
 * the denies judge it below the path that links led to as well.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../limits.h"
#include "cleanup.h"
#include "memfd.h"
#include "object.h"

/* Names come behind it. */
struct folder {
	char path[2 * (FDBROKER_PATH_MAX + 1)];
	size_t length;
};

/* A list being made. Pages that are not needed are never touched. */
static struct {
	char names[LIST_BYTES_MAX];
	size_t length;
} list;

static void folder_init(struct folder *folder, const char *path, size_t length)
{
	memcpy(folder->path, path, length);
	folder->length = length;
	if (length > 1)
		folder->path[folder->length++] = '/';
}

static size_t folder_add(struct folder *folder, const char *name, size_t length)
{
	memcpy(folder->path + folder->length, name, length);
	return folder->length + length;
}

/* The two ways to name the directory. */
struct folders {
	struct folder asked, real;
};

static bool name_is_shown(const struct server *server, const struct asker *asker,
	struct folders *folders, const char *name, size_t length)
{
	size_t asked, real;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	asked = folder_add(&folders->asked, name, length);
	real = folder_add(&folders->real, name, length);
	return policy_grants_name(server->image, asker->peer, &asker->limits, folders->asked.path,
		asked, folders->real.path, real);
}

/* Puts what is shown of a buffer of getdents64(2) in the list. 0 or a positive errno. */
static int list_add(const struct server *server, const struct asker *asker, struct folders *folders,
	const char *entries, size_t size)
{
	for (size_t at = 0; at < size;) {
		const struct dirent64 *entry =
			(const struct dirent64 *)(const void *)(entries + at);
		size_t length = strlen(entry->d_name);

		at += entry->d_reclen;
		if (!name_is_shown(server, asker, folders, entry->d_name, length))
			continue;
		if (length + 1 > sizeof(list.names) - list.length)
			return EOVERFLOW;
		memcpy(list.names + list.length, entry->d_name, length + 1);
		list.length += length + 1;
	}
	return 0;
}

static enum served list_to_memfd(int fd, struct reply *reply)
{
	struct memfd memfd;

	if (!memfd_begin(&memfd, fd, list.length, reply))
		return SERVED;
	if (list.length > 0)
		memcpy(memfd.bytes, list.names, list.length);
	return memfd_finish(&memfd, reply);
}

static enum served list_all(const struct server *server, const struct asker *asker,
	struct folders *folders, int directory, int received, struct reply *reply)
{
	static _Alignas(struct dirent64) char entries[32768];
	ssize_t size;
	int error;

	list.length = 0;
	do {
		size = getdents64(directory, entries, sizeof(entries));
		if (size < 0)
			return reply_kernel(reply, errno);
		error = list_add(server, asker, folders, entries, (size_t)size);
	} while (size > 0 && error == 0);
	if (error != 0)
		return reply_refuse(reply, error, FDBROKER_REASON_LIMIT);
	return list_to_memfd(received, reply);
}

static enum served list_found(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, const struct walk *walk,
	struct reply *reply)
{
	static struct folders folders;
	_cleanup_close_ int directory = -1;

	if (!S_ISDIR(walk->status.stx_mode))
		return reply_kernel(reply, ENOTDIR);
	directory = object_reopen(server, walk, O_RDONLY | O_DIRECTORY);
	if (directory < 0)
		return reply_kernel(reply, -directory);
	folder_init(&folders.asked, request->path.bytes, request->path.length);
	folder_init(&folders.real, walk->path, walk->length);
	return list_all(server, asker, &folders, directory, received, reply);
}

enum served serve_list(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static const struct object_way way = {
		.verbs = POLICY_BIT(POLICY_LIST), .may_wait = true, .found = list_found};

	return object_serve(server, asker, request, received, reply, &way);
}

/* SPDX-License-Identifier: MIT */
/*
 * A file system that does not answer: hangfs [--uid UID] [--escape PATH] FOLDER mounts it for all
 * users. Its files are named after the question that is never answered; the others are answered
 * at once:
 *
 *	fine	all is well, the content is "fine\n"
 *	lookup	even the name is never found; the same for every name that begins with "lookup"
 *	getattr	stat hangs (the attributes are never cached)
 *	open	open hangs
 *	read	open works, reading it or touching a page of it does not
 *	flush	open works, closing it hangs
 *	link	a symbolic link; reading where it leads hangs
 *	escape	a symbolic link that leads to PATH
 *	mkdir	is not there, and making it hangs
 *	free	is not there, which the kernel remembers
 *
 * The folder and all its files belong to UID. It prints "mounted", serves until it is told to
 * stop, and unmounts. When it is killed, the kernel lets go of everybody who waits.
 */
#define FUSE_USE_VERSION 34

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {
	"fine", "lookup", "getattr", "open", "read", "link", "escape", "flush"};
enum {
	FINE = 2,
	LOOKUP,
	GETATTR,
	OPEN,
	READ,
	LINK,
	ESCAPE,
	FLUSH,
	LAST = FLUSH
}; /* inodes; the root is 1 */

static const char content[] = "fine\n";
static uid_t owner;
static const char *escape = "/";

static struct stat attributes_of(fuse_ino_t inode)
{
	struct stat status = {.st_ino = inode, .st_nlink = 1, .st_uid = owner, .st_gid = owner};

	if (inode == FUSE_ROOT_ID)
		status.st_mode = S_IFDIR | 0755;
	else if (inode == LINK || inode == ESCAPE)
		status.st_mode = S_IFLNK | 0777;
	else
		status.st_mode = S_IFREG | 0644;
	if (inode != FUSE_ROOT_ID)
		status.st_size = sizeof(content) - 1;
	return status;
}

static void hang_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.entry_timeout = 0, .attr_timeout = 0};

	(void)parent;
	if (strncmp(name, "lookup", strlen("lookup")) == 0)
		return;
	for (fuse_ino_t inode = FINE; inode <= LAST; inode++) {
		if (strcmp(names[inode - FINE], name) == 0) {
			entry.ino = inode;
			entry.attr = attributes_of(inode);
			fuse_reply_entry(request, &entry);
			return;
		}
	}
	if (strcmp(name, "free") == 0) {
		entry.entry_timeout = 1000; /* and no inode */
		fuse_reply_entry(request, &entry);
		return;
	}
	fuse_reply_err(request, ENOENT);
}

static void hang_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)parent, (void)mode;
	if (strcmp(name, "mkdir") != 0)
		fuse_reply_err(request, EROFS);
}

static void hang_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file)
{
	struct stat status = attributes_of(inode);

	(void)file;
	if (inode != GETATTR)
		fuse_reply_attr(request, &status, 0);
}

static void hang_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file)
{
	if (inode != OPEN)
		fuse_reply_open(request, file);
}

static void hang_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
	struct fuse_file_info *file)
{
	size_t length = sizeof(content) - 1;

	(void)file;
	if (inode == READ)
		return;
	if ((size_t)offset >= length)
		fuse_reply_buf(request, NULL, 0);
	else
		fuse_reply_buf(request, content + offset,
			size < length - (size_t)offset ? size : length - (size_t)offset);
}

static void hang_flush(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file)
{
	(void)file;
	if (inode != FLUSH)
		fuse_reply_err(request, 0);
}

static void hang_readlink(fuse_req_t request, fuse_ino_t inode)
{
	if (inode == ESCAPE)
		fuse_reply_readlink(request, escape);
}

static void hang_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
	struct fuse_file_info *file)
{
	char buffer[4096];
	size_t used = 0;

	(void)file;
	if (inode != FUSE_ROOT_ID) {
		fuse_reply_err(request, ENOTDIR);
		return;
	}
	if (size > sizeof(buffer))
		size = sizeof(buffer);
	for (off_t next = offset; next <= LAST - FINE; next++) {
		struct stat status = attributes_of((fuse_ino_t)next + FINE);
		size_t need = fuse_add_direntry(
			request, buffer + used, size - used, names[next], &status, next + 1);

		if (need > size - used)
			break;
		used += need;
	}
	fuse_reply_buf(request, buffer, used);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = hang_lookup,
	.getattr = hang_getattr,
	.mkdir = hang_mkdir,
	.open = hang_open,
	.read = hang_read,
	.flush = hang_flush,
	.readlink = hang_readlink,
	.readdir = hang_readdir,
};

int main(int argc, char **argv)
{
	/* default_permissions: the kernel checks the modes, and asks getattr for them. */
	char *options[] = {argv[0], "-oallow_other,default_permissions,fsname=hangfs"};
	struct fuse_args args = FUSE_ARGS_INIT(2, options);
	struct fuse_session *session;
	const char *folder = NULL;
	int result;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--uid") == 0 && i + 1 < argc)
			owner = (uid_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--escape") == 0 && i + 1 < argc)
			escape = argv[++i];
		else
			folder = argv[i];
	}
	if (folder == NULL) {
		fprintf(stderr, "usage: hangfs [--uid UID] [--escape PATH] FOLDER\n");
		return 64;
	}
	session = fuse_session_new(&args, &operations, sizeof(operations), NULL);
	if (session == NULL || fuse_set_signal_handlers(session) != 0 ||
		fuse_session_mount(session, folder) != 0) {
		fprintf(stderr, "hangfs: cannot mount on %s\n", folder);
		return 1;
	}
	printf("mounted\n");
	fflush(stdout);
	result = fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	return result < 0; /* a signal number: told to stop */
}

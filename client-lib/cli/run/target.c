/* SPDX-License-Identifier: MIT */
#include "target.h"
#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIDFD_FOR_THREAD O_EXCL /* PIDFD_THREAD of linux/pidfd.h, Linux 6.9 */

/* Room for the name of anything of a thread in /proc. */
#define PROC_NAME_MAX 64

static const char deleted[] = " (deleted)";

/* ---- where it is ---- */

static bool look_at(const char *path, struct statx *status)
{
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_MNT_ID,
		       status) == 0;
}

static bool find_place(struct place *place, const char *process)
{
	char root[PROC_NAME_MAX];
	struct statx status;

	snprintf(root, sizeof(root), "/proc/%s/root", process);
	if (!look_at(root, &status))
		return false;
	*place = (struct place){status.stx_mnt_id, status.stx_ino};
	return true;
}

/* Another pid namespace's would tell of others: pid_namespaces(7). */
static bool proc_is_own(void)
{
	char process[16];
	ssize_t length = readlink("/proc/self", process, sizeof(process) - 1);

	if (length < 0)
		return false;
	process[length] = '\0';
	errno = ESRCH;
	return atoi(process) == getpid();
}

bool place_find_own(struct place *place)
{
	return proc_is_own() && find_place(place, "self");
}

/* proc(5): the folder belongs to the effective user, or to root if it may not be looked at. */
static bool is_own(const char *process)
{
	char folder[PROC_NAME_MAX];
	struct stat status;

	snprintf(folder, sizeof(folder), "/proc/%s", process);
	return stat(folder, &status) == 0 && status.st_uid == geteuid();
}

bool target_is_at(pid_t thread, const struct place *place)
{
	char process[16];
	struct place other;

	snprintf(process, sizeof(process), "%d", thread);
	return is_own(process) && find_place(&other, process) &&
	       other.root_mount == place->root_mount && other.root_inode == place->root_inode;
}

/* ---- memory ---- */

bool target_read(pid_t thread, uint64_t address, void *bytes, size_t size)
{
	struct iovec local = {bytes, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};

	return process_vm_readv(thread, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

bool target_read_path(pid_t thread, uint64_t address, char path[static PATH_MAX])
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t first = page - (size_t)(address % page);
	struct iovec local = {path, PATH_MAX};
	struct iovec remote[2] = {{(void *)(uintptr_t)address, first}};

	if (first > PATH_MAX)
		first = remote[0].iov_len = PATH_MAX;
	remote[1].iov_base = (void *)(uintptr_t)(address + first);
	remote[1].iov_len = PATH_MAX - first;
	/* The path may end before its page does, and the next page may be missing: of that the
	   kernel reads nothing, and returns what it has of the first, process_vm_readv(2). */
	ssize_t length = process_vm_readv(thread, &local, 1, remote, 2, 0);
	return length > 0 && path[0] != '\0' && memchr(path, '\0', (size_t)length) != NULL;
}

/* ---- folders ---- */

/*
 * Is it the folder that has this name here? The kernel tells the name from the root of the mount if
 * that is not mounted here (detached, or of another mount namespace). A folder that may not be
 * looked at is taken for what it says it is.
 */
static bool is_folder_called(const char *link, const char *name)
{
	struct statx folder, called;

	if (!look_at(link, &folder) || !S_ISDIR(folder.stx_mode))
		return false;
	if (!look_at(name, &called))
		return errno == EACCES;
	return folder.stx_mnt_id == called.stx_mnt_id && folder.stx_ino == called.stx_ino;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t end_length = strlen(end);

	return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/* What has been removed ends in " (deleted)": d_path() of the kernel's fs/d_path.c. */
bool target_folder(pid_t thread, int dirfd, char name[static PATH_MAX])
{
	char link[PROC_NAME_MAX];
	ssize_t length;

	if (dirfd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", thread);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", thread, dirfd);
	length = readlink(link, name, PATH_MAX);
	if (length <= 0 || length >= PATH_MAX || name[0] != '/' ||
		ends_with(name, (size_t)length, deleted))
		return false;
	name[length] = '\0';
	return is_folder_called(link, name);
}

/* ---- descriptors ---- */

/* The process of a thread; -1: it has ended. */
static pid_t find_process(pid_t thread)
{
	char name[PROC_NAME_MAX], line[128];
	pid_t process = -1;
	FILE *status;

	snprintf(name, sizeof(name), "/proc/%d/status", thread);
	status = fopen(name, "re");
	if (status == NULL)
		return -1;
	while (process < 0 && fgets(line, sizeof(line), status) != NULL)
		(void)sscanf(line, "Tgid: %d", &process);
	fclose(status);
	return process;
}

/* Is it what the thread has under that number? Threads of one process need not share their
   descriptors, unshare(2). */
static bool is_descriptor_of(pid_t thread, int number, int fd)
{
	char link[PROC_NAME_MAX];
	struct stat theirs, ours;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", thread, number);
	return stat(link, &theirs) == 0 && fstat(fd, &ours) == 0 && theirs.st_dev == ours.st_dev &&
	       theirs.st_ino == ours.st_ino;
}

/* Before Linux 6.9 there are pidfds of processes only. */
static int take_from_process(pid_t thread, int number)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, find_process(thread), 0);
	_cleanup_close_ int fd = -1;

	if (pidfd >= 0)
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	return fd >= 0 && is_descriptor_of(thread, number, fd) ? take_fd(&fd) : -1;
}

int target_take_descriptor(pid_t thread, int number)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, thread, PIDFD_FOR_THREAD);

	if (pidfd < 0 && errno == EINVAL)
		return take_from_process(thread, number);
	return pidfd >= 0 ? (int)syscall(SYS_pidfd_getfd, pidfd, number, 0) : -1;
}

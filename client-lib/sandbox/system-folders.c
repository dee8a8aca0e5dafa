/* SPDX-License-Identifier: MIT */
/*
 * The table of system-folders.h. Left out on purpose: /run, /var, /srv and the folders of users,
 * where what is worth protecting lies; /dev/shm, where others have left their memory; /dev/pts,
 * where the user's other terminals are, in which passwords are typed (/dev/tty is one's own); and
 * of /sys all but how many processors and how much memory there are, by which runtimes (glibc, Go,
 * Java, node) choose the number of their threads and the size of their heaps. /proc is for reading;
 * what it tells of processes outside is what Landlock leaves of it: nothing that ptrace(2) would
 * show.
 */
#include "system-folders.h"

#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static const struct {
	const char *path;
	enum landlock_access access;
} folders[] = {
	{"/usr", LANDLOCK_READ},
	{"/bin", LANDLOCK_READ},
	{"/sbin", LANDLOCK_READ},
	{"/lib", LANDLOCK_READ},
	{"/lib32", LANDLOCK_READ},
	{"/lib64", LANDLOCK_READ},
	{"/libx32", LANDLOCK_READ},
	{"/etc", LANDLOCK_READ},
	{"/opt", LANDLOCK_READ},
	{"/proc", LANDLOCK_READ},
	{"/sys/devices/system", LANDLOCK_READ},
	{"/sys/fs/cgroup", LANDLOCK_READ},
	{"/sys/kernel/mm/transparent_hugepage", LANDLOCK_READ},
	{"/dev/null", LANDLOCK_DEVICE},
	{"/dev/zero", LANDLOCK_DEVICE},
	{"/dev/full", LANDLOCK_DEVICE},
	{"/dev/random", LANDLOCK_DEVICE},
	{"/dev/urandom", LANDLOCK_DEVICE},
	{"/dev/tty", LANDLOCK_DEVICE},
	/* Often links to elsewhere, as to /run/systemd/resolve/stub-resolv.conf. What is given back
	   is the file that is there now: not the one by which its owner replaces it one day. */
	{"/etc/resolv.conf", LANDLOCK_READ},
	{"/etc/localtime", LANDLOCK_READ},
};

/* Not there, a link to nothing, behind a folder that this user may not enter, or kept back by a
   sandbox that this process is in already: no loss, as the program could not have had it either. */
static bool is_no_loss(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM;
}

static int allow(const struct landlock_rules *rules, const char *path, enum landlock_access access)
{
	int fd = open(path, O_PATH | O_CLOEXEC), result, error;

	if (fd < 0)
		return is_no_loss(errno) ? 0 : -1;
	result = landlock_allow(rules, fd, access);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

int system_folders_allow(const struct landlock_rules *rules)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (allow(rules, folders[i].path, folders[i].access) != 0)
			return -1;
	}
	return 0;
}

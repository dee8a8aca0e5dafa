/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end of a connection. User and groups were recorded by the kernel at
 * connect(2) and stay with the socket (unix(7), SO_PEERCRED, SO_PEERGROUPS), so whoever holds the
 * connection later has the rights of whoever made it. The unit is looked up now, in /proc, and
 * counts only when the process was there before and after the look and is still the same user.
 *
 * Must never: read from the connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "connection.h"
#include "identify.h"
#include "limits.h"
#include "nobody.h"
#include "unit.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

static int identify_groups(int connection, struct peer_identity *identity)
{
	socklen_t size = 0;

	/* ERANGE says how much room it takes, unix(7). */
	if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return -errno;
	if (size == 0)
		return 0;
	if (size > PEER_GROUPS_MAX * sizeof(identity->groups[0]))
		return -E2BIG;
	identity->groups = malloc(size);
	if (identity->groups == NULL)
		return -ENOMEM;
	if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, identity->groups, &size) < 0)
		return -errno;
	identity->group_count = size / sizeof(identity->groups[0]);
	return 0;
}

/* ---- the unit ---- */

/*
 * A pidfd of the very process that connected. Below 6.5 it is of whatever has the pid now: then
 * *exact is false, and that process must at least have the user that was recorded.
 */
static int peer_pidfd(int connection, pid_t pid, bool *exact)
{
	int pidfd;
	socklen_t length = sizeof(pidfd);

	*exact = getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0;
	if (*exact)
		return pidfd;
	return errno == ENOPROTOOPT ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

static bool process_has_ended(int pidfd)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};

	return poll(&ended, 1, 0) != 0;
}

static char *read_unit(const struct peer_identity *identity, bool exact)
{
	_cleanup_close_ int directory = -1;
	char name[32];
	struct stat status;

	snprintf(name, sizeof(name), "/proc/%d", identity->pid);
	directory = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &status) < 0)
		return NULL;
	if (!exact && status.st_uid != identity->uid)
		return NULL;
	return unit_of_process(directory);
}

static char *identify_unit(int connection, const struct peer_identity *identity)
{
	_cleanup_close_ int pidfd = -1;
	bool exact;
	char *unit;

	if (identity->pid <= 0)
		return NULL;
	pidfd = peer_pidfd(connection, identity->pid, &exact);
	if (pidfd < 0)
		return NULL;
	unit = read_unit(identity, exact);
	if (unit != NULL && process_has_ended(pidfd)) {
		free(unit);
		return NULL;
	}
	return unit;
}

static bool own_uid_is_reserved;

void identify_reserve_own_uid(void)
{
	own_uid_is_reserved = true;
}

/*
 * Our own processes have our uid, and some run code that takes apart what comes from the network:
 * they are nobody's clients. What cannot be told is one of them.
 */
static bool is_our_child(pid_t pid)
{
	char name[32], text[512], *comm_end;
	_cleanup_close_ int fd = -1;
	ssize_t length;
	int parent;

	if (pid == 0)
		return false; /* of another pid namespace, pid_namespaces(7) */
	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	/*
	 * It has ended, and has left connections with requests behind; or proc(5) is mounted with
	 * hidepid, and our own are not dumpable.
	 */
	if (fd < 0)
		return true;
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return true;
	text[length] = '\0';
	comm_end = strrchr(text, ')'); /* the name may have anything in it, proc(5) */
	return comm_end == NULL || sscanf(comm_end, ") %*c %d", &parent) != 1 || parent == getpid();
}

int identify_peer(int connection, struct peer_identity *identity)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);
	int error;

	*identity = (struct peer_identity){.groups = NULL};
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return -errno;
	if (uid_is_nobody(credentials.uid))
		return -EPERM;
	if (credentials.uid == geteuid() && (own_uid_is_reserved || is_our_child(credentials.pid)))
		return -EACCES;
	identity->uid = credentials.uid;
	identity->gid = credentials.gid;
	identity->pid = credentials.pid;
	identity->netns = netns_cookie(connection);
	error = identify_groups(connection, identity);
	if (error < 0) {
		identify_free(identity);
		return error;
	}
	identity->unit = identify_unit(connection, identity);
	return 0;
}

int identify_copy(struct peer_identity *to, const struct peer_identity *from)
{
	const size_t size = from->group_count * sizeof(from->groups[0]);

	*to = *from;
	to->groups = NULL;
	to->unit = NULL;
	if (from->unit != NULL) {
		to->unit = strdup(from->unit);
		if (to->unit == NULL)
			return -ENOMEM;
	}
	if (size == 0)
		return 0;
	to->groups = malloc(size);
	if (to->groups == NULL)
		return -ENOMEM;
	memcpy(to->groups, from->groups, size);
	return 0;
}

void identify_free(struct peer_identity *identity)
{
	free(identity->groups);
	free(identity->unit);
	*identity = (struct peer_identity){.groups = NULL};
}

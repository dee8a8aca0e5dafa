/* SPDX-License-Identifier: MIT */
/*
 * The connection of a subcommand: a new one, or a clone of the one that FDBROKER_FD names. Other
 * processes have that one too, by inheritance, and any of them may be using it now; so it must never
 * be spoken on without its lock, nor for longer than it takes to be cloned.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *socket_path(void)
{
	const char *path = secure_getenv("FDBROKER_SOCKET");

	return path != NULL && path[0] != '\0' ? path : FDBROKER_SOCKET_PATH;
}

/* The way out for those errnos of fdbroker_new() that have one. */
static const struct {
	int error;
	const char *hint;
} connect_hints[] = {
	{ENOENT, "is fdbrokerd running? FDBROKER_SOCKET names another socket"},
	{ECONNREFUSED, "is fdbrokerd running? FDBROKER_SOCKET names another socket"},
	{EPERM, "who listens there is neither root nor the user " FDBROKER_USER},
	{ENAMETOOLONG, "the name of a socket has at most 107 bytes"},
	{EPROTOTYPE, "this is not the socket of a broker"},
	{EACCES, "its mode should be 0666, and every folder above it open to all: chmod a+x"},
};

static const char *connect_hint(int error)
{
	for (size_t i = 0; i < sizeof(connect_hints) / sizeof(connect_hints[0]); i++) {
		if (connect_hints[i].error == error)
			return connect_hints[i].hint;
	}
	return "see fdbroker(1)";
}

static struct fdbroker *connect_anew(void)
{
	struct fdbroker *broker = fdbroker_new(NULL);

	if (broker == NULL)
		fprintf(stderr, "fdbroker: cannot connect to the broker at %s: %s (%s)\n",
			socket_path(), strerror(errno), connect_hint(errno));
	return broker;
}

/* ---- a connection that was inherited ---- */

/* NULL: there is none. */
static const char *inherited_connection(void)
{
	const char *number = secure_getenv(CONNECTION_VARIABLE);

	return number != NULL && number[0] != '\0' ? number : NULL;
}

/* Digits and nothing else; -1 if they are no descriptor. */
static int parse_descriptor(const char *digits)
{
	long number;

	if (strspn(digits, "0123456789") != strlen(digits))
		return -1;
	errno = 0;
	number = strtol(digits, NULL, 10);
	return errno == 0 && number <= INT_MAX ? (int)number : -1;
}

/* A duplicate: the inherited descriptor stays open, and is inherited further. */
static struct fdbroker *adopt(const char *number)
{
	int fd = fcntl(parse_descriptor(number), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	struct fdbroker *broker = fd >= 0 ? fdbroker_from_fd(fd) : NULL;

	if (broker != NULL)
		return broker;
	fprintf(stderr,
		"fdbroker: " CONNECTION_VARIABLE "=%s is no connection to the broker that can be "
		"used: %s (unset it to make a new one)\n",
		number, strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

#define LOCK_TRIES 1000 /* for ten seconds; it is held for one round trip */

/*
 * A record lock (fcntl(2)): of all locks only it is the process's own. The others would belong to
 * the open file description, which those who inherited the connection have in common. It ends when
 * this process closes any descriptor of the socket, as fdbroker_free() does, or dies.
 */
static bool lock(struct fdbroker *broker)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		if (fcntl(fdbroker_fd(broker), F_SETLK, &whole) == 0)
			return true;
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			break;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr,
		"fdbroker: cannot lock the connection of " CONNECTION_VARIABLE
		": %s (another process that has it holds it)\n",
		strerror(errno));
	return false;
}

static struct fdbroker *clone_inherited(const char *number)
{
	struct fdbroker *inherited = adopt(number), *clone = NULL;

	if (inherited != NULL && lock(inherited)) {
		clone = fdbroker_clone(inherited);
		if (clone == NULL)
			tool_complain(CONNECTION_VARIABLE ": cloning its connection");
	}
	fdbroker_free(inherited);
	return clone;
}

bool tool_inherits(void)
{
	return inherited_connection() != NULL;
}

struct fdbroker *tool_connect(void)
{
	const char *number = inherited_connection();

	return number != NULL ? clone_inherited(number) : connect_anew();
}

bool tool_keep_inherited(int first, int *fd)
{
	const char *number = inherited_connection();

	*fd = number != NULL ? parse_descriptor(number) : -1;
	if (*fd > STDERR_FILENO && *fd < first)
		*fd = fcntl(*fd, F_DUPFD, first);
	if (number == NULL || *fd >= 0)
		return true;
	fprintf(stderr, "fdbroker: " CONNECTION_VARIABLE "=%s: %s\n", number, strerror(errno));
	return false;
}

bool tool_drop_inherited(void)
{
	const char *number = inherited_connection();

	return number == NULL || fcntl(parse_descriptor(number), F_SETFD, FD_CLOEXEC) == 0;
}

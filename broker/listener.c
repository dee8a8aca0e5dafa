/* SPDX-License-Identifier: MIT */
/*
 * Making the listening socket. Its folder belongs to root (or to whoever runs the broker), never to
 * the broker's user, and its mode is right from the first moment on: 0666, since the policy decides
 * who gets anything, not the mode.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "connection.h"
#include "listener.h"
#include "log.h"
#include "manager.h"

/* connect(2) to a full backlog waits; nobody is asked to. */
static bool somebody_listens(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
				  errno == EAGAIN);
}

/* A socket that a broker left behind is in the way; anything else there is not ours to remove. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode)) {
		log_message(LOG_ERR, "%s is in the way and is not a socket: remove it",
			address->sun_path);
		return -EEXIST;
	}
	if (somebody_listens(address)) {
		log_message(LOG_ERR, "somebody listens on %s already: is fdbrokerd running?",
			address->sun_path);
		return -EADDRINUSE;
	}
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* Makes the folder of the socket, when it is not there yet. */
static void make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return;
	*slash = '\0';
	(void)mkdir(folder, 0755); /* what is wrong with it, bind(2) will say */
}

static int listener_make(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	mode_t mask;
	int error;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	mask = umask(0022);
	make_folder(path);
	umask(mask);
	error = remove_stale(&address);
	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0111);
	error = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (error < 0)
		return error;
	return listen(fd, SOMAXCONN) < 0 ? -errno : take_fd(&fd);
}

int listener_open(const char *path)
{
	int fd;

	if (path == NULL) {
		fd = manager_listener();
		if (fd >= 0)
			connection_refuse_descriptors(fd);
		if (fd != -ENOENT)
			return fd;
		path = FDBROKER_SOCKET_PATH;
	}
	fd = listener_make(path);
	if (fd >= 0)
		connection_refuse_descriptors(fd);
	if (fd < 0 && fd != -EEXIST && fd != -EADDRINUSE)
		log_message(LOG_ERR, "cannot listen on %s: %s", path, strerror(-fd));
	return fd;
}

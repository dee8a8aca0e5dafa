/* SPDX-License-Identifier: MIT */
/* Talking to the service manager: a few lines, for which no library is mapped. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "manager.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif

/* sd_listen_fds(3): the first descriptor passed. */
#define LISTEN_FDS_START 3

static int notify_socket = -1;

/*
 * Accepted sockets inherit these (unix(7)), and then every packet has a control message, which is
 * how a descriptor shows that was sent along. A kernel that lacks one cannot have it set.
 */
static void listener_clear_options(int fd)
{
	static const int options[] = {SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD};
	int off = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, SOL_SOCKET, options[i], &off, sizeof(off));
}

static int listener_check(int fd)
{
	int type = 0, listening = 0;
	socklen_t length = sizeof(int);
	struct sockaddr_un address = {.sun_family = AF_UNSPEC};
	socklen_t address_length = sizeof(address);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &address_length) < 0)
		return -errno;
	if (address.sun_family != AF_UNIX || type != SOCK_SEQPACKET || listening == 0)
		return -EINVAL;
	/* unix(7): anybody can take an abstract name before we do. */
	if (address_length <= offsetof(struct sockaddr_un, sun_path) || address.sun_path[0] == '\0')
		return -EADDRNOTAVAIL;
	listener_clear_options(fd);
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno
											: 0;
}

int manager_listener(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int error;

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != getpid())
		return -ENOENT;
	if (strtol(count, NULL, 10) != 1) {
		log_message(LOG_ERR, "the service manager passed %s sockets: one is wanted", count);
		return -EINVAL;
	}
	error = listener_check(LISTEN_FDS_START);
	if (error < 0) {
		log_message(LOG_ERR,
			"the socket that the service manager passed cannot be used (%s): it must "
			"be ListenSequentialPacket= with a path",
			strerror(-error));
		return error;
	}
	return LISTEN_FDS_START;
}

void manager_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path != NULL ? strlen(path) : 0;
	_cleanup_close_ int fd = -1;

	if (length < 2 || length > sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, length);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
		log_message(LOG_WARNING, "cannot reach the service manager at %s: %s", path,
			strerror(errno));
		return;
	}
	notify_socket = take_fd(&fd);
}

void manager_notify(const char *state)
{
	if (notify_socket >= 0 &&
		send(notify_socket, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_message(LOG_WARNING, "cannot tell the service manager: %s", strerror(errno));
}

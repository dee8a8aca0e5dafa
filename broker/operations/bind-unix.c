/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets. The walk pins the folder; the socket is bound by its name in it, with no
 * permissions at all until it has its owner and mode. bind(2) takes no folder but the working
 * directory, which is `/` again afterwards.
 *
 * A socket that is there already is in the way only while somebody has it bound; what a server left
 * behind that died is replaced. Which it is, connect(2) tells. The probe is a datagram socket: a
 * listener of streams or packets answers it EPROTOTYPE, and never learns who asked
 * (unix_find_bsd() in net/unix/af_unix.c).
 *
 * Must never: connect to a peer's socket so that it gets to see the broker's credentials, or remove
 * a socket that somebody has bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../limits.h"
#include "../log.h"
#include "bind-unix.h"
#include "cleanup.h"
#include "folder.h"
#include "object.h"

static bool is_socket(const struct server *server, int fd)
{
	struct statx status;

	return trust_statx(server->walker.mounts, fd, &status) == 0 && S_ISSOCK(status.stx_mode);
}

/* ---- what is there already ---- */

/* Has nobody the socket bound any more? It is held by O_PATH, and reached by that alone. */
static bool is_stale(const struct server *server, int held)
{
	_cleanup_close_ int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool stale;

	if (probe < 0 || !is_socket(server, held) || fchdir(server->self_fd) < 0)
		return false;
	snprintf(address.sun_path, sizeof(address.sun_path), "%d", held);
	stale = connect(probe, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
		errno == ECONNREFUSED;
	return fchdir(server->walker.root) == 0 && stale;
}

/* Where a socket is taken aside to, in the same folder, which nobody unprivileged can write to. */
#define ASIDE ".fdbroker-stale"

/* Removes what bears the name, if it is a stale socket. 0, also if nothing does; or an errno. */
static int remove_if_stale(const struct server *server, const struct walk *walk, const char *name)
{
	_cleanup_close_ int held = folder_hold(walk, name);

	if (held < 0)
		return errno == ENOENT ? 0 : errno;
	if (!is_stale(server, held))
		return EADDRINUSE;
	return unlinkat(walk->parent, name, 0) < 0 ? errno : 0;
}

/*
 * Removes the stale socket at the walk's last component. Whoever else may write to the folder, root
 * alone, may have replaced it by now, so it is taken aside, and looked at again where nobody else
 * looks for it. What lies there already was left by an executor that was ended over this. 0 or a
 * positive errno.
 */
static int remove_stale(const struct server *server, const struct walk *walk)
{
	/* Not the turn at the name ASIDE, which somebody could wait for who has this one. */
	int error = folder_lock(server, walk->parent, "/" ASIDE);

	if (error == 0)
		error = remove_if_stale(server, walk, ASIDE);
	if (error != 0)
		return error;
	if (renameat2(walk->parent, object_name(walk), walk->parent, ASIDE, RENAME_NOREPLACE) < 0)
		return errno == ENOENT ? 0 : errno;
	error = remove_if_stale(server, walk, ASIDE);
	if (error != EADDRINUSE)
		return error;
	if (renameat2(walk->parent, ASIDE, walk->parent, object_name(walk), RENAME_NOREPLACE) < 0)
		log_message(LOG_WARNING, "cannot move " ASIDE " back to %s: %s", walk->path,
			strerror(errno));
	return EADDRINUSE;
}

/* 0: the walk's last component is free. Or a positive errno. */
static int make_room(const struct server *server, const struct walk *walk)
{
	_cleanup_close_ int held = folder_hold(walk, object_name(walk));

	if (held < 0)
		return errno == ENOENT ? 0 : errno;
	return is_stale(server, held) ? remove_stale(server, walk) : EADDRINUSE;
}

/* ---- binding ---- */

/* unix(7): a socket that has a name does not get another. */
static bool has_name(int fd)
{
	struct sockaddr_un address;
	socklen_t length = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       length > offsetof(struct sockaddr_un, sun_path);
}

/* bind(2) in the walk's parent, to a socket file without any permission. 0 or a positive errno. */
static int bind_name(const struct server *server, const struct walk *walk, int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(object_name(walk));
	mode_t umask_before;
	int error = 0;

	if (length >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, object_name(walk), length);
	if (fchdir(walk->parent) < 0)
		return errno;
	umask_before = umask(0777);
	if (bind(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1)) < 0)
		error = errno;
	umask(umask_before);
	if (fchdir(server->walker.root) < 0 && error == 0)
		error = errno;
	return error;
}

/* The same, with owner and mode. */
static int bind_dressed(const struct server *server, const struct walk *walk, int fd,
	const struct policy_options *options)
{
	_cleanup_close_ int made = -1;
	int error = bind_name(server, walk, fd);

	if (error != 0)
		return error;
	made = folder_hold(walk, object_name(walk));
	if (made < 0)
		return errno;
	if (!folder_is_fresh(server, made, S_IFSOCK, server->own_uid))
		return EADDRINUSE; /* root alone could have put something in its place */
	error = -object_dress(server, made, options, options->mode);
	if (error != 0)
		(void)unlinkat(walk->parent, object_name(walk), 0);
	return error;
}

/* ---- the request ---- */

/*
 * The folder is there. Executors take turns: bind(2) makes the file first and binds the socket to
 * it a moment later (unix_bind_bsd()), and in between it would look stale to another one.
 */
static enum served bind_in_folder(
	const struct server *server, const struct walk *walk, int received, struct reply *reply)
{
	int error;

	/* At the end bind(2) follows no link: the name is taken. */
	if (walk->object >= 0 && S_ISLNK(walk->status.stx_mode))
		return reply_kernel(reply, EADDRINUSE);
	if (!walk->parent_safe)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT);
	if (strcmp(object_name(walk), ASIDE) == 0)
		return reply_refuse(reply, EACCES, FDBROKER_REASON_PLACEMENT); /* it is ours */
	if (has_name(received))
		return reply_kernel(reply, EINVAL);
	error = folder_lock(server, walk->parent, object_name(walk));
	if (error != 0)
		return reply_kernel(reply, error);
	error = make_room(server, walk);
	if (error == 0)
		error = bind_dressed(server, walk, received, &reply->decision.options);
	folder_unlock(server);
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, -1);
}

enum served bind_unix(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, int unsuitable, struct reply *reply)
{
	const struct fdbroker_text *path = &request->path;
	enum walk_outcome outcome;
	enum served served;
	struct walk walk;

	reply_describe_as(reply, POLICY_BIND, "unix:%.*s", (int)path->length, path->bytes);
	if (unsuitable != 0)
		return reply_refuse(reply, unsuitable, FDBROKER_REASON_SOCKET);
	/* Whichever network namespace the socket lives in: a path is of none, unix(7). */
	if (!object_decide(server, asker, path, reply))
		return SERVED;
	outcome = object_walk(server, asker, path, WALK_FINAL_HOLD, reply->verbs, reply, &walk);
	served = outcome == WALK_FOUND || outcome == WALK_MISSING
			 ? bind_in_folder(server, &walk, received, reply)
			 : object_refuse_walk(outcome, &walk, reply);
	walk_end(&walk);
	return served;
}

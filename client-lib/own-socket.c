/* SPDX-License-Identifier: MIT */
/*
 * What the broker does to the caller's own socket, which goes along: fdbroker_bind(),
 * fdbroker_connect(), fdbroker_setsockopt(). The socket remains the caller's: this file must never
 * change its flags, and never call bind(2), connect(2) or setsockopt(2) itself, which a sandboxed
 * caller could be killed for.
 */
#include "call.h"
#include "endpoint.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

/* error: what is wrong with the request already. */
static struct call_outcome ask_with_socket(
	struct fdbroker *broker, const struct fdbroker_request *request, int sockfd, int error)
{
	if (error == EAFNOSUPPORT)
		return outcome_refused(error, FDBROKER_REASON_SOCKET);
	if (error != 0)
		return outcome_refused(error, FDBROKER_REASON_LOCAL);
	if (sockfd < 0)
		return outcome_refused(EBADF, FDBROKER_REASON_LOCAL);
	/* A descriptor that is not open fails in sendmsg(2), with EBADF. */
	return call_once(broker, request, sockfd);
}

/* ---- bind ---- */

static bool is_unix(const struct sockaddr *address, socklen_t length)
{
	sa_family_t family;

	if (length < sizeof(family))
		return false;
	memcpy(&family, address, sizeof(family));
	return family == AF_UNIX;
}

/*
 * Returns 0 or a positive errno. No socket can be made at a path that ends in "/" or ".": what
 * bind(2) says, as far as that can be said without looking (filename_create() in fs/namei.c).
 */
static int make_path(struct full_path *full, const char *path)
{
	int error = full_path_make(full, AT_FDCWD, path);

	if (error != 0)
		return error;
	if (full->last != LAST_NAME)
		return EADDRINUSE;
	if (full->wants_directory)
		return ENOENT;
	return full->length > FDBROKER_UNIX_PATH_MAX ? ENAMETOOLONG : 0;
}

static struct call_outcome bind_unix(
	struct fdbroker *broker, int sockfd, const struct sockaddr *address, socklen_t length)
{
	struct fdbroker_request request = {
		.operation = FDBROKER_BIND, .endpoint.family = FDBROKER_UNIX};
	struct sockaddr_un local;
	char path[sizeof(local.sun_path) + 1] = "";
	struct full_path full;

	if (length > sizeof(local))
		return outcome_refused(EINVAL, FDBROKER_REASON_LOCAL);
	memcpy(&local, address, length);
	memcpy(path, local.sun_path, length - offsetof(struct sockaddr_un, sun_path));
	/* Unnamed, which means "choose a name", or abstract: unix(7). No rule can name these. */
	if (path[0] == '\0')
		return outcome_refused(EACCES, FDBROKER_REASON_SOCKET);
	int error = make_path(&full, path);
	if (error == 0)
		request.path = (struct fdbroker_text){full.bytes, full.length};
	return ask_with_socket(broker, &request, sockfd, error);
}

int fdbroker_bind(struct fdbroker *broker, int sockfd, const struct sockaddr *address,
	socklen_t address_length)
{
	struct fdbroker_request request = {.operation = FDBROKER_BIND};

	if (broker == NULL || address == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	if (is_unix(address, address_length))
		return outcome_report(bind_unix(broker, sockfd, address, address_length));
	int error = endpoint_from_sockaddr(&request.endpoint, address, address_length);
	return outcome_report(ask_with_socket(broker, &request, sockfd, error));
}

/* ---- connect ---- */

/* Milliseconds that a blocking connect(2) waits: SO_SNDTIMEO, socket(7). -1: for ever. */
static int connect_timeout_msec(int sockfd)
{
	struct timeval timeout;
	socklen_t size = sizeof(timeout);

	if (getsockopt(sockfd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size) != 0 ||
		(timeout.tv_sec == 0 && timeout.tv_usec == 0) || timeout.tv_sec >= INT_MAX / 1000)
		return -1;
	return (int)(timeout.tv_sec * 1000 + (timeout.tv_usec + 999) / 1000);
}

static int64_t now_msec(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0 when the connecting has come to an end, EINPROGRESS when the time is up. */
static int wait_until_connected(int sockfd)
{
	struct pollfd ready = {.fd = sockfd, .events = POLLOUT};
	int left_msec = connect_timeout_msec(sockfd);
	int64_t deadline_msec = left_msec != -1 ? now_msec() + left_msec : 0;

	for (;;) {
		int count = poll(&ready, 1, left_msec);

		if (count == 0)
			return EINPROGRESS;
		if (count > 0)
			return ready.revents & POLLNVAL ? EBADF : 0;
		if (errno != EINTR)
			return errno;
		/* What is left: a timer that ticks would have it wait for ever else. */
		if (left_msec != -1) {
			int64_t now = now_msec();
			left_msec = now < deadline_msec ? (int)(deadline_msec - now) : 0;
		}
	}
}

/*
 * The connecting goes on in the kernel, and the caller's socket blocks: then so does this, as
 * connect(2) would. Not in the caller's turn on the connection to the broker, which others may
 * want meanwhile.
 */
static int finish_connecting(int sockfd)
{
	int cancel_state, result = 0;
	socklen_t size = sizeof(result);

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	int error = wait_until_connected(sockfd);
	if (error == 0)
		error = getsockopt(sockfd, SOL_SOCKET, SO_ERROR, &result, &size) == 0 ? result
										      : errno;
	pthread_setcancelstate(cancel_state, NULL);
	return error;
}

int fdbroker_connect(struct fdbroker *broker, int sockfd, const struct sockaddr *address,
	socklen_t address_length)
{
	struct fdbroker_request request = {.operation = FDBROKER_CONNECT};

	if (broker == NULL || address == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	int error = endpoint_from_sockaddr(&request.endpoint, address, address_length);
	/* Now, since the socket's flags are the broker's too while it serves the request. */
	int flags = fcntl(sockfd, F_GETFL);
	if (flags == -1)
		return report_outcome(errno, FDBROKER_REASON_LOCAL);
	struct call_outcome outcome = ask_with_socket(broker, &request, sockfd, error);
	if (outcome.error != EINPROGRESS || flags & O_NONBLOCK)
		return outcome_report(outcome);
	error = finish_connecting(sockfd);
	return report_outcome(error, error == 0 ? FDBROKER_REASON_NONE : FDBROKER_REASON_KERNEL);
}

/* ---- options ---- */

/* As much as the kernel would take of it: sock_setbindtodevice() in net/core/sock.c. */
static void set_device(struct fdbroker_request *request, const void *value, socklen_t length)
{
	size_t max = length < FDBROKER_INTERFACE_MAX ? length : FDBROKER_INTERFACE_MAX;

	if (max > 0)
		request->name = (struct fdbroker_text){value, strnlen(value, max)};
}

static int set_value(struct fdbroker_request *request, const void *value, socklen_t length)
{
	if (length > INT_MAX)
		return EINVAL;
	if (value == NULL && length > 0)
		return EFAULT;
	if (request->option.level == SOL_SOCKET && request->option.name == SO_BINDTODEVICE) {
		set_device(request, value, length);
		return 0;
	}
	if (length < sizeof(request->option.value))
		return EINVAL;
	memcpy(&request->option.value, value, sizeof(request->option.value));
	return 0;
}

int fdbroker_setsockopt(struct fdbroker *broker, int sockfd, int level, int name, const void *value,
	socklen_t length)
{
	struct fdbroker_request request = {
		.operation = FDBROKER_SETSOCKOPT, .option = {.level = level, .name = name}};

	if (broker == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	int error = set_value(&request, value, length);
	return outcome_report(ask_with_socket(broker, &request, sockfd, error));
}

/* SPDX-License-Identifier: MIT */
/*
 * Connecting the peer's own socket in place. The socket says by O_NONBLOCK whether connect(2)
 * waits; the client shares that flag and can clear it at any time, so it is no help. A timer is: by
 * connect(2) a call that a signal ends (EINTR) leaves the connection to be established
 * asynchronously, and the client waits for that on its own socket.
 *
 * Must never: hold an executor for as long as a network takes.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../limits.h"
#include "operation.h"
#include "received.h"
#include "target.h"

static void timer_expired(int signal)
{
	(void)signal; /* to end a system call is all that it is for */
}

int connect_prepare(void)
{
	struct sigaction action = {.sa_handler = timer_expired}; /* without SA_RESTART, signal(7) */

	sigemptyset(&action.sa_mask);
	return sigaction(SIGALRM, &action, NULL) < 0 ? -errno : 0;
}

static struct timeval timeval_of(unsigned int msec)
{
	return (struct timeval){.tv_sec = msec / 1000, .tv_usec = (msec % 1000) * 1000};
}

/* Repeats: the first signal may come before the call that it is to end. 0: never. */
static void timer_set(unsigned int first_msec)
{
	struct itimerval timer = {
		.it_value = timeval_of(first_msec),
		.it_interval = timeval_of(first_msec > 0 ? CONNECT_REPEAT_MSEC : 0),
	};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* 0 or a positive errno. */
static int connect_briefly(int fd, const struct target *target)
{
	bool is_vsock = target->judged.kind == POLICY_VSOCK;
	int error;

	timer_set(is_vsock ? CONNECT_VSOCK_MSEC : CONNECT_WAIT_MSEC);
	error = connect(fd, &target->address.any, target->length) < 0 ? errno : 0;
	timer_set(0);
	if (error != EINTR)
		return error;
	/* vsock_connect() in net/vmw_vsock/af_vsock.c: there a signal gives the connection up */
	return is_vsock ? ETIMEDOUT : EINPROGRESS;
}

enum served serve_connect(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	enum fdbroker_family family = (enum fdbroker_family)request->endpoint.family;
	struct received socket;
	struct target target;
	int error;

	/* A lock that the socket's owner holds makes every one of these calls wait. */
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	error = received_inspect(received, &socket);
	if (error == 0)
		error = received_connects(&socket, family);
	target_init(&target, &request->endpoint, socket.kind);
	if (error != 0) {
		reply_describe(reply, POLICY_CONNECT, &target.judged);
		return reply_refuse(reply, error, FDBROKER_REASON_SOCKET);
	}
	if (!received_decide(server, asker, reply, POLICY_CONNECT, &target.judged, received))
		return SERVED;
	error = connect_briefly(received, &target);
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, -1);
}

/* SPDX-License-Identifier: MIT */
#include "connection.h"
#include "cleanup.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

/* On the thread's own connection, on the first one, and on one that has taken its place. */
#define TRIES 3

void connections_init(struct connections *connections, struct fdbroker *first, bool is_inherited)
{
	*connections = (struct connections){.first = first, .is_inherited = is_inherited};
	pthread_rwlock_init(&connections->lock, NULL);
}

static bool has_ended(int result)
{
	return result < 0 && fdbroker_last_reason() == FDBROKER_REASON_BROKER;
}

/* ---- the first one ---- */

/* As fdbroker_new(), but a broker that is not there now is not waited for. */
static struct fdbroker *connect_at_once(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct fdbroker *broker;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", tool_socket_path());
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		fcntl(fd, F_SETFL, 0) != 0)
		return NULL;
	broker = fdbroker_from_fd(fd);
	if (broker != NULL)
		(void)take_fd(&fd);
	return broker;
}

/* `ended` is what the caller found to have ended; another thread may have replaced it by now. */
static void renew(struct connections *connections, const struct fdbroker *ended,
	struct fdbroker *(*connect_anew)(void))
{
	struct fdbroker *renewed;

	pthread_rwlock_wrlock(&connections->lock);
	if (connections->first == ended && !connections->is_inherited) {
		renewed = connect_anew();
		if (renewed != NULL) {
			fdbroker_free(connections->first);
			connections->first = renewed;
		}
	}
	pthread_rwlock_unlock(&connections->lock);
}

static struct fdbroker *connect_patiently(void)
{
	return fdbroker_new(NULL);
}

int connections_ask_first(struct connections *connections, question *ask, void *argument)
{
	for (int tries = 1;; tries++) {
		const struct fdbroker *first = connections->first;
		int result;

		/* Held to write, it is being replaced, or the broker is waited for. */
		if (pthread_rwlock_tryrdlock(&connections->lock) != 0) {
			errno = EBUSY;
			return -1;
		}
		first = connections->first;
		result = ask(connections->first, argument);
		pthread_rwlock_unlock(&connections->lock);
		if (!has_ended(result) || tries == 2)
			return result;
		renew(connections, first, connect_at_once);
	}
}

/* ---- those of the threads ---- */

/* Asks on a clone, or on the first one if that can have no more. Returns its answer, and what it
   has found to have ended. */
static int ask_any(struct connections *connections, struct fdbroker **own, question *ask,
	void *argument, const struct fdbroker **ended)
{
	int result = -1;

	*ended = NULL;
	pthread_rwlock_rdlock(&connections->lock);
	*own = fdbroker_clone(connections->first);
	if (*own == NULL) {
		result = ask(connections->first, argument);
		if (has_ended(result))
			*ended = connections->first;
	}
	pthread_rwlock_unlock(&connections->lock);
	return *own != NULL ? ask(*own, argument) : result;
}

static int ask_own(struct fdbroker **own, question *ask, void *argument)
{
	int result = ask(*own, argument);

	if (has_ended(result)) {
		fdbroker_free(*own); /* leaves errno alone */
		*own = NULL;
	}
	return result;
}

int connections_ask(
	struct connections *connections, struct fdbroker **own, question *ask, void *argument)
{
	const struct fdbroker *ended;
	int result;

	for (int tries = 1;; tries++) {
		ended = NULL;
		result = *own != NULL ? ask_own(own, ask, argument)
				      : ask_any(connections, own, ask, argument, &ended);
		if (!has_ended(result) || tries == TRIES)
			return result;
		if (ended != NULL)
			renew(connections, ended, connect_patiently);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection: made or adopted, its server checked, its turns taken, freed. What is
 * said on it is the business of call.c. This file must never hand out a connection whose other end
 * it has not checked: a program tells the broker which secrets it is about to read, and takes what
 * it is handed for them.
 */
#include "connection.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Pauses between attempts to connect: 2 seconds in all, the documented patience. */
static const unsigned int pauses_msec[] = {10, 20, 40, 80, 150, 300, 400, 500, 500};

static void close_keeping_errno(int fd)
{
	int saved_errno = errno;

	close(fd);
	errno = saved_errno;
}

/* ---- whose turn it is ---- */

int connection_take_turn(struct fdbroker *broker, int *cancel_state)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel_state);
	int error = pthread_mutex_lock(&broker->shared->turn);

	/* Whoever died in its turn left nothing half done here: packets go out whole, and answers
	   that are still to come for it have ids that nobody waits for
	   (pthread_mutex_consistent(3)). */
	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(&broker->shared->turn);
	if (error != 0)
		pthread_setcancelstate(*cancel_state, NULL);
	return error;
}

void connection_pass_turn(struct fdbroker *broker, int cancel_state)
{
	pthread_mutex_unlock(&broker->shared->turn);
	pthread_setcancelstate(cancel_state, NULL);
}

/*
 * Ids begin anywhere: whoever adopts a connection does not know which of them were used on it
 * before, and must not take a late answer to its predecessor for its own.
 */
static uint32_t random_first_id(void)
{
	struct timespec now = {0};
	uint32_t id;

	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) == (ssize_t)sizeof(id))
		return id;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_nsec ^ ((uint32_t)getpid() << 16);
}

static int shared_init(struct fdbroker_shared *shared)
{
	pthread_mutexattr_t attributes;
	int error = pthread_mutexattr_init(&attributes);

	if (error != 0)
		return error;
	/* Not PTHREAD_MUTEX_ERRORCHECK: owners are told apart by thread id, and two processes in
	   different pid namespaces may have the same. */
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	error = pthread_mutex_init(&shared->turn, &attributes);
	pthread_mutexattr_destroy(&attributes);
	shared->next_id = random_first_id();
	return error;
}

static struct fdbroker_shared *shared_new(void)
{
	struct fdbroker_shared *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return NULL;
	int error = shared_init(shared);
	if (error != 0) {
		munmap(shared, sizeof(*shared));
		errno = error;
		return NULL;
	}
	return shared;
}

/* ---- making one ---- */

struct fdbroker *connection_new(int fd)
{
	struct fdbroker *broker = malloc(sizeof(*broker));

	if (broker == NULL)
		return NULL;
	broker->fd = fd;
	broker->shared = shared_new();
	if (broker->shared == NULL) {
		free(broker);
		return NULL;
	}
	return broker;
}

static int set_address(struct sockaddr_un *address, const char *path)
{
	size_t length = strlen(path);

	if (length == 0) { /* would be an abstract name, which anybody can take */
		errno = ENOENT;
		return -1;
	}
	if (length >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, length + 1);
	return 0;
}

static bool may_be_starting(int error)
{
	return error == ENOENT || error == ECONNREFUSED || error == EAGAIN;
}

static void pause_msec(unsigned int msec)
{
	struct timespec left = {.tv_sec = msec / 1000, .tv_nsec = (long)(msec % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static int connect_patiently(int fd, const struct sockaddr_un *address)
{
	const size_t pauses = sizeof(pauses_msec) / sizeof(pauses_msec[0]);

	for (size_t attempt = 0;; attempt++) {
		if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (!may_be_starting(errno) || attempt >= pauses)
			return -1;
		pause_msec(pauses_msec[attempt]);
	}
}

/* Non-blocking while it connects: a blocking connect(2) waits for ever while the queue is full. */
static int connect_to(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect_patiently(fd, address) != 0 || fcntl(fd, F_SETFL, 0) != 0 ||
		server_check(fd) != 0) {
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}

static const char *default_socket_path(void)
{
	const char *path = secure_getenv("FDBROKER_SOCKET");

	return path != NULL && path[0] != '\0' ? path : FDBROKER_SOCKET_PATH;
}

static struct fdbroker *new_from_path(const char *socket_path)
{
	struct sockaddr_un address;

	if (set_address(&address, socket_path) != 0)
		return NULL;
	int fd = connect_to(&address);
	if (fd < 0)
		return NULL;
	struct fdbroker *broker = connection_new(fd);
	if (broker == NULL)
		close_keeping_errno(fd);
	return broker;
}

struct fdbroker *fdbroker_new(const char *socket_path)
{
	int cancel_state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	struct fdbroker *broker =
		new_from_path(socket_path != NULL ? socket_path : default_socket_path());
	pthread_setcancelstate(cancel_state, NULL);
	set_last_reason(broker != NULL ? FDBROKER_REASON_NONE : FDBROKER_REASON_LOCAL);
	return broker;
}

static int socket_option(int fd, int name)
{
	int value;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

int connection_check(int fd)
{
	struct sockaddr_un peer;
	socklen_t size = sizeof(peer);
	int domain = socket_option(fd, SO_DOMAIN);

	if (domain < 0) /* EBADF, ENOTSOCK */
		return -1;
	if (domain == AF_UNIX && socket_option(fd, SO_TYPE) == SOCK_SEQPACKET &&
		getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

static struct fdbroker *new_from_fd(int fd)
{
	if (connection_check(fd) != 0 || server_check(fd) != 0)
		return NULL;
	struct fdbroker *broker = connection_new(fd);
	if (broker != NULL)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return broker;
}

struct fdbroker *fdbroker_from_fd(int fd)
{
	int cancel_state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	struct fdbroker *broker = new_from_fd(fd);
	pthread_setcancelstate(cancel_state, NULL);
	set_last_reason(broker != NULL ? FDBROKER_REASON_NONE : FDBROKER_REASON_LOCAL);
	return broker;
}

int fdbroker_fd(const struct fdbroker *broker)
{
	return broker->fd;
}

void fdbroker_free(struct fdbroker *broker)
{
	int saved_errno = errno;
	int cancel_state;

	if (broker == NULL)
		return;
	/* No pthread_mutex_destroy(3) and no shutdown(2): others may have it by fork(2). */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	munmap(broker->shared, sizeof(*broker->shared));
	close(broker->fd);
	free(broker);
	pthread_setcancelstate(cancel_state, NULL);
	errno = saved_errno;
}

/* SPDX-License-Identifier: MIT */
/*
 * The race of RFC 8305, section 5. All sockets are the broker's own and non-blocking until one has
 * won; nothing here may wait but poll(2), which sees the client hang up.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../clock.h"
#include "../limits.h"
#include "protocol.h"
#include "race.h"

void race_interleave(struct target *targets, unsigned int count)
{
	for (unsigned int at = 1; at < count; at++) {
		struct target moved;
		unsigned int other = at;

		while (other < count && targets[other].domain == targets[at - 1].domain)
			other++;
		if (other == count)
			return;
		moved = targets[other];
		memmove(&targets[at + 1], &targets[at], (other - at) * sizeof(targets[0]));
		targets[at] = moved;
	}
}

struct race {
	const struct target *targets;
	unsigned int count;
	unsigned int begun, running;
	unsigned int winner;
	uint64_t next_at;   /* when to begin the next one */
	int error;          /* of the first address; 0: it has not failed */
	struct pollfd *fds; /* the client's connection, then one for each begun; fd -1: over */
};

/* This one has failed: the next one does not wait. */
static void race_failed(struct race *race, unsigned int index, int error)
{
	if (index == 0 || race->error == 0)
		race->error = error;
	race->next_at = 0;
}

/* Begins with the next address. Returns the socket if it is connected already, or -1. */
static int race_begin(struct race *race, uint64_t now)
{
	const struct target *target = &race->targets[race->begun];
	struct pollfd *attempt = &race->fds[1 + race->begun];
	int fd = socket(target->domain, target->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	race->next_at = now + CONNECT_ATTEMPT_DELAY_MSEC;
	*attempt = (struct pollfd){.fd = -1, .events = POLLOUT};
	race->begun++;
	if (fd >= 0 && connect(fd, &target->address.any, target->length) == 0) {
		race->winner = race->begun - 1;
		return fd;
	}
	if (fd >= 0 && errno == EINPROGRESS) {
		attempt->fd = fd;
		race->running++;
		return -1;
	}
	race_failed(race, race->begun - 1, errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Which attempt has come to its end? Returns the socket that is connected, or -1. */
static int race_hear(struct race *race)
{
	for (unsigned int i = 0; i < race->begun; i++) {
		struct pollfd *attempt = &race->fds[1 + i];
		int error = 0, fd = attempt->fd;
		socklen_t length = sizeof(error);

		if (fd < 0 || attempt->revents == 0)
			continue;
		attempt->fd = -1;
		race->running--;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			error = errno;
		if (error == 0) {
			race->winner = i;
			return fd;
		}
		race_failed(race, i, error);
		close(fd);
	}
	return -1;
}

/* Until something happens, or the next one is to begin. */
static int race_timeout(const struct race *race, uint64_t now, uint64_t deadline)
{
	uint64_t next =
		race->begun < race->count && race->next_at < deadline ? race->next_at : deadline;

	return next > now ? (int)(next - now) : 0;
}

static int race_run(struct race *race, uint64_t deadline)
{
	for (;;) {
		uint64_t now = clock_msec();
		int fd = -1;

		if (race->begun < race->count && (race->running == 0 || race->next_at <= now)) {
			fd = race_begin(race, now);
			if (fd >= 0)
				return fd;
			continue;
		}
		if (race->running == 0)
			return -race->error;
		if (now >= deadline)
			return -ETIMEDOUT;
		if (poll(race->fds, 1 + race->begun, race_timeout(race, now, deadline)) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (race->fds[0].revents != 0)
			return -ECANCELED;
		fd = race_hear(race);
		if (fd >= 0)
			return fd;
	}
}

static int race_unblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) >= 0)
		return fd;
	flags = -errno;
	close(fd);
	return flags;
}

int race_connect(const struct target *targets, unsigned int count, int client, uint64_t deadline,
	unsigned int *decisive)
{
	static struct pollfd fds[1 + FDBROKER_ADDRESSES_MAX];
	struct race race = {.targets = targets, .count = count, .fds = fds};
	int winner;

	assert(count > 0);
	fds[0] = (struct pollfd){.fd = client, .events = POLLRDHUP};
	winner = race_run(&race, deadline);
	for (unsigned int i = 0; i < race.begun; i++)
		if (fds[1 + i].fd >= 0)
			close(fds[1 + i].fd);
	*decisive = race.winner;
	return winner >= 0 ? race_unblock(winner) : winner;
}

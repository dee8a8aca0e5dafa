/* SPDX-License-Identifier: MIT */
/* epoll(7) with a function behind each descriptor. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "events.h"

static int epoll = -1;

int events_open(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	return epoll < 0 ? -errno : 0;
}

static int source_watch(struct source *source, int fd, uint32_t events, source_ready *ready)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	source->fd = -1;
	source->ready = ready;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	source->fd = fd;
	return 0;
}

int source_add(struct source *source, int fd, source_ready *ready)
{
	return source_watch(source, fd, EPOLLIN, ready);
}

int source_add_urgent(struct source *source, int fd, source_ready *ready)
{
	return source_watch(source, fd, EPOLLPRI, ready);
}

void source_remove(struct source *source)
{
	if (source->fd >= 0)
		(void)epoll_ctl(epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->fd = -1;
}

void events_wait(uint64_t deadline)
{
	uint64_t now = clock_msec();
	struct epoll_event event;
	int timeout = deadline == UINT64_MAX ? -1 : deadline > now ? (int)(deadline - now) : 0;

	if (epoll_wait(epoll, &event, 1, timeout) == 1) {
		struct source *source = event.data.ptr;

		source->ready(source);
	}
}

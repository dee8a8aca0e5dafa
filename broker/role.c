/* SPDX-License-Identifier: MIT */
/*
 * The first steps of a worker or executor: fresh from exec, with the descriptors of child.h and
 * nothing else, to confined and ready to serve.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "connection.h"
#include "log.h"
#include "memory.h"
#include "role.h"

/*
 * Locks go by open file descriptions, and all executors were handed the same one: so the file is
 * opened anew. That is for writing, which the lock needs, and its seals forbid. Nobody else can
 * open it.
 */
static int role_open_turns(struct server *server)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", CHILD_TURNS);
	server->turns = open(name, O_RDWR | O_CLOEXEC);
	close(CHILD_TURNS);
	if (server->turns < 0)
		return -errno;
	return pread(server->turns, &server->turns_key, sizeof(server->turns_key), 0) ==
			       sizeof(server->turns_key)
		       ? 0
		       : -EBADF;
}

static int role_map(struct server *server, const struct peers **peers)
{
	const void *image;
	size_t size;

	server->ring = memory_map(
		CHILD_RING, PROT_READ | PROT_WRITE, MAP_SHARED, sizeof(*server->ring), &size);
	if (server->ring == NULL)
		return -EBADF;
	log_to_ring(server->ring);
	*peers = memory_map(CHILD_PEERS, PROT_READ, MAP_SHARED, sizeof(**peers), &size);
	server->walker.mounts = memory_map(
		CHILD_MOUNTS, PROT_READ, MAP_PRIVATE, sizeof(*server->walker.mounts), &size);
	image = memory_map(CHILD_IMAGE, PROT_READ, MAP_PRIVATE, 1, &size);
	server->image = image != NULL ? policy_image_open(image, size) : NULL;
	return *peers != NULL && server->walker.mounts != NULL && server->image != NULL ? 0
											: -EBADF;
}

/* What operations need beside what was passed. 0 or a negative errno. */
static int role_open_server(struct server *server)
{
	int error = server->may_wait ? connect_prepare() : 0;
	int probe;

	if (error < 0)
		return error;
	server->own_uid = geteuid();
	server->walker.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (server->walker.root < 0)
		return -errno;
	server->self_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (server->self_fd < 0)
		return -errno;
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return -errno;
	server->netns_cookie = netns_cookie(probe);
	close(probe);
	return server->netns_cookie != 0 ? 0 : -EOPNOTSUPP; /* before Linux 5.14 */
}

static int role_open(enum role role, struct server *server, const struct peers **peers)
{
	int error;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	umask(0077);
	error = role == ROLE_EXECUTOR ? role_open_turns(server) : 0;
	if (error == 0)
		error = role_map(server, peers);
	if (error < 0)
		return error;
	server->may_wait = role == ROLE_EXECUTOR;
	server->walker.cached = !server->may_wait;
	return role_open_server(server);
}

int role_begin(enum role role, struct server *server, const struct peers **peers)
{
	struct policy_needs needs;
	int error = role_open(role, server, peers);

	if (error < 0) {
		log_message(LOG_ERR, "%s: cannot start: %s", role_name(role), strerror(-error));
		return error;
	}
	policy_image_needs(server->image, &needs);
	error = confine_for_good(role, confine_capabilities(&needs, role));
	if (error < 0)
		return error;
	return confine_syscalls(role, &needs);
}

struct asker role_asker(
	const struct peers *peers, uint32_t slot, const struct peer *peer, int connection)
{
	return (struct asker){
		.peer = &peer->policy,
		.limits = {.text = peers->limits[slot], .length = peer->limits_length},
		.groups = peers->groups[slot],
		.group_count = peer->group_count,
		.netns = peer->netns,
		.pid = peer->pid,
		.connection = connection,
	};
}

void role_wake_log(const struct server *server)
{
	static uint64_t said;
	uint64_t head = ring_head(server->ring);
	uint64_t one = 1;

	if (head == said)
		return;
	/* Full (EAGAIN) is as good: the supervisor will look. */
	if (write(CHILD_WAKE, &one, sizeof(one)) > 0 || errno == EAGAIN)
		said = head;
}

_Noreturn void role_end(const struct server *server)
{
	role_wake_log(server);
	_exit(1);
}

void role_tell(const struct server *server, enum message_type type, uint32_t slot, uint32_t serial)
{
	struct message message = {.type = type, .slot = slot, .serial = serial};

	if (channel_send(CHILD_CHANNEL, &message, -1) < 0)
		role_end(server);
}

void role_tell_limit(const struct server *server, uint32_t slot, uint32_t serial,
	const struct fdbroker_text *limits)
{
	struct message message = {.type = MESSAGE_LIMIT, .slot = slot, .serial = serial};

	if (channel_send_bytes(CHILD_CHANNEL, &message, limits->bytes, limits->length) < 0)
		role_end(server);
}

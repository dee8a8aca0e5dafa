/* SPDX-License-Identifier: MIT */
/* Starting, hearing and burying the processes that serve: see process.h. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cleanup.h"
#include "log.h"
#include "memory.h"
#include "process.h"
#include "siphash.h"

/* A resolver decides nothing: what it has to say is a message, and is said to be its own. */
static void process_log(struct process *process, const struct record *record, const char *text)
{
	if (process->role != ROLE_RESOLVER)
		log_record(record, text, process->generation->image);
	else if (record->kind == RECORD_MESSAGE)
		log_message(LOG_NOTICE, "resolver %d: %.*s", process->pid,
			record->text_length < 256 ? record->text_length : 256, text);
}

/* Writes what is in the ring to the log. */
static void process_flush(struct process *process)
{
	static char text[UINT16_MAX];
	uint64_t head = ring_head(process->ring), skipped;
	struct record record;

	while (ring_read(process->ring, &process->ring_tail, head, &record, text))
		process_log(process, &record, text);
	skipped = atomic_load_explicit(&process->ring->skipped, memory_order_relaxed);
	log_skip(skipped - process->ring_skipped);
	process->ring_skipped = skipped;
}

static void process_woken(struct source *source)
{
	struct process *process = source_owner(source, struct process, woken);
	uint64_t count;

	if (read(process->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		source_remove(source);
	process_flush(process);
}

static void process_release(struct process *process)
{
	source_remove(&process->ended);
	source_remove(&process->woken);
	if (process->pidfd >= 0)
		close(process->pidfd);
	if (process->wake >= 0)
		close(process->wake);
	if (process->ring != NULL)
		munmap(process->ring, sizeof(struct ring));
	process->pidfd = process->wake = -1;
	process->ring = NULL;
	generation_release(process->generation);
	process->generation = NULL;
}

/*
 * One for all executors of all generations: what hangs in one of a former generation may still come
 * to pass, and whoever has its turn next must not come before. In it is the key to its bytes,
 * operations/folder.c. A descriptor, or a negative number.
 */
static int turns_file(void)
{
	static int file = -1;
	struct siphash_key key;

	if (file < 0 && getrandom(&key, sizeof(key), 0) == sizeof(key))
		file = memory_seal("fdbroker-turns", &key, sizeof(key));
	return file;
}

static int process_spawn(struct process *process, int channel, int ring, int own)
{
	int fds[CHILD_DESCRIPTORS_END - CHILD_CHANNEL];
	bool serves = process->role != ROLE_RESOLVER; /* it knows no policy and no peer */

	fds[CHILD_CHANNEL - CHILD_CHANNEL] = channel;
	fds[CHILD_IMAGE - CHILD_CHANNEL] = serves ? process->generation->image_fd : -1;
	fds[CHILD_MOUNTS - CHILD_CHANNEL] = serves ? process->generation->mounts_fd : -1;
	fds[CHILD_PEERS - CHILD_CHANNEL] = serves ? process->generation->peers_fd : -1;
	fds[CHILD_RING - CHILD_CHANNEL] = ring;
	fds[CHILD_WAKE - CHILD_CHANNEL] = process->wake;
	fds[CHILD_TURNS - CHILD_CHANNEL] = process->role == ROLE_EXECUTOR ? turns_file() : -1;
	fds[CHILD_HANDS - CHILD_CHANNEL] = process->role == ROLE_WORKER ? own : -1;
	fds[CHILD_RESOLVER - CHILD_CHANNEL] = process->role == ROLE_EXECUTOR ? own : -1;
	process->pidfd = child_start(process->role, fds, &process->pid);
	return process->pidfd < 0 ? process->pidfd : 0;
}

int process_start(struct process *process, enum role role, struct generation *generation,
	int channel, int own, source_ready *ended)
{
	_cleanup_close_ int ring = -1;
	int error;

	*process = (struct process){.role = role,
		.pidfd = -1,
		.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.generation = generation_hold(generation),
		.ended.fd = -1,
		.woken.fd = -1};
	ring = process->wake >= 0 ? memory_share("fdbroker-ring", sizeof(*process->ring),
					    (void **)&process->ring)
				  : -errno;
	error = ring < 0 ? ring : process_spawn(process, channel, ring, own);
	if (error == 0)
		error = source_add(&process->ended, process->pidfd, ended);
	if (error == 0)
		error = source_add(&process->woken, process->wake, process_woken);
	if (error < 0) {
		log_message(LOG_ERR, "cannot start a process (%s): %s", role_name(role),
			strerror(-error));
		if (process->pidfd >= 0) {
			child_kill(process->pidfd);
			(void)waitpid(process->pid, NULL, 0);
		}
		process_release(process);
	}
	return error;
}

void process_account(struct process *process)
{
	static char text[UINT16_MAX];
	struct record record;

	process_flush(process);
	if (ring_read_pending(process->ring, process->ring_tail, &record, text))
		process_log(process, &record, text);
}

void process_end(struct process *process, bool expected)
{
	int status = 0;

	process_account(process);
	if (child_ended(process->pidfd, &status) && !expected) {
		if (WIFSIGNALED(status))
			log_message(LOG_ERR, "%s %d was ended by signal %d (%s)",
				role_name(process->role), process->pid, WTERMSIG(status),
				strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status) != 0)
			log_message(LOG_ERR, "%s %d ended with status %d", role_name(process->role),
				process->pid, WEXITSTATUS(status));
	}
	process_release(process);
}

int process_forget(struct process *process)
{
	int pidfd = process->pidfd;

	process_flush(process);
	source_remove(&process->ended);
	process->pidfd = -1;
	process_release(process);
	return pidfd;
}

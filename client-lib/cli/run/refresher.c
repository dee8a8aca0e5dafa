/* SPDX-License-Identifier: MIT */
#include "refresher.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

/* Many times what the broker takes for an answer, and not long for who waits in vain. */
#define PATIENCE_NSEC 100000000

static int ask(struct fdbroker *broker, void *grants)
{
	return grants_refresh(grants, broker);
}

static void *run(void *argument)
{
	struct refresher *refresher = argument;

	pthread_mutex_lock(&refresher->lock);
	for (;;) {
		while (!refresher->is_wanted)
			pthread_cond_wait(&refresher->wanted, &refresher->lock);
		refresher->is_wanted = false;
		pthread_mutex_unlock(&refresher->lock);
		(void)connections_ask_first(refresher->connections, ask, refresher->grants);
		pthread_mutex_lock(&refresher->lock);
		refresher->rounds++;
		refresher->is_late = false;
		pthread_cond_broadcast(&refresher->done);
	}
	return NULL;
}

int refresher_start(
	struct refresher *refresher, struct grants *grants, struct connections *connections)
{
	pthread_t thread;

	refresher->grants = grants;
	refresher->connections = connections;
	pthread_mutex_init(&refresher->lock, NULL);
	pthread_cond_init(&refresher->wanted, NULL);
	pthread_cond_init(&refresher->done, NULL);
	return pthread_create(&thread, NULL, run, refresher);
}

static struct timespec find_deadline(void)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_nsec += PATIENCE_NSEC;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_nsec -= 1000000000;
		deadline.tv_sec++;
	}
	return deadline;
}

/* Once somebody has waited in vain, nobody does until the answer is there. */
void refresher_refresh(struct refresher *refresher)
{
	const struct timespec deadline = find_deadline();
	unsigned int rounds;

	pthread_mutex_lock(&refresher->lock);
	rounds = refresher->rounds;
	refresher->is_wanted = true;
	pthread_cond_signal(&refresher->wanted);
	while (refresher->rounds == rounds && !refresher->is_late) {
		/* The round may have come to its end all the same. */
		if (pthread_cond_clockwait(&refresher->done, &refresher->lock, CLOCK_MONOTONIC,
			    &deadline) == ETIMEDOUT &&
			refresher->rounds == rounds)
			refresher->is_late = true;
	}
	pthread_mutex_unlock(&refresher->lock);
}

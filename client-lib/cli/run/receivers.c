/* SPDX-License-Identifier: MIT */
#include "receivers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

/* Some names of PATH_MAX bytes are on it. */
#define STACK_BYTES (256 * 1024)
/* After this time without work a thread ends, and whoever receives gives its connection back. */
#define IDLE_SEC 2

struct receivers {
	int listener;
	serve_call *serve;
	struct supervision *supervision;
	pthread_mutex_t turn; /* to receive */
	atomic_uint count, waiting;
};

/* False: it was idle for too long. */
static bool take_turn(struct receiver *receiver)
{
	struct receivers *receivers = receiver->receivers;
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += IDLE_SEC;
	atomic_fetch_add(&receivers->waiting, 1);
	receiver->has_turn =
		pthread_mutex_clocklock(&receivers->turn, CLOCK_MONOTONIC, &deadline) == 0;
	atomic_fetch_sub(&receivers->waiting, 1);
	return receiver->has_turn;
}

static void give_back(struct receiver *receiver)
{
	connections_give_back(&receiver->supervision->connections, &receiver->broker);
}

/* The turn is this thread's. False: there can be no more calls. */
static bool receive_one(struct receiver *receiver)
{
	const struct receivers *receivers = receiver->receivers;
	struct notification notification;

	if (receiver->broker != NULL && !notification_comes(receivers->listener, IDLE_SEC * 1000))
		give_back(receiver);
	if (notification_receive(&notification, receivers->listener)) {
		receivers->serve(receiver, &notification);
		return true;
	}
	return !notification_is_over(receivers->listener);
}

/* When there can be no more calls, the turn is nobody's any more. */
static void *receive(void *argument)
{
	struct receivers *receivers = argument;
	struct receiver receiver = {.receivers = receivers, .supervision = receivers->supervision};

	while (receiver.has_turn || take_turn(&receiver)) {
		if (!receive_one(&receiver))
			break;
	}
	give_back(&receiver);
	atomic_fetch_sub(&receivers->count, 1);
	return NULL;
}

/* Returns 0 or a positive errno. */
static int start_thread(struct receivers *receivers)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	atomic_fetch_add(&receivers->count, 1);
	error = pthread_create(&thread, &attributes, receive, receivers);
	if (error != 0)
		atomic_fetch_sub(&receivers->count, 1);
	pthread_attr_destroy(&attributes);
	return error;
}

int receivers_start(int listener, serve_call *serve, struct supervision *supervision)
{
	static struct receivers receivers;

	receivers = (struct receivers){
		.listener = listener, .serve = serve, .supervision = supervision};
	pthread_mutex_init(&receivers.turn, NULL);
	return start_thread(&receivers);
}

/* If no thread can be started, whoever has done waiting first receives next. */
void receiver_may_wait(struct receiver *receiver)
{
	struct receivers *receivers = receiver->receivers;

	if (!receiver->has_turn)
		return;
	if (atomic_load(&receivers->waiting) == 0 && atomic_load(&receivers->count) < RECEIVERS_MAX)
		(void)start_thread(receivers);
	receiver->has_turn = false;
	pthread_mutex_unlock(&receivers->turn);
}

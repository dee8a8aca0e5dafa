/* SPDX-License-Identifier: MIT */
#include "receivers.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

/* Some names of PATH_MAX bytes are on it. */
#define STACK_BYTES (256 * 1024)
/* After this time without work a thread ends, and whoever receives gives its connection back. */
#define IDLE_SEC 2
/* How often the guard looks, while there are calls: so long one of them can keep others waiting. */
#define GUARD_NSEC 100000000

struct receivers {
	int listener;
	serve_call *serve;
	struct supervision *supervision;
	unsigned int count_max;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t turn_is_free, guard_is_wanted;
	struct receiver *holder;     /* of the turn to receive, or NULL */
	unsigned int count, waiting; /* for the turn */
	/* The call that the holder is answering; 0: it receives. */
	unsigned int call, last_call;
	bool guard_sleeps;
};

/* ---- threads ---- */

static int start_thread(struct receivers *receivers, void *(*run)(void *))
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	error = pthread_create(&thread, &attributes, run, receivers);
	pthread_attr_destroy(&attributes);
	return error;
}

static void *receive(void *argument);

/* Under the lock. */
static int add_receiver(struct receivers *receivers)
{
	int error = start_thread(receivers, receive);

	if (error == 0)
		receivers->count++;
	return error;
}

/* ---- the turn ---- */

/* Under the lock. Somebody must be there who takes it; if no thread can be started now, the guard
   tries again. */
static void offer_turn(struct receivers *receivers)
{
	if (receivers->waiting > 0)
		pthread_cond_signal(&receivers->turn_is_free);
	else if (receivers->count < receivers->count_max)
		(void)add_receiver(receivers);
}

/* Under the lock. */
static void hand_on(struct receivers *receivers)
{
	receivers->holder = NULL;
	receivers->call = 0;
	offer_turn(receivers);
}

void receiver_may_wait(struct receiver *receiver)
{
	struct receivers *receivers = receiver->receivers;

	pthread_mutex_lock(&receivers->lock);
	if (receivers->holder == receiver)
		hand_on(receivers);
	pthread_mutex_unlock(&receivers->lock);
}

/* Has it, or gets it. False: it was idle for too long, and counts no more. */
static bool take_turn(struct receiver *receiver)
{
	struct receivers *receivers = receiver->receivers;
	struct timespec deadline;
	int error = 0;
	bool has_it;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += IDLE_SEC;
	pthread_mutex_lock(&receivers->lock);
	receivers->waiting++;
	while (receivers->holder != receiver && receivers->holder != NULL && error == 0)
		error = pthread_cond_clockwait(
			&receivers->turn_is_free, &receivers->lock, CLOCK_MONOTONIC, &deadline);
	receivers->waiting--;
	if (receivers->holder == NULL)
		receivers->holder = receiver;
	has_it = receivers->holder == receiver;
	if (!has_it)
		receivers->count--;
	pthread_mutex_unlock(&receivers->lock);
	return has_it;
}

/* ---- the guard ---- */

/* Under the lock. Whoever has the turn receives, as it should be. */
static bool all_is_well(const struct receivers *receivers)
{
	return receivers->holder != NULL && receivers->call == 0;
}

static void *guard(void *argument)
{
	const struct timespec pause = {.tv_nsec = GUARD_NSEC};
	struct receivers *receivers = argument;
	unsigned int call;

	pthread_mutex_lock(&receivers->lock);
	for (;;) {
		receivers->guard_sleeps = true;
		while (all_is_well(receivers))
			pthread_cond_wait(&receivers->guard_is_wanted, &receivers->lock);
		receivers->guard_sleeps = false;
		call = receivers->call;
		pthread_mutex_unlock(&receivers->lock);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&receivers->lock);
		if (receivers->holder == NULL)
			offer_turn(receivers);
		else if (call != 0 && receivers->call == call)
			hand_on(receivers);
	}
	return NULL;
}

/* ---- receiving ---- */

static void begin_call(struct receivers *receivers)
{
	pthread_mutex_lock(&receivers->lock);
	if (++receivers->last_call == 0)
		receivers->last_call = 1;
	receivers->call = receivers->last_call;
	if (receivers->guard_sleeps)
		pthread_cond_signal(&receivers->guard_is_wanted);
	pthread_mutex_unlock(&receivers->lock);
}

static void end_call(struct receivers *receivers, const struct receiver *receiver)
{
	pthread_mutex_lock(&receivers->lock);
	if (receivers->holder == receiver)
		receivers->call = 0;
	pthread_mutex_unlock(&receivers->lock);
}

static void give_back(struct receiver *receiver)
{
	connections_give_back(&receiver->supervision->connections, &receiver->own);
}

/* The turn is this thread's. False: there can be no more calls. */
static bool receive_one(struct receiver *receiver)
{
	struct receivers *receivers = receiver->receivers;
	struct notification notification;

	if (connections_is_idle(&receiver->own, IDLE_SEC) ||
		(receiver->own.broker != NULL &&
			!notification_comes(receivers->listener, IDLE_SEC * 1000)))
		give_back(receiver);
	if (notification_receive(&notification, receivers->listener)) {
		begin_call(receivers);
		receivers->serve(receiver, &notification);
		end_call(receivers, receiver);
		return true;
	}
	return !notification_is_over(receivers->listener);
}

/* When there can be no more calls, the turn remains with a thread that has ended. */
static void *receive(void *argument)
{
	struct receivers *receivers = argument;
	struct receiver receiver = {.receivers = receivers, .supervision = receivers->supervision};

	while (take_turn(&receiver)) {
		if (!receive_one(&receiver))
			break;
	}
	give_back(&receiver);
	return NULL;
}

int receivers_start(
	int listener, serve_call *serve, struct supervision *supervision, unsigned int threads_max)
{
	static struct receivers receivers = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.turn_is_free = PTHREAD_COND_INITIALIZER,
		.guard_is_wanted = PTHREAD_COND_INITIALIZER,
	};
	int error;

	receivers.listener = listener;
	receivers.serve = serve;
	receivers.supervision = supervision;
	receivers.count_max = threads_max;
	pthread_mutex_lock(&receivers.lock);
	error = add_receiver(&receivers);
	pthread_mutex_unlock(&receivers.lock);
	return error != 0 ? error : start_thread(&receivers, guard);
}

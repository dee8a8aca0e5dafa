/* SPDX-License-Identifier: MIT */
#include "receivers.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
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
	sem_t turn;                        /* to receive */
	_Atomic(struct receiver *) holder; /* of the turn; NULL while it is handed on */
	atomic_uint count, waiting;
	/* The calls have numbers, which are odd; the one that the holder is answering, or 0. */
	atomic_uint last, answering;
	/* Of the guard, which sleeps while there are no calls. */
	pthread_mutex_t guard_lock;
	pthread_cond_t guard_wanted;
	atomic_bool guard_sleeps;
};

/* ---- the turn ---- */

static bool has_turn(const struct receiver *receiver)
{
	return atomic_load(&receiver->receivers->holder) == receiver;
}

/* False: it was idle for too long. */
static bool take_turn(struct receiver *receiver)
{
	struct receivers *receivers = receiver->receivers;
	struct timespec deadline;
	bool has_it;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += IDLE_SEC;
	atomic_fetch_add(&receivers->waiting, 1);
	has_it = sem_clockwait(&receivers->turn, CLOCK_MONOTONIC, &deadline) == 0;
	atomic_fetch_sub(&receivers->waiting, 1);
	/* Whoever handed it on a moment ago may have counted on this thread. */
	has_it = has_it || sem_trywait(&receivers->turn) == 0;
	if (has_it)
		atomic_store(&receivers->holder, receiver);
	return has_it;
}

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

static int add_receiver(struct receivers *receivers)
{
	int error;

	atomic_fetch_add(&receivers->count, 1);
	error = start_thread(receivers, receive);
	if (error != 0)
		atomic_fetch_sub(&receivers->count, 1);
	return error;
}

/*
 * Of the holder, by itself or by the guard: whoever is first. Nobody may be there to take the turn, or
 * have just gone: then there is to be another thread. If none can be started, whoever has done waiting
 * first receives next.
 */
static void hand_on(struct receivers *receivers, struct receiver *holder)
{
	int free_turns;

	if (holder == NULL || !atomic_compare_exchange_strong(&receivers->holder, &holder, NULL))
		return;
	atomic_store(&receivers->answering, 0);
	sem_post(&receivers->turn);
	if (sem_getvalue(&receivers->turn, &free_turns) == 0 && free_turns > 0 &&
		atomic_load(&receivers->waiting) == 0 &&
		atomic_load(&receivers->count) < receivers->count_max)
		(void)add_receiver(receivers);
}

void receiver_may_wait(struct receiver *receiver)
{
	hand_on(receiver->receivers, receiver);
}

/* ---- the guard ---- */

static void wake_guard(struct receivers *receivers)
{
	pthread_mutex_lock(&receivers->guard_lock);
	pthread_cond_signal(&receivers->guard_wanted);
	pthread_mutex_unlock(&receivers->guard_lock);
}

/* Until there is another call than that. */
static void sleep_without_calls(struct receivers *receivers, unsigned int last)
{
	pthread_mutex_lock(&receivers->guard_lock);
	atomic_store(&receivers->guard_sleeps, true);
	while (atomic_load(&receivers->last) == last)
		pthread_cond_wait(&receivers->guard_wanted, &receivers->guard_lock);
	atomic_store(&receivers->guard_sleeps, false);
	pthread_mutex_unlock(&receivers->guard_lock);
}

static void *guard(void *argument)
{
	const struct timespec pause = {.tv_nsec = GUARD_NSEC};
	struct receivers *receivers = argument;
	unsigned int last = 1, answering;

	for (;;) {
		answering = atomic_load(&receivers->answering);
		if (answering == 0 && atomic_load(&receivers->last) == last)
			sleep_without_calls(receivers, last);
		last = atomic_load(&receivers->last);
		nanosleep(&pause, NULL);
		if (answering != 0 && atomic_load(&receivers->answering) == answering)
			hand_on(receivers, atomic_load(&receivers->holder));
	}
	return NULL;
}

/* ---- receiving ---- */

static void give_back(struct receiver *receiver)
{
	connections_give_back(&receiver->supervision->connections, &receiver->broker);
}

static void answer(struct receiver *receiver, const struct notification *notification)
{
	struct receivers *receivers = receiver->receivers;
	unsigned int number = atomic_load(&receivers->last) + 2;

	atomic_store(&receivers->answering, number);
	atomic_store(&receivers->last, number);
	if (atomic_load(&receivers->guard_sleeps))
		wake_guard(receivers);
	receivers->serve(receiver, notification);
	/* Unless the turn has been handed on. */
	(void)atomic_compare_exchange_strong(&receivers->answering, &number, 0);
}

/* The turn is this thread's. False: there can be no more calls. */
static bool receive_one(struct receiver *receiver)
{
	const int listener = receiver->receivers->listener;
	struct notification notification;

	if (receiver->broker != NULL && !notification_comes(listener, IDLE_SEC * 1000))
		give_back(receiver);
	if (notification_receive(&notification, listener)) {
		answer(receiver, &notification);
		return true;
	}
	return !notification_is_over(listener);
}

/* When there can be no more calls, the turn is nobody's any more. */
static void *receive(void *argument)
{
	struct receivers *receivers = argument;
	struct receiver receiver = {.receivers = receivers, .supervision = receivers->supervision};

	while (has_turn(&receiver) || take_turn(&receiver)) {
		if (!receive_one(&receiver))
			break;
	}
	give_back(&receiver);
	atomic_fetch_sub(&receivers->count, 1);
	return NULL;
}

int receivers_start(
	int listener, serve_call *serve, struct supervision *supervision, unsigned int threads_max)
{
	static struct receivers receivers;
	int error;

	receivers = (struct receivers){.listener = listener,
		.serve = serve,
		.supervision = supervision,
		.count_max = threads_max,
		.last = 1,
		.guard_lock = PTHREAD_MUTEX_INITIALIZER,
		.guard_wanted = PTHREAD_COND_INITIALIZER};
	sem_init(&receivers.turn, 0, 1);
	error = start_thread(&receivers, guard);
	return error != 0 ? error : add_receiver(&receivers);
}

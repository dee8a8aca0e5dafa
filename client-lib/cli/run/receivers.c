/* SPDX-License-Identifier: MIT */
#include "receivers.h"
#include "notification.h"
#include "trapped.h"

#include <errno.h>
#include <stddef.h>

/* Some names of PATH_MAX bytes, and what the name service needs while the policy is read. */
#define STACK_BYTES (1024 * 1024)

static void take_turn(struct receiver *receiver)
{
	struct supervision *supervision = receiver->supervision;

	atomic_fetch_add(&supervision->waiting_count, 1);
	pthread_mutex_lock(&supervision->turn);
	atomic_fetch_sub(&supervision->waiting_count, 1);
	receiver->has_turn = true;
}

static void serve(struct receiver *receiver, const struct notification *notification)
{
	for (size_t i = 0; i < trapped_call_count; i++) {
		if (trapped_calls[i].number == notification->system_call) {
			trapped_calls[i].serve(receiver, notification);
			return;
		}
	}
	notification_return(notification, ENOSYS);
}

static void *receive(void *argument)
{
	struct receiver receiver = {.supervision = argument};
	int listener = receiver.supervision->listener;
	struct notification notification;

	/* When it is over, the turn is nobody's any more. */
	for (;;) {
		if (!receiver.has_turn)
			take_turn(&receiver);
		if (notification_receive(&notification, listener))
			serve(&receiver, &notification);
		else if (notification_is_over(listener))
			return NULL;
	}
}

static int start_thread(struct supervision *supervision)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	error = pthread_create(&thread, &attributes, receive, supervision);
	pthread_attr_destroy(&attributes);
	if (error == 0)
		atomic_fetch_add(&supervision->thread_count, 1);
	return error;
}

bool receivers_start(struct supervision *supervision)
{
	pthread_mutex_init(&supervision->turn, NULL);
	errno = start_thread(supervision);
	return errno == 0;
}

/* If no thread can be started, whoever has done waiting first receives next. */
void receiver_may_wait(struct receiver *receiver)
{
	struct supervision *supervision = receiver->supervision;

	if (!receiver->has_turn)
		return;
	if (atomic_load(&supervision->waiting_count) == 0 &&
		atomic_load(&supervision->thread_count) < RECEIVERS_MAX)
		(void)start_thread(supervision);
	receiver->has_turn = false;
	pthread_mutex_unlock(&supervision->turn);
}

/* SPDX-License-Identifier: MIT */
/*
 * The name service, asked in a throw-away process: its modules open sockets and files of their own,
 * start threads and can hang, none of which the supervisor could afford. The process has no
 * capability, answers until its channel is closed, and ends.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy.h"

/* The role's main function: answers the question that waits on its channel. */
int names_main(void);

/* The names of a policy on their way to the name service and back, one at a time. */
struct names_query {
	struct policy_name *names;
	size_t count, next;
	int channel; /* readable when there is something to do; -1: there are no names */
	int pidfd;
	uint64_t deadline; /* NAMES_LOAD_DEADLINE_MSEC from the beginning, for all of them */
};

/* Begins to ask. 0 or a negative errno, said. To be ended in either case. */
int names_query_begin(struct names_query *query, struct policy_name *names, size_t count)
	__attribute__((warn_unused_result));
/* Goes on. 1: each is FOUND or UNKNOWN. 0: not yet. A negative errno: said. */
int names_query_step(struct names_query *query) __attribute__((warn_unused_result));
void names_query_end(struct names_query *query);

/* All of it at once, waiting. 0 or a negative errno, said. */
int names_ask(struct policy_name *names, size_t count) __attribute__((warn_unused_result));

/* The name and home of a uid; empty strings where policy_load_user() finds them undefined. */
struct names_user {
	char name[256];
	char home[256];
};

/* Starts asking; *channel becomes readable with the answer; *pidfd is to be killed and reaped. */
int names_user_ask(uint32_t uid, int *channel, int *pidfd) __attribute__((warn_unused_result));
/* Takes the answer. What did not come, or is not well-formed, leaves both undefined. */
void names_user_answer(int channel, struct names_user *user);

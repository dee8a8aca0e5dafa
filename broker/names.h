/* SPDX-License-Identifier: MIT */
/*
 * The name service, asked in a throw-away process: its modules open sockets and files of their own,
 * start threads and can hang, none of which the supervisor could afford. The process has no
 * capability, answers one question, and ends.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy.h"

/* The role's main function: answers the question that waits on its channel. */
int names_main(void);

/*
 * Asks for all names of a policy and waits for the answer, at most NAMES_LOAD_DEADLINE_MSEC.
 * 0: each is FOUND or UNKNOWN. A negative errno: said on the log.
 */
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

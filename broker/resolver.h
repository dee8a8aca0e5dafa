/* SPDX-License-Identifier: MIT */
/*
 * The resolver: a process without any right that asks the name service for one executor. The
 * modules of the name service are code that we do not know, and they take apart what comes from the
 * network; so it holds no policy, no peer and no connection, and what it says is checked byte by
 * byte by the executor that asked.
 *
 * A question is one struct resolver_query; its answer is what fdbroker_names_encode() writes. They
 * alternate on a channel that ends with either of the two processes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

enum resolver_question {
	RESOLVER_ADDRESSES = 1, /* getaddrinfo(3): node, service, and the hints */
	RESOLVER_NAME,          /* getnameinfo(3): endpoint, flags */
	RESOLVER_PROTOCOL,      /* getprotobyname(3): node is its name */
};

/* What the name service is asked. The texts are NUL-terminated; an empty one is none. */
struct resolver_query {
	uint32_t question; /* enum resolver_question */
	int32_t flags, family, socktype, protocol;
	uint32_t is_absolute; /* ADDRESSES: a node with a dot is not looked for in search domains */
	struct fdbroker_endpoint endpoint;
	char node[FDBROKER_HOST_MAX + 1];
	char service[FDBROKER_SERVICE_MAX + 1];
};

/* The role's main function: answers until its channel is closed. */
int resolver_main(void);

/* ---- the executor's side ---- */

/*
 * Finds the channel to the executor's resolver. To be called before anything is opened: where the
 * policy needs no resolver, its number is anybody's.
 */
void resolver_attach(void);

/* The channel, to wait for its end; -1: there is none. */
int resolver_channel(void);

enum resolver_outcome {
	RESOLVER_ANSWERED, /* answer->code is the name service's, or EAI_AGAIN in its place */
	RESOLVER_UNASKED,  /* the resolver had ended before: another executor has another */
};

/*
 * Asks, and waits until the deadline (clock_msec()), whether or not the client is still there: a
 * resolver cannot be told to stop, and ending it would cost more than waiting, at the expense of
 * others. The answer's texts are valid until the next question. When the resolver dies over the
 * question, or is late, the answer is EAI_AGAIN.
 */
enum resolver_outcome resolver_ask(const struct resolver_query *query, uint64_t deadline,
	struct fdbroker_answer *answer) __attribute__((warn_unused_result));

/* Nothing can be asked any more: this executor is to end, so that both are replaced. */
bool resolver_is_lost(void);

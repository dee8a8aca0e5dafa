/* SPDX-License-Identifier: MIT */
/*
 * One round trip to the broker: a packet of requests is put together, sent, and all its results
 * are collected. From call_begin() to call_finish() the caller has its turn on the connection.
 */
#pragma once

#include "connection.h"

/* What became of one request. */
struct call_outcome {
	bool answered;
	int fd;    /* the caller's to close, -1 if there is none */
	int error; /* 0 or a positive errno */
	enum fdbroker_reason reason;
};

/*
 * Takes the data of a success over into target; it is gone when this returns, and the turn goes on
 * meanwhile. False: it makes no sense. Then the call fails with EPROTO, and the connection ends.
 */
typedef bool call_take_data(void *target, const unsigned char *data, size_t length);

struct call {
	struct fdbroker *broker;
	struct fdbroker_packet packet;
	int cancel_state;
	uint32_t first_id;
	unsigned int count;
	const struct fdbroker_traits *traits; /* of the requests, which have the same */
	call_take_data *take_data;            /* into `target`, if the operation gives data */
	void *target;
	struct call_outcome outcomes[FDBROKER_REQUESTS_MAX];
};

/* Takes the turn. Returns 0, or a positive errno: then there is nothing to finish. */
int call_begin(struct call *call, struct fdbroker *broker);

/*
 * Adds a request, whose outcome will be the next one. False: the packet has no room for it. All
 * requests of a call are of the same operation.
 */
bool call_add(struct call *call, const struct fdbroker_request *request);

/*
 * Sends the packet, with a descriptor unless that is -1, waits for all results, and passes the turn
 * on. Returns 0, or a positive errno if nothing could be sent. Every outcome is set in any case.
 */
int call_finish(struct call *call, int descriptor);

/* That of a request which is not sent: a positive errno. */
struct call_outcome outcome_refused(int error, enum fdbroker_reason reason);
/* Sets the reason, and errno if it failed. Returns 0 or -1. */
int outcome_report(struct call_outcome outcome);

/* All of it for one request; descriptor goes along unless it is -1. */
struct call_outcome call_once(
	struct fdbroker *broker, const struct fdbroker_request *request, int descriptor);

/* The same for a request whose success may come with data; take is NULL if it does not. */
struct call_outcome call_for_data(struct fdbroker *broker, const struct fdbroker_request *request,
	int descriptor, call_take_data *take, void *target);

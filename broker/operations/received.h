/* SPDX-License-Identifier: MIT */
/*
 * A socket that a client sent. It may be anything and may change under our hands; what is told here
 * (domain, type, protocol) cannot.
 */
#pragma once

#include "reply.h"

struct received {
	int domain;            /* AF_UNIX, AF_INET, AF_INET6 or AF_VSOCK */
	enum policy_kind kind; /* TCP, UDP or VSOCK; AF_UNIX has none */
};

/* 0; or a positive errno when it is no socket, or none that is served. Waits for its lock. */
int received_inspect(int fd, struct received *received) __attribute__((warn_unused_result));

/* May an address of this family be bound to it? 0, or the positive errno that bind(2) gives. */
int received_binds(const struct received *received, enum fdbroker_family family)
	__attribute__((warn_unused_result));

/* The same for connect(2). */
int received_connects(const struct received *received, enum fdbroker_family family)
	__attribute__((warn_unused_result));

/*
 * Is the verb granted for the endpoint, to a socket that lives where this one does? False: the
 * reply says why not.
 */
bool received_decide(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb, const struct policy_endpoint *endpoint, int fd)
	__attribute__((warn_unused_result));

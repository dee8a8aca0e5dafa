/* SPDX-License-Identifier: MIT */
/*
 * What a request is about, three times over: as the policy judges it, as the kernel is told, and as
 * the audit log writes it.
 */
#pragma once

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "serve.h"

/* An address to bind or to connect to. */
struct target {
	struct policy_endpoint judged;
	int domain, type;
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_vm vsock;
	} address;
};

/*
 * Makes a new socket address of what the wire's endpoint says; none is ever passed through. kind is
 * TCP, UDP or VSOCK. Family ANY becomes `[::]`, which the policy judges for both families.
 */
void target_init(
	struct target *target, const struct fdbroker_endpoint *endpoint, enum policy_kind kind);

/* The kind that a protocol of the wire is. */
enum policy_kind target_kind(enum fdbroker_protocol protocol);

/* The endpoint as the policy language writes it, into reply->text, as the object of the reply. */
void reply_describe(
	struct reply *reply, enum policy_verb verb, const struct policy_endpoint *endpoint);

/* Describes it, and decides. False: denied, and the reply says so. */
bool reply_decide(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb, const struct policy_endpoint *endpoint);

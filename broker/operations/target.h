/* SPDX-License-Identifier: MIT */
/* An address, as the policy judges it and as the kernel is told. */
#pragma once

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "policy.h"
#include "protocol.h"

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

/*
 * Is it an address that means this machine, its link, many machines, or an IPv4 address in
 * disguise? For targets of the Internet.
 */
bool target_is_special(const struct target *target);

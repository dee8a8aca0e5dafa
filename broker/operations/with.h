/* SPDX-License-Identifier: MIT */
/* The options of a rule's `with`: set on a socket before it is bound. */
#pragma once

#include <stdint.h>

#include "policy.h"

/*
 * Sets them, for binding to an address of that scope (0: none). 0 or a positive errno, as
 * setsockopt(2) gives it; then too, some may be set.
 */
int with_apply(int fd, int domain, uint32_t scope, const struct policy_options *options)
	__attribute__((warn_unused_result));

/*
 * The socket was not bound after all, and its owner has it: takes back what the owner cannot set
 * without a privilege, whoever had set it. A device narrows, and stays.
 */
void with_withdraw(int fd, const struct policy_options *options);

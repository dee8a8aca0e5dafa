/* SPDX-License-Identifier: MIT */
/* The options of a rule's `with`: set on a socket before it is bound. */
#pragma once

#include <stdbool.h>

#include "policy.h"

/* What with_apply() has done that with_withdraw() can take back. */
struct with {
	int fd, domain;
	bool made_transparent;
};

/* Sets them. 0 or a positive errno, as setsockopt(2) gives it; then too, some may be set. */
int with_apply(struct with *with, int fd, int domain, const struct policy_options *options)
	__attribute__((warn_unused_result));

/*
 * The socket was not bound after all, and its owner has it: takes back what the owner could not
 * have set without a privilege. A device narrows, and stays.
 */
void with_withdraw(const struct with *with);

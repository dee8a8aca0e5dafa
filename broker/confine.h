/* SPDX-License-Identifier: MIT */
/*
 * Confinement: what each process of the broker gives up, and the proof that it is gone. A function
 * that can fail returns 0 or a negative errno, and has said on the log what failed; the caller ends
 * the process.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "policy.h"

enum role {
	ROLE_SUPERVISOR,
	ROLE_WORKER,
	ROLE_EXECUTOR,
	ROLE_NAMES,
	ROLE_RESOLVER,
	ROLE_COUNT,
};

const char *role_name(enum role role);

/* A set of capabilities, bit by number (capabilities(7)). */
typedef uint64_t capability_set;

/* The capabilities that a role needs to serve this policy. The supervisor's are those of all. */
capability_set confine_capabilities(const struct policy_needs *needs, enum role role);

/* The capabilities that this process may still use, its permitted set. */
capability_set confine_permitted(void);

/* The names of a set, for messages: "CAP_CHOWN CAP_FOWNER". */
void confine_capability_names(capability_set set, char *names, size_t size);

/* Turns root into that user; the permitted capabilities stay. */
int confine_become(uid_t uid, gid_t gid) __attribute__((warn_unused_result));

/* The permitted capabilities stay, none is effective; and all of them are again. Read back. */
int confine_suspend(void) __attribute__((warn_unused_result));
int confine_resume(void) __attribute__((warn_unused_result));

/*
 * Gives up everything but the capabilities named, for good: ambient set, bounding set and
 * securebits (where CAP_SETPCAP lets it), permitted set, no_new_privs, dumpable; and reads each
 * back. The supervisor keeps its set permitted and hands it on by exec; it uses none itself.
 */
int confine_for_good(enum role role, capability_set keep) __attribute__((warn_unused_result));

/* The seccomp filter of a role (syscalls.c). 0 or a negative errno. */
int confine_syscalls(enum role role, const struct policy_needs *needs)
	__attribute__((warn_unused_result));

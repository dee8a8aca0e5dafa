/* SPDX-License-Identifier: MIT */
/*
 * Accounts: what each uid holds of the fixed tables. One uid may take another entry only while more
 * of them are free than it holds already, so whoever comes first can take half, never the last.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"

/* Where an account stands in a fair queue, and which of its sessions wait there (turns.h). */
struct turn {
	struct account *next, *previous;
	struct session *first, *last;
};

enum turn_kind { TURN_READY, TURN_EXECUTOR, TURN_SUPERVISOR, TURN_RATE, TURN_COUNT };

struct account {
	uint32_t uid;
	uint32_t sessions;       /* connections */
	uint32_t unread_results; /* sent and not known to have been read, and lent_results */
	uint32_t lent_results;   /* of these, what executors or the supervisor have yet to send */
	uint32_t jobs;           /* executors at work for it, the hanging ones among them */
	uint64_t serve_at;       /* with a rate: when its next packet may be served, clock_nsec() */
	struct turn turns[TURN_COUNT];
	struct account *next; /* in its bucket, or in the free list */
};

#define ACCOUNT_BUCKETS 4096

/* What an account leaves behind, so that nobody is served sooner by connecting anew. */
struct debt {
	uint32_t uid;
	uint64_t serve_at;
};

struct accounts {
	struct account *free; /* given back */
	uint32_t fresh;       /* from here on the table was never used, and costs no memory */
	struct account *buckets[ACCOUNT_BUCKETS];
	struct debt debts[ACCOUNT_BUCKETS]; /* in each bucket that which lasts longest */
	/* Each session may be another uid's, and so may each executor that hangs. */
	struct account table[SESSIONS_MAX + EXECUTORS_MAX];
};

/* One more session of the uid. All bytes of `accounts` are 0 before the first. */
struct account *account_add_session(struct accounts *accounts, uint32_t uid);
void account_remove_session(struct accounts *accounts, struct account *account);

/* One more, and one less, executor at work for it. */
void account_add_job(struct account *account);
void account_remove_job(struct accounts *accounts, struct account *account);

/*
 * Charges so many requests at so many per second: as many as that may come at once, and then each
 * has to wait its time. A packet is served as a whole, and its excess waited for afterwards.
 */
void account_charge(struct account *account, uint32_t rate, uint32_t requests, uint64_t now_nsec);

/* How many sessions the uid has. */
uint32_t account_sessions(const struct accounts *accounts, uint32_t uid);

static inline bool share_permits(uint32_t held, uint32_t total, uint32_t used)
{
	return used < total && held < total - used;
}

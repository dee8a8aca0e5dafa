/* SPDX-License-Identifier: MIT */
/* Accounts by uid: a hash table over a fixed array, no allocation. */
#include <assert.h>
#include <stddef.h>

#include "accounts.h"
#include "clock.h"

static uint32_t uid_hash(uint32_t uid)
{
	static_assert(ACCOUNT_BUCKETS == 1 << 12, "the shift below leaves 12 bits");
	/* Fibonacci hashing: uids are dense, and a user may have a range of them (subuid(5)). */
	return (uid * 2654435769u) >> 20;
}

static struct account **account_bucket(const struct accounts *accounts, uint32_t uid)
{
	return (struct account **)&accounts->buckets[uid_hash(uid)];
}

static struct account *account_find(const struct accounts *accounts, uint32_t uid)
{
	struct account *account = *account_bucket(accounts, uid);

	while (account != NULL && account->uid != uid)
		account = account->next;
	return account;
}

static struct account *account_make(struct accounts *accounts, uint32_t uid)
{
	struct account **bucket = account_bucket(accounts, uid);
	const struct debt *debt = &accounts->debts[uid_hash(uid)];
	struct account *account = accounts->free;

	if (account != NULL)
		accounts->free = account->next;
	else
		account = &accounts->table[accounts->fresh++];
	*account = (struct account){
		.uid = uid,
		.serve_at = debt->uid == uid ? debt->serve_at : 0,
		.next = *bucket,
	};
	*bucket = account;
	return account;
}

/* A hanging executor is charged for until it has ended, whoever has hung up since. */
static void account_end_if_idle(struct accounts *accounts, struct account *account)
{
	struct account **link = account_bucket(accounts, account->uid);
	struct debt *debt = &accounts->debts[uid_hash(account->uid)];

	if (account->sessions > 0 || account->jobs > 0)
		return;
	while (*link != account)
		link = &(*link)->next;
	*link = account->next;
	if (account->serve_at > debt->serve_at || debt->uid == account->uid)
		*debt = (struct debt){account->uid, account->serve_at};
	account->next = accounts->free;
	accounts->free = account;
}

struct account *account_add_session(struct accounts *accounts, uint32_t uid)
{
	struct account *account = account_find(accounts, uid);

	if (account == NULL)
		account = account_make(accounts, uid);
	account->sessions++;
	return account;
}

void account_remove_session(struct accounts *accounts, struct account *account)
{
	account->sessions--;
	account_end_if_idle(accounts, account);
}

void account_add_job(struct account *account)
{
	account->jobs++;
}

void account_remove_job(struct accounts *accounts, struct account *account)
{
	account->jobs--;
	account_end_if_idle(accounts, account);
}

uint32_t account_sessions(const struct accounts *accounts, uint32_t uid)
{
	const struct account *account = account_find(accounts, uid);

	return account != NULL ? account->sessions : 0;
}

void account_charge(struct account *account, uint32_t rate, uint32_t requests, uint64_t now_nsec)
{
	const uint64_t each = NSEC_PER_SEC / rate;
	/* What was not asked for during the last second can be asked for now, and no more. */
	uint64_t least = now_nsec > NSEC_PER_SEC ? now_nsec - NSEC_PER_SEC + each : 0;

	if (account->serve_at < least)
		account->serve_at = least;
	account->serve_at += requests * each;
}

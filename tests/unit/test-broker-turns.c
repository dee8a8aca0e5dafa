/* SPDX-License-Identifier: MIT */
/* Who is next, and who may take how much: fair between uids, however many connections one makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/clock.h"
#include "broker/turns.h"

#define SESSIONS 4096

/* Sessions of some uids; a session's slot tells it from the others. */
struct crowd {
	struct accounts accounts;
	struct turns turns;
	struct session sessions[SESSIONS];
	uint32_t count;
};

static int crowd_make(void **state)
{
	*state = calloc(1, sizeof(struct crowd));
	return *state != NULL ? 0 : -1;
}

static int crowd_free(void **state)
{
	free(*state);
	return 0;
}

static struct session *session_of(struct crowd *crowd, uint32_t uid)
{
	struct session *session = &crowd->sessions[crowd->count];

	assert_in_range(crowd->count, 0, SESSIONS - 1);
	*session = (struct session){
		.slot = crowd->count++, .account = account_add_session(&crowd->accounts, uid)};
	return session;
}

static void come(struct crowd *crowd, uint32_t uid, uint32_t count)
{
	while (count-- > 0)
		turns_add(&crowd->turns, session_of(crowd, uid));
}

/* The uid whose turn it is; 0: nobody's. */
static uint32_t next_uid(struct crowd *crowd)
{
	struct session *session = turns_take(&crowd->turns, NULL, 0);

	return session != NULL ? session->account->uid : 0;
}

static void an_empty_queue_gives_nothing(void **state)
{
	struct crowd *crowd = *state;

	assert_null(turns_take(&crowd->turns, NULL, 0));
	come(crowd, 1000, 1);
	assert_int_equal(next_uid(crowd), 1000);
	assert_null(turns_take(&crowd->turns, NULL, 0));
	assert_int_equal(crowd->turns.accounts, 0);
}

static void within_a_uid_who_came_first_is_served_first(void **state)
{
	struct crowd *crowd = *state;

	come(crowd, 1000, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(turns_take(&crowd->turns, NULL, 0)->slot, i);
	assert_null(turns_take(&crowd->turns, NULL, 0));
}

static void a_uid_with_a_thousand_sessions_waits_as_long_as_one_with_one(void **state)
{
	static const uint32_t order[] = {
		1000, 1001, 1002, 1000, 1002, 1000, 1000, 1000, 1000, 1000};
	struct crowd *crowd = *state;

	come(crowd, 1000, 1000);
	come(crowd, 1001, 1);
	come(crowd, 1002, 2);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		assert_int_equal(next_uid(crowd), order[i]);
}

static void a_uid_that_comes_is_behind_those_that_wait(void **state)
{
	struct crowd *crowd = *state;

	come(crowd, 1000, 3);
	come(crowd, 1001, 3);
	assert_int_equal(next_uid(crowd), 1000);
	come(crowd, 1002, 1);
	assert_int_equal(next_uid(crowd), 1001);
	assert_int_equal(next_uid(crowd), 1000);
	assert_int_equal(next_uid(crowd), 1002);
	assert_int_equal(next_uid(crowd), 1001);
}

static void a_session_that_comes_again_is_behind_the_others_of_its_uid(void **state)
{
	struct crowd *crowd = *state;
	struct session *first;

	come(crowd, 1000, 3);
	first = turns_take(&crowd->turns, NULL, 0);
	turns_add(&crowd->turns, first);
	assert_int_equal(turns_take(&crowd->turns, NULL, 0)->slot, 1);
	assert_int_equal(turns_take(&crowd->turns, NULL, 0)->slot, 2);
	assert_ptr_equal(turns_take(&crowd->turns, NULL, 0), first);
	assert_null(turns_take(&crowd->turns, NULL, 0));
}

/* Whoever waits is served before anybody else is served twice. */
static void nobody_is_served_twice_while_another_waits(void **state)
{
	enum { UIDS = 7 };
	struct crowd *crowd = *state;
	uint32_t waiting[UIDS] = {0}, passed[UIDS] = {0}; /* passed: bits of who was served since */
	uint32_t last_slot[UIDS];
	unsigned int seed = 1;

	memset(last_slot, 0xff, sizeof(last_slot));
	while (crowd->count < SESSIONS) {
		struct session *session;
		uint32_t uid;

		seed = seed * 1103515245 + 12345;
		uid = (seed >> 16) % UIDS;
		/* Uid 0 comes in crowds. */
		for (uint32_t i = uid == 0 ? 20 : 1; i > 0 && crowd->count < SESSIONS; i--) {
			turns_add(&crowd->turns, session_of(crowd, uid));
			if (waiting[uid]++ == 0)
				passed[uid] = 0;
		}
		if ((seed >> 30) == 0)
			continue;
		session = turns_take(&crowd->turns, NULL, 0);
		assert_non_null(session);
		uid = session->account->uid;
		waiting[uid]--;
		passed[uid] = 0;
		assert_true(last_slot[uid] == UINT32_MAX || last_slot[uid] < session->slot);
		last_slot[uid] = session->slot;
		for (uint32_t other = 0; other < UIDS; other++) {
			if (other == uid || waiting[other] == 0)
				continue;
			assert_int_equal(passed[other] & 1u << uid, 0);
			passed[other] |= 1u << uid;
		}
	}
	for (uint32_t uid = 0; uid < UIDS; uid++)
		for (; waiting[uid] > 0; waiting[uid]--)
			assert_non_null(turns_take(&crowd->turns, NULL, 0));
	assert_null(turns_take(&crowd->turns, NULL, 0));
}

static bool may_if_even(const struct account *account, uint32_t used)
{
	assert_int_equal(used, 42);
	return account->uid % 2 == 0;
}

static void a_uid_that_may_not_is_passed_over_and_its_sessions_wait(void **state)
{
	struct crowd *crowd = *state;

	come(crowd, 1001, 2);
	come(crowd, 1000, 2);
	come(crowd, 1003, 1);
	come(crowd, 1002, 1);
	assert_int_equal(turns_take(&crowd->turns, may_if_even, 42)->account->uid, 1000);
	assert_int_equal(turns_take(&crowd->turns, may_if_even, 42)->account->uid, 1002);
	assert_int_equal(turns_take(&crowd->turns, may_if_even, 42)->account->uid, 1000);
	assert_null(turns_take(&crowd->turns, may_if_even, 42));
	assert_int_equal(next_uid(crowd), 1003);
	assert_int_equal(turns_take(&crowd->turns, NULL, 0)->slot, 0);
	assert_int_equal(turns_take(&crowd->turns, NULL, 0)->slot, 1);
	assert_null(turns_take(&crowd->turns, NULL, 0));
}

static void where_nobody_may_nothing_changes(void **state)
{
	struct crowd *crowd = *state;

	come(crowd, 1001, 1);
	come(crowd, 1003, 1);
	come(crowd, 1005, 1);
	for (int i = 0; i < 5; i++)
		assert_null(turns_take(&crowd->turns, may_if_even, 42));
	assert_int_equal(next_uid(crowd), 1001);
	assert_int_equal(next_uid(crowd), 1003);
	assert_int_equal(next_uid(crowd), 1005);
}

static void a_uid_may_wait_in_both_queues(void **state)
{
	struct crowd *crowd = *state;
	struct turns executors = {.kind = TURN_EXECUTOR};

	come(crowd, 1000, 1);
	come(crowd, 1001, 1);
	turns_add(&executors, session_of(crowd, 1001));
	turns_add(&executors, session_of(crowd, 1000));
	assert_int_equal(turns_take(&executors, NULL, 0)->slot, 2);
	assert_int_equal(turns_take(&crowd->turns, NULL, 0)->slot, 0);
	assert_int_equal(turns_take(&crowd->turns, NULL, 0)->slot, 1);
	assert_int_equal(turns_take(&executors, NULL, 0)->slot, 3);
	assert_null(turns_take(&executors, NULL, 0));
	assert_null(turns_take(&crowd->turns, NULL, 0));
}

/* ---- accounts ---- */

static void sessions_are_counted_by_uid(void **state)
{
	struct accounts *accounts = &((struct crowd *)*state)->accounts;
	struct account *account;

	assert_int_equal(account_sessions(accounts, 0), 0);
	account = account_add_session(accounts, 1000);
	assert_ptr_equal(account_add_session(accounts, 1000), account);
	account_add_session(accounts, UINT32_MAX);
	account_add_session(accounts, 0);
	assert_int_equal(account_sessions(accounts, 1000), 2);
	assert_int_equal(account_sessions(accounts, UINT32_MAX), 1);
	assert_int_equal(account_sessions(accounts, 0), 1);
	assert_int_equal(account_sessions(accounts, 1001), 0);
	account_remove_session(accounts, account);
	account_remove_session(accounts, account);
	assert_int_equal(account_sessions(accounts, 1000), 0);
}

static void an_account_that_holds_nothing_is_given_to_the_next_uid(void **state)
{
	struct accounts *accounts = &((struct crowd *)*state)->accounts;
	struct account *account = account_add_session(accounts, 1000);

	account_remove_session(accounts, account);
	assert_ptr_equal(account_add_session(accounts, 1001), account);
	assert_int_equal(account->uid, 1001);
	assert_int_equal(account->sessions, 1);
	assert_int_equal(account_sessions(accounts, 1000), 0);
	assert_ptr_not_equal(account_add_session(accounts, 1002), account);
}

static void a_uid_whose_executor_hangs_is_still_charged_after_it_hung_up(void **state)
{
	struct accounts *accounts = &((struct crowd *)*state)->accounts;
	struct account *account = account_add_session(accounts, 1000);

	account_add_job(account);
	account_remove_session(accounts, account);
	assert_ptr_not_equal(account_add_session(accounts, 1001), account);
	assert_ptr_equal(account_add_session(accounts, 1000), account);
	assert_int_equal(account->jobs, 1);
	account_remove_session(accounts, account);
	account_remove_job(accounts, account);
	assert_ptr_equal(account_add_session(accounts, 1002), account);
	assert_int_equal(account->jobs, 0);
}

/* A user may have a range of them, subuid(5), and choose. */
static void uids_that_share_a_bucket_are_told_apart(void **state)
{
	struct accounts *accounts = &((struct crowd *)*state)->accounts;
	struct account *same[4];
	uint32_t count = 0;

	for (uint32_t uid = 0; count < 4; uid++)
		if ((uid * 2654435769u) >> 20 == 7)
			same[count++] = account_add_session(accounts, uid);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(account_sessions(accounts, same[i]->uid), 1);
		assert_ptr_equal(account_add_session(accounts, same[i]->uid), same[i]);
	}
	for (uint32_t i = 1; i < 4; i++) {
		uint32_t uid = same[i]->uid;

		account_remove_session(accounts, same[i]);
		account_remove_session(accounts, same[i]);
		assert_int_equal(account_sessions(accounts, uid), 0);
		assert_int_equal(account_sessions(accounts, same[0]->uid), 2);
	}
}

/* Each session another uid's, and each executor hanging for yet another. */
static void there_is_an_account_for_everyone_who_can_hold_something(void **state)
{
	enum { ACCOUNTS = SESSIONS_MAX + EXECUTORS_MAX };
	struct accounts *accounts = &((struct crowd *)*state)->accounts;

	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < EXECUTORS_MAX; i++) {
			struct account *account = account_add_session(accounts, i);

			account_add_job(account);
			account_remove_session(accounts, account);
		}
		for (uint32_t i = 0; i < SESSIONS_MAX; i++)
			account_add_session(accounts, 100000 + i);
		assert_int_equal(accounts->fresh, ACCOUNTS);
		assert_null(accounts->free);
		for (uint32_t i = 0; i < ACCOUNTS; i++) {
			struct account *account = &accounts->table[i];

			if (account->jobs > 0)
				account_remove_job(accounts, account);
			else
				account_remove_session(accounts, account);
		}
	}
	for (uint32_t i = 0; i < ACCOUNT_BUCKETS; i++)
		assert_null(accounts->buckets[i]);
}

/* ---- shares ---- */

static uint32_t take_all_it_may(uint32_t total, uint32_t *used)
{
	uint32_t held = 0;

	while (share_permits(held, total, *used)) {
		held++;
		(*used)++;
	}
	return held;
}

static void one_uid_alone_takes_half_and_no_more(void **state)
{
	static const uint32_t totals[] = {
		2, 16, EXECUTORS_MAX, SESSIONS_MAX - SESSIONS_SPARE, SESSIONS_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		uint32_t total = totals[i], used = 0;

		assert_true(share_permits(total / 2 - 1, total, total / 2 - 1));
		assert_false(share_permits(total / 2, total, total / 2));
		assert_int_equal(take_all_it_may(total, &used), total / 2);
	}
}

static void who_holds_something_never_takes_the_last(void **state)
{
	(void)state;
	for (uint32_t total = 0; total <= 40; total++)
		for (uint32_t used = 0; used <= total; used++)
			for (uint32_t held = 1; held <= used; held++)
				assert_false(share_permits(held, total, used) && total - used < 2);
}

static void the_last_goes_to_who_holds_nothing(void **state)
{
	static const uint32_t shares[] = {8, 4, 2, 1, 1, 0};
	uint32_t used = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		assert_int_equal(take_all_it_may(16, &used), shares[i]);
}

static void nothing_is_given_beyond_the_end(void **state)
{
	(void)state;
	assert_false(share_permits(0, 16, 16));
	assert_false(share_permits(0, 16, 17));
	assert_false(share_permits(0, 0, 0));
	assert_false(share_permits(8, 16, UINT32_MAX));
	assert_true(share_permits(0, 16, 15));
}

/* ---- rates ---- */

#define START (1000 * NSEC_PER_SEC)

static void as_many_as_the_rate_may_come_at_once_and_the_next_one_waits(void **state)
{
	struct account account = {.uid = 1000};
	(void)state;

	for (int i = 0; i < 4; i++) {
		assert_true(account.serve_at <= START);
		account_charge(&account, 4, 1, START);
	}
	assert_int_equal(account.serve_at, START + NSEC_PER_SEC / 4);
}

static void what_was_not_asked_for_can_be_asked_for_later_but_no_more_than_a_second_of_it(
	void **state)
{
	struct account account = {.uid = 1000};
	(void)state;

	account_charge(&account, 4, 4, START);
	/* Half a second later there is room for two. */
	account_charge(&account, 4, 1, START + NSEC_PER_SEC / 2);
	assert_true(account.serve_at <= START + NSEC_PER_SEC / 2);
	account_charge(&account, 4, 1, START + NSEC_PER_SEC / 2);
	assert_true(account.serve_at > START + NSEC_PER_SEC / 2);
	/* An hour later for four. */
	account_charge(&account, 4, 4, START + 3600 * NSEC_PER_SEC);
	assert_int_equal(account.serve_at, START + 3600 * NSEC_PER_SEC + NSEC_PER_SEC / 4);
}

static void a_packet_of_more_than_the_rate_is_waited_for_afterwards(void **state)
{
	struct account account = {.uid = 1000};
	(void)state;

	account_charge(&account, 1, 64, START);
	assert_int_equal(account.serve_at, START + 64 * NSEC_PER_SEC);
	account_charge(&account, UINT32_MAX - 1, 64, NSEC_PER_SEC / 2); /* just after the boot */
}

static void who_owes_time_owes_it_after_connecting_anew(void **state)
{
	struct crowd *crowd = *state;
	struct session *session = session_of(crowd, 1000);

	account_charge(session->account, 1, 3, START);
	account_remove_session(&crowd->accounts, session->account);
	assert_int_equal(session_of(crowd, 1001)->account->serve_at, 0);
	assert_int_equal(session_of(crowd, 1000)->account->serve_at, START + 3 * NSEC_PER_SEC);
}

/* Of one bucket there is one debt: who owes longer does not owe less because another owes too. */
static void of_two_uids_of_one_bucket_the_longer_debt_is_kept(void **state)
{
	struct crowd *crowd = *state;
	uint32_t uids[2], count = 0;

	for (uint32_t uid = 0; count < 2; uid++)
		if ((uid * 2654435769u) >> 20 == 7)
			uids[count++] = uid;
	for (uint32_t first = 0; first < 2; first++) {
		struct account *longer = account_add_session(&crowd->accounts, uids[first]);
		struct account *shorter = account_add_session(&crowd->accounts, uids[1 - first]);

		longer->serve_at = START + (1 + first) * 60 * NSEC_PER_SEC;
		shorter->serve_at = START + first * 60 * NSEC_PER_SEC + NSEC_PER_SEC;
		account_remove_session(&crowd->accounts, longer);
		account_remove_session(&crowd->accounts, shorter);
		shorter = account_add_session(&crowd->accounts, uids[1 - first]);
		assert_int_equal(shorter->serve_at, 0);
		account_remove_session(&crowd->accounts, shorter);
		longer = account_add_session(&crowd->accounts, uids[first]);
		assert_int_equal(longer->serve_at, START + (1 + first) * 60 * NSEC_PER_SEC);
		account_remove_session(&crowd->accounts, longer);
	}
}

static void those_whose_time_has_come_go_on_in_their_order(void **state)
{
	struct crowd *crowd = *state;
	struct turns held = {.kind = TURN_RATE};
	struct session *first = session_of(crowd, 1000), *second = session_of(crowd, 1001);
	struct session *third = session_of(crowd, 1000), *fourth = session_of(crowd, 1002);

	turns_add(&held, first);
	turns_add(&held, second);
	turns_add(&held, third);
	turns_add(&held, fourth);
	first->account->serve_at = 10;
	second->account->serve_at = 12;
	fourth->account->serve_at = 11;
	turns_release(&held, &crowd->turns, 9);
	assert_null(crowd->turns.next);
	turns_release(&held, &crowd->turns, 11);
	assert_int_equal(held.accounts, 1);
	assert_ptr_equal(turns_take(&crowd->turns, NULL, 0), first);
	assert_ptr_equal(turns_take(&crowd->turns, NULL, 0), fourth);
	assert_ptr_equal(turns_take(&crowd->turns, NULL, 0), third);
	assert_null(turns_take(&crowd->turns, NULL, 0));
	turns_release(&held, &crowd->turns, 12);
	assert_null(held.next);
	assert_ptr_equal(turns_take(&crowd->turns, NULL, 0), second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, crowd_make, crowd_free)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_queue_gives_nothing),
		TEST(within_a_uid_who_came_first_is_served_first),
		TEST(a_uid_with_a_thousand_sessions_waits_as_long_as_one_with_one),
		TEST(a_uid_that_comes_is_behind_those_that_wait),
		TEST(a_session_that_comes_again_is_behind_the_others_of_its_uid),
		TEST(nobody_is_served_twice_while_another_waits),
		TEST(a_uid_that_may_not_is_passed_over_and_its_sessions_wait),
		TEST(where_nobody_may_nothing_changes),
		TEST(a_uid_may_wait_in_both_queues),
		TEST(sessions_are_counted_by_uid),
		TEST(an_account_that_holds_nothing_is_given_to_the_next_uid),
		TEST(a_uid_whose_executor_hangs_is_still_charged_after_it_hung_up),
		TEST(uids_that_share_a_bucket_are_told_apart),
		TEST(there_is_an_account_for_everyone_who_can_hold_something),
		TEST(who_owes_time_owes_it_after_connecting_anew),
		TEST(of_two_uids_of_one_bucket_the_longer_debt_is_kept),
		TEST(those_whose_time_has_come_go_on_in_their_order),
		cmocka_unit_test(as_many_as_the_rate_may_come_at_once_and_the_next_one_waits),
		cmocka_unit_test(
			what_was_not_asked_for_can_be_asked_for_later_but_no_more_than_a_second_of_it),
		cmocka_unit_test(a_packet_of_more_than_the_rate_is_waited_for_afterwards),
		cmocka_unit_test(one_uid_alone_takes_half_and_no_more),
		cmocka_unit_test(who_holds_something_never_takes_the_last),
		cmocka_unit_test(the_last_goes_to_who_holds_nothing),
		cmocka_unit_test(nothing_is_given_beyond_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

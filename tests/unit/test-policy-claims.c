/* SPDX-License-Identifier: MIT */
/*
 * Rules of one pattern with different options, against a model that compares each with each. Few
 * users, units and options, so that blocks often meet, and often just miss each other.
 */
#include "policy-support.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#define ROUNDS 20000
#define BLOCKS_MAX 5
#define FROMS_MAX 3

struct model_from {
	uint32_t first, last; /* users */
	const char *unit;     /* NULL: any */
	bool is_group;
};

struct model_block {
	bool is_only;
	struct model_from froms[FROMS_MAX];
	uint32_t from_count;
	uint32_t verbs, mode, line;
	bool has_symlinks;
};

/* ---- random blocks ---- */

static struct model_from from_make(void)
{
	static const char *const units[] = {"a.service", "b.service", "ab.service", "a*", "*b.*"};
	struct model_from from = {.last = UINT32_MAX, .is_group = random_below(4) == 0};
	if (random_below(3)) {
		from.first = random_below(10);
		from.last = from.first + (random_below(2) ? 0 : random_below(4));
	}
	if (random_below(2))
		from.unit = units[random_below(COUNT(units))];
	return from;
}

static const struct {
	const char *words;
	uint32_t bits;
} verbs[] = {
	{"read", POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_STAT)},
	{"create", POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_STAT)},
	{"read,create",
		POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_STAT)},
	{"remove", POLICY_BIT(POLICY_REMOVE)},
};

static uint32_t line_count(const char *text)
{
	uint32_t count = 1;
	while (*text)
		count += *text++ == '\n';
	return count;
}

static void from_write(const struct model_from *from, char *text)
{
	char *at = text + strlen(text);
	bool is_anyone = from->last == UINT32_MAX && !from->unit && !from->is_group;
	at += sprintf(at, is_anyone ? "from anyone" : "from");
	if (from->last != UINT32_MAX)
		at += sprintf(at, " user %u-%u", from->first, from->last);
	if (from->is_group)
		at += sprintf(at, " group 7");
	if (from->unit)
		at += sprintf(at, " unit %s", from->unit);
	sprintf(at, "\n");
}

static void block_make(struct model_block *block, uint32_t number, char *text)
{
	uint32_t which = random_below(COUNT(verbs));
	*block = (struct model_block){.is_only = random_below(5) == 0,
		.from_count = 1 + random_below(FROMS_MAX),
		.verbs = verbs[which].bits,
		.mode = 0600,
		.has_symlinks = random_below(4) == 0};
	sprintf(text + strlen(text), "client c%u%s {\n", number, block->is_only ? " only" : "");
	for (uint32_t i = 0; i < block->from_count; i++) {
		block->froms[i] = from_make();
		from_write(&block->froms[i], text);
	}
	block->line = line_count(text);
	sprintf(text + strlen(text), "allow %s /a", verbs[which].words);
	if (block->verbs & POLICY_BIT(POLICY_CREATE) && random_below(2)) {
		block->mode = 0640;
		strcat(text, " mode 0640");
	}
	strcat(text, block->has_symlinks ? " symlinks none\n}\n" : "\n}\n");
}

/* ---- the model ---- */

static bool model_units_meet(const char *a, const char *b)
{
	bool is_glob = a && strchr(a, '*'), other_is_glob = b && strchr(b, '*');
	if (!a || !b || (is_glob && other_is_glob))
		return true;
	return fnmatch(a, b, 0) == 0 || fnmatch(b, a, 0) == 0;
}

static bool model_blocks_meet(const struct model_block *a, const struct model_block *b)
{
	for (uint32_t i = 0; i < a->from_count; i++) {
		for (uint32_t j = 0; j < b->from_count; j++) {
			const struct model_from *first = &a->froms[i], *second = &b->froms[j];
			if (first->first <= second->last && second->first <= first->last &&
				model_units_meet(first->unit, second->unit))
				return true;
		}
	}
	return false;
}

static bool model_conflicts(const struct model_block *a, const struct model_block *b)
{
	uint32_t common = a->verbs & b->verbs;
	bool differs = common && a->has_symlinks != b->has_symlinks;
	if (common & ~POLICY_BIT(POLICY_STAT))
		differs |= a->mode != b->mode;
	return differs && a->is_only == b->is_only && model_blocks_meet(a, b);
}

/* ---- */

static const struct model_block *block_at(
	const struct model_block *blocks, uint32_t count, uint32_t line)
{
	for (uint32_t i = 0; i < count; i++) {
		if (blocks[i].line == line)
			return &blocks[i];
	}
	fail();
	return NULL;
}

/* What is said is true, and is of the later one. */
static void conflicts_check(
	const struct policy *policy, const struct model_block *blocks, uint32_t count)
{
	static const char start[] = "the same pattern has other options at test.policy:";
	size_t diagnostic_count;
	const struct policy_diagnostic *all =
		policy_set_diagnostics(policy->set, &diagnostic_count);
	for (size_t i = 0; i < diagnostic_count; i++) {
		if (all[i].severity != POLICY_ERROR)
			continue;
		assert_memory_equal(all[i].message, start, strlen(start));
		uint32_t other = (uint32_t)atoi(all[i].message + strlen(start));
		assert_true(other < all[i].line);
		assert_true(model_conflicts(
			block_at(blocks, count, all[i].line), block_at(blocks, count, other)));
	}
}

static void no_conflict_of_random_blocks_is_missed_and_none_is_made_up(void **state)
{
	uint32_t rejected = 0;
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char text[4096] = "";
		struct model_block blocks[BLOCKS_MAX];
		uint32_t count = 2 + random_below(BLOCKS_MAX - 1);
		bool conflicts = false;
		for (uint32_t i = 0; i < count; i++)
			block_make(&blocks[i], i, text);
		for (uint32_t i = 0; i < count; i++) {
			for (uint32_t j = 0; j < i; j++)
				conflicts |= model_conflicts(&blocks[i], &blocks[j]);
		}
		struct policy policy = policy_try(text);
		if (conflicts != (policy.result != 0))
			print_error("%s", text);
		assert_int_equal(policy.result, conflicts ? -EINVAL : 0);
		conflicts_check(&policy, blocks, count);
		rejected += conflicts;
		policy_drop(&policy);
	}
	assert_in_range(rejected, ROUNDS / 10, ROUNDS - ROUNDS / 10);
}

/* Blocks that do not meet: one half by the names of their units, the other by globs. */
static struct policy policy_of_units(uint32_t units, uint32_t globs)
{
	static const char form[] = "client c%u {\nfrom unit %s%u.service\nallow create /a mode "
				   "06%c0\n}\n";
	size_t size = (size_t)(units + globs) * (sizeof(form) + 16), used = 0;
	char *text = malloc(size);
	assert_non_null(text);
	for (uint32_t i = 0; i < units + globs; i++)
		used += (size_t)snprintf(text + used, size - used, form, i, i < units ? "u" : "v*-",
			i, i < units ? '0' : '4');
	struct policy policy = policy_try(text);
	free(text);
	return policy;
}

static void units_and_globs_are_compared_up_to_a_limit(void **state)
{
	size_t count;
	(void)state;
	struct policy policy = policy_of_units(4000, 4000);
	assert_int_equal(policy.result, 0);
	policy_drop(&policy);
	policy = policy_of_units(4096, 4096);
	assert_int_equal(policy.result, -EINVAL);
	assert_string_equal(policy_set_diagnostics(policy.set, &count)[0].message,
		"too many blocks have rules on the same pattern with different options");
	assert_int_equal(count, 1);
	policy_drop(&policy);
}

/* Two blocks with the same many units, but for one unit that both have. */
static void blocks_with_many_from_lines_are_compared_by_all_of_them(void **state)
{
	const uint32_t count = 50000;
	size_t size = (size_t)count * 64, used = 0;
	char *text = malloc(size);
	(void)state;
	assert_non_null(text);
	for (int block = 0; block < 2; block++) {
		used += (size_t)sprintf(text + used, "client c%d {\n", block);
		for (uint32_t i = 0; i < count; i++)
			used += (size_t)sprintf(text + used, "from unit u%u-%u.service\n",
				i == count / 2 ? 7 : block, i);
		used += (size_t)sprintf(text + used, "allow create /a mode 06%d0\n}\n", block);
	}
	struct policy policy = policy_try(text);
	assert_int_equal(policy.result, -EINVAL);
	assert_int_equal(policy_set_count(policy.set, POLICY_ERROR), 1);
	policy_drop(&policy);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_conflict_of_random_blocks_is_missed_and_none_is_made_up),
		cmocka_unit_test(units_and_globs_are_compared_up_to_a_limit),
		cmocka_unit_test(blocks_with_many_from_lines_are_compared_by_all_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

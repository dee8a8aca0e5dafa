/* SPDX-License-Identifier: MIT */
/*
 * Names written as words of the language, read again by the compiler: whatever bytes a name has,
 * the word is that name and no other.
 */
#include "policy-support.h"

#include "bounds.h"
#include "write.h"

#define READ POLICY_BIT(POLICY_READ)
#define ROUNDS 3000
#define MUTATIONS 20

/* What means something to the scanner, to patterns, to terminals, or to people. */
static const char hostile[] = "*?[]!^-%uUih\"\\ \t\n\r#{}/.,=:\x01\x1b\x7f\x80\xc2\x9b\xff"
			      "ab01";

static size_t random_path(char *path, size_t most)
{
	size_t length = 1 + random_below((uint32_t)most - 1);
	path[0] = '/';
	for (size_t i = 1; i < length; i++)
		path[i] = hostile[random_below(sizeof(hostile) - 1)];
	return length;
}

/* The word for a path; NULL: there is none. */
static char *path_word(const char *path, size_t length, const bool *digits)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	bool is_written = policy_write_path("", path, length, digits, out);
	assert_int_equal(fclose(out), 0);
	if (is_written)
		return text;
	assert_int_equal(size, 0);
	free(text);
	return NULL;
}

/* A policy in which alice may read what the word says, and nothing stands in it beside that. */
static struct policy word_policy(const char *word)
{
	char *text;
	for (const char *at = word; *at; at++)
		assert_true(*at >= ' ' && *at < 0x7f);
	assert_true(asprintf(&text, "client c {\nfrom user alice\nallow read %s\n}\n", word) > 0);
	struct policy policy = policy_make(text);
	assert_int_equal(policy_image_rule_count(policy.image), 1);
	free(text);
	return policy;
}

static bool may_read(const struct policy *policy, const char *path, size_t length)
{
	struct policy_peer peer = peer_make(policy, &alice);
	return policy_decide_path(policy->image, &peer, NULL, READ, path, length).outcome ==
	       POLICY_ALLOWED;
}

/* One byte more, one less, or another one. */
static size_t mutate(const char *path, size_t length, char *mutant)
{
	size_t at = random_below((uint32_t)length);
	memcpy(mutant, path, length);
	switch (random_below(3)) {
	case 0:
		mutant[at] = hostile[random_below(sizeof(hostile) - 1)];
		return length;
	case 1:
		memmove(mutant + at, mutant + at + 1, length - at - 1);
		return length - 1;
	default:
		memmove(mutant + at + 1, path + at, length - at);
		return length + 1;
	}
}

static void a_path_of_any_bytes_is_written_as_a_word_that_matches_it_alone(void **state)
{
	(void)state;
	char path[64], mutant[65];
	size_t written = 0;
	for (int round = 0; round < ROUNDS; round++) {
		size_t length = random_path(path, sizeof(path));
		char *word = path_word(path, length, NULL);
		if (!word)
			continue;
		written++;
		struct policy policy = word_policy(word);
		assert_true(may_read(&policy, path, length));
		for (int i = 0; i < MUTATIONS; i++) {
			size_t size = mutate(path, length, mutant);
			bool is_same = size == length && memcmp(path, mutant, size) == 0;
			assert_true(is_same || !may_read(&policy, mutant, size));
		}
		policy_drop(&policy);
		free(word);
	}
	assert_true(written > ROUNDS / 4);
}

static void a_path_that_no_rule_can_be_for_is_not_written(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/./b", "/a/..", "%h/a"};
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_null(path_word(paths[i], strlen(paths[i]), NULL));
	assert_null(path_word("/a\0b", 4, NULL));
}

static void a_word_of_the_language_is_written_as_it_is(void **state)
{
	(void)state;
	static const char *const words[][2] = {
		{"/srv/*/%u[a-z]", "/srv/*/%u[a-z]"},
		{"/a b*", "\"/a b*\""},
		{"#x", "\"#x\""},
		{"/a\"\\\n", "\"/a\\\"\\\\\\x0a\""},
	};
	for (size_t i = 0; i < COUNT(words); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		assert_non_null(out);
		assert_true(policy_write_source(words[i][0], strlen(words[i][0]), out));
		assert_false(policy_write_source("a\0b", 3, out));
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, words[i][1]);
		free(text);
	}
}

static void a_name_is_written_up_to_the_longest_whatever_it_is_made_of(void **state)
{
	(void)state;
	static const char bytes[] = "a*%[\xff";
	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		char path[258] = "/";
		memset(path + 1, bytes[i], 256);
		char *word = path_word(path, 256, NULL);
		assert_non_null(word);
		struct policy policy = word_policy(word);
		assert_true(may_read(&policy, path, 256));
		path[255] = 'x';
		assert_false(may_read(&policy, path, 256));
		policy_drop(&policy);
		free(word);
		assert_null(path_word(path, 257, NULL));
	}
}

static void a_path_is_written_up_to_the_longest(void **state)
{
	(void)state;
	char path[4097];
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 200 == 0 ? '/' : '*';
	char *word = path_word(path, 4095, NULL);
	assert_non_null(word);
	struct policy policy = word_policy(word);
	assert_true(may_read(&policy, path, 4095));
	policy_drop(&policy);
	free(word);
	assert_null(path_word(path, 4096, NULL));
}

static void a_flagged_byte_is_any_digit_and_nothing_else(void **state)
{
	(void)state;
	const bool digits[] = {false, false, false, false, true};
	char *word = path_word("/a*b7", 5, digits);
	assert_string_equal(word, "/a[*]b[0-9]");
	struct policy policy = word_policy(word);
	assert_true(may_read(&policy, "/a*b0", 5));
	assert_true(may_read(&policy, "/a*b9", 5));
	assert_false(may_read(&policy, "/a*bx", 5));
	assert_false(may_read(&policy, "/a*b", 4));
	assert_false(may_read(&policy, "/a*b77", 6));
	assert_false(may_read(&policy, "/axb7", 5));
	policy_drop(&policy);
	free(word);
}

static void digits_that_make_a_name_too_long_are_not_written(void **state)
{
	(void)state;
	char path[102] = "/";
	bool digits[101] = {false};
	memset(path + 1, '1', 100);
	for (size_t i = 1; i < 101; i++)
		digits[i] = i <= 51;
	assert_null(path_word(path, 101, digits));
	for (size_t i = 1; i < 101; i++)
		digits[i] = i <= 38; /* 190 bytes, and 62 */
	char *word = path_word(path, 101, digits);
	assert_non_null(word);
	struct policy policy = word_policy(word);
	assert_true(may_read(&policy, path, 101));
	policy_drop(&policy);
	free(word);
}

static bool unit_matches(const char *word, const char *unit)
{
	char *text;
	assert_true(asprintf(&text, "client c {\nfrom unit %s\nallow read /a\n}\n", word) > 0);
	struct policy policy = policy_make(text);
	struct policy_identity identity = alice;
	identity.unit = unit;
	bool matches = path_decide(&policy, &identity, READ, "/a").outcome == POLICY_ALLOWED;
	policy_drop(&policy);
	free(text);
	return matches;
}

static void a_unit_of_any_bytes_is_written_as_itself_alone(void **state)
{
	(void)state;
	char unit[24] = "";
	for (int round = 0; round < ROUNDS; round++) {
		size_t length = 1 + random_below(sizeof(unit) - 2), size;
		for (size_t i = 0; i < length; i++)
			unit[i] = hostile[random_below(sizeof(hostile) - 1)];
		unit[length] = '\0';
		char *word = NULL;
		FILE *out = open_memstream(&word, &size);
		assert_non_null(out);
		bool is_written = policy_write_unit(unit, length, out);
		assert_int_equal(fclose(out), 0);
		assert_int_equal(is_written, strchr(unit, '/') == NULL);
		if (is_written) {
			assert_true(unit_matches(word, unit));
			unit[random_below((uint32_t)length)] = '~';
			assert_false(unit_matches(word, unit));
		}
		free(word);
	}
}

static void a_comment_is_one_line_of_printable_bytes(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	policy_write_comment("a\n\x1b[2J\\\xc2\x9b\x7f\"#", 12, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "a\\x0a\\x1b[2J\\\\\\xc2\\x9b\\x7f\"#");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_of_any_bytes_is_written_as_a_word_that_matches_it_alone),
		cmocka_unit_test(a_path_that_no_rule_can_be_for_is_not_written),
		cmocka_unit_test(a_word_of_the_language_is_written_as_it_is),
		cmocka_unit_test(a_name_is_written_up_to_the_longest_whatever_it_is_made_of),
		cmocka_unit_test(a_path_is_written_up_to_the_longest),
		cmocka_unit_test(a_flagged_byte_is_any_digit_and_nothing_else),
		cmocka_unit_test(digits_that_make_a_name_too_long_are_not_written),
		cmocka_unit_test(a_unit_of_any_bytes_is_written_as_itself_alone),
		cmocka_unit_test(a_comment_is_one_line_of_printable_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

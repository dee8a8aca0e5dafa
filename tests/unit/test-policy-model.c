/* SPDX-License-Identifier: MIT */
/*
 * The compiled tree against a model: a matcher that reads the pattern's text and tries everything,
 * written for being obviously right. Random patterns and paths over few letters, so that matches
 * are frequent.
 */
#include "policy-support.h"

#define READ POLICY_BIT(POLICY_READ)
#define ROUNDS 4000
#define PATTERNS 6
#define PATHS 60

static uint32_t random_state = 20240607;

static uint32_t random_below(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % bound;
}

/* ---- the model ---- */

static bool model_name(
	const char *pattern, const char *pattern_end, const char *name, const char *name_end)
{
	if (pattern == pattern_end)
		return name == name_end;
	if (*pattern == '*')
		return model_name(pattern + 1, pattern_end, name, name_end) ||
		       (name < name_end && model_name(pattern, pattern_end, name + 1, name_end));
	if (name == name_end)
		return false;
	if (*pattern == '[') /* always [ab] or [!a] */
		return (pattern[1] == '!' ? *name != pattern[2]
					  : *name == pattern[1] || *name == pattern[2]) &&
		       model_name(pattern + 4, pattern_end, name + 1, name_end);
	return (*pattern == '?' || *pattern == *name) &&
	       model_name(pattern + 1, pattern_end, name + 1, name_end);
}

static const char *component_end(const char *at)
{
	const char *slash = strchr(at, '/');
	return slash ? slash : at + strlen(at);
}

/* Whether a wildcard may take this component in an allow. */
static bool model_may_take(const char *name, const char *name_end, bool is_first)
{
	size_t length = (size_t)(name_end - name);
	return *name != '.' && !(is_first && ((length == 4 && memcmp(name, "proc", 4) == 0) ||
						     (length == 3 && memcmp(name, "dev", 3) == 0)));
}

/* Both point at a slash or at the end. */
static bool model_path(const char *pattern, const char *path, bool is_deny, bool is_first)
{
	if (!*pattern)
		return !*path;
	const char *part = pattern + 1, *part_end = component_end(part);
	bool is_deep = part_end - part == 2 && memcmp(part, "**", 2) == 0;
	const char *name = *path ? path + 1 : path, *name_end = component_end(name);
	bool may_take = *path && (is_deny || model_may_take(name, name_end, is_first));
	if (is_deep && !*part_end && !*path)
		return is_deny;
	if (is_deep)
		return (*part_end && model_path(part_end, path, is_deny, is_first)) ||
		       (may_take && !*part_end && !*name_end) ||
		       (may_take && model_path(pattern, name_end, is_deny, false));
	if (!*path || !model_name(part, part_end, name, name_end))
		return false;
	bool has_wildcard = strcspn(part, "*?[") < (size_t)(part_end - part);
	bool begins_wild = strchr("*?[", *part) != NULL;
	if (!is_deny && has_wildcard && *name == '.' && begins_wild)
		return false;
	if (!is_deny && has_wildcard && *name != '.' && !may_take)
		return false;
	return model_path(part_end, name_end, is_deny, false);
}

/* ---- random patterns and paths ---- */

static void random_pattern(char *text)
{
	static const char *const parts[] = {"a", "b", "ab", ".a", "*", "?", "a*", "*b", "*a*b",
		"[ab]", "[!a]", "a?", ".*", "**", "**", "proc", "dev", "[!b]*", "*?"};
	uint32_t count = 1 + random_below(5);
	*text = '\0';
	for (uint32_t i = 0; i < count; i++) {
		strcat(text, "/");
		strcat(text, parts[random_below(COUNT(parts))]);
	}
}

static void random_path(char *text)
{
	static const char *const parts[] = {
		"a", "b", "ab", "ba", ".a", ".b", "aab", "abab", "proc", "dev", "aa"};
	uint32_t count = 1 + random_below(6);
	*text = '\0';
	for (uint32_t i = 0; i < count; i++) {
		strcat(text, "/");
		strcat(text, parts[random_below(COUNT(parts))]);
	}
}

struct sample {
	char patterns[PATTERNS][64];
	struct policy allow, deny;
};

static struct policy sample_compile(struct sample *sample, const char *verb)
{
	char text[1024];
	size_t length = (size_t)sprintf(text, "client a {\nfrom anyone\n");
	for (int i = 0; i < PATTERNS; i++)
		length += (size_t)sprintf(text + length, "%s %s\n", verb, sample->patterns[i]);
	sprintf(text + length, "}\n");
	return policy_make(text);
}

static void path_check(const struct sample *sample, const char *path)
{
	struct policy_peer allow_peer = peer_make(&sample->allow, &alice);
	struct policy_peer deny_peer = peer_make(&sample->deny, &alice);
	bool allows = false, denies = false;
	for (int i = 0; i < PATTERNS; i++) {
		allows = allows || model_path(sample->patterns[i], path, false, true);
		denies = denies || model_path(sample->patterns[i], path, true, true);
	}
	bool allowed =
		policy_decide_path(sample->allow.image, &allow_peer, READ, path, strlen(path))
			.outcome == POLICY_ALLOWED;
	bool denied = policy_deny_path(sample->deny.image, &deny_peer, READ, path, strlen(path)) !=
		      POLICY_NO_RULE;
	if (allowed == allows && denied == denies)
		return;
	for (int i = 0; i < PATTERNS; i++)
		print_error("%s\n", sample->patterns[i]);
	fail_msg("%s: allowed %d, model %d; denied %d, model %d", path, allowed, allows, denied,
		denies);
}

static void random_patterns_match_what_the_model_matches(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct sample sample;
		for (int i = 0; i < PATTERNS; i++)
			random_pattern(sample.patterns[i]);
		sample.allow = sample_compile(&sample, "allow read");
		sample.deny = sample_compile(&sample, "deny read");
		for (int i = 0; i < PATHS; i++) {
			char path[64];
			random_path(path);
			path_check(&sample, path);
		}
		policy_drop(&sample.allow);
		policy_drop(&sample.deny);
	}
}

static void random_bytes_never_crash_the_parser(void **state)
{
	static const char *const words[] = {"client ", "a ", "{\n", "}\n", "from ", "anyone\n",
		"user ", "allow ", "deny ", "read ", "bind ", "tcp:", "/", "*", "[", "]", "%", "\"",
		"\\", "\n", "-", ":", ",", "0", "x", "\xff", "mode ", "unit ", "udp:[::1]", "/32",
		"\\x4"};
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char text[1024] = "client a {\nfrom anyone\n";
		uint32_t count = random_below(40);
		for (uint32_t i = 0; i < count; i++)
			strcat(text, words[random_below(COUNT(words))]);
		struct policy policy = policy_try(text);
		policy_drop(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_patterns_match_what_the_model_matches),
		cmocka_unit_test(random_bytes_never_crash_the_parser),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

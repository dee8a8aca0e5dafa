/* SPDX-License-Identifier: MIT */
/*
 * The compiled policy against a model: matchers that read the text of a pattern and try everything,
 * written for being obviously right. Random rules and requests over few letters and numbers, so
 * that matches are frequent.
 */
#include "policy-support.h"

#define READ POLICY_BIT(POLICY_READ)
#define ROUNDS 4000
#define PATTERNS 6
#define PATHS 60

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

/* Under list a final `**` is about its folder, too. */
enum model_sense { MODEL_ALLOW, MODEL_ALLOW_LIST, MODEL_DENY };

/* Both point at a slash or at the end. */
static bool model_path(const char *pattern, const char *path, enum model_sense sense, bool is_first)
{
	if (!*pattern)
		return !*path;
	bool is_deny = sense == MODEL_DENY;
	const char *part = pattern + 1, *part_end = component_end(part);
	bool is_deep = part_end - part == 2 && memcmp(part, "**", 2) == 0;
	const char *name = *path ? path + 1 : path, *name_end = component_end(name);
	bool may_take = *path && (is_deny || model_may_take(name, name_end, is_first));
	if (is_deep && !*part_end && !*path)
		return sense != MODEL_ALLOW;
	if (is_deep)
		return (*part_end && model_path(part_end, path, sense, is_first)) ||
		       (may_take && !*part_end && !*name_end) ||
		       (may_take && model_path(pattern, name_end, sense, false));
	if (!*path || !model_name(part, part_end, name, name_end))
		return false;
	bool has_wildcard = strcspn(part, "*?[") < (size_t)(part_end - part);
	bool begins_wild = strchr("*?[", *part) != NULL;
	if (!is_deny && has_wildcard && *name == '.' && begins_wild)
		return false;
	if (!is_deny && has_wildcard && *name != '.' && !may_take)
		return false;
	return model_path(part_end, name_end, sense, false);
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
	struct policy allow, allow_list, deny;
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

static bool model_matches(const struct sample *sample, const char *path, enum model_sense sense)
{
	for (int i = 0; i < PATTERNS; i++) {
		if (model_path(sample->patterns[i], path, sense, true))
			return true;
	}
	return false;
}

static bool sample_allows(const struct policy *policy, uint32_t verbs, const char *path)
{
	return path_decide(policy, &alice, verbs, path).outcome == POLICY_ALLOWED;
}

static void path_check(const struct sample *sample, const char *path)
{
	struct policy_peer deny_peer = peer_make(&sample->deny, &alice);
	bool allows = model_matches(sample, path, MODEL_ALLOW);
	bool lists = model_matches(sample, path, MODEL_ALLOW_LIST);
	bool denies = model_matches(sample, path, MODEL_DENY);
	bool allowed = sample_allows(&sample->allow, READ, path);
	bool listed = sample_allows(&sample->allow_list, POLICY_BIT(POLICY_LIST), path);
	bool denied = policy_deny_path(sample->deny.image, &deny_peer, READ, path, strlen(path)) !=
		      POLICY_NO_RULE;
	if (allowed == allows && listed == lists && denied == denies)
		return;
	for (int i = 0; i < PATTERNS; i++)
		print_error("%s\n", sample->patterns[i]);
	fail_msg("%s: allowed %d, model %d; listed %d, model %d; denied %d, model %d", path,
		allowed, allows, listed, lists, denied, denies);
}

static void random_patterns_match_what_the_model_matches(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct sample sample;
		for (int i = 0; i < PATTERNS; i++)
			random_pattern(sample.patterns[i]);
		sample.allow = sample_compile(&sample, "allow read");
		sample.allow_list = sample_compile(&sample, "allow list");
		sample.deny = sample_compile(&sample, "deny read");
		for (int i = 0; i < PATHS; i++) {
			char path[64];
			random_path(path);
			path_check(&sample, path);
		}
		policy_drop(&sample.allow);
		policy_drop(&sample.allow_list);
		policy_drop(&sample.deny);
	}
}

/* ---- endpoints: names and numbers ---- */

#define RULES 8

struct endpoint_rule {
	bool is_deny;
	char host[32]; /* as in the policy */
	uint32_t first, last;
};

/* A name of few labels, now and then in an odd spelling. */
static void random_host(char *text, bool is_odd)
{
	static const char *const labels[] = {"a", "b", "ab", "a-b"};
	static const char *const oddities[] = {"A", "B", "", "Ab", "a b", "*"};
	uint32_t count = 1 + random_below(3);
	*text = '\0';
	for (uint32_t i = 0; i < count; i++) {
		strcat(text, i ? "." : "");
		strcat(text, is_odd && !random_below(4) ? oddities[random_below(COUNT(oddities))]
							: labels[random_below(COUNT(labels))]);
	}
	if (!*text || (is_odd && !random_below(5)))
		strcat(text, "."); /* not even this is empty: what is has no name at all */
}

static void random_endpoint_rule(struct endpoint_rule *rule)
{
	static const uint32_t edges[] = {1, 7, 8, 9, 255, 256, 1023, 1024, 32767, 65534};
	rule->is_deny = !random_below(4);
	rule->first = edges[random_below(COUNT(edges))] + random_below(2);
	rule->last = random_below(2) ? rule->first : rule->first + random_below(300);
	rule->last = rule->last > 65535 ? 65535 : rule->last;
	switch (random_below(4)) {
	case 0:
		strcpy(rule->host, "*");
		return;
	case 1:
		strcpy(rule->host, "*.");
		random_host(rule->host + 2, false);
		return;
	default:
		random_host(rule->host, false);
	}
}

/* In lower case and without the last dot; false: it is none. */
static bool model_host(const char *name, char *plain)
{
	size_t length = 0;
	for (; *name; name++)
		plain[length++] = *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name;
	if (length && plain[length - 1] == '.')
		length--;
	plain[length] = '\0';
	return length && plain[0] != '.' && plain[length - 1] != '.' && !strstr(plain, "..") &&
	       plain[strspn(plain, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static bool model_endpoint(const struct endpoint_rule *rule, const char *name, uint32_t number)
{
	char plain[32];
	bool is_good = model_host(name, plain);
	const char *dot = strchr(plain, '.');
	if (number < rule->first || number > rule->last)
		return false;
	if (!is_good)
		return rule->is_deny;
	if (strcmp(rule->host, "*") == 0)
		return true;
	if (rule->host[0] == '*')
		return dot && strcmp(dot + 1, rule->host + 2) == 0;
	return strcmp(plain, rule->host) == 0;
}

static void endpoint_check(const struct policy *policy, const struct endpoint_rule *rules,
	const char *name, uint32_t number)
{
	struct policy_peer peer = peer_make(policy, &alice);
	struct policy_endpoint endpoint = {
		.kind = POLICY_TCP, .number = number, .name = name, .name_length = strlen(name)};
	bool allows = false, denies = false;
	for (int i = 0; i < RULES; i++) {
		bool matches = model_endpoint(&rules[i], name, number);
		allows = allows || (matches && !rules[i].is_deny);
		denies = denies || (matches && rules[i].is_deny);
	}
	enum policy_outcome expected = denies   ? POLICY_DENIED_BY_RULE
				       : allows ? POLICY_ALLOWED
						: POLICY_DENIED_NO_RULE;
	enum policy_outcome outcome =
		policy_decide_endpoint(policy->image, &peer, NULL, POLICY_CONNECT, &endpoint)
			.outcome;
	bool denied = policy_deny_endpoint(policy->image, &peer, POLICY_CONNECT, &endpoint) !=
		      POLICY_NO_RULE;
	if (outcome == expected && denied == denies)
		return;
	for (int i = 0; i < RULES; i++)
		print_error("%s tcp:%s:%u-%u\n", rules[i].is_deny ? "deny" : "allow", rules[i].host,
			rules[i].first, rules[i].last);
	fail_msg("'%s' %u: %d, model %d; denied %d", name, number, outcome, expected, denied);
}

static void random_endpoints_are_judged_as_the_model_judges_them(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct endpoint_rule rules[RULES];
		char text[1024] = "client a {\nfrom anyone\n", name[32];
		for (int i = 0; i < RULES; i++) {
			random_endpoint_rule(&rules[i]);
			sprintf(text + strlen(text), "%s connect tcp:%s:%u-%u\n",
				rules[i].is_deny ? "deny" : "allow", rules[i].host, rules[i].first,
				rules[i].last);
		}
		strcat(text, "}\n");
		struct policy policy = policy_make(text);
		for (int i = 0; i < PATHS; i++) {
			const struct endpoint_rule *near = &rules[random_below(RULES)];
			random_host(name, true);
			endpoint_check(&policy, rules, name,
				near->first - 1 + random_below(near->last - near->first + 3));
		}
		policy_drop(&policy);
	}
}

/* Ranges of all 32 bits, allowed and denied, against the comparison of numbers. */
static void random_ranges_are_judged_as_numbers_compare(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t bounds[4][2];
		char text[512] = "client a {\nfrom anyone\n";
		for (int i = 0; i < 4; i++) {
			uint32_t a = random_below(UINT32_MAX) >> random_below(32);
			uint32_t b = random_below(4) ? random_below(UINT32_MAX) : a | 0xff;
			bounds[i][0] = a < b ? a : b;
			bounds[i][1] = a < b ? b : a;
			sprintf(text + strlen(text), "%s option mark=%u-%u\n",
				i < 3 ? "allow" : "deny", bounds[i][0], bounds[i][1]);
		}
		strcat(text, "}\n");
		struct policy policy = policy_make(text);
		struct policy_peer peer = peer_make(&policy, &alice);
		for (int i = 0; i < PATHS; i++) {
			struct policy_endpoint endpoint = {.kind = POLICY_MARK,
				.number = bounds[random_below(4)][random_below(2)] - 1 +
					  random_below(3)};
			uint32_t in = 0;
			for (int j = 0; j < 4; j++)
				in |= (uint32_t)(endpoint.number >= bounds[j][0] &&
						 endpoint.number <= bounds[j][1])
				      << j;
			enum policy_outcome expected = in & 8   ? POLICY_DENIED_BY_RULE
						       : in & 7 ? POLICY_ALLOWED
								: POLICY_DENIED_NO_RULE;
			assert_int_equal(policy_decide_endpoint(policy.image, &peer, NULL,
						 POLICY_OPTION, &endpoint)
						 .outcome,
				expected);
		}
		policy_drop(&policy);
	}
}

static void random_bytes_never_crash_the_parser(void **state)
{
	static const char *const words[] = {"client ", "a ", "{\n", "}\n", "from ", "anyone\n",
		"user ", "allow ", "deny ", "read ", "bind ", "tcp:", "/", "*", "[", "]", "%", "\"",
		"\\", "\n", "-", ":", ",", "0", "x", "\xff", "mode ", "unit ", "udp:[::1]", "/32",
		"\\x4", "connect ", "socket ", "option ", "resolve ", "unix:", "vsock:", "host:",
		"raw:", "netlink:", "tun:", "mark=", "bindtodevice=", "with ", "device=", "netns ",
		"*.", "x.", "K", "list", "as ", "peer", "copy ", "max ", "type ", "any "};
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
		cmocka_unit_test(random_endpoints_are_judged_as_the_model_judges_them),
		cmocka_unit_test(random_ranges_are_judged_as_numbers_compare),
		cmocka_unit_test(random_bytes_never_crash_the_parser),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What is granted under a name, and what a rename would add to it: against each verb asked one by
 * one, and for folders against what lies below, tried at random.
 */
#include "policy-support.h"

#define BLOCK(name, rules) "client " name " {\nfrom user alice\n" rules "\n}\n"
#define ROUNDS 1500
#define PAIRS 30
#define SUFFIXES 12
#define PUBLIC_ONLY "remove,create /**\nread /public/**\n\0"
#define TEN(text) text text text text text text text text text text
#define LONG_NAME "/public/" TEN("pppppppppppppppppppp") "/" TEN("nnnnnnnnnnnnnnnnnnnnnnnnn")

static const struct policy_limits malformed = {"x", 1};

static struct policy_file_name name_make(const char *path, const char *real)
{
	return (struct policy_file_name){path, strlen(path), real, strlen(real)};
}

static bool grants(const struct policy *policy, const char *path, const char *real)
{
	struct policy_peer peer = peer_make(policy, &alice);
	return policy_grants_name(
		policy->image, &peer, NULL, path, strlen(path), real, strlen(real));
}

static bool gains(const struct policy *policy, const char *old_path, const char *old_real,
	const char *new_path, const char *new_real, bool is_directory)
{
	struct policy_peer peer = peer_make(policy, &alice);
	const struct policy_file_name old_name = name_make(old_path, old_real);
	const struct policy_file_name new_name = name_make(new_path, new_real);
	return policy_gains_by_name(policy->image, &peer, NULL, &old_name, &new_name, is_directory);
}

static void a_name_is_granted_by_any_verb_of_files(void **state)
{
	static const struct {
		const char *rules, *path, *real;
		bool is_granted;
	} cases[] = {
		{"allow read /a", "/a", "/a", true},
		{"allow stat /a", "/a", "/a", true},
		{"allow remove /a", "/a", "/a", true},
		{"allow list /a", "/a", "/a", true},
		{"allow watch /a", "/a", "/a", true},
		{"allow create /a", "/a", "/a", true},
		{"allow list /a/**", "/a", "/a", true},
		{"allow remove /a/**", "/a", "/a", false},
		{"allow bind unix:/a", "/a", "/a", false},
		{"allow read /b", "/a", "/a", false},
		{"allow read /a", "/a/", "/a", false},
		{"allow read /a", "/a", "a", false},
		{"allow read /a\ndeny all /a", "/a", "/a", false},
		{"allow read /a\ndeny read /a", "/a", "/a", true}, /* stat remains */
		{"allow read /a\ndeny read,stat /a", "/a", "/a", false},
		{"allow read /a\ndeny all /b", "/a", "/b", false},
		{"allow read /a\ndeny stat /b", "/a", "/b", true},
		{"allow read /a\ndeny read,stat /b", "/a", "/b", false},
		{"allow read,list /a\ndeny read /a\ndeny stat /b", "/a", "/b", true},
		{"allow list /a*\nallow list /*a as peer", "/a", "/a",
			false}, /* whose options they are is open */
		{"allow list /a*\nallow list /*a as peer\nallow watch /a", "/a", "/a", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		snprintf(text, sizeof(text), BLOCK("a", "%s"), cases[i].rules);
		struct policy policy = policy_make(text);
		if (grants(&policy, cases[i].path, cases[i].real) != cases[i].is_granted)
			fail_msg("%s", text);
		policy_drop(&policy);
	}
}

static void what_a_narrowed_connection_may_not_ask_for_is_not_granted(void **state)
{
	struct policy policy = policy_make(BLOCK("a", "allow read /a"));
	struct policy_peer peer = peer_make(&policy, &alice);
	(void)state;
	assert_false(policy_grants_name(policy.image, &peer, &malformed, "/a", 2, "/a", 2));
	policy_drop(&policy);
}

struct rename_case {
	const char *rules;
	bool file_gains, folder_gains;
	const char *old_path, *old_real, *new_path, *new_real;
};

#define IN_OUT "/in/x", "/in/x", "/out/x", "/out/x"

static const struct rename_case rename_cases[] = {
	{"allow read /in/* /out/*", false, true,
		IN_OUT}, /* two patterns: what lies below is in doubt */
	{"allow read /*/x", false, false, IN_OUT},
	{"allow read /*/x /*/x/*", false, false, IN_OUT},
	{"allow read /out/x", true, true, IN_OUT},
	{"allow read /in/x", false, true, IN_OUT},
	{"allow read,write /in/x\nallow read /out/x", false, true, IN_OUT},
	{"allow read /in/x\nallow read,write /out/x", true, true, IN_OUT},
	{"allow read /in/x\nallow stat /out/x", false, true, IN_OUT},
	{"allow stat /in/x\nallow read /out/x", true, true, IN_OUT},
	{"allow read /*/x\nallow create /out/x", false, true, IN_OUT}, /* its name is taken */
	{"allow remove,stat /in/x\nallow create /out/x", false, true, IN_OUT},
	{"allow remove /in/x\nallow create /out/x", true, true, IN_OUT}, /* it implies stat */
	{"allow remove,list /*/x\nallow watch /out/x", true, true, IN_OUT},
	/* what is below */
	{"allow read /out/x/key", false, true, IN_OUT},
	{"allow read /**", false, false, IN_OUT},
	{"allow read /**\nallow read /out/*/key as peer", false, true, IN_OUT},
	{"allow read /**\ndeny read /in/x/key", false, true, IN_OUT},
	{"allow read /**\ndeny read /out/x/key", false, true, IN_OUT},
	{"allow read /**\ndeny read /*/x/key", false, false, IN_OUT},
	{"allow read /**\ndeny read /in/x", true, true, IN_OUT},
	{"allow read /**\ndeny read /out/x", false, true, IN_OUT},
	{"allow read /**", false, false, "/a", "/a", "/b/c/d", "/b/c/d"},
	{"allow read /a/**", false, false, "/a/b/c", "/a/b/c", "/a/d", "/a/d"},
	{"allow read /a/**", false, true, "/a/b", "/a/b", "/a/.d", "/a/.d"},
	{"allow read /a/**", true, true, "/a/.b", "/a/.b", "/a/d", "/a/d"},
	{"allow read /a/**", true, true, "/a", "/a", "/a/b", "/a/b"},
	{"allow list /a/**", false, true, "/a", "/a", "/b/a", "/b/a"},
	{"allow read /a /b\nallow list /**", false, true, "/a", "/a", "/b", "/b"},
	{"allow read /**", false, true, "/a", "/a", "/proc", "/proc"},
	{"allow read /**", true, true, "/proc/x", "/proc/x", "/a/x", "/a/x"},
	{"allow read /**", false, false, "/a/proc", "/a/proc", "/b/dev", "/b/dev"},
	/* what users have */
	{"allow list %h/**", true, true, "/a", "/a", "/home/alice/x", "/home/alice/x"},
	{"allow list %h/**", false, false, "/home/alice/y", "/home/alice/y", "/home/alice/x",
		"/home/alice/x"},
	{"allow list %h/**", false, true, "/a", "/a", "/home", "/home"},
	{"allow list /**\ndeny list %h/.ssh", false, true, "/home", "/home", "/b", "/b"},
	{"allow list /**\ndeny list %h/.ssh", false, true, "/in", "/home", "/b", "/b"},
	{"allow list /home/%u/x", true, true, "/home/bob/x", "/home/bob/x", "/home/alice/x",
		"/home/alice/x"},
	{"allow list /home/%u/x", false, true, "/home/alice/x", "/home/alice/x", "/home/bob/x",
		"/home/bob/x"},
	/* deny judges where a link led to */
	{"allow read /in/* /out/*\ndeny read /secret/*", true, true, "/in/x", "/secret/x", "/out/x",
		"/out/x"},
	{"allow read /*/x\ndeny read /secret/x/*", false, true, "/in/x", "/secret/x", "/out/x",
		"/out/x"},
	{"allow read /in/* /out/*\ndeny read /secret/*", false, true, "/in/x", "/in/x", "/out/x",
		"/secret/x"},
	{"allow read /in/*\ndeny read /secret/*", false, false, "/in/x", "/secret/x", "/in/y",
		"/secret/y"},
	/* the same verbs, for more */
	{"allow read /in/x\nallow read /out/x type any", true, true, IN_OUT},
	{"allow read /in/x type any\nallow read /out/x", false, true, IN_OUT},
	{"allow list /in/x\nallow list /out/x type any", false, true, IN_OUT},
	{"allow read /in/x as peer\nallow read /out/x", true, true, IN_OUT},
	{"allow read /in/x as alice\nallow read /out/x as bob", true, true, IN_OUT},
	{"allow read /in/x as alice\nallow read /out/x as 1001", false, true, IN_OUT},
	{"allow read /in/x symlinks none\nallow read /out/x", true, true, IN_OUT},
	{"allow read /in/x\nallow read /out/x symlinks none", false, true, IN_OUT},
	{"allow read /in/x copy\nallow read /out/x", true, true, IN_OUT},
	{"allow read /in/x\nallow read /out/x copy", false, true, IN_OUT},
	{"allow read /in/x copy max 1\nallow read /out/x copy max 2", true, true, IN_OUT},
	{"allow read /in/x copy max 2\nallow read /out/x copy max 1", false, true, IN_OUT},
	{"allow create /in/x mode 0600\nallow create /out/x mode 0666", false, true, IN_OUT},
	/* a more specific rule says less */
	{"allow read /** type any\nallow read /in/** type file", true, true, IN_OUT},
	{"allow read /**\nallow read /in/*/key as peer", false, true, IN_OUT},
	{"allow list /**", false, true, "/", "/", "/a", "/a"},
	{"allow list /**", false, true, "/a", "/a", "/", "/"},
	{"allow list /\nallow list /a", false, true, "/a", "/a", "/", "/"},
	/* what is no path */
	{"allow read /**", false, true, "/a", "/a", "/b/", "/b"},
	{"allow read /**", true, true, "/a/", "/a", "/b", "/b"},
	{"allow read /**", false, true, "/a", "/a", "/b", "b"},
};

static void a_rename_gains_by_what_the_new_name_grants_and_the_old_did_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rename_cases); i++) {
		const struct rename_case *test = &rename_cases[i];
		char text[256];
		snprintf(text, sizeof(text), BLOCK("a", "%s"), test->rules);
		struct policy policy = policy_make(text);
		for (int is_directory = 0; is_directory <= 1; is_directory++) {
			if (gains(&policy, test->old_path, test->old_real, test->new_path,
				    test->new_real, is_directory) ==
				(is_directory ? test->folder_gains : test->file_gains))
				continue;
			fail_msg("%s%s to %s, %s", text, test->old_path, test->new_path,
				is_directory ? "a folder" : "a file");
		}
		policy_drop(&policy);
	}
}

static void an_only_block_counts_for_both_names(void **state)
{
	struct policy policy = policy_make(BLOCK("a", "allow read,write /**")
			BLOCK("b only", "allow read /in/** /out/**\nallow write /out/x"));
	(void)state;
	assert_true(gains(&policy, "/in/x", "/in/x", "/out/x", "/out/x", false));
	assert_false(gains(&policy, "/in/x", "/in/x", "/out/y", "/out/y", false));
	assert_true(gains(&policy, "/in/x", "/in/x", "/out/y", "/out/y", true));
	assert_false(gains(&policy, "/in/x", "/in/x", "/in/y", "/in/y", true));
	policy_drop(&policy);
}

static void a_narrowed_connection_gains_by_every_folder(void **state)
{
	struct policy policy = policy_make(BLOCK("a", "allow read /**"));
	struct policy_peer peer = peer_make(&policy, &alice);
	const struct policy_file_name a = name_make("/a", "/a"), b = name_make("/b", "/b");
	(void)state;
	assert_false(policy_gains_by_name(policy.image, &peer, NULL, &a, &b, true));
	assert_false(policy_gains_by_name(policy.image, &peer, &malformed, &a, &b, false));
	assert_true(policy_gains_by_name(policy.image, &peer, &malformed, &a, &b, true));
	policy_drop(&policy);
}

/* The peer may have another connection, which is not. */
static void a_rename_gains_by_what_the_narrowed_connection_cannot_do_itself(void **state)
{
	static const char set[] = "remove,create,stat /**\n";
	const struct policy_limits limits = {set, sizeof(set)};
	const struct policy_file_name old_name = name_make("/in/x", "/in/x");
	const struct policy_file_name new_name = name_make("/out/x", "/out/x");
	struct policy policy =
		policy_make(BLOCK("a", "allow remove,create,stat /**\nallow read /out/*"));
	struct policy_peer peer = peer_make(&policy, &alice);
	(void)state;
	assert_true(policy_gains_by_name(policy.image, &peer, NULL, &old_name, &new_name, false));
	assert_true(
		policy_gains_by_name(policy.image, &peer, &limits, &old_name, &new_name, false));
	assert_false(
		policy_gains_by_name(policy.image, &peer, &limits, &new_name, &old_name, false));
	policy_drop(&policy);
}

static bool gains_narrowed(const char *text, size_t length)
{
	const struct policy_limits limits = {text, length};
	const struct policy_file_name old_name = name_make("/secret/x", "/secret/x");
	const struct policy_file_name new_name = name_make(LONG_NAME, LONG_NAME);
	struct policy policy = policy_make(BLOCK("a", "allow read,remove,create /**"));
	struct policy_peer peer = peer_make(&policy, &alice);
	bool is_gain =
		policy_gains_by_name(policy.image, &peer, &limits, &old_name, &new_name, false);
	policy_drop(&policy);
	return is_gain;
}

/* A clone that was made before may have more. */
static void what_a_later_set_takes_away_is_gained_all_the_same(void **state)
{
	static const char text[] = PUBLIC_ONLY "remove,create /**\n";
	(void)state;
	assert_true(gains_narrowed(PUBLIC_ONLY, sizeof(PUBLIC_ONLY) - 1));
	assert_true(gains_narrowed(text, sizeof(text)));
}

/* All verbs at once would be more to match than there is work for, and so nothing be permitted. */
static void a_set_that_takes_long_to_match_hides_no_gain(void **state)
{
	char text[4096];
	size_t length = sizeof(PUBLIC_ONLY) - 1;
	(void)state;
	memcpy(text, PUBLIC_ONLY, length);
	for (int i = 0; i < 14; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length, "watch /**/%d*%0250d\n", i % 10, 0);
	length += (size_t)snprintf(text + length, sizeof(text) - length, "read,remove,create /**\n");
	assert_true(gains_narrowed(text, length + 1));
}

/* ---- at random ---- */

static const char *random_of(const char *const *words, size_t count)
{
	return words[random_below((uint32_t)count)];
}

/* Lives in /a/b, which is what %h stands for, and is called "ab". */
static const struct policy_identity resident = {
	.uid = 1001, .gid = 1101, .user = "ab", .home = "/a/b"};

static void random_rule(char *text, bool has_options)
{
	static const char *const verbs[] = {"read", "write", "append", "create", "remove", "stat",
		"list", "watch", "read,write", "read,list", "remove,create"};
	static const char *const parts[] = {"a", "a", "b", "ab", ".a", "*", "*", "?", "a*", "[ab]",
		"%u", "**", "**", "proc", "dev"};
	static const char *const options[] = {"", "", "", "type any", "as peer", "symlinks none"};
	bool is_deny = !random_below(4), is_home = !random_below(6);
	uint32_t count = 1 + random_below(4);
	text += sprintf(text, "%s %s %s", is_deny ? "deny" : "allow",
		is_deny && !random_below(2) ? "all" : random_of(verbs, COUNT(verbs)),
		is_home ? "%h" : "");
	for (uint32_t i = 0; i < count; i++)
		text += sprintf(text, "/%s", random_of(parts, COUNT(parts)));
	sprintf(text, " %s\n", is_deny || !has_options ? "" : random_of(options, COUNT(options)));
}

/* A policy that compiles; where rules conflict another one is tried. */
static struct policy random_policy(char *text, bool has_options)
{
	for (;;) {
		uint32_t count = 1 + random_below(6);
		strcpy(text, "client a {\nfrom anyone\n");
		if (random_below(2))
			strcat(text, "allow read,write,list /**\n");
		for (uint32_t i = 0; i < count; i++) {
			if (i == 3)
				strcat(text, random_below(2) ? "}\nclient b only {\nfrom anyone\n"
							     : "}\nclient b {\nfrom anyone\n");
			random_rule(text + strlen(text), has_options);
		}
		strcat(text, "}\n");
		struct policy policy = policy_try(text);
		if (policy.result == 0)
			return policy;
		policy_drop(&policy);
	}
}

static void random_path(char *text, uint32_t least, uint32_t most)
{
	static const char *const parts[] = {"a", "a", "b", "b", "ab", ".a", "ba", "proc", "dev"};
	uint32_t count = least + random_below(most - least + 1);
	*text = '\0';
	for (uint32_t i = 0; i < count; i++)
		sprintf(text + strlen(text), "/%s", random_of(parts, COUNT(parts)));
}

/* As policy.h defines it: the verb alone is allowed, and nothing denies it where it leads. */
static bool model_grants(const struct policy *policy, enum policy_verb verb, const char *path,
	const char *real, struct policy_options *options)
{
	struct policy_peer peer = peer_make(policy, &resident);
	struct policy_decision decision = policy_decide_path(
		policy->image, &peer, NULL, POLICY_BIT(verb), path, strlen(path));
	*options = decision.options;
	return decision.outcome == POLICY_ALLOWED &&
	       policy_deny_path(policy->image, &peer, POLICY_BIT(verb), real, strlen(real)) ==
		       POLICY_NO_RULE;
}

/* Whether something is possible with the new path that is not with the old one. */
static bool model_gains(const struct policy *policy, const char *old_path, const char *old_real,
	const char *new_path, const char *new_real)
{
	bool is_gain = false;
	for (int i = POLICY_READ; i <= POLICY_WATCH; i++) {
		enum policy_verb verb = (enum policy_verb)i;
		struct policy_options old_options, options;
		if (verb == POLICY_CREATE ||
			!model_grants(policy, verb, new_path, new_real, &options))
			continue;
		is_gain = is_gain ||
			  !model_grants(policy, verb, old_path, old_real, &old_options) ||
			  options.as != old_options.as || options.symlinks < old_options.symlinks ||
			  (verb <= POLICY_CREATE && (options.types & ~(uint32_t)old_options.types));
	}
	return is_gain;
}

struct pair {
	char old_path[64], old_real[64], new_path[64], new_real[64];
};

/* Every other time in the same folder, where most renames are. */
static void random_pair(struct pair *pair)
{
	random_path(pair->old_path, 1, 3);
	random_path(pair->new_path, 1, 3);
	if (random_below(2)) {
		strcpy(pair->new_path, pair->old_path);
		random_path(strrchr(pair->new_path, '/'), 1, 1);
	}
	strcpy(pair->old_real, pair->old_path);
	strcpy(pair->new_real, pair->new_path);
	if (!random_below(4))
		random_path(pair->old_real, 1, 3);
	if (!random_below(4))
		random_path(pair->new_real, 1, 3);
}

static bool pair_gains(const struct policy *policy, const struct pair *pair, bool is_directory)
{
	struct policy_peer peer = peer_make(policy, &resident);
	const struct policy_file_name old_name = name_make(pair->old_path, pair->old_real);
	const struct policy_file_name new_name = name_make(pair->new_path, pair->new_real);
	return policy_gains_by_name(policy->image, &peer, NULL, &old_name, &new_name, is_directory);
}

static void pair_extend(struct pair *below, const struct pair *pair, const char *suffix)
{
	*below = *pair;
	strcat(below->old_path, suffix);
	strcat(below->old_real, suffix);
	strcat(below->new_path, suffix);
	strcat(below->new_real, suffix);
}

static bool model_grants_any(const struct policy *policy, const char *path, const char *real)
{
	struct policy_options options;
	for (int verb = POLICY_READ; verb <= POLICY_WATCH; verb++) {
		if (model_grants(policy, (enum policy_verb)verb, path, real, &options))
			return true;
	}
	return false;
}

static void pair_check(const struct policy *policy, const char *text, const struct pair *pair)
{
	struct policy_peer peer = peer_make(policy, &resident);
	bool is_granted = model_grants_any(policy, pair->new_path, pair->new_real);
	if (policy_grants_name(policy->image, &peer, NULL, pair->new_path, strlen(pair->new_path),
		    pair->new_real, strlen(pair->new_real)) != is_granted)
		fail_msg("%s%s (%s): granted %d", text, pair->new_path, pair->new_real, is_granted);
	if (pair_gains(policy, pair, false) !=
		model_gains(policy, pair->old_path, pair->old_real, pair->new_path, pair->new_real))
		fail_msg("%s%s (%s) to %s (%s)", text, pair->old_path, pair->old_real,
			pair->new_path, pair->new_real);
}

/* Below a folder that may be renamed nothing gains. Returns whether anything is granted there. */
static bool folder_check(const struct policy *policy, const char *text, const struct pair *pair)
{
	bool is_granted = false;
	if (pair_gains(policy, pair, true))
		return false;
	for (int i = 0; i < SUFFIXES; i++) {
		char suffix[64] = "";
		struct pair below;
		if (i)
			random_path(suffix, 1, 3);
		pair_extend(&below, pair, suffix);
		is_granted = is_granted || model_grants_any(policy, below.new_path, below.new_real);
		if (model_gains(
			    policy, below.old_path, below.old_real, below.new_path, below.new_real))
			fail_msg("%s%s (%s) to %s (%s): %s", text, pair->old_path, pair->old_real,
				pair->new_path, pair->new_real, suffix);
	}
	return is_granted;
}

static void nothing_below_a_random_folder_gains_by_a_rename_that_is_let_pass(void **state)
{
	int passed = 0;
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char text[1024];
		struct policy policy = random_policy(text, round % 2);
		for (int i = 0; i < PAIRS; i++) {
			struct pair pair;
			random_pair(&pair);
			pair_check(&policy, text, &pair);
			passed += folder_check(&policy, text, &pair);
		}
		policy_drop(&policy);
	}
	/* Else the test would say nothing. */
	if (passed < ROUNDS * PAIRS / 20)
		fail_msg("only %d folders may be renamed", passed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_granted_by_any_verb_of_files),
		cmocka_unit_test(what_a_narrowed_connection_may_not_ask_for_is_not_granted),
		cmocka_unit_test(a_rename_gains_by_what_the_new_name_grants_and_the_old_did_not),
		cmocka_unit_test(a_rename_gains_by_what_the_narrowed_connection_cannot_do_itself),
		cmocka_unit_test(what_a_later_set_takes_away_is_gained_all_the_same),
		cmocka_unit_test(a_set_that_takes_long_to_match_hides_no_gain),
		cmocka_unit_test(an_only_block_counts_for_both_names),
		cmocka_unit_test(a_narrowed_connection_gains_by_every_folder),
		cmocka_unit_test(nothing_below_a_random_folder_gains_by_a_rename_that_is_let_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

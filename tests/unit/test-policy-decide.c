/* SPDX-License-Identifier: MIT */
/* What a policy means for paths: which patterns match, which rule decides, with which options. */
#include "policy-support.h"

#include <errno.h>

#define READ POLICY_BIT(POLICY_READ)
#define WRITE POLICY_BIT(POLICY_WRITE)
#define APPEND POLICY_BIT(POLICY_APPEND)
#define CREATE POLICY_BIT(POLICY_CREATE)
#define REMOVE POLICY_BIT(POLICY_REMOVE)
#define STAT POLICY_BIT(POLICY_STAT)
#define LIST POLICY_BIT(POLICY_LIST)
#define WATCH POLICY_BIT(POLICY_WATCH)

struct match {
	const char *pattern, *path;
	bool is_allowed;
	bool is_denied; /* by the same pattern in a deny */
};

static const struct match matches[] = {
	{"/a/b", "/a/b", true, true},
	{"/a/b", "/a", false, false},
	{"/a/b", "/a/b/c", false, false},
	{"/a/b", "/a/bc", false, false},
	{"/a/?", "/a/b", true, true},
	{"/a/?", "/a/bb", false, false},
	{"/a/?", "/a/.", false, false},
	{"/a/*", "/a/b", true, true},
	{"/a/*", "/a/.b", false, true},
	{"/a/*", "/a/b/c", false, false},
	{"/a/*.log", "/a/x.log", true, true},
	{"/a/*.log", "/a/.log", false, true},
	{"/a/*.log", "/a/x.log.gz", false, false},
	{"/a/x*", "/a/x", true, true},
	{"/a/x*y*z", "/a/x-y-y-z", true, true},
	{"/a/x*y*z", "/a/x-z-y", false, false},
	{"/a/.*", "/a/.b", true, true},
	{"/a/[.]b", "/a/.b", true, true},
	{"/a/[.x]b", "/a/.b", false, true},
	{"/a/[!x]b", "/a/.b", false, true},
	{"/a/[!x]b", "/a/yb", true, true},
	{"/a/[!x]b", "/a/xb", false, false},
	{"/a/[a-cx]", "/a/b", true, true},
	{"/a/[a-cx]", "/a/d", false, false},
	{"/a/[*]", "/a/*", true, true},
	{"/a/[*]", "/a/b", false, false},
	{"/a/[*][*]", "/a/**", true, true},
	{"/a/**", "/a", false, true},
	{"/", "/", true, true},
	{"/", "/a", false, false},
	{"/**", "/", false, true},
	{"/*", "/", false, false},
	{"/**/a", "/", false, false},
	{"%h/**", "/", false, false},
	{"/a/**", "/a/b", true, true},
	{"/a/**", "/a/b/c/d", true, true},
	{"/a/**", "/a/.b", false, true},
	{"/a/**", "/a/b/.c/d", false, true},
	{"/a/**", "/ab", false, false},
	{"/a/**/b", "/a/b", true, true},
	{"/a/**/b", "/a/x/y/b", true, true},
	{"/a/**/b", "/a/.x/b", false, true},
	{"/a/**/b", "/a/b/c", false, false},
	{"/a/**/.b/**", "/a/x/.b/c", true, true},
	{"/a/**/.b/**", "/a/x/.b/.c", false, true},
	{"/a/**/.b/**", "/a/x/.b", false, true},
	{"/a/**/b/**/c", "/a/b/b/x/c/c", true, true},
	{"/a/**/**/b", "/a/b", true, true},
	{"/**", "/a", true, true},
	{"/**", "/proc/1/maps", false, true},
	{"/**", "/sys/x", false, true},
	{"/**", "/dev/null", false, true},
	{"/**", "/dev", false, true},
	{"/**", "/a/proc/x", true, true},
	{"/*/x", "/proc/x", false, true},
	{"/p*/x", "/proc/x", false, true},
	{"/p[r]oc/x", "/proc/x", true, true},
	{"/**/x", "/proc/x", false, true},
	{"/**/x", "/x", true, true},
	{"/proc/*/x", "/proc/1/x", true, true},
	{"/proc/**", "/proc/1/x", true, true},
	{"/dev/serial/by-id/usb-*", "/dev/serial/by-id/usb-1", true, true},
	{"/home/%u/x", "/home/alice/x", true, true},
	{"/home/%u/x", "/home/bob/x", false, false},
	{"/home/%u-*/x", "/home/alice-1/x", true, true},
	{"/run/%U", "/run/1001", true, true},
	{"/run/%U", "/run/100", false, false},
	{"/run/100%%", "/run/100%", true, true},
	{"%h/x", "/home/alice/x", true, true},
	{"%h/x", "/home/alicex/x", false, false},
	{"%h/x", "/home/alice/y/x", false, false},
	{"%h/**", "/home/alice", false, true},
	{"%h/**", "/home/alice/a/b", true, true},
	{"\"/a b/\\xff\"", "/a b/\xff", true, true},
};

static struct policy policy_of_pattern(const char *verb, const char *pattern)
{
	char text[512];
	snprintf(text, sizeof(text), "client a {\nfrom anyone\n%s %s\n}\n", verb, pattern);
	return policy_make(text);
}

static bool path_is_denied(
	const struct policy *policy, const struct policy_identity *identity, const char *path)
{
	struct policy_peer peer = peer_make(policy, identity);
	return policy_deny_path(policy->image, &peer, READ, path, strlen(path)) != POLICY_NO_RULE;
}

static void a_pattern_matches_what_the_manual_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++) {
		const struct match *match = &matches[i];
		struct policy allow = policy_of_pattern("allow read", match->pattern);
		struct policy deny = policy_of_pattern("deny read", match->pattern);
		bool is_allowed =
			path_decide(&allow, &alice, READ, match->path).outcome == POLICY_ALLOWED;
		bool is_canonical = strcmp(match->path, "/a/.") != 0;
		bool is_denied = is_canonical && path_is_denied(&deny, &alice, match->path);
		if (is_allowed != match->is_allowed || is_denied != match->is_denied)
			fail_msg("%s on %s: allowed %d, denied %d", match->pattern, match->path,
				is_allowed, is_denied);
		policy_drop(&allow);
		policy_drop(&deny);
	}
}

/* What lists, watches and asks about a folder does not open what is in it. */
static void a_final_deep_wildcard_includes_the_folder_under_list_stat_and_watch(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool is_included;
	} cases[] = {
		{"/a/**", "/a", true},
		{"/a/**", "/b", false},
		{"/a/.b/**", "/a/.b", true},
		{"/a/*/**", "/a/b", true},
		{"/a/*/**", "/a/.b", false},
		{"/a/*/**", "/a", false},
		{"/a/**/c", "/a", false},
		{"/**", "/proc", false},
		{"/**", "/", true},
		{"/*", "/", false},
		{"/**/a", "/", false},
		{"%h/**", "/", false},
		{"/proc/**", "/proc", true},
		{"/**/b/**", "/a/b", true},
		{"/**/b/**", "/a", false},
		{"%h/**", "/home/alice", true},
		{"%h/**", "/home", false},
		{"%h/.x/**", "/home/alice/.x", true},
		{"/home/%u/**", "/home/alice", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy policy = policy_of_pattern(
			"allow read,write,create,remove,list,watch,stat", cases[i].pattern);
		for (int verb = POLICY_READ; verb <= POLICY_WATCH; verb++) {
			bool is_expected = verb >= POLICY_STAT && cases[i].is_included;
			if ((path_decide(&policy, &alice, POLICY_BIT(verb), cases[i].path)
					    .outcome == POLICY_ALLOWED) != is_expected)
				fail_msg("%s %s: %s", cases[i].pattern, cases[i].path,
					policy_verb_name((enum policy_verb)verb));
		}
		assert_int_not_equal(
			path_decide(&policy, &alice, READ | STAT, cases[i].path).outcome,
			POLICY_ALLOWED);
		policy_drop(&policy);
	}
}

static void an_undefined_variable_never_allows_and_always_denies(void **state)
{
	static const struct match cases[] = {
		{"/home/%u/x", "/home/bob/x", false, true},
		{"/home/%u/x", "/home/x", false, false},
		{"/home/a%u/x", "/home/abob/x", false, true},
		{"/run/%u.sock", "/run/.sock", false, true},
		{"%h/.ssh/**", "/root/.ssh/id", false, true},
		{"%h/.ssh/**", "/a/b/c/.ssh", false, true},
		{"%h/.ssh/**", "/.ssh", false, true},
		{"%h/.ssh/**", "/root/ssh", false, false},
		{"%h/**", "/x", false, true},
		{"%h/**", "/", false, true},
	};
	static const struct policy_identity nobody[] = {
		{.uid = 7, .gid = 7},
		{.uid = 7, .gid = 7, .user = "..", .home = "/"},
		{.uid = 7, .gid = 7, .user = "a/b", .home = "/root"},
		{.uid = 7, .gid = 7, .user = "", .home = "/home/../x"},
		{.uid = 7, .gid = 7, .user = ".", .home = "home/x"},
		{.uid = 7, .gid = 7, .user = "x/", .home = "/home//x"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy allow = policy_of_pattern("allow read", cases[i].pattern);
		struct policy deny = policy_of_pattern("deny read", cases[i].pattern);
		for (size_t j = 0; j < COUNT(nobody); j++) {
			assert_int_not_equal(
				path_decide(&allow, &nobody[j], READ, cases[i].path).outcome,
				POLICY_ALLOWED);
			assert_int_equal(path_is_denied(&deny, &nobody[j], cases[i].path),
				cases[i].is_denied);
		}
		policy_drop(&allow);
		policy_drop(&deny);
	}
}

static void the_instance_of_a_unit_is_literal_text(void **state)
{
	struct policy policy =
		policy_make("client a {\nfrom unit app@*.service\nallow read /etc/app/%i.key\n}\n");
	struct policy_identity star = alice;
	(void)state;
	star.unit = "app@*.service";
	assert_int_equal(
		path_decide(&policy, &alice, READ, "/etc/app/blue.key").outcome, POLICY_ALLOWED);
	assert_int_not_equal(
		path_decide(&policy, &alice, READ, "/etc/app/red.key").outcome, POLICY_ALLOWED);
	assert_int_not_equal(
		path_decide(&policy, &star, READ, "/etc/app/red.key").outcome, POLICY_ALLOWED);
	policy_drop(&policy);
}

static void a_path_that_is_not_canonical_is_denied(void **state)
{
	static const char *const paths[] = {
		"", "a", "//", "/a/", "/a//b", "/./a", "/a/..", "/a/.", "a/b"};
	struct policy policy = policy_of_pattern("allow read", "/**");
	struct policy deny = policy_of_pattern("deny read", "/nowhere");
	struct policy_peer peer = peer_make(&policy, &alice);
	char path[4200];
	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_int_equal(path_decide(&policy, &alice, READ, paths[i]).outcome,
			POLICY_DENIED_NO_RULE);
		assert_true(path_is_denied(&deny, &alice, paths[i]));
	}
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	assert_int_equal(policy_decide_path(policy.image, &peer, NULL, READ, path, 4095).outcome,
		POLICY_ALLOWED);
	assert_int_not_equal(
		policy_decide_path(policy.image, &peer, NULL, READ, path, 4096).outcome,
		POLICY_ALLOWED);
	path[7] = '\0';
	assert_int_not_equal(policy_decide_path(policy.image, &peer, NULL, READ, path, 20).outcome,
		POLICY_ALLOWED);
	policy_drop(&policy);
	policy_drop(&deny);
}

/* The verdict of a policy on verbs for /a/b by alice. */
struct verdict {
	const char *blocks;
	uint32_t verbs;
	enum policy_outcome outcome;
	uint32_t line; /* of the deciding rule; 0: none */
	uint32_t mode; /* when allowed */
};

#define BLOCK(name, rules) "client " name " {\nfrom user alice\n" rules "\n}\n"

static const struct verdict verdicts[] = {
	/* implications */
	{BLOCK("a", "allow write /a/b"), WRITE, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow write /a/b"), APPEND, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow append /a/b"), WRITE, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow write /a/b"), CREATE, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow read /a/b"), STAT, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow write /a/b"), STAT, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow append /a/b"), STAT, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow create /a/b"), STAT, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow remove,list,watch /a/b"), STAT, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow stat /a/b"), READ, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow stat /a/b"), LIST, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow read,write,append,create /a/b"), REMOVE, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow remove /a/b"), REMOVE, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow watch /a/b"), WATCH, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow read /a/b"), READ | WRITE, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow read,write /a/b"), READ | WRITE, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow read /a/b"), 0, POLICY_DENIED_NO_RULE, 0, 0},
	{BLOCK("a", "allow read /a/b"), READ | 1u << 30, POLICY_DENIED_NO_RULE, 0, 0},
	/* deny beats allow, in every block and any order */
	{BLOCK("a", "deny write /a/*\nallow append /a/b"), APPEND, POLICY_DENIED_BY_RULE, 3, 0},
	{BLOCK("a", "deny write /a/*\nallow create /a/b"), CREATE, POLICY_DENIED_BY_RULE, 3, 0},
	{BLOCK("a", "deny write /a/*\nallow read /a/b"), READ, POLICY_ALLOWED, 4, 0600},
	{BLOCK("a", "deny write /a/*\nallow remove /a/b"), REMOVE, POLICY_DENIED_BY_RULE, 3, 0},
	{BLOCK("a", "deny write /a/*\nallow write /a/b"), STAT, POLICY_ALLOWED, 4, 0600},
	{BLOCK("a", "deny read /a/*\nallow read /a/b"), STAT, POLICY_ALLOWED, 4, 0600},
	{BLOCK("a", "deny stat /a/*\nallow read /a/b"), STAT, POLICY_DENIED_BY_RULE, 3, 0},
	{BLOCK("a", "deny stat /a/*\nallow read /a/b"), READ, POLICY_ALLOWED, 4, 0600},
	{BLOCK("a", "deny remove,list /a/*\nallow watch /a/b"), WATCH, POLICY_ALLOWED, 4, 0600},
	{BLOCK("a", "deny all /a/*\nallow list /a/b"), LIST, POLICY_DENIED_BY_RULE, 3, 0},
	{BLOCK("a", "deny append /a/*\nallow write /a/b"), WRITE, POLICY_ALLOWED, 4, 0600},
	{BLOCK("a", "deny read /a/*\nallow read,write /a/b"), READ | WRITE, POLICY_DENIED_BY_RULE,
		3, 0},
	{BLOCK("a", "allow read /a/b") BLOCK("b", "deny all /**"), READ, POLICY_DENIED_BY_RULE, 7,
		0},
	{BLOCK("a", "deny all /**"), REMOVE, POLICY_DENIED_BY_RULE, 3, 0},
	{BLOCK("a", "allow read /a/b") "client b {\nfrom user bob\ndeny all /**\n}\n", READ,
		POLICY_ALLOWED, 3, 0600},
	/* the most specific pattern */
	{BLOCK("a", "allow create /a/* mode 0640\nallow create /a/b mode 0644"), CREATE,
		POLICY_ALLOWED, 4, 0644},
	{BLOCK("a", "allow create /a/** mode 0640\nallow create /a/* mode 0644"), CREATE,
		POLICY_ALLOWED, 4, 0644},
	{BLOCK("a", "allow create /a/* mode 0640\nallow create /a/b* mode 0644"), CREATE,
		POLICY_ALLOWED, 4, 0644},
	{BLOCK("a", "allow create /*/b mode 0640\nallow create /a/** mode 0644"), CREATE,
		POLICY_ALLOWED, 4, 0644},
	{BLOCK("a", "allow create /** mode 0640\nallow create /**/b mode 0644"), CREATE,
		POLICY_ALLOWED, 4, 0644},
	/* equally specific */
	{BLOCK("a", "allow create /a/b* mode 0640\nallow create /a/*b mode 0644"), CREATE,
		POLICY_DENIED_CONFLICT, 3, 0},
	{BLOCK("a", "allow create /a/b* mode 0640\nallow create /a/*b mode 0640"), CREATE,
		POLICY_ALLOWED, 3, 0640},
	{BLOCK("a", "allow create /a/b* mode 0640\nallow create /a/*b mode 0644\n"
		    "allow create /a/b mode 0666"),
		CREATE, POLICY_ALLOWED, 5, 0666},
	/* the verbs of one request */
	{BLOCK("a", "allow read /a/b\nallow create /a/b mode 0640"), READ | CREATE,
		POLICY_DENIED_CONFLICT, 4, 0},
	{BLOCK("a", "allow read /a/b log none\nallow write /a/b log denied"), READ | WRITE,
		POLICY_ALLOWED, 3, 0600},
	/* nothing is made or opened under stat: what its rules say of that does not matter */
	{BLOCK("a", "allow read /a/b type any\nallow create /a/b mode 0640"), STAT, POLICY_ALLOWED,
		3, 0600},
	{BLOCK("a", "allow read /a/b* type any\nallow create /a/*b mode 0640"), STAT,
		POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow read /a/b* symlinks none\nallow create /a/*b"), STAT,
		POLICY_DENIED_CONFLICT, 3, 0},
	{BLOCK("a", "allow read /a/b* as peer\nallow create /a/*b"), STAT, POLICY_DENIED_CONFLICT,
		3, 0},
	{BLOCK("a", "allow read /a/b* as bob\nallow create /a/*b as alice"), STAT,
		POLICY_DENIED_CONFLICT, 3, 0},
	/* only */
	{BLOCK("a", "allow read /a/**") BLOCK("b only", "allow read /a/b"), READ, POLICY_ALLOWED, 7,
		0600},
	{BLOCK("a", "allow read /a/**") BLOCK("b only", "allow read /c"), READ,
		POLICY_DENIED_NARROWED, 7, 0},
	{BLOCK("a", "allow read,write /a/**") BLOCK("b only", "allow read /a/b"), READ | WRITE,
		POLICY_DENIED_NARROWED, 7, 0},
	{BLOCK("a only", "allow read /a/b") BLOCK("b only", "allow read /a/*"), READ,
		POLICY_ALLOWED, 3, 0600},
	{BLOCK("a only", "allow read /a/b") BLOCK("b only", "allow read /c"), READ,
		POLICY_DENIED_NARROWED, 7, 0},
	{BLOCK("a", "allow read /a/b") BLOCK("b only", ""), READ, POLICY_DENIED_NARROWED, 0, 0},
	{BLOCK("a only", "allow read /a/b"), READ, POLICY_ALLOWED, 3, 0600},
	{BLOCK("a", "allow create /a/b mode 0640") BLOCK("b only", "allow create /a/b mode 0644"),
		CREATE, POLICY_ALLOWED, 7, 0644},
	{BLOCK("a", "allow create /a/b mode 0640") BLOCK("b only", "allow create /a/* mode 0644"),
		CREATE, POLICY_ALLOWED, 3, 0640},
	{BLOCK("a", "allow create /c") BLOCK("b only", "allow read /c"), READ,
		POLICY_DENIED_NO_RULE, 0, 0},
};

static void a_request_is_judged_by_all_rules_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct verdict *expected = &verdicts[i];
		struct policy policy = policy_make(expected->blocks);
		struct policy_location where;
		struct policy_decision decision =
			path_decide(&policy, &alice, expected->verbs, "/a/b");
		policy_image_location(policy.image, decision.rule, &where);
		bool is_allowed = decision.outcome == POLICY_ALLOWED;
		if (decision.outcome != expected->outcome || where.line != expected->line ||
			(is_allowed && decision.options.mode != expected->mode))
			fail_msg("%s: outcome %d, line %u, mode %o", expected->blocks,
				decision.outcome, where.line, decision.options.mode);
		policy_drop(&policy);
	}
}

static void both_rules_of_a_conflict_are_given(void **state)
{
	static const struct {
		const char *rules;
		uint32_t verbs, line, other;
	} cases[] = {
		{"allow create /a/b* mode 0640\nallow create /a/*b mode 0644", CREATE, 3, 4},
		/* A wider one is none of them, wherever it stands. */
		{"allow create /a/** mode 0666\nallow create /a/b* mode 0640\n"
		 "allow create /a/*b mode 0644\nallow create /** mode 0600",
			CREATE, 4, 5},
		{"allow create /a/b* mode 0640\nallow create /a/?* mode 0640\n"
		 "allow create /a/*b mode 0644",
			CREATE, 3, 5},
		/* Of one that is narrower no conflict is left. */
		{"allow read /a/b\nallow create /a/b* mode 0640\nallow create /a/*b mode 0644\n"
		 "allow create /a/b mode 0666",
			READ | CREATE, 6, 3},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		snprintf(text, sizeof(text), "client a {\nfrom anyone\n%s\n}\n", cases[i].rules);
		struct policy policy = policy_make(text);
		struct policy_location rule, other;
		struct policy_decision decision =
			path_decide(&policy, &alice, cases[i].verbs, "/a/b");
		assert_int_equal(decision.outcome, POLICY_DENIED_CONFLICT);
		policy_image_location(policy.image, decision.rule, &rule);
		policy_image_location(policy.image, decision.other, &other);
		if (rule.line != cases[i].line || other.line != cases[i].other)
			fail_msg("%s: lines %u and %u", cases[i].rules, rule.line, other.line);
		policy_drop(&policy);
	}
}

static void the_options_of_the_deciding_rule_are_given(void **state)
{
	struct policy policy = policy_make(BLOCK("a",
		"allow create,read /a mode 0640 owner www-data:adm symlinks none log denied\n"
		"allow read /b\nallow create /c owner bob\nallow create /d owner 12"));
	(void)state;
	struct policy_options a = path_decide(&policy, &alice, CREATE | READ, "/a").options;
	assert_int_equal(a.mode, 0640);
	assert_int_equal(a.uid, 33);
	assert_int_equal(a.gid, 4);
	assert_int_equal(a.symlinks, POLICY_SYMLINKS_NONE);
	assert_int_equal(a.log, POLICY_LOG_DENIED);
	struct policy_options b = path_decide(&policy, &alice, READ, "/b").options;
	assert_int_equal(b.mode, 0600);
	assert_int_equal(b.uid, POLICY_OWNER_DEFAULT);
	assert_int_equal(b.gid, POLICY_OWNER_DEFAULT);
	assert_int_equal(b.types, POLICY_TYPE_FILE);
	assert_int_equal(b.symlinks, POLICY_SYMLINKS_TRUSTED);
	assert_int_equal(b.log, POLICY_LOG_ALL);
	assert_int_equal(path_decide(&policy, &alice, CREATE, "/c").options.gid, 1102);
	assert_int_equal(path_decide(&policy, &alice, CREATE, "/d").options.uid, 12);
	assert_int_equal(
		path_decide(&policy, &alice, CREATE, "/d").options.gid, POLICY_OWNER_DEFAULT);
	policy_drop(&policy);
}

static void a_user_to_act_as_has_its_groups(void **state)
{
	struct policy policy = policy_make(
		BLOCK("a", "allow read /a as alice\nallow read /b as bob\nallow read /c as 1001\n"
			   "allow read /d as alias\nallow read /e as peer\nallow read /f as root\n"
			   "allow read /g"));
	static const struct {
		const char *path;
		uint32_t uid, gid, group_count, last_group;
	} cases[] = {
		{"/a", 1001, 1101, 2, 50},
		{"/b", 1002, 1102, 1, 1102},
		{"/c", 1001, 1101, 2, 50},
		{"/d", 1001, 1101, 1, 1101},
		{"/f", 0, 0, 1, 0},
	};
	struct policy_user user;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_options options =
			path_decide(&policy, &alice, READ, cases[i].path).options;
		assert_int_equal(options.as, POLICY_AS_USER);
		policy_image_user(policy.image, options.as_user, &user);
		assert_int_equal(user.uid, cases[i].uid);
		assert_int_equal(user.gid, cases[i].gid);
		assert_int_equal(user.group_count, cases[i].group_count);
		assert_int_equal(user.groups[user.group_count - 1], cases[i].last_group);
	}
	assert_int_equal(path_decide(&policy, &alice, READ, "/e").options.as, POLICY_AS_PEER);
	assert_int_equal(path_decide(&policy, &alice, READ, "/g").options.as, POLICY_AS_BROKER);
	assert_int_equal(path_decide(&policy, &alice, READ, "/a").options.as_user,
		path_decide(&policy, &alice, READ, "/c").options.as_user);
	policy_image_user(policy.image, 4, &user); /* one more than there are */
	assert_int_equal(user.uid, UINT32_MAX);
	assert_int_equal(user.gid, UINT32_MAX);
	assert_int_equal(user.group_count, 0);
	policy_drop(&policy);
}

static void nothing_is_done_as_a_user_that_does_not_exist(void **state)
{
	static const char *const users[] = {"ghost", "4711", "nobody-to-be"};
	(void)state;
	for (size_t i = 0; i < COUNT(users); i++) {
		char text[128];
		snprintf(text, sizeof(text), BLOCK("a", "allow read /** as %s"), users[i]);
		struct policy policy = policy_make(text);
		assert_int_equal(policy_set_count(policy.set, POLICY_WARNING), 1);
		assert_int_equal(
			path_decide(&policy, &alice, READ, "/a").outcome, POLICY_DENIED_NO_RULE);
		policy_drop(&policy);
	}
}

static void a_copy_has_a_size_of_its_own(void **state)
{
	struct policy policy = policy_make(BLOCK("a",
		"allow read /a copy\nallow read /b copy max 64K as bob\nallow read /c max 1 copy\n"
		"allow read /d\nallow write /a"));
	(void)state;
	assert_int_equal(
		path_decide(&policy, &alice, READ, "/a").options.copy_max, POLICY_COPY_MAX_DEFAULT);
	assert_int_equal(path_decide(&policy, &alice, READ, "/b").options.copy_max, 65536);
	assert_int_equal(path_decide(&policy, &alice, READ, "/b").options.as, POLICY_AS_USER);
	assert_int_equal(path_decide(&policy, &alice, READ, "/c").options.copy_max, 1);
	assert_int_equal(path_decide(&policy, &alice, READ, "/d").options.copy_max, 0);
	assert_int_equal(
		path_decide(&policy, &alice, READ | WRITE, "/a").outcome, POLICY_DENIED_CONFLICT);
	policy_drop(&policy);
}

static void a_denial_is_recorded_as_its_own_rule_says(void **state)
{
	struct policy policy = policy_make("client a {\nfrom anyone\n"
					   "allow read /a log all\n"
					   "deny read /b log none\n"
					   "deny read /c log denied\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	(void)state;
	static const uint8_t logs[] = {POLICY_LOG_NONE, POLICY_LOG_DENIED};
	for (uint32_t i = 0; i < COUNT(logs); i++) {
		const char *path = i ? "/c" : "/b";
		uint32_t rule = policy_deny_path(policy.image, &peer, READ, path, 2);
		struct policy_decision denial = policy_denial(policy.image, rule);
		assert_int_equal(rule, i + 1);
		assert_int_equal(denial.outcome, POLICY_DENIED_BY_RULE);
		assert_int_equal(denial.rule, rule);
		assert_int_equal(denial.options.log, logs[i]);
	}
	struct policy_decision denial = policy_denial(policy.image, POLICY_NO_RULE);
	assert_int_equal(denial.outcome, POLICY_DENIED_NO_RULE);
	assert_int_equal(denial.rule, POLICY_NO_RULE);
	assert_int_equal(denial.options.log, POLICY_LOG_ALL);
	policy_drop(&policy);
}

static void the_home_of_the_peer_counts_as_the_path_it_is(void **state)
{
	struct policy policy = policy_make(BLOCK("a", "allow create /home/*/x mode 0640\n"
						      "allow create %h/* mode 0644"));
	(void)state;
	assert_int_equal(path_decide(&policy, &alice, CREATE, "/home/alice/x").options.mode, 0644);
	policy_drop(&policy);
}

static void equal_patterns_with_different_options_are_an_error(void **state)
{
	static const struct {
		const char *text;
		bool is_error;
	} cases[] = {
		{BLOCK("a", "allow create /a mode 0640\nallow create /a mode 0644"), true},
		{BLOCK("a", "allow create /a mode 0640\nallow create /a mode 0640"), false},
		{BLOCK("a", "allow create /a mode 0640\nallow read /a"), false},
		{BLOCK("a", "allow write /a mode 0640\nallow append /a"), true},
		{BLOCK("a", "allow read /a copy\nallow write /a"), false},
		{BLOCK("a", "allow read /a copy\nallow read /a"), true},
		{BLOCK("a", "allow read /a copy\nallow read /a copy max 1024K"), false},
		{BLOCK("a", "allow read /a copy\nallow read /a copy max 1025K"), true},
		{BLOCK("a", "allow read /a\nallow write /a symlinks none"), true},
		{BLOCK("a", "allow read /a as peer\nallow write /a"), true},
		{BLOCK("a", "allow read /a as peer\nallow remove /a"), false},
		{BLOCK("a", "allow read /a as peer\nallow list /a as bob"), false},
		{BLOCK("a", "allow read /a as alice\nallow read /a as alice"), false},
		{BLOCK("a", "allow read /a as alice\nallow read /a as 1001"), false},
		{BLOCK("a", "allow read /a as alice\nallow read /a as alias"), true},
		{BLOCK("a", "allow read /a as alice\nallow read /a as peer"), true},
		{BLOCK("a", "allow read /a as alice\nallow read /a as ghost"), false},
		{BLOCK("a", "allow read /a log none\nallow read /a"), false},
		{BLOCK("a", "allow read /[*] symlinks none\nallow read \"/\\x2a\""), true},
		{BLOCK("a", "allow create /a/**/**/b mode 0640\nallow create /a/**/b"), true},
		{BLOCK("a", "allow create /a mode 0640") BLOCK("b", "allow create /a"), true},
		{BLOCK("a", "allow create /a mode 0640") BLOCK("b only", "allow create /a"), false},
		{BLOCK("a", "allow create /a mode 0640") "client b {\nfrom user bob\n"
							 "allow create /a\n}\n",
			false},
		{BLOCK("a", "allow create /a mode 0640") "client b {\nfrom user bob\n"
							 "from group adm\nallow create /a\n}\n",
			true},
		{BLOCK("a", "allow create /a mode 0640") "client b {\nfrom anyone\n"
							 "allow create /a\n}\n",
			true},
		{"client a {\nfrom unit a.service\nallow create /a mode 0640\n}\n"
		 "client b {\nfrom unit b.service\nallow create /a\n}\n",
			false},
		{"client a {\nfrom unit a@*.service\nallow create /a mode 0640\n}\n"
		 "client b {\nfrom unit b.service\nallow create /a\n}\n",
			false},
		{"client a {\nfrom user 1-9\nallow create /a mode 0640\n}\n"
		 "client b {\nfrom user 9-12\nallow create /a\n}\n",
			true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy policy = policy_try(cases[i].text);
		if ((policy.result == -EINVAL) != cases[i].is_error)
			fail_msg("%s: %d", cases[i].text, policy.result);
		policy_drop(&policy);
	}
}

/* Each of the patterns would make a backtracking matcher try for ever. */
static void no_combination_of_wildcards_takes_long(void **state)
{
	struct policy policy =
		policy_make(BLOCK("a", "allow read /**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b\n"
				       "allow read /x/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"));
	char path[4095];
	struct policy_peer peer = peer_make(&policy, &alice);
	(void)state;
	for (size_t i = 0; i + 1 < sizeof(path); i += 2)
		memcpy(path + i, "/a", 2);
	assert_int_not_equal(
		policy_decide_path(policy.image, &peer, NULL, READ, path, sizeof(path) - 1).outcome,
		POLICY_ALLOWED);
	memset(path, 'a', sizeof(path));
	memcpy(path, "/x/", 3);
	assert_int_not_equal(
		policy_decide_path(policy.image, &peer, NULL, READ, path, sizeof(path)).outcome,
		POLICY_ALLOWED);
	policy_drop(&policy);
}

/* A policy text that grows. */
static void text_append(char **text, size_t *length, const char *line)
{
	size_t size = strlen(line);
	*text = realloc(*text, *length + size + 1);
	assert_non_null(*text);
	memcpy(*text + *length, line, size + 1);
	*length += size;
}

static void what_needs_too_many_places_at_once_is_denied(void **state)
{
	char *text = NULL;
	size_t length = 0;
	(void)state;
	text_append(&text, &length, "client a {\nfrom anyone\nallow read /x\n");
	for (int i = 0; i < 600; i++) {
		char line[64];
		snprintf(line, sizeof(line), "allow read /*[!%c]*[!%c]*/x\n", 'a' + i % 25,
			'A' + i / 25);
		text_append(&text, &length, line);
	}
	text_append(&text, &length, "}\n");
	struct policy policy = policy_make(text);
	assert_int_equal(path_decide(&policy, &alice, READ, "/x").outcome, POLICY_ALLOWED);
	assert_int_equal(
		path_decide(&policy, &alice, READ, "/...../x").outcome, POLICY_DENIED_NO_RULE);
	assert_int_equal(
		path_decide(&policy, &alice, READ, "/zzzzz/x").outcome, POLICY_DENIED_NO_RULE);
	policy_drop(&policy);
	free(text);
}

static void a_hundred_thousand_rules_compile_and_give_the_same_image_twice(void **state)
{
	char *text = malloc(16u << 20);
	size_t length = 0;
	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 100000; i++) {
		char line[128];
		if (i % 1000 == 0)
			length += (size_t)sprintf(text + length, "%sclient c%d {\nfrom user %d\n",
				i ? "}\n" : "", i / 1000, 1000 + i / 1000);
		snprintf(line, sizeof(line), "allow read /srv/%d/%s%d/**\n", i % 97,
			i % 3 ? "d" : "*.", i);
		length += (size_t)sprintf(text + length, "%s", line);
	}
	length += (size_t)sprintf(text + length, "}\n");
	struct policy first = policy_make(text), second = policy_make(text);
	assert_int_equal(policy_image_rule_count(first.image), 100000);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.bytes, second.bytes, first.size);
	assert_int_equal(
		path_decide(&first, &alice, READ, "/srv/44/d1111/x").outcome, POLICY_ALLOWED);
	assert_int_equal(
		path_decide(&first, &alice, READ, "/srv/45/d1112/x").outcome, POLICY_ALLOWED);
	assert_int_not_equal(
		path_decide(&first, &alice, READ, "/srv/44/d1112/x").outcome, POLICY_ALLOWED);
	policy_drop(&first);
	policy_drop(&second);
	free(text);
}

static void an_image_of_another_kind_is_not_opened(void **state)
{
	struct policy policy = policy_of_pattern("allow read", "/a");
	uint32_t *words = policy.bytes;
	(void)state;
	assert_null(policy_image_open(policy.bytes, policy.size - 1));
	assert_null(policy_image_open(policy.bytes, 8));
	assert_null(policy_image_open(NULL, 0));
	words[2]++; /* the version */
	assert_null(policy_image_open(policy.bytes, policy.size));
	words[2]--;
	words[0]++;
	assert_null(policy_image_open(policy.bytes, policy.size));
	policy_drop(&policy);
}

static void the_image_means_the_same_wherever_it_is(void **state)
{
	struct policy policy = policy_of_pattern("allow read", "/a/x*");
	struct policy_peer peer = peer_make(&policy, &alice);
	void *copy = aligned_alloc(16, (policy.size + 15) / 16 * 16);
	(void)state;
	memcpy(copy, policy.bytes, policy.size);
	memset(policy.bytes, 0xff, policy.size);
	const struct policy_image *image = policy_image_open(copy, policy.size);
	assert_non_null(image);
	assert_int_equal(
		policy_decide_path(image, &peer, NULL, READ, "/a/xy", 5).outcome, POLICY_ALLOWED);
	free(copy);
	policy_drop(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_matches_what_the_manual_says),
		cmocka_unit_test(
			a_final_deep_wildcard_includes_the_folder_under_list_stat_and_watch),
		cmocka_unit_test(an_undefined_variable_never_allows_and_always_denies),
		cmocka_unit_test(the_instance_of_a_unit_is_literal_text),
		cmocka_unit_test(a_path_that_is_not_canonical_is_denied),
		cmocka_unit_test(a_request_is_judged_by_all_rules_together),
		cmocka_unit_test(both_rules_of_a_conflict_are_given),
		cmocka_unit_test(the_options_of_the_deciding_rule_are_given),
		cmocka_unit_test(a_user_to_act_as_has_its_groups),
		cmocka_unit_test(nothing_is_done_as_a_user_that_does_not_exist),
		cmocka_unit_test(a_copy_has_a_size_of_its_own),
		cmocka_unit_test(a_denial_is_recorded_as_its_own_rule_says),
		cmocka_unit_test(the_home_of_the_peer_counts_as_the_path_it_is),
		cmocka_unit_test(equal_patterns_with_different_options_are_an_error),
		cmocka_unit_test(no_combination_of_wildcards_takes_long),
		cmocka_unit_test(what_needs_too_many_places_at_once_is_denied),
		cmocka_unit_test(a_hundred_thousand_rules_compile_and_give_the_same_image_twice),
		cmocka_unit_test(an_image_of_another_kind_is_not_opened),
		cmocka_unit_test(the_image_means_the_same_wherever_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

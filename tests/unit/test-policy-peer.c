/* SPDX-License-Identifier: MIT */
/* Which blocks concern which peer, and what the variables stand for. */
#include "policy-support.h"

#include <errno.h>

static const uint32_t adm_and_staff[] = {4, 50};

struct membership {
	const char *from;
	struct policy_identity identity;
	bool is_concerned;
};

static const struct membership memberships[] = {
	{"from anyone", {.uid = 7}, true},
	{"from user alice", {.uid = 1001}, true},
	{"from user alice", {.uid = 1002}, false},
	{"from user 5-9", {.uid = 5}, true},
	{"from user 5-9", {.uid = 9}, true},
	{"from user 5-9", {.uid = 10}, false},
	{"from user 0", {.uid = 0}, true},
	{"from group adm", {.gid = 4}, true},
	{"from group adm", {.gid = 5}, false},
	{"from group adm group staff", {.gid = 5, .groups = adm_and_staff, .group_count = 2}, true},
	{"from group adm group staff", {.gid = 5, .groups = adm_and_staff, .group_count = 1},
		false},
	{"from group adm\nfrom group staff", {.gid = 5, .groups = adm_and_staff, .group_count = 1},
		true},
	{"from user alice group adm", {.uid = 1001, .gid = 5}, false},
	{"from unit nginx.service", {.unit = "nginx.service"}, true},
	{"from unit nginx.service", {.unit = "nginx.service2"}, false},
	{"from unit nginx.service", {.unit = NULL}, false},
	{"from unit *", {.unit = NULL}, false},
	{"from unit *", {.unit = ""}, false},
	{"from unit app@*.service", {.unit = "app@x.service"}, true},
	{"from unit app@*.service", {.unit = "app@x.socket"}, false},
	{"from unit app-[0-9].service", {.unit = "app-7.service"}, true},
};

static void a_block_concerns_whom_its_from_lines_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(memberships); i++) {
		char text[256];
		snprintf(text, sizeof(text), "client a {\n%s\n}\n", memberships[i].from);
		struct policy policy = policy_make(text);
		struct policy_peer peer = peer_make(&policy, &memberships[i].identity);
		if (peer.block_count != memberships[i].is_concerned)
			fail_msg("%s: uid %u", text, memberships[i].identity.uid);
		policy_drop(&policy);
	}
}

static struct policy policy_of_blocks(int count)
{
	static char text[8192];
	size_t length = 0;
	for (int i = 0; i < count; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length, "client c%d {\nfrom anyone\n}\n", i);
	return policy_make(text);
}

static void as_many_blocks_as_a_peer_can_hold_match_and_not_one_more(void **state)
{
	struct policy most = policy_of_blocks(POLICY_PEER_BLOCKS_MAX);
	struct policy more = policy_of_blocks(POLICY_PEER_BLOCKS_MAX + 1);
	struct policy_peer peer;
	(void)state;
	assert_int_equal(policy_peer_init(&peer, most.image, &alice), 0);
	assert_int_equal(peer.block_count, POLICY_PEER_BLOCKS_MAX);
	for (uint16_t i = 0; i < POLICY_PEER_BLOCKS_MAX; i++)
		assert_int_equal(peer.blocks[i], i);
	assert_int_equal(policy_peer_init(&peer, more.image, &alice), -E2BIG);
	policy_drop(&most);
	policy_drop(&more);
}

static void the_instance_stands_between_the_at_sign_and_the_suffix(void **state)
{
	static const struct {
		const char *unit, *instance;
	} cases[] = {
		{"app@blue.service", "blue"},
		{"app@a.b@c.service", "a.b@c"},
		{"app@.service", ""},
		{"app.service", ""},
		{"a.b@c", ""},
		{"app@..service", ""},
		{"app@...service", ""},
		{"app@a/b.service", ""},
	};
	struct policy policy = policy_of_blocks(1);
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_identity identity = {.unit = cases[i].unit};
		struct policy_peer peer = peer_make(&policy, &identity);
		assert_string_equal(peer.text + peer.instance, cases[i].instance);
		assert_string_equal(peer.text + peer.unit, cases[i].unit);
	}
	policy_drop(&policy);
}

static void what_does_not_fit_the_text_is_undefined(void **state)
{
	char name[POLICY_PEER_TEXT_MAX];
	struct policy policy = policy_of_blocks(1);
	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	struct policy_identity identity = {.user = name, .home = "/home/x"};
	struct policy_peer peer = peer_make(&policy, &identity);
	assert_int_equal(peer.user, 0);
	assert_string_equal(peer.text + peer.home, "/home/x");
	identity.user = name + 1;
	peer = peer_make(&policy, &identity);
	assert_string_equal(peer.text + peer.user, name + 1);
	assert_int_equal(peer.home, 0);
	policy_drop(&policy);
}

#define VERB(verb) .allowed_verbs = POLICY_BIT(POLICY_##verb)
#define KIND(kind) .allowed_kinds = 1u << POLICY_##kind

static const struct {
	const char *rule;
	struct policy_needs needs;
} needs_cases[] = {
	{"allow read /a", {VERB(READ)}},
	{"allow create /a owner 3", {VERB(CREATE), .owner = true}},
	{"allow write /a owner 3", {VERB(WRITE)}}, /* it creates nothing */
	{"allow bind tcp:1024", {VERB(BIND), KIND(TCP)}},
	{"allow bind tcp:1023-2000", {VERB(BIND), KIND(TCP), .low_port = true}},
	{"allow bind tcp:*", {VERB(BIND), KIND(TCP), .low_port = true}},
	{"allow bind tcp:0", {VERB(BIND), KIND(TCP)}},
	{"allow bind udp:80", {VERB(BIND), KIND(UDP), .low_port = true}},
	{"allow bind vsock:*:0", {VERB(BIND), KIND(VSOCK), .low_port = true}},
	{"allow bind vsock:*:1024-2000", {VERB(BIND), KIND(VSOCK)}},
	{"allow bind unix:/a", {VERB(BIND), .unix_path = true}},
	{"allow bind unix:/%u owner 3",
		{VERB(BIND), .unix_path = true, .owner = true, .user_name = true}},
	{"allow connect tcp:80", {VERB(CONNECT), KIND(TCP)}},
	{"allow connect tcp:a.b:80 udp:1",
		{VERB(CONNECT), .allowed_kinds = 1u << POLICY_TCP | 1u << POLICY_UDP}},
	{"allow socket icmp", {VERB(SOCKET), KIND(ICMP)}},
	{"allow socket raw:1", {VERB(SOCKET), KIND(RAW)}},
	{"allow socket tun:a", {VERB(SOCKET), KIND(TUN)}},
	{"allow option mark=1", {VERB(OPTION), KIND(MARK)}},
	{"allow option bindtodevice=eth0", {VERB(OPTION), KIND(BINDTODEVICE)}},
	{"allow resolve host:*", {VERB(RESOLVE), KIND(HOST)}},
	{"allow bind tcp:4000 with freebind,v6only",
		{VERB(BIND), KIND(TCP), .with = POLICY_WITH_FREEBIND | POLICY_WITH_V6ONLY}},
	{"allow bind tcp:4000 with device=eth0", {VERB(BIND), KIND(TCP), .device = true}},
	{"deny bind tcp:80 unix:/a", {.allowed_verbs = 0}},
	{"deny all icmp", {.allowed_verbs = 0}},
	{"allow read /%u", {VERB(READ), .user_name = true}},
	{"deny read %h/a", {.user_name = true}},
	{"allow read /a as peer", {VERB(READ), .as = true, .as_peer = true}},
	{"allow list /a as bob", {VERB(LIST), .as = true}},
	{"allow read /a copy", {VERB(READ), .copy = true}},
	{"allow remove /a", {VERB(REMOVE)}},
	{"allow credential a=/a", {VERB(CREDENTIAL)}},
	{"allow credential a=%h/a", {VERB(CREDENTIAL), .user_name = true}},
};

static void what_the_broker_needs_follows_from_the_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(needs_cases); i++) {
		char text[256];
		struct policy_needs needs;
		const struct policy_needs *expected = &needs_cases[i].needs;
		snprintf(text, sizeof(text), "client a {\nfrom anyone\n%s\n}\n",
			needs_cases[i].rule);
		struct policy policy = policy_make(text);
		policy_image_needs(policy.image, &needs);
		uint32_t own_verbs = expected->as ? 0 : expected->allowed_verbs;
		bool is_right =
			needs.allowed_verbs == expected->allowed_verbs &&
			needs.own_verbs == own_verbs &&
			needs.allowed_kinds == expected->allowed_kinds &&
			needs.with == expected->with && needs.device == expected->device &&
			needs.owner == expected->owner && needs.low_port == expected->low_port &&
			needs.unix_path == expected->unix_path && needs.as == expected->as &&
			needs.as_peer == expected->as_peer && needs.copy == expected->copy &&
			needs.user_name == expected->user_name && !needs.unit;
		if (!is_right)
			fail_msg("%s", needs_cases[i].rule);
		policy_drop(&policy);
	}
}

#define NONE UINT32_MAX

static const struct {
	const char *blocks;
	struct policy_quota quota;
} quota_cases[] = {
	{"client a {\nfrom anyone\n}\n", {NONE, NONE, NONE}},
	{"client a {\nfrom anyone\nlimit sessions 4\n}\n", {4, NONE, NONE}},
	{"client a {\nfrom anyone\nlimit unread 3 requests 5/s sessions 4\n}\n", {4, 5, 3}},
	{"client a {\nlimit requests 5 /s\nfrom anyone\n}\n", {NONE, 5, NONE}},
	/* the smallest wins: of a line, of a block, of all blocks that concern the peer */
	{"client a {\nfrom anyone\nlimit sessions 4 sessions 3\n}\n", {3, NONE, NONE}},
	{"client a {\nfrom anyone\nlimit sessions 3\nlimit sessions 4 unread 1\n}\n", {3, NONE, 1}},
	{"client a {\nfrom user alice\nlimit sessions 4 unread 1\n}\n"
	 "client b only {\nfrom unit app@*.service\nlimit sessions 2 unread 9\n}\n",
		{2, NONE, 1}},
	{"client a {\nfrom anyone\nlimit sessions 2 requests 3/s unread 4\n}\n"
	 "client b {\nfrom anyone\nlimit sessions 5 requests 6/s unread 7\n}\n",
		{2, 3, 4}},
	{"client a {\nfrom anyone\nlimit sessions 5 requests 6/s unread 7\n}\n"
	 "client b {\nfrom anyone\nlimit sessions 2 requests 3/s unread 4\n}\n",
		{2, 3, 4}},
	{"client a {\nfrom user alice\nlimit sessions 4\n}\n"
	 "client b {\nfrom user bob\nlimit sessions 2 requests 1/s\n}\n",
		{4, NONE, NONE}},
	{"client a {\nfrom anyone\nlimit requests 4294967294/s\n}\n", {NONE, 4294967294, NONE}},
};

static void the_smallest_limit_of_all_blocks_of_a_peer_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(quota_cases); i++) {
		struct policy policy = policy_make(quota_cases[i].blocks);
		struct policy_peer peer = peer_make(&policy, &alice);
		struct policy_quota quota = policy_peer_quota(policy.image, &peer);
		const struct policy_quota *expected = &quota_cases[i].quota;
		if (quota.sessions != expected->sessions || quota.requests != expected->requests ||
			quota.unread != expected->unread)
			fail_msg("%s", quota_cases[i].blocks);
		policy_drop(&policy);
	}
}

/* ---- what it may have, as text ---- */

static void the_length_of_what_a_peer_may_have_is_known_without_writing_it(void **state)
{
	static const char *const rules[] = {"", "allow read /a /b\n\tallow list,read /c\n",
		"deny all \"/a b\"\n\tlimit sessions 3 requests 7/s unread 1\n"};
	struct policy_limits limits = {.text = "read /a\0", .length = 8};
	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		char source[256], text[1024];
		snprintf(source, sizeof(source),
			"client \"a b\" {\n\tfrom user alice\n\t%s}\nclient all only {\n\tfrom "
			"anyone\n\tallow read /**\n}\n",
			rules[i]);
		struct policy policy = policy_make(source);
		struct policy_peer peer = peer_make(&policy, &alice);
		size_t length =
			policy_grants_write(policy.image, &peer, &limits, text, sizeof(text));
		assert_in_range(length, 100, sizeof(text));
		assert_int_equal(
			policy_grants_write(policy.image, &peer, &limits, NULL, 0), length);
		policy_drop(&policy);
	}
}

/* A client wrote it, and another reads it on a terminal. */
static void what_a_connection_was_narrowed_to_is_written_escaped(void **state)
{
	static const char set[] = "read \"/a\x1b\\\"\nlist /b\x7f";
	struct policy policy = policy_make("client web {\n\tfrom user alice\n\tallow read /a\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	struct policy_limits limits = {.text = set, .length = sizeof(set)};
	char text[1024];
	size_t length = policy_grants_write(policy.image, &peer, &limits, text, sizeof(text) - 1);
	(void)state;
	assert_in_range(length, 1, sizeof(text) - 1);
	text[length] = '\0';
	assert_non_null(
		strstr(text, "# narrowed to:\n#\tread \\x22/a\\x1b\\x5c\\x22\n#\tlist /b\\x7f\n"));
	policy_drop(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_length_of_what_a_peer_may_have_is_known_without_writing_it),
		cmocka_unit_test(what_a_connection_was_narrowed_to_is_written_escaped),
		cmocka_unit_test(a_block_concerns_whom_its_from_lines_say),
		cmocka_unit_test(as_many_blocks_as_a_peer_can_hold_match_and_not_one_more),
		cmocka_unit_test(the_instance_stands_between_the_at_sign_and_the_suffix),
		cmocka_unit_test(what_does_not_fit_the_text_is_undefined),
		cmocka_unit_test(what_the_broker_needs_follows_from_the_rules),
		cmocka_unit_test(the_smallest_limit_of_all_blocks_of_a_peer_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

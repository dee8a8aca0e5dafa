/* SPDX-License-Identifier: MIT */
/* What a policy means for bind on tcp and udp. */
#include "policy-support.h"

#include <arpa/inet.h>

struct endpoint_case {
	const char *rules; /* of a block from anyone */
	const char *protocol, *address;
	uint16_t port;
	uint32_t scope;
	enum policy_outcome outcome;
};

#define OK POLICY_ALLOWED
#define NO POLICY_DENIED_NO_RULE
#define DENY POLICY_DENIED_BY_RULE

static const struct endpoint_case cases[] = {
	{"allow bind tcp:80", "tcp", "10.1.2.3", 80, 0, OK},
	{"allow bind tcp:80", "tcp", "2001:db8::1", 80, 0, OK},
	{"allow bind tcp:80", "udp", "10.1.2.3", 80, 0, NO},
	{"allow bind tcp:80", "tcp", "10.1.2.3", 81, 0, NO},
	{"allow bind tcp:http", "tcp", "10.1.2.3", 80, 0, OK},
	{"allow bind udp:domain", "udp", "10.1.2.3", 53, 0, OK},
	{"allow bind tcp:80,443", "tcp", "10.1.2.3", 443, 0, OK},
	{"allow bind tcp:1000-1999", "tcp", "10.1.2.3", 1000, 0, OK},
	{"allow bind tcp:1000-1999", "tcp", "10.1.2.3", 1999, 0, OK},
	{"allow bind tcp:1000-1999", "tcp", "10.1.2.3", 1500, 0, OK},
	{"allow bind tcp:1000-1999", "tcp", "10.1.2.3", 999, 0, NO},
	{"allow bind tcp:1000-1999", "tcp", "10.1.2.3", 2000, 0, NO},
	{"allow bind tcp:*", "tcp", "10.1.2.3", 0, 0, OK},
	{"allow bind tcp:*", "tcp", "10.1.2.3", 65535, 0, OK},
	{"allow bind tcp:0", "tcp", "10.1.2.3", 0, 0, OK},
	{"allow bind tcp:0", "tcp", "10.1.2.3", 1, 0, NO},
	{"allow bind tcp:1-65535", "tcp", "10.1.2.3", 0, 0, NO},
	{"allow bind tcp:1-65535", "tcp", "10.1.2.3", 65535, 0, OK},
	{"allow bind tcp:10.1.2.3:80", "tcp", "10.1.2.3", 80, 0, OK},
	{"allow bind tcp:10.1.2.3:80", "tcp", "10.1.2.4", 80, 0, NO},
	{"allow bind tcp:10.0.0.0/8:80", "tcp", "10.255.2.3", 80, 0, OK},
	{"allow bind tcp:10.0.0.0/8:80", "tcp", "11.0.0.0", 80, 0, NO},
	{"allow bind tcp:10.0.0.0/8:80", "tcp", "a00::", 80, 0, NO},
	{"allow bind tcp:[2001:db8::]/33:80", "tcp", "2001:db8:7fff::1", 80, 0, OK},
	{"allow bind tcp:[2001:db8::]/33:80", "tcp", "2001:db8:8000::1", 80, 0, NO},
	{"allow bind tcp:[fe80::1%eth0]:80", "tcp", "fe80::1", 80, 2, OK},
	{"allow bind tcp:[fe80::1%eth0]:80", "tcp", "fe80::1", 80, 3, NO},
	{"allow bind tcp:[fe80::1%eth0]:80", "tcp", "fe80::1", 80, 0, NO},
	{"allow bind tcp:[fe80::1]:80", "tcp", "fe80::1", 80, 3, OK},
	{"allow bind tcp:[2001:db8::1]:80", "tcp", "2001:db8::1", 80, 99, OK},
	/* a mapped address is its IPv4 address */
	{"allow bind tcp:[::ffff:10.1.2.3]:80", "tcp", "10.1.2.3", 80, 0, OK},
	{"allow bind tcp:[::ffff:10.0.0.0]/104:80", "tcp", "10.1.2.3", 80, 0, OK},
	{"allow bind tcp:10.1.2.3:80", "tcp", "::ffff:10.1.2.3", 80, 0, OK},
	{"allow bind tcp:[::]/0:80", "tcp", "::ffff:10.1.2.3", 80, 0, NO},
	/* the unspecified address is all addresses */
	{"allow bind tcp:80", "tcp", "0.0.0.0", 80, 0, OK},
	{"allow bind tcp:0.0.0.0/0:80", "tcp", "0.0.0.0", 80, 0, OK},
	{"allow bind tcp:0.0.0.0:80", "tcp", "0.0.0.0", 80, 0, OK},
	{"allow bind tcp:0.0.0.0:80", "tcp", "10.1.2.3", 80, 0, NO},
	{"allow bind tcp:0.0.0.0/8:80", "tcp", "0.0.0.0", 80, 0, NO},
	{"allow bind tcp:10.1.2.3:80", "tcp", "0.0.0.0", 80, 0, NO},
	{"allow bind tcp:80", "tcp", "::", 80, 0, OK},
	{"allow bind tcp:[::]:80", "tcp", "::", 80, 0, NO},
	{"allow bind tcp:[::]:80 tcp:0.0.0.0:80", "tcp", "::", 80, 0, OK},
	{"allow bind tcp:[::]/0:80 tcp:0.0.0.0/0:80", "tcp", "::", 80, 0, OK},
	{"allow bind tcp:0.0.0.0/0:80", "tcp", "::", 80, 0, NO},
	/* deny */
	{"allow bind tcp:*\ndeny bind tcp:1-1023", "tcp", "10.1.2.3", 80, 0, DENY},
	{"allow bind tcp:*\ndeny bind tcp:1-1023", "tcp", "10.1.2.3", 1024, 0, OK},
	{"allow bind tcp:80\ndeny bind tcp:10.0.0.0/8:80", "tcp", "10.1.2.3", 80, 0, DENY},
	{"allow bind tcp:80\ndeny bind tcp:10.0.0.0/8:80", "tcp", "11.1.2.3", 80, 0, OK},
	{"allow bind tcp:80\ndeny all tcp:10.0.0.0/8:80", "tcp", "10.1.2.3", 80, 0, DENY},
	{"allow bind tcp:80\ndeny bind tcp:10.0.0.1:80", "tcp", "0.0.0.0", 80, 0, DENY},
	{"allow bind tcp:80\ndeny bind tcp:10.0.0.1:80", "tcp", "::", 80, 0, DENY},
	{"allow bind tcp:80\ndeny bind tcp:[::1]:80", "tcp", "::", 80, 0, DENY},
	{"allow bind tcp:80\ndeny bind tcp:[fe80::1%eth0]:80", "tcp", "::", 80, 0, DENY},
	{"allow bind tcp:80\ndeny bind tcp:[::1]:80", "tcp", "0.0.0.0", 80, 0, OK},
	{"allow bind tcp:80\ndeny bind tcp:10.0.0.1:81", "tcp", "0.0.0.0", 80, 0, OK},
	{"allow bind tcp:80\ndeny bind tcp:[fe80::1%eth0]:80", "tcp", "fe80::1", 80, 2, DENY},
	{"allow bind tcp:80\ndeny bind tcp:[fe80::1%eth0]:80", "tcp", "fe80::1", 80, 3, OK},
	{"allow bind tcp:80\ndeny bind tcp:[fe80::1%eth0]:80", "tcp", "fe80::1", 80, 0, DENY},
	{"allow bind tcp:80\ndeny bind udp:80", "tcp", "10.1.2.3", 80, 0, OK},
	{"allow bind tcp:80\ndeny bind tcp:[::ffff:10.1.2.3]:80", "tcp", "10.1.2.3", 80, 0, DENY},
	{"allow read /a\ndeny all /**", "tcp", "10.1.2.3", 80, 0, NO},
};

static struct policy_endpoint endpoint_make(const struct endpoint_case *from)
{
	struct policy_endpoint endpoint = {
		.kind = strcmp(from->protocol, "tcp") == 0 ? POLICY_TCP : POLICY_UDP,
		.family = strchr(from->address, ':') ? 6 : 4,
		.scope = from->scope,
		.number = from->port,
	};
	assert_int_equal(inet_pton(endpoint.family == 6 ? AF_INET6 : AF_INET, from->address,
				 endpoint.address),
		1);
	return endpoint;
}

static void an_endpoint_is_judged_by_protocol_address_and_port(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		snprintf(text, sizeof(text), "client a {\nfrom anyone\n%s\n}\n", cases[i].rules);
		struct policy policy = policy_make(text);
		struct policy_peer peer = peer_make(&policy, &alice);
		struct policy_endpoint endpoint = endpoint_make(&cases[i]);
		struct policy_decision decision =
			policy_decide_endpoint(policy.image, &peer, NULL, POLICY_BIND, &endpoint);
		if (decision.outcome != cases[i].outcome)
			fail_msg("%s: %s %s %u: %d", cases[i].rules, cases[i].protocol,
				cases[i].address, cases[i].port, decision.outcome);
		policy_drop(&policy);
	}
}

static void an_only_block_narrows_both_families(void **state)
{
	static const struct endpoint_case any = {NULL, "tcp", "::", 80, 0, OK};
	struct policy policy =
		policy_make("client a {\nfrom anyone\nallow bind tcp:80\n}\n"
			    "client b only {\nfrom anyone\nallow bind tcp:[::]/0:80\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	struct policy_endpoint endpoint = endpoint_make(&any);
	(void)state;
	assert_int_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, POLICY_BIND, &endpoint).outcome,
		POLICY_DENIED_NARROWED);
	endpoint.address[15] = 1;
	struct policy_decision decision =
		policy_decide_endpoint(policy.image, &peer, NULL, POLICY_BIND, &endpoint);
	assert_int_equal(decision.outcome, POLICY_ALLOWED);
	assert_int_equal(decision.rule, 1);
	policy_drop(&policy);
}

static void what_is_no_endpoint_is_denied(void **state)
{
	struct policy policy = policy_make("client a {\nfrom anyone\nallow bind tcp:*\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	struct policy_endpoint endpoint = {.family = 5};
	(void)state;
	assert_int_not_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, POLICY_BIND, &endpoint).outcome,
		POLICY_ALLOWED);
	endpoint.family = 4;
	assert_int_not_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, POLICY_CONNECT, &endpoint)
			.outcome,
		POLICY_ALLOWED);
	assert_int_not_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, POLICY_VERB_COUNT, &endpoint)
			.outcome,
		POLICY_ALLOWED);
	policy_drop(&policy);
}

/* Every range of ports is exactly the ports that it names. */
static void a_range_is_the_ports_from_its_first_to_its_last(void **state)
{
	uint32_t seed = 1;
	(void)state;
	for (int round = 0; round < 40; round++) {
		char text[128];
		seed = seed * 1664525u + 1013904223u;
		uint32_t first = 1 + (seed >> 16) % 65535;
		seed = seed * 1664525u + 1013904223u;
		uint32_t last = first + (seed >> 16) % (65536 - first);
		snprintf(text, sizeof(text), "client a {\nfrom anyone\nallow bind udp:%u-%u\n}\n",
			first, last);
		struct policy policy = policy_make(text);
		struct policy_peer peer = peer_make(&policy, &alice);
		for (uint32_t port = 0; port <= 65535; port += port % 64 == 63 ? 29 : 1) {
			struct policy_endpoint endpoint = {.kind = POLICY_UDP,
				.family = POLICY_IPV4,
				.number = (uint32_t)port};
			bool is_allowed = policy_decide_endpoint(
						  policy.image, &peer, NULL, POLICY_BIND, &endpoint)
						  .outcome == POLICY_ALLOWED;
			assert_int_equal(is_allowed, port >= first && port <= last);
		}
		policy_drop(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_is_judged_by_protocol_address_and_port),
		cmocka_unit_test(an_only_block_narrows_both_families),
		cmocka_unit_test(what_is_no_endpoint_is_denied),
		cmocka_unit_test(a_range_is_the_ports_from_its_first_to_its_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

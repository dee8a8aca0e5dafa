/* SPDX-License-Identifier: MIT */
/*
 * What a policy means for every kind of endpoint: by name, number, context id and device; and that
 * no spelling slips past a deny.
 */
#include "policy-support.h"

#include <arpa/inet.h>

#define BIND POLICY_BIND
#define CONNECT POLICY_CONNECT
#define SOCKET POLICY_SOCKET
#define OPTION POLICY_OPTION
#define RESOLVE POLICY_RESOLVE

#define OK POLICY_ALLOWED
#define NO POLICY_DENIED_NO_RULE
#define DENY POLICY_DENIED_BY_RULE
#define NARROW POLICY_DENIED_NARROWED
#define CONFLICT POLICY_DENIED_CONFLICT

struct request {
	const char *rules; /* of a block from anyone */
	enum policy_verb verb;
	enum policy_kind kind;
	const char *host; /* "": none; "=NAME", "#CID", or an address */
	uint32_t number;
	enum policy_outcome outcome;
};

/* The text stays the endpoint's. */
static struct policy_endpoint endpoint_of(enum policy_kind kind, const char *host, uint32_t number)
{
	struct policy_endpoint endpoint = {.kind = kind, .number = number};
	if (host[0] == '=') {
		endpoint.name = host + 1;
		endpoint.name_length = strlen(host + 1);
	} else if (host[0] == '#') {
		uint32_t id = htonl((uint32_t)strtoul(host + 1, NULL, 10));
		endpoint.family = POLICY_CID;
		memcpy(endpoint.address, &id, sizeof(id));
	} else if (host[0]) {
		endpoint.family = strchr(host, ':') ? POLICY_IPV6 : POLICY_IPV4;
		assert_int_equal(
			inet_pton(strchr(host, ':') ? AF_INET6 : AF_INET, host, endpoint.address),
			1);
	}
	return endpoint;
}

static void requests_check(const struct request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct request *request = &requests[i];
		char text[512];
		snprintf(text, sizeof(text), "client a {\nfrom anyone\n%s\n}\n", request->rules);
		struct policy policy = policy_make(text);
		struct policy_peer peer = peer_make(&policy, &alice);
		struct policy_endpoint endpoint =
			endpoint_of(request->kind, request->host, request->number);
		struct policy_decision decision =
			policy_decide_endpoint(policy.image, &peer, NULL, request->verb, &endpoint);
		uint32_t deny = policy_deny_endpoint(policy.image, &peer, request->verb, &endpoint);
		if (decision.outcome != request->outcome)
			fail_msg("%s: %s %s %s %u: %d", request->rules,
				policy_verb_name(request->verb), policy_kind_name(request->kind),
				request->host, request->number, decision.outcome);
		assert_int_equal(deny != POLICY_NO_RULE, request->outcome == DENY);
		policy_drop(&policy);
	}
}

#define A_NAME "allow connect tcp:db.example.org:5432"
#define A_LABEL "allow connect tcp:*.example.org:443"
#define ALL_BUT_A_NAME "allow connect tcp:*\ndeny connect tcp:bad.example.org:25"
#define ALL_BUT_A_LABEL "allow connect tcp:*\ndeny connect tcp:*.bad.org:*"
#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define NAME252 LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 /* 255 with its dots */

static const struct request by_name[] = {
	{A_NAME, CONNECT, POLICY_TCP, "=db.example.org", 5432, OK},
	{A_NAME, CONNECT, POLICY_TCP, "=DB.Example.ORG.", 5432, OK},
	{A_NAME, CONNECT, POLICY_TCP, "=db.example.org", 5433, NO},
	{A_NAME, CONNECT, POLICY_UDP, "=db.example.org", 5432, NO},
	{A_NAME, CONNECT, POLICY_TCP, "=example.org", 5432, NO},
	{A_NAME, CONNECT, POLICY_TCP, "=x.db.example.org", 5432, NO},
	{A_NAME, CONNECT, POLICY_TCP, "=db.example.org..", 5432, NO},
	{A_NAME, CONNECT, POLICY_TCP, "=db.example.or", 5432, NO},
	{A_NAME, CONNECT, POLICY_TCP, "10.0.0.1", 5432, NO},
	{A_NAME, CONNECT, POLICY_TCP, "", 5432, NO},
	{A_NAME, BIND, POLICY_TCP, "=db.example.org", 5432, NO},
	{"allow bind tcp:*", BIND, POLICY_TCP, "=example.org", 80, NO},
	{"allow connect tcp:80 udp:81", CONNECT, POLICY_UDP, "=a", 80, NO},
	{"allow connect tcp:80 udp:81", CONNECT, POLICY_UDP, "=a", 81, OK},
	{"allow connect tcp:80\ndeny connect tcp:81", CONNECT, POLICY_TCP, "=a", 80, OK},
	{"allow connect tcp:10.0.0.0:80 tcp:11.0.0.0/8:80", CONNECT, POLICY_TCP, "10.0.0.1", 80,
		NO},
	{"allow connect tcp:DB.Example.Org.:80", CONNECT, POLICY_TCP, "=db.example.org", 80, OK},
	{"allow connect tcp:example.org:http", CONNECT, POLICY_TCP, "=example.org", 80, OK},
	/* one label, and one that is there */
	{A_LABEL, CONNECT, POLICY_TCP, "=www.example.org", 443, OK},
	{A_LABEL, CONNECT, POLICY_TCP, "=WWW.example.org.", 443, OK},
	{A_LABEL, CONNECT, POLICY_TCP, "=a.www.example.org", 443, NO},
	{A_LABEL, CONNECT, POLICY_TCP, "=example.org", 443, NO},
	{A_LABEL, CONNECT, POLICY_TCP, "=.example.org", 443, NO},
	{A_LABEL, CONNECT, POLICY_TCP, "=*.example.org", 443, NO},
	{"allow connect tcp:*.x:1", CONNECT, POLICY_TCP, "=a.x", 1, OK},
	{"allow connect tcp:*.x:1", CONNECT, POLICY_TCP, "=x", 1, NO},
	/* an address is no name, a name is no address, `*` is both */
	{"allow connect tcp:10.0.0.0/8:80", CONNECT, POLICY_TCP, "=10.0.0.1", 80, NO},
	{"allow connect tcp:0.0.0.0/0:80", CONNECT, POLICY_TCP, "=example.org", 80, NO},
	{"allow connect tcp:80", CONNECT, POLICY_TCP, "=example.org", 80, OK},
	{"allow connect tcp:80", CONNECT, POLICY_TCP, "10.0.0.1", 80, OK},
	/* odd names are allowed by nothing */
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=a b", 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=a..b", 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=.", 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=", 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=.a", 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=::1", 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP,
		"=b\xc3\xbc"
		"cher.de",
		80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=*", 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=" NAME252, 80, NO},
	{"allow connect tcp:*", CONNECT, POLICY_TCP, "=a_b-c.9", 80, OK},
	/* and denied by any deny of a name */
	{ALL_BUT_A_NAME, CONNECT, POLICY_TCP, "=bad.example.org", 25, DENY},
	{ALL_BUT_A_NAME, CONNECT, POLICY_TCP, "=Bad.Example.org.", 25, DENY},
	{ALL_BUT_A_NAME, CONNECT, POLICY_TCP, "=bad.example.org..", 25, DENY},
	{ALL_BUT_A_NAME, CONNECT, POLICY_TCP, "=bad\\.example.org", 25, DENY},
	{ALL_BUT_A_NAME, CONNECT, POLICY_TCP, "=bad.example.org", 26, OK},
	{ALL_BUT_A_NAME, CONNECT, POLICY_TCP, "=good.example.org", 25, OK},
	{ALL_BUT_A_NAME, CONNECT, POLICY_TCP, "10.0.0.1", 25, OK},
	{ALL_BUT_A_LABEL, CONNECT, POLICY_TCP, "=a.bad.org", 1, DENY},
	{ALL_BUT_A_LABEL, CONNECT, POLICY_TCP, "=bad.org", 1, OK},
	{ALL_BUT_A_LABEL, CONNECT, POLICY_TCP, "=a. bad.org", 1, DENY},
	{"allow connect tcp:*\ndeny all tcp:bad.org:25", CONNECT, POLICY_TCP, "=bad.org", 25, DENY},
	{"allow connect tcp:*\ndeny connect tcp:25", CONNECT, POLICY_TCP, "=a b", 25, DENY},
	{"allow connect tcp:*\ndeny bind tcp:25", CONNECT, POLICY_TCP, "=a", 25, OK},
	{"allow connect tcp:*\ndeny connect tcp:10.0.0.0/8:25", CONNECT, POLICY_TCP, "=a", 25, OK},
	/* resolve */
	{"allow resolve host:*", RESOLVE, POLICY_HOST, "=example.org", 0, OK},
	{"allow resolve host:*", RESOLVE, POLICY_HOST, "192.0.2.1", 0, OK},
	{"allow resolve host:*", RESOLVE, POLICY_HOST, "=example.org", 7, OK},
	{"allow resolve host:a.b", RESOLVE, POLICY_HOST, "=A.b.", 0, OK},
	{"allow resolve host:*.b", RESOLVE, POLICY_HOST, "=a.b", 0, OK},
	{"allow resolve host:192.0.2.0/24", RESOLVE, POLICY_HOST, "192.0.2.1", 0, OK},
	{"allow resolve host:192.0.2.0/24", RESOLVE, POLICY_HOST, "::ffff:192.0.2.1", 0, OK},
	{"allow resolve host:192.0.2.0/24", RESOLVE, POLICY_HOST, "192.0.3.1", 0, NO},
	{"allow resolve host:[2001:db8::]/32", RESOLVE, POLICY_HOST, "2001:db8::1", 0, OK},
	{"allow resolve host:*", CONNECT, POLICY_HOST, "=a", 0, NO},
	{"allow resolve host:*", RESOLVE, POLICY_TCP, "=a", 0, NO},
	{"allow resolve host:*\ndeny resolve host:*.internal", RESOLVE, POLICY_HOST, "=db.Internal",
		0, DENY},
};

static void a_name_is_judged_whatever_its_spelling(void **state)
{
	(void)state;
	requests_check(by_name, COUNT(by_name));
}

static const struct request by_number[] = {
	{"allow connect vsock:2:1024", CONNECT, POLICY_VSOCK, "#2", 1024, OK},
	{"allow connect vsock:2:1024", CONNECT, POLICY_VSOCK, "#3", 1024, NO},
	{"allow connect vsock:2:1024", CONNECT, POLICY_VSOCK, "#2", 1025, NO},
	{"allow connect vsock:2:1024", BIND, POLICY_VSOCK, "#2", 1024, NO},
	{"allow connect vsock:*:1-4294967294", CONNECT, POLICY_VSOCK, "#2", 4294967294, OK},
	{"allow connect vsock:*:1-4294967294", CONNECT, POLICY_VSOCK, "#2", 0, NO},
	{"allow bind vsock:*:0-4294967294", BIND, POLICY_VSOCK, "#2", 4294967295, NO},
	{"allow bind vsock:*:*", BIND, POLICY_VSOCK, "#2", 4294967295, OK},
	{"allow bind vsock:*:4294967295", BIND, POLICY_VSOCK, "#2", 4294967295, OK},
	{"allow bind vsock:*:1000000-3000000000", BIND, POLICY_VSOCK, "#2", 999999, NO},
	{"allow bind vsock:*:1000000-3000000000", BIND, POLICY_VSOCK, "#2", 1000000, OK},
	{"allow bind vsock:*:1000000-3000000000", BIND, POLICY_VSOCK, "#2", 3000000000, OK},
	{"allow bind vsock:*:1000000-3000000000", BIND, POLICY_VSOCK, "#2", 3000000001, NO},
	{"allow bind vsock:*:80", BIND, POLICY_VSOCK, "#4294967295", 80, OK},
	{"allow bind vsock:4294967295:80", BIND, POLICY_VSOCK, "#4294967295", 80, OK},
	{"allow bind vsock:4294967295:80", BIND, POLICY_VSOCK, "#2", 80, NO},
	{"allow bind vsock:2:80", BIND, POLICY_VSOCK, "#4294967295", 80, NO},
	{"allow bind vsock:*:80\ndeny bind vsock:2:80", BIND, POLICY_VSOCK, "#4294967295", 80,
		DENY},
	{"allow bind vsock:*:80\ndeny bind vsock:2:81", BIND, POLICY_VSOCK, "#4294967295", 80, OK},
	{"allow bind vsock:*:80", BIND, POLICY_VSOCK, "10.0.0.1", 80, NO},
	{"allow bind vsock:*:80", BIND, POLICY_VSOCK, "", 80, NO},
	{"allow bind tcp:80", BIND, POLICY_TCP, "#2", 80, NO},
	{"allow bind tcp:80", BIND, POLICY_TCP, "10.0.0.1", 65536 + 80, NO},
	{"allow bind tcp:*", BIND, POLICY_TCP, "10.0.0.1", 65536, NO},
	/* a vsock socket as such */
	{"allow socket vsock:*:*", SOCKET, POLICY_VSOCK, "", 0, OK},
	{"allow socket vsock:*:*", SOCKET, POLICY_VSOCK, "#2", 80, OK},
	{"allow bind,connect vsock:*:*", SOCKET, POLICY_VSOCK, "", 0, NO},
	{"allow socket vsock:*:*\ndeny all vsock:*:0", SOCKET, POLICY_VSOCK, "", 0, OK},
	{"allow socket vsock:*:*\ndeny all vsock:*:*", SOCKET, POLICY_VSOCK, "", 0, DENY},
	/* icmp */
	{"allow socket icmp", SOCKET, POLICY_ICMP, "", 0, OK},
	{"allow socket icmp", SOCKET, POLICY_ICMP, "", 9, OK},
	{"allow socket icmp", SOCKET, POLICY_ICMP6, "", 0, NO},
	{"allow socket icmp6", SOCKET, POLICY_ICMP6, "", 0, OK},
	{"allow socket icmp icmp6\ndeny all icmp6", SOCKET, POLICY_ICMP6, "", 0, DENY},
	{"allow socket icmp", SOCKET, POLICY_ICMP, "10.0.0.1", 0, NO},
	{"allow socket icmp", SOCKET, POLICY_RAW, "", 1, NO},
	/* raw */
	{"allow socket raw:icmp", SOCKET, POLICY_RAW, "", 1, OK},
	{"allow socket raw:icmp", SOCKET, POLICY_RAW, "", 2, NO},
	{"allow socket raw:255", SOCKET, POLICY_RAW, "", 255, OK},
	{"allow socket raw:*", SOCKET, POLICY_RAW, "", 0, OK},
	{"allow socket raw:*", SOCKET, POLICY_RAW, "", 255, OK},
	{"allow socket raw:*", SOCKET, POLICY_RAW, "", 256, NO},
	{"allow socket raw:*\ndeny socket raw:255", SOCKET, POLICY_RAW, "", 255, DENY},
	/* netlink */
	{"allow socket netlink:route", SOCKET, POLICY_NETLINK, "", 0, OK},
	{"allow socket netlink:route", SOCKET, POLICY_NETLINK, "", 1, NO},
	{"allow socket netlink:audit", SOCKET, POLICY_NETLINK, "", 9, OK},
	{"allow socket netlink:kobject_uevent", SOCKET, POLICY_NETLINK, "", 15, OK},
	{"allow socket netlink:generic", SOCKET, POLICY_NETLINK, "", 16, OK},
	{"allow socket netlink:smc", SOCKET, POLICY_NETLINK, "", 22, OK},
	{"allow socket netlink:*", SOCKET, POLICY_NETLINK, "", 31, OK},
	{"allow socket netlink:*\ndeny all netlink:9", SOCKET, POLICY_NETLINK, "", 9, DENY},
	/* options */
	{"allow option mark=100-199", OPTION, POLICY_MARK, "", 99, NO},
	{"allow option mark=100-199", OPTION, POLICY_MARK, "", 100, OK},
	{"allow option mark=100-199", OPTION, POLICY_MARK, "", 199, OK},
	{"allow option mark=100-199", OPTION, POLICY_MARK, "", 200, NO},
	{"allow option mark=100-199", OPTION, POLICY_PRIORITY, "", 100, NO},
	{"allow option priority=7", OPTION, POLICY_PRIORITY, "", 7, OK},
	{"allow option priority=*", OPTION, POLICY_PRIORITY, "", 4294967295, OK},
	{"allow option rcvbufforce=0-8M", OPTION, POLICY_RCVBUFFORCE, "", 8u << 20, OK},
	{"allow option rcvbufforce=0-8M", OPTION, POLICY_RCVBUFFORCE, "", (8u << 20) + 1, NO},
	{"allow option sndbufforce=4K", OPTION, POLICY_SNDBUFFORCE, "", 4096, OK},
	{"allow option sndbufforce=1G-3G", OPTION, POLICY_SNDBUFFORCE, "", 3u << 30, OK},
	{"allow option transparent=1", OPTION, POLICY_TRANSPARENT, "", 1, OK},
	{"allow option transparent=1", OPTION, POLICY_TRANSPARENT, "", 0, NO},
	{"allow option debug=0-1", OPTION, POLICY_DEBUG, "", 1, OK},
	{"allow option mark=*\ndeny option mark=7", OPTION, POLICY_MARK, "", 7, DENY},
	{"allow option mark=*\ndeny option mark=7", OPTION, POLICY_MARK, "", 8, OK},
	{"allow option mark=1", SOCKET, POLICY_MARK, "", 1, NO},
};

static void a_number_is_in_a_range_or_not(void **state)
{
	(void)state;
	requests_check(by_number, COUNT(by_number));
}

#define NO_VPN0 "allow socket tun:*\ndeny socket tun:vpn0"
#define NO_ETH0 "allow option bindtodevice=*\ndeny option bindtodevice=eth0"

static const struct request by_device[] = {
	{"allow socket tun:vpn0", SOCKET, POLICY_TUN, "=vpn0", 0, OK},
	{"allow socket tun:vpn0", SOCKET, POLICY_TUN, "=vpn1", 0, NO},
	{"allow socket tun:vpn0", SOCKET, POLICY_TUN, "=VPN0", 0, NO},
	{"allow socket tun:vpn0", SOCKET, POLICY_TUN, "=vpn0.", 0, NO},
	{"allow socket tun:vpn0", SOCKET, POLICY_TUN, "", 0, NO},
	{"allow socket tun:vpn0", SOCKET, POLICY_TAP, "=vpn0", 0, NO},
	{"allow socket tap:a.b", SOCKET, POLICY_TAP, "=a.b", 0, OK},
	{"allow socket tap:a.b", SOCKET, POLICY_TAP, "=c.b", 0, NO},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "=vpn9", 0, OK},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "", 0, OK},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "=vpn%d", 0, NO},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "=a/b", 0, NO},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "=a b", 0, NO},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "=a12345678901234", 0, OK},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "=a123456789012345", 0, NO},
	{"allow socket tun:*", SOCKET, POLICY_TUN, "10.0.0.1", 0, NO},
	/* the kernel may choose the name that is denied */
	{NO_VPN0, SOCKET, POLICY_TUN, "=vpn0", 0, DENY},
	{NO_VPN0, SOCKET, POLICY_TUN, "=vpn1", 0, OK},
	{NO_VPN0, SOCKET, POLICY_TUN, "=vpn%d", 0, DENY},
	{NO_VPN0, SOCKET, POLICY_TUN, "", 0, DENY},
	{"allow socket tun:* tap:*\ndeny socket tun:vpn0", SOCKET, POLICY_TAP, "", 0, OK},
	{"allow socket tun:*\ndeny socket tun:*", SOCKET, POLICY_TUN, "", 0, DENY},
	/* what is taken off a device is on none */
	{NO_ETH0, OPTION, POLICY_BINDTODEVICE, "=eth0", 0, DENY},
	{NO_ETH0, OPTION, POLICY_BINDTODEVICE, "=eth1", 0, OK},
	{NO_ETH0, OPTION, POLICY_BINDTODEVICE, "", 0, OK},
	{"allow option bindtodevice=eth0", OPTION, POLICY_BINDTODEVICE, "=eth0", 0, OK},
	{"allow option bindtodevice=eth0", OPTION, POLICY_BINDTODEVICE, "", 0, NO},
};

static void a_device_is_the_one_that_is_named(void **state)
{
	(void)state;
	requests_check(by_device, COUNT(by_device));
}

/* An embedded NUL ends no name. */
static void a_name_goes_on_after_a_nul(void **state)
{
	static const char name[] = "bad.org\0.good.org";
	struct policy policy = policy_make("client a {\nfrom anyone\nallow connect tcp:*:80\n"
					   "deny connect tcp:bad.org:80\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	struct policy_endpoint endpoint = {
		.kind = POLICY_TCP, .number = 80, .name = name, .name_length = sizeof(name) - 1};
	(void)state;
	assert_int_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, CONNECT, &endpoint).outcome,
		DENY);
	policy_drop(&policy);
}

static void what_no_rule_can_be_about_is_denied(void **state)
{
	struct policy policy = policy_make("client a {\nfrom anyone\nallow connect tcp:*\n}\n");
	struct policy denying = policy_make("client a {\nfrom anyone\ndeny all icmp\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	struct policy_endpoint endpoint = {.kind = POLICY_KIND_COUNT};
	(void)state;
	assert_int_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, CONNECT, &endpoint).outcome, NO);
	assert_int_equal(
		policy_deny_endpoint(policy.image, &peer, CONNECT, &endpoint), POLICY_NO_RULE);
	assert_int_equal(policy_deny_endpoint(denying.image, &peer, CONNECT, &endpoint), 0);
	endpoint = (struct policy_endpoint){.kind = POLICY_TCP, .family = (enum policy_family)200};
	assert_int_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, CONNECT, &endpoint).outcome, NO);
	assert_int_equal(policy_deny_endpoint(denying.image, &peer, CONNECT, &endpoint), 0);
	policy_drop(&policy);
	policy_drop(&denying);
}

/* ---- unix sockets are paths ---- */

static const struct {
	const char *rules;
	enum policy_verb verb;
	const char *path;
	enum policy_outcome outcome;
} unix_cases[] = {
	{"allow bind unix:/run/a.sock", BIND, "/run/a.sock", OK},
	{"allow bind unix:/run/a.sock", BIND, "/run/b.sock", NO},
	{"allow bind unix:/run/a.sock", POLICY_READ, "/run/a.sock", NO},
	{"allow bind unix:/run/%i/*.sock", BIND, "/run/blue/x.sock", OK},
	{"allow bind unix:%h/x", BIND, "/home/alice/x", OK},
	{"allow bind unix:/**", BIND, "/proc/x", NO},
	{"allow create,write,read /run/a", BIND, "/run/a", NO},
	{"allow bind unix:/run/*\ndeny bind unix:/run/a", BIND, "/run/a", DENY},
	{"allow bind unix:/run/*\ndeny create /run/a", BIND, "/run/a", DENY},
	{"allow bind unix:/run/*\ndeny write /run/**", BIND, "/run/a", DENY},
	{"allow bind unix:/run/*\ndeny all /run/a", BIND, "/run/a", DENY},
	{"allow bind unix:/run/*\ndeny read,append /run/a", BIND, "/run/a", OK},
	{"allow read /run/*\ndeny all unix:/run/*", POLICY_READ, "/run/a", OK},
	{"allow bind unix:/run/*\ndeny all unix:/run/*", BIND, "/run/a", DENY},
	/* a line about both kinds means each */
	{"allow bind unix:/run/*\ndeny all unix:/run/a /run/b icmp", BIND, "/run/a", DENY},
	{"allow bind unix:/run/*\ndeny all unix:/run/a /run/b icmp", BIND, "/run/b", DENY},
	{"allow read /run/*\ndeny all unix:/run/a /run/b icmp", POLICY_READ, "/run/a", OK},
	{"allow read /run/*\ndeny all unix:/run/a /run/b icmp", POLICY_READ, "/run/b", DENY},
	{"allow read /run/*\ndeny all unix:/a /run/b unix:/c /run/d", POLICY_READ, "/run/d", DENY},
};

static void a_unix_socket_is_bound_by_its_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unix_cases); i++) {
		char text[512];
		snprintf(text, sizeof(text), "client a {\nfrom %s\n%s\n}\n",
			strstr(unix_cases[i].rules, "%i") ? "unit app@*.service" : "anyone",
			unix_cases[i].rules);
		struct policy policy = policy_make(text);
		struct policy_decision decision = path_decide(
			&policy, &alice, POLICY_BIT(unix_cases[i].verb), unix_cases[i].path);
		if (decision.outcome != unix_cases[i].outcome)
			fail_msg("%s: %s: %d", unix_cases[i].rules, unix_cases[i].path,
				decision.outcome);
		policy_drop(&policy);
	}
}

/* ---- the options that go with it ---- */

static void the_options_of_the_most_specific_rule_count(void **state)
{
	static const struct {
		const char *host;
		uint32_t port, with;
		const char *device;
		uint8_t netns;
	} cases[] = {
		{"10.0.0.1", 80, POLICY_WITH_FREEBIND | POLICY_WITH_REUSEPORT, "eth0",
			POLICY_NETNS_BROKER},
		{"10.0.0.2", 80, POLICY_WITH_TRANSPARENT, NULL, POLICY_NETNS_PEER},
		{"11.0.0.2", 80, POLICY_WITH_V6ONLY, NULL, POLICY_NETNS_BROKER},
		{"11.0.0.2", 81, 0, "eth1", POLICY_NETNS_ANY},
	};
	struct policy policy =
		policy_make("client a {\nfrom anyone\n"
			    "allow bind tcp:* with device=eth1 netns any\n"
			    "allow bind tcp:80 with v6only\n"
			    "allow bind tcp:10.0.0.0/8:* with transparent netns peer\n"
			    "allow bind tcp:10.0.0.1:1-100 "
			    "with reuseport,device=eth0,freebind\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_endpoint endpoint =
			endpoint_of(POLICY_TCP, cases[i].host, cases[i].port);
		struct policy_decision decision =
			policy_decide_endpoint(policy.image, &peer, NULL, BIND, &endpoint);
		assert_int_equal(decision.outcome, OK);
		assert_int_equal(decision.options.with, cases[i].with);
		assert_int_equal(decision.options.netns, cases[i].netns);
		assert_int_equal(decision.options.device != NULL, cases[i].device != NULL);
		if (cases[i].device)
			assert_string_equal(decision.options.device, cases[i].device);
	}
	policy_drop(&policy);
}

static void a_name_is_more_specific_than_a_label_and_that_than_a_star(void **state)
{
	static const struct {
		const char *name;
		uint8_t netns;
	} cases[] = {
		{"=a.b", POLICY_NETNS_PEER},
		{"=c.b", POLICY_NETNS_ANY},
		{"=c.d", POLICY_NETNS_BROKER},
	};
	struct policy policy = policy_make("client a {\nfrom anyone\n"
					   "allow connect tcp:80\n"
					   "allow connect tcp:*.b:80 netns any\n"
					   "allow connect tcp:a.b:1-100 netns peer\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_endpoint endpoint = endpoint_of(POLICY_TCP, cases[i].name, 80);
		struct policy_decision decision =
			policy_decide_endpoint(policy.image, &peer, NULL, CONNECT, &endpoint);
		assert_int_equal(decision.outcome, OK);
		assert_int_equal(decision.options.netns, cases[i].netns);
	}
	policy_drop(&policy);
}

/* [::] is two requests in one. */
static void all_addresses_with_options_that_differ_are_refused(void **state)
{
	struct policy policy = policy_make("client a {\nfrom anyone\n"
					   "allow bind tcp:[::]/0:80 with reuseport\n"
					   "allow bind tcp:0.0.0.0/0:80-81\n"
					   "allow bind tcp:[::]/0:81\n}\n");
	struct policy_peer peer = peer_make(&policy, &alice);
	struct policy_endpoint endpoint = endpoint_of(POLICY_TCP, "::", 80);
	(void)state;
	struct policy_decision decision =
		policy_decide_endpoint(policy.image, &peer, NULL, BIND, &endpoint);
	assert_int_equal(decision.outcome, CONFLICT);
	assert_int_equal(decision.rule, 1);
	assert_int_equal(decision.other, 0);
	endpoint.number = 81;
	assert_int_equal(
		policy_decide_endpoint(policy.image, &peer, NULL, BIND, &endpoint).outcome, OK);
	policy_drop(&policy);
}

static void equal_endpoints_with_different_options_are_an_error(void **state)
{
	static const struct {
		const char *rules;
		bool is_error;
	} cases[] = {
		{"allow bind tcp:80 with freebind\nallow bind tcp:80", true},
		{"allow bind tcp:80 with freebind\nallow bind tcp:80 with freebind", false},
		{"allow bind tcp:80 with device=a\nallow bind tcp:80 with device=b", true},
		{"allow bind tcp:80 with device=a\nallow bind tcp:80 with device=a", false},
		{"allow bind tcp:80 with device=a\nallow bind tcp:80", true},
		{"allow bind tcp:80 netns any\nallow bind tcp:80", true},
		{"allow bind tcp:80 netns broker\nallow bind tcp:80", false},
		{"allow bind tcp:80 with freebind\nallow connect tcp:80", false},
		{"allow connect tcp:A.b.:80 netns any\nallow connect tcp:a.B:80", true},
		{"allow bind unix:/a mode 0666\nallow bind unix:/a", true},
		{"allow bind unix:/a mode 0666\nallow create /a", false},
		{"allow option mark=1-3 netns any\nallow option mark=1-3", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		snprintf(text, sizeof(text), "client a {\nfrom anyone\n%s\n}\n", cases[i].rules);
		struct policy policy = policy_try(text);
		if ((policy.result != 0) != cases[i].is_error)
			fail_msg("%s: %d", cases[i].rules, policy.result);
		policy_drop(&policy);
	}
}

/* ---- for anything at all ---- */

#define BLOCK(name, rules) "client " name " {\nfrom anyone\n" rules "\n}\n"

static void a_verb_for_anything_needs_some_rule_in_every_only_block(void **state)
{
	static const struct {
		const char *text;
		enum policy_outcome outcome;
		uint32_t rule;
	} cases[] = {
		{BLOCK("a", "allow read /a\nallow resolve host:a.b"), OK, 1},
		{BLOCK("a", "allow read /a"), NO, POLICY_NO_RULE},
		{BLOCK("a", "deny resolve host:a.b"), NO, POLICY_NO_RULE},
		{BLOCK("a", "allow resolve host:a.b") BLOCK("b", "allow read /a"), OK, 0},
		{BLOCK("a", "allow read /a") BLOCK("b", "allow resolve host:*"), OK, 1},
		{BLOCK("a", "allow resolve host:a.b") BLOCK("b only", "allow read /a"), NARROW, 1},
		{BLOCK("a", "allow resolve host:a.b") BLOCK("b only", ""), NARROW, POLICY_NO_RULE},
		{BLOCK("a only", "allow resolve host:a.b"), OK, 0},
		{BLOCK("a", "allow resolve host:*\ndeny resolve host:a.b"), OK, 0},
		{BLOCK("a", "allow resolve host:*\ndeny resolve host:*"), DENY, 1},
		{"client a {\nfrom user bob\nallow resolve host:*\n}\n", NO, POLICY_NO_RULE},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy policy = policy_make(cases[i].text);
		struct policy_peer peer = peer_make(&policy, &alice);
		struct policy_decision decision =
			policy_decide_verb(policy.image, &peer, NULL, RESOLVE);
		if (decision.outcome != cases[i].outcome || decision.rule != cases[i].rule)
			fail_msg("%s: %d by %u", cases[i].text, decision.outcome, decision.rule);
		policy_drop(&policy);
	}
}

static void a_verb_for_anything_is_recorded_as_its_rules_say(void **state)
{
	static const struct {
		const char *text;
		uint8_t log;
	} cases[] = {
		{BLOCK("a", "allow resolve host:a.b"), POLICY_LOG_ALL},
		{BLOCK("a", "allow resolve host:a.b log none"), POLICY_LOG_NONE},
		{BLOCK("a", "allow resolve host:a.b log denied"), POLICY_LOG_DENIED},
		{BLOCK("a", "allow resolve host:a.b log none\nallow resolve host:c log denied"),
			POLICY_LOG_DENIED},
		{BLOCK("a", "allow resolve host:a.b log none\nallow connect tcp:80"),
			POLICY_LOG_NONE},
		{BLOCK("a", "allow resolve host:a.b log none\nallow resolve host:[fe80::%no] log "
			    "denied"),
			POLICY_LOG_NONE},
		{BLOCK("a", "allow resolve host:* log none")
				BLOCK("b", "allow resolve host:* log denied"),
			POLICY_LOG_DENIED},
		{BLOCK("a", "allow resolve host:* log none\ndeny resolve host:a"), POLICY_LOG_NONE},
		{BLOCK("a", "allow resolve host:*\ndeny resolve host:* log none"), POLICY_LOG_NONE},
		{BLOCK("a", "allow resolve host:* log none") BLOCK("b only", ""), POLICY_LOG_ALL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy policy = policy_make(cases[i].text);
		struct policy_peer peer = peer_make(&policy, &alice);
		struct policy_decision decision =
			policy_decide_verb(policy.image, &peer, NULL, RESOLVE);
		if (decision.options.log != cases[i].log)
			fail_msg("%s: log %u", cases[i].text, decision.options.log);
		policy_drop(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_judged_whatever_its_spelling),
		cmocka_unit_test(a_number_is_in_a_range_or_not),
		cmocka_unit_test(a_device_is_the_one_that_is_named),
		cmocka_unit_test(a_name_goes_on_after_a_nul),
		cmocka_unit_test(what_no_rule_can_be_about_is_denied),
		cmocka_unit_test(a_unix_socket_is_bound_by_its_path),
		cmocka_unit_test(the_options_of_the_most_specific_rule_count),
		cmocka_unit_test(a_name_is_more_specific_than_a_label_and_that_than_a_star),
		cmocka_unit_test(all_addresses_with_options_that_differ_are_refused),
		cmocka_unit_test(equal_endpoints_with_different_options_are_an_error),
		cmocka_unit_test(a_verb_for_anything_needs_some_rule_in_every_only_block),
		cmocka_unit_test(a_verb_for_anything_is_recorded_as_its_rules_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

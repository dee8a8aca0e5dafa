/* SPDX-License-Identifier: MIT */
/* What is denied is explained by the rule that comes nearest, and the one word in which it differs. */
#include "nearest.h"
#include "policy-support.h"

static const uint32_t lab_groups[] = {51};
static const struct policy_identity asker = {
	.uid = 1001,
	.gid = 1101,
	.groups = lab_groups,
	.group_count = COUNT(lab_groups),
	.user = "alice",
	.home = "/home/alice",
	.unit = "app@blue.service",
};

/* "LINE: DIFFERENCE[ and DIFFERENCE]", or "none". */
static void nearest_write(char *text, size_t size, const struct policy *policy,
	const struct request *request, const struct policy_identity *identity)
{
	struct policy_peer peer = peer_make(policy, identity);
	struct policy_decision decision =
		request_decide(request, policy->image, &peer, request->verbs);
	struct lack lack = {.set = policy->set,
		.identity = identity,
		.peer = &peer,
		.request = request,
		.verbs = decision.missing,
		.client = NONE};
	struct nearest nearest;
	assert_int_equal(decision.outcome, POLICY_DENIED_NO_RULE);
	nearest_find(&lack, &nearest);
	if (nearest.rule == POLICY_NO_RULE) {
		snprintf(text, size, "none");
		return;
	}
	snprintf(text, size, "%u: %s%s%s", policy->set->rules.items[nearest.rule].where.line,
		nearest.differences[0].text, nearest.count > 1 ? " and " : "",
		nearest.count > 1 ? nearest.differences[1].text : "");
}

/* The policy's first line is 1, and its rules begin with line 3. */
static void expect_nearest_of(const struct policy_identity *identity, const char *policy_text,
	const char *verbs, const char *object, const char *expected)
{
	struct policy policy = policy_make(policy_text);
	struct request request;
	char text[1024];
	if (!request_read(&request, verbs, strlen(verbs), object, strlen(object)))
		fail_msg("%s: %s", object, request.problem);
	names_answer(request.set);
	assert_true(request_resolve(&request));
	nearest_write(text, sizeof(text), &policy, &request, identity);
	assert_string_equal(text, expected);
	request_release(&request);
	policy_drop(&policy);
}

static void expect_nearest(
	const char *rules, const char *verbs, const char *object, const char *expected)
{
	char text[4096];
	snprintf(text, sizeof(text), "client a {\nfrom user alice\n%s\n}\n", rules);
	expect_nearest_of(&asker, text, verbs, object, expected);
}

static void the_verb_that_differs_is_named(void **state)
{
	(void)state;
	expect_nearest("allow append /var/log/x", "write", "/var/log/x", "3: append, not write");
	expect_nearest("allow read,list /srv/**", "read,write,remove", "/srv/a",
		"3: read,list, not write,remove");
	expect_nearest("allow connect tcp:127.0.0.1:80", "bind", "tcp:127.0.0.1:80",
		"3: connect, not bind");
}

static void the_part_of_an_endpoint_that_differs_is_named(void **state)
{
	(void)state;
	expect_nearest("allow bind tcp:8443", "bind", "tcp:443", "3: port 8443, not 443");
	expect_nearest(
		"allow bind tcp:80,8000-8010", "bind", "tcp:443", "3: port 80,8000-8010, not 443");
	expect_nearest("allow bind tcp:http", "bind", "tcp:443", "3: port http, not 443");
	expect_nearest(
		"allow bind tcp:127.0.0.1:80", "bind", "tcp:80", "3: address 127.0.0.1, not *");
	expect_nearest("allow connect tcp:10.0.0.0/8:80", "connect", "tcp:11.0.0.1:80",
		"3: address 10.0.0.0/8, not 11.0.0.1");
	expect_nearest("allow connect tcp:[2001:db8::]/32:80", "connect", "tcp:[2001:db9::1]:80",
		"3: address [2001:db8::]/32, not [2001:db9::1]");
	expect_nearest("allow connect tcp:db.internal:5432", "connect", "tcp:db2.internal:5432",
		"3: host db.internal, not db2.internal");
	expect_nearest("allow bind udp:53", "bind", "tcp:53", "3: udp, not tcp");
	expect_nearest("allow option mark=1-9", "option", "mark=10", "3: mark=1-9, not mark=10");
	expect_nearest("allow socket netlink:route", "socket", "netlink:audit",
		"3: netlink:route, not netlink:audit");
	expect_nearest("allow resolve host:*.example.org", "resolve", "host:a.b.example.org",
		"3: host:*.example.org, not host:a.b.example.org");
	expect_nearest("allow socket tun:vpn0", "socket", "tun:vpn1", "3: tun:vpn0, not tun:vpn1");
	expect_nearest("allow bind vsock:*:99", "bind", "vsock:*:98", "3: port 99, not 98");
}

static void the_component_of_a_path_that_differs_is_named(void **state)
{
	(void)state;
	expect_nearest("allow read /srv/b/x", "read", "/srv/a/x", "3: /srv/b, not /srv/a");
	expect_nearest("allow read /srv/*/*.log", "read", "/srv/a/x.txt",
		"3: /srv/*/*.log, not /srv/a/x.txt");
	expect_nearest("allow read /**/a/**/b", "read", "/x/a/y/z/c",
		"3: /**/a/**/b, not "
		"/x/a/y/z/c");
	expect_nearest(
		"allow bind unix:/run/a/s", "bind", "unix:/run/b/s", "3: /run/a, not /run/b");
	expect_nearest(
		"allow read \"/srv/b c/x\"", "read", "/srv/a/x", "3: \"/srv/b c/x\", not /srv/a");
	expect_nearest(
		"allow read /home/%u/x", "read", "/home/bob/x", "3: /home/%u, not /home/bob");
}

static void what_a_wildcard_does_not_do_is_said(void **state)
{
	(void)state;
	expect_nearest("allow read /srv/www/*", "read", "/srv/www/.htaccess",
		"3: a wildcard matches no leading dot (.htaccess)");
	expect_nearest("allow read /srv/**", "read", "/srv/www/.git/config",
		"3: a wildcard matches no leading dot (.git)");
	expect_nearest(
		"allow read /**", "read", "/dev/null", "3: wildcards do not reach into /dev");
	expect_nearest("allow read /*/version", "read", "/proc/version",
		"3: wildcards do not reach into /proc");
	expect_nearest(
		"allow read /srv/www", "read", "/srv/www/a/b", "3: /srv/www, not what is below it");
	expect_nearest("allow read /srv/www/*", "read", "/srv/www",
		"3: what is in it, not /srv/www itself");
	expect_nearest("allow read /srv/www/**", "read", "/srv/www",
		"3: ** at the end is about the folder itself only under stat, list and watch");
	expect_nearest("allow read %h/x", "read", "/home/bob/x", "3: %h is /home/alice");
}

static void whom_a_rule_is_for_is_named(void **state)
{
	static const char *const cases[][2] = {
		{"user bob", "3: user bob, not alice"},
		{"user 5000-6000", "3: user 5000-6000, not alice"},
		{"user ghost", "3: user ghost, which does not exist"},
		{"user bob group 1101", "3: user bob, not alice"}, /* her primary group */
		{"user bob group lab", "3: user bob, not alice"},
		{"user alice group adm", "3: group adm, which the asker is not in"},
		{"group lab unit nginx.service", "3: unit nginx.service, not app@blue.service"},
		{"group lab unit app@*.socket", "3: unit app@*.socket, not app@blue.service"},
		{"user bob unit nginx.service",
			"3: user bob, not alice and unit nginx.service, not app@blue.service"},
	};
	struct policy_identity nobody = asker;
	char text[512];
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(
			text, sizeof(text), "client a {\nfrom %s\nallow read /x\n}\n", cases[i][0]);
		expect_nearest_of(&asker, text, "read", "/x", cases[i][1]);
	}
	nobody.unit = nobody.user = nobody.home = NULL;
	expect_nearest_of(&nobody, "client a {\nfrom unit nginx.service\nallow read /x\n}\n",
		"read", "/x", "3: unit nginx.service, and the asker is in no unit");
	expect_nearest_of(&nobody, "client a {\nfrom user bob\nallow read /x\n}\n", "read", "/x",
		"3: user bob, not uid 1001");
	expect_nearest_of(&nobody, "client a {\nfrom anyone\nallow read /s/%u %h/x\n}\n", "read",
		"/s/alice", "3: /s/%u, and the asker has nothing that the variable stands for");
}

static void one_difference_goes_before_two(void **state)
{
	(void)state;
	expect_nearest("allow append /srv/b\nallow append /srv/a", "write", "/srv/a",
		"4: append, not write");
	expect_nearest("allow append /srv/b", "write", "/srv/a",
		"3: append, not write and /srv/b, not /srv/a");
	expect_nearest(
		"allow bind udp:53", "bind", "tcp:54", "3: udp, not tcp and port 53, not 54");
	expect_nearest("allow bind udp:127.0.0.1:53", "bind", "tcp:127.0.0.2:54", "none");
}

static void the_verb_goes_before_the_object_and_that_before_the_client(void **state)
{
	(void)state;
	expect_nearest("allow write /srv/b\nallow append /srv/a", "write", "/srv/a",
		"4: append, not write");
	expect_nearest_of(&asker,
		"client a {\nfrom user bob\nallow write /srv/a\n}\n"
		"client b {\nfrom user alice\nallow write /srv/b\n}\n",
		"write", "/srv/a", "7: /srv/b, not /srv/a");
	/* The one of which more was right. */
	expect_nearest(
		"allow read /a/x/c\nallow read /a/b/x", "read", "/a/b/c", "4: /a/b/x, not /a/b/c");
}

static void the_nearest_of_several_is_the_one_that_differs_least(void **state)
{
	(void)state;
	/* Of two rules the second, whatever their order. */
	static const char *const cases[][5] = {
		{"bind tcp:80,443", "bind tcp:10.0.0.0/8:1000-1010", "bind", "tcp:10.1.1.1:1011",
			"port 1000-1010, not 1011"},
		{"bind tcp:80,443", "connect tcp:192.0.2.0/24:443", "connect", "tcp:192.0.3.9:443",
			"address 192.0.2.0/24, not 192.0.3.9"},
		{"connect tcp:db.internal:5432", "connect tcp:10.0.0.0/8:5432", "connect",
			"tcp:11.0.0.1:5432", "address 10.0.0.0/8, not 11.0.0.1"},
		{"connect tcp:[fd00::]/8:1", "connect tcp:[2001:db8:1::]/48:1", "connect",
			"tcp:[2001:db8:2::1]:1", "address [2001:db8:1::]/48, not [2001:db8:2::1]"},
		{"connect tcp:a.test:1", "connect tcp:www.example.org:1", "connect",
			"tcp:ww.example.org:1", "host www.example.org, not ww.example.org"},
		{"bind udp:81", "bind tcp:80", "bind", "udp:80", "tcp, not udp"},
		{"read /**", "read /dev/ttyUSB*", "read", "/dev/ttyS0",
			"/dev/ttyUSB*, not /dev/ttyS0"},
		{"read /srv/*", "read /srv/www/site/index", "read", "/srv/www/site/image",
			"/srv/www/site/index, not /srv/www/site/image"},
		{"read /srv/www/x", "read /srv/www/*", "read", "/srv/www/.x",
			"a wildcard matches no leading dot (.x)"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *const *words = cases[i];
		char rules[256], expected[256];
		snprintf(rules, sizeof(rules), "allow %s\nallow %s", words[0], words[1]);
		snprintf(expected, sizeof(expected), "4: %s", words[4]);
		expect_nearest(rules, words[2], words[3], expected);
		snprintf(rules, sizeof(rules), "allow %s\nallow %s", words[1], words[0]);
		snprintf(expected, sizeof(expected), "3: %s", words[4]);
		expect_nearest(rules, words[2], words[3], expected);
	}
	/* The nearest object of a line, too. */
	expect_nearest("allow bind tcp:10.0.0.0/8:80 tcp:11.0.0.0/16:80", "bind", "tcp:11.1.0.1:80",
		"3: address 11.0.0.0/16, not 11.1.0.1");
}

static void kinds_that_are_easily_mistaken_are_near(void **state)
{
	(void)state;
	expect_nearest("allow socket icmp", "socket", "icmp6", "3: icmp, not icmp6");
	expect_nearest("allow socket tun:vpn0", "socket", "tap:vpn0", "3: tun, not tap");
	expect_nearest("allow option mark=5", "option", "priority=5", "3: mark, not priority");
	expect_nearest("allow option mark=5", "option", "priority=6", "none");
	expect_nearest("allow socket raw:1", "socket", "icmp", "none");
}

static void an_address_of_ipv6_alone_is_not_both(void **state)
{
	(void)state;
	expect_nearest("allow bind tcp:[::]:80", "bind", "tcp:[::]:80",
		"3: [::] alone, and this takes IPv4 too: write tcp:80, or add tcp:0.0.0.0:80");
	expect_nearest("allow bind tcp:[::]/0:80", "bind", "tcp:80",
		"3: [::]/0 alone, and this takes IPv4 too: write tcp:80, or add tcp:0.0.0.0:80");
	expect_nearest(
		"allow bind tcp:0.0.0.0:80", "bind", "tcp:[::]:80", "3: address 0.0.0.0, not [::]");
}

static void what_has_nothing_to_do_with_it_is_not_near(void **state)
{
	(void)state;
	expect_nearest(
		"allow bind tcp:80\nallow read /srv/* /etc/x/y/z", "read", "/etc/passwd", "none");
	expect_nearest("allow read /x", "bind", "tcp:80", "none");
	expect_nearest("allow read /run/s", "bind", "unix:/run/s", "none");
	expect_nearest("deny read /x", "write", "/x", "none");
	expect_nearest("allow resolve host:a.b", "connect", "tcp:a.b:80", "none");
}

static void the_part_of_a_credential_that_differs_is_named(void **state)
{
	(void)state;
	expect_nearest("allow credential tls.key=/etc/app/blue.key", "credential",
		"tls.crt=/etc/app/blue.key", "3: name tls.key, not tls.crt");
	expect_nearest("allow credential tls.key=/etc/app/%u.key", "credential",
		"tls.key=/etc/app/red.key", "3: /etc/app/%u.key, not /etc/app/red.key");
	expect_nearest("allow credential a=/etc/b/key", "credential", "a=/etc/c/key",
		"3: /etc/b, not /etc/c");
	expect_nearest("allow credential a=%h/key", "credential", "a=/home/bob/key",
		"3: %h is /home/alice");
	expect_nearest("allow credential a=/etc/a", "credential", "b=/etc/b",
		"3: name a, not b and /etc/a, not /etc/b");
	/* A file to open is not one to be given, nor the other way round. */
	expect_nearest(
		"allow read /etc/key", "credential", "a=/etc/key", "3: read, not credential");
	expect_nearest(
		"allow credential a=/etc/key", "read", "/etc/key", "3: credential, not read");
	expect_nearest_of(&asker, "client a {\nfrom user bob\nallow credential a=/etc/key\n}\n",
		"credential", "a=/etc/key", "3: user bob, not alice");
	expect_nearest("allow bind unix:/etc/key", "credential", "a=/etc/key", "none");
}

static void a_rule_that_can_never_match_says_so(void **state)
{
	(void)state;
	expect_nearest("allow create /x owner ghost", "create", "/x",
		"3: its owner, or the user of its `as`, who does not exist");
}

/* ---- what it compares by is what decide matches by ---- */

static void text_choose(char *text, const char *const *words, size_t count)
{
	strcat(text, words[random_below((uint32_t)count)]);
}

static void pattern_choose(char *text)
{
	static const char *const atoms[] = {"a", "b", "ab", "*", "**", "a*", "?", "[!a]", ".*",
		".d", "%u", "%U", "*b", "dev", "proc", "[d]ev"};
	bool was_deep = false;
	strcpy(text, random_below(8) ? "" : "%h");
	for (uint32_t i = 0; i <= random_below(4); i++) {
		char atom[16] = "";
		text_choose(atom, atoms, COUNT(atoms));
		if (was_deep && strcmp(atom, "**") == 0)
			continue;
		was_deep = strcmp(atom, "**") == 0;
		strcat(strcat(text, "/"), atom);
	}
}

static void path_choose(char *text)
{
	static const char *const names[] = {
		"a", "b", "ab", "aab", ".d", ".", "dev", "proc", "alice", "1001", "home"};
	strcpy(text, random_below(4) ? "" : "/home/alice");
	for (uint32_t i = 0; i <= random_below(4); i++)
		text_choose(strcat(text, "/"), names, COUNT(names));
}

static void credential_choose(char *rule, char *object)
{
	static const char *const names[] = {"a=", "a=", "ab="};
	text_choose(strcpy(rule, "credential "), names, COUNT(names));
	pattern_choose(rule + strlen(rule));
	text_choose(strcpy(object, ""), names, COUNT(names));
	path_choose(object + strlen(object));
}

static void endpoint_rule_choose(char *text)
{
	static const char *const hosts[] = {"", "*:", "127.0.0.1:", "127.0.0.0/8:", "127.0.0.0/30:",
		"0.0.0.0/0:", "[::]/0:", "[::]:", "0.0.0.0:", "[fe80::]/10:", "[fe80::1%eth0]:",
		"a.test:", "*.test:", "*.a.test:"};
	static const char *const ports[] = {"1", "2-3", "*", "1,3", "http"};
	text_choose(strcpy(text, "connect tcp:"), hosts, COUNT(hosts));
	text_choose(text, ports, COUNT(ports));
}

static void endpoint_choose(char *text)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.0.3", "127.0.0.5", "10.0.0.1",
		"0.0.0.0", "[::]", "[::1]", "[fe80::1]", "[fe80::1%eth0]", "a.test", "test",
		"b.a.test"};
	static const char *const ports[] = {"1", "2", "3", "80"};
	text_choose(strcpy(text, "tcp:"), hosts, COUNT(hosts));
	text_choose(strcat(text, ":"), ports, COUNT(ports));
}

/* Returns whether it is allowed. */
static bool expect_agreement(const char *rule, const char *verb, const char *object)
{
	char text[512];
	struct request request;
	snprintf(text, sizeof(text), "client a {\nfrom user alice\nallow %s\n}\n", rule);
	struct policy policy = policy_make(text);
	struct policy_peer peer = peer_make(&policy, &asker);
	assert_true(request_read(&request, verb, strlen(verb), object, strlen(object)));
	names_answer(request.set);
	assert_true(request_resolve(&request));
	/* Somebody else, with the same variables: then the user is all that differs. */
	const struct policy_identity other = {.uid = 1002, .user = "bob"};
	const struct lack lack = {.set = policy.set,
		.identity = &other,
		.peer = &peer,
		.request = &request,
		.verbs = request.verbs,
		.client = NONE};
	bool is_allowed = request_decide(&request, policy.image, &peer, request.verbs).outcome ==
			  POLICY_ALLOWED;
	struct nearest nearest;
	nearest_find(&lack, &nearest);
	if ((nearest.rule == 0 && nearest.count == 1) != is_allowed)
		fail_msg("%s, asked for %s %s: decide says %d", rule, verb, object, is_allowed);
	request_release(&request);
	policy_drop(&policy);
	return is_allowed;
}

static bool path_has_no_dot(const char *path)
{
	return !strstr(path, "/./") && strcmp(path + strlen(path) - 2, "/.") != 0;
}

static void a_rule_applies_where_decide_says_so(void **state)
{
	static const char *const verbs[] = {"read", "list", "stat"};
	uint32_t paths_allowed = 0, credentials_allowed = 0, endpoints_allowed = 0;
	char rule[256], object[256];
	(void)state;
	for (int i = 0; i < 60000; i++) {
		const char *verb = verbs[random_below(COUNT(verbs))];
		strcpy(rule, verb);
		pattern_choose(strcat(rule, " ") + strlen(rule));
		path_choose(object);
		if (path_has_no_dot(object))
			paths_allowed += expect_agreement(rule, verb, object);
		credential_choose(rule, object);
		if (path_has_no_dot(object))
			credentials_allowed += expect_agreement(rule, "credential", object);
		endpoint_rule_choose(rule);
		endpoint_choose(object);
		endpoints_allowed += expect_agreement(rule, "connect", object);
	}
	assert_in_range(paths_allowed, 1000, 30000);
	assert_in_range(credentials_allowed, 500, 30000);
	assert_in_range(endpoints_allowed, 1000, 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verb_that_differs_is_named),
		cmocka_unit_test(the_part_of_an_endpoint_that_differs_is_named),
		cmocka_unit_test(the_component_of_a_path_that_differs_is_named),
		cmocka_unit_test(what_a_wildcard_does_not_do_is_said),
		cmocka_unit_test(whom_a_rule_is_for_is_named),
		cmocka_unit_test(one_difference_goes_before_two),
		cmocka_unit_test(the_verb_goes_before_the_object_and_that_before_the_client),
		cmocka_unit_test(the_nearest_of_several_is_the_one_that_differs_least),
		cmocka_unit_test(kinds_that_are_easily_mistaken_are_near),
		cmocka_unit_test(an_address_of_ipv6_alone_is_not_both),
		cmocka_unit_test(what_has_nothing_to_do_with_it_is_not_near),
		cmocka_unit_test(the_part_of_a_credential_that_differs_is_named),
		cmocka_unit_test(a_rule_that_can_never_match_says_so),
		cmocka_unit_test(a_rule_applies_where_decide_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

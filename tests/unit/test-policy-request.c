/* SPDX-License-Identifier: MIT */
/* A request in words says exactly one thing, or why not. */
#include "policy-support.h"
#include "request.h"

static bool request_make(struct request *request, const char *verbs, const char *object)
{
	if (!request_read(request, verbs, strlen(verbs), object, strlen(object)))
		return false;
	names_answer(request->set);
	return request_resolve(request);
}

static void a_path_is_taken_as_the_bytes_that_it_is(void **state)
{
	static const char *const paths[] = {"/", "/a/*", "/a/**b", "/%h/%q/[", "/a b\"\\\n\xff",
		"/a//b/../", "/tcp:80", "/x=y"};
	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct request request;
		assert_true(request_make(&request, "read,write", paths[i]));
		assert_int_equal(request.kind, REQUEST_PATH);
		assert_int_equal(request.verbs, POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE));
		assert_int_equal(request.length, strlen(paths[i]));
		assert_memory_equal(request.path, paths[i], request.length);
		request_release(&request);
	}
}

static void a_unix_socket_is_its_path(void **state)
{
	struct request request;
	(void)state;
	assert_true(request_make(&request, "bind", "unix:/run/[x]"));
	assert_int_equal(request.kind, REQUEST_PATH);
	assert_int_equal(request.verbs, POLICY_BIT(POLICY_BIND));
	assert_string_equal(request.path, "/run/[x]");
	request_release(&request);
}

static void a_credential_is_its_name_and_its_path(void **state)
{
	static const char object[] = "tls.key=/etc/a=b/*:\"\xff";
	struct request request;
	(void)state;
	assert_true(request_make(&request, "credential", object));
	assert_int_equal(request.kind, REQUEST_CREDENTIAL);
	assert_int_equal(request.verbs, POLICY_BIT(POLICY_CREDENTIAL));
	assert_int_equal(request.name_length, strlen("tls.key"));
	assert_memory_equal(request.name, "tls.key", request.name_length);
	assert_string_equal(request.path, "/etc/a=b/*:\"\xff");
	assert_int_equal(request.length, strlen(request.path));
	request_release(&request);
}

static void an_endpoint_is_what_the_broker_decides_on(void **state)
{
	static const struct {
		const char *verb, *object;
		struct policy_endpoint endpoint;
	} cases[] = {
		{"bind", "tcp:80", {.kind = POLICY_TCP, .family = POLICY_IPV6, .number = 80}},
		{"bind", "udp:*:53", {.kind = POLICY_UDP, .family = POLICY_IPV6, .number = 53}},
		{"bind", "tcp:http", {.kind = POLICY_TCP, .family = POLICY_IPV6, .number = 80}},
		{"bind", "tcp:127.0.0.1:0",
			{.kind = POLICY_TCP, .family = POLICY_IPV4, .address = {127, 0, 0, 1}}},
		{"connect", "tcp:[::1]:80",
			{.kind = POLICY_TCP,
				.family = POLICY_IPV6,
				.address = {[15] = 1},
				.number = 80}},
		{"connect", "tcp:[::ffff:10.0.0.1]:80",
			{.kind = POLICY_TCP,
				.family = POLICY_IPV4,
				.address = {10, 0, 0, 1},
				.number = 80}},
		{"connect", "udp:[fe80::1%eth0]:domain",
			{.kind = POLICY_UDP,
				.family = POLICY_IPV6,
				.address = {0xfe, 0x80, [15] = 1},
				.scope = 2,
				.number = 53}},
		{"socket", "icmp", {.kind = POLICY_ICMP}},
		{"socket", "icmp6", {.kind = POLICY_ICMP6}},
		{"socket", "raw:89", {.kind = POLICY_RAW, .number = 89}},
		{"socket", "raw:icmp", {.kind = POLICY_RAW, .number = 1}},
		{"socket", "netlink:route", {.kind = POLICY_NETLINK}},
		{"socket", "vsock:*:*",
			{.kind = POLICY_VSOCK,
				.family = POLICY_CID,
				.address = {255, 255, 255, 255}}},
		{"bind", "vsock:*:99",
			{.kind = POLICY_VSOCK,
				.family = POLICY_CID,
				.address = {255, 255, 255, 255},
				.number = 99}},
		{"connect", "vsock:2:99",
			{.kind = POLICY_VSOCK,
				.family = POLICY_CID,
				.address = {0, 0, 0, 2},
				.number = 99}},
		{"option", "mark=100", {.kind = POLICY_MARK, .number = 100}},
		{"option", "rcvbufforce=1K", {.kind = POLICY_RCVBUFFORCE, .number = 1024}},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request request;
		if (!request_make(&request, cases[i].verb, cases[i].object))
			fail_msg("%s: %s", cases[i].object, request.problem);
		assert_int_equal(request.kind, REQUEST_ENDPOINT);
		if (cases[i].endpoint.kind == POLICY_VSOCK && request.verbs == 1u << POLICY_SOCKET)
			request.endpoint.number = 0;
		assert_memory_equal(
			&request.endpoint, &cases[i].endpoint, sizeof(request.endpoint));
		request_release(&request);
	}
}

static void a_name_is_what_the_endpoint_has(void **state)
{
	static const struct {
		const char *verb, *object, *name;
		enum policy_kind kind;
		uint32_t number;
	} cases[] = {
		{"connect", "tcp:DB.internal.:5432", "db.internal", POLICY_TCP, 5432},
		{"resolve", "host:www.example.org", "www.example.org", POLICY_HOST, 0},
		{"socket", "tun:vpn0", "vpn0", POLICY_TUN, 0},
		{"socket", "tap:a\"\\", "a\"\\", POLICY_TAP, 0},
		{"option", "bindtodevice=eth0", "eth0", POLICY_BINDTODEVICE, 0},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request request;
		if (!request_make(&request, cases[i].verb, cases[i].object))
			fail_msg("%s: %s", cases[i].object, request.problem);
		assert_int_equal(request.endpoint.kind, cases[i].kind);
		assert_int_equal(request.endpoint.number, cases[i].number);
		assert_int_equal(request.endpoint.name_length, strlen(cases[i].name));
		assert_memory_equal(
			request.endpoint.name, cases[i].name, request.endpoint.name_length);
		request_release(&request);
	}
}

static void what_is_no_request_is_told_with_the_way_out(void **state)
{
	static const struct {
		const char *verbs, *object, *problem, *remedy;
	} cases[] = {
		{"read", "etc/motd", "'etc/motd' is not an absolute path", "whole path"},
		{"read", "", "the object is missing", "write a path"},
		{"", "/x", "the verbs are missing", "write them first"},
		{"read write", "/x", "'read write' are no verbs", "with commas"},
		{"reed", "/x", "unknown verb 'reed'", "did you mean 'read'?"},
		{"all", "/x", "'all' goes with deny only", "name the verbs"},
		{"read,", "/x", "a verb is missing", ""},
		{"bind", "/x", "'bind' does not go with a path", ""},
		{"read", "tcp:80", "'read' does not go with a tcp endpoint", ""},
		{"read", "%h/x", "'%h/x' depends on who asks", "write the path"},
		{"bind", "tcp:80-90", "'tcp:80-90' may stand for many", "one port"},
		{"bind", "tcp:80,443", "'tcp:80,443' may stand for many", "one port"},
		{"bind", "tcp:*", "'tcp:*' may stand for many", "one port"},
		{"connect", "tcp:80", "'tcp:80' may stand for many", "one address"},
		{"connect", "tcp:10.0.0.0/8:80", "may stand for many", "one address"},
		{"connect", "vsock:*:9", "may stand for many", "one context id"},
		{"resolve", "host:*.example.org", "may stand for many", "one name"},
		{"resolve", "host:*", "may stand for many", "one name"},
		{"socket", "raw:*", "may stand for many", "one protocol"},
		{"socket", "tun:*", "may stand for many", "one device"},
		{"option", "mark=1-2", "may stand for many", "one value"},
		{"bind", "tcp:70000", "'70000' is no port", ""},
		{"bind", "tcp:db:80", "bind takes an address", ""},
		{"bind", "tcp:nosuch", "there is no such service here", "number"},
		{"connect", "tcp:[fe80::1%no0]:1", "there is no such interface here", ""},
		{"bind,connect", "tcp:127.0.0.1:80", "one verb at a time", "by itself"},
		{"bind", "unix:x", "not an absolute path", ""},
		{"credential", "/etc/key", "'credential' does not go with a path", ""},
		{"read", "key=/etc/key", "'read' does not go with a credential", ""},
		{"credential", "a b=/etc/key", "'a b' is no name of a credential", "letters"},
		{"credential", "..=/etc/key", "'..' is no name of a credential", ""},
		{"credential", "key=%h/key", "'key=%h/key' depends on who asks", "the path"},
		{"credential", "key=etc/key", "", ""},
		{"credential", "=/etc/key", "", ""},
		{"credential", "tcp:a=/etc/key", "does not go with a tcp endpoint", ""},
		{"bind", "tcp:80 mode", "", ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request request;
		if (request_make(&request, cases[i].verbs, cases[i].object))
			fail_msg("%s %s was taken", cases[i].verbs, cases[i].object);
		if (!strstr(request.problem, cases[i].problem) ||
			!strstr(request.remedy, cases[i].remedy))
			fail_msg("%s %s: %s: %s", cases[i].verbs, cases[i].object, request.problem,
				request.remedy);
		assert_int_not_equal(request.problem[0], '\0');
		request_release(&request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_taken_as_the_bytes_that_it_is),
		cmocka_unit_test(a_unix_socket_is_its_path),
		cmocka_unit_test(a_credential_is_its_name_and_its_path),
		cmocka_unit_test(an_endpoint_is_what_the_broker_decides_on),
		cmocka_unit_test(a_name_is_what_the_endpoint_has),
		cmocka_unit_test(what_is_no_request_is_told_with_the_way_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

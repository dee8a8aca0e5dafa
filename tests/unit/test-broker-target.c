/* SPDX-License-Identifier: MIT */
/* Addresses as the policy judges them, and those that a name may not lead to by itself. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/operations/target.h"

static struct target target_of(const char *text)
{
	struct fdbroker_endpoint endpoint = {.family = FDBROKER_IPV4, .port = 80};
	struct target target;

	if (inet_pton(AF_INET, text, endpoint.address) != 1) {
		endpoint.family = FDBROKER_IPV6;
		assert_int_equal(inet_pton(AF_INET6, text, endpoint.address), 1);
	}
	target_init(&target, &endpoint, POLICY_TCP);
	return target;
}

static void addresses_of_this_machine_its_link_and_of_many_are_special(void **state)
{
	static const struct {
		const char *address;
		bool is_special;
	} table[] = {
		/* this host on this network, RFC 6890 */
		{"0.0.0.0", true},
		{"0.255.255.255", true},
		{"1.0.0.0", false},
		/* loopback */
		{"126.255.255.255", false},
		{"127.0.0.0", true},
		{"127.0.0.1", true},
		{"127.255.255.255", true},
		{"128.0.0.0", false},
		/* link-local */
		{"169.253.255.255", false},
		{"169.254.0.0", true},
		{"169.254.255.255", true},
		{"169.255.0.0", false},
		{"168.254.0.0", false},
		{"170.254.0.0", false},
		/* multicast, reserved, broadcast */
		{"223.255.255.255", false},
		{"224.0.0.0", true},
		{"239.255.255.255", true},
		{"240.0.0.0", true},
		{"255.255.255.255", true},
		/* private networks are networks */
		{"10.0.0.5", false},
		{"192.168.0.1", false},

		/* unspecified, loopback, and with them all that end in an IPv4 address, RFC 4291 */
		{"::", true},
		{"::1", true},
		{"::127.0.0.1", true},
		{"::10.0.0.5", true},
		{"::255.255.255.255", true},
		{"::1:0:0", false},
		{"1::", false},
		{"::fffe:7f00:1", false},
		{"::ffff:127.0.0.1", true},
		{"::ffff:10.0.0.5", true},
		{"::1:ffff:7f00:1", false},
		/* link-local */
		{"fe7f:ffff::", false},
		{"fe80::", true},
		{"fe80::1", true},
		{"febf:ffff::1", true},
		{"fec0::", false},
		/* multicast */
		{"feff::1", false},
		{"ff00::", true},
		{"ff02::1", true},
		{"ffff::", true},
		/* IPv4 in disguise */
		{"64:ff9b::a00:7", true},
		{"64:ff9b:1::a00:7", false},
		{"2002:a00:7::1", true},
		{"2003:a00:7::1", false},
		{"::ffff:0:a00:7", true},
		/* all others */
		{"2001:db8::1", false},
		{"fd00::1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct target target = target_of(table[i].address);

		if (target_is_special(&target) != table[i].is_special)
			fail_msg("%s is %sspecial", table[i].address,
				table[i].is_special ? "not " : "");
	}
}

static void a_mapped_address_is_judged_as_its_IPv4_address(void **state)
{
	struct target mapped = target_of("::ffff:10.0.0.5"), plain = target_of("10.0.0.5");

	(void)state;
	assert_int_equal(mapped.domain, AF_INET6);
	assert_int_equal(plain.domain, AF_INET);
	assert_int_equal(mapped.judged.family, POLICY_IPV4);
	assert_memory_equal(&mapped.judged, &plain.judged, sizeof(plain.judged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_this_machine_its_link_and_of_many_are_special),
		cmocka_unit_test(a_mapped_address_is_judged_as_its_IPv4_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

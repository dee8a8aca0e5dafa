# shellcheck shell=bash
# Binding the client's own socket in place, and listening sockets.

ports_policy() {
	policy <<-END
		client ports {
			from user alice
			allow bind tcp:80 udp:80
			allow bind tcp:127.0.0.1:81 tcp:[::1]:82
			allow bind udp:0.0.0.0:83
			allow bind tcp:90-92,95
			deny bind tcp:91
		}
	END
	start_broker
}

test_a_socket_of_the_client_is_bound_in_place() {
	ports_policy
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80" name start-listening)" $'ok\nok 0.0.0.0 80\nok'
	expect_equal "$(as alice ask "bind tcp :: 80" name)" $'ok\nok :: 80'
	expect_equal "$(as alice ask "bind udp 0.0.0.0 80" name)" $'ok\nok 0.0.0.0 80'
	expect_equal "$(as alice ask "bind udp :: 80" name)" $'ok\nok :: 80'
	expect_equal "$(as alice ask "bind tcp 127.0.0.1 81" name)" $'ok\nok 127.0.0.1 81'
	expect_equal "$(as alice ask "bind tcp ::1 82" name)" $'ok\nok ::1 82'
}

test_IPV6_V6ONLY_set_before_stays() {
	ports_policy
	# Both can be bound only if the first does not take IPv4 as well.
	open_session first alice
	expect_equal "$(tell first "bind tcp :: 80 v6only")" ok
	expect_equal "$(tell first "start-listening")" ok
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80" start-listening)" $'ok\nok'
}

test_what_the_address_or_the_protocol_does_not_match_is_denied() {
	ports_policy
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 81" "bind tcp 127.0.0.2 81" "bind tcp ::1 81" \
		"bind tcp 127.0.0.1 82" "bind udp 127.0.0.1 81" "bind tcp 127.0.0.1 443")" \
		"$(yes 'EACCES policy' | head -n 6)"
}

test_an_address_for_all_of_IPv6_needs_IPv4_granted_too() {
	ports_policy
	expect_equal "$(as alice ask "bind udp 0.0.0.0 83" "bind udp :: 83")" $'ok\nEACCES policy'
}

test_a_mapped_address_is_the_IPv4_address() {
	ports_policy
	expect_equal "$(as alice ask "bind tcp ::ffff:127.0.0.1 81" "bind tcp ::ffff:127.0.0.2 81")" \
		$'ok\nEACCES policy'
}

test_ranges_and_denied_ports() {
	ports_policy
	expect_equal "$(as alice ask "listen tcp:90" "listen tcp:91" "listen tcp:92" "listen tcp:93" \
		"listen tcp:95")" $'ok\nEACCES policy\nok\nEACCES policy\nok'
}

test_port_0_is_no_low_port_to_be_had_by_chance() {
	ports_policy
	expect_equal "$(as alice ask "bind tcp 127.0.0.1 0" "listen tcp:0")" $'EACCES policy\nEACCES policy'
}

test_a_listening_socket_is_ready_to_accept() {
	ports_policy
	start_as alice ask "listen tcp:127.0.0.1:81" name "answer hello" >/run/test/answer 2>&1
	eventually 5 grep -q 81 /run/test/answer || fail "$(cat /run/test/answer)"
	expect_equal "$(curl -s --max-time 5 http://127.0.0.1:81/)" hello
	wait $!
}

test_listen_on_udp_gives_a_socket_that_receives() {
	ports_policy
	start_as alice ask "listen udp:0.0.0.0:83" name receive >/run/test/answer 2>&1
	eventually 5 grep -q 83 /run/test/answer || fail "$(cat /run/test/answer)"
	echo -n datagram >/dev/udp/127.0.0.1/83
	wait $!
	expect_equal "$(tail -n 1 /run/test/answer)" "ok datagram"
}

test_the_errno_of_the_kernel_comes_through() {
	ports_policy
	open_session first alice
	expect_equal "$(tell first "listen tcp:80")" ok
	expect_equal "$(as alice ask "listen tcp:80" "bind tcp 0.0.0.0 80")" \
		$'EADDRINUSE kernel\nEADDRINUSE kernel'
}

test_a_port_that_was_let_go_is_free_again() {
	ports_policy
	expect_equal "$(as alice ask "listen tcp:80")" ok
	expect_equal "$(as alice ask "listen tcp:80" close "listen tcp:80")" $'ok\nok\nok'
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80" start-listening)" $'ok\nok'
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80" start-listening)" $'ok\nok'
}

test_an_endpoint_that_is_none_is_refused_by_the_library() {
	local endpoint
	ports_policy
	for endpoint in tcp tcp: 80 tcp:65536 tcp:-1 sctp:80 tcp:127.1:80 tcp:::1:80 tcp:http 'tcp:[::1]' \
		tcp:1.2.3.4.5:80 tcp:80x; do
		expect_equal "$(as alice ask "listen $endpoint")" "EINVAL local" "$endpoint"
	done
}

test_a_socket_in_another_network_namespace_is_refused() {
	ports_policy
	# The client lives in a network of its own: its port 80 is not the broker's to give.
	expect_match "$(unshare --net bash -c 'source tests/system/lib.sh
		as alice ask "bind tcp 0.0.0.0 80"')" '^E[A-Z]+ (netns)$'
}

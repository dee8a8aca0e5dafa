# shellcheck shell=bash
# `netns`: in which network namespace a socket may live that a client sends.

netns_policy() {
	policy <<-END
		client nets {
			from user alice
			allow bind tcp:80
			allow bind tcp:81 netns peer
			allow bind tcp:82 netns any
			allow connect udp:127.0.0.1:90
			allow connect udp:127.0.0.1:91 netns peer
			allow option mark=1
			allow option mark=2 netns any
			allow socket netlink:route
		}
	END
	start_broker
}

# As alice in a network namespace of her own.
elsewhere() { # COMMAND...
	# shellcheck disable=SC2016 # expanded inside
	unshare --net bash -c 'source tests/system/lib.sh; ip link set lo up; as alice ask "$@"' \
		elsewhere "$@"
}

# As alice, connected to the broker in the broker's network namespace, with a socket of another one.
with_socket_from_elsewhere() { # COMMAND...
	unshare --net python3 - "$@" <<-END
		import os, socket, sys
		s = socket.socket()
		os.dup2(s.fileno(), 9)
		os.execvp("nsenter", ["nsenter", "--net=/proc/1/ns/net", "bash", "-c",
		    'source tests/system/lib.sh; as alice ask "adopt 9" "\$@"', "ask"] + sys.argv[1:])
	END
}

TCP="make AF_INET SOCK_STREAM"
UDP="make AF_INET SOCK_DGRAM"

test_a_socket_of_the_brokers_namespace_is_served_by_each_of_them() {
	netns_policy
	expect_equal "$(as alice ask "$TCP" "bind-it inet 0.0.0.0 80" "$TCP" "bind-it inet 0.0.0.0 81" \
		"$TCP" "bind-it inet 0.0.0.0 82" "$UDP" "connect-it inet 127.0.0.1 90" \
		"connect-it inet 127.0.0.1 91" "set-option SOL_SOCKET SO_MARK 1")" \
		"$(printf 'ok\n%.0s' {1..10})"
}

test_the_default_is_the_brokers_namespace_alone() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 80" "$UDP" \
		"connect-it inet 127.0.0.1 90" "set-option SOL_SOCKET SO_MARK 1")" \
		$'ok\nEACCES netns\nok\nEACCES netns\nEACCES netns'
	expect_log 'audit: denied .*object="tcp:0\.0\.0\.0:80".*netns'
}

test_peer_is_the_namespace_that_the_client_connected_from() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 81" name "$UDP" \
		"connect-it inet 127.0.0.1 91")" $'ok\nok\nok 0.0.0.0 81\nok\nok'
	expect_equal "$(with_socket_from_elsewhere "bind-it inet 0.0.0.0 81")" $'ok\nEACCES netns'
}

test_any_is_any() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 82" "$UDP" \
		"set-option SOL_SOCKET SO_MARK 2" "get-option SOL_SOCKET SO_MARK")" \
		$'ok\nok\nok\nok\nok 2'
	expect_equal "$(with_socket_from_elsewhere "bind-it inet 0.0.0.0 82" name)" \
		$'ok\nok\nok 0.0.0.0 82'
}

test_a_privileged_port_elsewhere_needs_no_privilege_there() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-myself 0.0.0.0 81")" $'ok\nEACCES'
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 81")" $'ok\nok'
}

# What the broker makes lives where the broker does.
test_a_fresh_socket_is_of_the_brokers_namespace() {
	netns_policy
	expect_equal "$(elsewhere "listen tcp:80" "listen tcp:81" "listen tcp:82" \
		"socket AF_NETLINK SOCK_RAW 0")" $'ok\nEACCES netns\nok\nok'
	expect_equal "$(as alice ask "listen tcp:81")" ok
}

# shellcheck shell=bash
# Fresh sockets, the options of a rule's `with`, and options that need a privilege.

sockets_policy() {
	policy <<-END
		client sockets {
			from user alice
			allow socket icmp icmp6 netlink:route vsock:*:*
			allow bind tcp:127.0.0.1:80 with freebind,reuseport
			allow bind tcp:198.51.100.1:81 tcp:[2001:db8::1]:81 with transparent
			allow bind udp:*:82 with v6only
			allow bind tcp:*:83 with device=lo
			allow bind tcp:198.51.100.2:84 tcp:[2001:db8::2]:84 udp:198.51.100.2:84 with freebind
			allow bind vsock:*:5000 vsock:*:90
		}
	END
	start_broker
}

raw_policy() {
	policy <<-END
		client raw {
			from user alice
			allow socket raw:1 raw:255
			deny  socket raw:255
		}
		client other {
			from user bob
			allow socket icmp
		}
	END
	start_broker
}

option_policy() {
	policy <<-END
		client options {
			from user alice
			allow option mark=100-199 priority=7 rcvbufforce=0-8M sndbufforce=0-8M
			allow option debug=1 transparent=1 bindtodevice=lo
		}
	END
	start_broker
}

TCP="make AF_INET SOCK_STREAM"

# ---- socket ----

test_a_ping_socket_pings_where_the_kernel_lets_anybody() {
	sockets_policy
	expect_equal "$(as alice ask "socket AF_INET SOCK_DGRAM IPPROTO_ICMP")" "EACCES kernel"
	echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
	expect_equal "$(as alice ask "socket AF_INET SOCK_DGRAM IPPROTO_ICMP" ping \
		"socket AF_INET6 SOCK_DGRAM IPPROTO_ICMPV6")" $'ok\nok\nok'
	expect_log 'audit: allowed .*verb=socket object="icmp"'
	expect_log 'audit: allowed .*verb=socket object="icmp6"'
}

test_a_netlink_socket_is_given_by_its_family() {
	sockets_policy
	expect_equal "$(as alice ask "socket AF_NETLINK SOCK_RAW 0" "socket AF_NETLINK SOCK_DGRAM 0" \
		"socket AF_NETLINK SOCK_RAW 9")" $'ok\nok\nEACCES policy'
	expect_log 'audit: allowed .*verb=socket object="netlink:0"'
}

test_a_raw_socket_is_given_by_its_protocol() {
	raw_policy
	expect_equal "$(as alice ask "socket AF_INET SOCK_RAW 1" ping "socket AF_INET SOCK_RAW 2" \
		"socket AF_INET SOCK_RAW 255" "socket AF_INET6 SOCK_RAW 1")" \
		$'ok\nok\nEACCES policy\nEACCES policy\nok'
	expect_equal "$(as bob ask "socket AF_INET SOCK_RAW 1")" "EACCES policy"
	expect_log 'audit: allowed .*verb=socket object="raw:1"'
	expect_log 'audit: denied .*verb=socket object="raw:255"'
}

test_a_vsock_socket_is_given_and_bound_and_made_to_listen() {
	ask --direct "make AF_VSOCK SOCK_STREAM" | grep -q ok || skip "this kernel has no vsock"
	sockets_policy
	expect_equal "$(as alice ask "socket AF_VSOCK SOCK_STREAM 0" "bind-it vsock 4294967295 5000" \
		start-listening)" $'ok\nok\nok'
	# Below 1024 a privilege is needed, vsock(7).
	expect_equal "$(as alice ask "make AF_VSOCK SOCK_STREAM" "bind-it vsock 4294967295 90" \
		"make AF_VSOCK SOCK_STREAM" "bind-it vsock 4294967295 5001")" \
		$'ok\nok\nok\nEACCES policy'
	expect_equal "$(as alice ask "listen vsock:*:5000")" ok
	expect_log 'audit: allowed .*verb=bind object="vsock:\*:5000"'
}

test_flags_of_a_fresh_socket_are_kept() {
	sockets_policy
	expect_equal "$(as alice ask "socket AF_NETLINK SOCK_RAW|SOCK_NONBLOCK 0" flags)" \
		$'ok\nok O_RDWR|O_NONBLOCK'
}

test_what_the_machine_withholds_is_said_at_the_start() {
	policy <<-END
		client machine {
			from user alice
			allow socket icmp tun:vpn0
		}
	END
	echo "1 0" >/proc/sys/net/ipv4/ping_group_range
	rm -f /dev/net/tun
	start_broker
	expect_log 'icmp sockets, but the kernel does not: net.ipv4.ping_group_range is 1 to 0, and group 900'
	expect_log 'there is no /dev/net/tun'
	stop_broker
	echo "900 900" >/proc/sys/net/ipv4/ping_group_range
	: >"$BROKER_LOG"
	start_broker
	expect_equal "$(log_count ping_group_range)" 0 "warnings"
}

test_what_no_rule_can_name_is_denied() {
	sockets_policy
	expect_equal "$(as alice ask "socket AF_INET SOCK_STREAM 0" "socket AF_INET6 SOCK_DGRAM 17" \
		"socket AF_UNIX SOCK_STREAM 0" "socket AF_PACKET SOCK_RAW 0")" \
		$'EACCES socket\nEACCES socket\nEACCES socket\nEAFNOSUPPORT socket'
	expect_log 'audit: denied .*verb=socket object="domain=2 type=1 protocol=0"'
}

# ---- with ----

test_the_rules_options_are_set_before_binding() {
	sockets_policy
	expect_equal "$(as alice ask "$TCP" "bind-it inet 127.0.0.1 80" \
		"get-option SOL_IP IP_FREEBIND" "get-option SOL_SOCKET SO_REUSEPORT")" \
		$'ok\nok\nok 1\nok 1'
	expect_equal "$(as alice ask "make AF_INET6 SOCK_DGRAM" "bind-it inet6 :: 82" \
		"get-option SOL_IPV6 IPV6_V6ONLY")" $'ok\nok\nok 1'
	expect_equal "$(as alice ask "$TCP" "bind-it inet 0.0.0.0 83" \
		"get-option SOL_SOCKET SO_BINDTODEVICE")" $'ok\nok\nok lo'
}

test_freebind_and_transparent_bind_addresses_that_are_not_there() {
	sockets_policy
	expect_equal "$(as alice ask "$TCP" "bind-it inet 198.51.100.2 84" name \
		"make AF_INET6 SOCK_STREAM" "bind-it inet6 2001:db8::2 84" name \
		"make AF_INET SOCK_DGRAM" "bind-it inet 198.51.100.2 84")" \
		$'ok\nok\nok 198.51.100.2 84\nok\nok\nok 2001:db8::2 84\nok\nok'
	expect_equal "$(as alice ask "$TCP" "bind-it inet 198.51.100.1 81" \
		"get-option SOL_IP IP_TRANSPARENT" \
		"make AF_INET6 SOCK_STREAM" "bind-it inet6 2001:db8::1 81" \
		"get-option SOL_IPV6 IPV6_TRANSPARENT")" $'ok\nok\nok 1\nok\nok\nok 1'
}

test_a_listening_socket_has_the_rules_options_too() {
	sockets_policy
	open_session first alice
	expect_equal "$(tell first "listen tcp:127.0.0.1:80")" ok
	# reuseport: another one beside it.
	expect_equal "$(as alice ask "listen tcp:127.0.0.1:80" "listen tcp:198.51.100.1:81" name \
		"listen tcp:[2001:db8::2]:84" "listen udp:82" "get-option SOL_IPV6 IPV6_V6ONLY" \
		"listen tcp:83" "get-option SOL_SOCKET SO_BINDTODEVICE")" \
		$'ok\nok\nok 198.51.100.1 81\nok\nok\nok 1\nok\nok lo'
}

# Else it would be a way to have it on a socket that is bound elsewhere.
test_a_socket_that_could_not_be_bound_is_not_left_transparent() {
	sockets_policy
	open_session first alice
	expect_equal "$(tell first "listen tcp:198.51.100.1:81")" ok
	expect_equal "$(as alice ask "$TCP" "bind-it inet 198.51.100.1 81" \
		"get-option SOL_IP IP_TRANSPARENT")" $'ok\nEADDRINUSE kernel\nok 0'
}

# Two requests about one socket can be served at once, so nobody can tell who has made it so.
test_a_socket_that_was_transparent_before_is_not_left_so_either() {
	local way
	sockets_policy
	open_session first alice
	expect_equal "$(tell first "listen tcp:198.51.100.1:81")" ok
	open_session second alice
	expect_equal "$(tell second "listen tcp:[2001:db8::1]:81")" ok
	# Family, level, option of Python, and the same for ask.
	for way in "AF_INET IP 19 inet 198.51.100.1 SOL_IP IP_TRANSPARENT" \
		"AF_INET6 IPV6 75 inet6 2001:db8::1 SOL_IPV6 IPV6_TRANSPARENT"; do
		# shellcheck disable=SC2086 # words
		expect_equal "$(already_transparent $way)" $'ok\nEADDRINUSE kernel\nok 0' "$way"
	done
}

already_transparent() { # DOMAIN LEVEL NUMBER FAMILY ADDRESS LEVEL OPTION
	python3 - <<-END
		import os, socket
		s = socket.socket(socket.$1)
		s.setsockopt(socket.IPPROTO_$2, $3, 1)
		os.dup2(s.fileno(), 9)
		os.execvp("bash", ["bash", "-c", """source tests/system/lib.sh
		    as alice ask "adopt 9" "bind-it $4 $5 81" "get-option $6 $7" """])
	END
}

test_a_rule_without_options_sets_none() {
	sockets_policy
	expect_equal "$(as alice ask "make AF_INET SOCK_DGRAM" "bind-it inet 0.0.0.0 82" \
		"get-option SOL_IP IP_FREEBIND" "get-option SOL_IP IP_TRANSPARENT")" \
		$'ok\nok\nok 0\nok 0'
}

# ---- setsockopt ----

test_options_are_granted_by_name_and_range() {
	option_policy
	expect_equal "$(as alice ask "$TCP" "set-option SOL_SOCKET SO_MARK 100" \
		"get-option SOL_SOCKET SO_MARK" "set-option SOL_SOCKET SO_MARK 200" \
		"set-option SOL_SOCKET SO_MARK -1" "get-option SOL_SOCKET SO_MARK")" \
		$'ok\nok\nok 100\nEACCES policy\nEACCES policy\nok 100'
	expect_equal "$(as alice ask "$TCP" "set-option SOL_SOCKET SO_PRIORITY 7" \
		"get-option SOL_SOCKET SO_PRIORITY" "set-option SOL_SOCKET SO_PRIORITY 8")" \
		$'ok\nok\nok 7\nEACCES policy'
	expect_log 'audit: allowed .*verb=option object="mark=100"'
	expect_log 'audit: denied .*verb=option object="mark=4294967295"'
}

test_buffers_grow_beyond_the_limit_of_the_system() {
	option_policy
	expect_equal "$(as alice ask "$TCP" "set-option SOL_SOCKET SO_RCVBUFFORCE 4194304" \
		"get-option SOL_SOCKET SO_RCVBUF" "set-option SOL_SOCKET SO_SNDBUFFORCE 4194304" \
		"get-option SOL_SOCKET SO_SNDBUF" "set-option SOL_SOCKET SO_RCVBUFFORCE 8388609")" \
		$'ok\nok\nok 8388608\nok\nok 8388608\nEACCES policy'
}

test_the_other_options_are_set() {
	option_policy
	expect_equal "$(as alice ask "$TCP" "set-option SOL_SOCKET SO_DEBUG 1" \
		"get-option SOL_SOCKET SO_DEBUG" "set-option SOL_IP IP_TRANSPARENT 1" \
		"get-option SOL_IP IP_TRANSPARENT" "make AF_INET6 SOCK_DGRAM" \
		"set-option SOL_IPV6 IPV6_TRANSPARENT 1" "get-option SOL_IPV6 IPV6_TRANSPARENT")" \
		$'ok\nok\nok 1\nok\nok 1\nok\nok\nok 1'
}

test_a_device_is_bound_to_and_changed_as_the_rule_has_it() {
	option_policy
	ip link add other type veth peer name far
	expect_equal "$(as alice ask "$TCP" "set-option SOL_SOCKET SO_BINDTODEVICE lo" \
		"get-option SOL_SOCKET SO_BINDTODEVICE" "set-option SOL_SOCKET SO_BINDTODEVICE other" \
		"set-option SOL_SOCKET SO_BINDTODEVICE lo")" $'ok\nok\nok lo\nEACCES policy\nok'
	# From another device to this: for that CAP_NET_RAW is needed, socket(7).
	expect_equal "$(python3 - <<-END
		import os, socket
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"other")
		os.dup2(s.fileno(), 9)
		os.execvp("bash", ["bash", "-c", """source tests/system/lib.sh
		    as alice ask "adopt 9" "set-option SOL_SOCKET SO_BINDTODEVICE lo" \
		        "get-option SOL_SOCKET SO_BINDTODEVICE" """])
	END
	)" $'ok\nok\nok lo'
	expect_log 'audit: allowed .*verb=option object="bindtodevice=lo"'
}

test_a_denied_device_is_denied_by_its_other_names_too() {
	policy <<-END
		client devices {
			from user alice
			allow option bindtodevice=*
			deny option bindtodevice=lo
		}
	END
	start_broker
	ip link property add dev lo altname loopback
	ip link add other type veth peer name far
	ip link property add dev other altname else
	expect_equal "$(as alice ask "$TCP" "set-option SOL_SOCKET SO_BINDTODEVICE lo" \
		"set-option SOL_SOCKET SO_BINDTODEVICE loopback" \
		"set-option SOL_SOCKET SO_BINDTODEVICE else" \
		"get-option SOL_SOCKET SO_BINDTODEVICE")" \
		$'ok\nEACCES policy\nEACCES policy\nok\nok other'
}

index_of() { # INTERFACE
	ip -o link show "$1" | cut -d : -f 1
}

test_a_scope_does_not_choose_another_device_than_the_rule() {
	policy <<-END
		client devices {
			from user alice
			allow bind udp:67  with device=one
		}
	END
	ip link add one type veth peer name two
	ip addr add fe80::11/64 dev one nodad
	ip addr add fe80::12/64 dev two nodad
	ip link set one up
	ip link set two up
	start_broker
	expect_equal "$(as alice ask "listen udp:[fe80::12%$(index_of two)]:67" \
		"listen udp:[fe80::11%$(index_of one)]:67" \
		"get-option SOL_SOCKET SO_BINDTODEVICE")" \
		$'EINVAL kernel\nok\nok one'
}

test_what_is_on_or_off_is_denied_by_any_number() {
	policy <<-END
		client switches {
			from user alice
			allow option transparent=* debug=*
			deny option transparent=1 debug=1
		}
	END
	start_broker
	expect_equal "$(as alice ask "$TCP" "set-option SOL_IP IP_TRANSPARENT 2" \
		"set-option SOL_SOCKET SO_DEBUG 2" "set-option SOL_IP IP_TRANSPARENT 0")" \
		$'ok\nEACCES policy\nEACCES policy\nok'
}

test_any_other_option_is_not_served() {
	option_policy
	expect_equal "$(as alice ask "$TCP" "set-option SOL_SOCKET SO_KEEPALIVE 1" \
		"set-option 6 1 1" "set-option SOL_IP SO_MARK 100" \
		"make file /etc/passwd" "set-option SOL_SOCKET SO_MARK 100")" \
		$'ok\nENOPROTOOPT socket\nENOPROTOOPT socket\nENOPROTOOPT socket\nok\nENOTSOCK socket'
	expect_log 'audit: denied .*verb=option object="level=6 name=1"'
}

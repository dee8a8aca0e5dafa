# shellcheck shell=bash
# Connecting the client's own socket in place.

connect_policy() {
	policy <<-END
		client caller {
			from user alice
			allow connect tcp:127.0.0.1:80,81 tcp:[::1]:80 udp:127.0.0.1:53
			allow connect tcp:10.9.0.0/24:* tcp:192.0.2.1:80
			deny  connect tcp:10.9.0.66:*
			allow connect vsock:*:5000
		}
		client other {
			from user bob
			allow read /srv/file
			allow bind tcp:8080
			allow connect tcp:127.0.0.1:80
		}
	END
	secret /srv/file content
	start_broker --workers 1
}

# A network whose other end never answers: whatever is sent to 10.9.0.2 goes nowhere.
silent_network() {
	ip link add silent type veth peer name nobody
	ip address add 10.9.0.1/24 dev silent
	ip link set silent up
	ip link set nobody up
	ip neighbour add 10.9.0.2 lladdr 02:00:00:00:00:02 dev silent nud permanent
}

# Something that listens, and takes whoever comes.
server() { # ADDRESS PORT
	ask --direct "make $([[ $1 == *:* ]] && echo AF_INET6 || echo AF_INET) SOCK_STREAM" \
		"bind-it inet $1 $2" start-listening "sleep 1000" >/run/test/server 2>&1 &
	eventually 5 listening "$2" || fail "no server: $(cat /run/test/server)"
}

TCP="make AF_INET SOCK_STREAM"

test_a_socket_of_the_client_is_connected_in_place() {
	connect_policy
	server 127.0.0.1 80
	expect_equal "$(as alice ask "$TCP" "connect-it inet 127.0.0.1 80" connected flags)" \
		$'ok\nok\nok\nok O_RDWR'
	expect_equal "$(as alice ask "make AF_INET SOCK_STREAM IPPROTO_MPTCP" \
		"connect-it inet 127.0.0.1 80" connected)" $'ok\nok\nok'
	expect_equal "$(as alice ask "make AF_INET SOCK_DGRAM" "connect-it inet 127.0.0.1 53" connected)" \
		$'ok\nok\nok'
	expect_log 'audit: allowed .*connect.*tcp:127\.0\.0\.1:80'
	expect_log 'audit: allowed .*connect.*udp:127\.0\.0\.1:53'
}

test_IPv6_is_connected_too() {
	connect_policy
	server ::1 80
	expect_equal "$(as alice ask "make AF_INET6 SOCK_STREAM" "connect-it inet6 ::1 80" connected)" \
		$'ok\nok\nok'
}

# udpv6_connect() takes either; they are judged as what they are.
test_a_UDP_socket_of_IPv6_may_have_an_IPv4_address() {
	connect_policy
	expect_equal "$(as alice ask "make AF_INET6 SOCK_DGRAM" "connect-it inet 127.0.0.1 53" \
		"connect-it inet6 ::ffff:127.0.0.1 53" "connect-it inet 127.0.0.2 53" connected)" \
		$'ok\nok\nok\nEACCES policy\nok'
}

test_what_no_rule_grants_is_denied_and_logged() {
	connect_policy
	server 127.0.0.1 80
	expect_equal "$(as alice ask "$TCP" "connect-it inet 127.0.0.2 80" \
		"connect-it inet 127.0.0.1 82" "connect-it inet 10.9.0.66 80" \
		"make AF_INET SOCK_DGRAM" "connect-it inet 127.0.0.1 80")" \
		$'ok\nEACCES policy\nEACCES policy\nEACCES policy\nok\nEACCES policy'
	expect_log 'audit: denied .*connect.*tcp:127\.0\.0\.2:80'
}

test_the_errno_of_the_kernel_comes_through() {
	connect_policy
	server 127.0.0.1 80
	expect_equal "$(as alice ask "$TCP" "connect-it inet 127.0.0.1 81" \
		"connect-it inet 127.0.0.1 80" "connect-it inet 127.0.0.1 80")" \
		$'ok\nECONNREFUSED kernel\nok\nEISCONN kernel'
	expect_equal "$(as alice ask "$TCP" "connect-it inet 192.0.2.1 80")" $'ok\nENETUNREACH kernel'
}

test_a_socket_that_does_not_block_is_in_progress_at_once() {
	connect_policy
	silent_network
	expect_equal "$(as alice timeout 5 ask "$TCP" nonblock "connect-it inet 10.9.0.2 80" \
		"connect-it inet 10.9.0.2 80" "flags")" \
		$'ok\nok\nEINPROGRESS kernel\nEALREADY kernel\nok O_RDWR|O_NONBLOCK'
}

# Nor would O_NONBLOCK keep the broker from waiting: the client could clear it meanwhile.
test_a_socket_that_blocks_waits_in_its_own_process() {
	local before pid
	connect_policy
	silent_network
	start_as alice ask "$TCP" "connect-it inet 10.9.0.2 80" >/run/test/caller
	pid=$!
	expect_log 'audit: allowed .*connect.*tcp:10\.9\.0\.2:80.*EINPROGRESS'
	syn_sent 1 || fail "it does not connect: $(cat /run/test/caller)"
	sleep 0.2
	expect_equal "$(cat /run/test/caller)" ok
	# The broker holds nothing of it any more.
	before=$(ss -Hptn state syn-sent | grep -c fdbrokerd || true)
	expect_equal "$before" 0 "sockets that the broker waits for"
	kill "$pid"
	wait "$pid" || true
}

syn_sent() { # COUNT
	(($(ss -Htn state syn-sent | wc -l) == $1))
}

test_those_that_are_never_answered_hold_up_nobody() {
	local i pids=() before
	connect_policy
	silent_network
	server 127.0.0.1 80
	open_session bob bob
	for ((i = 0; i < EXECUTORS + 8; i++)); do
		start_as alice ask "$TCP" "connect-it inet 10.9.0.2 80" >>/run/test/callers
		pids+=($!)
	done
	before=${EPOCHREALTIME/./}
	eventually 5 syn_sent $((EXECUTORS + 8)) || fail "they wait for each other: $(ss -Htn)"
	for i in {1..5}; do
		expect_equal "$(tell bob "cat /srv/file")" "ok content"
		expect_equal "$(tell bob "bind tcp 0.0.0.0 8080")" ok
		expect_equal "$(tell bob "close")" ok
		expect_equal "$(as bob ask "$TCP" "connect-it inet 127.0.0.1 80")" $'ok\nok'
		expect_equal "$(as alice ask "$TCP" "connect-it inet 127.0.0.1 80")" $'ok\nok'
	done
	expect_at_most $(((${EPOCHREALTIME/./} - before) / 1000)) 5000 "milliseconds that it took"
	kill "${pids[@]}"
	wait "${pids[@]}" || true
}

test_a_socket_of_another_kind_is_refused() {
	connect_policy
	expect_equal "$(as alice ask "make AF_UNIX SOCK_STREAM" "connect-it inet 127.0.0.1 80" \
		"make AF_INET SOCK_STREAM" "connect-it inet6 ::1 80" \
		"make AF_INET6 SOCK_STREAM" "connect-it inet 127.0.0.1 80" \
		"make AF_NETLINK SOCK_RAW" "connect-it inet 127.0.0.1 80" \
		"make file /etc/passwd" "connect-it inet 127.0.0.1 80")" \
		$'ok\nEINVAL socket\nok\nEAFNOSUPPORT socket\nok\nEINVAL socket\nok\nEAFNOSUPPORT socket\nok\nENOTSOCK socket'
}

# The protocol has no words for it; so the library says what the broker would.
test_a_unix_socket_is_never_connected() {
	connect_policy
	expect_equal "$(as alice ask "make AF_UNIX SOCK_STREAM" \
		"connect-it unix /run/fdbroker/broker.sock")" $'ok\nEAFNOSUPPORT socket'
}

test_vsock_is_judged_and_left_to_the_kernel() {
	local direct
	connect_policy
	direct=$(ask --direct "make AF_VSOCK SOCK_STREAM" "connect-it vsock 1 5000") || true
	[[ $direct != EAFNOSUPPORT* ]] || skip "this kernel has no vsock"
	expect_equal "$(as alice ask "make AF_VSOCK SOCK_STREAM" "connect-it vsock 1 5000" \
		"connect-it vsock 1 5001")" "$direct kernel"$'\nEACCES policy'
}

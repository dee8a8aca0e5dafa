# shellcheck shell=bash
# The classic socket programs for many clients, urgent data and socket options.
source tests/system/classics.lib

# ---- 9: many ----

test_a_thousand_clients_at_a_time() {
	classics
	(($(ulimit -Hn) >= 1100)) || skip "RLIMIT_NOFILE is $(ulimit -Hn)"
	ulimit -Sn 256
	serve "says $SERVED listening" example-many-server tcp:813
	expect_equal "$(as bob example-many-client tcp:127.0.0.1:813 1000)" \
		"1000 clients, 1000 right answers"
	expect_printed "1000 clients, 1000 at a time"
	expect_equal "$(plain connect 127.0.0.1:813 $'a line\n')" "a line"
	expect_printed "1 clients, 1 at a time"
}

test_a_thousand_clients_of_a_plain_server() {
	classics
	(($(ulimit -Hn) >= 1100)) || skip "RLIMIT_NOFILE is $(ulimit -Hn)"
	serve_plainly echo 127.0.0.1:813 1000
	expect_equal "$(as bob example-many-client tcp:127.0.0.1:813 1000)" \
		"1000 clients, 1000 right answers"
	expect_served ""
}

# ---- 10: urgent ----

test_urgent_data_out_of_line_and_inline() {
	local way
	classics
	for way in outofline inline; do
		step "$way"
		serve "listening 814" example-urgent-server "$way" tcp:814
		as bob example-urgent-client tcp:127.0.0.1:814
		expect_served "SIGURG
discarded 16 bytes up to the mark
urgent byte, ${way/outofline/out of line}: !
after it: afterwards"
	done
}

test_urgent_data_from_a_plain_client() {
	local way
	classics
	for way in outofline inline; do
		step "$way"
		serve "listening 814" example-urgent-server "$way" tcp:814
		plain urgent-connect 127.0.0.1:814
		expect_served "SIGURG
discarded 5 bytes up to the mark
urgent byte, ${way/outofline/out of line}: u
after it: the rest"
	done
}

test_urgent_data_to_a_plain_server() {
	classics
	serve_plainly urgent-listen 127.0.0.1:814
	as bob example-urgent-client tcp:127.0.0.1:814
	expect_served "of no importance!afterwards"
}

# ---- 11: options ----

# What buffers and lifetimes are at first is a setting of the machine.
test_socket_options_are_read_set_and_read_back() {
	classics
	expect_equal "$(as bob example-options |
		sed -E '/(RCVBUF|SNDBUF|IP_TTL|KEEPIDLE)/s/: [0-9]+,/: N,/')" "tcp SO_REUSEADDR: 0, set 1, now 1
tcp SO_KEEPALIVE: 0, set 1, now 1
tcp SO_OOBINLINE: 0, set 1, now 1
tcp SO_RCVBUF: N, set 8192, now 16384
tcp SO_SNDBUF: N, set 8192, now 16384
tcp SO_RCVLOWAT: 1, set 16, now 16
tcp SO_LINGER: off 0 s, set on 5 s, now on 5 s
tcp SO_RCVTIMEO: 0.000000 s, set 2.500000 s, now 2.500000 s
tcp SO_SNDTIMEO: 0.000000 s, set 3.000000 s, now 3.000000 s
tcp IP_TTL: N, set 33, now 33
tcp IP_TOS: 0, set 16, now 16
tcp TCP_NODELAY: 0, set 1, now 1
tcp TCP_KEEPIDLE: N, set 60, now 60
tcp TCP_USER_TIMEOUT: 0, set 9000, now 9000
tcp SO_MARK: 0, itself: Operation not permitted, set 100, now 100
tcp SO_PRIORITY: 6, itself: Operation not permitted, set 7, now 7
tcp SO_DEBUG: 0, itself: Permission denied, set 1, now 1
tcp SO_RCVBUFFORCE: N, itself: Operation not permitted, set 4194304, now 8388608
tcp SO_SNDBUFFORCE: N, itself: Operation not permitted, set 4194304, now 8388608
tcp IP_TRANSPARENT: 0, itself: Operation not permitted, set 1, now 1
udp SO_REUSEADDR: 0, set 1, now 1
udp SO_BROADCAST: 0, set 1, now 1
udp SO_RCVBUF: N, set 8192, now 16384
udp SO_SNDBUF: N, set 8192, now 16384
udp SO_LINGER: off 0 s, set on 5 s, now on 5 s
udp SO_RCVTIMEO: 0.000000 s, set 2.500000 s, now 2.500000 s
udp SO_SNDTIMEO: 0.000000 s, set 3.000000 s, now 3.000000 s
udp IP_TTL: N, set 33, now 33
udp IP_TOS: 0, set 16, now 16
udp IP_PKTINFO: 0, set 1, now 1
udp SO_MARK: 0, itself: Operation not permitted, set 100, now 100
udp SO_PRIORITY: 6, itself: Operation not permitted, set 7, now 7
udp SO_DEBUG: 0, itself: Permission denied, set 1, now 1
udp SO_RCVBUFFORCE: N, itself: Operation not permitted, set 4194304, now 8388608
udp SO_SNDBUFFORCE: N, itself: Operation not permitted, set 4194304, now 8388608
udp IP_TRANSPARENT: 0, itself: Operation not permitted, set 1, now 1
unix SO_PASSCRED: 0, set 1, now 1
unix SO_RCVBUF: N, set 8192, now 16384
unix SO_SNDBUF: N, set 8192, now 16384
unix SO_LINGER: off 0 s, set on 5 s, now on 5 s
unix SO_RCVTIMEO: 0.000000 s, set 2.500000 s, now 2.500000 s
unix SO_SNDTIMEO: 0.000000 s, set 3.000000 s, now 3.000000 s"
}

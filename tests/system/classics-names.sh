# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# The classic socket programs that find hosts and services by name.
source tests/system/classics.lib

UPTIME='^ [0-9:]+ up .*load average: [0-9., ]+$'

# ---- 4: names ----

test_a_host_and_its_address_are_looked_up() {
	classics
	expect_equal "$(as bob example-lookup host classics)" "canonical name classics.example
flags AI_CANONNAME family AF_INET type SOCK_STREAM protocol 6 address 192.0.2.1 name classics.example"
	expect_status 1 as bob example-lookup host nowhere.example
	expect_match "$output" '^example-lookup: nowhere.example: Name or service not known \(names: .*\)$'
}

# The plain counterpart asks libc.
test_hosts_of_both_families_are_looked_up_as_libc_does() {
	local host
	printf '2001:db8::1 twofold.example twofold\n192.0.2.1 twofold.example\n' >>/etc/hosts
	echo 'multi on' >/etc/host.conf # or the first line that has the name is all: host.conf(5)
	ip address add 2001:db8::1/128 dev lo nodad || skip "this machine has no IPv6"
	classics
	for host in twofold.example twofold localhost 127.0.0.1 ::1 2001:db8::1 198.51.100.1 LOCALHOST; do
		expect_equal "$(as bob example-lookup host "$host")" "$(plain lookup "$host")" "$host"
	done
	expect_equal "$(as bob example-lookup host twofold.example | wc -l)" 3
}

test_a_service_and_a_protocol_are_looked_up() {
	classics
	expect_equal "$(as bob example-lookup service ruptime)" \
		"flags AI_PASSIVE family AF_INET type SOCK_STREAM protocol 6 port 812
flags AI_PASSIVE family AF_INET type SOCK_DGRAM protocol 17 port 812"
	expect_equal "$(as bob example-lookup service greet)" \
		"flags AI_PASSIVE family AF_INET type SOCK_STREAM protocol 6 port 811"
	expect_equal "$(as bob example-lookup protocol tcp)" "protocol 6"
	expect_equal "$(as bob example-lookup protocol udp)" "protocol 17"
	expect_status 1 as bob example-lookup protocol nonsense
	expect_match "$output" '^example-lookup: nonsense \(names: .*\): '
}

# ---- 5: greetings ----

test_server_and_client_greet_each_other_by_name() {
	classics
	serve "says $SERVED listening" example-greet-server greet
	expect_equal "$(as bob example-greet-client classics.example greet)" "Hello, classics.example"
	expect_printed "classics.example: Hello, server"
	expect_equal "$(as bob example-greet-client localhost greet)" "Hello, localhost"
	expect_printed "localhost: Hello, server"
}

test_greetings_from_a_plain_client() {
	classics
	serve "says $SERVED listening" example-greet-server greet
	expect_equal "$(plain connect 192.0.2.1:811 $'Good day\n')" "Hello, classics.example"
	expect_printed "classics.example: Good day"
}

# Closing with SO_LINGER and no time resets the connection: socket(7), tcp(7).
test_a_server_outlives_a_client_that_breaks_off() {
	classics
	serve "says $SERVED listening" example-greet-server greet
	python3 -c 'import socket, struct
client = socket.create_connection(("127.0.0.1", 811))
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))'
	expect_printed "example-greet-server: localhost: Connection reset by peer"
	expect_equal "$(as bob example-greet-client localhost greet)" "Hello, localhost"
}

test_greetings_to_a_plain_server() {
	classics
	serve_plainly listen 192.0.2.1:811 "Welcome"
	expect_equal "$(as bob example-greet-client classics.example greet)" "Welcome"
	expect_served "Hello, server"
}

# ---- 6 and 7: uptime ----

test_uptime_is_copied_and_handed_over() {
	local way
	classics
	for way in copy handover; do
		step "$way"
		serve "says $SERVED listening" example-ruptimed "$way" ruptime
		expect_match "$(as bob example-ruptime classics.example ruptime)" "$UPTIME"
		expect_match "$(as bob example-ruptime localhost ruptime)" "$UPTIME" "once more"
		expect_match "$(plain connect 127.0.0.1:812 "")" "$UPTIME" "plain"
		kill $!
		wait $! || true
	done
}

test_uptime_of_a_plain_server() {
	classics
	serve_plainly listen 192.0.2.1:812 " up three days"
	expect_equal "$(as bob example-ruptime classics.example ruptime)" " up three days"
	expect_served ""
}

test_uptime_by_datagram() {
	classics
	serve "says $SERVED listening" example-uruptimed ruptime
	expect_match "$(as bob example-uruptime classics.example ruptime)" "$UPTIME"
	expect_match "$(plain ask 127.0.0.1:812)" "$UPTIME" "plain"
}

test_a_lost_datagram_is_sent_again() {
	classics
	serve_plainly answer 192.0.2.1:812 2 " up three days"
	expect_status 0 as bob example-uruptime classics.example ruptime
	expect_equal "$output" "example-uruptime: question 1: Connection timed out
example-uruptime: question 2: Connection timed out
 up three days"
	expect_served ""
}

test_who_never_gets_an_answer_gives_up() {
	classics
	expect_status 1 as bob example-uruptime classics.example ruptime
	expect_equal "$(tail -n 2 <<<"$output")" "example-uruptime: question 4: Connection refused
example-uruptime: classics.example ruptime: no answer"
}

# ---- 8: patience ----

test_a_client_waits_for_its_server_longer_each_time() {
	local client waited=/run/test/waited
	classics
	start_as bob example-retry classics.example greet >"$waited" 2>&1
	client=$!
	eventually 10 grep -q "again in 200 ms" "$waited" || fail "$(cat "$waited")"
	serve "says $SERVED listening" example-greet-server greet
	wait "$client" || fail "$(cat "$waited")"
	expect_equal "$(head -n 3 "$waited")" \
		"example-retry: classics.example greet: again in 50 ms: Connection refused
example-retry: classics.example greet: again in 100 ms: Connection refused
example-retry: classics.example greet: again in 200 ms: Connection refused"
	expect_equal "$(tail -n 1 "$waited")" "Hello, classics.example"
	expect_printed "classics.example: Hello at last"
}

test_a_client_waits_for_a_plain_server() {
	local client waited=/run/test/waited
	classics
	start_as bob example-retry classics.example greet >"$waited" 2>&1
	client=$!
	eventually 10 grep -q "again in 50 ms" "$waited" || fail "$(cat "$waited")"
	serve_plainly listen 192.0.2.1:811 $'Here I am\n'
	expect_served "Hello at last"
	wait "$client" || fail "$(cat "$waited")"
	expect_equal "$(tail -n 1 "$waited")" "Here I am"
}

test_no_patience_helps_against_the_policy() {
	classics
	expect_status 1 as alice example-retry classics.example greet
	expect_match "$output" '^example-retry: classics.example greet \(policy: .*\): Permission denied$'
}

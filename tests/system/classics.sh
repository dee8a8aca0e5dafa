# shellcheck shell=bash
# The classic socket programs of client-lib/examples, each in its sandbox: against its counterpart,
# and against a plain peer that knows neither broker nor sandbox (clients/plain.c). The servers are
# alice's, the clients bob's; the plain ones are root's, or they could not have the ports. There is
# no network but the loopback interface.

classics() {
	printf 'greet 811/tcp\nruptime 812/tcp\nruptime 812/udp\n' >>/etc/services
	printf '192.0.2.1 classics.example classics\n' >>/etc/hosts
	printf 'tcp 6 TCP\nudp 17 UDP\n' >/etc/protocols
	ip address add 192.0.2.1/32 dev lo
	mkdir /run/classics
	secret /etc/classics/secret $'kept in a safe place\n'
	policy <client-lib/examples/classics.policy
	start_broker
}

# The output of a server, of which one runs at a time.
SERVED=/run/test/served

# Starts a server and waits until it can be connected to. $! is the server.
serve() { # CONDITION COMMAND...
	start_as alice "${@:2}" >"$SERVED" 2>&1
	eventually 10 eval "$1" || fail "$2 is not ready: $(cat "$SERVED")"
}

serve_plainly() { # PLAIN'S ARGUMENTS
	plain "$@" >"$SERVED" 2>&1 &
	eventually 10 says "$SERVED" listening || fail "plain $1 is not ready: $(cat "$SERVED")"
}

says() { # FILE LINE
	grep -qxF -- "$2" "$1"
}

# The kernel knows a socket by what was said to bind(2): the broker says the last name only.
listening_at() { # PATH
	ss -Hlxn | grep -qE -- "[ /]${1##*/} "
}

# What was printed after "listening", when the server has ended.
expect_served() { # TEXT
	wait $! || fail "the server ended with $?: $(cat "$SERVED")"
	expect_equal "$(sed '/^listening$/d' "$SERVED")" "$1" "the server"
}

expect_printed() { # TEXT, by a server that goes on
	eventually 10 says "$SERVED" "$1" || fail "expected '$1' of the server: $(cat "$SERVED")"
}

UPTIME='^ [0-9:]+ up .*load average: [0-9., ]+$'

# ---- the sandbox ----

test_nothing_can_be_reached_past_the_sandbox() {
	local -a network=(socket socketpair bind connect "sendto that connects" io_uring_setup)
	local -a files=(open openat2 creat open_by_handle_at execve)
	expect_equal "$(confined full)" "$(printf '%s: EPERM\n' "${network[@]}" "${files[@]}")"
	expect_equal "$(confined helper | grep EPERM)" "$(printf '%s: EPERM\n' "${network[@]}")"
	expect_equal "$(confined none | grep EPERM || true)" "" "without the sandbox"
}

is_confined() { # PID
	grep -qx $'Seccomp:\t2' "/proc/$1/status"
}

# A broker that is stopped lets them connect and then leaves them waiting.
test_every_program_is_in_the_sandbox_when_it_asks_the_broker() {
	local program
	local -a words programs=("oneshot-server tcp:810" "oneshot-client tcp:127.0.0.1:810 text"
		"unix-server /run/classics/chat.sock" "pass-descriptor pair /etc/classics/secret"
		"pass-descriptor receive /run/classics/pass.sock" "lookup host localhost"
		"greet-server greet" "greet-client localhost greet" "ruptimed copy ruptime"
		"ruptime localhost ruptime" "uruptimed ruptime" "uruptime localhost ruptime"
		"retry localhost greet" "many-server tcp:813" "many-client tcp:127.0.0.1:813 1"
		"urgent-server inline tcp:814" "urgent-client tcp:127.0.0.1:814" options)
	classics
	kill -STOP "$BROKER_PID"
	for program in "${programs[@]}"; do
		read -ra words <<<"$program"
		start_as alice "example-${words[0]}" "${words[@]:1}" >/run/test/waiting 2>&1
		eventually 5 is_confined $! || fail "$program: $(cat /run/test/waiting)"
		kill $!
	done
	kill -CONT "$BROKER_PID"
}

test_what_the_policy_does_not_name_is_refused_with_the_reason() {
	classics
	expect_status 1 as alice example-oneshot-client tcp:127.0.0.1:810 text
	expect_match "$output" '^example-oneshot-client: tcp:127.0.0.1:810 \(policy: .*\): Permission denied$'
	expect_status 1 as bob example-greet-server greet
	expect_match "$output" '^example-greet-server: tcp:811 \(policy: .*\): Permission denied$'
	expect_status 1 as alice example-pass-descriptor pair /etc/classics/secret
	expect_match "$output" '/etc/classics/secret \(policy: .*\): Permission denied'
}

# ---- 1: one string ----

test_a_string_is_printed_and_answered_with_OK() {
	classics
	serve "listening 810" example-oneshot-server tcp:810
	expect_equal "$(as bob example-oneshot-client tcp:127.0.0.1:810 "one string")" OK
	expect_served "one string"
}

test_a_string_from_a_plain_client() {
	classics
	serve "listening 810" example-oneshot-server tcp:127.0.0.1:810
	expect_equal "$(plain connect 127.0.0.1:810 "plain string")" OK
	expect_served "plain string"
}

test_a_string_to_a_plain_server() {
	classics
	serve_plainly listen 127.0.0.1:810 OK
	expect_equal "$(as bob example-oneshot-client tcp:127.0.0.1:810 "one string")" OK
	expect_served "one string"
}

test_an_answer_other_than_OK_is_a_failure() {
	classics
	serve_plainly listen 127.0.0.1:810 "not OK"
	expect_status 1 as bob example-oneshot-client tcp:127.0.0.1:810 "one string"
	expect_equal "$output" "not OK"
}

# ---- 2: a conversation ----

# Both are terminals as far as the programs can tell: lines come when somebody types them.
test_a_conversation_goes_back_and_forth() {
	local chat=/run/classics/chat.sock alice bob server client
	classics
	mkfifo /run/test/alice /run/test/bob
	exec {alice}<>/run/test/alice {bob}<>/run/test/bob
	serve "listening_at $chat" example-unix-server "$chat" <&"$alice"
	server=$!
	start_as bob example-unix-client "$chat" <&"$bob" >/run/test/client 2>&1
	client=$!
	# The server sees bob, and bob sees alice: neither of them the broker.
	expect_printed "connected: uid $(id -u bob)"
	eventually 5 says /run/test/client "server: uid $(id -u alice)" || fail "$(cat /run/test/client)"
	echo "good morning" >&"$bob"
	expect_printed "good morning"
	echo "who is there?" >&"$alice"
	eventually 5 says /run/test/client "who is there?" || fail "$(cat /run/test/client)"
	echo "it is bob" >&"$bob"
	expect_printed "it is bob"
	is_confined "$server" || fail "the server is not in its sandbox"
	is_confined "$client" || fail "the client is not in its sandbox"
	kill "$server"
	wait "$client" || fail "the client did not end well"
}

test_a_conversation_with_a_plain_client_and_again_at_the_same_place() {
	local chat=/run/classics/chat.sock
	classics
	serve "listening_at $chat" example-unix-server "$chat" <<<"from alice"
	expect_equal "$(plain connect "$chat" $'from root\n')" "from alice"
	expect_served $'connected: uid 0\nfrom root'
	expect_equal "$(stat -c '%a %F' "$chat")" "666 socket"
	# What the first one left there is in nobody's way.
	serve "listening_at $chat" example-unix-server "$chat" <<<"alice again"
	expect_equal "$(plain connect "$chat" $'root again\n')" "alice again"
	expect_served $'connected: uid 0\nroot again'
}

test_a_conversation_with_a_plain_server() {
	classics
	serve_plainly listen /run/classics/plain.sock $'from root\n'
	expect_equal "$(as bob example-unix-client /run/classics/plain.sock <<<"from bob")" \
		$'server: uid 0\nfrom root'
	expect_served "from bob"
}

# ---- 3: a descriptor ----

test_a_child_reads_what_its_parent_opened() {
	classics
	expect_equal "$(as bob example-pass-descriptor pair /etc/classics/secret)" "kept in a safe place"
}

test_another_user_reads_what_was_opened_for_it() {
	local pass=/run/classics/pass.sock
	classics
	serve "listening_at $pass" example-pass-descriptor receive "$pass"
	as bob example-pass-descriptor send "$pass" /etc/classics/secret
	expect_served "kept in a safe place"
}

test_a_descriptor_from_a_plain_process() {
	local pass=/run/classics/pass.sock
	classics
	serve "listening_at $pass" example-pass-descriptor receive "$pass"
	plain give "$pass" /etc/classics/secret
	expect_served "kept in a safe place"
}

test_a_descriptor_for_a_plain_process() {
	classics
	serve_plainly take /run/classics/plain.sock
	as bob example-pass-descriptor send /run/classics/plain.sock /etc/classics/secret
	expect_served "kept in a safe place"
}

# ---- 4: names ----

test_a_host_and_its_address_are_looked_up() {
	classics
	expect_equal "$(as bob example-lookup host classics)" "canonical name classics.example
flags AI_CANONNAME family AF_INET type SOCK_STREAM protocol 6 address 192.0.2.1 name classics.example"
	expect_status 1 as bob example-lookup host nowhere.example
	expect_match "$output" '^example-lookup: nowhere.example: Name or service not known \(names: .*\)$'
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
	eventually 10 grep -q "again in 100 ms" "$waited" || fail "$(cat "$waited")"
	serve "says $SERVED listening" example-greet-server greet
	wait "$client" || fail "$(cat "$waited")"
	expect_equal "$(head -n 2 "$waited")" \
		"example-retry: classics.example greet: again in 50 ms: Connection refused
example-retry: classics.example greet: again in 100 ms: Connection refused"
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

# ---- what they come with ----

test_their_policy_is_right() {
	expect_status 0 fdbroker check client-lib/examples/classics.policy
}

# The lines of a comment from one that begins with "cc" to one that does not go on.
build_command() { # FILE
	awk '/^ \*\tcc / { inside = 1 }
		inside { print; if (!/\\$/) exit }' "$1" | sed 's/^ \*\t*//'
}

test_they_are_built_as_their_comments_say() {
	local source command count=0
	[[ $(nm -D /opt/fdbroker/lib/libfdbroker.so.0) != *__asan_* ]] || skip "built with sanitizers"
	PKG_CONFIG_PATH=$(readlink -f "$FDBROKER_BUILD/meson-uninstalled")
	export PKG_CONFIG_PATH
	cp -r client-lib/examples /run/test/examples
	cd /run/test/examples
	for source in *.c; do
		command=$(build_command "$source")
		[[ -n $command ]] || continue
		expect_status 0 bash -c "${command/#cc/cc -Wall -Wextra -Werror}"
		count=$((count + 1))
	done
	((count >= 19)) || fail "only $count programs"
}

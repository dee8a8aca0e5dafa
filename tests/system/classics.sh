# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# The classic socket programs: their sandbox, what they come with, and the plainest of them.
source tests/system/classics.lib

# ---- the sandbox ----

test_nothing_can_be_reached_past_the_sandbox() {
	local -a network=(socket socketpair bind connect "sendto that connects" io_uring_setup)
	local -a files=(open openat2 creat open_by_handle_at execve)
	expect_equal "$(confined full)" "$(printf '%s: EPERM\n' "${network[@]}" "${files[@]}")"
	expect_equal "$(confined helper | grep EPERM)" \
		"$(printf '%s: EPERM\n' "${network[@]}" open_by_handle_at)"
	expect_equal "$(confined none | grep EPERM || true)" "" "without the sandbox"
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
	cd /run/test/examples || fail "no copy of the examples"
	for source in *.c; do
		command=$(build_command "$source")
		[[ -n $command ]] || continue
		expect_status 0 bash -c "${command/#cc/cc -Wall -Wextra -Werror}"
		count=$((count + 1))
	done
	((count >= 19)) || fail "only $count programs"
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

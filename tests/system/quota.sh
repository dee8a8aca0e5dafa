# shellcheck shell=bash
# `limit` of the policy: how much one user may have at once, and how the smallest number wins.

quota_policy() { # LIMIT LINE [OTHER BLOCKS]
	policy <<-END
		client test {
			from user alice
			allow read /srv/file
			${1-}
		}
		client other {
			from user bob
			allow read /srv/file
		}
		${2-}
	END
	secret /srv/file content
}

# ---- sessions ----

connections_are() { # COUNT
	local i
	for ((i = 1; i <= $1; i++)); do
		expect_equal "$(tell "s$i" "cat /srv/file")" "ok content"
	done
	expect_equal "$(as alice ask "cat /srv/file" 2>&1)" "ECONNRESET broker" "one more than $1"
}

test_as_many_connections_as_the_limit_says_and_not_one_more() {
	quota_policy 'limit sessions 3'
	start_broker
	open_session s1 alice
	open_session s2 alice
	open_session s3 alice
	connections_are 3
	expect_log 'denied uid=2001 .* why=sessions '
	expect_equal "$(grep -c 'sessions' "$BROKER_LOG")" 1 "lines for one event"
	# Nobody else has fewer for it, and one that ends makes room for one.
	expect_equal "$(as bob ask "cat /srv/file")" "ok content"
	close_session s2
	eventually 5 session_is_taken || fail "a connection that has ended is still counted"
}

session_is_taken() {
	[[ $(as alice ask "cat /srv/file" 2>&1) == "ok content" ]]
}

test_a_reload_changes_how_many_connections_there_may_be() {
	quota_policy 'limit sessions 1'
	start_broker
	open_session s1 alice
	connections_are 1
	quota_policy 'limit sessions 3'
	reload_broker
	open_session s2 alice
	open_session s3 alice
	connections_are 3
	# Those that are there stay.
	quota_policy 'limit sessions 2'
	reload_broker
	connections_are 3
	quota_policy ''
	reload_broker
	expect_equal "$(as alice ask "cat /srv/file")" "ok content"
}

test_the_smallest_limit_of_all_blocks_wins() {
	quota_policy 'limit sessions 5 sessions 4' 'client everybody only {
		from anyone
		limit sessions 2
		allow read /srv/**
	}'
	start_broker
	open_session s1 alice
	open_session s2 alice
	connections_are 2
}

test_a_clone_is_a_connection_too() {
	quota_policy 'limit sessions 2'
	start_broker
	open_session s1 alice narrow
	expect_equal "$(tell s1 "clone one")" ok
	expect_equal "$(tell s1 "clone two")" "EAGAIN limit"
	expect_log "uid=2001 .*'limit sessions 2' of the policy"
	expect_equal "$(as alice ask "cat /srv/file" 2>&1)" "ECONNRESET broker"
	expect_equal "$(tell s1 "drop one")" ok
	eventually 5 session_is_taken || fail "a clone that has ended is still counted"
}

# ---- unread answers ----

answers_are() { # COUNT
	(($(audit_lines 'uid=2001' | wc -l) == $1))
}

# So many have been given, and no more come.
expect_answers() { # COUNT
	eventually 5 answers_are "$1" || fail "$(audit_lines 'uid=2001' | wc -l) answers, not $1"
	sleep 0.2
	answers_are "$1" || fail "$(audit_lines 'uid=2001' | wc -l) answers, not $1"
}

test_who_does_not_read_gets_as_many_answers_as_the_limit_says() {
	quota_policy 'limit unread 4'
	start_broker
	open_session reader alice unread
	tell reader "send 10 /srv/file" >/dev/null
	expect_answers 4
	expect_equal "$(tell reader read)" 10
	expect_answers 10
}

test_unread_answers_are_counted_for_all_connections_of_a_user() {
	quota_policy 'limit unread 4'
	start_broker
	open_session one alice unread
	open_session two alice unread
	tell one "send 3 /srv/file" >/dev/null
	expect_answers 3
	tell two "send 3 /srv/file" >/dev/null
	expect_answers 4
	expect_equal "$(as bob ask "cat /srv/file")" "ok content"
	expect_equal "$(tell one read)" 3
	expect_equal "$(tell two read)" 3
	expect_answers 6
}

# An executor is needed to open a FIFO.
fifo_policy() { # LIMIT LINE
	quota_policy "allow read /srv/fifo type fifo
			$1"
	mkfifo -m 0600 /srv/fifo
}

test_connections_that_wait_for_an_executor_get_no_more_answers_than_the_limit_says() {
	fifo_policy 'limit unread 4'
	start_broker
	open_session crowd alice unread
	tell crowd "connect 199" >/dev/null
	tell crowd "send 1 /srv/fifo" >/dev/null
	expect_answers 4
	expect_equal "$(as bob ask "cat /srv/file")" "ok content"
	expect_equal "$(tell crowd read)" 200
	expect_answers 200
	# None was counted twice, and none that was read is counted still.
	tell crowd "send 1 /srv/fifo" >/dev/null
	expect_answers 204
	expect_equal "$(tell crowd read)" 200
}

# What it was to answer is counted once, for the one that answers instead of it.
test_an_executor_that_dies_leaves_no_answer_counted() {
	local i
	fifo_policy 'limit unread 1'
	start_broker
	open_session client alice unread
	for i in 1 2 3; do
		broker_pids executor | xargs -r kill -STOP
		tell client "send 1 /srv/fifo" >/dev/null
		sleep 0.2
		kill_role executor
		expect_answers "$i"
		expect_equal "$(tell client read)" 1 "time $i"
	done
}

test_a_reload_changes_how_many_answers_may_be_unread() {
	quota_policy 'limit unread 2'
	start_broker
	open_session reader alice unread
	tell reader "send 30 /srv/file" >/dev/null
	expect_answers 2
	expect_equal "$(tell reader read)" 30
	quota_policy 'limit unread 7'
	reload_broker
	tell reader "send 30 /srv/file" >/dev/null
	expect_answers 37
	expect_equal "$(tell reader read)" 30
}

# ---- requests per second ----

milliseconds_since() { # MICROSECONDS
	echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

milliseconds_of() { # COMMAND...
	local before=${EPOCHREALTIME/./}
	"$@" >/dev/null
	milliseconds_since "$before"
}

ask_often() { # USER COUNT
	local -a commands=()
	local i
	for ((i = 0; i < $2; i++)); do
		commands+=("cat /srv/file")
	done
	as "$1" ask "${commands[@]}"
}

expect_at_least() { # NUMBER LIMIT WHAT
	(($1 >= $2)) || fail "$3: at least $2, but $1"
}

test_as_many_requests_as_the_rate_come_at_once_and_the_next_one_waits() {
	local before
	quota_policy 'limit requests 2/s'
	start_broker
	expect_at_most "$(milliseconds_of ask_often alice 2)" 450 "two requests at 2/s, ms"
	before=${EPOCHREALTIME/./}
	# Nobody gains by connecting anew.
	expect_equal "$(as alice ask "cat /srv/file")" "ok content"
	expect_equal "$(as alice ask "cat /srv/file")" "ok content"
	expect_at_least "$(milliseconds_since "$before")" 500 "two more, ms"
	expect_equal "$(audit_lines 'uid=2001' | grep -c denied || true)" 0 "refused"
}

test_who_hangs_up_before_the_answer_has_no_more_requests_for_it() {
	local before count elapsed
	quota_policy 'limit requests 2/s'
	start_broker
	before=${EPOCHREALTIME/./}
	for _ in {1..20}; do
		as alice unread <<<"send 1 /srv/file" >/dev/null
	done
	sleep 0.2
	count=$(audit_lines 'uid=2001' | wc -l)
	elapsed=$(milliseconds_since "$before")
	expect_at_most "$count" $((2 + elapsed * 2 / 1000)) "requests in $elapsed ms"
}

test_who_asks_too_fast_waits_and_nobody_else() {
	local before
	quota_policy 'limit requests 1/s'
	start_broker
	before=${EPOCHREALTIME/./}
	ask_often alice 4 >/run/test/answers &
	expect_at_most "$(milliseconds_of ask_often bob 20)" 2000 "bob's requests, ms"
	wait $!
	expect_at_least "$(milliseconds_since "$before")" 2900 "alice's requests, ms"
	expect_equal "$(sort -u /run/test/answers)" "ok content"
}

test_several_connections_of_a_user_have_one_rate() {
	local i before
	local -a pids=()
	quota_policy 'limit requests 4/s'
	start_broker
	before=${EPOCHREALTIME/./}
	for i in 1 2 3 4; do
		ask_often alice 3 >"/run/test/answers.$i" &
		pids+=($!)
	done
	# Twelve: four at once, eight wait.
	wait "${pids[@]}"
	expect_at_least "$(milliseconds_since "$before")" 1900 "twelve requests at 4/s, ms"
	expect_equal "$(sort -u /run/test/answers.?)" "ok content"
}

test_a_reload_changes_the_rate() {
	quota_policy 'limit requests 1/s'
	start_broker
	open_session client alice
	expect_equal "$(tell client "cat /srv/file")" "ok content"
	quota_policy 'limit requests 1000/s'
	reload_broker
	expect_at_most "$(milliseconds_of ask_often alice 20)" 5000 "twenty requests at 1000/s, ms"
	quota_policy ''
	reload_broker
	expect_equal "$(tell client "cat /srv/file")" "ok content"
}

test_a_client_that_waits_for_its_rate_can_hang_up_and_costs_nothing() {
	local descriptors before after
	quota_policy 'limit requests 1/s'
	start_broker
	descriptors=$(broker_descriptors)
	as alice ask "cat /srv/file" >/dev/null
	open_session one alice unread
	tell one "send 5 /srv/file" >/dev/null
	before=$(awk '{ print $14 + $15 }' "/proc/$(broker_pids worker)/stat")
	sleep 1
	after=$(awk '{ print $14 + $15 }' "/proc/$(broker_pids worker)/stat")
	# Of a hundred: it is looked at every 10 ms, and does not spin.
	expect_at_most $((after - before)) 20 "ticks of the worker in a second"
	close_session one
	expect_descriptors "$descriptors"
}

# A minute of it is spent.
rate_is_spent() {
	local i command=many
	for ((i = 0; i < 60; i++)); do
		command+=" /srv/file"
	done
	as alice ask "$command" >/dev/null
}

# It is not refused, and waits.
connection_is_taken() {
	[[ -z $(as alice timeout 1 ask "cat /srv/file" 2>&1) ]]
}

test_who_has_hung_up_keeps_no_connection_while_its_rate_is_waited_for() {
	local i
	quota_policy 'limit sessions 4 requests 1/s'
	start_broker
	rate_is_spent
	for i in 1 2 3 4; do
		as alice unread <<<"send 1 /srv/file" >/dev/null
	done
	eventually 5 connection_is_taken || fail "connections that have ended are still counted"
}

# Also where it hangs up later.
test_who_hangs_up_while_it_waits_for_its_rate_keeps_no_connection() {
	local i
	quota_policy 'limit sessions 4 requests 1/s'
	start_broker
	rate_is_spent
	for i in 1 2 3 4; do
		open_session "s$i" alice unread
		tell "s$i" "send 1 /srv/file" >/dev/null
	done
	expect_equal "$(as alice ask "cat /srv/file" 2>&1)" "ECONNRESET broker" "a fifth"
	for i in 1 2 3 4; do
		close_session "s$i"
	done
	eventually 5 connection_is_taken || fail "connections that have ended are still counted"
}

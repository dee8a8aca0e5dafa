# shellcheck shell=bash
# What a connection was narrowed to it stays narrowed to, whatever happens to the broker's processes
# and its policy; and a clone is as narrow as what it was cloned from, and as much its user's.

limits_policy() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/one /srv/two /srv/three /proc/version
			allow bind tcp:80,81
		}
	END
	secret /srv/one one
	secret /srv/two two
	secret /srv/three three
	start_broker
}

narrow_client() {
	limits_policy
	open_session client alice narrow
}

expect_told() { # NAME COMMAND ANSWER
	expect_equal "$(tell "$1" "$2")" "$3" "$2"
}

# Narrowed to one file and one port.
expect_narrowed() { # NAME
	expect_told "$1" "cat /srv/one" "ok one"
	expect_told "$1" "cat /srv/two" "EACCES narrowed"
	expect_told "$1" "bind 80" ok
	expect_told "$1" "bind 81" "EACCES narrowed"
}

expect_everything() { # NAME
	expect_told "$1" "cat /srv/one" "ok one"
	expect_told "$1" "cat /srv/two" "ok two"
	expect_told "$1" "bind 80" ok
	expect_told "$1" "bind 81" ok
}

test_a_connection_that_was_narrowed_has_no_more_than_that() {
	narrow_client
	expect_everything client
	expect_told client "limit read /srv/one;bind tcp:80" ok
	expect_narrowed client
}

test_other_connections_of_the_same_user_are_as_before() {
	narrow_client
	open_session other alice narrow
	expect_told client "limit read /srv/one;bind tcp:80" ok
	expect_everything other
	open_session later alice narrow
	expect_everything later
	expect_narrowed client
}

test_sets_add_up_and_none_gives_back_what_another_took() {
	narrow_client
	expect_told client "limit read /srv/one;read /srv/two;bind tcp:80" ok
	expect_told client "cat /srv/three" "EACCES narrowed"
	expect_told client "limit read /srv/two;read /srv/three" ok
	expect_told client "cat /srv/one" "EACCES narrowed"
	expect_told client "cat /srv/two" "ok two"
	expect_told client "cat /srv/three" "EACCES narrowed"
	expect_told client "bind 80" "EACCES narrowed"
}

test_a_set_that_the_policy_does_not_grant_grants_nothing() {
	narrow_client
	secret /srv/four four
	expect_told client "limit read /srv/four" ok
	expect_told client "cat /srv/four" "EACCES policy"
	expect_told client "cat /srv/one" "EACCES narrowed"
}

test_an_empty_set_leaves_nothing() {
	narrow_client
	expect_told client "limit" ok
	expect_told client "cat /srv/one" "EACCES narrowed"
	expect_told client "bind 80" "EACCES narrowed"
}

test_a_set_that_is_not_understood_changes_nothing() {
	narrow_client
	expect_told client "limit fly /srv/one" "EINVAL words"
	expect_everything client
	expect_equal "$(audit_lines EINVAL)" "" "what is in the audit log"
}

test_the_next_request_is_under_the_limit_though_nobody_has_waited_for_it() {
	narrow_client
	expect_told client "limit-and-cat read /srv/one /srv/two" "EACCES narrowed"
	expect_told client "limit-and-cat read /srv/one /srv/one" "ok one"
}

test_what_an_executor_serves_is_under_the_limit_too() {
	narrow_client
	expect_match "$(tell client "cat /proc/version")" "^ok Linux"
	IFS= read -r -t 5 -u "${SESSION_OUT[client]}" _ # the line has an end of its own
	expect_told client "limit read /srv/one;bind tcp:80" ok
	expect_told client "cat /proc/version" "EACCES narrowed"
	expect_told client "bind 81" "EACCES narrowed"
	kill_role executor
	expect_told client "cat /proc/version" "EACCES narrowed"
	expect_narrowed client
}

test_a_reload_does_not_widen() {
	local i
	narrow_client
	expect_told client "limit read /srv/one;bind tcp:80" ok
	for i in 1 2 3; do
		reload_broker || fail "reload $i failed"
		expect_narrowed client
	done
	sed -i 's/tcp:80,81/tcp:*/' "$POLICY"
	reload_broker || fail "the reload failed"
	expect_narrowed client
	expect_told client "limit read /srv/two;bind tcp:80" ok
	expect_told client "cat /srv/one" "EACCES narrowed"
	expect_told client "cat /srv/two" "EACCES narrowed"
	expect_told client "bind 80" ok
}

test_kill_9_of_the_worker_does_not_widen() {
	narrow_client
	expect_told client "limit read /srv/one;read /srv/three;bind tcp:80" ok
	kill_role worker
	expect_told client "limit read /srv/one;read /srv/two;bind tcp:80" ok
	expect_narrowed client
	kill_role worker
	expect_narrowed client
	expect_told client "cat /srv/three" "EACCES narrowed"
}

# The next user of a table's entry is not what the last one was.
test_a_limit_ends_with_its_connection() {
	local i
	limits_policy
	for i in {1..5}; do
		expect_equal "$(as alice narrow "limit read /srv/one" "cat /srv/two")" \
			$'ok\nEACCES narrowed' "time $i"
		expect_equal "$(as alice narrow "cat /srv/two")" "ok two" "after time $i"
	done
}

test_when_the_limits_are_full_the_last_one_is_refused_and_the_others_hold() {
	narrow_client
	expect_told client "limit read /srv/one;read /srv/two" ok # 28 bytes and a NUL
	expect_told client "fill 3971" "ENOSPC limit"
	expect_told client "cat /srv/two" "ok two"
	expect_told client "fill 3970" ok
	expect_told client "cat /srv/two" "EACCES narrowed"
	expect_told client "cat /srv/one" "ok one"
	expect_told client "limit" "ENOSPC limit"
	expect_told client "cat /srv/one" "ok one"
	kill_role worker
	expect_told client "cat /srv/one" "ok one"
	expect_told client "cat /srv/two" "EACCES narrowed"
}

test_the_last_set_again_takes_no_room() {
	local i
	narrow_client
	for i in {1..5}; do
		expect_told client "fill 3000" ok
	done
	expect_told client "fill 998" ok
	expect_told client "fill 3000" "ENOSPC limit"
	expect_told client "cat /srv/one" "ok one"
}

# ---- clones ----

test_a_clone_has_the_same_rights_and_the_same_limits() {
	narrow_client
	expect_told client "clone wide" ok
	expect_told client "limit read /srv/one;bind tcp:80" ok
	expect_told client "clone child" ok
	expect_narrowed client
	expect_told client "use child" ok
	expect_narrowed client
	expect_told client "use wide" ok
	expect_everything client
}

test_what_narrows_a_clone_narrows_nobody_else() {
	narrow_client
	expect_told client "clone child" ok
	expect_told client "use child" ok
	expect_told client "clone grandchild" ok
	expect_told client "limit read /srv/one;bind tcp:80" ok
	expect_told client "clone narrow-grandchild" ok
	expect_narrowed client
	expect_told client "use grandchild" ok
	expect_everything client
	expect_told client "use narrow-grandchild" ok
	expect_narrowed client
	expect_told client "use first" ok
	expect_everything client
}

test_clones_outlive_their_first_connection_reloads_and_workers() {
	narrow_client
	expect_told client "clone child" ok
	expect_told client "use child" ok
	expect_told client "limit read /srv/one;bind tcp:80" ok
	expect_told client "clone grandchild" ok
	expect_told client "drop child" ok
	expect_told client "use grandchild" ok
	expect_narrowed client
	reload_broker || fail "the reload failed"
	expect_narrowed client
	kill_role worker
	expect_narrowed client
	expect_told client "clone last" ok
	expect_told client "use last" ok
	expect_narrowed client
}

test_a_reload_that_takes_everything_away_reaches_clones() {
	narrow_client
	expect_told client "clone child" ok
	expect_told client "use child" ok
	sed -i 's/alice/bob/' "$POLICY"
	reload_broker || fail "the reload failed"
	expect_match "$(tell client "cat /srv/one")" '^(ECONNRESET broker|EACCES policy)$'
}

test_whoever_is_given_a_clone_has_the_rights_of_who_made_it() {
	narrow_client
	policy <<-END
		client test {
			from user alice
			allow read /srv/one /srv/two
			allow bind tcp:80,81
		}
		client bob {
			from user bob
			allow read /srv/three
		}
	END
	reload_broker || fail "the reload failed"
	chmod 1777 /run/test
	expect_told client "limit read /srv/one;bind tcp:80" ok
	expect_told client "clone child" ok
	expect_told client "use child" ok
	tell_and_go_on client "give /run/test/place"
	open_session taker bob narrow
	expect_told taker "cat /srv/three" "ok three"
	expect_told taker "take /run/test/place given" ok
	expect_equal "$(IFS= read -r -t 10 -u "${SESSION_OUT[client]}" line && echo "$line")" ok
	expect_told taker "use given" ok
	expect_narrowed taker
	expect_told taker "cat /srv/three" "EACCES policy"
	expect_told taker "clone another" ok
	close_session client
	expect_narrowed taker
	expect_told taker "use another" ok
	reload_broker || fail "the reload failed"
	expect_narrowed taker
	expect_match "$(audit_lines 'uid=2001.*/srv/three' | tail -n 1)" \
		"denied uid=2001 pid=${SESSION_PID[client]} .*reason=policy"
}

test_clones_are_the_same_user_and_process_in_the_log() {
	narrow_client
	expect_told client "clone child" ok
	expect_told client "use child" ok
	expect_told client "cat /srv/one" "ok one"
	expect_told client "limit read /srv/one" ok
	expect_told client "cat /srv/two" "EACCES narrowed"
	expect_log "audit: allowed uid=2001 pid=${SESSION_PID[client]} .*\"/srv/one\""
	expect_log "audit: denied uid=2001 pid=${SESSION_PID[client]} .*\"/srv/two\" reason=narrowed"
}

few_connections() {
	ulimit -n 1000
	limits_policy
	policy <<-END
		client test {
			from user alice
			from user bob
			allow read /srv/one /srv/two
		}
	END
	reload_broker || fail "the reload failed"
}

test_clones_are_connections_of_their_user_who_cannot_have_all_of_them() {
	local answer count
	few_connections
	open_session client alice narrow
	answer=$(tell client "clone-many 1024")
	expect_match "$answer" '^[0-9]+ EAGAIN limit$'
	count=${answer%% *}
	expect_equal "$(as alice narrow "cat /srv/one")" "ECONNRESET broker" "one more of alice"
	expect_equal "$(as bob narrow "cat /srv/one")" "ok one" "one of bob"
	expect_told client "clone more" "EAGAIN limit"
	expect_told client "cat /srv/one" "ok one"
	expect_told client "drop-many" ok
	eventually 5 alice_can_connect || fail "what the clones held was not given back"
	answer=$(tell client "clone-many 1024")
	expect_match "$answer" '^[0-9]+ EAGAIN limit$'
	expect_at_most "$count" "${answer%% *}" "clones at first, as many as later"
}

alice_can_connect() {
	[[ $(as alice narrow "cat /srv/one") == "ok one" ]]
}

test_a_clone_that_another_user_holds_counts_for_its_first_one() {
	few_connections
	chmod 1777 /run/test
	open_session client alice narrow
	tell_and_go_on client "give /run/test/place"
	open_session taker bob narrow
	expect_told taker "take /run/test/place given" ok
	expect_equal "$(IFS= read -r -t 10 -u "${SESSION_OUT[client]}" line && echo "$line")" ok
	expect_told taker "use given" ok
	expect_match "$(tell taker "clone-many 1024")" '^[0-9]+ EAGAIN limit$'
	expect_equal "$(as alice narrow "cat /srv/one")" "ECONNRESET broker" "one more of alice"
	expect_equal "$(as bob narrow "cat /srv/one")" "ok one" "one more of bob"
	close_session taker
	eventually 5 alice_can_connect || fail "what the clones held was not given back"
}

# ---- what is left behind ----

test_clones_and_limits_leave_nothing_open() {
	local before i
	narrow_client
	expect_told client "bind 80" ok
	before=$(broker_descriptors)
	expect_match "$(as alice narrow "clone a" "use a" "clone b" "use b" "limit read /srv/one" \
		"cat /srv/one" "clone-many 200" | tail -n 1)" '^200 '
	expect_descriptors "$before"
	for i in {1..50}; do
		as alice narrow clone-and-go >/dev/null
	done
	expect_descriptors "$before"
	expect_everything client
}

# The answer is nobody's; what was made is gone, or the successor's answer counts.
test_whatever_dies_while_clones_are_made_nothing_is_left_open() {
	local before line i
	narrow_client
	open_session busy alice narrow
	expect_told client "bind 80" ok
	before=$(broker_descriptors)
	for i in 1 2 3; do
		tell_and_go_on busy "clone-many 1024"
		kill_role worker
		IFS= read -r -t 20 -u "${SESSION_OUT[busy]}" line || fail "no answer"
		expect_match "$line" '^1024 ' "time $i"
		expect_told busy "drop-many" ok
		expect_descriptors "$before"
	done
	for i in 1 2 3; do
		tell_and_go_on busy "clone-many 1024"
		reload_broker || fail "reload $i failed"
		IFS= read -r -t 20 -u "${SESSION_OUT[busy]}" line || fail "no answer"
		expect_match "$line" '^1024 ' "reload $i"
		expect_told busy "drop-many" ok
		expect_descriptors "$before"
	done
	expect_everything client
}

# More than there is room for answers in the channel to the worker, and by turns of their users.
test_many_who_ask_at_once_are_all_answered() {
	local user worker line
	limits_policy
	sed -i 's/from user alice/from anyone/' "$POLICY"
	reload_broker || fail "the reload failed"
	worker=$(broker_pids worker)
	for user in alice bob carol; do
		open_session "$user" "$user" narrow
		expect_match "$(tell "$user" "clone-many 600")" '^600 '
	done
	for user in alice bob carol; do
		tell_and_go_on "$user" "limit-many read /srv/one"
	done
	for user in alice bob carol; do
		IFS= read -r -t 20 -u "${SESSION_OUT[$user]}" line || fail "no answer to $user"
		expect_equal "$line" "ok 600"
	done
	expect_equal "$(broker_pids worker)" "$worker" "the worker"
}

# How often executors have waited: not once more if none of them did anything.
executors_waits() {
	ps -eo pid,args | awk '$2 == "fdbrokerd-executor" { print $1 }' |
		while read -r pid; do
			cat "/proc/$pid/status"
		done | awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum + 0 }'
}

# They are read for each request, and can be made to take long; a worker is everybody's.
test_many_requests_under_long_limits_are_not_a_workers() {
	local paths before
	limits_policy
	paths=$(printf '/srv/one %.0s' {1..64})
	open_session client alice
	expect_told client "cat /srv/one" "ok one" # from now on the kernel knows the name
	sleep 0.2
	before=$(executors_waits)
	expect_match "$(tell client "many $paths")" '^ok'
	for _ in {1..3}; do # more than 64 bytes together
		expect_told client "limit read /srv/one" ok
		expect_told client "limit read /srv/*" ok
	done
	expect_told client "cat /srv/one" "ok one"
	expect_equal "$(executors_waits)" "$before" "before"
	expect_match "$(tell client "many $paths")" '^ok'
	(($(executors_waits) > before)) || fail "64 requests under a long limit were a worker's"
}

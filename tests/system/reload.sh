# shellcheck shell=bash
# A client that is connected works on, whatever happens to the broker's processes and its policy.

first_policy() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/one
			allow bind tcp:80
		}
	END
}

second_policy() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/one /srv/two
			allow bind tcp:80,81
		}
	END
}

connected_client() {
	secret /srv/one one
	secret /srv/two two
	start_broker
	open_session client alice
	expect_equal "$(tell client "cat /srv/one")" "ok one"
}

expect_first_policy() {
	expect_equal "$(tell client "cat /srv/one")" "ok one"
	expect_equal "$(tell client "cat /srv/two")" "EACCES policy"
	expect_equal "$(tell client "bind tcp 0.0.0.0 80")" "ok"
	expect_equal "$(tell client "close")" "ok"
	expect_equal "$(tell client "bind tcp 0.0.0.0 81")" "EACCES policy"
}

expect_second_policy() {
	expect_equal "$(tell client "cat /srv/one")" "ok one"
	expect_equal "$(tell client "cat /srv/two")" "ok two"
	expect_equal "$(tell client "bind tcp 0.0.0.0 81")" "ok"
	expect_equal "$(tell client "close")" "ok"
}

test_a_reload_that_adds_a_grant_reaches_a_connected_client() {
	first_policy
	connected_client
	expect_first_policy
	second_policy
	reload_broker || fail "the reload failed"
	expect_second_policy
}

test_a_reload_that_takes_a_grant_away_reaches_a_connected_client() {
	second_policy
	connected_client
	expect_second_policy
	first_policy
	reload_broker || fail "the reload failed"
	expect_first_policy
}

test_a_connection_whose_every_grant_is_gone_gets_nothing_more() {
	first_policy
	connected_client
	sed -i 's/alice/bob/' "$POLICY"
	reload_broker || fail "the reload failed"
	expect_match "$(tell client "cat /srv/one")" '^(ECONNRESET broker|EACCES policy)$'
}

test_a_broken_policy_changes_nothing_and_the_log_says_why() {
	first_policy
	connected_client
	second_policy
	echo "allow everything" >>"$POLICY"
	if reload_broker; then
		fail "a broken policy was taken"
	fi
	expect_log "reload failed"
	expect_log "test.policy:6"
	expect_first_policy
	second_policy
	reload_broker || fail "the reload of the mended policy failed"
	expect_second_policy
}

test_a_policy_file_that_is_gone_changes_nothing() {
	first_policy
	connected_client
	rm "$POLICY"
	if reload_broker; then
		fail "a policy that is not there was taken"
	fi
	expect_first_policy
}

test_a_policy_file_that_somebody_else_could_write_is_not_taken() {
	first_policy
	connected_client
	second_policy
	chmod 0666 "$POLICY"
	if reload_broker; then
		fail "a policy that everybody may write was taken"
	fi
	expect_first_policy
	chmod 0644 "$POLICY"
	chown alice "$POLICY"
	if reload_broker; then
		fail "a policy of alice's was taken"
	fi
	expect_first_policy
}

test_many_reloads_lose_no_connection_and_leave_nothing_open() {
	local i before
	first_policy
	connected_client
	expect_first_policy
	before=$(broker_descriptors)
	for i in {1..20}; do
		reload_broker || fail "reload $i failed"
		expect_equal "$(tell client "cat /srv/one")" "ok one" "after reload $i"
	done
	expect_first_policy
	expect_descriptors "$before"
}

test_a_client_that_asks_without_pause_notices_no_reload() {
	local i
	first_policy
	connected_client
	tell_and_go_on client "cat-often /srv/one one /run/test/over"
	for i in {1..10}; do
		reload_broker || fail "reload $i failed"
	done
	chmod 1777 /run/test # it removes the file
	touch /run/test/over
	expect_match "$(IFS= read -r -t 20 -u "${SESSION_OUT[client]}" line && echo "$line")" \
		'^ok right=[0-9]+ refused=0 wrong=0$'
}

test_after_kill_9_of_the_worker_the_connection_works_on() {
	first_policy
	connected_client
	expect_first_policy
	kill_role worker
	expect_first_policy
	expect_equal "$(as alice ask "cat /srv/one")" "ok one" "a new client"
}

test_after_kill_9_of_the_executor_the_connection_works_on() {
	first_policy
	connected_client
	expect_first_policy
	kill_role executor
	expect_first_policy
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80")" "ok" "a new client"
}

test_after_both_were_killed_several_times_nothing_is_left_open() {
	local i before
	first_policy
	connected_client
	expect_first_policy
	before=$(broker_descriptors)
	for i in 1 2 3; do
		kill_role worker
		expect_equal "$(tell client "cat /srv/one")" "ok one" "after kill $i of the worker"
		kill_role executor
		expect_first_policy
		sleep 1 # no storm of crashes: that may well be met with a pause
	done
	expect_descriptors "$before"
}

test_a_client_that_asks_while_the_worker_is_killed_gets_one_answer_for_each_request() {
	local line
	first_policy
	connected_client
	chmod 1777 /run/test
	tell_and_go_on client "cat-often /srv/one one /run/test/over"
	for _ in 1 2; do
		kill_role worker
		sleep 1
	done
	touch /run/test/over
	IFS= read -r -t 20 -u "${SESSION_OUT[client]}" line || fail "no answer"
	expect_match "$line" '^ok right=[0-9]+ refused=[0-2] wrong=0$' # at most one for each kill
	expect_first_policy
}

test_the_pid_of_the_broker_stays_over_a_reload() {
	first_policy
	connected_client
	reload_broker || fail "the reload failed"
	expect_equal "$(broker_pids "")" "$BROKER_PID"
}

# What the first policy did not need was given up for good.
test_a_reload_that_needs_what_was_given_up_says_so_and_changes_nothing() {
	policy <<-END
		client test {
			from user alice
			allow bind tcp:80
		}
	END
	secret /srv/one one
	start_broker
	open_session client alice
	expect_equal "$(tell client "cat /srv/one")" "EACCES policy"
	first_policy
	if reload_broker; then
		fail "a policy that cannot be served was taken"
	fi
	expect_log "the policy needs CAP_DAC_READ_SEARCH, which was given up.*restart fdbrokerd"
	expect_equal "$(tell client "cat /srv/one")" "EACCES policy"
	expect_equal "$(tell client "bind tcp 0.0.0.0 80")" ok
	stop_broker
	start_broker
	expect_equal "$(as alice ask "cat /srv/one")" "ok one"
}

test_several_workers_serve_and_are_replaced_like_one() {
	local name
	first_policy
	secret /srv/one one
	secret /srv/two two
	start_broker --workers 3
	expect_equal "$(broker_pids worker | wc -l)" 3
	for name in a b c d; do
		open_session "$name" alice
		expect_equal "$(tell "$name" "cat /srv/one")" "ok one"
	done
	second_policy
	reload_broker || fail "the reload failed"
	kill_role worker
	for name in a b c d; do
		expect_equal "$(tell "$name" "cat /srv/two")" "ok two"
	done
	eventually 10 workers_are 3 || fail "$(broker_pids worker | wc -l) workers"
}

workers_are() { # COUNT
	[[ $(broker_pids worker | wc -l) == "$1" ]]
}

test_a_reload_that_is_asked_for_during_another_follows_it() {
	first_policy
	connected_client
	kill -HUP "$BROKER_PID"
	expect_log 'reload begins'
	second_policy
	kill -HUP "$BROKER_PID"
	eventually 10 reloads_done_are 2 || fail "only $(log_count 'reload done') of 2"
	expect_second_policy
}

reloads_done_are() { # COUNT
	(($(log_count 'reload done') == $1))
}

test_a_start_without_any_rule_names_the_folders_that_were_looked_in() {
	mkdir -p /etc/fdbroker/policy.d
	touch "$BROKER_LOG"
	fdbrokerd >>"$BROKER_LOG" 2>&1 </dev/null &
	BROKER_PID=$!
	expect_log 'ready: 0 rules, 1 worker$'
	expect_log '/etc/fdbroker/policy\.d.*/run/fdbroker/policy\.d.*/usr/lib/fdbroker/policy\.d: nobody is a client'
	echo 'client a {
		from user alice
		allow read /srv/file
	}' >/etc/fdbroker/policy.d/a.policy
	stop_broker
	fdbrokerd --workers 2 >>"$BROKER_LOG" 2>&1 </dev/null &
	BROKER_PID=$!
	expect_log 'ready: 1 rule, 2 workers$'
	expect_equal "$(log_count 'nobody is a client')" 1
}

test_a_load_says_a_hundred_things_and_then_how_many_more() {
	{
		echo 'client a {'
		echo 'from user alice'
		for ((i = 0; i < 150; i++)); do echo 'allow reed /x'; done
		echo '}'
	} | policy
	expect_status 1 fdbrokerd --policy "$POLICY" --check
	expect_equal "$(grep -c 'unknown verb' <<<"$output")" 100
	expect_match "$output" "fdbrokerd: 50 more of these are not shown: see 'fdbroker check'"$
}

# The reader takes nothing for a while, and then all.
test_what_a_failed_start_has_said_is_not_lost() {
	policy <<<'client a { from user alice }'
	output=$({ fdbrokerd --policy "$POLICY" --check 2>&1 || echo "status $?"; } | {
		sleep 1
		cat
	})
	expect_match "$output" $'error: .*\nstatus 1$'
}

# shellcheck shell=bash
# The name service for clients that cannot reach it: getaddrinfo and its like.

source tests/system/nameserver.sh

names_policy() {
	# What can be reached comes first in the answers, RFC 6724.
	ip addr add 10.0.0.1/8 dev lo
	serve_names 10 <<-END
		db.test A 10.0.0.5
		db.test AAAA fd00::5
		many.test A 10.0.0.7 10.0.0.6 10.0.0.5
		six.test AAAA fd00::6
		www.test A cname=db.test 10.0.0.5
		alias.test A cname=secret.test 10.0.0.8
		secret.test A 10.0.0.8
		inner.test A 10.1.0.1 10.0.0.5
		inside.test A 10.1.0.1 10.1.0.2
		slow.test A silence / 10.0.0.9
		slow.test AAAA silence / fd00::9
		never.test A silence
		never.test AAAA silence
		long.test A truncated / 10.0.0.5
		broken.test A servfail
		broken.test AAAA servfail
		5.0.0.10.in-addr.arpa PTR db.test
		6.0.0.10.in-addr.arpa PTR db.test / secret.test / db.test / elsewhere.test
		8.0.0.10.in-addr.arpa PTR secret.test
		1.0.1.10.in-addr.arpa PTR db.test
	END
	policy <<-END
		client names {
			from user alice
			allow resolve host:* host:127.0.0.0/8 host:10.0.0.0/8 host:[::]/0
			allow read /srv/file
			deny resolve host:secret.test host:10.1.0.0/16
		}
		client few {
			from user bob
			allow resolve host:db.test
			allow read /srv/file
		}
		client none {
			from user carol
			allow read /srv/file
		}
	END
	secret /srv/file content
	start_broker
}

test_the_answers_are_those_of_libc_called_as_root() {
	names_policy
	lookup libc >/run/test/libc
	as alice lookup broker >/run/test/broker
	diff /run/test/libc /run/test/broker >&2 || fail "the broker's answers are others"
	expect_match "$(grep '^db.test 5432 2 ' /run/test/broker)" '10.0.0.5 5432 0 db.test. .*fd00::5'
	expect_match "$(grep '^broken.test' /run/test/broker)" ': -3$'
}

test_a_name_that_no_rule_grants_is_not_asked_for() {
	names_policy
	expect_equal "$(as bob ask "resolve db.test" "resolve many.test" "resolve many.test.")" \
		$'ok db.test 10.0.0.5 fd00::5\nEACCES policy\nEACCES policy'
	expect_equal "$(queries many)" 0 "queries for what is denied"
	expect_equal "$(as carol ask "resolve db.test" "resolve 10.0.0.5")" \
		$'EACCES policy\nEACCES policy'
}

test_a_name_may_be_written_in_any_case_and_with_a_last_dot() {
	names_policy
	expect_equal "$(as bob ask "resolve DB.test" "resolve db.test.")" \
		$'ok DB.test 10.0.0.5 fd00::5\nok db.test 10.0.0.5 fd00::5'
}

test_an_address_needs_no_name_service_and_gets_none() {
	names_policy
	expect_equal "$(as bob ask "resolve 10.0.0.5" "resolve ::1")" \
		$'ok 10.0.0.5 10.0.0.5\nok ::1 ::1'
	expect_equal "$(queries .)" 1 "lines of the name server" # "ready"
}

test_a_search_domain_does_not_lead_into_a_denied_name() {
	names_policy
	expect_equal "$(as alice ask "resolve db" "resolve secret" "resolve secret.test")" \
		$'ok db.test 10.0.0.5 fd00::5\nEACCES policy\nEACCES policy'
}

test_an_alias_does_not_lead_into_a_denied_name() {
	names_policy
	expect_equal "$(as alice ask "resolve www.test" "resolve alias.test")" \
		$'ok db.test 10.0.0.5\nEACCES policy'
	expect_log 'denied uid=2001 .*object="host:alias.test".*test.policy:5'
}

test_a_denied_address_is_left_out_of_the_answer() {
	names_policy
	expect_equal "$(as alice ask "resolve inner.test" "resolve inside.test" "resolve 10.1.0.1")" \
		$'ok inner.test 10.0.0.5\nEACCES policy\nEACCES policy'
}

test_an_address_does_not_lead_to_a_denied_name() {
	names_policy
	expect_equal "$(as alice ask "name-of 10.0.0.5" "name-of 10.0.0.8" "name-of 10.0.0.8 namereqd")" \
		$'ok db.test\nEACCES policy\nEACCES policy'
	expect_log 'denied uid=2001 .*verb=resolve object="host:10.0.0.8".*test.policy:5'
}

test_the_name_of_an_address_that_no_rule_grants_is_not_asked_for() {
	names_policy
	expect_equal "$(as alice ask "name-of 10.1.0.1")" "EACCES policy"
	expect_equal "$(as bob ask "name-of 10.0.0.5")" "EACCES policy"
	expect_equal "$(queries 'in-addr.arpa')" 0 "queries for what is denied"
}

# No object of the language names it; but who may resolve nothing gets no answer at all.
test_an_address_as_text_needs_some_rule() {
	names_policy
	expect_equal "$(as bob ask "name-of 10.0.0.5 numeric" "name-of ::1 numeric")" \
		$'ok 10.0.0.5\nok ::1'
	expect_equal "$(as carol ask "name-of 10.0.0.5 numeric" "name-of 10.0.0.5")" \
		$'EACCES policy\nEACCES policy'
	expect_log 'denied uid=2003 .*verb=resolve object="address:10.0.0.5"'
}

test_the_short_form_of_a_name_is_the_beginning_of_what_was_judged() {
	hostname sandbox.test
	names_policy
	expect_equal "$(as alice ask "name-of 10.0.0.5 nofqdn" "name-of 10.0.0.8 nofqdn")" \
		$'ok db\nEACCES policy'
	# It is asked for by itself, and the second answer is another name.
	expect_equal "$(as alice ask "name-of 10.0.0.6 nofqdn" "name-of 10.0.0.6 nofqdn")" \
		$'EAI_AGAIN names\nEAI_AGAIN names'
}

test_an_answer_too_long_for_a_packet_comes_by_TCP() {
	names_policy
	expect_equal "$(as alice ask "resolve long.test")" "ok long.test 10.0.0.5"
	(($(queries '^by TCP: long.test') >= 1)) || fail "it did not"
}

# FDBROKER_ADDRESSES_MAX of protocol.h.
test_of_many_addresses_the_first_128_are_answered() {
	local i count
	names_policy
	echo "multi on" >/etc/host.conf
	for count in 128 129; do
		printf '127.0.0.1 localhost\n' >/etc/hosts
		for ((i = 1; i <= count; i++)); do
			echo "10.2.0.$i crowd.test" >>/etc/hosts
		done
		expect_equal "$(as alice ask "resolve crowd.test" | wc -w)" $((2 + 128)) "of $count"
	done
}

test_every_answer_is_in_the_audit_log() {
	names_policy
	expect_equal "$(as alice ask "resolve db.test" "resolve absent.test")" \
		$'ok db.test 10.0.0.5 fd00::5\nEAI_NONAME names'
	expect_log 'allowed uid=2001 .*verb=resolve object="host:db.test"'
	expect_log 'allowed uid=2001 .*verb=resolve object="host:absent.test \(Name or service not known\)"'
	expect_equal "$(as bob ask "resolve many.test")" "EACCES policy"
	expect_log 'denied uid=2002 .*verb=resolve object="host:many.test"'
}

# Asks in the background for what is not answered; returns when the query is on its way.
begin_query() { # NAME
	tell_and_go_on "$1" "resolve $2"
	eventually 5 has_queries "^$2 A$" "${3-1}" || fail "no query for $2"
}

hear() { # NAME
	local answer
	IFS= read -r -t 20 -u "${SESSION_OUT[$1]}" answer || answer="no answer in 20 s"
	echo "$answer"
}

test_killing_the_resolver_in_mid_query_gives_EAI_AGAIN_and_the_next_query_works() {
	names_policy
	open_session client alice
	begin_query client slow.test
	# shellcheck disable=SC2046
	kill -KILL $(broker_pids resolver)
	expect_equal "$(hear client)" "EAI_AGAIN names"
	expect_equal "$(tell client "resolve slow.test")" "ok slow.test 10.0.0.9 fd00::9"
	expect_log "the resolver has died over a question"
}

test_killing_an_idle_resolver_costs_no_request() {
	local i
	names_policy
	open_session client alice
	for i in 1 2 3; do
		expect_equal "$(tell client "resolve db.test")" "ok db.test 10.0.0.5 fd00::5" "query $i"
		kill_role resolver
		expect_equal "$(tell client "resolve db.test")" "ok db.test 10.0.0.5 fd00::5" "after kill $i"
	done
}

test_killing_the_executor_in_mid_query_makes_another_ask_again() {
	names_policy
	open_session client alice
	begin_query client slow.test
	# shellcheck disable=SC2046
	kill -KILL $(broker_pids executor)
	expect_equal "$(hear client)" "ok slow.test 10.0.0.9 fd00::9"
}

test_a_query_over_which_every_executor_dies_is_given_up() {
	local i
	names_policy
	open_session client alice
	begin_query client never.test
	for i in 2 3 4; do
		# shellcheck disable=SC2046
		kill -KILL $(broker_pids executor)
		((i == 4)) || eventually 5 has_queries "^never.test A$" "$i" || fail "not asked again"
	done
	expect_equal "$(hear client)" "EOWNERDEAD unknown"
	expect_equal "$(tell client "resolve db.test")" "ok db.test 10.0.0.5 fd00::5"
}

test_a_reload_in_mid_query_asks_again_under_the_new_policy() {
	local i
	names_policy
	open_session client alice
	open_session other alice
	begin_query client never.test
	begin_query other slow.test
	# More often than a packet may cost executors: these ends are expected.
	for i in 2 3 4 5; do
		reload_broker || fail "the reload failed"
		eventually 5 has_queries "^never.test A$" "$i" || fail "not asked again"
	done
	expect_equal "$(hear other)" "ok slow.test 10.0.0.9 fd00::9"
	sed -i 's/deny resolve/deny resolve host:never.test/' "$POLICY"
	reload_broker || fail "the reload failed"
	expect_equal "$(hear client)" "EACCES policy"
	expect_equal "$(log_count 'takes too long')" 0 "executors given up"
}

# Else whoever reloads all the time would keep it from ever being answered.
test_a_query_that_reloads_break_off_again_and_again_is_given_up() {
	local i max
	max=$(awk '/define SESSION_REPEATS_MAX/ { print $3 }' broker/limits.h)
	names_policy
	open_session client alice
	begin_query client never.test
	for ((i = 2; i <= max; i++)); do
		reload_broker || fail "the reload failed"
		eventually 5 has_queries "^never.test A$" "$i" || fail "not asked again"
	done
	reload_broker || fail "the reload failed"
	expect_equal "$(hear client)" "EOWNERDEAD unknown"
	expect_equal "$(tell client "resolve db.test")" "ok db.test 10.0.0.5 fd00::5"
}

test_a_name_server_that_is_silent_holds_up_nobody_else() {
	local i before=$SECONDS
	names_policy
	for i in 1 2 3 4; do
		open_session "stuck$i" alice
		tell_and_go_on "stuck$i" "resolve never.test"
	done
	eventually 5 has_queries '^never.test A$' 4 || fail "not all have asked"
	expect_equal "$(as bob ask "resolve db.test" "cat /srv/file")" \
		$'ok db.test 10.0.0.5 fd00::5\nok content'
	expect_equal "$(as alice ask "resolve db.test" "cat /srv/file")" \
		$'ok db.test 10.0.0.5 fd00::5\nok content'
	expect_at_most $((SECONDS - before)) 6 "seconds"
}

has_ended() { # PID
	! kill -0 "$1" 2>/dev/null
}

no_resolver_is_asking() {
	(($(broker_pids resolver | wc -l) <= 1 && $(broker_pids executor | wc -l) <= 1))
}

# RESOLVE_DEADLINE_MSEC of limits.h.
test_a_query_ends_after_15_seconds_whatever_the_name_service_waits_for() {
	local before=$SECONDS
	names_policy
	sed -i 's/timeout:[0-9]*/timeout:30/' /etc/resolv.conf
	open_session client alice
	begin_query client slow.test
	expect_equal "$(hear client)" "EAI_AGAIN names"
	expect_at_most 14 $((SECONDS - before)) "seconds that it must have waited"
	expect_log 'the name service does not answer in time'
	expect_equal "$(tell client "resolve slow.test")" "ok slow.test 10.0.0.9 fd00::9"
}

# Ending it would cost a new process for each that hangs up, at the expense of others.
test_a_client_that_hangs_up_ends_no_process() {
	local pid
	names_policy
	open_session client alice
	begin_query client never.test
	pid=$(broker_pids resolver)
	close_session client
	expect_equal "$(as alice ask "resolve db.test")" "ok db.test 10.0.0.5 fd00::5"
	kill -0 "$pid" || fail "the resolver has ended"
}

test_many_clients_that_hang_up_do_not_make_others_wait() {
	local i before=$SECONDS
	names_policy
	for i in {1..8}; do
		open_session "client$i" alice
		begin_query "client$i" never.test "$i"
		close_session "client$i"
	done
	expect_equal "$(as bob ask "resolve db.test")" "ok db.test 10.0.0.5 fd00::5"
	# The executors that ended with their resolvers are not waited for, of which one takes 1 s.
	expect_at_most $((SECONDS - before)) 4 "seconds"
}

test_modules_of_the_name_service_can_be_loaded() {
	local pid
	names_policy
	[[ -n $(compgen -G '/usr/lib/*/libnss_compat.so.2') ]] || skip "no module is a file of its own"
	sed -i 's/^protocols: .*/protocols: compat files/' /etc/nsswitch.conf
	expect_equal "$(as alice lookup broker | grep '^protocol ')" \
		$'protocol tcp: 6\nprotocol UDP: 17\nprotocol nothing: -1'
	for pid in $(broker_pids resolver); do
		grep -q "r-xp.*libnss_compat" "/proc/$pid/maps" || fail "it is not loaded"
	done
}

test_a_resolver_has_no_rights_no_policy_and_only_its_channel() {
	local pid set fds
	names_policy
	expect_equal "$(as alice ask "resolve db.test")" "ok db.test 10.0.0.5 fd00::5"
	for pid in $(broker_pids resolver); do
		for set in CapInh CapPrm CapEff CapAmb; do
			expect_equal "$(awk -v field="$set:" '$1 == field { print $2 }' "/proc/$pid/status")" \
				0000000000000000 "$set"
		done
		expect_equal "$(awk '$1 == "Seccomp:" { print $2 }' "/proc/$pid/status")" 2
		expect_equal "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$pid/status")" 1
		fds=("/proc/$pid/fd/"*)
		expect_match "$(readlink "${fds[@]}" | tr '\n' ' ')" \
			'^/dev/null [^ ]+ [^ ]+ socket:[^ ]+ anon_inode:\[eventfd\] $'
		expect_equal "$(grep -cE 'fdbroker-(policy|peers|hands)' "/proc/$pid/maps")" 0 "mappings"
	done
}

test_a_policy_without_names_has_no_resolver() {
	policy <<-END
		client test {
			from user alice
			allow bind tcp:80
		}
	END
	start_broker
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80" "resolve localhost")" $'ok\nEACCES policy'
	expect_equal "$(broker_pids resolver)" ""
}

test_everything_is_gone_after_a_reload_and_after_the_end() {
	local before
	names_policy
	open_session client alice
	expect_equal "$(tell client "resolve db.test")" "ok db.test 10.0.0.5 fd00::5"
	before=$(broker_descriptors)
	begin_query client slow.test
	reload_broker || fail "the reload failed"
	expect_equal "$(hear client)" "ok slow.test 10.0.0.9 fd00::9"
	eventually 5 no_resolver_is_asking || fail "left: $(broker_pids resolver)"
	expect_descriptors "$before"
	kill -TERM "$BROKER_PID"
	BROKER_PID=
	eventually 5 no_broker_is_left || fail "left: $(broker_pids)"
}

no_broker_is_left() {
	[[ -z $(broker_pids) ]]
}

# shellcheck shell=bash
# fdbroker_dial: the broker resolves, judges what comes, and connects.

source tests/system/nameserver.sh

# Listens on every ENDPOINT (tcp|udp|full:ADDRESS:PORT) and tells whoever comes where that was.
# A full one never takes a connection up: it drops each attempt.
serve() { # ENDPOINT...
	python3 - "$@" >/run/test/server 2>&1 <<-'END' &
		import select, socket, sys
		servers, kept = {}, []
		for word in sys.argv[1:]:
		    kind, rest = word.split(":", 1)
		    address, port = rest.rsplit(":", 1)
		    family = socket.AF_INET6 if ":" in address else socket.AF_INET
		    s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.bind((address, int(port)))
		    if kind == "full":
		        s.listen(0)
		        for _ in range(3):
		            c = socket.socket(family)
		            c.setblocking(False)
		            c.connect_ex((address, int(port)))
		            kept.append(c)
		        kept.append(s)
		        continue
		    if kind == "tcp":
		        s.listen(64)
		    servers[s] = address
		print("serving", flush=True)
		while True:
		    for s in select.select(list(servers), [], [])[0]:
		        if s.type == socket.SOCK_DGRAM:
		            data, sender = s.recvfrom(100)
		            s.sendto(servers[s].encode(), sender)
		            continue
		        c, sender = s.accept()
		        print("from", sender[0], "to", servers[s], flush=True)
		        c.sendall(servers[s].encode())
		        c.close()
	END
	eventually 5 grep -qs serving /run/test/server || fail "server: $(cat /run/test/server)"
}

dial_policy() {
	local i
	printf 'http 80/tcp\nhttps 443/tcp\necho 7/udp\npostgresql 5432/tcp\n' >/etc/services
	for i in 5 6 7 8 9; do
		ip addr add "10.0.0.$i/8" dev lo
		ip -6 addr add "fd00::$i/64" dev lo nodad
	done
	ip addr add 169.254.1.1/32 dev lo
	serve_names 10 <<-END
		db.test A 10.0.0.5 / 10.0.0.6
		two.test A 10.0.0.5 10.0.0.6
		both.test A 10.0.0.5
		both.test AAAA fd00::5
		full.test A 10.0.0.6 10.0.0.9
		stuck.test A 10.0.0.9
		loop.test A 127.0.0.1
		loop6.test AAAA ::1
		link.test A 169.254.1.1
		zero.test A 0.0.0.0
		mapped.test AAAA ::ffff:10.0.0.5
		mapped-loop.test AAAA ::ffff:127.0.0.1
		compatible.test AAAA ::127.0.0.1
		mixed.test A 127.0.0.1 10.0.0.6
		rebind.test A 10.0.0.5 / 127.0.0.1
		alias.test A cname=secret.test 10.0.0.8
		secret.test A 10.0.0.8
		inner.test A 10.0.0.7 10.0.0.6
		inside.test A 10.0.0.7
		slow.test A silence / 10.0.0.5
		never.test A silence
		broken.test A servfail
		broken.test AAAA servfail
	END
	policy <<-END
		client dial {
			from user alice
			allow connect tcp:*.test:80,5432 tcp:secret:80 udp:*.test:7
			allow connect tcp:127.0.0.1:81 tcp:10.0.0.5:81 tcp:[fd00::5]:81
			allow connect tcp:loop.test:81
			allow connect vsock:1:1234
			deny connect tcp:secret.test:* tcp:10.0.0.7:* log all
		}
		client narrow {
			from user bob
			allow connect tcp:db.test:5432
		}
	END
	start_broker
}

dial() { # USER ENDPOINT: prints the answer, and whom it has reached
	as "$1" ask "dial $2" peer receive | tr '\n' ' '
}

test_an_address_is_dialled() {
	dial_policy
	serve tcp:127.0.0.1:81 tcp:10.0.0.5:81 tcp:fd00::5:81
	expect_equal "$(dial alice tcp:127.0.0.1:81)" "ok ok 127.0.0.1 81 ok 127.0.0.1 "
	expect_equal "$(dial alice 'tcp:[fd00::5]:81')" "ok ok fd00::5 81 ok fd00::5 "
	expect_equal "$(as alice ask "dial tcp:10.0.0.6:81" "dial tcp:127.0.0.1:80")" \
		$'EACCES policy\nEACCES policy'
	expect_log 'allowed uid=2001 .*verb=connect object="tcp:127.0.0.1:81"'
}

test_a_socket_that_was_dialled_blocks_and_is_gone_after_exec() {
	dial_policy
	serve tcp:10.0.0.5:81
	expect_equal "$(as alice ask "dial tcp:10.0.0.5:81" flags)" $'ok\nok O_RDWR'
}

test_a_name_is_dialled_by_port_and_by_service() {
	dial_policy
	serve tcp:10.0.0.5:5432 tcp:10.0.0.6:5432 udp:10.0.0.5:7
	expect_equal "$(dial bob tcp:db.test:5432)" "ok ok 10.0.0.5 5432 ok 10.0.0.5 "
	expect_equal "$(dial bob tcp:db.test:postgresql)" "ok ok 10.0.0.6 5432 ok 10.0.0.6 "
	expect_equal "$(as bob ask "dial tcp:db.test:http" "dial tcp:db.test:80" "dial udp:db.test:5432" \
		"dial tcp:db.test:nothing" "dial tcp:two.test:5432")" \
		$'EACCES policy\nEACCES policy\nEACCES policy\nEINVAL names\nEACCES policy'
	expect_equal "$(queries '^two')" 0 "queries for what is denied"
	expect_log 'allowed uid=2002 .*verb=connect object="tcp:db.test:5432 \(10.0.0.5\)"'
	expect_equal "$(as alice ask "dial udp:two.test:echo" "write x" receive)" $'ok\nok\nok 10.0.0.5'
}

test_a_second_answer_does_not_fool_a_rule_by_name() {
	dial_policy
	serve tcp:10.0.0.5:80 tcp:127.0.0.1:80
	expect_equal "$(dial alice tcp:rebind.test:80)" "ok ok 10.0.0.5 80 ok 10.0.0.5 "
	expect_equal "$(queries '^rebind.test A$')" 1 "queries for one dial"
	expect_equal "$(as alice ask "dial tcp:rebind.test:80")" "EACCES policy"
	expect_equal "$(queries '^rebind.test A$')" 2 "queries for two"
	expect_equal "$(grep -c "to 127" /run/test/server || true)" 0 "connections to loopback"
}

test_an_answer_that_means_this_machine_does_not_fool_a_rule_by_name() {
	local name
	dial_policy
	serve tcp:0.0.0.0:80 tcp:::1:80
	for name in loop loop6 link zero mapped mapped-loop compatible; do
		expect_equal "$(as alice ask "dial tcp:$name.test:80")" "EACCES policy" "$name"
		(($(queries "^$name.test") >= 1)) || fail "$name.test was not asked for"
	done
	expect_equal "$(grep -c from /run/test/server || true)" 0 "connections"
	expect_equal "$(dial alice tcp:mixed.test:80)" "ok ok 10.0.0.6 80 ok 0.0.0.0 "
}

test_a_rule_by_address_permits_a_name_to_lead_to_this_machine() {
	dial_policy
	serve tcp:127.0.0.1:81
	expect_equal "$(dial alice tcp:loop.test:81)" "ok ok 127.0.0.1 81 ok 127.0.0.1 "
}

test_neither_an_alias_nor_a_search_domain_leads_into_a_denied_name() {
	dial_policy
	serve tcp:10.0.0.8:80
	expect_equal "$(as alice ask "dial tcp:alias.test:80" "dial tcp:secret:80" \
		"dial tcp:secret.test:80" "dial tcp:SECRET.test.:80")" "$(yes 'EACCES policy' | head -n 4)"
	expect_equal "$(grep -c from /run/test/server || true)" 0 "connections"
}

test_a_denied_address_is_not_tried() {
	dial_policy
	serve tcp:10.0.0.6:80 tcp:10.0.0.7:80
	expect_equal "$(dial alice tcp:inner.test:80)" "ok ok 10.0.0.6 80 ok 10.0.0.6 "
	expect_equal "$(as alice ask "dial tcp:inside.test:80")" "EACCES policy"
	expect_log 'denied uid=2001 .*object="tcp:inside.test:80 \([0-9.]+\)".*test.policy:7'
}

test_a_denial_behind_a_name_is_recorded_as_the_denial_says() {
	dial_policy
	policy <<-END
		client quiet {
			from user alice
			allow connect tcp:*.test:*  log none
			deny connect tcp:10.0.0.0/8:*
			allow resolve host:*.test  log none
			deny resolve host:10.0.0.0/8
		}
	END
	reload_broker
	expect_equal "$(as alice ask "dial tcp:inside.test:80")" "EACCES policy"
	expect_log 'denied .*verb=connect object="tcp:inside.test:80 .*test.policy:4'
	expect_equal "$(as alice ask "resolve inside.test")" "EACCES policy"
	expect_log 'denied .*verb=resolve object="host:inside.test".*test.policy:6'
}

# An executor notes what it is about to do, in case it hangs; nothing of that may be left.
test_a_decision_that_is_not_to_be_recorded_is_not() {
	dial_policy
	policy <<-END
		client quiet {
			from user alice
			allow connect tcp:*.test:*
			deny connect tcp:10.0.0.0/8:*  log none
			allow resolve host:*.test
			deny resolve host:10.0.0.0/8  log none
		}
	END
	reload_broker
	expect_equal "$(as alice ask "dial tcp:inside.test:80")" "EACCES policy"
	expect_equal "$(as alice ask "resolve inside.test")" "EACCES policy"
	reload_broker
	expect_equal "$(audit_lines inside.test)" ""
}

test_another_name_server_is_asked_once_there_is_another() {
	local before
	dial_policy
	serve tcp:10.0.0.6:80
	before=$(</etc/resolv.conf)
	expect_equal "$(as alice ask "dial tcp:inner.test:80")" ok
	echo "nameserver 127.0.0.9" >/etc/resolv.conf # where nobody listens
	expect_equal "$(as alice ask "dial tcp:inner.test:80")" "EAGAIN names"
	echo "$before" >/etc/resolv.conf
	expect_equal "$(as alice ask "dial tcp:inner.test:80")" ok
}

test_an_address_that_refuses_makes_way_for_the_next() {
	dial_policy
	serve tcp:10.0.0.6:80
	expect_equal "$(dial alice tcp:two.test:80)" "ok ok 10.0.0.6 80 ok 10.0.0.6 "
}

test_both_families_are_tried() {
	dial_policy
	serve tcp:10.0.0.5:80
	expect_equal "$(dial alice tcp:both.test:80)" "ok ok 10.0.0.5 80 ok 10.0.0.5 "
}

test_both_families_are_tried_the_other_way_round() {
	dial_policy
	serve tcp:fd00::5:80
	expect_equal "$(dial alice tcp:both.test:80)" "ok ok fd00::5 80 ok fd00::5 "
}

test_an_address_that_never_answers_does_not_hold_up_the_next() {
	local before=$SECONDS
	dial_policy
	# In this order: the connections come from 10.0.0.5, and .6 has more bits in common with it.
	serve full:10.0.0.6:80 tcp:10.0.0.9:80
	expect_equal "$(dial alice tcp:full.test:80)" "ok ok 10.0.0.9 80 ok 10.0.0.9 "
	expect_at_most $((SECONDS - before)) 10 "seconds"
}

test_when_all_addresses_fail_the_error_is_the_kernels() {
	dial_policy
	expect_equal "$(as alice ask "dial tcp:two.test:80" "dial tcp:127.0.0.1:81")" \
		$'ECONNREFUSED kernel\nECONNREFUSED kernel'
	expect_match "$(as alice ask "dial vsock:1:1234")" '^E[A-Z]+ kernel$'
}

test_names_that_fail_are_told_from_denials() {
	dial_policy
	expect_equal "$(as alice ask "dial tcp:absent.test:80" "dial tcp:broken.test:80")" \
		$'ENOENT names\nEAGAIN names'
	expect_log 'allowed uid=2001 .*object="tcp:absent.test:80" reason=names'
}

syn_sent() { # COUNT
	(($(ss -Htn state syn-sent dst 10.0.0.9 | wc -l) - SYN_BEFORE == $1))
}

# A dial to where nobody answers, on its way.
begin_dial() { # NAME
	tell_and_go_on "$1" "dial tcp:stuck.test:80"
	eventually 5 syn_sent "${2-1}" || fail "no connection is being made: $(ss -tn)"
}

stuck_dials() {
	dial_policy
	serve full:10.0.0.9:80 tcp:10.0.0.5:80
	sleep 0.2
	SYN_BEFORE=$(ss -Htn state syn-sent dst 10.0.0.9 | wc -l)
}

test_a_dial_that_takes_long_holds_up_nobody_else() {
	local i before=$SECONDS
	stuck_dials
	for i in 1 2 3 4; do
		open_session "stuck$i" alice
		begin_dial "stuck$i" "$i"
	done
	expect_equal "$(dial alice tcp:rebind.test:80)" "ok ok 10.0.0.5 80 ok 10.0.0.5 "
	expect_equal "$(as bob ask "dial tcp:db.test:5432" "dial tcp:x.test:80")" \
		$'ECONNREFUSED kernel\nEACCES policy'
	expect_at_most $((SECONDS - before)) 10 "seconds"
}

# At most half of them are one user's.
test_one_user_cannot_take_all_executors() {
	local i pids=() before=$SECONDS
	stuck_dials
	for ((i = 0; i < EXECUTORS; i++)); do
		start_as alice ask "dial tcp:stuck.test:80" >/dev/null 2>&1
		pids+=($!)
	done
	eventually 20 syn_sent $((EXECUTORS / 2)) || fail "$(ss -Htn state syn-sent dst 10.0.0.9 | wc -l) dials"
	expect_equal "$(as bob ask "dial tcp:db.test:5432" "dial tcp:x.test:80")" \
		$'ECONNREFUSED kernel\nEACCES policy'
	sleep 0.2
	syn_sent $((EXECUTORS / 2)) || fail "one user has taken more than half"
	kill "${pids[@]}"
	eventually 10 syn_sent 0 || fail "they go on"
	expect_at_most $((SECONDS - before)) 30 "seconds"
}

test_a_client_that_hangs_up_ends_its_dial() {
	stuck_dials
	open_session client alice
	begin_dial client
	close_session client
	eventually 5 syn_sent 0 || fail "it goes on: $(ss -tn)"
	expect_equal "$(dial alice tcp:rebind.test:80)" "ok ok 10.0.0.5 80 ok 10.0.0.5 "
}

test_a_dial_goes_on_under_the_policy_of_a_reload() {
	stuck_dials
	open_session client alice
	begin_dial client
	reload_broker || fail "the reload failed"
	eventually 5 syn_sent 1 || fail "it does not go on: $(ss -tn)"
	sed -i 's/deny connect/deny connect tcp:10.0.0.9:*/' "$POLICY"
	reload_broker || fail "the reload failed"
	IFS= read -r -t 15 -u "${SESSION_OUT[client]}" answer || fail "no answer"
	expect_equal "$answer" "EACCES policy"
	eventually 5 syn_sent 0 || fail "it goes on: $(ss -tn)"
}

test_a_dial_whose_resolver_is_killed_is_told_to_try_again() {
	dial_policy
	serve tcp:10.0.0.5:80
	open_session client alice
	tell_and_go_on client "dial tcp:slow.test:80"
	eventually 5 has_queries '^slow.test A$' 1 || fail "no query"
	# shellcheck disable=SC2046
	kill -KILL $(broker_pids resolver)
	IFS= read -r -t 15 -u "${SESSION_OUT[client]}" answer || fail "no answer"
	expect_equal "$answer" "EAGAIN names"
	expect_equal "$(tell client "dial tcp:slow.test:80")" ok
	expect_equal "$(tell client receive)" "ok 10.0.0.5"
}

test_dials_leave_nothing_open() {
	local before i
	dial_policy
	serve tcp:10.0.0.9:80 tcp:10.0.0.5:80 full:10.0.0.6:80
	expect_match "$(dial alice tcp:two.test:80)" '^ok'
	before=$(broker_descriptors)
	for i in 1 2 3; do
		expect_match "$(dial alice tcp:two.test:80)" '^ok'
		expect_match "$(dial alice tcp:full.test:80)" '^ok'
		expect_equal "$(as alice ask "dial tcp:secret.test:80")" "EACCES policy"
	done
	expect_descriptors "$before"
}

test_a_rule_for_another_network_namespace_permits_no_dial() {
	dial_policy
	sed -i '/narrow/,$ s/5432$/5432 netns peer/' "$POLICY"
	reload_broker || fail "the reload failed"
	serve tcp:10.0.0.5:5432
	expect_match "$(dial bob tcp:db.test:5432)" '^ok '
	expect_equal "$(as_words bob; unshare --net "${AS[@]}" ask "dial tcp:db.test:5432")" "EACCES netns"
}

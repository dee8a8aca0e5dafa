# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# What a program under `fdbroker run` is told when the broker says no, what the log of the broker
# tells of it, and who is asked when the user's connection has been narrowed.
source tests/system/run.lib

# ---- the program's own rights, or an error ----

test_a_copy_that_would_be_too_large_is_EFBIG() {
	run_policy - <<-'END'
		allow read /srv/copies/* copy max 4K
	END
	secret /srv/copies/small small
	secret /srv/copies/large "$(printf '%05000d' 0)"
	expect_equal "$(run calls read /srv/copies/small)" "ok small"
	expect_equal "$(run calls read /srv/copies/large)" EFBIG
}

# The kernel counts the descriptors that a user has sent and nobody has received, unix(7). Bob lets
# more of them lie than the worker may have open now.
test_what_the_broker_has_no_room_for_is_ENFILE() {
	local worker
	run_policy
	cat >>"$POLICY" <<-'END'
		client others {
			from user bob
			allow read /srv/granted
		}
	END
	reload_broker
	open_run program
	open_session hoarder bob unread
	expect_equal "$(tell hoarder "connect 9")" ok
	expect_equal "$(tell hoarder "send 6 /srv/granted")" ok
	worker=$(broker_pids worker)
	setpriv --reuid=fdbroker --regid=fdbroker --clear-groups prlimit --pid "$worker" --nofile=45
	eventually 5 answers program ENFILE || fail "not ENFILE, but $(tell program "cat /srv/granted")"
	expect_equal "$(tell program "cat /etc/passwd" | cut -c 1-7)" "ok root"
	expect_equal "$(tell hoarder read)" 60
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
}

answers() { # SESSION ERRNO
	[[ $(tell "$1" "cat /srv/granted") == "$2" ]]
}

# The rule has the broker act as somebody who may not: that says nothing of what alice may.
test_what_the_rules_user_may_not_open_is_up_to_the_programs_own_rights() {
	run_policy - <<-'END'
		allow read /srv/theirs/* as bob
	END
	belongs_to alice /srv/theirs/alice "alice's"
	belongs_to bob /srv/theirs/bob "bob's"
	belongs_to carol /srv/theirs/carol "carol's"
	chmod 0600 /srv/theirs/*
	expect_equal "$(run calls read /srv/theirs/alice)" "ok alice's"
	expect_log 'audit: .*object="/srv/theirs/alice" reason=kernel error=EACCES'
	expect_equal "$(run calls read /srv/theirs/bob)" "ok bob's"
	expect_equal "$(run calls read /srv/theirs/carol)" EACCES
	expect_log 'audit: .*object="/srv/theirs/carol" reason=kernel error=EACCES'
}

# ---- the log ----

# Without the broker the program could not have had them, so somebody has tried something.
test_a_low_port_that_is_refused_is_in_the_brokers_log() {
	run_policy
	expect_equal "$(run ask --direct \
		"make AF_INET SOCK_STREAM" "bind-it inet 127.0.0.1 81" "bind-it inet 127.0.0.1 8081" \
		"make AF_INET6 SOCK_DGRAM" "bind-it inet6 ::1 82" "bind-it inet6 ::1 8082" | xargs)" \
		"ok EACCES ok ok EACCES ok"
	expect_log 'audit: denied uid=2001 .*verb=bind object="?tcp:127\.0\.0\.1:81"? reason=policy'
	expect_log 'audit: denied uid=2001 .*verb=bind object="?udp:\[::1\]:82"? reason=policy'
	expect_equal "$(audit_lines ':808[12]')" ""
}

test_every_port_that_a_sandbox_is_refused_is_in_the_brokers_log() {
	needs_landlock 1 "files"
	run_policy
	expect_equal "$(run --sandbox ask --direct \
		"make AF_INET SOCK_STREAM" "bind-it inet 127.0.0.1 8081" \
		"make AF_INET6 SOCK_STREAM" "bind-it inet6 ::1 8082" | xargs)" "ok EACCES ok EACCES"
	expect_log 'audit: denied uid=2001 .*verb=bind object="?tcp:127\.0\.0\.1:8081"? reason=policy'
	expect_log 'audit: denied uid=2001 .*verb=bind object="?tcp:\[::1\]:8082"? reason=policy'
}

# ---- a connection that somebody has narrowed ----

# As open_run, over a connection that may do nothing but read /srv/granted.
open_narrowed_run() { # NAME
	printf '%s\n' '#!/bin/bash' 'exec fdbroker exec --limit read:/srv/granted -- \
		fdbroker run -- ask --direct' >"/run/test/run-$1"
	chmod 0755 "/run/test/run-$1"
	open_session "$1" alice "/run/test/run-$1"
}

test_a_narrowed_connection_is_the_only_one() {
	run_policy
	open_narrowed_run program
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
	expect_equal "$(tell program "cat /srv/both")" EACCES
	expect_equal "$(tell program "make AF_INET SOCK_STREAM")" ok
	expect_equal "$(tell program "bind-it inet 0.0.0.0 80")" EACCES
}

# Another one would not be narrowed.
test_a_narrowed_connection_that_has_ended_is_replaced_by_none() {
	run_policy
	open_narrowed_run program
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
	stop_broker
	start_broker
	for _ in 1 2 3; do
		expect_equal "$(tell program "cat /srv/both")" EACCES
		expect_equal "$(tell program "cat /srv/granted")" EACCES
		sleep 0.6 # so that it is asked for the grants as well
	done
	expect_equal "$(run calls read /srv/both)" "ok both" "another run"
}

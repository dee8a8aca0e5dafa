# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# fdbroker_sandbox(): what it forbids, what goes on working, and when it refuses. What is tried is in
# clients/boundary.c.

SOCKETS=1 PROGRAMS=2 # FDBROKER_SANDBOX_...

# alice has a file and a program outside the folders of the system.
own_files() {
	mkdir -p /srv/own
	echo own >/srv/own/file
	cp /usr/bin/true /srv/own/true
	chown -R alice /srv/own
}

# Sets $output to what became of the calls, as "NAME: ERRNO" in one line.
expect_calls() { # FLAGS EXPECTED CALL...
	local flags=$1 expected=$2
	shift 2
	output=$(as alice boundary plain "$flags" "$@")
	expect_equal "${output//$'\n'/, }" "fdbroker_sandbox: ok, $expected"
}

test_whatever_opens_something_fails_in_the_sandbox() {
	local all tells_nothing='^$'
	# As root with all capabilities, so that it is not for want of these.
	all=$(boundary plain none all)
	((${#all} > 500)) || fail "few calls were tried: $all"
	# In a chroot there are no user namespaces, clone(2).
	unshare --user true 2>/dev/null || tells_nothing='^(clone NEWUSER|unshare): '
	expect_equal "$(grep ' EPERM$' <<<"$all" | grep -vE "$tells_nothing" || true)" "" \
		"without the sandbox"
	all=$(cut -d: -f1 <<<"$all" | sed 's/$/: EPERM/')
	expect_equal "$(boundary plain 0 all)" "fdbroker_sandbox: ok"$'\n'"$all" "root"
	expect_equal "$(as alice boundary plain 0 all)" "fdbroker_sandbox: ok"$'\n'"$all" "alice"
}

test_what_is_allowed_with_sockets_and_programs_is_all_that_is_allowed() {
	local -a with=(socket socketpair connect MSG_FASTOPEN)
	local -a programs=(open creat openat openat2 execve execveat)
	expect_equal "$(allowed "$SOCKETS")" "$(printf '%s\n' "${with[@]}" | sort)"
	expect_equal "$(allowed "$PROGRAMS")" "$(printf '%s\n' "${programs[@]}" | sort)"
	expect_equal "$(allowed $((SOCKETS | PROGRAMS)))" \
		"$(printf '%s\n' "${with[@]}" "${programs[@]}" | sort)"
}

allowed() { # FLAGS
	boundary plain "$1" all | grep -v -e ' EPERM$' -e '^fdbroker_sandbox: ok$' | cut -d: -f1 | sort
}

test_programs_may_use_the_system_and_nothing_else() {
	own_files
	as alice boundary plain none open-own write-own run-own >/run/test/without
	expect_equal "$(cut -d' ' -f2 /run/test/without | sort -u)" ok "without the sandbox"
	expect_calls "$PROGRAMS" \
		"open-passwd: ok, open-null: ok, run-true: ok" open-passwd open-null run-true
	expect_calls "$PROGRAMS" "open-root: EACCES, open-own: EACCES, write-own: EACCES, $(:
		)remove-own: EACCES, run-own: EACCES" open-root open-own write-own remove-own run-own
	expect_equal "$(boundary plain "$PROGRAMS" open-outsider)" \
		$'fdbroker_sandbox: ok\nopen-outsider: EACCES' "the environment of another process"
	expect_equal "$(cat /srv/own/file)" own
}

test_nothing_is_removed_in_the_strict_sandbox_either() {
	own_files
	expect_calls 0 "remove-own: EACCES, open-own: EPERM" remove-own open-own
	[[ -e /srv/own/file ]]
}

test_with_sockets_there_are_those_of_three_families() {
	expect_equal "$(boundary plain "$SOCKETS" unix-socket ipv6-socket netlink-socket packet-socket bind |
		tail -n +2)" \
		$'unix-socket: ok\nipv6-socket: ok\nnetlink-socket: EPERM\npacket-socket: EPERM\nbind: EPERM'
}

test_with_sockets_there_is_no_protocol_that_Landlock_does_not_know() {
	local all="sctp-socket dccp-socket smc-socket mptcp-socket"
	# shellcheck disable=SC2086 # four words
	expect_equal "$(boundary plain none $all | cut -d' ' -f2 | xargs)" "EINVAL EINVAL EINVAL EINVAL"
	# shellcheck disable=SC2086
	expect_equal "$(boundary plain "$SOCKETS" $all | tail -n +2 | cut -d' ' -f2 | uniq -c | xargs)" \
		"4 EPROTONOSUPPORT"
}

test_a_process_outside_gets_no_signal() {
	needs_landlock 6 "signals"
	expect_equal "$(as alice boundary plain none kill)" "kill: ok" "without the sandbox"
	expect_calls 0 "kill: EPERM" kill
}

test_an_abstract_socket_outside_is_not_reached() {
	needs_landlock 6 "abstract sockets"
	expect_equal "$(as alice boundary plain none connect-abstract)" "connect-abstract: ok"
	expect_calls "$SOCKETS" "connect-abstract: EPERM" connect-abstract
}

test_a_system_call_of_another_architecture_ends_the_process() {
	[[ $(uname -m) == x86_64 ]] || skip "not x86-64"
	expect_match "$(as alice boundary plain none i386 x32)" '^i386: ok' "without the sandbox"
	expect_status 159 as alice boundary plain 0 i386 # SIGSYS
	expect_status 159 as alice boundary plain 0 x32
}

test_libc_and_open_descriptors_go_on_working() {
	expect_calls 0 "clone3: ENOSYS, fork: ok, futimens: ok, limit-itself: ok" \
		clone3 fork futimens limit-itself
}

test_no_capability_is_left() {
	local pid
	setpriv --inh-caps +net_bind_service --ambient-caps +net_bind_service \
		boundary plain 0 pause >/run/test/calls &
	pid=$!
	eventually 5 grep -q ok /run/test/calls || fail "it is not in the sandbox"
	expect_equal "$(sed -nE 's/^(Cap...|NoNewPrivs|Seccomp):\t0*([0-9a-f])/\1 \2/p' "/proc/$pid/status")" \
		$'CapInh 0\nCapPrm 0\nCapEff 0\nCapBnd 0\nCapAmb 0\nNoNewPrivs 1\nSeccomp 2'
	kill "$pid"
}

test_no_core_is_dumped_and_others_of_the_user_do_not_see_it() {
	local pid
	start_as alice boundary plain 0 pause >/run/test/calls
	pid=$!
	eventually 5 grep -q ok /run/test/calls || fail "it is not in the sandbox"
	expect_equal "$(stat -c %U "/proc/$pid/environ")" root # not dumpable: proc(5)
	kill "$pid"
}

test_a_process_of_several_threads_is_refused_and_left_alone() {
	expect_equal "$(boundary threads 0 open-root)" $'fdbroker_sandbox: EBUSY\nopen-root: ok'
	expect_equal "$(boundary joined 0 open-root)" $'fdbroker_sandbox: ok\nopen-root: EPERM'
	# As a container's filter does it.
	expect_match "$(boundary no:unshare 0 open-root)" $'^fdbroker_sandbox: ok\n'
}

test_an_unknown_flag_is_refused() {
	expect_equal "$(boundary plain 4 open-root)" $'fdbroker_sandbox: EINVAL\nopen-root: ok'
	expect_equal "$(boundary plain 0x80000001 open-root)" $'fdbroker_sandbox: EINVAL\nopen-root: ok'
}

test_without_Landlock_there_is_no_sandbox() {
	expect_equal "$(boundary no:landlock_create_ruleset 0 open-root)" \
		$'fdbroker_sandbox: ENOSYS\nopen-root: ok'
}

# A filter lets each of the steps succeed without doing anything.
test_what_does_not_hold_is_noticed() {
	local step
	for step in landlock_restrict_self seccomp capset; do
		expect_equal "$(boundary "sham:$step" 0)" "fdbroker_sandbox: ENOTRECOVERABLE" "$step"
		expect_equal "$(boundary "sham:$step" "$PROGRAMS")" \
			"fdbroker_sandbox: ENOTRECOVERABLE" "$step, with programs"
	done
}

# After every other errno the process is as it was.
test_when_a_part_has_been_given_up_the_errno_says_so() {
	local step
	for step in landlock_restrict_self capset prctl seccomp; do
		expect_equal "$(boundary "no:$step" 0 2>&1)" "fdbroker_sandbox: ENOTRECOVERABLE" "$step"
	done
}

test_the_sandbox_can_be_entered_again_and_made_narrower() {
	sandbox_policy
	expect_equal "$(as alice ask "sandbox $PROGRAMS" "open-myself /etc/passwd" "sandbox 0" \
		"open-myself /etc/passwd" "sandbox 0")" $'ok\nok\nok\nEPERM\nok'
}

# ---- the broker's part ----

sandbox_policy() {
	mkdir -p /srv/folder
	policy <<-END
		client sandbox {
			from user alice
			allow read,stat,list /srv/folder /srv/folder/**
			allow read /srv/copied copy
			allow bind tcp:80 tcp:81
			allow connect tcp:127.0.0.1:80
			allow resolve host:* host:127.0.0.0/8
		}
	END
	secret /srv/folder/file content
	secret /srv/copied copy
	expect_status 0 fdbroker check "$POLICY"
	start_broker
}

test_the_broker_serves_who_is_in_the_sandbox() {
	sandbox_policy
	expect_equal "$(as alice ask "chdir /srv/folder" "make AF_INET SOCK_STREAM" "sandbox 0" \
		"bind-it inet 0.0.0.0 81" "start-listening" "open-myself /etc/passwd")" \
		$'ok\nok\nok\nok\nok\nEPERM'
	expect_equal "$(as alice ask "chdir /srv/folder" "sandbox 0" "cat /srv/folder/file" \
		"cat file" "cat /srv/copied" "list /srv/folder" "cat /etc/passwd")" \
		$'ok\nok\nok content\nok content\nok copy\nok file\nEACCES policy'
	expect_equal "$(as alice ask "sandbox 0" "listen tcp:80" "clone" "dial tcp:127.0.0.1:80" \
		"cat /srv/folder/file" "limit read /srv/folder/**" "cat /srv/copied")" \
		$'ok\nok\nok\nok\nok content\nok\nEACCES narrowed'
	expect_match "$(as alice ask "sandbox 0" "stat /srv/folder/file" "resolve localhost" "grants")" \
		$'^ok\nok .*\nok .*127[.]0[.]0[.]1.*\nok .*allow.*$'
}

# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# Programs under `fdbroker run` that want more than the policy grants: by what a filter may have
# forgotten, from other namespaces, by changing the arguments of a call while it is made, and by
# getting into their supervisor.
source tests/system/run.lib

TRIES=100000

# ---- what a filter may have forgotten ----

test_io_uring_gets_nowhere() {
	run_policy
	expect_equal "$(run calls io_uring)" ENOSYS
	expect_equal "$(run --sandbox calls io_uring)" ENOSYS
}

test_x32_gets_nowhere() {
	run_policy
	[[ $(uname -m) == x86_64 ]] || skip "there is no x32 on this machine"
	expect_equal "$(run calls x32)" ENOSYS
}

# -31: SIGSYS.
test_the_32_bit_table_of_system_calls_gets_nowhere() {
	run_policy
	[[ $(as alice calls int80 2>/dev/null) == ok ]] || skip "this kernel has no int 0x80"
	expect_equal "$(as alice bash -c 'ulimit -c 0; exec "$@"' sh python3 -c '
import subprocess, sys
print(subprocess.run(sys.argv[1:]).returncode)' fdbroker run calls int80)" -31
}

# ---- other namespaces ----

# What it may bind is a port of its own namespace; the port of the host stays free.
test_another_network_namespace_gets_no_port_of_the_host() {
	may_unshare -Urn
	run_policy
	start_run unshare -Urn ask --direct "make AF_INET SOCK_STREAM" "bind-it inet 0.0.0.0 80" \
		start-listening "wait-for /run/test/go" >/run/test/answers
	eventually 10 has_lines 3 /run/test/answers || fail "it is not ready"
	! listening 80 || fail "the port of the host is bound"
	expect_equal "$(run ask --direct "make AF_INET SOCK_STREAM" "bind-it inet 0.0.0.0 80")" \
		$'ok\nok' "the host's"
	touch /run/test/go
	wait $!
	expect_equal "$(log_count 'audit: allowed .*verb=bind')" 1
}

test_another_mount_namespace_gets_no_file_of_the_host() {
	may_unshare -Urm
	run_policy
	expect_status 1 run unshare -Urm cat /srv/granted
	expect_match "$output" 'Permission denied'
	expect_equal "$(run unshare -Urm sh -c 'mount -t tmpfs none /srv && echo own >/srv/granted &&
		cat /srv/granted')" own
	expect_equal "$(log_count 'audit: .*object="/srv/granted"')" 0 "requests"
}

test_another_root_gets_no_file_of_the_host() {
	needs_static
	may_unshare -Ur
	run_policy
	as alice mkdir -p /home/alice/jail/srv
	belongs_to alice /home/alice/jail/srv/granted "the jail's"
	as alice cp "$(command -v calls-static)" /home/alice/jail/calls
	expect_equal "$(run unshare -Ur chroot /home/alice/jail /calls ways /srv/granted)" \
		$'ok the jail\'s\nok the jail\'s\nok the jail\'s'
	expect_equal "$(run unshare -Ur chroot /home/alice/jail /calls read /srv/folder/deep/file)" \
		ENOENT
	expect_equal "$(log_count 'audit: .*object="/srv/')" 0 "requests"
}

test_another_root_gets_no_socket_in_a_folder_of_the_host() {
	needs_static
	may_unshare -Ur
	run_policy
	as alice mkdir -p /home/alice/jail/srv/sockets
	as alice cp "$(command -v calls-static)" /home/alice/jail/calls
	expect_equal "$(run unshare -Ur chroot /home/alice/jail /calls unix-bind /srv/sockets/one)" ok
	[[ -S /home/alice/jail/srv/sockets/one ]] || fail "the jail has no socket"
	expect_equal "$(ls /srv/sockets)" "" "sockets of the host"
	expect_equal "$(run calls-static unix-bind /srv/sockets/one)" ok
	expect_equal "$(ls /srv/sockets)" one
}

# Root of a user namespace of one's own is alice for everybody else.
test_a_user_namespace_gets_no_more_than_alice() {
	may_unshare -Ur
	run_policy
	expect_equal "$(run unshare -Ur calls read /srv/other)" EACCES
	expect_equal "$(run unshare -Ur calls binds 1 81)" "ok=0 EACCES=1"
}

# ---- arguments that change ----

raced() { # RACE WORDS...
	expect_status 0 run racing "$@"
	expect_match "$output" '^got=[1-9][0-9]* refused=[1-9][0-9]*$' "the race did not happen"
}

test_a_path_that_changes_during_the_call_is_never_one_that_is_not_granted() {
	run_policy - <<-'END'
		allow read /srv/race/a
	END
	secret /srv/race/a granted
	secret /srv/race/b secret
	chmod 0755 /srv/race
	raced path /srv/race/a /srv/race/b $TRIES
}

test_a_folder_that_changes_during_the_call_is_never_one_that_is_not_granted() {
	run_policy - <<-'END'
		allow read /srv/race/a/file
	END
	secret /srv/race/a/file granted
	secret /srv/race/b/file secret
	chmod 0755 /srv/race /srv/race/a /srv/race/b
	raced folder /srv/race/a /srv/race/b 30000
}

test_flags_that_change_during_the_call_never_give_more_than_is_granted() {
	run_policy
	raced flags /srv/granted 30000
}

test_an_address_that_changes_during_the_call_is_never_one_that_is_not_granted() {
	run_policy
	raced port 80 81 10000
}

test_a_socket_that_changes_during_the_call_is_never_one_that_is_not_granted() {
	run_policy
	raced socket 80 10000
}

# ---- the supervisor ----

test_a_program_does_not_get_into_its_supervisor() {
	local expected
	run_policy
	expected=$'seize: EPERM\nattach: EPERM\nmem: EACCES\nprocess_vm_readv: EPERM\nfd: EACCES'
	expected+=$'\npidfd_getfd: EPERM'
	# What is tried works on a process of one's own.
	expect_match "$(as alice bash -c 'sleep 300 >/dev/null & calls attack $!; kill $!')" 'seize: ok'
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run sh -c 'calls attack "$PPID"')" "$expected"
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run --sandbox sh -c 'calls attack "$PPID"')" "$expected" "--sandbox"
}

test_the_listener_is_nowhere_to_be_found_by_the_program() {
	run_policy
	expect_equal "$(run find /proc/self/fd -lname '*seccomp*')" ""
}

# A program that stops another one during its call, or whose threads end, keeps nobody waiting.
test_a_program_that_is_stopped_in_a_call_keeps_no_other_waiting() {
	run_policy
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run bash -c 'for _ in {1..20}; do
			calls times 1000000 /srv/granted >/dev/null &
			sleep 0.02; kill -STOP $!; cat /srv/granted; echo; kill -KILL $!
		done 2>/dev/null' | uniq -c | xargs)" "20 granted"
}

# One open of alice's own blocks for ever, and others go on: what is not brokered blocks its caller.
test_an_open_that_blocks_keeps_no_other_waiting() {
	run_policy
	as alice mkfifo /home/alice/pipe
	expect_equal "$(run sh -c 'cat /home/alice/pipe & sleep 0.2; cat /srv/granted; kill $!')" granted
}

# Its listener could let all go on.
test_a_program_does_not_take_the_place_of_its_dead_supervisor() {
	run_policy
	cat >/run/test/heir.py <<-'END'
		import ctypes, os, platform, struct, time
		libc = ctypes.CDLL(None, use_errno=True)
		supervisor = os.getppid()
		print("ready", flush=True)
		while os.getppid() == supervisor:
		    time.sleep(0.02)
		allow = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))
		program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)))
		seccomp = {"x86_64": 317, "aarch64": 277}.get(platform.machine(), 277)
		for flags in 8, 0: # SECCOMP_FILTER_FLAG_NEW_LISTENER
		    result = libc.syscall(seccomp, 1, flags, program)
		    print("ok" if result >= 0 else os.strerror(ctypes.get_errno()), flush=True)
	END
	start_run python3 /run/test/heir.py >/run/test/heir.out 2>/dev/null
	eventually 10 has_lines 1 /run/test/heir.out || fail "the program is not ready"
	kill -KILL "$(supervisor_of $!)"
	eventually 10 has_lines 3 /run/test/heir.out || fail "it does not go on"
	expect_equal "$(cat /run/test/heir.out)" $'ready\nDevice or resource busy\nok'
}

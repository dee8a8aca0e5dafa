# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# `fdbroker run --sandbox` and `--policy-only`: what the program can still get at by itself.
source tests/system/run.lib

# A file of alice's own, which she can read and write without any broker.
modes_policy() { # as run_policy
	needs_landlock 1 "files"
	run_policy "$@"
	belongs_to alice /home/alice/work/own own
	chown alice:alice /home/alice/work
}

# ---- sandbox ----

test_programs_of_the_system_run_in_a_sandbox() {
	modes_policy
	expect_equal "$(run --sandbox cat /srv/granted)" granted
	expect_equal "$(run --sandbox sh -c 'echo x | sed s/x/y/ 2>/dev/null')" y
	expect_equal "$(run --sandbox python3 -c 'import json; print(open("/srv/granted").read())')" \
		granted
	expect_equal "$(run --sandbox sh -c 'echo x >/dev/null && head -c 2 /dev/zero | wc -c &&
		cat /proc/self/comm && head -c 1 /dev/urandom | wc -c')" $'2\ncat\n1'
	run --sandbox sh -c 'echo second >>/srv/log'
	expect_equal "$(cat /srv/log)" $'first\nsecond'
}

test_a_sandbox_hides_what_is_the_users_own() {
	modes_policy
	expect_equal "$(run cat /home/alice/work/own)" own
	expect_status 1 run --sandbox cat /home/alice/work/own
	expect_match "$output" 'Permission denied'
	expect_status 2 run --sandbox ls /home/alice
	expect_status 2 run --sandbox sh -c 'echo x >/home/alice/work/own'
	expect_status 2 run --sandbox sh -c 'echo x >/tmp/file'
	expect_status 1 run --sandbox rm -f /home/alice/work/own
	expect_status 1 run --sandbox mkdir /home/alice/work/folder
	expect_equal "$(cat /home/alice/work/own)" own
	expect_equal "$(ls /tmp)" "" "what lies in /tmp"
}

test_readable_folders_of_a_sandbox_can_be_read() {
	modes_policy
	expect_equal "$(run --sandbox -r /home/alice/work cat /home/alice/work/own)" own
	expect_equal "$(cd /home/alice && run --sandbox -r work cat work/own)" own
	expect_status 2 run --sandbox -r /home/alice/work sh -c 'echo x >>/home/alice/work/own'
	expect_match "$output" 'Permission denied'
	expect_equal "$(cat /home/alice/work/own)" own
}

test_writable_folders_of_a_sandbox_can_be_written() {
	modes_policy
	as alice mkdir /home/alice/other
	run --sandbox -w /home/alice/work -w /home/alice/other sh -c 'cd /home/alice/work &&
		echo new >file && cat own >>file && mkdir folder && mv file folder/ && rm own &&
		ln -s folder link && mv folder/file ../other/'
	expect_equal "$(cat /home/alice/other/file)" $'new\nown'
	expect_status 2 run --sandbox -w /home/alice/work sh -c 'echo x >/home/alice/other/file'
	expect_equal "$(cat /home/alice/other/file)" $'new\nown'
}

test_a_folder_that_is_not_there_is_said() {
	modes_policy
	expect_status 125 run --sandbox -w /home/alice/nowhere true
	expect_equal "$output" "fdbroker: run: -w /home/alice/nowhere: No such file or directory"
	expect_status 125 run --sandbox -r $'/srv/no\where\e' true
	[[ $output != *$'\e'* ]] || fail "an escape is printed"
}

# Of a program that lies in the home or in /tmp only the file itself, or the home would be open.
test_a_program_of_ones_own_runs_in_a_sandbox() {
	modes_policy
	as alice mkdir /home/alice/app
	as alice cp "$(command -v cat)" /home/alice/app/cat
	as alice cp "$(command -v cat)" /home/alice/cat
	as alice cp "$(command -v cat)" /tmp/cat
	as alice sh -c 'echo data >/home/alice/app/data'
	expect_equal "$(run --sandbox /home/alice/app/cat /srv/granted /home/alice/app/data)" \
		granteddata
	expect_equal "$(run --sandbox /home/alice/cat /srv/granted)" granted
	expect_equal "$(cd /home/alice && run --sandbox ./cat /srv/granted)" granted
	expect_equal "$(run --sandbox /tmp/cat /srv/granted)" granted
	expect_status 1 run --sandbox /home/alice/cat /home/alice/work/own
	expect_match "$output" 'Permission denied'
}

# A program that prints what lies beside it, and what else it is told to.
program_in() { # FOLDER [MODE]
	mkdir -p "$1"
	# shellcheck disable=SC2016 # it is the program that expands it
	printf '#!/bin/sh\ncat "$(dirname "$0")/beside" "$@"\n' >"$1/program"
	echo beside >"$1/beside"
	chmod 0755 "$1/program"
	chmod "${2-0755}" "$1"
}

test_a_program_reads_the_system_and_what_lies_beside_it() {
	modes_policy
	program_in /srv/app
	belongs_to alice /srv/mine mine
	expect_status 0 run --sandbox /srv/app/program /etc/passwd /proc/self/status
	expect_match "$output" $'^beside\n.*alice.*Seccomp:'
	expect_status 1 run --sandbox /srv/app/program /srv/mine
	expect_match "$output" "/srv/mine: Permission denied"
	expect_status 0 run --sandbox -r /srv/mine /srv/app/program /srv/mine
	expect_equal "$output" $'beside\nmine'
}

test_the_program_is_found_as_execvp_finds_it() {
	modes_policy
	program_in /srv/app
	expect_status 0 as alice env PATH="/nowhere:/srv/app:$PATH" fdbroker run --sandbox program
	expect_equal "$output" beside
	expect_status 127 run --sandbox no-such-program
}

# Else the sandbox would be none for a program that lies there.
test_a_home_or_a_folder_for_everybody_is_not_opened_for_a_program_in_it() {
	local folder
	modes_policy
	program_in /tmp/open 1777
	program_in /home/alice
	program_in /home
	for folder in /tmp/open /home/alice /home; do
		expect_status 1 run --sandbox "$folder/program"
		expect_match "$output" "beside: Permission denied" "$folder"
	done
	program_in /home/alice/app
	expect_status 0 run --sandbox /home/alice/app/program
}

# Only the program's own file, then.
expect_alone() { # COMMAND...
	expect_status 1 "$@"
	expect_match "$output" "beside: Permission denied" "$*"
}

test_a_home_is_the_one_of_the_user_database_and_that_of_HOME() {
	modes_policy
	program_in /home/alice
	program_in /srv/home
	program_in /srv/home/app
	expect_alone as alice env HOME=/elsewhere fdbroker run --sandbox /home/alice/program
	expect_alone as alice env -u HOME fdbroker run --sandbox /home/alice/program
	expect_alone as alice env HOME=/srv/home fdbroker run --sandbox /srv/home/program
	expect_status 0 as alice env HOME=/srv/home fdbroker run --sandbox /srv/home/app/program
	expect_status 0 as alice env HOME=/elsewhere fdbroker run --sandbox /srv/home/program
}

test_a_home_is_known_by_another_path_too() {
	modes_policy
	program_in /home/alice
	program_in /home
	mkdir /mnt/alice /mnt/homes
	mount --bind /home/alice /mnt/alice
	mount --bind /home /mnt/homes
	expect_alone run --sandbox /mnt/alice/program
	expect_alone run --sandbox /mnt/homes/program
}

test_the_folder_of_a_session_is_not_opened_for_a_program_in_it() {
	modes_policy
	program_in /run/user/2001
	chown -R alice /run/user/2001
	expect_alone run --sandbox /run/user/2001/program
}

test_of_a_user_without_a_home_every_folder_could_be_it() {
	local unknown=(env -u HOME setpriv --reuid=5555 --regid=5555 --clear-groups --)
	modes_policy
	sed -i 's/^from user alice/from user 5555/' "$POLICY"
	reload_broker
	program_in /srv/app
	program_in /srv/home
	expect_alone "${unknown[@]}" fdbroker run --sandbox /srv/app/program
	expect_status 0 "${unknown[@]}" env HOME=/srv/home fdbroker run --sandbox /srv/app/program
	expect_alone "${unknown[@]}" env HOME=/srv/home fdbroker run --sandbox /srv/home/program
}

test_of_a_link_only_the_file_that_it_leads_to_is_opened() {
	modes_policy
	program_in /home/alice/private
	mkdir /home/alice/unpacked
	ln -s ../private/program /home/alice/unpacked/program
	echo beside >/home/alice/unpacked/beside
	expect_status 1 run --sandbox -r /home/alice/unpacked /home/alice/unpacked/program \
		/home/alice/private/beside
	expect_match "$output" $'^beside\n.*/private/beside: Permission denied'
	expect_status 1 as alice env PATH="/home/alice/unpacked:$PATH" fdbroker run --sandbox program \
		/home/alice/private/beside
	expect_match "$output" '/private/beside: Permission denied'
	ln -s ../private /home/alice/unpacked/bin
	expect_status 1 run --sandbox /home/alice/unpacked/bin/program
	expect_match "$output" 'beside: Permission denied' "a link to its folder"
	expect_status 0 run --sandbox /home/alice/private/program
}

test_a_file_that_a_link_of_etc_leads_to_can_be_read() {
	modes_policy
	mkdir -p /run/resolve
	echo "nameserver 192.0.2.1" >/run/resolve/stub
	ln -sf /run/resolve/stub /etc/resolv.conf
	expect_status 0 run --sandbox cat /etc/resolv.conf
	echo hidden >/run/resolve/hidden
	expect_status 1 run --sandbox cat /run/resolve/hidden
}

test_a_sandbox_binds_only_by_the_broker() {
	needs_landlock 4 "ports"
	modes_policy - <<-'END'
		allow bind tcp:8081
	END
	expect_equal "$(run --sandbox ask --direct "make AF_INET SOCK_STREAM" \
		"bind-it inet 0.0.0.0 8080" "make AF_INET6 SOCK_STREAM" "bind-it inet6 :: 8080" \
		"make AF_INET SOCK_STREAM" "bind-it inet 0.0.0.0 80" \
		"make AF_INET SOCK_STREAM" "bind-it inet 0.0.0.0 8081" | xargs)" \
		"ok EACCES ok EACCES ok ok ok ok"
	expect_log 'audit: denied .*object="tcp:0.0.0.0:8080"'
}

test_a_sandbox_sends_no_signal_to_the_outside() {
	local outside
	needs_landlock 6 "signals"
	modes_policy
	start_as alice sleep 300
	outside=$!
	eventually 10 grep -qx sleep "/proc/$outside/comm" || fail "it has not become alice's"
	expect_equal "$(as alice calls signal "$outside")" ok
	wait "$outside" || true
	start_as alice sleep 300
	outside=$!
	eventually 10 grep -qx sleep "/proc/$outside/comm" || fail "it has not become alice's"
	expect_equal "$(run --sandbox calls signal "$outside")" EPERM
	kill -0 "$outside" || fail "it has ended"
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run --sandbox sh -c 'calls signal "$PPID"; cat /srv/granted')" \
		$'EPERM\ngranted' "its supervisor"
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run --sandbox bash -c 'sleep 300 & calls signal $!; wait $!; echo $?')" \
		$'ok\n143' "its own"
}

test_a_sandbox_reaches_no_abstract_socket_of_the_outside() {
	needs_landlock 6 "abstract sockets"
	modes_policy
	start_as alice python3 -c 'import socket, time
server = socket.socket(socket.AF_UNIX)
server.bind("\0abstract")
server.listen()
print("ready", flush=True)
time.sleep(300)' >/run/test/server
	eventually 10 has_lines 1 /run/test/server || fail "the server is not ready"
	local client='import socket
try:
    socket.socket(socket.AF_UNIX).connect("\0abstract")
    print("connected")
except OSError as error:
    print(error.strerror)'
	expect_equal "$(run python3 -c "$client")" connected
	expect_equal "$(run --sandbox python3 -c "$client")" "Operation not permitted"
}

# Each by a name and what became of it. Without a sandbox none is refused in this way.
refused_in() { # MODE PROGRAM COMMAND
	local mode=$1
	shift
	# shellcheck disable=SC2086 # none, or one word
	run $mode "$@" | grep -E ': (EPERM|EPROTONOSUPPORT)$' || true
}

test_what_landlock_knows_nothing_of_is_forbidden_in_a_sandbox() {
	local all
	modes_policy
	all=$(run calls forbidden)
	expect_equal "$(refused_in "" calls forbidden)" "" "without a sandbox"
	expect_equal "$(wc -l <<<"$all")" 28 "the calls"
	all=$(sed -E 's/^(protocol: ).*/\1EPROTONOSUPPORT/; /^protocol/!s/: .*/: EPERM/' <<<"$all")
	expect_equal "$(run --sandbox calls forbidden)" "$all"
	expect_equal "$(run fdbroker run --sandbox calls forbidden)" "$all" "nested"
	expect_equal "$(run --sandbox fdbroker run calls forbidden)" "$all" "nested the other way"
	expect_equal "$(run --sandbox calls limit-itself | xargs)" "its own: ok to read: ok"
	needs_static
	expect_equal "$(run --policy-only calls-static forbidden)" "$all"
}

# Landlock does not know their ports, and a nested sandbox binds with the program's own rights.
test_a_nested_sandbox_has_no_sockets_of_multipath_tcp() {
	local make="import socket
socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)"
	modes_policy
	run python3 -c "$make" || skip "this kernel has no MPTCP"
	expect_status 1 run fdbroker run --sandbox python3 -c "$make"
	expect_match "$output" "Protocol not supported"
}

test_a_sandbox_types_nothing_into_its_terminal() {
	local type='import errno, fcntl
try:
    fcntl.ioctl(0, 0x5412, b"x") # TIOCSTI
    print("typed")
except OSError as error:
    print(errno.errorcode[error.errno])'
	modes_policy
	# Where the sysctl dev.tty.legacy_tiocsti is 0 it is EIO for everybody: ioctl_tty(2).
	expect_match "$(on_a_terminal run python3 -c "$type")" "typed|EIO"
	expect_match "$(on_a_terminal run --sandbox python3 -c "$type")" "EPERM"
}

on_a_terminal() { # run ARGUMENT...
	as alice python3 -c 'import pty, sys
pty.spawn(["fdbroker", *sys.argv[1:]])' "$@" </dev/null
}

test_a_sandbox_does_not_see_the_other_terminals_of_its_user() {
	modes_policy
	local try='import os, pty, subprocess, sys
terminal = os.ttyname(pty.openpty()[1])
sys.exit(subprocess.run(["setsid", "--wait", "fdbroker", "run", *sys.argv[1:],
	"head", "-c0", terminal]).returncode)'
	expect_status 0 as alice python3 -c "$try"
	expect_status 1 as alice python3 -c "$try" --sandbox
	expect_match "$output" "Permission denied"
}

test_a_sandbox_makes_terminals_where_the_command_line_says_so() {
	modes_policy
	expect_status 1 run --sandbox python3 -c 'import os; os.openpty()'
	expect_status 0 run --sandbox -w /dev/pts -w /dev/ptmx python3 -c 'import os; os.openpty()'
}

test_a_sandbox_has_no_capabilities() {
	local -a capable=(env HOME=/home/alice setpriv --reuid=alice --regid=alice --init-groups
		"--inh-caps=+chown,+sys_admin" "--ambient-caps=+chown,+sys_admin" fdbroker run)
	modes_policy
	expect_equal "$("${capable[@]}" grep -c 'Cap[A-Z].*0200001$' /proc/self/status)" 4 "without"
	expect_equal "$("${capable[@]}" --sandbox grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status |
		cut -f2 | uniq -c | xargs)" "4 0000000000000000"
}

test_what_a_sandbox_starts_is_in_the_sandbox() {
	modes_policy
	expect_status 1 run --sandbox sh -c '(setsid --wait cat /home/alice/work/own)'
	expect_match "$output" 'Permission denied'
}

test_without_Landlock_a_sandbox_is_refused() {
	local mode
	modes_policy
	expect_equal "$(as alice without landlock_create_ruleset fdbroker run cat /srv/granted)" granted
	for mode in --sandbox --policy-only; do
		expect_status 125 as alice without landlock_create_ruleset fdbroker run $mode \
			echo started
		expect_match "$output" '^fdbroker: run: .*Landlock'
		[[ $output != *started* ]] || fail "$mode: the program was started"
	done
}

# ---- policy only ----

test_the_policy_alone_decides_what_a_static_program_opens() {
	needs_static
	modes_policy
	expect_equal "$(run --policy-only calls-static ways /srv/granted)" \
		$'ok granted\nok granted\nok granted'
	expect_equal "$(run --policy-only calls-static ways /home/alice/work/own | uniq -c | xargs)" \
		"3 EACCES"
	local path
	for path in "$(command -v calls-static)" /etc/passwd /dev/null /proc/self/status /sys/kernel \
		/srv/other /srv/nothing /tmp .; do
		expect_equal "$(run --policy-only calls-static read "$path")" EACCES "$path"
	done
	expect_equal "$(run --policy-only calls-static make /tmp/file x)" EACCES
	expect_equal "$(run --policy-only calls-static handle /srv/granted)" EACCES
	expect_equal "$(run --policy-only calls-static resolve /srv/granted)" EACCES
	expect_equal "$(run --policy-only calls-static read /srv/missing)" ENOENT
}

test_by_the_policy_alone_nothing_is_watched_or_mounted() {
	local kind
	needs_static
	may_unshare -Urm
	modes_policy
	expect_equal "$(refused_in "" calls-static forbidden-opens)" ""
	for kind in forbidden-opens forbidden-mounts; do
		expect_equal "$(run --policy-only calls-static $kind | cut -d' ' -f2 | uniq -c | xargs)" \
			"5 EPERM" "$kind"
	done
	expect_equal "$(refused_in "" calls-static forbidden-mounts)" ""
}

test_the_policy_alone_decides_what_is_bound() {
	needs_static
	modes_policy
	expect_equal "$(run --policy-only calls-static binds 2 80)" "ok=2"
	expect_equal "$(run --policy-only calls-static binds 2 81)" "ok=0 EACCES=2"
	expect_equal "$(run --policy-only calls-static binds 2 8080)" "ok=0 EACCES=2"
	expect_equal "$(run --policy-only calls-static binds 2 0)" "ok=0 EACCES=2"
	# Of these Landlock knows nothing.
	expect_equal "$(run --policy-only calls-static datagram-binds 2 53)" "ok=2"
	expect_equal "$(run --policy-only calls-static datagram-binds 2 5353)" "ok=0 EACCES=2"
}

# The policy of the manual: what a dynamic program opens before its first line.
test_a_dynamic_program_runs_where_the_policy_names_its_libraries() {
	modes_policy
	expect_status 127 run --policy-only cat /srv/granted
	sed -i 's|^from user alice|&\nallow read /etc/ld.so.cache /usr/** /lib/** /lib64/**|' "$POLICY"
	reload_broker
	expect_equal "$(run --policy-only cat /srv/granted)" granted
	expect_status 1 run --policy-only cat /home/alice/work/own
	expect_match "$output" 'Permission denied'
	# python3 also lists the folders of its modules.
	sed -i 's|/lib64/\*\*|& type file,directory|' "$POLICY"
	reload_broker
	expect_equal "$(run --policy-only python3 -c '
print(open("/srv/granted").read())
try:
    open("/home/alice/work/own")
except OSError as error:
    print(error.strerror)')" $'granted\nPermission denied'
}

test_a_program_that_was_bound_by_the_policy_alone_cannot_leave_it() {
	needs_static
	modes_policy
	expect_equal "$(run --policy-only busybox sh -c 'exec calls-static read /etc/passwd')" EACCES
	expect_equal "$(run --policy-only busybox sh -c 'exec calls-static read /srv/granted')" \
		"ok granted"
}

test_without_a_broker_the_policy_alone_grants_nothing() {
	needs_static
	modes_policy
	stop_broker
	expect_status 125 run --policy-only calls-static read /etc/passwd
}

# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# `fdbroker run` at its beginning and its end: who may start it, which signals come to the program,
# and what is left when one of its processes is killed.
source tests/system/run.lib

# ---- who may, and with what ----

test_root_is_refused_and_told_how_to_start_it() {
	run_policy
	expect_status 125 fdbroker run cat /srv/granted
	expect_match "$output" '^fdbroker: run: not for root: .*setpriv --reuid='
}

# What /proc says there of a process number is of another process.
test_the_proc_of_another_pid_namespace_is_refused() {
	may_unshare -Up --fork
	run_policy
	expect_status 125 as alice unshare --user --map-current-user --pid --fork \
		fdbroker run cat /srv/granted
	expect_match "$output" '^fdbroker: run: /proc'
}

# Only an administrator may be told what another process does. The setting is the machine's, which
# may not have it, so the command is shown another one in its place.
test_a_yama_that_lets_nobody_look_is_the_reason() {
	run_policy
	mount -t tmpfs none /proc/sys/kernel
	mkdir /proc/sys/kernel/yama
	echo 2 >/proc/sys/kernel/yama/ptrace_scope
	expect_status 125 run cat /srv/granted
	expect_match "$output" '^fdbroker: run: .*yama/ptrace_scope is 2; it has to be 0 or 1'
	echo 1 >/proc/sys/kernel/yama/ptrace_scope
	expect_equal "$(run cat /srv/granted)" granted
}

test_too_few_descriptors_are_the_reason() {
	run_policy
	# shellcheck disable=SC2016 # expanded inside
	expect_status 125 as alice bash -c 'ulimit -n 16 && exec fdbroker run echo started'
	expect_match "$output" "^fdbroker: run: .*see 'ulimit -n'"
	[[ $output != *started* ]] || fail "the program was started"
}

test_few_descriptors_are_enough_for_many_threads() {
	local files
	run_policy
	granted_files 50
	# shellcheck disable=SC2016 # expanded inside
	expect_status 0 as alice bash -c 'ulimit -n 64 && exec fdbroker run "$@"' sh \
		crowd 50 100 "${files[@]}"
	expect_equal "$output" 5000
}

# ---- the command is killed ----

# Alice's loop that is no child of any shell, and prints what it can open when it is told to.
start_daemon_of() { # COMMAND... is what the program does then
	run_policy
	printf '%s\n' '#!/bin/bash' 'while ! [[ -e /home/alice/go ]]; do sleep 0.05; done' \
		'cat /srv/granted >/home/alice/got 2>&1' ': >/home/alice/done' >/run/test/daemon
	chmod 0755 /run/test/daemon
	# shellcheck disable=SC2016 # expanded inside
	start_run bash -c 'setsid /run/test/daemon >/dev/null 2>&1 </dev/null &
		echo $$ >/home/alice/pid; exec "$@"' sh "$@"
	COMMAND=$!
	eventually 10 has_lines 1 /home/alice/pid || fail "the program is not ready"
	PROGRAM=$(cat /home/alice/pid)
}

test_the_kill_of_the_command_is_that_of_the_program() {
	start_daemon_of sleep 300
	kill -KILL "$COMMAND"
	eventually 10 process_is_gone "$PROGRAM" || fail "the program lives on"
	[[ -n $(pgrep -u alice -f /run/test/daemon) ]] || fail "what it has started is gone"
	touch /home/alice/go
	eventually 10 test -e /home/alice/done || fail "it has not ended"
	expect_equal "$(cat /home/alice/got)" granted "what is opened without the command"
	eventually 5 no_launcher_is_left || fail "these are left: $(launchers)"
}

broker_stands_still() {
	local pid
	for pid in $(broker_pids); do
		kill -STOP "$pid"
	done
}

broker_goes_on() {
	local pid
	for pid in $(broker_pids); do
		kill -CONT "$pid"
	done
}

has_child() { # PID
	[[ -n $(children_of "$1") ]]
}

test_the_command_can_be_ended_before_the_program_runs() {
	local signal i
	run_policy
	broker_stands_still
	for signal in TERM:143 INT:130 HUP:129; do
		for i in {1..5}; do
			start_run touch "/home/alice/ran-${signal%:*}-$i"
			eventually 10 has_child $! || fail "there is no supervisor"
			kill "-${signal%:*}" $!
			eventually 10 process_is_gone $! || fail "SIG${signal%:*} does not end it"
			expect_end $! "${signal#*:}"
		done
	done
	broker_goes_on
	eventually 10 no_launcher_is_left || fail "these are left: $(launchers)"
	expect_equal "$(find /home/alice -name 'ran-*')" "" "what has run"
	expect_equal "$(run cat /srv/granted)" granted
}

# ---- signals ----

# A program that writes down which signals came; SIGTERM ends it with 7.
start_catcher() { # PREFIX...
	cat >/run/test/catcher <<-'END'
		import os, signal, sys
		def take(number, frame):
		    os.write(1, (signal.Signals(number).name + "\n").encode())
		    if number == signal.SIGTERM:
		        os._exit(7)
		for name in ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGALRM"):
		    signal.signal(getattr(signal, name), take)
		os.write(1, b"ready\n")
		while True:
		    signal.pause()
	END
	start_as alice "$@" fdbroker run python3 /run/test/catcher >/run/test/caught 2>&1
	eventually 10 has_lines 1 /run/test/caught || fail "the program is not ready"
}

# The command and the supervisor are in the group as well; what the command gets besides, alone, the
# program could not have got by itself.
test_a_signal_to_the_group_comes_once_and_one_to_the_command_comes() {
	local i expected=ready lines=1
	run_policy
	start_catcher setsid
	for i in {1..20}; do
		kill -USR1 -- -$!
		lines=$((lines + 1))
		eventually 10 has_lines $lines /run/test/caught || fail "SIGUSR1 $i does not come"
		kill -USR2 $!
		lines=$((lines + 1))
		eventually 10 has_lines $lines /run/test/caught || fail "SIGUSR2 $i does not come"
		expected+=$'\nSIGUSR1\nSIGUSR2'
	done
	kill -TERM -- -$!
	expect_end $! 7
	expect_equal "$(cat /run/test/caught)" "$expected"$'\nSIGTERM'
}

# A service manager's watchdog sends SIGABRT, and wants the program's core.
test_a_signal_that_means_a_crash_is_passed_on_too() {
	run_policy
	start_run bash -c 'trap "exit 9" ABRT; echo ready; while :; do sleep 0.05; done' \
		>/run/test/out
	eventually 10 has_lines 1 /run/test/out || fail "the program is not ready"
	kill -ABRT $!
	expect_end $! 9
}

# Others may be on their way to it meanwhile.
test_the_command_dies_of_the_signal_that_the_program_died_of() {
	local command
	run_policy
	for _ in {1..20}; do
		# shellcheck disable=SC2016 # expanded inside
		start_run bash -c 'trap "" TERM; echo ready; sleep 0.1; kill -USR1 $$' >/run/test/out
		command=$!
		eventually 10 has_lines 1 /run/test/out || fail "the program is not ready"
		(while kill -TERM "$command"; do :; done) 2>/dev/null &
		disown
		expect_end "$command" 138
	done
}

test_timeout_ends_a_program_under_run() {
	run_policy
	expect_status 124 as alice timeout 1 fdbroker run sleep 60
	eventually 5 no_launcher_is_left || fail "these are left: $(launchers)"
}

# A timer outlives execve(2), and is the command's: what it sends, the kernel sends.
test_an_alarm_that_was_set_before_comes_to_the_program() {
	run_policy
	# shellcheck disable=SC2016 # of the shell that it starts
	expect_status 3 as alice python3 -c '
import os, signal
signal.alarm(1)
os.execvp("fdbroker", ["fdbroker", "run", "sh", "-c",
    "trap \"echo came >/home/alice/came; exit 3\" ALRM; for i in $(seq 100); do sleep 0.1; done"])'
	expect_equal "$(cat /home/alice/came)" came
}

test_children_that_were_ignored_before_are_ignored() {
	local before
	run_policy
	# shellcheck disable=SC2016 # expanded inside
	before=$(as alice bash -c 'trap "" CHLD; exec grep SigIgn /proc/self/status')
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(as alice bash -c 'trap "" CHLD
		exec fdbroker run grep SigIgn /proc/self/status')" "$before"
	expect_match "$before" '1....$' "SIGCHLD is bit 16"
	expect_status 9 as alice bash -c 'trap "" CHLD; exec fdbroker run sh -c "exit 9"'
}

# The kernel tells the leader of the session alone, setsid(2).
test_the_end_of_the_terminal_comes_to_the_program() {
	run_policy
	cat >/run/test/terminal.py <<-'END'
		import os, pty
		pid, terminal = pty.fork()
		if pid == 0:
		    os.execvp("fdbroker", ["fdbroker", "run", "sh", "-c",
		        "trap 'exit 3' HUP; echo ready; for i in $(seq 200); do sleep 0.05; done; exit 4"])
		seen = b""
		while b"ready" not in seen:
		    seen += os.read(terminal, 100)
		os.close(terminal)
		print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	expect_equal "$(as alice python3 /run/test/terminal.py)" 3
}

nothing_is_pending_of() { # PID
	grep -qE '^ShdPnd:\s*0+$' "/proc/$1/status"
}

# Of signals that the supervisor has not read when it ends, the command would be told instead of the
# status. On one processor, which the command gets when nobody else needs it, the supervisor has
# time to end before the command has read anything.
test_a_signal_in_the_moment_of_the_end_takes_no_status_away() {
	local cpu supervisor program go
	cpu=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
	run_policy
	mkfifo /run/test/go
	exec {go}<>/run/test/go
	for _ in {1..5}; do
		start_as alice taskset -c "$cpu" fdbroker run setsid bash -c 'trap "" USR1 USR2
			echo ready; read -r; exit 7' <&"$go" >/run/test/out
		eventually 10 has_lines 1 /run/test/out || fail "the program is not ready"
		supervisor=$(supervisor_of $!)
		program=$(children_of "$supervisor")
		chrt --idle --pid 0 $!
		kill -STOP "$supervisor"
		kill -USR1 $!
		kill -USR2 $!
		eventually 5 nothing_is_pending_of $! || fail "the command does not pass them on"
		echo >&"$go"
		eventually 5 process_is_gone "$program" || fail "the program has not ended"
		kill -CONT "$supervisor"
		expect_end $! 7
		rm /run/test/out
	done
}

# ---- what the command holds ----

# Or whoever reads what the program writes would wait for the command as well.
test_the_command_holds_nothing_but_what_it_needs() {
	run_policy
	start_run sh -c 'echo ready; exec sleep 300' 9</etc/passwd </etc/passwd >/run/test/out 2>&1
	eventually 10 has_lines 1 /run/test/out || fail "the program is not ready"
	expect_equal "$(readlink "/proc/$!/fd/"{0,1,2})" $'/dev/null\n/dev/null\n/run/test/out'
	# The signals, and the channel to the supervisor.
	expect_equal "$(find "/proc/$!/fd" -mindepth 1 -printf '%l\n' | sed 's/:.*//' | sort |
		xargs)" \
		"/dev/null /dev/null /run/test/out anon_inode socket"
}

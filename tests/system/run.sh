# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# `fdbroker run`: what a program that knows nothing of the broker sees of files, and how it lives and
# ends. Whole programs are in run-programs.sh, the modes in run-modes.sh.
source tests/system/run.lib

# ---- what is granted ----

test_a_program_reads_a_granted_file_of_root() {
	run_policy
	expect_status 1 as alice cat /srv/granted
	expect_equal "$(run cat /srv/granted)" granted
	expect_equal "$(run -- cat /srv/granted /srv/folder/deep/file)" granteddeep
	expect_log 'audit: allowed uid=2001 .*verb=read object="/srv/granted"'
}

test_every_way_of_opening_is_served() {
	run_policy
	expect_equal "$(run calls ways /srv/granted)" $'ok granted\nok granted\nok granted'
	expect_equal "$(run calls ways /srv/other)" $'EACCES\nEACCES\nEACCES'
}

test_the_usual_programs_read_granted_files() {
	run_policy
	printf 'one\ntwo\nthree\n' >/srv/folder/deep/file
	expect_equal "$(run head -n 1 /srv/folder/deep/file)" one
	expect_equal "$(run tail -n 1 /srv/folder/deep/file)" three
	expect_equal "$(run grep tw /srv/folder/deep/file)" two
	expect_equal "$(run sed -n 2p /srv/folder/deep/file)" two
	expect_equal "$(run dd if=/srv/granted status=none)" granted
	expect_equal "$(run python3 -c 'print(open("/srv/granted").read())')" granted
	# cp(1) looks at its source before, and fstat(2)s it after.
	run cp /srv/granted /home/alice/copy
	expect_equal "$(cat /home/alice/copy) $(stat -c %U /home/alice/copy)" "granted alice"
}

test_the_shell_appends_to_a_granted_file() {
	run_policy
	run sh -c 'echo second >>/srv/log'
	expect_equal "$(cat /srv/log)" $'first\nsecond'
	expect_status 2 run sh -c 'echo over >/srv/log'
	expect_match "$output" 'Permission denied'
	expect_status 1 run cat /srv/log
	expect_equal "$(cat /srv/log)" $'first\nsecond'
}

test_read_and_write_are_granted_together() {
	run_policy
	expect_equal "$(run sh -c 'exec 3<>/srv/both && printf B >&3 && cat <&3')" oth
	expect_equal "$(cat /srv/both)" Both
	run dd if=/dev/null of=/srv/both status=none
	expect_equal "$(cat /srv/both)" ""
}

test_a_created_file_has_the_mode_and_owner_of_the_policy() {
	run_policy
	expect_equal "$(run calls append /srv/new/app.log one)" ok
	expect_equal "$(run sh -c 'umask 077 && echo two >>/srv/new/other.log && echo ok')" ok
	expect_equal "$(stat -c '%a %U:%G' /srv/new/app.log /srv/new/other.log)" \
		$'640 bob:staff\n640 bob:staff'
	expect_equal "$(cat /srv/new/app.log)" one
	expect_equal "$(run calls append /srv/new/app.txt one)" EACCES
	expect_equal "$(run calls make /srv/new/app.log one)" EACCES
	expect_equal "$(ls /srv/new)" $'app.log\nother.log'
}

# ---- names ----

test_relative_names_are_those_of_the_programs_own_folder() {
	run_policy
	as alice mkdir -p /home/alice/a/b
	expect_equal "$(cd /home/alice/a/b && run cat ../../../../srv/granted)" granted
	expect_equal "$(run sh -c 'cd /home/alice/a && cat ../../../srv/./folder/../granted')" granted
	expect_equal "$(cd /srv && run cat granted ./granted)" grantedgranted
	expect_status 1 run sh -c 'cd /home/alice/a && cat ../../../srv/other'
	expect_match "$output" 'srv/other: Permission denied'
}

test_names_below_a_descriptor_are_served() {
	run_policy
	expect_equal "$(run calls below /srv granted)" "ok granted"
	expect_equal "$(run calls below /srv ../srv/granted)" "ok granted"
	expect_equal "$(run calls below /srv other)" EACCES
	expect_equal "$(run calls below /home/alice /srv/granted)" "ok granted"
}

# By the text alone both would be something else.
test_dots_behind_a_link_lead_where_the_kernel_goes() {
	run_policy - <<-'END'
		allow read /srv/open/granted
	END
	mkdir -p /srv/open/inside
	secret /srv/open/granted "by the text"
	belongs_to alice /home/alice/granted "alice's own"
	ln -s /home/alice/dir /srv/open/link
	ln -s /srv/open/inside /home/alice/link
	expect_equal "$(run cat /srv/open/link/../granted)" "alice's own"
	expect_equal "$(run cat /home/alice/link/../granted)" "by the text"
	expect_equal "$(run cat /home/alice/link/../../granted)" granted
}

test_a_link_of_root_is_followed_and_one_of_alice_is_not_served() {
	run_policy - <<-'END'
		allow read /home/alice/to-other
	END
	ln -s /srv/other /srv/folder/link
	as alice ln -s /srv/other /home/alice/to-other
	as alice ln -s /srv/granted /home/alice/to-granted
	expect_equal "$(run cat /srv/folder/link)" other
	expect_status 1 run cat /home/alice/to-other
	expect_match "$output" 'Permission denied'
	expect_status 1 run cat /home/alice/to-granted
	expect_match "$output" 'Permission denied'
}

test_names_with_blanks_and_bytes_that_are_no_text_are_served() {
	local name=$'/srv/folder/a b\n\xff'
	run_policy
	printf strange >"$name"
	chmod 0600 "$name"
	expect_equal "$(run cat "$name")" strange
}

# ---- what is not granted ----

test_what_is_not_granted_is_as_without_run() {
	run_policy
	expect_status 1 run cat /srv/other
	expect_equal "$output" "cat: /srv/other: Permission denied"
	expect_equal "$(run calls read /srv/other)" EACCES
	expect_equal "$(run calls read /srv/nothing-here)" ENOENT
	expect_equal "$(run calls append /srv/new-file x)" EACCES
	expect_equal "$(log_count 'object="/srv/other"')" 0 "requests that no rule could grant"
}

test_what_is_the_programs_own_is_as_without_run() {
	run_policy
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run sh -c 'cd && echo own >file && cat file && echo more >>file && wc -l <file &&
		echo t >/tmp/mine && cat /tmp/mine && rm /tmp/mine && umask 027 && : >private')" \
		$'own\n2\nt'
	expect_equal "$(stat -c '%a %U' /home/alice/file /home/alice/private)" \
		$'644 alice\n640 alice'
	expect_equal "$(run cat /etc/passwd | head -n 1)" "root:x:0:0:root:/root:/bin/bash"
	expect_equal "$(run sh -c 'echo x >/dev/null; head -c 3 /dev/zero | wc -c; cat /proc/self/comm')" \
		$'3\ncat'
}

# The policy may say "allow" where the broker says no for another reason: then it is alice's right.
test_what_the_broker_refuses_is_tried_with_the_programs_own_rights() {
	run_policy - <<-'END'
		allow read /home/alice/**
		allow read /tmp/**
	END
	belongs_to alice /home/alice/hers hers
	secret /tmp/shared "a trap"
	mkdir -m 1777 /tmp/open
	belongs_to bob /tmp/open/his his
	expect_equal "$(run cat /home/alice/hers)" hers
	expect_equal "$(run cat /tmp/open/his)" his
	as alice mkfifo /home/alice/pipe
	expect_equal "$(run sh -c 'echo through >/home/alice/pipe & cat /home/alice/pipe')" through
}

# Of /proc the broker has its own, as every process.
test_what_the_kernel_makes_up_is_never_the_brokers() {
	run_policy - <<-'END'
		allow read /proc/version /proc/self/comm /sys/kernel/notes
	END
	expect_equal "$(run cat /proc/self/comm)" cat
	expect_match "$(run sh -c 'cat ../../../proc/version; cd /proc && cat version')" '^Linux '
	run cat /sys/kernel/notes >/dev/null
	expect_equal "$(run cat /srv/granted)" granted
	expect_log '^audit: allowed .*object="/srv/granted"'
	expect_equal "$(audit_lines '/proc|/sys')" ""
}

test_the_kernels_own_errors_come_through() {
	run_policy - <<-'END'
		allow read,write,create /srv/kinds/**
	END
	mkdir -p /srv/kinds/folder && chmod 0700 /srv/kinds
	secret /srv/kinds/file x
	expect_equal "$(run calls read /srv/missing)" ENOENT
	expect_equal "$(run calls read /srv/kinds/file/below)" ENOTDIR
	expect_equal "$(run ask --direct "open /srv/kinds/file O_WRONLY|O_CREAT|O_EXCL")" EEXIST
	expect_equal "$(run calls fill /srv/granted)" "EMFILE after 63"
	expect_equal "$(run calls read "/srv/$(printf '%0300d' 0)")" ENAMETOOLONG
}

test_writing_to_a_folder_is_EISDIR() {
	run_policy - <<-'END'
		allow read,write /srv/kinds/* type file,directory
	END
	mkdir -p /srv/kinds/folder && chmod 0700 /srv/kinds
	expect_equal "$(run ask --direct "open /srv/kinds/folder O_WRONLY")" EISDIR
}

test_no_descriptor_left_is_EMFILE() {
	needs_static
	run_policy
	expect_equal "$(run sh -c 'ulimit -n 3 && exec calls-static read /srv/granted')" EMFILE
	expect_equal "$(run sh -c 'ulimit -n 4 && exec calls-static read /srv/granted')" "ok granted"
}

test_close_on_exec_is_as_the_program_asked() {
	run_policy
	expect_equal "$(run calls exec /srv/granted)" $'with O_CLOEXEC: EBADF\nwithout: ok'
}

test_flags_of_the_open_are_kept() {
	run_policy
	expect_equal "$(run ask --direct "open /srv/both O_RDWR|O_NONBLOCK" flags)" \
		$'ok\nok O_RDWR|O_NONBLOCK'
	expect_equal "$(run ask --direct "open /srv/log O_WRONLY|O_APPEND" flags)" \
		$'ok\nok O_WRONLY|O_APPEND'
}

test_what_is_never_brokered_is_as_without_run() {
	run_policy
	expect_equal "$(run calls resolve /srv/granted)" EACCES
	expect_match "$(run calls resolve /etc/passwd)" '^ok root'
	expect_equal "$(run calls handle /srv/granted)" ok
	expect_equal "$(run calls handle /srv/folder/deep/file)" EACCES
	expect_equal "$(log_count 'audit: .*object="/srv')" 0 "requests"
}

# ---- policy and broker in the course of time ----

test_a_grant_that_a_reload_adds_is_seen_by_a_running_program() {
	run_policy
	open_run program
	expect_equal "$(tell program "cat /srv/other")" EACCES
	sed -i 's|/srv/granted|& /srv/other|' "$POLICY"
	reload_broker
	eventually 5 opens program /srv/other || fail "the new grant is not seen"
}

test_a_grant_that_a_reload_takes_is_gone_for_a_running_program() {
	run_policy
	open_run program
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
	sed -i 's|/srv/granted||' "$POLICY"
	reload_broker
	expect_equal "$(tell program "cat /srv/granted")" EACCES
	expect_equal "$(tell program "cat /srv/folder/deep/file")" "ok deep"
}

test_a_broker_that_was_started_anew_goes_on_serving_a_running_program() {
	run_policy
	open_run program
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
	stop_broker
	expect_equal "$(tell program "cat /srv/granted")" EACCES "without a broker"
	expect_match "$(tell program "cat /etc/passwd")" '^ok root'
	start_broker
	eventually 10 opens program /srv/granted || fail "the new broker is not found"
}

test_without_a_broker_nothing_is_started() {
	expect_status 125 run sh -c 'echo started'
	expect_match "$output" '^fdbroker: '
	[[ $output != *started* ]] || fail "the program was started"
}

# ---- how it ends ----

test_the_status_is_that_of_the_program() {
	local status
	run_policy
	for status in 0 1 2 63 64 124 125 126 127 128 137 254 255; do
		expect_status "$status" run sh -c "exit $status"
	done
	eventually 5 no_launcher_is_left || fail "these are left: $(launchers)"
}

test_a_program_that_a_signal_kills_kills_the_command() {
	local signal number
	run_policy
	for signal in TERM:15 SEGV:11 KILL:9 HUP:1 INT:2 PIPE:13 ABRT:6 USR1:10; do
		number=${signal#*:}
		# shellcheck disable=SC2016 # expanded inside
		expect_equal "$(as alice env --default-signal bash -c 'ulimit -c 0; exec "$@"' sh \
			python3 -c 'import subprocess, sys; print(subprocess.run(sys.argv[1:]).returncode)' \
			fdbroker run sh -c "kill -${signal%:*} \$\$")" "-$number" "SIG${signal%:*}"
	done
}

test_a_program_that_cannot_be_started_ends_as_with_env() {
	run_policy
	expect_status 127 run no-such-program
	expect_match "$output" '^fdbroker: .*no-such-program'
	expect_status 127 run /no/such/program
	expect_status 126 run /etc/passwd
	expect_match "$output" '^fdbroker: .*/etc/passwd'
	expect_status 126 run /srv
}

test_wrong_usage_is_said() {
	run_policy
	expect_status 64 as alice fdbroker run
	expect_match "$output" '^fdbroker: run: '
	expect_status 64 run --
	expect_status 64 run --nonsense true
	expect_match "$output" 'nonsense'
	expect_status 64 run -w /tmp true
	expect_match "$output" 'sandbox'
	expect_status 64 run -r /tmp true
	expect_status 64 run --policy-only -w /tmp true
	expect_status 64 run --policy-only -r /tmp true
	expect_status 64 run --policy-only --sandbox true
	expect_status 64 run --sandbox -w
}

test_options_of_the_program_are_the_programs() {
	run_policy
	expect_equal "$(run printf '%s,' -w --sandbox -- x)" "-w,--sandbox,--,x,"
	expect_equal "$(run -- printf '%s,' -r --)" "-r,--,"
}

test_the_program_finds_the_world_as_the_command_did() {
	run_policy
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(cd /home/alice && echo in | WORD="a word" run sh -c '
		pwd; umask; echo "$WORD"; cat; id -un; echo err >&2' 2>&1)" \
		$'/home/alice\n0022\na word\nin\nalice\nerr'
}

# Only what was open before, and the standard descriptors: nothing of the launcher.
test_the_program_inherits_no_descriptor_of_the_launcher() {
	run_policy
	cat >/run/test/descriptors <<-'END'
		import os
		print(*(fd for fd in range(256) if os.path.exists(f"/proc/self/fd/{fd}")))
	END
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(as alice bash -c 'for fd in /proc/self/fd/*; do
			fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done 2>/dev/null
		exec 7</etc/passwd
		exec fdbroker run python3 /run/test/descriptors')" "0 1 2 7"
}

test_no_signal_is_blocked_or_ignored_that_was_not_before() {
	run_policy
	expect_equal "$(run grep -E '^(SigBlk|SigIgn)' /proc/self/status)" \
		"$(as alice grep -E '^(SigBlk|SigIgn)' /proc/self/status)"
}

# ---- signals ----

# Prints which signals came.
catcher() {
	cat >/run/test/catcher <<-'END'
		import os, signal, sys
		def take(number, frame):
		    os.write(1, (signal.Signals(number).name + "\n").encode())
		    if number == signal.SIGTERM:
		        sys.exit(7)
		for number in sys.argv[1:]:
		    signal.signal(getattr(signal, number), take)
		os.write(1, b"ready\n")
		while True:
		    signal.pause()
	END
}

test_signals_that_the_command_gets_are_passed_on() {
	local signal lines=1
	run_policy
	catcher
	start_run python3 /run/test/catcher SIGINT SIGHUP SIGUSR1 SIGUSR2 SIGQUIT SIGTERM \
		>/run/test/caught 2>&1
	eventually 10 has_lines 1 /run/test/caught || fail "the program is not ready"
	for signal in INT HUP USR1 USR2 QUIT TERM; do
		kill "-$signal" $!
		lines=$((lines + 1))
		eventually 10 has_lines $lines /run/test/caught || fail "SIG$signal does not come"
	done
	expect_end $! 7
	expect_equal "$(cat /run/test/caught)" \
		$'ready\nSIGINT\nSIGHUP\nSIGUSR1\nSIGUSR2\nSIGQUIT\nSIGTERM'
}

# What the terminal sends goes to every process of the group: it is not passed on besides. Which of
# two pending signals is taken first is known, signal(7): SIGINT, then SIGUSR1.
test_a_program_gets_the_interrupt_of_the_terminal_once() {
	run_policy
	cat >/run/test/terminal.py <<-'END'
		import os, pty, signal, sys
		pid, terminal = pty.fork()
		if pid == 0:
		    for number in (signal.SIGINT, signal.SIGQUIT):
		        signal.signal(number, signal.SIG_DFL)
		    os.execvp("fdbroker", ["fdbroker", "run", "python3", "/run/test/catcher", "SIGINT",
		        "SIGUSR1", "SIGTERM"])
		lines = os.fdopen(terminal, "rb", buffering=0)
		seen = b""
		def wait_for(word):
		    global seen
		    while word not in seen:
		        seen += lines.read(1)
		wait_for(b"ready")
		os.write(terminal, b"\x03")
		wait_for(b"SIGINT")
		os.kill(pid, signal.SIGUSR1)
		wait_for(b"SIGUSR1")
		os.kill(pid, signal.SIGTERM)
		wait_for(b"SIGTERM")
		print(seen.count(b"SIGINT"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	catcher
	expect_equal "$(as alice python3 /run/test/terminal.py)" "1 7"
}

# A shell with jobs, at a terminal: the command stops with its program, and both go on.
test_a_job_is_stopped_and_continued() {
	run_policy
	cat >/run/test/terminal.py <<-'END'
		import os, pty
		pid, terminal = pty.fork()
		if pid == 0:
		    os.execvp("bash", ["bash", "--norc", "-m", "-c",
		        'fdbroker run sh -c "echo ready; read line; cat /srv/granted; exit 3"\n'
		        'echo "stopped $?"; fg %1 >/dev/null; echo "ended $?"'])
		lines = os.fdopen(terminal, "rb", buffering=0)
		seen = b""
		def wait_for(word):
		    global seen
		    while word not in seen:
		        seen += lines.read(1)
		wait_for(b"ready")
		os.write(terminal, b"\x1a")
		wait_for(b"stopped 14") # of which signal is not said
		os.write(terminal, b"\n")
		wait_for(b"ended 3")
		print(b"granted" in seen)
	END
	expect_equal "$(as alice python3 /run/test/terminal.py)" True
}

test_a_stop_that_the_command_gets_is_passed_on() {
	local program
	run_policy
	# shellcheck disable=SC2016 # expanded inside
	start_run sh -c 'echo $$; exec sleep 300' >/run/test/pid
	eventually 10 has_lines 1 /run/test/pid || fail "the program is not ready"
	program=$(cat /run/test/pid)
	kill -TSTP $!
	eventually 5 state_is "$program" T || fail "it is not stopped"
	kill -CONT $!
	eventually 5 state_is "$program" S || fail "it does not go on"
	kill -TERM $!
	expect_end $! 143
}

state_is() { # PID LETTER
	[[ $(awk '$1 == "State:" { print $2 }' "/proc/$1/status") == "$2" ]]
}

# ---- the supervisor ----

# It holds the end of no pipe: what the program writes is at its end when the program is.
test_the_end_of_the_output_is_seen_though_a_descendant_lives_on() {
	run_policy
	expect_equal "$(run sh -c 'sleep 300 >/dev/null 2>&1 </dev/null & echo hi')" hi
	[[ -n $(pgrep -u alice -x sleep) ]] || fail "the descendant has ended"
	[[ -n $(launchers) ]] || fail "the supervisor has ended before it"
	pkill -u alice -x sleep
	eventually 5 no_launcher_is_left || fail "these are left: $(launchers)"
}

test_a_descendant_is_served_after_the_command_has_returned() {
	run_policy
	run sh -c '(while ! [ -e /home/alice/go ]; do sleep 0.05; done
		cat /srv/granted >/home/alice/got 2>&1; : >/home/alice/done) >/dev/null 2>&1 </dev/null &'
	[[ ! -e /home/alice/got ]] || fail "it did not wait"
	touch /home/alice/go
	eventually 10 test -e /home/alice/done || fail "it has not ended"
	expect_equal "$(cat /home/alice/got)" granted
	eventually 5 no_launcher_is_left || fail "these are left: $(launchers)"
}

test_the_supervisor_holds_nothing_of_the_commands() {
	local supervisor
	run_policy
	mkdir /run/test/mounted
	open_run program
	supervisor=$(supervisor_of "${SESSION_PID[program]}")
	expect_equal "$(readlink "/proc/$supervisor/cwd")" / "its folder"
	expect_equal "$(readlink "/proc/$supervisor/fd/"{0,1,2})" $'/dev/null\n/dev/null\n/dev/null'
	expect_equal "$(find "/proc/$supervisor/fd" -lname '*program.*' | wc -l)" 0 "the FIFOs"
}

test_a_program_whose_supervisor_was_killed_fails_and_does_not_hang() {
	local supervisor
	run_policy
	open_run program
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
	supervisor=$(supervisor_of "${SESSION_PID[program]}")
	kill -KILL "$supervisor"
	eventually 5 process_is_gone "$supervisor" || fail "it lives"
	# The command says it, at the same place at which the program answers.
	expect_match "$(tell program "cat /srv/granted")" '^fdbroker: run: the supervisor has died'
	IFS= read -r -t 15 -u "${SESSION_OUT[program]}" output || fail "the program hangs"
	expect_equal "$output" ENOSYS
	expect_end "${SESSION_PID[program]}" 125
	expect_equal "$(tell program "cat /etc/passwd")" ENOSYS
	expect_equal "$(tell program "make AF_INET SOCK_STREAM")" ok
	expect_equal "$(tell program "bind-it inet 0.0.0.0 80")" ENOSYS
}

# ---- run within run ----

test_run_within_run_is_served_by_the_outer_one() {
	run_policy
	expect_equal "$(run fdbroker run cat /srv/granted)" granted
	expect_equal "$(run fdbroker run fdbroker run cat /srv/granted)" granted
	expect_status 9 run fdbroker run sh -c 'exit 9'
	expect_status 127 run fdbroker run no-such-program
}

# It is asked by a system call: what stands in the environment can be left over from anywhere.
test_the_environment_tells_nothing_of_an_outer_run() {
	run_policy
	expect_equal "$(as alice env FDBROKER_RUN=1 fdbroker run cat /srv/granted)" granted
	expect_equal "$(run env | grep -i fdbroker_run || true)" ""
}

test_a_sandbox_within_run_is_a_sandbox() {
	needs_landlock 1 "files"
	run_policy
	belongs_to alice /home/alice/own own
	expect_equal "$(run fdbroker run --sandbox cat /srv/granted)" granted
	expect_status 1 run fdbroker run --sandbox cat /home/alice/own
	expect_match "$output" 'Permission denied'
}

test_policy_only_within_run_is_refused() {
	run_policy
	expect_status 125 run fdbroker run --policy-only cat /srv/granted
	expect_match "$output" '^fdbroker: run: '
}

# seccomp(2) allows but one listener, whatever it is for.
test_a_foreign_listener_is_the_reason_that_there_can_be_no_other() {
	run_policy
	expect_equal "$(as alice listens chmod echo started)" started
	expect_status 125 as alice listens chmod fdbroker run cat /srv/granted
	expect_match "$output" '^fdbroker: run: another process is supervising .*run it outside of that$'
}

test_exec_and_run_go_together() {
	run_policy
	expect_equal "$(as alice fdbroker exec --open /srv/granted:r -- \
		fdbroker run sh -c 'cat <&3 && cat /srv/both')" grantedboth
	expect_equal "$(run fdbroker cat /srv/granted)" granted
	expect_equal "$(run fdbroker exec --listen tcp:80 -- listenfds)" \
		"3 unknown inet6 stream [::]:80 listening"
}

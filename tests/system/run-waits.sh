# shellcheck shell=bash
# `fdbroker run` while something does not answer, the broker or a file system: who asked for that
# waits, and nobody else; and what the supervisor has needed for it, it gives back.
source tests/system/run.lib

# ---- a broker that stands still ----

test_a_broker_that_stands_still_holds_up_nothing_that_needs_none() {
	run_policy
	open_run program
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
	broker_pids | xargs kill -STOP
	sleep 1.1 # so that the broker would be asked again what it grants
	for _ in {1..10}; do
		expect_match "$(tell program "cat /etc/passwd")" '^ok root'
		expect_equal "$(tell program "cat /srv/other")" EACCES
		expect_equal "$(tell program "make AF_INET SOCK_STREAM")" ok
		expect_equal "$(tell program "bind-it inet 127.0.0.1 0")" ok
	done
	broker_pids | xargs kill -CONT
	sed -i 's|/srv/granted|& /srv/other|' "$POLICY"
	reload_broker
	eventually 10 opens program /srv/other || fail "what is granted is not asked for any more"
}

# ---- files that do not answer ----

# A process gets stuck, in a call in which the supervisor reads a page, or takes and closes a file,
# of a file system that does not answer. Others of the same run go on.
expect_others_to_go_on_beside() { # open|bind
	run_policy
	hang alice /home/alice/hang
	cat >/run/test/stuck.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None)
		libc.mmap.restype = ctypes.c_void_p
		folder = "/home/alice/hang/"
		if sys.argv[1] == "open":
		    page = libc.mmap(None, 4096, 1, 2, os.open(folder + "read", os.O_RDONLY), 0)
		    os.write(1, b"now\n")
		    libc.open(ctypes.c_void_p(page), os.O_RDONLY)
		else:
		    file = os.open(folder + "flush", os.O_RDONLY)
		    os.write(1, b"now\n")
		    libc.bind(file, b"\2\0\0\x50" + bytes(12), 16)
	END
	# shellcheck disable=SC2016 # expanded inside
	start_run bash -c 'python3 /run/test/stuck.py "$1" | while read -r; do
			sleep 0.3
			for i in {1..20}; do cat /srv/granted && echo; done
			echo over
		done' bash "$1" >/run/test/answers
	eventually 20 has_lines 21 /run/test/answers || fail "the others wait: $(cat /run/test/answers)"
	expect_equal "$(sort /run/test/answers | uniq -c | xargs)" "20 granted 1 over"
	[[ -n $(pgrep -u alice -f stuck.py) ]] || fail "nothing was stuck"
}

test_a_path_in_memory_that_does_not_come_holds_up_nobody_else() {
	expect_others_to_go_on_beside open
}

test_a_descriptor_that_cannot_be_closed_holds_up_nobody_else() {
	expect_others_to_go_on_beside bind
}

# ---- what is granted, and does not come ----

# Whoever asks for something there waits from now on. (Before anybody has asked, the kernel does not
# know whose the folder is.)
hang_policy() {
	run_policy - <<-'END'
		allow read /home/alice/hang/* as peer
	END
	hang alice /home/alice/hang
	as alice cat /home/alice/hang/fine >/dev/null
	kill -STOP "$HANGFS_PID"
}

# Executors of the broker that wait for that file system.
openers() {
	local pid count=0
	for pid in $(broker_pids executor); do
		! grep -qs request_wait_answer "/proc/$pid/wchan" || count=$((count + 1))
	done
	echo "$count"
}

openers_are_at_least() { # COUNT
	(($(openers) >= $1))
}

# A run in which so many processes wait for a file, and one opens PATH when it is told to.
start_waiting() { # COUNT PATH
	hang_policy
	mkfifo /run/test/go
	exec {go}<>/run/test/go
	# shellcheck disable=SC2016 # expanded inside
	start_run bash -c 'for ((i = 0; i < $1; i++)); do calls times 1 /home/alice/hang/fine & done
		read -r
		calls read "$2"
		sleep 300' bash "$1" "$2" <&"$go" >/run/test/answers
	eventually 10 openers_are_at_least 3 || fail "only $(openers) wait"
	SUPERVISOR=$(supervisor_of $!)
}

# The kernel lets go of all who wait when the file system is gone.
let_them_go() { # LINES
	kill -KILL "$HANGFS_PID"
	eventually 20 has_lines "$1" /run/test/answers || fail "some wait still: $(openers)"
}

test_who_waits_for_a_granted_file_holds_up_nobody_else() {
	start_waiting 5 /srv/granted
	echo >&"$go"
	eventually 8 has_lines 1 /run/test/answers || fail "another one waits as well"
	let_them_go 6
	expect_equal "$(head -n 1 /run/test/answers)" "ok granted"
}

# More than the supervisor has connections.
test_who_needs_no_broker_waits_for_none_of_those_who_do() {
	start_waiting 20 /srv/other
	echo >&"$go"
	eventually 8 has_lines 1 /run/test/answers || fail "another one waits as well"
	let_them_go 21
	expect_equal "$(head -n 1 /run/test/answers)" EACCES
}

THREADS_MAX=$(awk '$2 == "THREADS_MAX" { print $3 }' client-lib/cli/run/supervisor.c)

# Those that answer, the guard, the one that asks for the grants and the one of the processes.
threads_are_all() { # SUPERVISOR
	(($(threads_of "$1") == THREADS_MAX + 3))
}

test_many_who_wait_take_no_more_threads_than_there_may_be() {
	start_waiting 70 /srv/granted
	eventually 10 threads_are_all "$SUPERVISOR" ||
		fail "the supervisor has $(threads_of "$SUPERVISOR") threads"
	sleep 0.3
	expect_at_most "$(threads_of "$SUPERVISOR")" $((THREADS_MAX + 3)) "threads"
	echo >&"$go"
	let_them_go 71
	expect_equal "$(grep -c '^ok granted' /run/test/answers)" 1
	eventually 10 supervisor_rests "$SUPERVISOR" ||
		fail "$(threads_of "$SUPERVISOR") threads, $(sockets_of "$SUPERVISOR") sockets are left"
}

# Its outcome is unknown, and doing it again could do it twice.
test_what_the_broker_does_not_know_the_outcome_of_is_EIO() {
	hang_policy
	open_run program
	tell_and_go_on program "open /home/alice/hang/fine O_RDONLY"
	eventually 10 openers_are_at_least 1 || fail "nobody waits"
	kill_role executor
	IFS= read -r -t 15 -u "${SESSION_OUT[program]}" output || fail "no answer in 15 s"
	expect_equal "$output" EIO
	expect_equal "$(tell program "cat /srv/granted")" "ok granted"
}

# ---- what is given back ----

test_a_run_at_rest_leaves_connections_for_others() {
	run_policy - <<-'END'
		limit sessions 2
	END
	# shellcheck disable=SC2016 # expanded inside
	start_run bash -c 'for i in {1..20}; do cat /srv/granted & done; wait; echo; exec sleep 300' \
		>/run/test/out
	eventually 10 has_lines 1 /run/test/out || fail "the program is not ready"
	expect_equal "$(cat /run/test/out)" "$(printf 'granted%.0s' {1..20})"
	eventually 10 supervisor_rests "$(supervisor_of $!)" || fail "the supervisor does not rest"
	expect_equal "$(as alice fdbroker cat /srv/granted)" granted
	kill -TERM $!
	expect_end $! 143
}

# What the program opens by its own rights keeps nothing that the broker was asked by.
test_a_run_gives_connections_back_while_its_program_opens_its_own() {
	run_policy
	start_run bash -c 'cat /srv/granted & cat /srv/granted & wait; echo
		while :; do cat </etc/passwd; sleep 0.2; done >/dev/null' >/run/test/out
	eventually 10 has_lines 1 /run/test/out || fail "the program is not ready"
	eventually 10 supervisor_has_one_connection "$(supervisor_of $!)" ||
		fail "it has $(sockets_of "$(supervisor_of $!)") sockets"
	kill -TERM $!
	expect_end $! 143
}

# The other one leads to the command.
supervisor_has_one_connection() { # PID
	(($(sockets_of "$1") == 2))
}

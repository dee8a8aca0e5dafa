# shellcheck shell=bash
# What a system test is written with. A test is a function test_A_SENTENCE in a file of this folder
# or of tests/hostile. It runs as root in a sandbox of its own (tests/sandbox), under `set -e`, and
# passes when it returns. It must not clean up: the sandbox does.
#
#	test_a_granted_file_can_be_read() {
#		policy <<-END
#			client test {
#				from user alice
#				allow read /srv/file
#			}
#		END
#		secret /srv/file "content"
#		start_broker
#		expect_equal "$(as alice ask "cat /srv/file")" "ok content"
#	}
#
# A test in C is a program of clients/meson.build and a function that runs it.

POLICY=/etc/fdbroker/test.policy
BROKER_LOG=/run/test/broker.log
BROKER_PID=
# As many executors as one worker has, of which one user gets half: what is to take them all must
# be more.
# shellcheck disable=SC2034 # for the tests
EXECUTORS=$(awk '$2 == "EXECUTORS_MAX" { print $3 }' broker/limits.h)
# What the client `sealed` prints of the memory that a copy or a list came in, after its sizes.
# shellcheck disable=SC2034
SEALED="seals=seal,shrink,grow,write offset=0 write=EPERM grow=EPERM shrink=EPERM punch=EPERM"
SEALED+=" map=EPERM protect=EACCES seal=EPERM again=ok"
# shellcheck disable=SC2034
HANGFS_PID=
output= # of the last expect_status
mkdir -p /run/test

# ---- verdicts ----

fail() {
	echo "failed: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

step() {
	echo "- $*"
}

expect_equal() { # ACTUAL EXPECTED [WHAT]
	[[ $1 == "$2" ]] || fail "${3:+$3: }expected '$2', got '$1'"
}

expect_match() { # ACTUAL REGEX [WHAT]
	[[ $1 =~ $2 ]] || fail "${3:+$3: }expected something like '$2', got '$1'"
}

expect_at_most() { # NUMBER LIMIT WHAT
	(($1 <= $2)) || fail "$3: at most $2, but $1"
}

# Runs a command that must end with this status; its output, standard error too, is in $output.
expect_status() { # STATUS COMMAND...
	local wanted=$1 status=0
	shift
	output=$("$@" 2>&1) || status=$?
	((status == wanted)) || fail "'$*' ended with $status instead of $wanted: $output"
}

eventually() { # SECONDS COMMAND...
	local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/./} < deadline)) || return 1
		sleep 0.02
	done
}

# ---- the machine ----

# landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION, everywhere of the same number.
landlock_version() {
	python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))'
}

needs_landlock() { # VERSION WHAT
	(($(landlock_version) >= $1)) || skip "this kernel's Landlock knows nothing of $2"
}

# ---- users and things ----

as_words() { # USER
	AS=(env "HOME=/home/$1" "USER=$1" setpriv --reuid="$1" --regid="$1" --init-groups
		--inh-caps=-all --bounding-set=-all --no-new-privs --)
}

as() { # USER COMMAND...
	local AS
	as_words "$1"
	"${AS[@]}" "${@:2}"
}

# In the background; $! is the command itself.
start_as() { # USER COMMAND...
	local AS
	as_words "$1"
	# Not /dev/null, which the shell would give it.
	(exec "${AS[@]}" "${@:2}") <&0 &
}

# A file that root alone may read, in folders that root alone may enter.
secret() { # PATH CONTENT
	(umask 077 && mkdir -p "$(dirname "$1")" && printf '%s' "$2" >"$1")
}

belongs_to() { # USER PATH CONTENT
	mkdir -p "$(dirname "$2")"
	printf '%s' "$3" >"$2"
	chown "$1:$1" "$2"
}

# Mounts the file system that never answers, owned by a user. See clients/hangfs.c.
hang() { # USER FOLDER
	[[ -e /dev/fuse ]] || skip "this machine has no /dev/fuse"
	mkdir -p "$2"
	hangfs --uid "$(id -u "$1")" "$2" >/run/test/hangfs.log 2>&1 &
	# shellcheck disable=SC2034
	HANGFS_PID=$!
	eventually 5 grep -qs mounted /run/test/hangfs.log || fail "hangfs: $(cat /run/test/hangfs.log)"
}

# ---- the broker ----

policy() { # the text is the standard input
	cat >"$POLICY"
	chmod 0644 "$POLICY"
}

start_broker() { # [ARGUMENTS]
	local before
	touch "$BROKER_LOG"
	before=$(log_count '\bready\b')
	fdbrokerd --policy "$POLICY" --log-format text "$@" >>"$BROKER_LOG" 2>&1 </dev/null &
	BROKER_PID=$!
	eventually 10 broker_is_ready_or_dead "$before" || fail "the broker is not ready in 10 s"
	kill -0 "$BROKER_PID" 2>/dev/null || fail "the broker did not start"
}

broker_is_ready_or_dead() { # COUNT of "ready" before
	! kill -0 "$BROKER_PID" 2>/dev/null || { (($(log_count '\bready\b') > $1)) &&
		[[ -S /run/fdbroker/broker.sock ]]; }
}

# Returns when the new policy is in force; 1 when the broker says that it keeps the old one.
reload_broker() {
	local done_before failed_before
	done_before=$(log_count 'reload done')
	failed_before=$(log_count 'reload failed')
	kill -HUP "$BROKER_PID"
	eventually 10 reload_has_ended "$done_before" "$failed_before" ||
		fail "the reload has not ended in 10 s"
	(($(log_count 'reload failed') == failed_before))
}

reload_has_ended() { # DONE FAILED
	(($(log_count 'reload done') > $1 || $(log_count 'reload failed') > $2))
}

stop_broker() {
	kill -TERM "$BROKER_PID"
	eventually 10 broker_is_gone || fail "the broker has not stopped in 10 s"
	BROKER_PID=
}

listening() { # PORT
	[[ -n $(ss -Hltn "sport = :$1") ]]
}

broker_is_gone() {
	! kill -0 "$BROKER_PID" 2>/dev/null
}

log_count() { # REGEX
	grep -cE -- "$1" "$BROKER_LOG" || true
}

expect_log() { # REGEX
	eventually 5 grep -qE -- "$1" "$BROKER_LOG" || fail "the log has nothing like '$1'"
}

audit_lines() { # REGEX
	grep -E -- 'audit: ' "$BROKER_LOG" | grep -E -- "$1" || true
}

# The processes of a role: "" (the supervisor), worker, executor, ...; without an argument all.
broker_pids() { # [ROLE]
	local folder name wanted=
	(($# == 0)) || wanted=fdbrokerd${1:+-$1}
	for folder in /proc/[0-9]*; do
		name=
		IFS= read -r -d '' name 2>/dev/null <"$folder/cmdline" || true
		name=${name##*/}
		if [[ $name == "${wanted:-$name}" && $name == fdbrokerd* ]]; then
			echo "${folder#/proc/}"
		fi
	done
}

# How many descriptors all processes of the broker have open together.
broker_descriptors() {
	local pid count=0 fds
	for pid in $(broker_pids); do
		fds=("/proc/$pid/fd/"*)
		count=$((count + ${#fds[@]}))
	done
	echo "$count"
}

descriptors_are() { # COUNT
	(($(broker_descriptors) == $1))
}

expect_descriptors() { # COUNT
	eventually 10 descriptors_are "$1" ||
		fail "the broker has $(broker_descriptors) descriptors open; before it were $1"
}

# Kills the processes of a role and waits until others have taken their place.
kill_role() { # ROLE
	local -a killed
	mapfile -t killed < <(broker_pids "$1")
	((${#killed[@]} > 0)) || fail "the broker has no $1"
	kill -KILL "${killed[@]}"
	eventually 10 role_is_replaced "$1" "${killed[@]}" || fail "no other $1 took over in 10 s"
}

role_is_replaced() { # ROLE PID...
	local pid now
	now=$(broker_pids "$1")
	[[ -n $now ]] || return 1
	for pid in "${@:2}"; do
		! grep -qx "$pid" <<<"$now" || return 1
	done
}

# ---- clients that live on ----

declare -A SESSION_IN SESSION_OUT SESSION_PID

# One connection of a user, to which `tell` gives commands. See clients/ask.c, or the other PROGRAM.
open_session() { # NAME USER [PROGRAM]
	local in out
	mkfifo "/run/test/$1.in" "/run/test/$1.out"
	exec {in}<>"/run/test/$1.in" {out}<>"/run/test/$1.out"
	start_as "$2" "${3:-ask}" <&"$in" >&"$out" 2>&1
	SESSION_PID[$1]=$!
	SESSION_IN[$1]=$in
	SESSION_OUT[$1]=$out
	expect_equal "$(tell "$1" "say connected")" connected "the connection of $2"
}

# Prints the answer.
tell() { # NAME COMMAND
	local answer
	echo "$2" >&"${SESSION_IN[$1]}"
	IFS= read -r -t 15 -u "${SESSION_OUT[$1]}" answer || answer="no answer in 15 s"
	echo "$answer"
}

# Gives a command and does not wait.
tell_and_go_on() { # NAME COMMAND
	echo "$2" >&"${SESSION_IN[$1]}"
}

close_session() { # NAME
	kill "${SESSION_PID[$1]}"
	wait "${SESSION_PID[$1]}" || true
}

# ---- the run ----

# Called by tests/run: sources the file, runs the one test, and says what state things are in if
# it fails.
run_test() { # FILE TEST SECONDS
	local status=0
	# shellcheck disable=SC2016 # expanded inside
	timeout --kill-after=2 "$3" bash -c '
		set -Eeuo pipefail
		source tests/system/lib.sh
		source "$1"
		trap "echo \"failed: ${1##*/}, line \$LINENO: \$BASH_COMMAND\" >&2" ERR
		"$2"
		if [[ -n $BROKER_PID ]] && broker_is_gone; then
			fail "the broker has died"
		fi
	' test "$1" "$2" || status=$?
	if ((status == 124 || status == 137)); then
		echo "failed: not done in $3 s"
	fi
	if grep -qsE 'ERROR: (Address|Leak|Undefined)|runtime error:' "$BROKER_LOG"; then
		echo "failed: a sanitizer found something"
		status=1
	fi
	if grep -qsE 'ended by signal (31|11|6|7|4) ' "$BROKER_LOG"; then
		echo "failed: a process of the broker has crashed, or made a system call that it may not"
		status=1
	fi
	if ((status != 0 && status != 77)); then
		echo "-- processes:"
		ps -eo pid,ppid,user,stat,wchan:24,args
		if [[ -e $BROKER_LOG ]]; then
			echo "-- the broker's log:"
			tail -n 100 "$BROKER_LOG"
		fi
	fi
	return "$status"
}

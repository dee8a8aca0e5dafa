# shellcheck shell=bash
# The tool: cat, exec, check.

tool_policy() {
	policy <<-END
		client tool {
			from user alice
			allow read /srv/*
			deny all /srv/denied
			allow append,create /srv/log mode 0644
			allow bind tcp:80 tcp:127.0.0.1:443 udp:53
		}
	END
	secret /srv/one one
	secret /srv/two two
	secret /srv/denied denied
	start_broker
}

# What a program started by `exec` finds.
report() {
	cat >/run/test/report <<-'END'
		#!/usr/bin/python3
		import os, re
		if os.environ["LISTEN_PID"] == str(os.getpid()):
		    print("LISTEN_PID is right")
		print("LISTEN_FDS=" + os.environ["LISTEN_FDS"],
		    "LISTEN_FDNAMES=" + os.environ["LISTEN_FDNAMES"])
		for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
		    try:
		        target = os.readlink(f"/proc/self/fd/{fd}")
		    except FileNotFoundError:
		        continue # it was the listing's own
		    if fd > 2:
		        print(fd, re.sub(r"\[[0-9]+\]", "[]", target))
	END
	chmod 0755 /run/test/report
}

test_cat_prints_files_and_names_those_that_it_cannot() {
	tool_policy
	expect_equal "$(as alice fdbroker cat /srv/one /srv/two)" onetwo
	expect_status 1 as alice fdbroker cat /srv/one /srv/denied /srv/two
	expect_match "$output" '/srv/denied: denied by policy'
	expect_match "$output" 'one' "the file before"
	expect_match "$output" 'two' "the file behind"
}

test_exec_hands_over_by_the_LISTEN_FDS_protocol() {
	tool_policy
	report
	# Started with no descriptors but the standard ones.
	# shellcheck disable=SC2016 # expanded inside
	output=$(as alice bash -c 'for fd in /proc/self/fd/*; do
			fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done 2>/dev/null
		exec fdbroker exec --listen tcp:80=web --open /srv/one:r=key --listen udp:53 \
			-- /run/test/report')
	expect_equal "$output" "LISTEN_PID is right
LISTEN_FDS=3 LISTEN_FDNAMES=web:key:unknown
3 socket:[]
4 /srv/one
5 socket:[]"
}

test_exec_hands_over_what_sd_listen_fds_with_names_finds() {
	tool_policy
	expect_equal "$(as alice fdbroker exec --listen 'udp:*:53' --listen tcp:127.0.0.1:443=https \
		--open /srv/one:r=key -- listenfds)" "3 unknown inet6 datagram [::]:53 -
4 https inet stream 127.0.0.1:443 listening
5 key no socket"
}

test_exec_hands_over_every_kind_of_socket() {
	policy <<-END
		client tool {
			from user alice
			allow bind unix:/srv/app/socket mode 0666 owner alice
			allow connect tcp:127.0.0.1:7777
			allow socket icmp raw:58 netlink:route
		}
	END
	mkdir /srv/app
	echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
	start_broker
	python3 -c 'import socket; socket.create_server(("127.0.0.1", 7777)).accept()' &
	eventually 5 listening 7777 || fail "nobody listens"
	expect_match "$(as alice fdbroker exec --listen unix:/srv/app/socket=u \
		--dial tcp:127.0.0.1:7777=db --socket icmp=ping --socket netlink:0 \
		--socket raw6:58=raw -- listenfds)" "^3 u unix stream socket listening
4 db inet stream 127.0.0.1:[0-9]+ connected
5 ping inet datagram 0.0.0.0:0 -
6 unknown netlink raw - (-|connected)
7 raw inet6 raw \[::\]:58 -$"
}

# Who listens is whom the other side sees, and that is not the broker.
test_a_unix_socket_of_exec_is_the_users_own() {
	policy <<-END
		client tool {
			from user alice
			allow bind unix:/srv/app/socket mode 0666 owner alice
		}
	END
	mkdir /srv/app
	start_broker
	start_as alice fdbroker exec --listen unix:/srv/app/socket -- sleep 50
	eventually 5 runs $! sleep || fail "it does not run"
	expect_equal "$(as bob python3 -c '
import socket, struct
peer = socket.socket(socket.AF_UNIX)
peer.connect("/srv/app/socket")
print(struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
	' 2>&1)" "$(id -u alice)"
}

test_the_sockets_of_exec_serve() {
	tool_policy
	cat >/run/test/server.py <<-'END'
		import socket
		server = socket.socket(fileno=3)
		connection = server.accept()[0]
		connection.recv(4096)
		connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nserved\n")
	END
	start_as alice fdbroker exec --listen tcp:80 -- python3 /run/test/server.py
	eventually 5 listening 80 || fail "nobody listens"
	expect_equal "$(curl -s --max-time 5 http://127.0.0.1/)" served
	wait $!
}

test_the_program_of_exec_is_the_process_that_was_started() {
	tool_policy
	start_as alice fdbroker exec --listen tcp:80 -- sleep 50
	eventually 5 runs $! sleep || fail "process $! is $(tr '\0' ' ' <"/proc/$!/cmdline")"
}

test_exec_opens_for_writing_as_the_shell_would() {
	tool_policy
	as alice fdbroker exec --open /srv/log:a -- bash -c 'echo one >&3'
	as alice fdbroker exec --open /srv/log:a=log -- bash -c 'echo two >&3'
	expect_equal "$(cat /srv/log)" $'one\ntwo'
	expect_equal "$(stat -c %a /srv/log)" 644
}

test_exec_ends_as_env_does() {
	tool_policy
	expect_status 7 as alice fdbroker exec --listen tcp:80 -- bash -c 'exit 7'
	expect_status 125 as alice fdbroker exec --listen tcp:81 -- true
	expect_match "$output" 'tcp:81: denied by policy'
	expect_status 127 as alice fdbroker exec --listen tcp:80 -- no-such-program
	expect_equal "$output" "fdbroker: 'no-such-program': No such file or directory"
	expect_status 127 as alice fdbroker exec --listen tcp:80 -- ''
	expect_equal "$output" "fdbroker: '': No such file or directory"
	expect_status 127 as alice fdbroker exec --listen tcp:80 -- $'no\eprogram'
	expect_equal "$output" "fdbroker: 'no?program': No such file or directory"
	expect_status 126 as alice fdbroker exec --listen tcp:80 -- /etc/passwd
	expect_match "$output" '/etc/passwd'
}

test_exec_takes_endpoints_in_numbers_only() {
	local endpoint
	tool_policy
	for endpoint in tcp:http 80 127.0.0.1:80; do
		expect_status 64 as alice fdbroker exec --listen "$endpoint" -- true
		expect_match "$output" "'$endpoint' is no endpoint: write tcp:PORT"
	done
}

test_exec_takes_only_what_can_be_asked_for() {
	local long option text
	tool_policy
	printf -v long '/%0107d' 0
	while read -r option text; do
		expect_status 64 as alice fdbroker exec "$option" "$text" -- true </dev/null
		expect_match "$output" "^fdbroker: exec: $option: '"
	done <<-END
		--listen unix:socket
		--listen unix:
		--listen unix:$long
		--listen vsock:1024
		--dial tcp:80
		--dial tcp:*:80
		--dial unix:/run/socket
		--dial tcp:host:65536
		--dial tcp://host:80
		--dial tcp:host:80/
		--socket tcp
		--socket raw
		--socket raw:256
		--socket raw:-1
		--socket raw:1x
		--socket netlink:32
		--socket icmp:1
		--tun vpn0
		--tun tun:0123456789abcdef
		--dial tcp:host:80=a:b
		--socket icmp=
	END
}

# Of a sandbox's /dev nothing may be left; and what is closed would be taken by something else.
test_the_tool_needs_dev_null_only_where_a_standard_descriptor_is_closed() {
	tool_policy
	mount -t tmpfs -o mode=0755 tmpfs /dev
	expect_equal "$(as alice fdbroker cat /srv/one </etc/passwd)" one
	expect_status 1 as alice bash -c 'exec fdbroker cat /srv/one <&-'
	expect_equal "$output" "fdbroker: /dev/null: No such file or directory"
	umount /dev
	expect_equal "$(as alice bash -c 'exec fdbroker cat /srv/one <&-')" one
}

# ---- exec --limit ----

test_exec_hands_on_a_connection_that_is_good_for_its_limits() {
	tool_policy
	expect_equal "$(as alice fdbroker exec --limit read:/srv/one -- fdbroker cat /srv/one)" one
	expect_status 1 as alice fdbroker exec --limit read:/srv/one --limit bind:tcp:80 -- \
		fdbroker cat /srv/two
	expect_match "$output" '^fdbroker: /srv/two: Permission denied \(narrowed: '
	# What the policy denies, no limit grants.
	expect_status 1 as alice fdbroker exec --limit 'read:/srv/*' -- fdbroker cat /srv/denied
	expect_match "$output" 'denied by policy'
}

test_all_limits_of_exec_are_one_set() {
	tool_policy
	expect_equal "$(as alice fdbroker exec --limit read:/srv/one --limit=read:/srv/two -- \
		fdbroker cat /srv/one /srv/two)" onetwo
}

test_the_connection_of_exec_comes_after_what_was_asked_for() {
	tool_policy
	report
	# shellcheck disable=SC2016 # expanded inside
	output=$(as alice bash -c 'for fd in /proc/self/fd/*; do
			fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done 2>/dev/null
		exec fdbroker exec --limit read:/srv/one --listen tcp:80=web --open /srv/two:r=key \
			-- bash -c "echo \$FDBROKER_FD; exec /run/test/report"')
	expect_match "$output" '^[5-9]'
	expect_equal "${output//${output:0:1}/N}" "N
LISTEN_PID is right
LISTEN_FDS=2 LISTEN_FDNAMES=web:key
3 socket:[]
4 /srv/two
N socket:[]"
}

test_limits_alone_leave_what_a_service_manager_passed() {
	tool_policy
	report
	# shellcheck disable=SC2016 # expanded inside
	output=$(as alice bash -c 'for fd in /proc/self/fd/*; do
			fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done 2>/dev/null
		exec 3</etc/passwd
		LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=users exec fdbroker exec \
			--limit read:/srv/one -- bash -c "echo \$FDBROKER_FD; exec /run/test/report"')
	expect_match "$output" '^[4-9]'
	expect_equal "${output//${output:0:1}/N}" "N
LISTEN_PID is right
LISTEN_FDS=1 LISTEN_FDNAMES=users
3 /etc/passwd
N socket:[]"
}

test_without_limits_the_program_of_exec_has_no_connection() {
	tool_policy
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(as alice fdbroker exec --open /srv/one:r -- bash -c '
		echo "${FDBROKER_FD-none}"; ls -l /proc/self/fd' | grep -cE 'none|socket')" 1
}

# Its number is in the way of the file: it moves.
test_a_connection_that_was_inherited_is_passed_on_by_exec() {
	tool_policy
	# shellcheck disable=SC2016 # expanded inside
	output=$(as alice bash -c 'exec 3>&- 4>&- 5>&-
		exec fdbroker exec --limit read:/srv/one -- bash -c "
			echo at \$FDBROKER_FD
			fdbroker exec --open /srv/one:r=a --open /srv/one:r=b -- bash -c \"
				cat <&3 && cat <&4 && echo
				fdbroker cat /srv/one /srv/two\"
			echo at \$FDBROKER_FD; fdbroker cat /srv/one"' 2>&1)
	expect_equal "$output" "at 4
oneone
onefdbroker: /srv/two: Permission denied (narrowed: this connection was narrowed, and may not do it any more)
at 4
one"
}

# What is passed on is the narrower one; the wider one is not to be found under its number.
test_the_program_of_limits_within_limits_has_one_connection() {
	tool_policy
	# shellcheck disable=SC2016 # expanded inside
	output=$(as alice bash -c 'exec 3>&- 4>&- 5>&-
		exec fdbroker exec --limit read:/srv/one --limit read:/srv/two -- bash -c "
			echo \$FDBROKER_FD
			fdbroker exec --limit read:/srv/two -- bash -c \"
				echo \\\$FDBROKER_FD; ls -l /proc/self/fd | grep -c socket\""')
	expect_equal "$output" "4
3
1"
}

test_any_number_of_processes_use_one_connection_at_once() {
	tool_policy
	cat >/run/test/pairs <<-'END'
		for _ in {1..60}; do
			timeout 5 fdbroker cat /srv/one >"$1/one" &
			first=$!
			timeout 5 fdbroker exec --open /srv/two:r -- bash -c 'cat <&3' >"$1/two" &
			second=$!
			wait $first || echo "the first ends with $?"
			wait $second || echo "the second ends with $?"
			echo "$(<"$1/one") $(<"$1/two")"
		done
	END
	mkdir -m 0777 /run/test/out
	as alice fdbroker exec --limit 'read:/srv/*' -- bash /run/test/pairs /run/test/out \
		>/run/test/answers 2>&1
	expect_equal "$(sort /run/test/answers | uniq -c | xargs)" "60 one two"
}

test_limits_within_limits_narrow_further_and_leave_the_first_connection() {
	tool_policy
	# shellcheck disable=SC2016 # expanded inside
	output=$(as alice fdbroker exec --limit read:/srv/one --limit read:/srv/two -- bash -c '
		fdbroker exec --limit read:/srv/two --limit read:/srv/three -- \
			fdbroker cat /srv/one /srv/two /srv/three
		fdbroker cat /srv/one' 2>&1 || true)
	expect_match "$output" '/srv/one: Permission denied \(narrowed'
	expect_match "$output" '/srv/three: Permission denied \(narrowed'
	expect_match "$output" 'two'
	expect_match "$output" 'one$'
}

test_limits_that_are_none_are_wrong_usage() {
	local limit
	tool_policy
	while IFS= read -r limit; do
		expect_status 64 as alice fdbroker exec --limit "$limit" -- true </dev/null
		expect_match "$output" "^fdbroker: exec: --limit: '.*see 'fdbroker exec --help'"
	done <<-'END'
		read
		:/srv/one
		read:
		reed:/srv/one
		read /srv/one
		read, list:/srv/one
		read:srv/one
		bind:80
		bind:tcp:http
	END
	expect_status 64 as alice fdbroker exec --limit read,reed:/srv/one -- true
	expect_match "$output" ": there is no verb 'reed'; the verbs of a limit are read, write, "
	expect_status 64 as alice fdbroker exec --limit read,:/srv/one -- true
	expect_match "$output" "'read,:/srv/one': the verbs of a limit are read, write, "
	expect_status 64 as alice fdbroker exec --limit
	expect_match "$output" '--limit: its argument is missing'
}

test_a_connection_that_is_none_is_said_to_be() {
	local number
	tool_policy
	for number in 0 99 7x -1 99999999999999999999; do
		expect_status 1 as alice env FDBROKER_FD="$number" fdbroker cat /srv/one </dev/null
		expect_match "$output" "^fdbroker: FDBROKER_FD=$number is no connection to the broker"
	done
	expect_equal "$(as alice env FDBROKER_FD= fdbroker cat /srv/one)" one
}

test_a_connection_that_has_ended_is_named() {
	tool_policy
	# shellcheck disable=SC2016 # expanded inside
	expect_status 1 as alice fdbroker exec --limit read:/srv/one -- python3 -c '
import os, socket, sys
fd = int(os.environ["FDBROKER_FD"])
socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_RDWR)
os.execvp("fdbroker", ["fdbroker", "cat", "/srv/one"])'
	expect_match "$output" '^fdbroker: FDBROKER_FD: .*the broker has closed the connection'
}

# The names are those that the policy language says it knows, each for the same family.
test_exec_knows_the_families_of_netlink_by_name() {
	local family
	local -a families
	policy <<<$'client a {\nfrom user alice\nallow socket netlink:none\n}'
	expect_status 1 fdbroker check "$POLICY"
	read -ra families <<<"$(sed -n 's/.*write one of: //p' <<<"$output")"
	((${#families[@]} > 10)) || fail "check knows ${#families[@]} families: $output"
	for family in "${families[@]}"; do
		policy <<<$'client a {\nfrom user alice\nallow socket netlink:'"$family"$'\n}'
		if [[ -z $BROKER_PID ]]; then
			start_broker
		else
			reload_broker
		fi
		output=$(as alice fdbroker exec --socket "netlink:$family" -- true 2>&1) ||
			expect_match "$output" 'Protocol not supported' "$family"
	done
	expect_status 64 as alice fdbroker exec --socket netlink:none -- true
	expect_match "$output" 'netlink:route'
}

test_exec_says_what_the_name_service_does_not_know() {
	policy <<-END
		client a {
			from user alice
			allow connect tcp:absent.internal:* tcp:localhost:*
		}
	END
	start_broker
	expect_status 125 as alice fdbroker exec --dial tcp:absent.internal:80 -- true
	expect_equal "$output" "fdbroker: tcp:absent.internal:80: no such host (names)"
	expect_status 125 as alice fdbroker exec --dial tcp:localhost:absent -- true
	expect_equal "$output" "fdbroker: tcp:localhost:absent: no such service (names)"
}

test_the_help_names_every_option_of_exec() {
	local option count=0
	while read -r option; do
		expect_match "$(fdbroker --help)" "\[$option "
		count=$((count + 1))
	done < <(fdbroker exec --help | grep -oE '^  --[a-z]+')
	((count > 3)) || fail "exec has $count options"
}

test_a_user_whom_no_block_is_for_is_told_so() {
	tool_policy
	expect_status 1 as bob fdbroker cat /srv/one
	expect_match "$output" "/srv/one: the broker has closed the connection.*uid $(id -u bob)"
}

test_a_socket_that_cannot_be_reached_is_named() {
	tool_policy
	chmod 0600 /run/fdbroker/broker.sock
	expect_status 1 as alice fdbroker cat /srv/one
	expect_match "$output" '/run/fdbroker/broker.sock: Permission denied \(its mode should be 0666'
	expect_status 1 as alice example-first /srv/one
	expect_match "$output" '/run/fdbroker/broker.sock.*Permission denied'
}

test_help_is_two_words() {
	local words
	for words in "" cat check exec; do
		# shellcheck disable=SC2086 # none or one word
		expect_equal "$(fdbroker $words -h)" "$(fdbroker $words --help)" "fdbroker $words -h"
	done
	expect_status 64 fdbroker chekc
	expect_match "$output" "there is no 'chekc'; the commands are cat, check, exec"
}

test_check_finds_nothing_wrong_in_a_good_policy() {
	tool_policy
	expect_status 0 fdbroker check "$POLICY"
	expect_status 0 fdbroker check /etc/fdbroker
}

# The broker asks in a process of its own, check by itself.
test_a_protocol_is_known_by_its_name() {
	printf 'ospf\t89\tOSPFIGP\n' >/etc/protocols
	printf 'client a {\nfrom user alice\nallow socket raw:ospf\n}\n' | policy
	expect_status 0 fdbroker check --strict "$POLICY"
	start_broker
	expect_equal "$(log_count 'no protocol')" 0 "warnings"
	stop_broker
	rm /etc/protocols
	expect_status 2 fdbroker check --strict "$POLICY"
	expect_match "$output" "there is no protocol 'ospf'"
	start_broker
	expect_log "there is no protocol 'ospf'"
}

test_check_prints_every_problem_with_line_and_caret() {
	cat >/run/test/bad.policy <<-END
		client one {
			from user alice
			alow read /srv/one
			allow read srv/two
			allow bind tcp:70000
		}
	END
	expect_status 1 fdbroker check /run/test/bad.policy
	expect_match "$output" 'bad.policy:3:[0-9-]+: error:.*alow'
	expect_match "$output" 'bad.policy:4:[0-9-]+: error:.*srv/two'
	expect_match "$output" 'bad.policy:5:[0-9-]+: error:.*70000'
	expect_match "$output" '\^'
}

test_check_needs_no_broker_and_no_root() {
	policy </dev/null
	expect_status 0 as bob fdbroker check "$POLICY"
}

runs() { # PID NAME
	[[ $(cat "/proc/$1/comm") == "$2" ]]
}

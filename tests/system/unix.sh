# shellcheck shell=bash
# Binding the client's own unix socket to a path.

unix_policy() {
	policy <<-END
		client app {
			from user alice
			allow bind unix:/run/app/**
			allow bind unix:/run/app/shared.sock mode 0660 owner alice:staff
			allow bind unix:/run/app/strict.sock symlinks none
			allow bind unix:/home/alice/*.sock unix:/tmp/*.sock
			allow bind unix:/run/link/*.sock
			deny  bind unix:/run/app/denied.sock unix:/run/real/denied.sock
		}
		client other {
			from user bob
			allow bind unix:/run/app/shared.sock mode 0660 owner bob:staff
		}
	END
	mkdir -p /run/app/below /run/real
	ln -s real /run/link
	start_broker
}

STREAM="make AF_UNIX SOCK_STREAM"

bind_once() { # PATH [TYPE]
	as alice ask "make AF_UNIX ${2-SOCK_STREAM}" "bind-it unix $1" | tail -n 1
}

mode_of() { # PATH
	stat -c '%F %a %U:%G' "$1"
}

test_a_unix_socket_is_bound_in_a_folder_that_is_roots_alone() {
	unix_policy
	open_session server alice
	tell server "$STREAM" >/dev/null
	expect_equal "$(tell server "bind-it unix /run/app/below/a.sock")" ok
	expect_equal "$(mode_of /run/app/below/a.sock)" "socket 600 fdbroker:fdbroker"
	expect_log 'audit: allowed .*bind.*unix:/run/app/below/a\.sock'
}

test_every_type_of_unix_socket_is_served() {
	local type
	unix_policy
	for type in SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET; do
		expect_equal "$(bind_once "/run/app/$type" "$type")" ok "$type"
	done
}

test_mode_and_owner_are_the_rules_and_clients_can_connect() {
	unix_policy
	open_session server alice
	tell server "$STREAM" >/dev/null
	expect_equal "$(tell server "bind-it unix /run/app/shared.sock")" ok
	expect_equal "$(mode_of /run/app/shared.sock)" "socket 660 alice:staff"
	expect_equal "$(tell server start-listening)" ok
	expect_equal "$(as bob ask --direct "$STREAM" "connect-it unix /run/app/shared.sock")" $'ok\nok'
	expect_equal "$(as carol ask --direct "$STREAM" "connect-it unix /run/app/shared.sock")" \
		$'ok\nEACCES'
}

# The credentials that its clients see are those of who called listen(2), unix(7).
test_clients_see_the_servers_own_credentials() {
	unix_policy
	open_session server alice
	tell server "$STREAM" >/dev/null
	expect_equal "$(tell server "bind-it unix /run/app/shared.sock")" ok
	expect_equal "$(tell server start-listening)" ok
	expect_equal "$(python3 - <<-END
		import socket, struct
		s = socket.socket(socket.AF_UNIX)
		s.connect("/run/app/shared.sock")
		print(struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
	END
	)" "$(id -u alice)"
}

test_what_no_rule_grants_is_denied_and_logged() {
	unix_policy
	expect_equal "$(bind_once /run/other.sock)" "EACCES policy"
	expect_equal "$(bind_once /run/app/denied.sock)" "EACCES policy"
	expect_equal "$(bind_once /run/app/../app/a.sock)" "EACCES policy"
	expect_log 'audit: denied .*bind.*unix:/run/other\.sock'
	[[ ! -e /run/other.sock && ! -e /run/app/denied.sock ]] || fail "a socket was made"
}

test_a_folder_that_a_user_can_write_to_is_no_place_for_a_socket() {
	unix_policy
	expect_equal "$(bind_once /home/alice/a.sock)" "EACCES placement"
	expect_equal "$(bind_once /tmp/a.sock)" "EACCES placement"
	[[ ! -e /home/alice/a.sock && ! -e /tmp/a.sock ]] || fail "a socket was made"
}

test_a_link_of_root_on_the_way_is_followed_and_deny_judges_where_it_leads() {
	unix_policy
	expect_equal "$(bind_once /run/link/a.sock)" ok
	expect_equal "$(mode_of /run/real/a.sock)" "socket 600 fdbroker:fdbroker"
	expect_equal "$(bind_once /run/link/denied.sock)" "EACCES policy"
}

test_a_link_at_the_end_is_not_followed() {
	unix_policy
	ln -s /run/real/new.sock /run/app/a.sock
	ln -s /run/real/new.sock /run/app/strict.sock
	expect_equal "$(bind_once /run/app/a.sock)" "EADDRINUSE kernel"
	expect_equal "$(bind_once /run/app/strict.sock)" "EADDRINUSE kernel"
	[[ ! -e /run/real/new.sock ]] || fail "the link was followed"
}

test_what_is_no_socket_stays() {
	unix_policy
	echo content >/run/app/file
	mkfifo /run/app/fifo
	expect_equal "$(bind_once /run/app/file)" "EADDRINUSE kernel"
	expect_equal "$(bind_once /run/app/fifo)" "EADDRINUSE kernel"
	expect_equal "$(bind_once /run/app/below)" "EADDRINUSE kernel"
	expect_equal "$(cat /run/app/file)" content
}

test_a_stale_socket_is_replaced() {
	local type
	unix_policy
	for type in SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET; do
		expect_equal "$(bind_once /run/app/shared.sock "$type")" ok "the first"
		expect_equal "$(bind_once /run/app/shared.sock "$type")" ok "after it has ended"
		expect_equal "$(mode_of /run/app/shared.sock)" "socket 660 alice:staff"
	done
	expect_equal "$(ls -A /run/app)" $'below\nshared.sock' "what is left behind"
}

# It was taken aside, and then the executor was killed.
test_the_name_that_the_broker_takes_sockets_aside_to_is_nobodys() {
	unix_policy
	sed -i 's|^\(.*allow bind\) unix:/run/app/\*\*$|\1 unix:/run/app/** unix:/run/app/.*|' "$POLICY"
	reload_broker
	expect_equal "$(bind_once /run/app/.hidden)" ok
	expect_equal "$(bind_once /run/app/.fdbroker-stale)" "EACCES placement"
}

test_what_an_executor_left_behind_is_removed_by_the_next() {
	unix_policy
	python3 -c 'import socket, sys
for path in sys.argv[1:]: socket.socket(socket.AF_UNIX).bind(path)' \
		/run/app/.fdbroker-stale /run/app/shared.sock
	expect_equal "$(bind_once /run/app/shared.sock)" ok
	expect_equal "$(ls -A /run/app)" $'below\nshared.sock' "what is left behind"
}

test_a_socket_that_is_in_use_is_not_replaced() {
	local type inode
	unix_policy
	for type in SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET; do
		open_session "$type" alice
		tell "$type" "make AF_UNIX $type" >/dev/null
		expect_equal "$(tell "$type" "bind-it unix /run/app/$type")" ok
		inode=$(stat -c %i "/run/app/$type")
		# Bound is in use already, listening or not.
		expect_equal "$(bind_once "/run/app/$type")" "EADDRINUSE kernel"
		if [[ $type != SOCK_DGRAM ]]; then
			expect_equal "$(tell "$type" start-listening)" ok
		fi
		expect_equal "$(bind_once "/run/app/$type" "$type")" "EADDRINUSE kernel"
		expect_equal "$(stat -c %i "/run/app/$type")" "$inode" "the socket of $type"
	done
}

# Not even that somebody asked is seen by whoever listens.
test_the_probe_never_reaches_a_listener() {
	unix_policy
	open_session server alice
	tell server "make AF_UNIX SOCK_STREAM|SOCK_NONBLOCK" >/dev/null
	expect_equal "$(tell server "bind-it unix /run/app/shared.sock")" ok
	expect_equal "$(tell server start-listening)" ok
	expect_equal "$(as bob ask "$STREAM" "bind-it unix /run/app/shared.sock" | tail -n 1)" \
		"EADDRINUSE kernel"
	expect_equal "$(tell server "answer nothing")" EAGAIN
}

test_of_many_who_find_a_stale_socket_one_gets_its_place() {
	local round i pids winners
	unix_policy
	for round in {1..5}; do
		expect_equal "$(bind_once /run/app/shared.sock)" ok "what is left behind"
		rm -f /run/test/go /run/test/answer.*
		pids=()
		for i in {1..12}; do
			start_as alice ask "$STREAM" "wait-for /run/test/go" \
				"bind-it unix /run/app/shared.sock" "wait-for /run/test/over.$round" \
				>"/run/test/answer.$i"
			pids+=($!)
		done
		eventually 10 waiting_are 12 || fail "the clients do not wait"
		touch /run/test/go
		eventually 20 answered_are 12 || fail "not all have an answer: $(cat /run/test/answer.*)"
		winners=$(sed -n 3p -s /run/test/answer.* | grep -c '^ok$' || true)
		expect_equal "$winners" 1 "winners in round $round"
		expect_equal "$(sed -n 3p -s /run/test/answer.* | grep -vc '^ok$\|^EADDRINUSE kernel$' ||
			true)" 0 "other answers"
		expect_equal "$(ls -A /run/app)" $'below\nshared.sock' "what is left behind"
		expect_equal "$(bind_once /run/app/shared.sock)" "EADDRINUSE kernel" "while it is in use"
		touch "/run/test/over.$round"
		wait "${pids[@]}"
	done
}

# Who has got the name keeps it: that a socket looks stale for a moment while it is being bound
# must not be seen.
test_a_socket_that_has_got_its_name_keeps_it() {
	local i pids=()
	unix_policy
	for i in {1..6}; do
		start_as alice ask "bind-often /run/app/shared.sock 3" >"/run/test/often.$i" 2>&1
		pids+=($!)
	done
	wait "${pids[@]}"
	expect_match "$(cat /run/test/often.*)" 'bound=[1-9]'
	expect_equal "$(cat /run/test/often.* | grep -v ' lost=0$' || true)" "" "who has lost it"
	expect_equal "$(ls -A /run/app)" $'below\nshared.sock' "what is left behind"
}

# Between bind(2) and its owner and mode nobody may connect to it.
test_a_socket_has_no_permissions_until_it_has_the_rules() {
	unix_policy
	start_as alice ask "bind-often /run/app/shared.sock 3" >/run/test/often 2>&1
	expect_equal "$(python3 - <<-END
		import os, time
		seen = set()
		end = time.monotonic() + 2
		while time.monotonic() < end:
		    try:
		        status = os.stat("/run/app/shared.sock")
		    except FileNotFoundError:
		        continue
		    permissions = status.st_mode & 0o777
		    seen.add((oct(permissions), permissions and status.st_uid, permissions and status.st_gid))
		print(*sorted(seen))
	END
	)" "('0o0', 0, 0) ('0o660', $(id -u alice), $(getent group staff | cut -d: -f3))" "modes seen"
}

# Root alone can write to the folder, and may put a socket of its own there at any moment.
test_a_socket_that_takes_the_place_of_a_stale_one_is_not_removed() {
	unix_policy
	mkdir /run/kept
	start_as alice ask "bind-often /run/app/shared.sock 5" >/run/test/often 2>&1
	python3 - <<-END || fail "$(ls -lAi /run/app /run/kept)"
		import os, random, socket, sys, time
		path, aside = "/run/app/shared.sock", "/run/kept/aside"
		socket.socket(socket.AF_UNIX).bind("/run/kept/stale")
		live = socket.socket(socket.AF_UNIX)
		live.bind("/run/kept/live")
		live.listen(64)
		inode = os.stat("/run/kept/live").st_ino
		def place(name):
		    os.link("/run/kept/" + name, aside)
		    os.rename(aside, path)
		def is_there():
		    try:
		        return os.stat(path).st_ino == inode
		    except FileNotFoundError:
		        return False
		end = time.monotonic() + 3
		while time.monotonic() < end:
		    place("stale")
		    time.sleep(random.random() / 2000)
		    place("live")
		    time.sleep(0.0005)
		    patience = time.monotonic() + 2
		    while not is_there():
		        if time.monotonic() > patience:
		            sys.exit(1)
	END
	# Where this test itself has taken the name meanwhile, none can be.
	expect_equal "$(grep 'cannot move' "$BROKER_LOG" | grep -vc 'File exists' || true)" 0 \
		"sockets that could not be moved back"
}

waiting_are() { # COUNT
	(($(cat /run/test/answer.* | grep -c '^ok$') == $1))
}

answered_are() { # COUNT
	(($(sed -n 3p -s /run/test/answer.* | grep -c .) == $1))
}

test_a_socket_has_one_name() {
	unix_policy
	expect_equal "$(bind_once /run/app/stale.sock)" ok
	expect_equal "$(as alice ask "$STREAM" "bind-it unix /run/app/a.sock" \
		"bind-it unix /run/app/b.sock" "bind-it unix /run/app/stale.sock" | tail -n 2)" \
		$'EINVAL kernel\nEINVAL kernel'
	[[ ! -e /run/app/b.sock && -S /run/app/stale.sock ]] || fail "$(ls /run/app)"
}

test_other_sockets_have_no_paths_and_unix_sockets_no_addresses() {
	unix_policy
	expect_equal "$(bind_once /run/app/a.sock)" ok
	expect_equal "$(as alice ask "make AF_INET SOCK_STREAM" "bind-it unix /run/app/b.sock" \
		"make AF_INET6 SOCK_DGRAM" "bind-it unix /run/app/b.sock" \
		"$STREAM" "bind-it inet 127.0.0.1 80")" \
		$'ok\nEAFNOSUPPORT socket\nok\nEAFNOSUPPORT socket\nok\nEINVAL socket'
}

test_the_working_directory_and_umask_of_executors_are_as_before() {
	local pid
	unix_policy
	expect_equal "$(bind_once /run/app/below/a.sock)" ok
	expect_equal "$(bind_once /run/app/below/a.sock)" ok
	for pid in $(broker_pids executor); do
		expect_equal "$(readlink "/proc/$pid/cwd")" /
		expect_equal "$(awk '$1 == "Umask:" { print $2 }' "/proc/$pid/status")" 0077
	done
}

test_a_path_is_the_same_from_every_network_namespace() {
	unix_policy
	expect_equal "$(unshare --net bash -c 'source tests/system/lib.sh
		as alice ask "make AF_UNIX SOCK_STREAM" "bind-it unix /run/app/a.sock"')" $'ok\nok'
}

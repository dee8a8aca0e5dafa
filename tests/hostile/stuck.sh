# shellcheck shell=bash
# Whoever asks for something that never ends waits alone.

stuck_policy() {
	policy <<-END
		client stuck {
			from user alice
			allow read,write /home/alice/hang/*
			allow bind tcp:80
			allow connect tcp:*:80
		}
		client others {
			from user bob
			allow read /srv/*
			allow read /etc/certificates/*.pem
			allow read,write,create /srv/new/*
			allow bind tcp:443 udp:53
		}
	END
	secret /srv/file content
	secret /etc/certificates/real/key "the key"
	ln -s real/key /etc/certificates/key.pem
	mkdir -p /srv/new
	start_broker
	# One that was connected before.
	open_session bob bob
	expect_equal "$(tell bob "cat /srv/file")" "ok content"
}

# Every kind of request of another user, on an old and on a new connection, within ten seconds.
others_go_on() {
	local commands=("cat /srv/file" "cat /etc/certificates/key.pem" "bind tcp 0.0.0.0 443" "close"
		"bind udp :: 53" "close" "listen tcp:443" "close" "open /srv/new/$1 O_RDWR|O_CREAT|O_EXCL"
		"write text" "cat /srv/nothing" "cat /home/alice/hang/fine")
	local expected=$'ok content\nok the key\nok\nok\nok\nok\nok\nok\nok\nok\nENOENT kernel\nEACCES policy'
	local command before=$SECONDS answers=()
	for command in "${commands[@]}"; do
		answers+=("$(tell bob "$command")")
	done
	expect_equal "$(printf '%s\n' "${answers[@]}")" "$expected" "the old connection"
	rm "/srv/new/$1"
	expect_equal "$(as bob timeout 10 ask "${commands[@]}" 2>&1)" "$expected" "a new connection"
	expect_at_most $((SECONDS - before)) 10 "seconds that the others took"
}

stuck_clients() { # COUNT COMMAND
	local i
	STUCK_PIDS=()
	for ((i = 0; i < $1; i++)); do
		start_as alice ask "$2" >>/run/test/stuck 2>&1
		STUCK_PIDS+=($!)
	done
	sleep 1
}

test_a_file_on_a_fuse_file_system_that_answers_is_served() {
	stuck_policy
	hang alice /home/alice/hang
	expect_equal "$(as alice timeout 10 ask "cat /home/alice/hang/fine")" "ok fine\n"
	others_go_on new
}

stuck_on() { # NAME
	stuck_policy
	hang alice /home/alice/hang
	stuck_clients 1 "open /home/alice/hang/$1"
	others_go_on one
	stuck_clients $((EXECUTORS + 8)) "open /home/alice/hang/$1"
	others_go_on many
}

test_a_name_that_is_never_found_costs_the_asker_alone() {
	stuck_on lookup
}

test_a_file_whose_open_never_ends_costs_the_asker_alone() {
	stuck_on open
}

test_a_file_whose_attributes_never_come_costs_the_asker_alone() {
	stuck_on getattr
}

test_a_link_that_is_never_read_costs_the_asker_alone() {
	stuck_on link
}

test_a_folder_that_never_answers_costs_the_asker_alone() {
	stuck_policy
	hang alice /home/alice/hang
	sed -i 's|hang/\*|hang/**|' "$POLICY"
	reload_broker || fail "the reload failed"
	stuck_clients $((EXECUTORS + 8)) "open /home/alice/hang/lookup/below"
	others_go_on many
}

test_many_stuck_requests_on_one_connection_cost_the_asker_alone() {
	local i command=many
	stuck_policy
	hang alice /home/alice/hang
	for i in {1..64}; do
		command+=" /home/alice/hang/lookup$i"
	done
	stuck_clients 4 "$command"
	others_go_on many
}

test_the_asker_is_told_in_the_end_that_the_outcome_is_unknown() {
	stuck_policy
	hang alice /home/alice/hang
	start_as alice timeout 50 ask "open /home/alice/hang/open" >/run/test/stuck
	wait $! || true
	expect_match "$(cat /run/test/stuck)" '^E[A-Z]+ unknown$'
	expect_match "$(as alice timeout 10 ask "cat /home/alice/hang/fine")" '^ok fine' "afterwards"
}

test_when_the_file_system_dies_everything_is_as_before() {
	local before
	stuck_policy
	hang alice /home/alice/hang
	before=$(broker_descriptors)
	stuck_clients $((EXECUTORS + 8)) "open /home/alice/hang/open"
	kill -KILL "$HANGFS_PID"
	wait "${STUCK_PIDS[@]}" || true
	umount -l /home/alice/hang
	others_go_on after
	expect_descriptors "$before"
}

test_a_reload_is_not_held_up_by_what_is_stuck() {
	stuck_policy
	hang alice /home/alice/hang
	stuck_clients $((EXECUTORS + 8)) "open /home/alice/hang/open"
	reload_broker || fail "the reload failed"
	others_go_on reloaded
}

test_a_client_whose_socket_lingers_when_it_is_closed_delays_nobody() {
	local i
	stuck_policy
	for ((i = 0; i < EXECUTORS + 8; i++)); do
		start_as alice hostile lingering 80 >"/run/test/lingering$i" 2>&1
	done
	sleep 1
	others_go_on lingering
	! grep -q closed /run/test/lingering* || fail "the broker did not take what it was sent"
}

stalled_during() { # bind|connect
	local i pids=()
	stuck_policy
	hang alice /home/alice/hang
	for ((i = 0; i < EXECUTORS + 8; i++)); do
		start_as alice hostile "stalled-$1" 80 /home/alice/hang/read >"/run/test/stalled$i" 2>&1
		pids+=($!)
	done
	sleep 1
	others_go_on stalled
	! grep -q closed /run/test/stalled* || fail "the broker did not take what it was sent"
	# The locks go with the one who held them, and then all is well again.
	kill -KILL "${pids[@]}"
	expect_equal "$(as alice timeout 20 ask "bind tcp 0.0.0.0 80")" ok
}

test_a_client_that_keeps_its_socket_locked_during_a_bind_delays_nobody() {
	stalled_during bind
}

test_a_client_that_keeps_its_socket_locked_during_a_connect_delays_nobody() {
	stalled_during connect
}

# A folder whose lock somebody holds, who may only read it.
locked_folder() {
	mkdir -p /srv/locked /srv/free
	touch /srv/locked/something
	hang alice /home/alice/hang
	policy <<-END
		client alice {
			from user alice
			allow bind unix:/srv/locked/*
		}
		client bob {
			from user bob
			allow bind unix:/srv/free/*
		}
	END
	start_broker
	start_as alice dirlock /srv/locked /home/alice/hang/read >/run/test/dirlock 2>&1
	DIRLOCK=$!
	eventually 5 grep -qs reading /run/test/dirlock || fail "$(cat /run/test/dirlock)"
	eventually 5 is_stopped_in_the_kernel "$DIRLOCK" || fail "it does not hang"
}

is_stopped_in_the_kernel() { # PID
	[[ $(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status") == [DS] ]]
}

test_a_folder_that_is_locked_does_not_stop_binds_in_others() {
	locked_folder
	open_session stuck alice
	tell stuck "make AF_UNIX SOCK_STREAM" >/dev/null
	tell_and_go_on stuck "bind-it unix /srv/locked/a"
	sleep 0.5
	expect_equal "$(as bob timeout 5 ask "make AF_UNIX SOCK_STREAM" "bind-it unix /srv/free/b" \
		start-listening)" $'ok\nok\nok'
	kill -KILL "$DIRLOCK"
}

test_a_rename_out_of_a_folder_into_one_that_hangs_holds_up_nobody_in_the_first() {
	policy <<-END
		client alice {
			from user alice
			allow create,remove /srv/spool/* %h/hang/* type any as peer
		}
		client bob {
			from user bob
			allow create /srv/spool/* type directory
		}
	END
	mkdir -p /srv/spool
	chmod 0755 /srv /srv/spool /home/alice
	touch /srv/spool/file
	hang alice /home/alice/hang
	start_broker
	! as alice stat /home/alice/hang/free 2>/dev/null || fail "it is there"
	open_session making alice
	tell_and_go_on making "mkdir /home/alice/hang/mkdir"
	sleep 0.5
	open_session moving alice
	tell_and_go_on moving "rename /srv/spool/file /home/alice/hang/free"
	sleep 0.5
	expect_equal "$(as bob timeout 5 ask "mkdir /srv/spool/new")" ok
	kill -KILL "$HANGFS_PID"
}

# Alice reads a folder of root's into memory that never comes; so nobody changes anything there.
hold_folder() { # FOLDER
	hang alice /home/alice/fuse
	start_as alice dirlock "$1" /home/alice/fuse/read >/run/test/dirlock.log 2>&1
	DIRLOCK=$!
	sleep 0.5
}

moving_policy() {
	policy <<-END
		client test {
			from user alice
			from user bob
			allow create,remove,stat /srv/a/* type any
			allow create /srv/b/* type any
			allow read /srv/b/open/**
		}
	END
	mkdir -p /srv/b
	mkdir -m 0700 /srv/a
	chmod 0755 /srv /srv/b
	touch /srv/a/file /srv/b/any
	secret /srv/a/folder/secret "inside root's folder"
}

test_a_rename_that_hangs_holds_up_nobody_at_another_name() {
	moving_policy
	start_broker
	hold_folder /srv/b
	open_session moving alice
	tell_and_go_on moving "rename /srv/a/file /srv/b/file"
	sleep 0.5
	expect_equal "$(as bob timeout 5 ask "mkdir /srv/a/new")" ok
	kill -KILL "$DIRLOCK" "$HANGFS_PID"
}

# The reload gives its executor up, and the kernel does not: what was judged is what is moved.
test_a_rename_that_hangs_over_a_reload_moves_what_was_judged() {
	moving_policy
	start_broker
	hold_folder /srv/b
	open_session moving alice
	tell_and_go_on moving "rename /srv/a/file /srv/b/open"
	sleep 0.5
	reload_broker
	open_session other alice
	tell_and_go_on other "rename /srv/a/file /srv/a/file2"
	open_session another alice
	tell_and_go_on another "rename /srv/a/folder /srv/a/file"
	sleep 1
	[[ -f /srv/a/file && -d /srv/a/folder ]] || fail "somebody else had the turn"
	kill -KILL "$DIRLOCK" "$HANGFS_PID"
	eventually 5 test -e /srv/b/open -o ! -e /srv/a/file
	expect_equal "$(as alice ask "cat /srv/b/open/secret" | sed 's/inside.*/the secret/')" \
		"ENOTDIR kernel"
}

test_what_hangs_is_recorded_for_it_may_come_to_pass() {
	locked_folder
	open_session stuck alice
	tell stuck "make AF_UNIX SOCK_STREAM" >/dev/null
	tell_and_go_on stuck "bind-it unix /srv/locked/a"
	sleep 0.5
	reload_broker
	expect_log 'executor [0-9]+ hangs in the kernel .*may still come to pass'
	expect_log 'audit: allowed uid=2001 .*verb=bind object="unix:/srv/locked/a" reason=unknown error=EOWNERDEAD'
	kill -KILL "$DIRLOCK"
}

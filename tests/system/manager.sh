# shellcheck shell=bash
# The service manager's protocols: the socket that it passes, what it is told.

# A service manager of a few lines: passes a listening socket as descriptor 3, with all the options
# that accepted sockets would inherit, and prints what it is told.
manager() {
	cat >/run/test/manager <<-'END'
		#!/usr/bin/python3
		import os, signal, socket, sys
		kind = getattr(socket, sys.argv[1])
		listener = socket.socket(socket.AF_UNIX, kind)
		listener.bind("/run/fdbroker/broker.sock")
		os.chmod("/run/fdbroker/broker.sock", 0o666)
		listener.listen()
		listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
		told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		told.bind("/run/test/notify")
		if os.fork() == 0:
		    os.dup2(listener.fileno(), 3)
		    os.set_inheritable(3, True)
		    os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()),
		        "NOTIFY_SOCKET": "/run/test/notify"}
		    os.execvp("fdbrokerd", ["fdbrokerd", *sys.argv[2:]])
		signal.signal(signal.SIGCHLD, signal.SIG_IGN) # leave no zombie
		while True:
		    print(told.recv(4096).decode().replace("\n", " "), flush=True)
	END
	chmod 0755 /run/test/manager
	policy <<-END
		client test {
			from user alice
			allow read /srv/one
			allow bind tcp:80
		}
	END
	secret /srv/one one
	/run/test/manager "$1" --policy "$POLICY" >/run/test/told 2>"$BROKER_LOG" &
}

told() { # REGEX
	eventually 10 grep -qE -- "$1" /run/test/told ||
		fail "the manager was not told '$1' but: $(cat /run/test/told "$BROKER_LOG")"
}

test_the_socket_of_the_service_manager_is_used_and_it_is_told_the_state() {
	manager SOCK_SEQPACKET
	told '^READY=1 STATUS=serving'
	expect_equal "$(as alice ask "cat /srv/one" "bind tcp 0.0.0.0 80")" $'ok one\nok'
	BROKER_PID=$(broker_pids "")
	kill -HUP "$BROKER_PID"
	told '^RELOADING=1 MONOTONIC_USEC=[0-9]+$'
	told '^READY=1 STATUS=serving, policy generation 2'
	echo nonsense >>"$POLICY"
	kill -HUP "$BROKER_PID"
	told '^READY=1 STATUS=reload failed'
	stop_broker
	told '^STOPPING=1'
	# It is the manager's, who keeps it.
	[[ -S /run/fdbroker/broker.sock ]] || fail "the socket is gone"
}

test_a_socket_of_the_wrong_kind_is_refused_with_what_would_be_right() {
	manager SOCK_STREAM
	expect_log 'ListenSequentialPacket='
	eventually 5 no_daemon || fail "it runs"
}

no_daemon() {
	[[ -z $(broker_pids) ]]
}

# It is there before there is a policy to judge it by.
test_a_client_that_waits_when_the_broker_starts_is_served() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/one
		}
	END
	secret /srv/one one
	cat >/run/test/late <<-'END'
		#!/usr/bin/python3
		import os, socket, sys
		listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		listener.bind("/run/fdbroker/broker.sock")
		os.chmod("/run/fdbroker/broker.sock", 0o666)
		listener.listen()
		sys.stdin.readline()
		os.dup2(listener.fileno(), 3)
		os.set_inheritable(3, True)
		os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
		os.execvp("fdbrokerd", ["fdbrokerd", *sys.argv[1:]])
	END
	chmod 0755 /run/test/late
	mkfifo /run/test/go
	/run/test/late --policy "$POLICY" <>/run/test/go >>"$BROKER_LOG" 2>&1 &
	BROKER_PID=$!
	eventually 5 test -S /run/fdbroker/broker.sock || fail "nobody listens"
	start_as alice timeout 20 ask "cat /srv/one" >/run/test/answer
	sleep 0.5
	echo >/run/test/go
	wait $! || true
	expect_equal "$(cat /run/test/answer)" "ok one"
}

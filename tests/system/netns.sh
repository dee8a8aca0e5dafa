# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# `netns`: in which network namespace a socket may live that a client sends.

netns_policy() {
	policy <<-END
		client nets {
			from user alice
			allow bind tcp:80
			allow bind tcp:81 netns peer
			allow bind tcp:82 netns any
			allow connect udp:127.0.0.1:90
			allow connect udp:127.0.0.1:91 netns peer
			allow option mark=1
			allow option mark=2 netns any
			allow socket netlink:route
		}
	END
	start_broker
}

# As alice in a network namespace of her own.
elsewhere() { # COMMAND...
	# shellcheck disable=SC2016 # expanded inside
	unshare --net bash -c 'source tests/system/lib.sh; ip link set lo up; as alice ask "$@"' \
		elsewhere "$@"
}

# As alice, connected to the broker in the broker's network namespace, with a socket of another one.
with_socket_from_elsewhere() { # COMMAND...
	unshare --net python3 - "$@" <<-END
		import os, socket, sys
		s = socket.socket()
		os.dup2(s.fileno(), 9)
		os.execvp("nsenter", ["nsenter", "--net=/proc/1/ns/net", "bash", "-c",
		    'source tests/system/lib.sh; as alice ask "adopt 9" "\$@"', "ask"] + sys.argv[1:])
	END
}

# As a user of a rootless container: a network namespace and a user namespace of its own, where the
# uids from 0 to 65535 are those from 100000 outside. UID is one of them, as it is called inside.
in_container() { # UID COMMAND...
	python3 - "$@" <<-'END'
		import ctypes, os, sys
		CLONE_NEWUSER, CLONE_NEWNET, PR_SET_DUMPABLE = 0x10000000, 0x40000000, 4
		libc = ctypes.CDLL(None)
		made, mapped = os.pipe(), os.pipe()
		inside = os.fork()
		if inside == 0:
		    os.setgroups([])
		    os.setresgid(100000, 100000, 100000)
		    os.setresuid(100000, 100000, 100000)
		    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
		    assert libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0
		    os.write(made[1], b"x")
		    os.read(mapped[0], 1)
		    uid = int(sys.argv[1])
		    os.setresgid(uid, uid, uid)
		    os.setresuid(uid, uid, uid)
		    os.execvp(sys.argv[2], sys.argv[2:])
		os.close(made[1])
		if os.read(made[0], 1) != b"x":
		    sys.exit("there is no user namespace to be had")
		for name in "uid_map", "gid_map":
		    open(f"/proc/{inside}/{name}", "w").write("0 100000 65536")
		os.write(mapped[1], b"x")
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(inside, 0)[1]))
	END
}

TCP="make AF_INET SOCK_STREAM"
UDP="make AF_INET SOCK_DGRAM"

test_a_socket_of_the_brokers_namespace_is_served_by_each_of_them() {
	netns_policy
	expect_equal "$(as alice ask "$TCP" "bind-it inet 0.0.0.0 80" "$TCP" "bind-it inet 0.0.0.0 81" \
		"$TCP" "bind-it inet 0.0.0.0 82" "$UDP" "connect-it inet 127.0.0.1 90" \
		"connect-it inet 127.0.0.1 91" "set-option SOL_SOCKET SO_MARK 1")" \
		"$(printf 'ok\n%.0s' {1..10})"
}

test_the_default_is_the_brokers_namespace_alone() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 80" "$UDP" \
		"connect-it inet 127.0.0.1 90" "set-option SOL_SOCKET SO_MARK 1")" \
		$'ok\nEACCES netns\nok\nEACCES netns\nEACCES netns'
	expect_log 'audit: denied .*object="tcp:0\.0\.0\.0:80".*netns'
}

test_peer_is_the_namespace_that_the_client_connected_from() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 81" name "$UDP" \
		"connect-it inet 127.0.0.1 91")" $'ok\nok\nok 0.0.0.0 81\nok\nok'
	expect_equal "$(with_socket_from_elsewhere "bind-it inet 0.0.0.0 81")" $'ok\nEACCES netns'
}

test_any_is_any() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 82" "$UDP" \
		"set-option SOL_SOCKET SO_MARK 2" "get-option SOL_SOCKET SO_MARK")" \
		$'ok\nok\nok\nok\nok 2'
	expect_equal "$(with_socket_from_elsewhere "bind-it inet 0.0.0.0 82" name)" \
		$'ok\nok\nok 0.0.0.0 82'
}

test_a_privileged_port_elsewhere_needs_no_privilege_there() {
	netns_policy
	expect_equal "$(elsewhere "$TCP" "bind-myself 0.0.0.0 81")" $'ok\nEACCES'
	expect_equal "$(elsewhere "$TCP" "bind-it inet 0.0.0.0 81")" $'ok\nok'
}

# What the broker makes lives where the broker does.
test_a_fresh_socket_is_of_the_brokers_namespace() {
	netns_policy
	expect_equal "$(elsewhere "listen tcp:80" "listen tcp:81" "listen tcp:82" \
		"socket AF_NETLINK SOCK_RAW 0")" $'ok\nEACCES netns\nok\nok'
	expect_equal "$(as alice ask "listen tcp:81")" ok
}

# There the broker is a user whom that namespace has no uid for.
# Not in a chroot, nor where the machine does not let them be: user_namespaces(7), unshare(2).
needs_containers() {
	unshare --user true 2>/dev/null || skip "there are no user namespaces to be had here"
}

test_a_rootless_container_reaches_the_broker() {
	needs_containers
	policy <<-END
		client containers {
			from user 100000-165535
			allow bind tcp:80 netns peer
		}
	END
	start_broker
	expect_equal "$(in_container 0 ask "$TCP" "bind-it inet 0.0.0.0 80" name)" \
		$'ok\nok\nok 0.0.0.0 80'
	expect_equal "$(in_container 33 ask "$TCP" "bind-it inet 0.0.0.0 80" name)" \
		$'ok\nok\nok 0.0.0.0 80'
	expect_equal "$(in_container 0 python3 -c '
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("/run/fdbroker/broker.sock")
os.dup2(s.fileno(), 9)
os.execvp("ask", ["ask", "adopt 9", "make AF_INET SOCK_STREAM", "bind-it inet 0.0.0.0 80"])')" \
		$'ok\nok\nok'
}

# Takes the broker's place.
pretend() { # UID PATH
	python3 - "$@" >/dev/null 2>&1 <<-'END' &
		import os, socket, sys, time
		uid, path = int(sys.argv[1]), sys.argv[2]
		os.setresuid(uid, uid, uid)
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		s.bind(path)
		s.listen()
		os.chmod(path, 0o666)
		time.sleep(50)
	END
	eventually 5 listening_at "$2" || fail "nobody listens at $2"
}

listening_at() { # PATH
	[[ $(stat -c %a "$1" 2>/dev/null) == 666 ]]
}

# nobody has the uid by which a container knows all who are outside.
test_a_server_of_another_user_is_refused_where_all_users_are_known() {
	local user
	for user in bob nobody; do
		pretend "$(id -u "$user")" "/tmp/$user"
		expect_status 125 as alice env "FDBROKER_SOCKET=/tmp/$user" \
			fdbroker exec --listen tcp:80 -- true
		expect_match "$output" "Operation not permitted \(who listens there is neither root"
	done
}

test_a_server_of_another_user_of_the_same_container_is_refused() {
	needs_containers
	expect_status 125 in_container 0 bash -c 'source tests/system/lib.sh
		source tests/system/netns.sh
		pretend 33 /tmp/inside
		export FDBROKER_SOCKET=/tmp/inside
		setpriv --reuid 34 --clear-groups fdbroker exec --listen tcp:80 -- true'
	expect_match "$output" "Operation not permitted \(who listens there is neither root"
}

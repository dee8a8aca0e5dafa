# shellcheck shell=bash
# What the broker's own processes may do.

NET_BIND_SERVICE=$((1 << 10))

status_field() { # PID FIELD
	awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"
}

# Every set of every process must lie within this mask of capabilities.
expect_capabilities_within() { # MASK
	local pid set value
	for pid in $(broker_pids); do
		for set in CapInh CapPrm CapEff CapBnd CapAmb; do
			value=$((16#$(status_field "$pid" "$set")))
			(((value & ~$1) == 0)) || fail "$(tr '\0' ' ' <"/proc/$pid/cmdline")" \
				"has $set $(printf %x "$value"), beyond $(printf %x "$1")"
		done
	done
}

bind_only_broker() {
	policy <<-END
		client web {
			from user alice
			allow bind tcp:80
		}
	END
	start_broker
}

test_there_are_a_supervisor_a_worker_and_an_executor() {
	bind_only_broker
	# In place, so that an executor is there even if it comes only when it is needed.
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80")" ok
	expect_equal "$(broker_pids "")" "$BROKER_PID"
	[[ -n $(broker_pids worker) ]] || fail "there is no worker"
	[[ -n $(broker_pids executor) ]] || fail "there is no executor"
}

test_under_a_policy_that_only_binds_no_role_can_do_more_than_bind() {
	bind_only_broker
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80")" ok
	expect_capabilities_within "$NET_BIND_SERVICE"
}

test_under_a_policy_that_binds_high_ports_no_role_has_a_capability() {
	policy <<-END
		client web {
			from user alice
			allow bind tcp:8080
		}
	END
	start_broker
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 8080" "listen tcp:81")" $'ok\nEACCES policy'
	expect_capabilities_within 0
}

test_every_role_has_a_filter_and_no_way_back_to_root() {
	local pid id
	bind_only_broker
	expect_equal "$(as alice ask "bind tcp 0.0.0.0 80")" ok
	for pid in $(broker_pids); do
		expect_equal "$(status_field "$pid" Seccomp)" 2 "Seccomp of $pid"
		expect_equal "$(status_field "$pid" NoNewPrivs)" 1 "NoNewPrivs of $pid"
		expect_equal "$(status_field "$pid" Threads)" 1 "Threads of $pid"
		# Real, effective, saved and file system id.
		id=$(id -u fdbroker)
		expect_equal "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' "/proc/$pid/status")" \
			"$id $id $id $id" "user ids of $pid"
		id=$(id -g fdbroker)
		expect_equal "$(awk '$1 == "Gid:" { print $2, $3, $4, $5 }' "/proc/$pid/status")" \
			"$id $id $id $id" "group ids of $pid"
		expect_equal "$(awk '$1 == "Groups:" { print NF - 1 }' "/proc/$pid/status")" 0 \
			"supplementary groups of $pid"
	done
}

# Not dumpable: /proc/PID belongs to root then (man 5 proc), and nobody else may look into it.
test_no_role_can_be_looked_into_by_the_user_of_the_broker() {
	local pid
	bind_only_broker
	for pid in $(broker_pids); do
		expect_equal "$(stat -c %u "/proc/$pid/environ")" 0 "owner of /proc/$pid"
		expect_status 1 as fdbroker cat "/proc/$pid/environ"
		expect_status 2 as fdbroker ls "/proc/$pid/fd"
	done
}

test_a_policy_that_reads_brings_what_reading_needs_and_no_more() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/file
		}
	END
	secret /srv/file "content"
	start_broker
	expect_equal "$(as alice ask "cat /srv/file")" "ok content"
	expect_capabilities_within $((1 << 2)) # CAP_DAC_READ_SEARCH
}

# Effective and permitted; what the worker has not cannot be had by whoever takes it over.
expect_role_capabilities() { # ROLE MASK
	local pid set
	for pid in $(broker_pids "$1"); do
		for set in CapEff CapPrm; do
			expect_equal "$((16#$(status_field "$pid" "$set")))" "$2" "$set of a $1"
		done
	done
}

# What each kind of rule brings to the executors, by the numbers of capabilities(7): as much as it
# takes, and their filters are as tight. Rule, mask, and commands of a client, the last of which is
# granted.
test_what_sockets_need_the_executors_have_and_never_the_workers() {
	local rule mask commands
	mkdir /run/app
	if grep -q '\btun$' /proc/misc; then
		mkdir /dev/net
		mknod -m 0666 /dev/net/tun c 10 200
	fi
	ip link add other type veth peer name far
	echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
	while IFS='|' read -r rule mask commands; do
		if [[ $rule == *tun:* || $rule == *tap:* ]] && [[ ! -e /dev/net/tun ]]; then
			continue
		fi
		step "$rule"
		expect_rule_to_need "$rule" "$mask" "$commands"
	done <<-END
		connect udp:*:*|0|make AF_INET SOCK_DGRAM;connect-it inet 127.0.0.1 9
		bind tcp:8080 with freebind,reuseport,v6only|0|make AF_INET6 SOCK_STREAM;bind-it inet6 :: 8080
		bind tcp:8080 with freebind,reuseport,v6only|0|make AF_INET SOCK_STREAM;bind-it inet 0.0.0.0 8080;listen tcp:8080
		socket icmp|0|socket AF_INET SOCK_DGRAM IPPROTO_ICMP
		socket icmp6|0|socket AF_INET6 SOCK_DGRAM IPPROTO_ICMPV6
		socket netlink:route|0|socket AF_NETLINK SOCK_RAW 0
		socket raw:1|$((1 << 13))|socket AF_INET SOCK_RAW 1
		option mark=1|$((1 << 13))|make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_MARK 1
		option priority=7|$((1 << 13))|make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_PRIORITY 7
		option transparent=1|$((1 << 13))|make AF_INET SOCK_STREAM;set-option SOL_IP IP_TRANSPARENT 1
		option bindtodevice=lo|$((1 << 13))|make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_BINDTODEVICE lo
		bind tcp:8080 with transparent|$((1 << 13))|make AF_INET SOCK_STREAM;bind-it inet 203.0.113.1 8080
		bind tcp:8080 with transparent|$((1 << 13))|make AF_INET SOCK_STREAM;bind-it inet 0.0.0.0 8080;listen tcp:[2001:db8::1]:8080
		bind tcp:8080 with device=other|$((1 << 13))|make AF_INET SOCK_STREAM;bind-it inet 0.0.0.0 8080
		socket tun:vpn0|$((1 << 12))|tun tun:vpn0 12
		socket tap:*|$((1 << 12))|tun tap:vm0 8
		option rcvbufforce=0-8M|$((1 << 12))|make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_RCVBUFFORCE 8388608
		option sndbufforce=0-8M|$((1 << 12))|make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_SNDBUFFORCE 8388608
		option debug=1|$((1 << 12))|make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_DEBUG 1
		bind unix:/run/app/*.sock|$((1 << 1))|make AF_UNIX SOCK_STREAM;bind-it unix /run/app/a.sock
		bind unix:/run/app/*.sock owner alice|$((1 << 0 | 1 << 1 | 1 << 3))|make AF_UNIX SOCK_STREAM;bind-it unix /run/app/a.sock
	END
}

expect_rule_to_need() { # RULE MASK COMMANDS
	local commands answers
	policy <<-END
		client test {
			from user alice
			allow $1
		}
	END
	start_broker
	IFS=';' read -r -a commands <<<"$3"
	answers=$(as alice ask "${commands[@]}" </dev/null)
	expect_equal "${answers##*$'\n'}" ok "$1: ${commands[*]}"
	expect_role_capabilities executor "$2"
	expect_role_capabilities worker 0
	stop_broker
}

test_the_supervisor_takes_its_processes_along() {
	bind_only_broker
	kill -KILL "$BROKER_PID"
	BROKER_PID=
	eventually 5 no_broker_is_left || fail "left: $(broker_pids)"
}

test_SIGTERM_stops_it_and_everything_is_gone() {
	bind_only_broker
	stop_broker
	no_broker_is_left || fail "left: $(broker_pids)"
	start_broker
	expect_equal "$(as alice ask "listen tcp:80")" ok
}

no_broker_is_left() {
	[[ -z $(broker_pids) ]]
}

# shellcheck shell=bash
# The errors are the kernel's: what root gets by the call itself an unprivileged user gets through the
# broker. Only the reason that the library tells stands beside it.

everything_policy() {
	policy <<-END
		client everything {
			from user alice
			allow bind tcp:*:* udp:*:* unix:/run/app/** vsock:*:*
			allow connect tcp:*:* udp:*:* vsock:*:*
			allow socket raw:255 netlink:route icmp icmp6 vsock:*:*
			allow option mark=0-4294967295 bindtodevice=lo bindtodevice=nothing0 transparent=0-1
		}
	END
	mkdir -p /run/app/folder /run/app/read-only
	touch /run/app/file
	ln -s circle /run/app/circle
	mount -t tmpfs -o ro,mode=0755 tmpfs /run/app/read-only
	# A network that never answers, and gives up after three seconds.
	ip link add silent type veth peer name nobody
	ip address add 10.9.0.1/24 dev silent
	ip link set silent up
	ip link set nobody up
	ip neighbour add 10.9.0.2 lladdr 02:00:00:00:00:02 dev silent nud permanent
	echo 1 >/proc/sys/net/ipv4/tcp_syn_retries
	start_broker
	ask --direct "make AF_INET SOCK_STREAM" "bind-it inet 127.0.0.1 80" start-listening \
		"sleep 1000" >/run/test/server 2>&1 &
	eventually 5 listening 80 || fail "no server: $(cat /run/test/server)"
}

# Each line is the commands of one client, parted by semicolons, and after a bar the errno that its
# last one is expected to show; what the kernel says is the truth, and must be that.
expect_same_errors() {
	local line expected direct brokered differences=
	while IFS='|' read -r line expected; do
		[[ -n $line ]] || continue
		IFS=';' read -r -a commands <<<"$line"
		direct=$(ask --direct "${commands[@]}" </dev/null)
		find /run/app -type s -delete
		brokered=$(as alice timeout 20 ask "${commands[@]}" </dev/null)
		find /run/app -type s -delete
		[[ ${direct##*$'\n'} == "$expected" ]] ||
			differences+="$line: the kernel said ${direct//$'\n'/, }, not $expected"$'\n'
		[[ $(sed 's/^\(E[A-Z]*\) .*/\1/' <<<"$brokered") == "$direct" ]] ||
			differences+="$line: ${brokered//$'\n'/, } instead of ${direct//$'\n'/, }"$'\n'
	done
	expect_equal "$differences" ""
}

test_bind_fails_as_it_does_for_root() {
	everything_policy
	expect_same_errors <<-END
		bind-it inet 127.0.0.1 1000|EBADF
		make file /etc/passwd;bind-it inet 127.0.0.1 1000|ENOTSOCK
		make AF_INET SOCK_STREAM;bind-it inet 127.0.0.1 80|EADDRINUSE
		make AF_INET SOCK_STREAM;bind-it inet 203.0.113.1 1000|EADDRNOTAVAIL
		make AF_INET SOCK_STREAM;bind-it inet6 ::1 1000|EAFNOSUPPORT
		make AF_INET6 SOCK_STREAM;bind-it inet 127.0.0.1 1000|EINVAL
		make AF_INET6 SOCK_STREAM;bind-it inet6 fe80::1 1000|EINVAL
		make AF_INET6 SOCK_DGRAM;bind-it inet6 2001:db8::1 1000|EADDRNOTAVAIL
		make AF_INET SOCK_STREAM;bind-it inet 127.0.0.1 1000;bind-it inet 127.0.0.1 1001|EINVAL
		make AF_INET SOCK_STREAM;bind-it unix /run/app/a|EAFNOSUPPORT
		make AF_INET6 SOCK_STREAM;bind-it unix /run/app/a|EAFNOSUPPORT
		make AF_INET SOCK_DGRAM;bind-it vsock 1 1000|EAFNOSUPPORT
		make AF_UNIX SOCK_STREAM;bind-it inet 127.0.0.1 1000|EINVAL
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/a;bind-it unix /run/app/b|EINVAL
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/file|EADDRINUSE
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/folder|EADDRINUSE
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/circle|EADDRINUSE
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/none/a|ENOENT
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/file/a|ENOTDIR
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/circle/a|ELOOP
		make AF_UNIX SOCK_STREAM;bind-it unix /run/app/read-only/a|EROFS
	END
}

test_connect_fails_as_it_does_for_root() {
	everything_policy
	expect_same_errors <<-END
		connect-it inet 127.0.0.1 80|EBADF
		make file /etc/passwd;connect-it inet 127.0.0.1 80|ENOTSOCK
		make AF_INET SOCK_STREAM;connect-it inet 127.0.0.1 81|ECONNREFUSED
		make AF_INET6 SOCK_STREAM;connect-it inet6 ::1 81|ECONNREFUSED
		make AF_INET SOCK_STREAM;connect-it inet 192.0.2.1 80|ENETUNREACH
		make AF_INET SOCK_DGRAM;connect-it inet 192.0.2.1 80|ENETUNREACH
		make AF_INET SOCK_DGRAM;connect-it inet 10.9.0.255 80|EACCES
		make AF_INET SOCK_STREAM;connect-it inet6 ::1 80|EAFNOSUPPORT
		make AF_INET6 SOCK_STREAM;connect-it inet 127.0.0.1 80|EINVAL
		make AF_INET6 SOCK_DGRAM;connect-it inet 127.0.0.1 80|ok
		make AF_INET SOCK_STREAM;connect-it inet 127.0.0.1 80;connect-it inet 127.0.0.1 80|EISCONN
		make AF_INET SOCK_STREAM;bind-it inet 127.0.0.1 1000;start-listening;connect-it inet 127.0.0.1 80|EISCONN
		make AF_INET SOCK_STREAM;nonblock;connect-it inet 10.9.0.2 80|EINPROGRESS
		make AF_INET SOCK_STREAM;nonblock;connect-it inet 10.9.0.2 80;connect-it inet 10.9.0.2 80|EALREADY
		make AF_INET SOCK_STREAM;connect-it inet 10.9.0.2 80|ETIMEDOUT
		make AF_INET SOCK_STREAM;bind-it inet 127.0.0.1 1000;connect-it inet 10.9.0.2 80|EINVAL
		make AF_INET SOCK_STREAM;connect-it inet 0.0.0.0 80|ok
		make AF_INET SOCK_STREAM;connect-it inet 127.0.0.1 0|ECONNREFUSED
		make AF_INET SOCK_STREAM;connect-it inet 224.0.0.1 80|ENETUNREACH
		make AF_UNIX SOCK_STREAM;connect-it inet 127.0.0.1 80|EINVAL
	END
}

# What no rule can name (TCP, UDP, Unix) fails with EACCES, and is not here.
test_socket_fails_as_it_does_for_root() {
	everything_policy
	echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
	expect_same_errors <<-END
		socket 99 SOCK_STREAM 0|EAFNOSUPPORT
		socket -1 SOCK_STREAM 0|EAFNOSUPPORT
		socket 0 SOCK_STREAM 0|EAFNOSUPPORT
		socket AF_INET 0x10000 0|EINVAL
		socket AF_INET 15 0|EINVAL
		socket AF_INET 0 0|ESOCKTNOSUPPORT
		socket AF_INET SOCK_SEQPACKET 0|ESOCKTNOSUPPORT
		socket AF_INET SOCK_RAW 0|EPROTONOSUPPORT
		socket AF_INET SOCK_RAW 300|EINVAL
		socket AF_INET6 SOCK_RAW -1|EINVAL
		socket AF_INET SOCK_RAW 255|ok
		socket AF_INET SOCK_STREAM 17|EPROTONOSUPPORT
		socket AF_INET SOCK_DGRAM 6|EPROTONOSUPPORT
		socket AF_INET SOCK_DGRAM IPPROTO_ICMPV6|EPROTONOSUPPORT
		socket AF_INET6 SOCK_DGRAM IPPROTO_ICMP|EPROTONOSUPPORT
		socket AF_INET SOCK_DGRAM IPPROTO_ICMP|ok
		socket AF_INET6 SOCK_DGRAM IPPROTO_ICMPV6|ok
		socket AF_NETLINK SOCK_STREAM 0|ESOCKTNOSUPPORT
		socket AF_NETLINK SOCK_RAW 99|EPROTONOSUPPORT
		socket AF_NETLINK SOCK_RAW -1|EPROTONOSUPPORT
		socket AF_NETLINK SOCK_RAW 0|ok
		socket AF_UNIX SOCK_STREAM 7|EPROTONOSUPPORT
		socket AF_UNIX 4 0|ESOCKTNOSUPPORT
	END
}

test_setsockopt_fails_as_it_does_for_root() {
	everything_policy
	expect_same_errors <<-END
		set-option SOL_SOCKET SO_MARK 1|EBADF
		make file /etc/passwd;set-option SOL_SOCKET SO_MARK 1|ENOTSOCK
		make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_MARK 1|ok
		make AF_INET SOCK_STREAM;set-option SOL_SOCKET 999 1|ENOPROTOOPT
		make AF_INET SOCK_STREAM;set-option 6 999 1|ENOPROTOOPT
		make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_MARK x|EINVAL
		make AF_INET SOCK_STREAM;set-option SOL_SOCKET SO_BINDTODEVICE nothing0|ENODEV
		make AF_UNIX SOCK_STREAM;set-option SOL_IP IP_TRANSPARENT 1|EOPNOTSUPP
		make AF_INET SOCK_STREAM;set-option SOL_IPV6 IPV6_TRANSPARENT 1|ENOPROTOOPT
	END
}

# shellcheck shell=bash
# Errors are the kernel's: what a call of the library fails with is what the system call fails with.

errnos_places() {
	mkdir -p /run/places/folder /run/places/read-only /run/places/real
	touch /run/places/file
	ln -s loop /run/places/loop
	ln -s nowhere /run/places/dangling
	ln -s real /run/places/link
	ln -s "$(printf 'x%.0s' {1..300})" /run/places/long # NAME_MAX is 255
	mount -t tmpfs -o ro,mode=0755 tmpfs /run/places/read-only
	ip route add unreachable 198.51.100.0/24
	ip route add prohibit 198.51.101.0/24
	# So that a connect(2) that nobody answers takes 3 seconds, not 127: tcp(7).
	echo 1 >/proc/sys/net/ipv4/tcp_syn_retries
	echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
}

# What the first way leaves behind must not be in the way of the second.
errnos_leftovers_removed() {
	rm -f /run/places/{new,first,second,alive} /run/places/real/through
}

test_brokered_calls_fail_as_direct_ones_do() {
	errnos_places
	policy <<-END
		client errnos {
			from user alice
			allow bind,connect tcp:* udp:* vsock:*:*
			allow bind unix:/run/places/**
			allow socket icmp icmp6 raw:* netlink:* vsock:*:*
			allow option mark=7 priority=7 rcvbufforce=0-8M sndbufforce=0-8M debug=1 \
				transparent=1 bindtodevice=*
		}
	END
	start_broker
	errnos direct >/run/test/direct
	errnos_leftovers_removed
	as alice errnos brokered >/run/test/brokered
	diff -U 0 /run/test/direct /run/test/brokered || fail "the answers differ"
	# The table is worth nothing if the errors did not come to pass. EPROTOTYPE is not among them:
	# only connect(2) to a unix socket of another type gives it, and that is not offered.
	local word
	for word in EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EALREADY EBADF ECONNREFUSED EFAULT \
		EHOSTUNREACH EINPROGRESS EINVAL EISCONN ELOOP ENAMETOOLONG ENETUNREACH ENODEV ENOENT \
		ENOPROTOOPT ENOTDIR ENOTSOCK EOPNOTSUPP EPROTONOSUPPORT EROFS ESOCKTNOSUPPORT \
		ETIMEDOUT EAGAIN; do
		grep -q " $word\$" /run/test/direct || fail "no case ended with $word"
	done
}

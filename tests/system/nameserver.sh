# shellcheck shell=bash
# For the tests of names: a name server that says what it is told to.

# The name server of clients/nameserver.c; what it answers is the standard input.
serve_names() {
	printf '%s: files\n' passwd group services protocols >/etc/nsswitch.conf
	echo 'hosts: files dns' >>/etc/nsswitch.conf
	printf 'nameserver 127.0.0.1\nsearch test\noptions timeout:%s attempts:1\n' "${1-1}" \
		>/etc/resolv.conf
	printf 'tcp 6 TCP\nudp 17 UDP\n' >/etc/protocols
	cat >/run/test/zone
	nameserver /run/test/zone >/run/test/queries 2>&1 &
	eventually 5 grep -qs ready /run/test/queries || fail "nameserver: $(cat /run/test/queries)"
}

queries() { # REGEX
	grep -cE -- "$1" /run/test/queries || true
}

has_queries() { # REGEX COUNT
	(($(queries "$1") >= $2))
}

# shellcheck shell=bash
# The flags of open(2): the manual's table is what the daemon does.

FLAGS_TABLE=client-lib/fdbroker-protocol.7.scd

test_every_flag_is_served_as_the_manual_says() {
	local verbs
	{
		echo "client flags {"
		echo "	from user alice"
		for verbs in read write append create read+write read+append write+create append+create \
			read+create read+write+create read+append+create; do
			echo "	allow ${verbs//+/,} /srv/flags/$verbs/* log none"
			secret "/srv/flags/$verbs/file" text
			ln -s file "/srv/flags/$verbs/link"
		done
		echo "}"
	} | policy
	chmod 0755 /srv /srv/flags
	chmod 0711 /srv/flags/*
	start_broker
	as alice flags "$FLAGS_TABLE" /srv/flags >/run/test/flags || fail "$(tail -n 20 /run/test/flags)"
	step "$(tail -n 1 /run/test/flags)"
}

# The table is what test_every_flag... goes by, so it has to be whole.
test_the_manual_names_every_flag_of_open() {
	local flag
	while read -r flag; do
		case $flag in
		O_ACCMODE | O_NDELAY | O_FSYNC | O_RSYNC) continue ;; # other names of these
		esac
		grep -qE "^\|  \*$flag\*\$" "$FLAGS_TABLE" || fail "the table has no $flag"
	done < <(sed -nE 's/^# *define[ \t]+_*(O_[A-Z]+)[ \t].*/\1/p' /usr/include/asm-generic/fcntl.h \
		/usr/include/*/bits/fcntl*.h | sort -u)
}

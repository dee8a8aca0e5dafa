# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# The Landlock rules of `fdbroker run --sandbox`, by the program `within`.

# A program that prints what lies beside it, and what else it is told to.
program_in() { # FOLDER [MODE]
	mkdir -p "$1"
	# shellcheck disable=SC2016 # it is the program that expands it
	printf '#!/bin/sh\ncat "$(dirname "$0")/beside" "$@"\n' >"$1/program"
	echo beside >"$1/beside"
	chmod 0755 "$1/program"
	chmod "${2-0755}" "$1"
}

test_a_confined_program_reads_the_system_and_what_lies_beside_it() {
	program_in /srv/app
	echo other >/srv/other
	expect_status 0 as alice within /srv/app/program /etc/passwd /proc/self/status
	expect_match "$output" $'^beside\n.*alice.*Seccomp:'
	expect_status 1 as alice within /srv/app/program /srv/other
	expect_match "$output" "/srv/other: Permission denied"
	expect_status 0 as alice within -r /srv/other /srv/app/program /srv/other
	expect_equal "$output" $'beside\nother'
}

test_the_program_is_found_as_execvp_finds_it() {
	program_in /srv/app
	expect_status 0 as alice env PATH="/nowhere:/srv/app:$PATH" within program
	expect_equal "$output" beside
	expect_status 127 as alice within no-such-program
}

# Else the sandbox would be none for a program that lies there.
test_a_home_or_a_folder_for_everybody_is_not_opened_for_a_program_in_it() {
	local folder home
	home=$(getent passwd alice | cut -d: -f6)
	program_in /tmp/open 1777
	program_in "$home"
	program_in "$home/.."
	for folder in /tmp/open "$home" "$home/.."; do
		expect_status 1 as alice within "$folder/program"
		expect_match "$output" "beside: Permission denied" "$folder"
	done
	program_in "$home/app"
	expect_status 0 as alice within "$home/app/program"
}

test_writing_wants_w() {
	mkdir -p /srv/out
	chown alice /srv/out
	expect_status 2 as alice within sh -c 'echo x >/srv/out/file'
	expect_status 2 as alice within -r /srv/out sh -c 'echo x >/srv/out/file'
	expect_status 0 as alice within -w /srv/out \
		sh -c 'echo x >/srv/out/a && mv /srv/out/a /srv/out/b && echo y >/srv/out/b && rm /srv/out/b'
	expect_status 0 as alice within sh -c 'echo x >/dev/null && head -c 1 /dev/urandom >/dev/null'
}

test_a_folder_that_is_not_there_is_named() {
	expect_status 125 as alice within -w /srv/nowhere true
	expect_equal "$output" "fdbroker: run: -w /srv/nowhere: No such file or directory"
	expect_status 125 as alice within -r $'/srv/no\where\e' true
	[[ $output != *$'\e'* ]] || fail "an escape is printed"
}

test_a_file_that_a_link_of_etc_leads_to_can_be_read() {
	mkdir -p /run/resolve
	echo "nameserver 192.0.2.1" >/run/resolve/stub
	ln -sf /run/resolve/stub /etc/resolv.conf
	expect_status 0 as alice within cat /etc/resolv.conf
	echo hidden >/run/resolve/hidden
	expect_status 1 as alice within cat /run/resolve/hidden
}

# shellcheck shell=bash
# What is no regular file is refused without waiting, and without being opened for use.

types_policy() {
	policy <<-END
		client types {
			from user alice
			allow read,write /srv/things/*
		}
	END
	mkdir /srv/things
	start_broker
}

# Refused for its type, within two seconds.
expect_wrong_type() { # PATH [FLAGS]
	expect_match "$(as alice timeout 2 ask "open $1 ${2-O_RDONLY}")" '^E[A-Z]+ type$' "$1"
}

test_a_fifo_is_refused_and_never_has_a_reader() {
	types_policy
	mkfifo -m 0666 /srv/things/fifo
	# This writer goes on as soon as somebody opens the FIFO for reading, however briefly.
	(echo x >/srv/things/fifo; touch /run/test/opened) &
	expect_wrong_type /srv/things/fifo
	expect_wrong_type /srv/things/fifo O_RDONLY\|O_NONBLOCK
	expect_wrong_type /srv/things/fifo O_RDWR
	sleep 0.2
	[[ ! -e /run/test/opened ]] || fail "it was opened"
	# The audit line of the denial says why.
	expect_log 'audit: denied .*object="/srv/things/fifo".*reason=type'
}

test_a_fifo_is_refused_for_writing_and_never_has_a_writer() {
	types_policy
	mkfifo -m 0666 /srv/things/fifo
	(exec 9</srv/things/fifo; touch /run/test/opened) &
	expect_wrong_type /srv/things/fifo O_WRONLY
	expect_wrong_type /srv/things/fifo O_WRONLY\|O_NONBLOCK
	sleep 0.2
	[[ ! -e /run/test/opened ]] || fail "it was opened"
}

test_a_device_is_refused_and_not_opened() {
	types_policy
	mknod -m 0666 /srv/things/null c 1 3
	# There is no such driver: to open it would be ENXIO or ENODEV from the kernel.
	mknod -m 0666 /srv/things/none c 511 511
	mknod -m 0666 /srv/things/disk b 259 1048575
	expect_wrong_type /srv/things/null
	expect_wrong_type /srv/things/none
	expect_wrong_type /srv/things/disk
	expect_wrong_type /srv/things/null O_WRONLY
}

test_a_directory_is_refused() {
	types_policy
	mkdir /srv/things/folder
	expect_wrong_type /srv/things/folder
	expect_match "$(as alice ask "open /srv/things/folder O_RDONLY|O_DIRECTORY")" '^E[A-Z]+ (type|flags)$'
	expect_match "$(as alice ask "open /srv/things/folder/ O_RDONLY")" '^E[A-Z]+ (type|flags|policy)$'
}

test_a_socket_is_refused_and_not_connected_to() {
	types_policy
	python3 -c '
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind("/srv/things/socket")
server.listen()
print("ready", flush=True)
server.accept()
print("connected", flush=True)' >/run/test/server &
	eventually 5 grep -q ready /run/test/server || fail "no server"
	expect_wrong_type /srv/things/socket
	! grep -q connected /run/test/server || fail "it was connected to"
}

# What it is may change between the look and the open.
test_a_fifo_that_is_swapped_against_a_file_never_blocks_and_is_never_opened() {
	types_policy
	chown alice /srv/things
	belongs_to alice /srv/things/file "hers"
	as alice mkfifo /srv/things/fifo
	chmod 1777 /run/test
	start_as alice swapper /srv/things/file /srv/things/fifo 50000 /run/test/enough >/run/test/swaps
	expect_match "$(as alice timeout 50 ask "cat-often /srv/things/file hers /run/test/enough")" \
		'^ok right=[1-9][0-9]* refused=[1-9][0-9]* wrong=0$'
	wait $!
}

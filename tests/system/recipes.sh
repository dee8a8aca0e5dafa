# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# The recipes of fdbroker.policy(5): each is taken out of the manual, passes the check, and does what
# it says, by the commands that stand there.
source tests/system/examples.lib

# The policy of a recipe is in force, and `fdbroker check` has nothing to say against it.
recipe() { # CLIENT
	users_of_the_documents
	example "$RECIPES" "client $1 " | policy
	expect_status 0 fdbroker check --strict "$POLICY"
	"${2:-start_broker}"
}

# One line of the manual, as the user types it.
line_of() { # FIRST-LINE MARK
	commands "$RECIPES" "$1" "$2"
}

# The certificates of a site as certbot(1) leaves them: files in archive/, links in live/.
certbot() { # SITE GENERATION
	local name folder=/etc/letsencrypt
	(umask 077 && mkdir -p "$folder/live/$1" "$folder/archive/$1")
	for name in privkey fullchain; do
		(umask 077 && echo "$name $2 of $1" >"$folder/archive/$1/$name$2.pem")
		ln -sfn "../../archive/$1/$name$2.pem" "$folder/live/$1/$name.pem"
	done
}

test_the_recipe_for_keys_of_certbot() {
	certbot www.example.org 1
	certbot mail.example.org 1
	recipe tls
	program server <<-'END'
		#!/bin/bash
		[[ $LISTEN_FDNAMES == https:chain:key ]] && cat <&4 && cat <&5
		ss -Hltn "sport = :443" | wc -l
	END
	local line="\$ fdbroker exec --listen tcp:443=https"
	expect_equal "$(types www-data "$(line_of "$line" "\$")")" \
		$'fullchain 1 of www.example.org\nprivkey 1 of www.example.org\n1'

	# The links are changed, and the next program gets the new ones.
	certbot www.example.org 2
	expect_match "$(types www-data "$(line_of "$line" "\$")")" 'privkey 2 of www.example.org'

	# By its own link or another one, the key of the mail server is denied.
	ln -s ../../archive/mail.example.org/privkey1.pem /etc/letsencrypt/live/www.example.org/x.pem
	expect_equal "$(as www-data ask "open /etc/letsencrypt/live/mail.example.org/privkey.pem" \
		"open /etc/letsencrypt/live/www.example.org/x.pem" \
		"open /etc/letsencrypt/archive/www.example.org/privkey1.pem")" \
		$'EACCES policy\nEACCES policy\nEACCES policy'
}

test_a_key_of_certbot_that_must_have_a_path_is_copied() {
	certbot www.example.org 1
	users_of_the_documents
	example "$RECIPES" "client tls " | sed 's/symlinks trusted/& copy/' | policy
	start_broker
	local key=/etc/letsencrypt/live/www.example.org/privkey.pem
	expect_equal "$(types www-data "fdbroker exec --open $key:r -- cat /dev/fd/3")" \
		"privkey 1 of www.example.org"
	policy < <(example "$RECIPES" "client tls ")
	reload_broker
	expect_match "$(types www-data "fdbroker exec --open $key:r -- cat /dev/fd/3" 2>&1 || true)" \
		'Permission denied'
}

test_the_recipe_for_Node() {
	command -v node >/dev/null || skip "node is not installed"
	recipe web-app
	{
		example "$RECIPES" "const http = require"
		# Port 443 in the same way, to see that both work.
		echo 'http.createServer((q, a) => a.end("second")).listen({ fd: 4 });'
	} >"$WORK/server.js"
	starts node "$(line_of "\$ fdbroker exec --listen tcp:80=http" "\$")"
	expect_equal "$(fetch http://127.0.0.1/ 80)" hello
	expect_equal "$(fetch "http://[::1]:443/" 443)" second
	kill $!
	expect_equal "$(as node ask "listen tcp:81")" "EACCES policy"
}

test_the_recipe_for_Node_without_descriptors() {
	command -v node >/dev/null || skip "node is not installed"
	recipe web-app
	echo 'require("http").createServer((q, a) => a.end("as it is")).listen(80)' >"$WORK/server.js"
	starts node "$(line_of "\$ fdbroker run -- node" "\$")"
	expect_equal "$(fetch http://127.0.0.1/ 80)" "as it is"
	kill $!
}

test_the_recipe_for_ping() {
	recipe ping
	ip address add 192.0.2.1/32 dev lo
	example "$RECIPES" "import socket, sys" >"$WORK/ping.py"
	local block="# sysctl -w"
	echo "1 0" >/proc/sys/net/ipv4/ping_group_range
	expect_match "$(types alice "$(line_of "$block" "\$")" 2>&1 || true)" 'Permission denied'
	types root "$(line_of "$block" "#")" >/dev/null
	expect_equal "$(types alice "$(line_of "$block" "\$")")" "192.0.2.1 answers"
	expect_equal "$(as alice ask "socket AF_INET SOCK_RAW 1")" "EACCES policy"
}

test_the_recipe_for_a_log() {
	mount -t tmpfs -o mode=0755 tmpfs /var/log
	recipe app-log
	types root "$(line_of "# mkdir /var/log/app" "#")"
	types app "$(line_of "# mkdir /var/log/app" "\$")"
	types app "$(line_of "# mkdir /var/log/app" "\$")"
	expect_equal "$(wc -l </var/log/app/today.log)" 2
	expect_equal "$(stat -c '%a %U %G' /var/log/app/today.log)" "640 root adm"
	expect_equal "$(as app ask "open /var/log/app/today.log O_RDONLY" \
		"open /var/log/app/today.log O_WRONLY" "open /etc/app.log O_WRONLY|O_APPEND|O_CREAT")" \
		$'EACCES policy\nEACCES policy\nEACCES policy'

	# What it warns of: a folder above that a group may write to.
	mv /var/log/app/today.log /var/log/app/old.log
	chgrp staff /var/log && chmod g+w /var/log
	expect_match "$(types app "$(line_of "# mkdir /var/log/app" "\$")" 2>&1 || true)" placement
}

test_append_is_no_more_than_the_recipe_says() {
	mount -t tmpfs -o mode=0755 tmpfs /var/log
	recipe app-log
	mkdir /var/log/app
	echo "what was there" >/var/log/app/today.log
	types app "fdbroker exec --open /var/log/app/today.log:a -- python3 -c '
import fcntl, os
fcntl.fcntl(3, fcntl.F_SETFL, 0)
os.pwrite(3, b\"overwritten\", 0)'"
	expect_match "$(cat /var/log/app/today.log)" '^overwritten'
}

# A terminal of devpts stands for the port: a character device, at which somebody answers.
test_the_recipe_for_a_serial_port() {
	recipe serial
	local block="\$ fdbroker exec --open /dev/serial/"
	mkdir -p /dev/serial/by-id
	python3 - <<-'END' &
		import os, pty
		master, slave = pty.openpty()
		os.symlink(os.ttyname(slave), "/dev/serial/by-id/usb-FTDI_FT232R_A1-if00-port0")
		os.mknod("/dev/serial/by-id/usb-Other_1", 0o020666, os.makedev(1, 3))
		while True:
		    os.write(master, os.read(master, 100).upper())
	END
	eventually 5 test -e /dev/serial/by-id/usb-Other_1 || fail "there is no port"
	program meter <<-'END'
		#!/bin/bash
		stty -echo <&3 && echo temperature >&3 && read -r answer <&3 && echo "${answer%$'\r'}"
	END
	expect_equal "$(types alice "$(line_of "$block" "\$")")" TEMPERATURE
	expect_equal "$(as alice ask "open /dev/serial/by-id/usb-Other_1 O_RDWR" \
		"open /dev/pts/0 O_RDWR")" $'EACCES policy\nEACCES policy'
	expect_equal "$(as bob ask "open /dev/serial/by-id/usb-Other_1 O_RDWR")" "ECONNRESET broker"
	sed -i 's/ type device//' "$POLICY"
	reload_broker
	expect_equal "$(as alice ask "open /dev/serial/by-id/usb-FTDI_FT232R_A1-if00-port0 O_RDWR")" \
		"EACCES type"
}

test_the_recipe_for_a_sandbox_for_builds() {
	unshare --user true 2>/dev/null || skip "there are no user namespaces to be had"
	users_of_the_documents
	bwrap_or_stand_in
	recipe build true
	cat >>"$POLICY" <<-END
		client everything {
			from anyone
			allow read /srv/**
		}
	END
	secret /srv/src/main.c "int main;"
	secret /srv/other "another file"
	start_broker
	expect_equal "$(as alice fdbroker cat /srv/other)" "another file"
	expect_equal "$(as builder ask "cat /srv/src/main.c" "open /srv/other" "list /srv")" \
		$'ok int main;\nEACCES policy\nEACCES policy'
	expect_equal "$(as builder ask "open /usr/include/stdlib.h")" ok

	program build <<-'END'
		#!/bin/bash
		fdbroker cat /srv/src/main.c && echo " was read"
		fdbroker cat /usr/include/stdlib.h 2>&1 | grep -q narrowed && echo narrowed
		unset FDBROKER_FD && fdbroker cat /srv/src/main.c 2>&1 | grep -o "No such file"
	END
	local block="\$ fdbroker exec --limit "
	expect_equal "$(types builder "$(line_of "$block" "\$")")" \
		$'int main; was read\nnarrowed\nNo such file'
}

test_the_recipe_for_a_tun_device() {
	grep -q '\btun$' /proc/misc || skip "this kernel has no tun devices"
	mkdir /dev/net
	mknod -m 0666 /dev/net/tun c 10 200
	recipe vpn
	# Prints the first packet that is UDP (17) and comes to the right address.
	program tunnel <<-'END'
		#!/usr/bin/python3
		import os
		while True:
		    packet = os.read(3, 2000)
		    if packet[0] == 0x45 and packet[9] == 17 and packet[16:20] == bytes([192, 0, 2, 9]):
		        print(packet[28:].decode())
		        break
	END
	local block="\$ fdbroker exec --tun "
	starts vpn "$(line_of "$block" "\$")" >/run/test/packet
	eventually 5 ip link show vpn0 >/dev/null 2>&1 || fail "there is no device"
	types root "$(line_of "$block" "#")"
	python3 -c 'import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"through", ("192.0.2.9", 7))'
	wait $!
	expect_equal "$(cat /run/test/packet)" through
	! ip link show vpn0 >/dev/null 2>&1 || fail "the device is still there"
	expect_equal "$(as vpn ask "tun tun:vpn1" "tun tap:vpn0")" $'EACCES policy\nEACCES policy'
}

# A sandbox has no service manager: the control group is what the kernel would say of such a unit.
test_the_recipe_for_a_service_with_DynamicUser() {
	secret /etc/report/token "the token"
	recipe report
	local unit=/run/test/report.service command
	example "$RECIPES" "[Unit]" >"$unit"
	command=$(sed -nE '/^ExecStart=/,$ { s/^ExecStart=//; p }' "$unit")
	command=${command//"/usr/bin/report"/./report}
	command=${command//"/usr/bin/"/}
	program report <<-'END'
		#!/bin/bash
		[[ $LISTEN_FDNAMES == http:token ]] && cat <&4 && ss -Hltn "sport = :80" | wc -l
	END
	cd "$WORK" || exit
	expect_equal "$(in_unit report.service carol bash -c "$command")" $'the token1'
	# The same user, whoever it is, in another unit, and in that of a user's own manager.
	expect_status 125 in_unit report2.service carol bash -c "$command"
	expect_status 125 in_unit user@2001.service/app.slice/report.service carol bash -c "$command"
	expect_status 125 as carol bash -c "$command"
}

test_the_unit_of_the_recipe_is_one() {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	local folder=/run/systemd/system
	mkdir -p "$folder"
	example "$RECIPES" "[Unit]" |
		sed -E "s|/usr/bin/fdbroker|$(command -v fdbroker)|; s|/usr/bin/report|/bin/true|" \
			>"$folder/report.service"
	sed -E "s|^ExecStart=[^ ]+|ExecStart=$(command -v fdbrokerd)|" \
		"$FDBROKER_BUILD/systemd/fdbroker.service" >"$folder/fdbroker.service"
	cp "$FDBROKER_BUILD/systemd/fdbroker.socket" "$folder/"
	# It complains of other units of the machine as well.
	output=$(systemd-analyze verify --man=no "$folder/report.service" 2>&1 |
		grep -E 'report|fdbroker' || true)
	expect_equal "$output" ""
}

# As user 33 of a container, which is 100033 outside, with a network of its own.
test_the_recipe_for_a_rootless_container() {
	source tests/system/netns.sh
	unshare --user true 2>/dev/null || skip "there are no user namespaces to be had"
	recipe containers
	{
		printf '#include <%s>\n' fdbroker.h err.h netinet/in.h stdio.h unistd.h
		echo 'int main(void) {'
		example "$RECIPES" 'struct fdbroker *broker = fdbroker_new(NULL);'
		# Nobody else gets it; and the broker's own network is not granted.
		echo 'puts("bound"); puts(fdbroker_listen(broker, "tcp:80", 1) < 0 ? "denied" : "!");'
		echo 'return 0; }'
	} >"$WORK/web.c"
	compile "$WORK/web.c" "$WORK/web"
	expect_equal "$(in_container 33 "$WORK/web")" $'bound\ndenied'
	expect_match "$(audit_lines 'verb=bind object="tcp:\[::\]:80"' | head -n 1)" 'allowed uid=100033'
	podman_knows "$(line_of "\$ podman run" "\$")"
}

# The command is not run: there are no images here. But what it is given, podman knows.
podman_knows() { # COMMAND
	local word help
	bash -n <<<"$1"
	if ! command -v podman >/dev/null; then
		step "podman is not installed: '$1' was not looked at"
		return
	fi
	help=$(podman run --help)
	for word in $1; do
		[[ $word != --* || $help == *"$word "* ]] || fail "podman run has no $word"
	done
}

test_the_recipe_for_backups() {
	local block="\$ fdbroker cat /srv/data"
	recipe backup
	secret /srv/data/orders.db "the orders"
	secret /etc/shadow "hashes"
	secret /home/alice/.ssh/id "alice's key"
	secret /etc/ssl/private/a.key "a key"
	ln -s /etc/shadow /srv/data/link
	mkfifo /srv/data/fifo
	types backup "$(line_of "$block" "\$")"
	expect_equal "$(gunzip <"$WORK/orders.db.gz")" "the orders"
	expect_equal "$(as backup ask "open /srv/data/link" "open /etc/shadow" "stat /etc/shadow" \
		"open /etc/ssl/private/a.key" "open /home/alice/.ssh/id" "open /srv/data/fifo" \
		"open /proc/1/environ" "list /srv/data")" "EACCES policy
EACCES policy
EACCES policy
EACCES policy
EACCES policy
EACCES type
EACCES policy
ok fifo link orders.db"
}

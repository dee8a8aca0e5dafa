# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# `fdbroker run` with whole programs, as Debian has them: servers on low ports, daemons, static
# programs, threads, pipelines; and what they may bind.
source tests/system/run.lib

# ---- ports ----

test_named_ports_are_bound_for_both_families() {
	run_policy
	expect_equal "$(run ask --direct \
		"make AF_INET SOCK_STREAM" "bind-it inet 0.0.0.0 80" name start-listening close \
		"make AF_INET6 SOCK_STREAM" "bind-it inet6 :: 80" name start-listening close \
		"make AF_INET SOCK_DGRAM" "bind-it inet 127.0.0.1 53" name close \
		"make AF_INET6 SOCK_DGRAM" "bind-it inet6 ::1 53" name)" \
		$'ok\nok\nok 0.0.0.0 80\nok\nok\nok\nok\nok :: 80\nok\nok\nok\nok\nok 127.0.0.1 53\nok\nok\nok\nok ::1 53'
	expect_log 'audit: allowed uid=2001 .*verb=bind'
}

test_ports_that_are_not_named_stay_EACCES() {
	run_policy
	expect_equal "$(run ask --direct \
		"make AF_INET SOCK_STREAM" "bind-it inet 0.0.0.0 81" "bind-it inet 127.0.0.1 53" close \
		"make AF_INET6 SOCK_STREAM" "bind-it inet6 :: 81" "bind-it inet6 ::1 53" close \
		"make AF_INET SOCK_DGRAM" "bind-it inet 0.0.0.0 80" "bind-it inet 127.0.0.1 54" close \
		"make AF_INET6 SOCK_DGRAM" "bind-it inet6 :: 80" "bind-it inet6 ::1 54" | xargs)" \
		"ok EACCES EACCES ok ok EACCES EACCES ok ok EACCES EACCES ok ok EACCES EACCES"
	expect_equal "$(ss -Hltun)" "" "what is bound"
}

test_high_ports_are_bound_as_without_run() {
	run_policy
	expect_equal "$(run ask --direct "make AF_INET SOCK_STREAM" "bind-it inet 127.0.0.1 8080" name \
		"make AF_INET SOCK_STREAM" "bind-it inet 127.0.0.1 8080" "bind-it inet 192.0.2.1 8081")" \
		$'ok\nok\nok 127.0.0.1 8080\nok\nok\nEADDRNOTAVAIL'
}

test_the_kernels_own_errors_of_a_bind_come_through() {
	run_policy
	# It serves until it is asked.
	start_as alice ask "listen tcp:80" "answer x"
	eventually 5 listening 80 || fail "nobody listens"
	expect_equal "$(run ask --direct "make AF_INET SOCK_STREAM" "bind-it inet 0.0.0.0 80" close \
		"make AF_INET SOCK_STREAM" "bind-it inet 192.0.2.1 443" "bind-it inet 127.0.0.1 443" \
		"bind-it inet 127.0.0.1 443" | xargs)" "ok EADDRINUSE ok ok EADDRNOTAVAIL ok EINVAL"
}

# The program's own socket is bound, not another one in its place.
test_what_was_set_before_the_bind_survives_it() {
	run_policy
	cat >/run/test/early.py <<-'END'
		import os, select, socket
		server = socket.socket()
		server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		server.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 5)
		server.setblocking(False)
		double = server.dup()
		loop = select.epoll()
		loop.register(double.fileno(), select.EPOLLIN)
		inode = os.fstat(server.fileno()).st_ino
		server.bind(("127.0.0.1", 80))
		server.listen()
		print(server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR),
		    server.getsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY), server.getblocking(),
		    os.fstat(server.fileno()).st_ino == inode, double.getsockname(), flush=True)
		client = socket.create_connection(("127.0.0.1", 80))
		print(loop.poll(10)[0][0] == double.fileno())
		double.accept()[0].sendall(b"served")
		print(client.recv(100).decode())
	END
	expect_equal "$(run python3 /run/test/early.py)" \
		$'1 5 False True (\'127.0.0.1\', 80)\nTrue\nserved'
}

# No descriptor of it is left anywhere when the bind has returned.
test_a_port_can_be_bound_again_as_soon_as_it_is_closed() {
	run_policy
	expect_equal "$(run calls binds 2000 80)" "ok=2000"
	expect_equal "$(run calls binds 2000 8080)" "ok=2000" "one that the policy does not name"
}

test_a_socket_in_the_file_system_is_bound() {
	run_policy
	expect_equal "$(run ask --direct "make AF_UNIX SOCK_STREAM" "bind-it unix /srv/sockets/one" \
		start-listening "make AF_UNIX SOCK_STREAM" "bind-it unix /srv/elsewhere" \
		"bind-it unix /home/alice/own" | xargs)" "ok ok ok ok EACCES ok"
	expect_equal "$(stat -c '%F %a %U' /srv/sockets/one)" "socket 666 alice"
	[[ -S /home/alice/own ]] || fail "her own is not there"
}

# ---- servers ----

page() { # FOLDER
	mkdir -p "$1"
	echo "a page" >"$1/index.html"
}

fetch() { # URL PORT
	eventually 10 listening "$2" || fail "nobody listens on $2"
	curl -sk --max-time 10 "$1"
}

test_busybox_serves_port_80() {
	has_program busybox
	run_policy
	page /home/alice/site
	expect_status 1 as alice busybox httpd -f -p 80 -h /home/alice/site
	start_run busybox httpd -f -p 80 -h /home/alice/site
	expect_equal "$(fetch http://127.0.0.1/ 80)" "a page"
	kill $!
	expect_end $! 143
	expect_status 1 run busybox httpd -f -p 81 -h /home/alice/site
	expect_match "$output" 'Permission denied'
}

test_python_serves_port_80() {
	run_policy
	page /home/alice/site
	start_run python3 -m http.server 80 --directory /home/alice/site >/run/test/server 2>&1
	expect_equal "$(fetch http://127.0.0.1/ 80)" "a page"
	kill -INT $!
	expect_end $! 0
	expect_match "$(cat /run/test/server)" 'Keyboard interrupt received'
}

test_a_daemon_serves_after_the_command_has_returned() {
	has_program busybox
	run_policy
	page /home/alice/site
	expect_status 0 run busybox httpd -p 80 -h /home/alice/site
	expect_equal "$(fetch http://127.0.0.1/ 80)" "a page"
	expect_equal "$(launchers | wc -l)" 1 "supervisors"
	pkill -u alice -x busybox
	eventually 5 no_launcher_is_left || fail "these are left: $(launchers)"
}

# ---- nginx, with a key that root alone may read ----

certificate() { # NAME
	(umask 077 && mkdir -p /srv/tls)
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj "/CN=$1" -keyout /srv/tls/key.pem -out /srv/tls/cert.pem 2>/dev/null
	chmod 0600 /srv/tls/*.pem
}

served_name() {
	openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null |
		openssl x509 -noout -subject 2>/dev/null
}

served_name_is() { # NAME
	[[ $(served_name) == *"CN = $1" || $(served_name) == *"CN=$1" ]]
}

nginx_of_alice() {
	has_program nginx
	has_program openssl
	run_policy - <<-'END'
		allow read /srv/tls/*.pem
	END
	certificate first.example
	as alice mkdir /home/alice/nginx
	cat >/home/alice/nginx/conf <<-'END'
		pid /home/alice/nginx/pid;
		worker_processes 2;
		events { }
		http {
			access_log off;
			client_body_temp_path /home/alice/nginx/1;
			proxy_temp_path /home/alice/nginx/2;
			fastcgi_temp_path /home/alice/nginx/3;
			uwsgi_temp_path /home/alice/nginx/4;
			scgi_temp_path /home/alice/nginx/5;
			server {
				listen 80;
				listen [::]:80;
				listen 443 ssl;
				listen [::]:443 ssl;
				ssl_certificate /srv/tls/cert.pem;
				ssl_certificate_key /srv/tls/key.pem;
				location / { return 200 "served\n"; }
			}
		}
	END
}

NGINX=(nginx -c /home/alice/nginx/conf -e /home/alice/nginx/error)

test_nginx_serves_80_and_443_as_a_daemon_of_alice() {
	local nginx
	nginx_of_alice
	expect_status 1 as alice "${NGINX[@]}"
	expect_status 0 run "${NGINX[@]}"
	expect_equal "$(fetch http://127.0.0.1/ 80)" served
	expect_equal "$(fetch 'http://[::1]/' 80)" served
	expect_equal "$(fetch https://127.0.0.1/ 443)" served
	expect_equal "$(fetch 'https://[::1]/' 443)" served
	served_name_is first.example || fail "another certificate: $(served_name)"
	nginx=$(cat /home/alice/nginx/pid)
	expect_equal "$(stat -c %U "/proc/$nginx")" alice
	expect_equal "$(parent_of "$nginx")" "$(launchers)" "who serves it"
	kill -QUIT "$nginx"
	eventually 10 no_launcher_is_left || fail "these are left: $(launchers)"
}

test_nginx_reads_its_key_again_when_it_reloads() {
	nginx_of_alice
	expect_status 0 run "${NGINX[@]}"
	expect_equal "$(fetch https://127.0.0.1/ 443)" served
	certificate second.example
	served_name_is first.example || fail "it has not waited: $(served_name)"
	kill -HUP "$(cat /home/alice/nginx/pid)"
	eventually 10 served_name_is second.example || fail "still the old one: $(served_name)"
	certificate third.example
	# This reads the configuration, and so the key, before it sends the signal.
	expect_status 0 run "${NGINX[@]}" -s reload
	eventually 10 served_name_is third.example || fail "still the old one: $(served_name)"
	expect_equal "$(launchers | wc -l)" 1 "supervisors"
	expect_status 0 run "${NGINX[@]}" -s quit
	eventually 10 no_launcher_is_left || fail "these are left: $(launchers)"
}

# ---- all kinds of programs ----

test_a_static_program_is_served() {
	needs_static
	run_policy
	expect_equal "$(as alice calls-static read /srv/granted)" EACCES
	expect_equal "$(run calls-static ways /srv/granted)" \
		$'ok granted\nok granted\nok granted'
	expect_equal "$(run calls-static binds 3 80)" "ok=3"
	expect_equal "$(run calls-static binds 3 81)" "ok=0 EACCES=3"
	expect_equal "$(run calls-static append /srv/log second && cat /srv/log)" $'ok\nfirst\nsecond'
}

test_many_threads_open_at_once() {
	local files
	run_policy
	granted_files 16
	expect_status 0 run crowd 16 200 "${files[@]}"
	expect_equal "$output" 3200
}

test_xargs_runs_many_at_once() {
	run_policy
	# Each writes its line in one piece.
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run sh -c 'seq 400 | xargs -P 8 -n 1 sh -c "echo \$(cat /srv/granted)" |
		sort | uniq -c | xargs')" "400 granted"
}

# In the pipelines are programs with a timer and a handler of their own, which has SA_RESTART; the
# whole group gets what nobody takes but the shell, whose handler of SIGCHLD has that as well. Nothing
# fails.
test_a_pipeline_holds_under_a_thousand_signals_a_second() {
	run_policy
	cat >/run/test/pelt.py <<-'END'
		import itertools, os, signal, time
		for number in (signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG):
		    signal.signal(number, signal.SIG_IGN)
		for number in itertools.cycle((signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG)):
		    os.kill(0, number)
		    time.sleep(0.001)
	END
	cat >/run/test/pipelines <<-'END'
		python3 /run/test/pelt.py &
		trap 'kill $!' EXIT
		for i in {1..300}; do
			text=$(pelted copy 20 /srv/granted | pelted copy 0 - | tr a-z A-Z | sed s/GR/gr/)
			[[ $text == grANTED ]] || echo "pipeline $i: '$text'"
			[[ $(</srv/granted) == granted ]] || echo "the shell's own open"
		done
		echo done
	END
	# A session of its own, so that nobody else is in the group.
	expect_status 0 run setsid --wait bash /run/test/pipelines
	expect_equal "$output" "done"
}

# A handler with SA_RESTART: the kernel begins the call again if the supervisor has not taken it yet,
# and after that only a signal that kills can end the wait. Without SA_RESTART a signal in the moment
# before the supervisor has taken the call ends it with EINTR: the residue that the manual tells of.
test_signals_with_SA_RESTART_interrupt_no_open() {
	run_policy
	expect_status 0 run pelted restart 5000 /srv/granted
	expect_equal "$output" "ok=5000 EINTR=0"
	expect_status 0 run pelted restart 5000 /etc/passwd
	expect_equal "$output" "ok=5000 EINTR=0"
}

# What has been done is not undone, so it must not be begun again: from Linux 5.19 on the answer is
# waited for.
test_signals_with_SA_RESTART_create_no_file_twice() {
	run_policy - <<-'END'
		allow write,create /srv/made/*
	END
	mkdir -m 0700 /srv/made
	expect_status 0 run pelted create 2000 /srv/made/
	expect_equal "$output" "ok=2000 EINTR=0"
	expect_equal "$(find /srv/made -type f | wc -l)" 2000
}

test_signals_without_SA_RESTART_interrupt_an_open_or_do_not() {
	run_policy
	expect_status 0 run pelted interrupt 5000 /srv/granted
	expect_match "$output" '^ok=[1-9][0-9]* EINTR='
}

# ---- nothing is left ----

open_often() { # SESSION COUNT COMMAND EXPECTED
	local i
	for ((i = 0; i < $2; i++)); do
		expect_equal "$(tell "$1" "$3")" "$4"
	done
}

bind_often() { # SESSION COUNT
	local i
	for ((i = 0; i < $2; i++)); do
		expect_equal "$(tell "$1" "make AF_INET SOCK_STREAM")" ok
		expect_equal "$(tell "$1" "bind-it inet 127.0.0.1 81")" EACCES
		expect_equal "$(tell "$1" "bind-it inet 127.0.0.1 80")" ok
		expect_equal "$(tell "$1" close)" ok
	done
}

# The supervisor starts threads as they are needed, each with a connection of its own, and lets go
# of them when there is no more work.
wait_for_rest() { # SUPERVISOR
	eventually 10 supervisor_rests "$1" ||
		fail "the supervisor has $(threads_of "$1") threads, $(sockets_of "$1") sockets"
}

test_no_descriptor_is_left_in_the_launcher_or_the_broker() {
	local supervisor in_supervisor in_broker in_program
	run_policy
	open_run program
	supervisor=$(supervisor_of "${SESSION_PID[program]}")
	open_often program 5 "cat /srv/granted" "ok granted"
	open_often program 5 "cat /srv/other" EACCES
	open_often program 5 "open /srv/both O_WRONLY|O_APPEND|O_DIRECTORY" ENOTDIR
	bind_often program 5
	wait_for_rest "$supervisor"
	in_supervisor=$(descriptors_of "$supervisor")
	in_program=$(descriptors_of "$(children_of "$supervisor")")
	in_broker=$(broker_descriptors)
	open_often program 300 "cat /srv/granted" "ok granted"
	open_often program 300 "cat /srv/other" EACCES
	open_often program 100 "open /srv/both O_WRONLY|O_APPEND|O_DIRECTORY" ENOTDIR
	bind_often program 100
	expect_equal "$(descriptors_of "$(children_of "$supervisor")")" "$in_program" "the program"
	wait_for_rest "$supervisor"
	expect_equal "$(descriptors_of "$supervisor")" "$in_supervisor" "the supervisor"
	expect_descriptors "$in_broker"
}

# Killed while they open, and with no number left for what they get.
test_no_descriptor_is_left_of_calls_that_fail_halfway() {
	local supervisor before go
	run_policy
	cat >/run/test/halfway <<-'END'
		calls read /srv/granted
		read -r
		for _ in {1..80}; do
			calls times 1000000 /srv/granted &
			sleep 0.02
			kill -KILL $!
			wait $!
			calls fill /srv/granted
		done 2>/dev/null
		echo over
		sleep 300
	END
	mkfifo /run/test/go
	exec {go}<>/run/test/go
	start_run bash /run/test/halfway <&"$go" >/run/test/answers
	eventually 10 has_lines 1 /run/test/answers || fail "the program is not ready"
	supervisor=$(supervisor_of $!)
	wait_for_rest "$supervisor"
	before=$(descriptors_of "$supervisor")
	echo >&"$go"
	eventually 40 has_lines 82 /run/test/answers || fail "it has not ended"
	expect_equal "$(sort /run/test/answers | uniq -c | sort -n | xargs)" \
		"1 ok granted 1 over 80 EMFILE after 63"
	wait_for_rest "$supervisor"
	expect_equal "$(descriptors_of "$supervisor")" "$before" "descriptors"
}

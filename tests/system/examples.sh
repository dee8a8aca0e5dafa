# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# Every example of the README, the manuals and the header is tested: policies are checked, C is
# compiled and run, commands are typed. What stands there and no test claims is a failure.
source tests/system/examples.lib

README=README.md
TOOL=client-lib/cli/fdbroker.1.scd
DAEMON=broker/fdbrokerd.8.scd
LIBRARY=client-lib/libfdbroker.3.scd
PROTOCOL=client-lib/fdbroker-protocol.7.scd
HEADER=client-lib/fdbroker.h
DOCUMENTS=("$README" "$RECIPES" "$TOOL" "$DAEMON" "$LIBRARY" "$PROTOCOL" "$HEADER")

# How an example begins, and which test it is in: FILE:TEST, or "none" where it is a picture or a list.
claims() {
	cat <<-END
		*|client *|examples:every_policy_of_the_documents_is_right
		$README|/\* SPDX*|documents:the_first_program_of_the_README_is_the_example
		$README|sudo tests/demo *|examples:the_two_commands_of_the_README_are_there
		$README|meson setup build *|examples:the_commands_that_install_have_these_options
		$README| policy files *|none
		$README|broker/ *|none
		$README|fdbroker check && sudo systemctl re*|examples:the_README_leads_to_a_first_grant
		$README|echo secret *|examples:the_README_leads_to_a_first_grant
		$README|sudo -u www-data fdbroker exec --limit*|examples:the_README_leads_to_a_first_grant
		$README|cc first.c *|examples:the_README_leads_to_a_first_grant
		$README|fdbroker check --strict draft.policy|examples:the_README_leads_to_a_grant_of_ones_own
		$README|fdbroker explain --policy *|examples:the_README_leads_to_a_grant_of_ones_own
		$README|sudo install *|examples:the_README_leads_to_a_grant_of_ones_own
		$README|sudo -u www-data fdbroker list|examples:the_README_leads_to_a_grant_of_ones_own
		$README|sudo journalctl *|examples:the_README_helps_when_something_is_denied
		$README|sudo -u www-data fdbroker run *|examples:the_README_runs_a_program_as_it_is
		$RECIPES|\$ fdbroker exec --listen tcp:443=https *|recipes:the_recipe_for_keys_of_certbot
		$RECIPES|\$ fdbroker exec --listen tcp:80=http *|recipes:the_recipe_for_Node
		$RECIPES|\$ fdbroker run -- node *|recipes:the_recipe_for_Node_without_descriptors
		$RECIPES|const http = *|recipes:the_recipe_for_Node
		$RECIPES|# sysctl *|recipes:the_recipe_for_ping
		$RECIPES|import socket, sys|recipes:the_recipe_for_ping
		$RECIPES|# mkdir /var/log/app|recipes:the_recipe_for_a_log
		$RECIPES|\$ fdbroker exec --open /dev/serial/*|recipes:the_recipe_for_a_serial_port
		$RECIPES|\$ fdbroker exec --limit *|recipes:the_recipe_for_a_sandbox_for_builds
		$RECIPES|\$ fdbroker exec --tun *|recipes:the_recipe_for_a_tun_device
		$RECIPES|\[Unit\]|recipes:the_recipe_for_a_service_with_DynamicUser
		$RECIPES|\$ podman run *|recipes:the_recipe_for_a_rootless_container
		$RECIPES|struct fdbroker \*broker = *|recipes:the_recipe_for_a_rootless_container
		$RECIPES|\$ fdbroker cat *|recipes:the_recipe_for_backups
		$RECIPES|fdbroker check && systemctl reload fdbroker|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|draft.policy:3:*|examples:the_diagnostic_of_the_manual_is_that_of_check
		$TOOL|journalctl -u fdbroker -n 20|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|sudo -u app fdbroker list|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|fdbroker explain *|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|fdbroker suggest --since -10min|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|fdbroker suggest --since yesterday *|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|journalctl -u mine *|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|fdbroker check && systemctl reload fdbroker|examples:the_manual_of_the_tool_helps_when_something_is_denied
		$TOOL|fdbroker cat *|examples:the_examples_of_the_tool_do_what_they_say
		$TOOL|fdbroker exec *|examples:the_examples_of_the_tool_do_what_they_say
		$TOOL|fdbroker run -- python3 *|examples:run_serves_a_folder_as_the_manual_says
		$TOOL|fdbroker run -- node *|examples:run_serves_JavaScript_as_the_manual_says
		$TOOL|fdbroker run -- nginx *|examples:run_serves_nginx_as_the_manual_says
		$TOOL|daemon off;|examples:run_serves_nginx_as_the_manual_says
		$TOOL|\[Unit\]|examples:the_unit_of_the_manual_runs_a_service
		$TOOL|fdbroker run --sandbox -r . *|examples:run_lets_a_script_read_its_folder_as_the_manual_says
		$TOOL|fdbroker run --sandbox -w *|examples:run_confines_as_the_manual_says
		$TOOL|allow  read  /etc/ld.so.cache *|examples:an_interpreter_starts_by_the_rules_of_the_manual_alone
		$TOOL|fdbroker run --policy-only *|examples:run_leaves_all_to_the_policy_of_the_manual
		$DAEMON|fdbrokerd --check|examples:the_README_leads_to_a_first_grant
		$DAEMON|systemctl restart fdbroker|examples:the_README_leads_to_a_first_grant
		$DAEMON|audit: *|examples:the_records_of_the_manual_are_as_it_says
		$DAEMON|{"audit"*|examples:the_records_of_the_manual_are_as_it_says
		$DAEMON|^audit: *|examples:the_records_of_the_manual_are_as_it_says
		$DAEMON|journalctl -t fdbrokerd *|examples:the_records_of_the_manual_are_as_it_says
		$LIBRARY|struct fdbroker \*narrowed *|examples:the_code_of_the_manual_of_the_library_works
		$LIBRARY|const char \*number *|examples:the_code_of_the_manual_of_the_library_works
		$LIBRARY|if (fdbroker_sandbox*|examples:the_code_of_the_manual_of_the_library_works
		$LIBRARY|struct fdbroker \*broker *|examples:the_code_of_the_manual_of_the_library_works
		$PROTOCOL|66 42 01 0[12] *|examples:the_packets_of_the_manual_are_those_of_the_broker
		$HEADER|struct fdbroker \*broker *|examples:the_code_of_the_header_works
		$HEADER|const struct fdbroker_limit *|examples:the_code_of_the_header_works
		$HEADER|struct sockaddr_in, *|none
		$HEADER|"tcp:*|examples:the_endpoints_of_the_header_are_understood
	END
}

is_claimed() { # DOCUMENT FIRST-LINE
	local document pattern by
	while IFS='|' read -r document pattern by; do
		# shellcheck disable=SC2053 # patterns
		[[ $1 == $document && $2 == $pattern ]] || continue
		[[ $by == none ]] || grep -q "^test_${by#*:}()" "tests/system/${by%%:*}.sh" ||
			fail "there is no test $by, which claims: $2"
		return 0
	done < <(claims)
	return 1
}

test_every_example_is_claimed_by_a_test() {
	local document first count=0
	for document in "${DOCUMENTS[@]}"; do
		while IFS= read -r first; do
			is_claimed "$document" "$first" || fail "$document: no test claims: $first"
			count=$((count + 1))
		done < <(examples list "$document")
	done
	((count > 70)) || fail "only $count examples were found"
	! is_claimed "$README" "rm -rf /" || fail "anything is claimed"
}

# With the users and groups that they speak of, none of them is worth a warning.
test_every_policy_of_the_documents_is_right() {
	local document number count=0 text
	users_of_the_documents
	for document in "${DOCUMENTS[@]}"; do
		number=0
		while text=$(example "$document" "client " $((number + 1)) 2>/dev/null); do
			number=$((number + 1))
			policy <<<"$text"
			step "$document, $number"
			expect_status 0 fdbroker check --strict "$POLICY"
		done
		count=$((count + number))
	done
	((count > 25)) || fail "only $count policies"
}

# Written before the language was settled. Each block is a policy of its own, for another machine; that
# of the administrator goes with the one before it, which it narrows.
test_the_cases_that_the_language_is_for_are_right() {
	local file count=0
	users_of_the_documents
	awk '/^client/ && $3 != "only" || /^client build/ { n++ }
		n { print >("/run/test/case" n ".policy") }' policy/examples/cases.policy
	for file in /run/test/case*.policy; do
		expect_status 0 fdbroker check --strict "$file"
		count=$((count + 1))
	done
	expect_equal "$count" "$(($(grep -c '^client' policy/examples/cases.policy) - 1))"
}

# ---- a machine on which it is installed ----

# sudo(8) and systemctl(1) as far as they are typed in the documents.
machine() {
	users_of_the_documents
	stand_in sudo <<-'END'
		#!/bin/bash
		if [[ $1 == -u ]]; then
			exec setpriv --reuid="$2" --regid="$2" --init-groups --inh-caps=-all \
				--bounding-set=-all --no-new-privs -- "${@:3}"
		fi
		exec "$@"
	END
	stand_in systemctl <<-'END'
		#!/bin/bash
		# restart|reload fdbroker: returns when it is done, as with Type=notify.
		set -eu
		[[ $2 == fdbroker ]]
		log=/run/test/broker.log pid=$(cat /run/test/broker.pid 2>/dev/null || true)
		touch "$log"
		count() { grep -cE "\bready\b|reload (done|failed)" "$log" || true; }
		before=$(count)
		if [[ $1 == reload ]]; then
			kill -HUP "$pid"
		else
			[[ -z $pid ]] || kill "$pid"
			# As a zombie it has closed the socket; what else is in proc(5) goes before.
			while [[ -n $pid ]] && grep -qs '^State:[[:blank:]][^Z]' "/proc/$pid/status"; do
				sleep 0.02
			done
			fdbrokerd --log-format text >>"$log" 2>&1 </dev/null &
			echo $! >/run/test/broker.pid
		fi
		while (($(count) == before)); do sleep 0.02; done
		! tail -n 1 "$log" | grep -q "reload failed"
	END
	# The records of the log, as the journal has them.
	stand_in journalctl <<-'END'
		#!/usr/bin/python3
		import json, re, sys
		for line in open("/run/test/broker.log"):
		    found = re.match(r"audit: (\w+) (.*)$", line.strip())
		    if "json" not in sys.argv:
		        print("fdbrokerd[1]:", line.strip())
		    elif found:
		        record = {"MESSAGE": line.strip(), "FDBROKER_VERDICT": found[1]}
		        for name, quoted, plain in re.findall(
		                r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))', found[2]):
		            if plain != "-":
		                record["FDBROKER_" + name.upper()] = quoted or plain
		        print(json.dumps(record))
	END
	mkdir -p /etc/ssl/private
	types root "systemctl restart fdbroker"
}

# What pkg-config(1) says of the library, with the folders in which it is here.
as_if_installed() {
	cp client-lib/fdbroker.h /opt/fdbroker/
	sed -e 's|^includedir=.*|includedir=/opt/fdbroker|; s|^libdir=.*|libdir=/opt/fdbroker/lib|' \
		-e "s|^Libs:|& $(sanitizers)|" \
		"$FDBROKER_BUILD/meson-private/fdbroker.pc" >/opt/fdbroker/lib/fdbroker.pc
	export PKG_CONFIG_PATH=/opt/fdbroker/lib
}

test_the_README_leads_to_a_first_grant() {
	unshare --user true 2>/dev/null || skip "there are no user namespaces to be had"
	machine
	bwrap_or_stand_in
	local check_and
	check_and=$(example "$README" "fdbroker check && sudo systemctl restart")
	example "$README" "client www {" >/etc/fdbroker/policy.d/www.policy
	types root "$check_and"
	expect_status 0 fdbrokerd --check
	program server <<-'END'
		#!/bin/bash
		echo "$LISTEN_FDNAMES $(cat <&4)"
	END
	expect_equal "$(types root "$(example "$README" "echo secret |")")" \
		$'secret\nweb:key secret'

	# A connection that is good for the keys alone.
	program program <<-'END'
		#!/bin/bash
		fdbroker cat /etc/ssl/private/example.key
		env -u FDBROKER_FD fdbroker cat /etc/ssl/private/example.key 2>&1 | grep -o "No such file"
	END
	expect_equal "$(types root "$(example "$README" "sudo -u www-data fdbroker exec --limit")")" \
		$'secret\nNo such file'

	# The first program.
	cp client-lib/examples/first.c "$WORK/"
	as_if_installed
	expect_equal "$(types root "$(example "$README" "cc first.c")")" secret

	# Another rule of the same kind: a reload will do.
	sed -i 's|example.key|*.key|; s|^}|	allow read /srv/file\n}|' \
		/etc/fdbroker/policy.d/www.policy
	secret /srv/file "more"
	types root "$(example "$README" "fdbroker check && sudo systemctl reload")"
	expect_equal "$(as www-data fdbroker cat /srv/file)" more
	types root "$(example "$DAEMON" "systemctl restart fdbroker")"
	expect_equal "$(as www-data fdbroker cat /srv/file)" more
}

# The lines of an example one by one; numbers of processes are what they are here.
line() { # DOCUMENT FIRST-LINE-OF-EXAMPLE WORD [PID]
	example "$1" "$2" | grep -F -- "$3" | sed "s/4711/${4-4711}/"
}

test_the_README_leads_to_a_grant_of_ones_own() {
	machine
	secret /etc/ssl/private/example.key "the key"
	sed 's|allow  read  /etc/ssl/private/\*.key|allow  append  /etc/ssl/private/*.key|' \
		>"$WORK/draft.policy" < <(example "$README" "client www {")
	types root "$(line "$README" "fdbroker check --strict" check)"

	# Not yet: it names the word that is wrong.
	local explain
	explain=$(line "$README" "fdbroker explain --policy" explain)
	expect_status 3 types root "$explain"
	expect_match "$output" 'append'
	expect_match "$output" 'draft.policy:3'
	sed -i 's|append|read|' "$WORK/draft.policy"
	expect_status 0 types root "$explain"

	types root "$(example "$README" "sudo install -m 644 draft.policy")"
	expect_equal "$(as www-data fdbroker cat /etc/ssl/private/example.key)" "the key"
	expect_match "$(types root "$(example "$README" "sudo -u www-data fdbroker list")")" \
		'allow +read +/etc/ssl/private/\*\.key'
}

test_the_README_helps_when_something_is_denied() {
	machine
	local block="sudo journalctl -u fdbroker" suggested sleeper
	example "$README" "client www {" >/etc/fdbroker/policy.d/www.policy
	types root "systemctl restart fdbroker"
	secret /etc/ssl/private/example.pem "not the key"
	expect_status 1 as www-data fdbroker cat /etc/ssl/private/example.pem
	expect_match "$(types root "$(line "$README" "$block" journalctl)")" \
		'denied .*example.pem.*reason=policy'
	start_as www-data sleep 50
	sleeper=$!
	expect_status 0 types root "$(line "$README" "$block" explain $sleeper)"
	kill $sleeper

	suggested=$(types root "$(line "$README" "$block" suggest)")
	expect_match "$suggested" 'read +/etc/ssl/private/example\.pem'
	echo "$suggested" >/etc/fdbroker/policy.d/suggested.policy
	types root "$(example "$README" "fdbroker check && sudo systemctl reload")"
	expect_equal "$(as www-data fdbroker cat /etc/ssl/private/example.pem)" "not the key"
}

test_the_manual_of_the_tool_helps_when_something_is_denied() {
	machine
	secret /etc/app/key "the key"
	cat >/etc/fdbroker/policy.d/app.policy <<-END
		client app {
			from   user app
			allow  read  /etc/app/*.pem
		}
	END
	sed 's/\*\.pem/key/' /etc/fdbroker/policy.d/app.policy >"$WORK/draft.policy"
	types root "systemctl restart fdbroker"
	expect_status 1 as app fdbroker cat /etc/app/key
	expect_match "$(types root "$(example "$TOOL" "journalctl -u fdbroker")")" \
		'denied .*/etc/app/key'
	expect_match "$(types root "$(example "$TOOL" "sudo -u app fdbroker list")")" \
		'/etc/app/\*\.pem'
	start_as app sleep 50
	local sleeper=$!
	expect_status 3 types root "$(line "$TOOL" "fdbroker explain --pid" explain $sleeper)"
	expect_match "$output" 'app.policy:3'
	kill $sleeper
	expect_status 0 types root "$(example "$TOOL" "fdbroker explain --policy draft.policy")"
	expect_match "$(types root "$(example "$TOOL" "fdbroker suggest --since")")" '/etc/app/key'
	expect_match "$(types root "$(example "$TOOL" "journalctl -u mine")")" 'read +/etc/app/key'
	expect_match "$(types root \
		"$(example "$TOOL" "fdbroker suggest --since yesterday" | sed 's/nginx/app/')")" \
		'client app \{.*read +/etc/app/key'
	cp "$WORK/draft.policy" /etc/fdbroker/policy.d/app.policy
	local document
	for document in "$TOOL" "$RECIPES"; do
		types root "$(example "$document" "fdbroker check && systemctl reload fdbroker")"
	done
	expect_equal "$(as app fdbroker cat /etc/app/key)" "the key"
}

# ---- commands of fdbroker(1) ----

tool_policy() {
	policy <<-END
		client examples {
			from user app
			from user root
			allow read /etc/ssl/private/*.key
			allow read,list /srv/data/**
			allow bind tcp:80,443 udp:53
			allow connect tcp:127.0.0.1:5432 tcp:db.internal:5432
		}
	END
	secret /etc/ssl/private/example.key "the key"
	secret /srv/data/a "one"
	secret /srv/data/b "two"
	sed -i 's/^192.0.2.7 .*//' /etc/hosts
	echo "127.0.0.1 db.internal" >>/etc/hosts
	start_broker
}

test_the_diagnostic_of_the_manual_is_that_of_check() {
	printf 'client a {\nfrom user alice\nallow reed /etc/motd\n}\n' >/run/test/draft.policy
	cd /run/test
	expect_status 1 fdbroker check draft.policy
	cd - >/dev/null
	expect_equal "$(head -n 4 <<<"$output")" "$(example "$TOOL" "draft.policy:")"
}

# Each example of exec, by the beginning of its line, and what comes of it.
test_the_examples_of_the_tool_do_what_they_say() {
	unshare --user true 2>/dev/null || skip "there are no user namespaces to be had"
	users_of_the_documents
	bwrap_or_stand_in
	tool_policy
	expect_equal "$(types app "$(example "$TOOL" "fdbroker cat ")")" "the key"

	program server <<<$'#!/bin/bash\necho "$LISTEN_FDNAMES $(cat <&4)"'
	expect_equal "$(types app "$(example "$TOOL" "fdbroker exec --listen tcp:443")")" \
		"https:key the key"
	program resolver <<<$'#!/bin/bash\nss -Hlun "sport = :53" | wc -l'
	expect_equal "$(types app "$(example "$TOOL" "fdbroker exec --listen 'udp:")")" 1
	python3 -c 'import socket
peer = socket.create_server(("127.0.0.1", 5432)).accept()[0]
peer.sendall(peer.recv(10).upper())' &
	eventually 5 listening 5432 || fail "nobody listens"
	program client <<<$'#!/bin/bash\necho hello >&3; cat <&3'
	expect_equal "$(types app "$(example "$TOOL" "fdbroker exec --dial")")" HELLO

	program report <<-'END'
		#!/bin/bash
		id -un
		fdbroker cat /srv/data/a && echo
		fdbroker cat /etc/ssl/private/example.key 2>&1 | grep -q narrowed && echo narrowed
	END
	local limited="fdbroker exec --limit 'read,list:/srv/data/**' --"
	expect_equal "$(types app "$(example "$TOOL" "$limited" 1)")" $'app\none\nnarrowed'
	expect_equal "$(types root "$(example "$TOOL" "$limited" 2)")" $'nobody\none\nnarrowed'
	printf '/srv/data/a\n/srv/data/b\n' >"$WORK/names"
	output=$(types app "$(example "$TOOL" "fdbroker exec --limit 'read:/srv/data/**'")")
	expect_match "$output" '^(onetwo|twoone)$'
}

# ---- fdbroker run ----

# Ends what serves in the background, as its user would: it dies of the signal, as the program does.
end() { # PID
	local status=0
	kill "$1"
	wait "$1" || status=$?
	expect_equal "$status" 143
}

test_the_README_runs_a_program_as_it_is() {
	machine
	example "$README" "client www {" >/etc/fdbroker/policy.d/www.policy
	types root "systemctl restart fdbroker"
	echo "the page" >"$WORK/index.html"
	local command server
	command=$(example "$README" "sudo -u www-data fdbroker run")
	# In the group of its own that a shell's job has.
	(cd "$WORK" && exec bash -c "exec $command") 2>/run/test/served &
	server=$!
	expect_equal "$(fetch http://127.0.0.1/ 80)" "the page"
	end $server
}

test_run_serves_a_folder_as_the_manual_says() {
	users_of_the_documents
	tool_policy
	echo "the page" >"$WORK/index.html"
	starts app "$(example "$TOOL" "fdbroker run -- python3")"
	expect_equal "$(fetch http://127.0.0.1/ 80)" "the page"
	end $!
}

test_run_serves_JavaScript_as_the_manual_says() {
	command -v node >/dev/null || skip "node is not installed"
	users_of_the_documents
	tool_policy
	echo 'require("http").createServer((q, a) => a.end("hello")).listen(80)' >"$WORK/server.js"
	starts app "$(example "$TOOL" "fdbroker run -- node")"
	expect_equal "$(fetch http://127.0.0.1/ 80)" hello
	end $!
}

# As certbot leaves it: links in live/ to files of root's in archive/.
certificate() { # NUMBER
	local folder=/etc/letsencrypt kind
	(umask 077 && mkdir -p "$folder/live/www.example.org" "$folder/archive/www.example.org")
	(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj "/CN=number $1" -keyout "$folder/archive/www.example.org/privkey$1.pem" \
		-out "$folder/archive/www.example.org/fullchain$1.pem" 2>/dev/null)
	for kind in privkey fullchain; do
		ln -sfn "../../archive/www.example.org/$kind$1.pem" \
			"$folder/live/www.example.org/$kind.pem"
	done
}

has_certificate() { # NUMBER
	[[ $(curl -skv --max-time 10 https://127.0.0.1/ 2>&1) == *"subject: CN=number $1"* ]]
}

test_run_serves_nginx_as_the_manual_says() {
	command -v nginx >/dev/null || skip "nginx is not installed"
	command -v openssl >/dev/null || skip "openssl is not installed"
	users_of_the_documents
	example "$RECIPES" "client tls " | sed 's/tcp:443/tcp:80,443/' | policy
	certificate 1
	belongs_to www-data /srv/www/html/index.html "the page"
	chown www-data: /srv/www
	example "$TOOL" "daemon off;" >/srv/www/nginx.conf
	start_broker
	starts www-data "$(example "$TOOL" "fdbroker run -- nginx")"
	expect_equal "$(fetch http://127.0.0.1/ 80)" "the page"
	has_certificate 1 || fail "not the first certificate"
	certificate 2
	kill -HUP $!
	eventually 10 has_certificate 2 || fail "the new certificate is not served"
	local status=0
	kill $!
	wait $! || status=$?
	expect_equal "$status" 0
}

test_the_unit_of_the_manual_runs_a_service() {
	users_of_the_documents
	tool_policy
	local unit=/run/test/report.service command folder=/run/systemd/system
	example "$TOOL" "[Unit]" >"$unit"
	program report <<-'END'
		#!/bin/bash
		exec python3 -m http.server "${@:2}"
	END
	command=$(sed -nE 's/^ExecStart=//p' "$unit")
	command=${command//"/usr/bin/report --port"/./report --port}
	echo "the page" >"$WORK/index.html"
	starts app "${command//"/usr/bin/"/}"
	expect_equal "$(fetch http://127.0.0.1/ 80)" "the page"
	end $!

	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	mkdir -p "$folder"
	sed -E "s|/usr/bin/fdbroker|$(command -v fdbroker)|" "$unit" >"$folder/report.service"
	sed -E "s|^ExecStart=[^ ]+|ExecStart=$(command -v fdbrokerd)|" \
		"$FDBROKER_BUILD/systemd/fdbroker.service" >"$folder/fdbroker.service"
	cp "$FDBROKER_BUILD/systemd/fdbroker.socket" "$folder/"
	expect_equal "$(systemd-analyze verify --man=no "$folder/report.service" 2>&1 |
		grep -E 'report|fdbroker' || true)" ""
}

test_run_lets_a_script_read_its_folder_as_the_manual_says() {
	users_of_the_documents
	tool_policy
	echo "beside it" >"$WORK/beside"
	cat >"$WORK/app.py" <<-'END'
		import os
		print(open("beside").read() + open("/srv/data/a").read())
		try:
		    open("new", "w")
		except PermissionError as error:
		    print(error.strerror)
	END
	expect_equal "$(types app "$(example "$TOOL" "fdbroker run --sandbox -r .")")" \
		$'beside it\none\nPermission denied'
	[[ ! -e $WORK/new ]] || fail "it has written"
}

test_run_confines_as_the_manual_says() {
	users_of_the_documents
	tool_policy
	belongs_to app /srv/open "for everybody"
	mkdir -p /srv/spool
	chown app: /srv/spool
	program convert <<-'END'
		#!/bin/bash
		cat /srv/data/a && echo
		cat /srv/open 2>&1 | grep -o "Permission denied"
		echo >>/srv/open || echo "not written"
		echo converted >/srv/spool/file && cat /srv/spool/file
	END
	expect_equal "$(types app "$(example "$TOOL" "fdbroker run --sandbox -w")" 2>/dev/null)" \
		$'one\nPermission denied\nnot written\nconverted'
	expect_equal "$(cat /srv/open)" "for everybody"
}

test_run_leaves_all_to_the_policy_of_the_manual() {
	users_of_the_documents
	example "$TOOL" "client counter {" | policy
	printf 'one\ntwo\n' >/run/test/lines
	secret /srv/data/a "$(cat /run/test/lines; echo .)"
	belongs_to app /srv/open "for everybody"
	start_broker
	local command
	command=$(example "$TOOL" "fdbroker run --policy-only")
	expect_equal "$(types app "$command")" "2 /srv/data/a"
	expect_status 1 types app "${command/data\/a/open}"
	expect_match "$output" 'Permission denied'
	# Without the rules for its libraries it does not even start.
	sed -i '/ld.so.cache/d' "$POLICY"
	reload_broker
	expect_status 127 types app "$command"
	expect_match "$output" 'cannot open shared object file'
	expect_log 'audit: denied .*/lib.*libc.so.*reason=policy'
}

test_an_interpreter_starts_by_the_rules_of_the_manual_alone() {
	local program
	users_of_the_documents
	policy <<-END
		client scripts {
		from user app
		$(example "$TOOL" "allow  read  /etc/ld.so.cache")
		}
	END
	expect_status 0 fdbroker check "$POLICY"
	secret /srv/file "not granted"
	start_broker
	cat >"$WORK/interpreters" <<-'END'
		sh -c 'echo started; echo >/dev/null'
		perl -e 'use POSIX; print "started\n"; open(my $f, "<", "/srv/file") and print "more\n"'
		python3 -c 'import json, os; print("started"); os.path.exists("/etc/passwd") and open("/dev/null", "w")'
		node -e 'console.log("started")'
		git --version | sed 's/.*/started/'
	END
	while IFS= read -r program; do
		command -v "${program%% *}" >/dev/null || continue
		step "$program"
		expect_equal "$(types app "fdbroker run --policy-only $program")" started "$program"
	done <"$WORK/interpreters"
	expect_status 1 types app "fdbroker run --policy-only python3 -c 'open(\"/etc/passwd\")'"
	expect_match "$output" 'Permission denied'
}

# ---- what cannot be done in a sandbox ----

test_the_two_commands_of_the_README_are_there() {
	local block
	block=$(example "$README" "sudo tests/demo")
	expect_match "$block" 'sudo tests/demo .*'$'\n''sudo tests/run '
	[[ -x tests/demo && -x tests/run ]] || fail "they cannot be run"
	expect_status 64 tests/run --help
	expect_match "$output" "--sanitize"
	# What the first one shows, in the sandbox that this already is.
	bash tests/demo --inside >/run/test/demo 2>&1 || fail "$(cat /run/test/demo)"
}

# Each command, by its name and its subcommand, with the options that it is given.
test_the_commands_that_install_have_these_options() {
	local command words help word
	while IFS= read -r command; do
		read -ra words <<<"${command/#*sudo /}"
		if ! command -v "${words[0]}" >/dev/null; then
			step "${words[0]} is not installed: '$command' was not looked at"
			continue
		fi
		help=$("${words[0]}" --help 2>&1)
		[[ ${words[0]} != meson ]] || help=$(meson "${words[1]}" --help)
		for word in "${words[@]:1}"; do
			case $word in
			-*) [[ $help =~ (^|[ ,[])${word%%=*}([ =,]|$) ]] || fail "$command: no $word" ;;
			fdbroker.socket) [[ -e $FDBROKER_BUILD/systemd/$word ]] || fail "no $word" ;;
			enable | daemon-reload) [[ $help == *" $word"* ]] || fail "no $word" ;;
			setup | compile | install | build) ;;
			*) fail "$command: $word?" ;;
			esac
		done
	done < <(example "$README" "meson setup build" | sed 's/ && /\n/g')
}

# ---- the log ----

test_the_records_of_the_manual_are_as_it_says() {
	local expression record command
	expression=$(example "$DAEMON" "^audit: " | tr -d '\n')
	record=$(example "$DAEMON" "audit: ")
	expect_match "$record" "$expression"
	expect_equal "$(example "$DAEMON" '{"audit"' | python3 -c '
import json, sys
r = json.load(sys.stdin)
print("audit:", r.pop("audit"), *(f"{k}=\"{v}\"" if k == "object" else f"{k}={v}"
    for k, v in r.items()))')" "$record"
	policy <<<$'client a {\nfrom user alice\nallow read /a\n}'
	start_broker
	as alice ask "open /etc/shadow" >/dev/null
	expect_log 'audit: .*shadow'
	expect_match "$(audit_lines shadow)" "$expression"

	command=$(example "$DAEMON" "journalctl -t fdbrokerd")
	expect_equal "$(grep -oE 'FDBROKER_[A-Z]+' <<<"$command" | while read -r field; do
		grep -q "($field)" "$DAEMON" || echo "$field is not in the manual"
	done)" ""
	if command -v journalctl >/dev/null; then
		mkdir /run/test/journal
		expect_status 0 bash -c "$command --directory=/run/test/journal"
	fi
}

# ---- C ----

# A program with the lines in it, between what its text begins and ends with.
c_program() { # NAME BEFORE AFTER; the lines are the standard input
	{
		printf '#include <%s>\n' fdbroker.h err.h fcntl.h stdio.h stdlib.h unistd.h
		printf 'int main(void) {\n%s\n' "$2"
		cat
		printf '%s\nreturn 0; }\n' "$3"
	} >"$WORK/$1.c"
	compile "$WORK/$1.c" "$WORK/$1"
}

CONNECT='struct fdbroker *broker = fdbroker_new(NULL);'
PRINT_KEY='char text[20] = "";
if (read(key, text, 19) < 0)
	err(1, "read");
puts(text);'

# Whether the connection of that name is denied the file.
denied() { # CONNECTION PATH
	printf 'puts(fdbroker_open(%s, "%s", O_RDONLY) < 0 ? "denied" : "granted");' "$@"
}

test_the_code_of_the_manual_of_the_library_works() {
	users_of_the_documents
	tool_policy
	c_program narrowed "$CONNECT" "$(denied narrowed /srv/data/a)
		$(denied narrowed /etc/ssl/private/example.key)
		$(denied broker /etc/ssl/private/example.key)" \
		< <(example "$LIBRARY" "struct fdbroker *narrowed")
	expect_equal "$(types app ./narrowed)" $'granted\ndenied\ngranted'

	c_program adopted "" "$(denied broker /srv/data/a)
		$(denied broker /etc/ssl/private/example.key)" \
		< <(example "$LIBRARY" "const char *number")
	expect_equal "$(types app ./adopted)" $'granted\ngranted'
	expect_equal "$(types app "fdbroker exec --limit 'read:/srv/**' -- ./adopted")" \
		$'granted\ndenied'

	c_program sandboxed "$CONNECT" "$(denied broker /srv/data/a)
		puts(open(\"/etc/passwd\", O_RDONLY) < 0 ? \"denied\" : \"granted\");" \
		< <(example "$LIBRARY" "if (fdbroker_sandbox")
	expect_equal "$(types app ./sandboxed)" $'granted\ndenied'

	c_program first "" "${PRINT_KEY/(key/(fd}" < <(example "$LIBRARY" "$CONNECT")
	expect_equal "$(types app ./first)" "the key"
}

test_the_code_of_the_header_works() {
	users_of_the_documents
	tool_policy
	c_program first "" "$PRINT_KEY" < <(example "$HEADER" "$CONNECT")
	expect_equal "$(types app ./first)" "the key"

	secret /srv/data/index "the index"
	c_program limits "$CONNECT" "if (fdbroker_limit(broker, limits, 2) != 0) err(1, \"limit\");
		$(denied broker /srv/data/index)
		$(denied broker /srv/data/a)
		puts(fdbroker_listen(broker, \"tcp:80\", 1) < 0 ? \"denied\" : \"granted\");
		puts(fdbroker_listen(broker, \"tcp:443\", 1) < 0 ? \"denied\" : \"granted\");" \
		< <(example "$HEADER" "const struct fdbroker_limit limits")
	expect_equal "$(types app ./limits)" $'granted\ndenied\ngranted\ndenied'
}

# What the library cannot read is EINVAL; these are denied, failed or granted.
test_the_endpoints_of_the_header_are_understood() {
	local verb=listen endpoint number count=0
	policy <<<$'client a {\nfrom user alice\nallow read /a\n}'
	start_broker
	for number in 1 2; do
		for endpoint in $(example "$HEADER" '"tcp:' "$number" | tr -d '"'); do
			expect_equal "$(as alice ask "$verb $endpoint")" "EACCES policy" "$verb $endpoint"
			count=$((count + 1))
		done
		verb=dial
	done
	((count > 8)) || fail "only $count endpoints"
	expect_equal "$(as alice ask "listen tcp:no-port")" "EINVAL local"
}

# ---- packets ----

# Sends the packet on the standard input, a connection for each; prints the answer, both as the
# manual writes them.
PACKET='
import re, socket, sys
broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
broker.settimeout(10)
broker.connect("/run/fdbroker/broker.sock")
broker.send(bytes.fromhex(sys.stdin.read()))
answer = broker.recv(9000).hex(" ") + " "
lines = re.findall("(?:.. ){1,12}", answer)
print("\n".join("  ".join(g.strip() for g in re.findall("(?:.. ){1,4}", l)) for l in lines))'

exchange() { # USER N: that is the number of the request in the manual
	example "$PROTOCOL" "66 42 01 01" "$2" | as "$1" python3 -c "$PACKET"
}

answer() { # N
	example "$PROTOCOL" "66 42 01 02" "$1"
}

test_the_packets_of_the_manual_are_those_of_the_broker() {
	[[ $(printf '\1\0' | od -An -td2) -eq 1 ]] || skip "this machine is not little-endian"
	policy <<-END
		client packets {
			from user alice
			allow read /etc/key
			allow stat /srv/a
			allow resolve host:*
			allow connect tcp:127.0.0.1:80
		}
		client nothing {
			from user bob
			allow read /srv/nothing
		}
	END
	secret /etc/key "the key"
	ln -s b /srv/a
	echo "tcp 6 TCP" >/etc/protocols
	start_broker
	expect_equal "$(exchange alice 1)" "$(answer 1)" "open"
	expect_equal "$(exchange bob 1)" "$(answer 2)" "open, denied"
	expect_match "$(exchange alice 2)" '^66 42 01 02 .* [0-9a-f]{2} 00 00 00  02 00 00 00$' "dial, denied"
	expect_log 'verb=connect object="tcp:db:80"'
	expect_equal "$(exchange alice 3)" "$(answer 3)" "getprotobyname"
	expect_match "$(exchange alice 4)" $'^66 42 01 02 .*\n0a 00 00 00  00 00 00 00  00 00 00 00$' \
		"limit"
	expect_equal "$(exchange alice 5)" "$(answer 4)" "readlink"
	! example "$PROTOCOL" "66 42 01 01" 6 2>/dev/null || fail "a sixth request was not sent"
	! answer 5 2>/dev/null || fail "a fifth answer was not compared"
}

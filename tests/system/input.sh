# shellcheck shell=bash
# What is wrong is named, with the way out: in policies, on command lines, in calls.

# The daemon must end with an error that matches.
# shellcheck disable=SC2154 # output is expect_status's
refused_policy() { # REGEX; the policy is the standard input
	policy
	expect_status 1 timeout 10 fdbrokerd --policy "$POLICY"
	expect_match "$output" "$1"
}

refused_rule() { # RULE REGEX
	refused_policy "test.policy:3:[0-9-]+: (error: )?.*$2" <<-END
		client test {
			from user alice
			$1
		}
	END
	expect_status 1 fdbroker check "$POLICY"
	expect_match "$output" "test.policy:3:[0-9-]+: error: .*$2" "fdbroker check"
}

test_the_daemon_refuses_a_policy_with_an_error_and_names_it() {
	refused_rule 'permit read /srv/file' 'permit'
	refused_rule 'allow reed /srv/file' 'reed'
	refused_rule 'allow read' ''
	refused_rule 'allow read srv/file' 'srv/file'
	refused_rule 'allow read /srv/../etc/shadow' '\.\.'
	refused_rule 'allow read /srv/' ''
	refused_rule 'allow read /srv/a**' '\*\*'
	refused_rule 'allow create /srv/file mode 04755' '4755'
	refused_rule 'allow create /srv/file mode 644' '644'
	refused_rule 'allow bind tcp:0x50' '0x50'
	refused_rule 'allow bind tcp:127.1:80' '127\.1'
	refused_rule 'allow bind tcp:10.0.0.1/8:80' '10\.0\.0\.1/8'
	refused_rule 'deny read /srv/file mode 0600' 'mode'
	refused_rule 'allow read "/srv/file' ''
}

test_a_block_without_from_is_an_error() {
	refused_policy 'test.policy:1:[0-9-]+: (error: )?.*from' <<-END
		client test {
			allow read /srv/file
		}
	END
}

test_a_deny_for_a_user_that_is_not_known_is_an_error() {
	refused_policy 'test.policy:2:[0-9-]+: (error: )?.*zoe' <<-END
		client test {
			from user zoe
			deny all /srv/file
		}
	END
}

test_an_allow_for_a_user_that_is_not_known_is_a_warning() {
	policy <<-END
		client test {
			from user zoe
			allow read /srv/file
		}
	END
	start_broker
	expect_log 'zoe'
	expect_status 0 fdbroker check "$POLICY"
	expect_match "$output" 'warning: .*zoe'
	expect_status 2 fdbroker check --strict "$POLICY"
}

test_a_user_to_act_as_who_is_not_known_is_a_warning() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/file as zoe
			allow read /srv/other as 4711
			allow read /srv/file2 as bob
			allow read /srv/file3 as 0
		}
	END
	start_broker
	expect_log "no user 'zoe': this never matches"
	expect_log "no user '4711': this never matches"
	expect_equal "$(log_count warning)" 2
	expect_match "$(as alice ask "cat /srv/file")" "^EACCES policy"
}

# As many as an executor can take on.
test_a_user_to_act_as_is_in_1024_groups_at_most() {
	local i primary
	primary=$(id -g bob)
	sed -i 's/\bbob\b//' /etc/group
	for ((i = 1; i < 1024; i++)); do
		echo "group$i:x:$((50000 + i)):bob"
	done >>/etc/group
	((primary < 50000)) || fail "the primary group of bob is one of these"
	policy <<-END
		client test {
			from user alice
			allow read /srv/file as bob
		}
	END
	expect_status 0 fdbroker check "$POLICY"
	expect_status 0 timeout 10 fdbrokerd --policy "$POLICY" --check
	echo "group0:x:50000:bob" >>/etc/group
	expect_status 1 timeout 10 fdbrokerd --policy "$POLICY" --check
	expect_match "$output" "'bob': this user is in more than 1024 groups"
	expect_status 1 fdbroker check "$POLICY"
	expect_match "$output" "'bob': this user is in more than 1024 groups"
}

test_a_policy_file_that_somebody_could_have_written_is_named_and_refused() {
	local change
	for change in 'chmod g+w' 'chmod o+w' 'chown alice'; do
		policy </dev/null
		chown root "$POLICY"
		$change "$POLICY"
		expect_status 1 timeout 10 fdbrokerd --policy "$POLICY"
		expect_match "$output" "$POLICY" "$change"
	done
	belongs_to alice /home/alice/own.policy ""
	chown root /home/alice/own.policy
	expect_status 1 timeout 10 fdbrokerd --policy /home/alice/own.policy
	expect_match "$output" '/home/alice' "a folder of alice's"
}

test_a_policy_that_is_not_there_is_named() {
	expect_status 1 timeout 10 fdbrokerd --policy /etc/fdbroker/none.policy
	expect_match "$output" '/etc/fdbroker/none.policy.*No such file'
}

test_the_daemon_names_what_it_does_not_understand_and_exits_64() {
	expect_status 64 timeout 10 fdbrokerd --polcy /etc
	expect_match "$output" '--polcy'
	expect_status 64 timeout 10 fdbrokerd --policy
	expect_match "$output" '--policy'
	expect_status 64 timeout 10 fdbrokerd --workers many
	expect_match "$output" 'many'
	expect_status 64 timeout 10 fdbrokerd --workers 0
	expect_match "$output" '--workers'
	expect_status 64 timeout 10 fdbrokerd --log-format xml
	expect_match "$output" 'xml'
	expect_status 64 timeout 10 fdbrokerd --log-level loud
	expect_match "$output" 'loud'
	expect_status 64 timeout 10 fdbrokerd extra
	expect_match "$output" 'extra'
	expect_status 0 timeout 10 fdbrokerd --help
	expect_status 0 timeout 10 fdbrokerd --version
}

test_check_of_the_daemon_starts_nothing() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/file
		}
	END
	expect_status 0 timeout 10 fdbrokerd --check --policy "$POLICY"
	echo nonsense >>"$POLICY"
	expect_status 1 timeout 10 fdbrokerd --check --policy "$POLICY"
	expect_match "$output" 'test.policy:5:.*nonsense'
	[[ ! -e /run/fdbroker/broker.sock ]] || fail "it made a socket"
}

test_a_socket_that_cannot_be_made_is_named() {
	policy </dev/null
	expect_status 1 timeout 10 fdbrokerd --policy "$POLICY" --socket /nowhere/broker.sock
	expect_match "$output" '/nowhere/broker.sock.*No such file'
}

test_a_second_daemon_does_not_take_the_socket_of_the_first() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/file
		}
	END
	secret /srv/file content
	start_broker
	expect_status 1 timeout 10 fdbrokerd --policy "$POLICY"
	expect_match "$output" '/run/fdbroker/broker.sock'
	expect_equal "$(as alice ask "cat /srv/file")" "ok content"
}

test_the_tool_names_what_it_does_not_understand_and_exits_64() {
	expect_status 64 fdbroker
	expect_status 64 fdbroker chek
	expect_match "$output" "chek.*check"
	expect_status 64 fdbroker cat
	expect_status 64 fdbroker exec --listen tcp:80
	expect_match "$output" 'program'
	expect_status 64 fdbroker exec --open /srv/file -- true
	expect_match "$output" '/srv/file'
	expect_status 64 fdbroker exec --open /srv/file:x -- true
	expect_match "$output" "'x'"
	expect_status 64 fdbroker exec --lisen tcp:80 -- true
	expect_match "$output" '--lisen'
	expect_status 64 fdbroker check --strikt
	expect_match "$output" '--strikt'
}

test_without_a_broker_the_tool_says_which_socket_it_tried() {
	expect_status 1 as alice env FDBROKER_SOCKET=/run/nothing.sock timeout 10 fdbroker cat /srv/file
	expect_match "$output" '/run/nothing.sock.*fdbrokerd running'
}

test_the_library_does_not_talk_to_an_impostor() {
	cat >/run/test/impostor.py <<-'END'
		import socket
		server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		server.bind("/tmp/impostor.sock")
		server.listen()
		print("ready", flush=True)
		server.accept()[0].recv(1)
	END
	start_as bob python3 /run/test/impostor.py >/run/test/impostor.log
	eventually 5 grep -q ready /run/test/impostor.log || fail "no impostor"
	chmod 0777 /tmp/impostor.sock
	expect_equal "$(FDBROKER_SOCKET=/tmp/impostor.sock as alice ask "cat /srv/file")" "EPERM local"
}

test_an_audit_line_in_json_is_an_object() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/file
		}
	END
	secret /srv/file content
	start_broker --log-format json
	expect_equal "$(as alice ask "cat /srv/file" $'cat /srv/odd"\n\xff')" $'ok content\nEACCES policy'
	eventually 5 grep -q denied "$BROKER_LOG" || fail "no audit line"
	python3 - "$BROKER_LOG" <<-'END'
		import json, sys
		lines = [json.loads(line) for line in open(sys.argv[1])]
		audits = [line for line in lines if line.get("uid") == 2001 and line.get("verb") == "read"]
		assert len(audits) == 2, lines
		assert audits[0]["object"] == "/srv/file", audits
	END
}

# Its denies would be lost.
test_a_policy_file_that_the_broker_may_not_read_is_an_error() {
	mkdir -p /etc/fdbroker/policy.d
	cat >/etc/fdbroker/policy.d/10-allow.policy <<-END
		client test {
			from user alice
			allow read /srv/*
		}
	END
	cat >/etc/fdbroker/policy.d/20-deny.policy <<-END
		client deny {
			from user alice
			deny all /srv/secret
		}
	END
	chmod 0600 /etc/fdbroker/policy.d/20-deny.policy
	expect_status 1 timeout 10 fdbrokerd --check
	expect_match "$output" '20-deny.policy: error: .*Permission denied'
	expect_status 1 timeout 10 fdbrokerd
	expect_status 1 fdbroker check
	expect_match "$output" '20-deny.policy: error: .*Permission denied' "fdbroker check"
	chmod 0644 /etc/fdbroker/policy.d/20-deny.policy
	expect_status 0 fdbrokerd --check
	expect_status 0 fdbroker check
}

# shellcheck shell=bash
# suggest: from what a broker denied to a policy that allows it, and nothing else.

# Names as somebody would choose who wants more than was asked for.
HOSTILE=('/srv/plain' '/srv/*' '/srv/a b' '/srv/q"uote' '/srv/back\slash' '/srv/[a-z]' '/srv/%h'
	$'/srv/new\nallow read /**' $'/srv/\033[2J' $'/srv/\377' '/srv/#' '/srv/}' '/srv/?')
NEAR=('/srv/plain2' '/srv/secret' '/srv/a' '/srv/b' '/srv/m' '/srv/new' '/srv/home/alice' '/srv/x')

start_with_little() { # [ARGUMENTS]
	local path
	policy <<-END
		client known {
			from user alice
			allow stat /srv
		}
		client refused {
			from user bob
			allow read /srv/**
			deny read /srv/plain
		}
	END
	for path in "${HOSTILE[@]}" "${NEAR[@]}"; do
		secret "$path" "content"
	done
	start_broker "$@"
}

ask_for_all() {
	local path
	for path in "${HOSTILE[@]}"; do
		expect_status 1 as alice fdbroker cat "$path"
	done
	expect_equal "$(as alice ask "listen tcp:127.0.0.1:81")" "EACCES policy"
	expect_status 1 as bob fdbroker cat /srv/plain
	eventually 5 has_denials $((${#HOSTILE[@]} + 2)) || fail "not all of it is in the log"
}

has_denials() { # COUNT
	(($(log_count '"denied"|audit: denied') >= $1))
}

paste_and_restart() { # FILE
	fdbroker check "$1" >/run/test/checked 2>&1 || fail "$(cat /run/test/checked)"
	cat "$1" >>"$POLICY"
	fdbroker check "$POLICY" >/run/test/checked 2>&1 || fail "$(cat /run/test/checked)"
	stop_broker
	# Not reloaded: another privilege is needed to bind a low port.
	start_broker
}

expect_all_and_no_more() {
	local path output
	for path in "${HOSTILE[@]}"; do
		expect_equal "$(as alice fdbroker cat "$path")" "content" "$path"
	done
	for path in "${NEAR[@]}"; do
		expect_status 1 as alice fdbroker cat "$path"
		expect_match "$output" "denied by policy" "$path"
	done
	expect_equal "$(as alice ask "listen tcp:127.0.0.1:81" "listen tcp:127.0.0.1:82" \
		"listen tcp:81")" $'ok\nEACCES policy\nEACCES policy'
	expect_status 1 as bob fdbroker cat /srv/plain
	expect_status 3 as carol bash -c 'fdbroker cat /srv/plain || exit 3'
}

test_what_was_denied_is_granted_by_what_is_suggested_and_nothing_else() {
	start_with_little
	ask_for_all
	fdbroker suggest "$BROKER_LOG" >/run/test/suggested 2>/run/test/said
	expect_match "$(cat /run/test/said)" 'line(s of the log are no records| of the log is no record)'
	expect_match "$(cat /run/test/suggested)" 'alice \(uid 2001\)' "who asked"
	expect_match "$(cat /run/test/suggested)" 'bob \(uid 2002\): denied by .*test.policy:8 \(deny\)' \
		"what a rule does not mend"
	paste_and_restart /run/test/suggested
	expect_all_and_no_more
}

test_a_log_in_JSON_leads_to_the_same() {
	start_with_little --log-format json
	ask_for_all
	fdbroker suggest - <"$BROKER_LOG" >/run/test/suggested
	paste_and_restart /run/test/suggested
	expect_all_and_no_more
}

test_two_runs_say_the_same() {
	start_with_little
	ask_for_all
	fdbroker suggest "$BROKER_LOG" >/run/test/first 2>/dev/null
	tac "$BROKER_LOG" | fdbroker suggest - >/run/test/second 2>/dev/null
	expect_equal "$(cat /run/test/second)" "$(cat /run/test/first)"
}

test_a_rename_needs_no_more_than_what_is_suggested() {
	policy <<-END
		client known {
			from user alice
			allow stat /srv
		}
	END
	secret /srv/old content
	start_broker
	expect_equal "$(as alice ask "rename /srv/old /srv/new")" "EACCES policy"
	expect_log 'target="/srv/new"'
	fdbroker suggest "$BROKER_LOG" >/run/test/suggested
	paste_and_restart /run/test/suggested
	expect_equal "$(as alice ask "cat /srv/old" "rename /srv/old /srv/new")" $'EACCES policy\nok'
	expect_equal "$(cat /srv/new)" content
}

test_names_with_dates_become_a_pattern_that_says_how_wide_it_is() {
	local day
	policy <<-END
		client known {
			from user alice
			allow stat /srv
		}
	END
	for day in 20 21 22 25 31; do
		secret "/srv/log-2026-11-$day" "$day"
	done
	start_broker
	for day in 20 21 22; do
		expect_status 1 as alice fdbroker cat "/srv/log-2026-11-$day"
	done
	expect_log 'log-2026-11-22'
	fdbroker suggest "$BROKER_LOG" >/run/test/suggested
	expect_match "$(cat /run/test/suggested)" 'wider than what was seen: 3 of the 10 names'
	paste_and_restart /run/test/suggested
	expect_equal "$(as alice fdbroker cat /srv/log-2026-11-25)" 25
	expect_status 1 as alice fdbroker cat /srv/log-2026-11-31
}

test_folders_are_opened_by_the_rules_with_types_that_stand_in_comments() {
	local folder
	policy <<-END
		client known {
			from user alice
			allow read /srv/ld/**
		}
	END
	mkdir -p /srv/ld/one /srv/ld/two /srv/ld/three
	start_broker
	for folder in one two; do
		expect_equal "$(as alice ask "open /srv/ld/$folder O_RDONLY|O_DIRECTORY")" "EACCES type"
	done
	expect_log '/srv/ld/two'
	fdbroker suggest "$BROKER_LOG" >/run/test/suggested 2>/dev/null
	expect_equal "$(grep -c ' type file,directory$' /run/test/suggested)" 2 "rules to look at"
	# Taken out of their comments.
	sed -n 's/^#\(\tallow  .*\)/\1/p' /run/test/suggested >/run/test/rules
	sed -i '/allow read/r /run/test/rules' "$POLICY"
	reload_broker
	for folder in one two; do
		expect_equal "$(as alice ask "open /srv/ld/$folder O_RDONLY|O_DIRECTORY")" ok
	done
	expect_equal "$(as alice ask "open /srv/ld/three O_RDONLY|O_DIRECTORY")" "EACCES type"
}

# ---- the journal ----

fake_journalctl() { # the script is the standard input
	mkdir -p /run/test/bin
	{
		echo '#!/bin/bash'
		cat
	} >/run/test/bin/journalctl
	chmod 0755 /run/test/bin/journalctl
	PATH=/run/test/bin:$PATH
}

test_the_journal_is_read_by_journalctl() {
	fake_journalctl <<-'END'
		printf '%s\n' "$*" >/run/test/arguments
		cat <<'RECORDS'
		{"__REALTIME_TIMESTAMP":"1795296913000001","_UID":"900","MESSAGE":"ready"}
		{"__REALTIME_TIMESTAMP":"1795296913000001","_UID":"900","FDBROKER_VERDICT":"denied","FDBROKER_UID":"2001","FDBROKER_PID":"7","FDBROKER_UNIT":"app.service","FDBROKER_VERB":"read","FDBROKER_OBJECT":"/srv/a\\x0ab","FDBROKER_WHY":"no-rule","MESSAGE":null}
		{"__REALTIME_TIMESTAMP":"1795296914000001","_UID":"900","FDBROKER_VERDICT":"denied","FDBROKER_UID":"2001","FDBROKER_UNIT":"app.service","FDBROKER_VERB":"read","FDBROKER_OBJECT":[47,115,114,118,47,97,92,120,48,97,98],"FDBROKER_WHY":"no-rule"}
		{"_UID":"2002","FDBROKER_VERDICT":"denied","FDBROKER_UID":"2002","FDBROKER_VERB":"read","FDBROKER_OBJECT":"/etc/forged","FDBROKER_WHY":"no-rule"}
		RECORDS
	END
	expect_equal "$(fdbroker suggest --since "2026-11-21 21:35:10.5 UTC" 2>/run/test/said)" "\
# Suggested from 2 denials, of which 2 were for want of a rule.
# Look at each line before you paste it: whoever asked chose the names, and what a program
# asks for is not always what it should have.

client suggested-app.service {
	from  unit app.service user alice
	# 2 times, 2026-11-21T21:35:13Z to 2026-11-21T21:35:14Z, alice (uid 2001) in app.service
	allow  read  \"/srv/a\\x0ab\"
}"
	expect_equal "$(cat /run/test/said)" "\
fdbroker: suggest: 1 line of the log is no record
fdbroker: suggest: the journal says that 1 record was written by uid 2002, who is neither root nor \
fdbroker: passed over (where the broker runs as that user: journalctl -u UNIT -o cat | fdbroker suggest -)"
	expect_equal "$(cat /run/test/arguments)" "-u fdbroker -o json --no-pager --all --since=@1795296910.500000"
}

test_a_journal_that_shows_nothing_says_who_may_read_it() {
	fake_journalctl <<<'exit 0'
	expect_status 0 fdbroker suggest
	expect_match "$output" 'the journal has nothing of fdbroker that you may read \(root and the group systemd-journal'
	expect_status 0 fdbroker suggest --since -1h
	expect_match "$output" 'nothing of fdbroker since then that you may read'
	expect_status 0 fdbroker suggest /dev/null
	[[ $output != *journal* ]] || fail "of a file: $output"
}

test_of_two_users_of_one_name_the_one_who_asked_gets_the_rule() {
	local uid
	echo 'alice:x:5000:5000::/home/other:/bin/bash' >>/etc/passwd
	echo 'audit: denied uid=5000 pid=1 unit=- verb=read object="/srv/x" why=no-rule' |
		fdbroker suggest - >/run/test/suggested
	expect_match "$(cat /run/test/suggested)" $'\tfrom  user 5000\n'
	expect_status 0 fdbroker explain --policy /run/test/suggested --user 5000 read /srv/x
	expect_status 3 fdbroker explain --policy /run/test/suggested --user 2001 read /srv/x
	echo 'audit: denied uid=2001 pid=1 unit=- verb=read object="/srv/x" why=no-rule' |
		fdbroker suggest - >/run/test/suggested
	expect_match "$(cat /run/test/suggested)" $'\tfrom  user alice\n'
}

test_a_journal_that_cannot_be_read_is_an_error() {
	local tool
	tool=$(command -v fdbroker)
	fake_journalctl <<<'echo "No journal files were found." >&2; exit 1'
	expect_status 1 fdbroker suggest
	expect_match "$output" 'No journal files.*journalctl has failed \(.*fdbroker suggest FILE\)'
	expect_status 1 env PATH=/nowhere "$tool" suggest
	expect_match "$output" 'journalctl: No such file or directory \(.*fdbroker suggest FILE\)'
}

test_without_memory_it_fails_and_does_not_say_that_no_rule_serves() {
	local kilobytes number status failed=0
	for number in {1..200}; do
		printf 'audit: denied uid=1 verb=read object="/srv/%xz" why=no-rule\n' "$number"
	done >/run/test/log
	# How much it takes depends on the machine: from too little to enough.
	for ((kilobytes = 2000; kilobytes < 6000; kilobytes += 20)); do
		status=0
		(ulimit -v "$kilobytes" && exec fdbroker suggest /run/test/log) \
			>/run/test/suggested 2>/run/test/said || status=$?
		((status == 0)) || failed=$((failed + 1))
		! grep -q "no rule serves it" /run/test/suggested || fail "of $kilobytes kB"
	done
	((failed > 0)) || fail "it always had enough"
}

# ---- the command line ----

test_a_file_is_read_from_the_time_that_is_given() {
	local format
	for format in text json; do
		start_with_little --log-format "$format"
		expect_status 1 as alice fdbroker cat /srv/secret
		eventually 5 has_denials 1 || fail "it is not in the log"
		expect_match "$(fdbroker suggest --since -1h "$BROKER_LOG" 2>/dev/null)" "/srv/secret"
		expect_match "$(fdbroker suggest --since "5 min ago" - <"$BROKER_LOG" 2>/dev/null)" "/srv/secret"
		sleep 1.1
		output=$(fdbroker suggest --since "1s ago" "$BROKER_LOG" 2>/dev/null)
		[[ $output != *allow* ]] || fail "older than a second: $output"
		stop_broker
	done
}

test_a_client_that_was_denied_nothing_is_told_from_those_that_were() {
	start_with_little
	ask_for_all
	expect_match "$(fdbroker suggest --client alice "$BROKER_LOG" 2>/dev/null)" \
		$'\nclient alice \{\n\tfrom  user alice\n'
	expect_status 0 fdbroker suggest --client nobody "$BROKER_LOG"
	expect_match "$output" "nothing was denied to 'nobody'; the log has denials of alice, bob"
}

test_wrong_usage_says_what_is_wrong() {
	expect_status 64 fdbroker suggest --since
	expect_match "$output" "its argument is missing"
	expect_status 64 fdbroker suggest --sinc-e x
	expect_match "$output" "there is no option '--sinc-e'"
	expect_status 64 fdbroker suggest -xy
	expect_match "$output" "there is no option '-x'"
	expect_status 64 fdbroker suggest one two
	expect_status 64 fdbroker suggest --since noon /dev/null
	expect_match "$output" "--since noon: no time that is understood: -1h, '10min ago', .*2026-11-21"
	expect_status 64 fdbroker suggest --client '' /dev/null
	expect_status 64 fdbroker suggest --client $'a\nb' /dev/null
	expect_status 1 fdbroker suggest /run/test/none
	expect_match "$output" '/run/test/none: No such file'
	expect_status 1 fdbroker suggest /run/test
	expect_match "$output" '/run/test: Is a directory'
	expect_status 0 fdbroker suggest --help
	expect_match "$output" '^Usage: fdbroker suggest '
	expect_status 1 bash -c 'fdbroker suggest /dev/null >/dev/full'
}

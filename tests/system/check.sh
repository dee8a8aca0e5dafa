# shellcheck shell=bash
# `fdbroker check` beside what it says of each mistake (diagnostics.sh): how it is shown, and what it
# finds out about the folders that rules are about.

DRAFT=/run/test/draft.policy

draft() { # LINE... of a block
	{
		echo 'client app {'
		echo 'from user alice'
		printf '%s\n' "$@"
		echo '}'
	} >"$DRAFT"
}

# What a terminal gets; the environment is the caller's.
on_a_terminal() { # COMMAND...
	script -qc "$*" /dev/null </dev/null
}

test_colours_are_for_terminals_that_want_them() {
	local escape=$'\033'
	draft 'allow reed /srv/a' 'allow bind tcp:nosuch'
	[[ $(TERM=xterm fdbroker check "$DRAFT" 2>&1) != *"$escape"* ]] || fail "colours in a pipe"
	output=$(NO_COLOR='' TERM=xterm on_a_terminal fdbroker check "$DRAFT")
	expect_match "$output" "$escape\[1;31merror:$escape\[m unknown verb"
	expect_match "$output" "$escape\[1;35mwarning:$escape\[m there is no"
	expect_match "$output" "$escape\[1m/run/test/draft.policy:3:7-10:$escape\[m "
	expect_match "$output" "$escape\[1;32m +\^~~~$escape\[m"
	[[ $(NO_COLOR=1 TERM=xterm on_a_terminal fdbroker check "$DRAFT") != *"$escape"* ]] ||
		fail "colours though NO_COLOR is set"
	[[ $(TERM=dumb on_a_terminal fdbroker check "$DRAFT") != *"$escape"* ]] ||
		fail "colours on a dumb terminal"
	[[ $(TERM='' on_a_terminal fdbroker check "$DRAFT") != *"$escape"* ]] ||
		fail "colours on a terminal that nobody knows"
}

# The value of a Python expression over the object that check --json printed, `report`.
of_json() { # JSON EXPRESSION
	python3 -c 'import json, sys
report = json.loads(sys.argv[1])
print(eval(sys.argv[2]))' "$1" "$2"
}

test_json_says_what_the_text_says() {
	local json
	draft 'allow reed /srv/a' $'allow read /srv/caf\xe9\x1b/' 'allow bind tcp:nosuch'
	mkdir /run/test/d
	cp "$DRAFT" /run/test/d/1.policy
	echo >/run/test/d/README
	json=$(fdbroker check --json /run/test/d /run/test/missing 2>/run/test/stderr) && fail "status 0"
	expect_equal "$(cat /run/test/stderr)" ""
	expect_equal "$(of_json "$json" '[report[key] for key in
		("files", "rules", "errors", "warnings", "notes")]')" "[1, None, 3, 1, 1]"
	expect_equal "$(of_json "$json" 'list(report["diagnostics"][1].values())')" \
		"['error', '/run/test/d/1.policy', 3, 7, 10, 'allow reed /srv/a', 1, \"unknown verb 'reed'\", \"did you mean 'read'?\"]"
	expect_equal "$(of_json "$json" 'list(report["diagnostics"][1])')" \
		"['severity', 'file', 'line', 'column', 'end_column', 'source', 'source_column', 'message', 'remedy']"
	expect_equal "$(of_json "$json" 'repr(report["diagnostics"][2]["source"])')" \
		"$(printf '%s' "'allow read /srv/caf\\\\\\\\xe9\\\\x1b/'" | sed 's/\\\\/\\/g')"
	expect_equal "$(of_json "$json" 'report["diagnostics"][2]["column"]')" 22
	expect_equal "$(of_json "$json" '[report["diagnostics"][0][key] for key in
		("severity", "file", "line", "column", "end_column", "source", "source_column", "remedy")]')" \
		"['error', '/run/test/missing', None, None, None, None, None, 'create it, or correct the name']"
	expect_equal "$(of_json "$json" 'report["diagnostics"][4]["severity"]')" note
}

test_of_a_long_line_json_has_a_part_and_where_it_begins() {
	local json
	draft "allow read$(printf ' /srv/f%.0s' {1..100})"
	json=$(fdbroker check --json "$DRAFT")
	expect_equal "$(of_json "$json" 'report["warnings"]')" 99
	expect_equal "$(of_json "$json" '{(one["source"][one["column"] - one["source_column"]:][:6],
		len(one["source"]) <= 512) for one in report["diagnostics"]}')" "{('/srv/f', True)}"
	expect_equal "$(of_json "$json" 'report["diagnostics"][0]["source_column"]')" 1
	expect_equal "$(of_json "$json" 'len(report["diagnostics"][0]["source"])')" 512
}

test_what_shows_text_in_another_order_is_not_shown() {
	# U+202E, U+2066, U+200F, U+FEFF, U+200B, U+00AD; an umlaut and a snowman are text
	draft $'allow reed /srv/\u202ea\u2066b\u200fc\ufeffd\u200be\u00adf\u00e4\u2603'
	expect_status 1 fdbroker check "$DRAFT"
	expect_match "$output" $'    allow reed /srv/[?]a[?]b[?]c[?]d[?]e[?]f\u00e4\u2603'
}

test_json_has_the_same_exit_status() {
	draft 'allow read /srv/a'
	expect_status 0 fdbroker check --json --strict "$DRAFT"
	expect_equal "$(of_json "$output" '(report["rules"], report["diagnostics"])')" "(1, [])"
	draft 'allow bind tcp:nosuch'
	expect_status 0 fdbroker check --json "$DRAFT"
	expect_status 2 fdbroker check --json --strict "$DRAFT"
	expect_status 64 fdbroker check --jsonn "$DRAFT"
	expect_status 1 bash -c "fdbroker check --json $DRAFT >/dev/full"
}

test_the_command_line_is_read_as_that_of_the_other_commands() {
	local word
	draft 'allow bind tcp:nosuch'
	expect_status 2 fdbroker check "$DRAFT" --strict
	expect_status 2 fdbroker check --strict -- "$DRAFT"
	expect_status 1 fdbroker check -- --strict
	for word in --stric --strict=1 -s; do
		expect_status 64 fdbroker check "$word" "$DRAFT"
		expect_equal "$output" \
			"fdbroker: check: there is no option '$word' (see 'fdbroker check --help')"
	done
	expect_status 0 fdbroker check "$DRAFT" --help
	expect_status 1 bash -c 'fdbroker check --help >/dev/full'
	expect_match "$output" 'stdout: No space left on device'
}

test_notes_are_counted_and_never_fail() {
	mkdir /run/test/d
	echo >/run/test/d/README
	expect_status 0 fdbroker check --strict /run/test/d
	expect_match "$output" 'README: note: does not count'
	expect_match "$output" '0 files, 0 rules: 0 errors, 0 warnings, 1 note$'
}

# ---- the folders that rules are about ----

expect_ground() { # REGEX of the warning, or nothing; RULE
	draft "$2"
	if [[ -z $1 ]]; then
		expect_status 0 timeout 5 fdbroker check --strict "$DRAFT"
		expect_equal "$output" "1 file, 1 rule: 0 errors, 0 warnings, 0 notes" "$2"
	else
		expect_status 2 timeout 5 fdbroker check --strict "$DRAFT"
		expect_match "$output" "warning: $1" "$2"
	fi
}

test_a_rule_below_a_users_folder_is_warned_of() {
	mkdir -p /home/alice/a /srv/open /srv/closed /srv/root/below
	chown alice: /home/alice/a /srv/root/below
	expect_ground "'/home/alice' belongs to user 'alice'" 'allow read /home/alice/a/b'
	expect_ground "'/srv/root/below' belongs to user 'alice'" 'allow create,write /srv/root/below/*/x'
	expect_match "$output" "add 'as alice' or 'as peer'"
	expect_ground '' 'allow create,write /srv/root/below/*/x as alice'
	expect_ground '' 'allow create,write /srv/root/below/*/x as peer'
	step "the object itself is not above itself, but is above what is in it"
	expect_ground '' 'allow list,stat /srv/root/below'
	expect_ground "'/srv/root/below' belongs to" 'allow list,stat /srv/root/below/**'
	step "nothing is known of what is not there, or stands behind a wildcard"
	expect_ground '' 'allow create,write /srv/nowhere/a/b'
	expect_ground '' 'allow read /srv/*/nowhere/a'
	expect_ground '' 'allow read /srv/root/r*/a'
	expect_ground '' 'allow list,read /home/*'
	expect_ground '' 'allow list,read /srv/root/**'
	expect_ground '' 'allow read /proc/self/status'
	expect_ground '' 'deny all /home/alice/**'
	step "but for the folders that a wildcard leads through"
	expect_ground "'/home/alice' belongs to user 'alice'" 'allow read /home/a*/public/a'
	expect_ground "'/srv/root/below' belongs to user 'alice'" 'allow read /srv/root/*/a'
	expect_ground '' 'allow read /srv/root/*/a as peer'
	step "and not where most of these are root's"
	mkdir /srv/root/one
	expect_ground "'/srv/root/below' belongs to user 'alice'" 'allow read /srv/root/*/a'
	mkdir /srv/root/two
	expect_ground '' 'allow read /srv/root/*/a'
	expect_ground "'/srv/root/below' belongs to user 'alice'" 'allow read /srv/root/*[ow]/a'
	step "%h"
	expect_ground "%h is the client's own folder" 'allow read %h/a'
	expect_ground '' 'allow read %h/a as peer'
}

test_a_rule_below_a_folder_of_several_is_warned_of() {
	mkdir -p /srv/group /srv/acl
	chgrp staff /srv/group
	chmod 2775 /srv/group
	expect_ground "'/tmp' may be written to by everyone \(mode 1777\)" 'allow read /tmp/a'
	expect_ground "'/srv/group' may be written to by a group \(mode 2775\)" 'allow read /srv/group/a'
	expect_match "$output" "all is refused there, with 'as' too"
	expect_ground "'/tmp' may be" 'allow read /tmp/a as peer'
	expect_ground "'/srv/group' may be" 'allow read /srv/group/a as alice'
	expect_ground "'/tmp' may be" 'allow bind unix:/tmp/a'
	expect_match "$output" "choose a folder that only root can write to"
	expect_ground '' 'allow read /srv/acl/a'
	python3 - <<-END || skip "no access control lists here"
		import os, struct
		acl = [(1, 7, 2**32 - 1), (2, 7, 2002), (4, 5, 2**32 - 1), (16, 7, 2**32 - 1), (32, 5, 2**32 - 1)]
		os.setxattr("/srv/acl", "system.posix_acl_access",
		    struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in acl))
	END
	expect_ground "'/srv/acl' may be written to by a group" 'allow read /srv/acl/a'
}

test_links_of_root_are_followed_to_the_folder_and_those_of_users_are_not() {
	mkdir -p /srv/data/of-alice /srv/links
	chown alice: /srv/data/of-alice
	ln -s ../data/./of-alice /srv/links/relative
	ln -s /srv/links/../links/relative /srv/links/absolute
	ln -s loop /srv/links/loop
	ln -s /tmp /srv/links/of-bob
	chown -h bob: /srv/links/of-bob
	expect_ground "'/srv/data/of-alice' belongs to" 'allow read /srv/links/relative/a'
	expect_ground "'/srv/data/of-alice' belongs to" 'allow read /srv/links/absolute/a'
	expect_ground '' 'allow read /srv/links/absolute/a symlinks none'
	expect_ground '' 'allow read /srv/links/loop/a'
	expect_ground '' 'allow read /srv/links/of-bob/a'
}

test_as_many_links_are_followed_as_the_broker_follows() {
	local i
	mkdir -p /srv/links /srv/data/of-alice
	chown alice: /srv/data/of-alice
	ln -s /srv/data/of-alice /srv/links/1
	for i in {2..9}; do
		ln -s "$((i - 1))" "/srv/links/$i"
	done
	expect_ground "'/srv/data/of-alice' belongs to" 'allow read /srv/links/8/a'
	expect_ground '' 'allow read /srv/links/9/a'
}

test_a_link_is_not_followed_where_somebody_could_have_placed_it() {
	mkdir -p /srv/own /srv/data/of-alice
	chown fdbroker: /srv/own
	chown alice: /srv/data/of-alice
	ln -s /srv/data/of-alice /srv/own/link
	expect_ground '' 'allow read /srv/own/link/a'
}

test_the_brokers_own_folder_is_no_users() {
	mkdir -p /srv/own
	chown fdbroker: /srv/own
	expect_ground '' 'allow create,write /srv/own/*'
	chmod g+w /srv/own
	expect_ground "'/srv/own' may be written to by a group" 'allow create,write /srv/own/*'
}

test_a_file_system_that_never_answers_is_not_waited_for() {
	hang alice /mnt/hang
	expect_ground "'/mnt/hang' is not on a trusted mount" 'allow read /mnt/hang/a/b/c'
	expect_match "$output" 'choose a local file system'
}

test_the_installed_files_are_checked_with_their_folders() {
	policy </dev/null
	printf 'client app {\nfrom user alice\nallow read /tmp/a\n}\n' >/etc/fdbroker/policy.d/1.policy
	expect_status 2 fdbroker check --strict
	expect_match "$output" "policy.d/1.policy:3:12-17: warning: '/tmp' may be written to"
}

test_a_folder_that_only_root_may_enter_is_looked_into_for_the_installed_files_too() {
	policy </dev/null
	mkdir -p /srv/private/of-alice
	chown alice: /srv/private/of-alice
	chmod 700 /srv/private
	printf 'client app {\nfrom user alice\nallow read /srv/private/of-alice/x\n}\n' \
		>/etc/fdbroker/policy.d/1.policy
	expect_status 2 fdbroker check --strict
	expect_match "$output" "warning: '/srv/private/of-alice' belongs to user 'alice'"
	step "what the broker may not read is still an error"
	chmod 600 /etc/fdbroker/policy.d/1.policy
	expect_status 1 fdbroker check
	expect_match "$output" "1.policy: error: cannot be read: Permission denied"
}

test_every_file_that_does_not_count_is_named_with_the_reason() {
	local etc=/etc/fdbroker/policy.d run=/run/fdbroker/policy.d
	mkdir -p "$run"
	printf 'client app {\nfrom user alice\n}\n' | tee "$run/10-a.policy" "$etc/10-a.policy" \
		"$etc/20-b.policy" "$etc/30-c.policy" >"$etc/40-d.policy~"
	chown alice "$etc/20-b.policy"
	chmod g+w "$etc/30-c.policy"
	ln -s /dev/null "$etc/50-e.policy"
	ln -s "$run/10-a.policy" "$etc/60-f.policy"
	mkdir "$etc/70-g.policy"
	expect_status 0 fdbroker check
	diff -u - <(echo "$output") <<-END
		$run/10-a.policy: note: is masked by $etc/10-a.policy
		$etc/20-b.policy: warning: is owned by uid 2001, not by root
		    look at what it contains, then: chown root: $etc/20-b.policy
		$etc/30-c.policy: warning: may be written by others than root (mode 0664)
		    look at what it contains, then: chmod go-w $etc/30-c.policy
		$etc/40-d.policy~: note: does not count: its name is not *.policy
		    rename it if it should count
		$etc/50-e.policy: note: is disabled by a link to /dev/null
		$etc/60-f.policy: warning: is a symbolic link to '$run/10-a.policy'
		    put the file itself there, or name the path where it really is: realpath $etc/60-f.policy
		$etc/70-g.policy: warning: is a folder, not a regular file
		    put a file in its place, or take it away
		1 file, 0 rules: 0 errors, 4 warnings, 3 notes
	END
}

test_a_masked_file_is_named_whatever_masks_it_and_so_is_what_is_no_policy() {
	local etc=/etc/fdbroker/policy.d run=/run/fdbroker/policy.d
	mkdir -p "$run"
	printf 'client app {\nfrom user alice\n}\n' | tee "$run/10-a.policy" "$run/20-b.policy" \
		"$etc/.30-c.policy" "$etc/.40-d.policy.swp" >"$etc/20-b.policy"
	ln -s /dev/null "$etc/10-a.policy"
	chown alice "$etc/20-b.policy"
	mkfifo "$etc/50-e.policy"
	truncate -s 65M "$etc/60-f.policy"
	truncate -s 64M "$etc/70-g.policy"
	expect_status 1 fdbroker check
	diff -u - <(cut -c-120 <<<"$output") <<-END
		$etc/.30-c.policy: note: does not count: its name begins with a dot
		    rename it if it should count
		$etc/.40-d.policy.swp: note: does not count: its name begins with a dot
		    rename it if it should count
		$etc/10-a.policy: note: is disabled by a link to /dev/null
		$run/10-a.policy: note: is masked by $etc/10-a.policy
		$etc/20-b.policy: warning: is owned by uid 2001, not by root
		    look at what it contains, then: chown root: $etc/20-b.policy
		$run/20-b.policy: note: is masked by $etc/20-b.policy
		$etc/50-e.policy: warning: is a FIFO, not a regular file
		    put a file in its place, or take it away
		$etc/60-f.policy: warning: is larger than 67108864 bytes
		    see whether it is a policy at all; if so, split it
		$etc/70-g.policy:1:1-67108864: error: a NUL byte in the line
		    $(printf '?%.0s' {1..116})
		    ^$(printf '~%.0s' {1..115})
		    remove it
		1 file: 1 error, 3 warnings, 5 notes
	END
}

test_what_is_advised_of_an_idle_mode_can_be_done() {
	local idle="'mode' counts for what is created"
	draft 'allow append /etc/app.log mode 0640'
	expect_status 2 fdbroker check --strict "$DRAFT"
	expect_match "$output" "$idle"
	draft 'allow append,create /etc/app.log mode 0640'
	expect_status 0 fdbroker check --strict "$DRAFT"
	expect_equal "$output" '1 file, 1 rule: 0 errors, 0 warnings, 0 notes'
	# Both must have the same options, so none can be left out.
	draft 'allow append /etc/app.log mode 0640
allow create /etc/app.log mode 0640'
	expect_status 0 fdbroker check "$DRAFT"
	expect_equal "${output//$idle/}" "$output"
	expect_match "$(fdbroker explain --policy "$DRAFT" --user alice append,create /etc/app.log)" \
		'^allowed'
	draft 'allow append /etc/app.log
allow create /etc/app.log mode 0640'
	expect_match "$(fdbroker explain --policy "$DRAFT" --user alice append,create /etc/app.log)" \
		'^denied'
}

test_in_a_folder_of_drafts_only_links_of_root_or_the_caller_are_followed() {
	mkdir /srv/drafts /srv/drafts/sub
	echo 'the secret of root' >/srv/secret
	chmod 600 /srv/secret
	printf 'client app {\nfrom user alice\n}\n' >/srv/drafts/sub/a.policy
	ln -s sub/a.policy /srv/drafts/1.policy
	ln -s /srv/secret /srv/drafts/2.policy
	chown -h alice /srv/drafts/[12].policy
	expect_status 1 fdbroker check /srv/drafts
	expect_equal "$output" "/srv/drafts/1.policy: error: is a symbolic link of uid 2001, and is not followed for you
    look where it leads, and name that file itself
/srv/drafts/2.policy: error: is a symbolic link of uid 2001, and is not followed for you
    look where it leads, and name that file itself
/srv/drafts/sub: note: does not count: its name is not *.policy
    rename it if it should count
0 files: 2 errors, 0 warnings, 1 note"
	rm /srv/drafts/2.policy
	expect_status 0 as alice fdbroker check /srv/drafts
	chown -h root /srv/drafts/1.policy
	expect_status 0 fdbroker check /srv/drafts
	expect_status 0 as alice fdbroker check /srv/drafts
}

test_a_link_in_a_folder_of_drafts_is_followed_over_no_further_link() {
	mkdir /srv/drafts /srv/lures
	echo 'the secret of root' >/srv/secret
	chmod 600 /srv/secret
	ln -s /srv/secret /srv/lures/lure
	chown -h alice /srv/lures /srv/lures/lure
	ln -s ../lures/lure /srv/drafts/1.policy
	expect_status 1 fdbroker check /srv/drafts
	expect_equal "$output" "/srv/drafts/1.policy: error: is a symbolic link that leads over another one, which is not followed
    look where it leads, and name that file itself
0 files: 1 error, 0 warnings, 0 notes"
	ln -sfn ../lures/nothing /srv/drafts/1.policy
	expect_status 1 fdbroker check /srv/drafts
	expect_match "$output" '1.policy: error: cannot be read: No such file'
}

test_a_folder_that_somebody_else_could_write_to_is_an_error() {
	local run=/run/fdbroker/policy.d
	mkdir -p "$run"
	printf 'client app {\nfrom user alice\n}\n' >"$run/10-a.policy"
	chmod o+w "$run"
	expect_status 1 fdbroker check
	expect_equal "$output" "$run: error: may be written by others than root (mode 0757)
    look at what it contains, then: chmod go-w $run
0 files: 1 error, 0 warnings, 0 notes"
}

test_who_has_installed_nothing_is_told_where() {
	local folder=/etc/fdbroker/policy.d
	rm -rf "$folder"
	expect_status 0 fdbroker check
	expect_equal "$output" "$folder: note: no file is here, nor in /run/fdbroker/policy.d and /usr/lib/fdbroker/policy.d: nobody is a client
    put a policy there: NAME.policy
0 files, 0 rules: 0 errors, 0 warnings, 1 note"
	mkdir -p "$folder"
	chmod 0777 "$folder"
	expect_status 1 fdbroker check
	expect_match "$output" '1 error, 0 warnings, 0 notes$'
}

test_nobody_is_advised_to_open_a_home() {
	mkdir -m 0700 /srv/home
	draft 'allow read /srv/a'
	cp "$DRAFT" /srv/home/1.policy
	expect_status 1 fdbrokerd --check --policy /srv/home/1.policy
	expect_match "$output" 'put the policy into /etc/fdbroker/policy.d'
	[[ $output != *chmod* ]] || fail "$output"
	mkdir -p -m 0755 /etc/fdbroker/policy.d
	chmod 0700 /etc/fdbroker
	expect_status 1 fdbrokerd --check --policy /etc/fdbroker/policy.d
	expect_match "$output" 'chmod a\+x /etc/fdbroker'
}

# What stands behind a command is pasted into a shell, by root.
test_no_remedy_has_a_name_that_a_shell_would_take_apart() {
	mkdir -p /etc/fdbroker/policy.d
	touch /etc/fdbroker/policy.d/'$(id).policy' /etc/fdbroker/policy.d/plain.policy
	chown alice /etc/fdbroker/policy.d/*
	output=$(fdbroker check 2>&1 || true)
	expect_match "$output" 'chown root: /etc/fdbroker/policy.d/plain.policy'
	expect_match "$output" 'chown root: FILE'
	[[ $output != *'chown root: '*'$('* ]] || fail "$output"
}

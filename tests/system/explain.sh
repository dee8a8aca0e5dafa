# shellcheck shell=bash
# `fdbroker explain`: what it says of a policy, and that the broker says the same.

explain_policy() {
	policy <<-END
		client www {
			from group staff user bob
			from user alice
			allow append,create /var/log/www/*.log mode 0640 owner alice:staff
			allow read /srv/www/** /dev/serial type file,device symlinks none
			allow bind tcp:8443
			allow read /keys/* as peer copy max 4K log denied
		}
		client denies {
			from anyone
			deny read /srv/www/secret
			allow read,write /two/* mode 0600
			allow append /two/?x mode 0640
		}
		client narrow only {
			from user carol
			allow read /srv/www/a
		}
		client service {
			from unit www@*.service
			allow connect tcp:db.test:5432
			allow read /srv/%i
		}
	END
}

explain() { # ARGUMENTS
	fdbroker explain --policy "$POLICY" "$@"
}

test_it_names_the_rule_that_allows_and_why() {
	explain_policy
	expect_equal "$(explain --user alice append,create /var/log/www/a.log)" \
		"allowed by $POLICY:4 (client www)
    allow append,create /var/log/www/*.log mode 0640 owner alice:staff
because: user alice (uid 2001) ($POLICY:3)
opened as: the broker; must be: a regular file, which nobody unprivileged could have placed there;\
 a new file gets mode 0640, owner alice:staff (2001:3000);\
 links: followed where only root could have placed them; log: all"
	output=$(explain --user bob read /srv/www/a)
	expect_match "$output" "because: group staff \(gid 3000\), user bob \(uid 2002\) \($POLICY:2\)"
	expect_match "$output" "a regular file or a character device, .*links: none is followed"
	output=$(explain --user alice read /keys/a)
	expect_match "$output" "opened as: the asker; .*sealed copy, of at most 4096 bytes; .*log: denied"
	output=$(explain --user alice bind tcp:8443)
	expect_match "$output" "network namespace: the broker's; log: all"
}

test_a_denial_names_the_nearest_rule_and_the_word() {
	explain_policy
	expect_status 3 explain --user alice write /var/log/www/a.log
	expect_equal "$output" "denied: no rule allows write
nearest: $POLICY:4 (client www): append,create, not write
    allow append,create /var/log/www/*.log mode 0640 owner alice:staff"
	expect_status 3 explain --user alice bind tcp:443
	expect_match "$output" "port 8443, not 443"
	expect_status 3 explain --user alice read /srv/www/.htaccess
	expect_match "$output" "a wildcard matches no leading dot \(.htaccess\)"
	expect_status 3 explain --user carol bind tcp:8443
	expect_match "$output" "denied: no rule allows bind"
	expect_status 3 explain --user 4000 bind tcp:8443
	expect_match "$output" "user alice, not uid 4000"
	expect_status 3 explain --user alice --unit www@a.socket connect tcp:db.test:5432
	expect_match "$output" "unit www@\*.service, not www@a.socket"
	expect_status 3 explain --user alice read /etc/nothing/like/it
	expect_match "$output" "nearest: no rule comes near"
}

test_a_deny_an_only_block_and_a_conflict_are_told_apart() {
	explain_policy
	expect_status 3 explain --user alice read /srv/www/secret
	expect_equal "$output" "denied by $POLICY:11 (client denies)
    deny read /srv/www/secret"
	expect_status 3 explain --user carol read /two/b
	expect_match "$output" "denied: client narrow is an 'only' block for this asker, and no rule of it allows read"
	expect_match "$output" "nearest: no rule comes near"
	expect_status 3 explain --user alice append,read /two/ax
	expect_match "$output" "denied: the rules that allow it have different options"
	expect_match "$output" "$POLICY:12 .*$POLICY:13 |$POLICY:13 .*$POLICY:12 " "both rules"
	expect_status 3 explain --user alice read /srv//www
	expect_match "$output" "nothing can be granted for such a path"
}

test_every_only_block_that_stands_in_the_way_is_named() {
	policy <<-END
		client base {
			from anyone
			allow read /srv/**
		}
		client first only {
			from user alice
			allow read /srv/a
		}
		client second only {
			from user alice
			allow read /srv/b
		}
		client empty only {
			from user bob
		}
	END
	expect_status 3 explain --user alice read /srv/c
	expect_equal "$output" "denied: client first is an 'only' block for this asker, and no rule of it allows read of this object
so is client second
nearest: $POLICY:7 (client first): /srv/a, not /srv/c
    allow read /srv/a"
	expect_status 3 explain --user alice read /srv/a
	expect_match "$output" "^denied: client second is .* of it allows read of this object"$'\n'"nearest: $POLICY:11 "
	expect_status 3 explain --user bob read /srv/a
	expect_match "$output" "^denied: client empty is "
	expect_status 3 explain --user alice read /etc/a
	expect_match "$output" "^denied: no rule allows read"
}

test_both_rules_of_a_conflict_are_shown() {
	policy <<-END
		client a {
			from anyone
			allow bind tcp:0.0.0.0/0:80 with reuseport
			allow bind tcp:[::]/0:80
			allow create /** mode 0666
			allow create /srv/?x mode 0600
			allow create /srv/a? mode 0640
		}
	END
	expect_status 3 explain --user alice bind tcp:80
	expect_equal "$output" "denied: the rules that allow it have different options, and nothing says which count
one: $POLICY:3 (client a)
    allow bind tcp:0.0.0.0/0:80 with reuseport
other: $POLICY:4 (client a)
    allow bind tcp:[::]/0:80"
	expect_status 0 explain --user alice bind tcp:127.0.0.1:80
	expect_status 3 explain --user alice create /srv/ax
	expect_match "$output" "one: $POLICY:6 .*other: $POLICY:7 "
}

test_a_credential_is_explained_like_a_file() {
	policy <<-END
		client app {
			from unit app@*.service
			allow credential tls.key=/etc/app/%i.key db=/etc/secret/db
			allow read /etc/app/*.crt
			limit sessions 4 requests 10/s
		}
		client all {
			from anyone
			deny read /etc/secret/**
			limit sessions 6
		}
	END
	local as=(--user 4000 --unit app@blue.service)
	expect_equal "$(explain "${as[@]}" credential tls.key=/etc/app/blue.key)" \
		"allowed by $POLICY:3 (client app)
    allow credential tls.key=/etc/app/%i.key db=/etc/secret/db
because: unit app@*.service (app@blue.service) ($POLICY:2)
opened as: the broker; must be: a regular file, which nobody unprivileged could have placed there;\
 links: followed where only root could have placed them;\
 this version of fdbrokerd does not hand out credentials yet; log: all
where a link leads is judged by deny too, and was not looked at here: $POLICY:9
limits: sessions 4, requests 10/s"
	expect_status 3 explain "${as[@]}" credential tls.key=/etc/app/red.key
	expect_match "$output" "/etc/app/%i.key, not /etc/app/red.key"
	expect_status 3 explain "${as[@]}" credential tls=/etc/app/blue.key
	expect_match "$output" "name tls.key, not tls"
	expect_status 3 explain "${as[@]}" credential tls.crt=/etc/app/blue.crt
	expect_match "$output" "read, not credential"
	expect_status 3 explain "${as[@]}" credential db=/etc/secret/db
	expect_equal "$output" "denied by $POLICY:9 (client all)
    deny read /etc/secret/**"
	expect_status 3 explain --user 4000 credential tls.key=/etc/app/blue.key
	expect_match "$output" "unit app@\*.service, and the asker is in no unit"
	expect_status 64 explain "${as[@]}" credential tls.key=%h/key
	expect_match "$output" "depends on who asks"
	expect_equal "$(explain "${as[@]}" - <<<"credential tls.key=/etc/app/blue.key")" \
		"allowed $POLICY:3 credential tls.key=/etc/app/blue.key"
}

test_a_unit_and_groups_may_be_given() {
	explain_policy
	expect_match "$(explain --user 4000 --unit www@a.service connect tcp:db.test:5432)" \
		"because: unit www@\*.service \(www@a.service\)"
	expect_status 0 explain --user 4000 --unit www@a.service read /srv/a
	expect_status 3 explain --user 4000 --unit www@a.service read /srv/b
	policy <<-END
		client lab {
			from group 3005 group staff
			allow read /x
		}
	END
	expect_status 3 explain --user alice read /x
	expect_match "$output" "group 3005, which the asker is not in"
	expect_status 0 explain --user alice --group 3005 read /x
	expect_status 0 explain --user 4000 --group 3005 --group staff read /x
	expect_status 3 explain --user 4000 --group 3005 read /x
	expect_status 3 explain --user carol --group staff read /x
}

test_a_process_is_known_by_its_effective_ids_and_its_groups() {
	explain_policy
	setpriv --ruid=2003 --euid=2001 --regid=2003 --groups 3000 sleep 60 &
	eventually 5 grep -q '^Uid:.2003.2001' "/proc/$!/status"
	expect_match "$(explain --pid $! read /srv/www/a)" "user alice \(uid 2001\)"
	expect_match "$(explain --json --pid $! read /srv/www/a)" \
		'"asker":\{"uid":2001,"gid":2003,"groups":\[3000\],"user":"alice",'
	kill $!
	expect_status 64 explain --pid 999999 read /x
	expect_match "$output" "there is no such process"
	# Without any of these: whoever calls.
	expect_status 0 as alice fdbroker explain --policy "$POLICY" bind tcp:8443
	expect_status 3 as carol fdbroker explain --policy "$POLICY" bind tcp:8443
}

let_anyone_read_a_file() {
	policy <<-END
		client all {
			from anyone
			allow read /srv/file
		}
	END
	secret /srv/file content
	start_broker
}

test_who_may_be_anybody_is_nobodys_client() {
	let_anyone_read_a_file
	expect_equal "$(as alice ask "cat /srv/file")" "ok content"
	expect_status 0 explain --user alice read /srv/file
	output=$(setpriv --reuid=65534 --regid=65534 --clear-groups ask "cat /srv/file" 2>&1) || true
	[[ $output != "ok content" ]] || fail "the broker serves nobody"
	expect_status 3 explain --user nobody read /srv/file
	expect_match "$output" "^denied: uid 65534 may be anybody"
	expect_status 3 explain --user nobody - <<<"read /srv/file"
	expect_match "$output" "uid 65534 may be anybody.*denied - read /srv/file"
}

test_the_user_of_the_broker_is_nobodys_client() {
	let_anyone_read_a_file
	output=$(setpriv --reuid=fdbroker --regid=fdbroker --clear-groups ask "cat /srv/file" 2>&1) || true
	[[ $output != "ok content" ]] || fail "the broker serves its own user"
	expect_status 3 explain --user fdbroker read /srv/file
	expect_match "$output" "^denied: uid [0-9]+ is the broker's own user"
	expect_match "$(explain --json --user fdbroker read /srv/file || true)" '"reason":"broker"'
}

test_who_is_in_too_many_blocks_is_told_so() {
	local number
	for ((number = 0; number < 65; number++)); do
		printf 'client c%d {\nfrom user alice\nallow read /srv/%d\n}\n' $number $number
	done | policy
	expect_status 3 explain --user alice read /srv/1
	expect_equal "$output" "denied: uid 2001 is concerned by more than 64 client blocks: the broker grants it nothing"
	expect_match "$(explain --json --user alice read /srv/1 || true)" '"reason":"too-many-blocks"'
}

test_a_path_with_too_many_patterns_is_not_called_malformed() {
	local name
	name=$(printf 'a%.0s' {1..120})
	python3 - >/run/test/patterns <<-END
		print("client many {\nfrom anyone")
		for n in range(1, 121):
		    a, q = "a" * n, "?" * n
		    for pattern in a + "*", "*" + a, q + "*", "*" + q, a + "*a", "?" + a + "*":
		        print("allow read /srv/" + pattern + "/x")
		print("}")
	END
	policy </run/test/patterns
	expect_status 3 explain --user alice read "/srv/$name/y"
	expect_match "$output" "^denied: more patterns of the policy are at work on this path"
	expect_match "$(explain --json --user alice read "/srv/$name/y" || true)" \
		'"reason":"too-many-patterns"'
}

test_an_only_block_that_would_still_be_in_the_way_is_named() {
	policy <<-END
		client narrow only {
			from user alice
			allow read /srv/data/**
		}
		client wide {
			from user alice
			allow connect tcp:443
		}
	END
	expect_status 3 explain --user alice connect tcp:192.0.2.1:80
	expect_match "$output" "port 443, not 80; and client narrow, an 'only' block, must allow it too"
	# Its own rule would be enough.
	expect_status 3 explain --user alice read /srv/dat/a
	expect_match "$output" "/srv/data, not /srv/dat"$'\n'
}

test_without_a_near_rule_those_with_the_verb_are_shown() {
	explain_policy
	expect_status 3 explain --user alice read /etc/nothing/like/it
	expect_equal "$output" "denied: no rule allows read
nearest: no rule comes near; rules for read are:
$POLICY:5 (client www)
    allow read /srv/www/** /dev/serial type file,device symlinks none
$POLICY:7 (client www)
    allow read /keys/* as peer copy max 4K log denied"
	expect_status 3 explain --user alice bind unix:/run/a
	expect_match "$output" "no rule comes near$" "a port is nothing like it"
	expect_status 3 explain --user alice watch /etc/nothing/like/it
	expect_match "$output" "no rule comes near$"
}

test_what_would_happen_is_that_of_the_request() {
	policy <<-END
		client a {
			from user alice
			allow create,remove /srv/d/* type directory mode 0750
			allow create,write /srv/e/* type file,directory
			allow read,stat /srv/f as peer
			allow read /srv/g as bob
			allow bind tcp:80 with reuseport,freebind
			allow connect tcp:80 netns any
			allow bind tcp:81 netns peer
			allow connect tcp:db.test:5432
			allow socket icmp
		}
	END
	output=$(explain --user alice create /srv/d/x)
	expect_match "$output" "^allowed.*done as: the broker; a new directory gets mode 0750, owner the broker;"
	expect_match "$output" "links: followed where only root could have placed them, but not at the end of the path"
	output=$(explain --user alice create,write /srv/e/x)
	expect_match "$output" "opened as: .*a regular file or a directory.*; a new file gets mode 0600, a new directory gets mode 0700, owner"
	expect_match "$output" "placed them; log"
	output=$(explain --user alice remove /srv/d/x)
	expect_match "$output" "done as: the broker; links: .*, but not at the end of the path"
	output=$(explain --user alice stat /srv/f)
	expect_match "$output" "but by lstat and readlink not at the end"
	output=$(explain --user alice read /srv/f)
	expect_match "$output" "which nobody but root and the asker could have placed there"
	output=$(explain --user alice read /srv/g)
	expect_match "$output" "which nobody but root and user bob \(uid 2002\) could have placed there"
	expect_match "$(explain --user alice bind tcp:80)" "set before: freebind, reuseport; network namespace: the broker's"
	expect_match "$(explain --user alice connect tcp:192.0.2.1:80)" "network namespace: any"
	expect_match "$(explain --user alice bind tcp:81)" "network namespace: the asker's"
	expect_match "$(explain --user alice connect tcp:db.test:5432)" "of its addresses: none that a deny is about"
	expect_match "$(explain --user alice socket icmp)" "net.ipv4.ping_group_range"
}

test_denies_that_a_link_may_lead_to_are_named() {
	policy <<-END
		client web {
			from user alice
			allow read /etc/live/*
			allow read /etc/plain symlinks none
			allow bind tcp:80
		}
		client guard {
			from anyone
			deny read /etc/archive/** /etc/a
			deny write /etc/b
			deny bind tcp:81
			deny all /etc/c
			deny read /etc/d
			deny read /etc/e
		}
		client others {
			from user bob
			deny read /etc/x
		}
	END
	output=$(explain --user alice read /etc/live/key)
	expect_match "$output" "where a link leads is judged by deny too, and was not looked at here: $POLICY:9, $POLICY:12, $POLICY:13 and 1 more"
	output=$(explain --user alice read /etc/plain)
	[[ $output != *"where a link leads"* ]] || fail "$output"
	output=$(explain --user alice bind tcp:80)
	[[ $output != *"where a link leads"* ]] || fail "$output"
	expect_match "$(explain --json --user alice read /etc/live/key)" '"denies":\[\{"file":"[^"]*","line":9,'
}

test_a_link_into_what_is_denied_is_denied() {
	policy <<-END
		client web {
			from user alice
			allow read,remove,create,write /etc/live/**
		}
		client guard {
			from anyone
			deny all /etc/archive/**
		}
	END
	mkdir -p /etc/live/site /etc/archive/site
	secret /etc/archive/site/key key
	ln -s ../../archive/site/key /etc/live/site/key
	ln -s ../archive/site /etc/live/folder
	ln -s ../archive/none /etc/live/none
	secret /etc/live/plain plain
	start_broker
	expect_equal "$(as alice ask "cat /etc/live/plain")" "ok plain"
	output=$(as alice ask "cat /etc/live/site/key") || true
	[[ $output != ok* ]] || fail "the broker gave it"
	expect_status 3 explain --user alice read /etc/live/site/key
	expect_equal "$output" "denied by $POLICY:7 (client guard)
    deny all /etc/archive/**
because a link on the way leads to /etc/archive/site/key"
	expect_status 3 explain --user alice create,write /etc/live/folder/new
	expect_match "$output" "leads to /etc/archive/site/new"
	# The link itself.
	expect_status 0 explain --user alice remove /etc/live/site/key
	expect_status 3 explain --user alice remove /etc/live/folder/key
	output=$(explain --user alice read /etc/live/plain)
	[[ $output != *"where a link leads"* ]] || fail "there is no link: $output"
	# It may lead anywhere, once there is something.
	expect_match "$(explain --user alice read /etc/live/none)" "where a link leads .* not looked at"
	# Not for a policy's own tests.
	expect_equal "$(explain --user alice - <<<"read /etc/live/site/key")" "allowed $POLICY:3 read /etc/live/site/key"
	# Nor where the caller may not look.
	chmod 700 /etc/live/site
	expect_match "$(as alice fdbroker explain --policy "$POLICY" read /etc/live/site/key)" \
		"^allowed .*where a link leads .*: $POLICY:7"
}

test_what_the_files_do_not_tell_of_the_broker_is_said() {
	local folder=/etc/fdbroker/policy.d
	explain_policy
	output=$(explain --user alice bind tcp:8443)
	[[ $output != *"as the files are now"* ]] || fail "a draft is not loaded: $output"
	mv "$POLICY" $folder/a.policy
	cp $folder/a.policy $folder/b.policy
	chmod 664 $folder/b.policy
	chgrp staff $folder/b.policy
	expect_match "$(fdbroker explain --user alice bind tcp:8443)" \
		"as the files are now: the broker may not have loaded them yet$"
	expect_status 3 fdbroker explain --user alice bind tcp:443
	expect_match "$output" "1 file does not count: see 'fdbroker check'$"
}

test_a_full_disk_is_called_that() {
	explain_policy
	expect_status 1 bash -c "fdbroker explain --policy $POLICY --json --user alice bind tcp:8443 >/dev/full"
	expect_match "$output" "stdout: No space left on device"
	local option
	for option in --json --user=alice; do
		yes "bind tcp:8443" | head -n 20000 >/run/test/many || true
		expect_status 1 bash -c "fdbroker explain --policy $POLICY $option - </run/test/many >/dev/full"
		expect_match "$output" "^[^"$'\n'"]*stdout: No space left on device$"
	done
}

test_text_in_json_is_never_the_same_as_another() {
	policy <<-END
		client a {
			from anyone
			allow read "/srv/back\\\\slash"
		}
	END
	explain --json --user alice read '/srv/back\slash' | python3 -c '
import json, sys
answer = json.loads(sys.stdin.buffer.read().decode())
assert answer["object"] == r"/srv/back\\slash", answer
assert answer["rule"]["text"] == r"""allow read "/srv/back\\\\slash\"""".replace("\\\"", "\""), answer'
	[[ $(explain --json --user alice read $'/srv/\xff' || true) != $(explain --json --user alice read '/srv/\xff' || true) ]] ||
		fail "two names are written the same"
}

test_the_installed_policy_is_asked_as_whoever_calls_it() {
	local installed=/etc/fdbroker/policy.d/a.policy
	explain_policy
	cp "$POLICY" "$installed"
	output=$(fdbroker explain --user alice bind tcp:8443)
	expect_match "$output" "allowed by $installed:6 \(client www\)"
	# Although root becomes the broker's user to read it.
	expect_status 3 fdbroker explain bind tcp:8443
	expect_match "$output" "user alice, not root"
}

test_what_is_wrong_is_said_with_the_way_out() {
	explain_policy
	expect_status 64 explain read srv/www
	expect_match "$output" "'srv/www' is not an absolute path.*write the whole path"
	expect_status 64 explain bind tcp:80-90
	expect_match "$output" "'tcp:80-90' may stand for many.*one port"
	expect_status 64 explain bind tcp:nosuch
	expect_match "$output" "there is no such service here"
	expect_status 64 explain -xy read /x
	expect_match "$output" "there is no option '-x'"
	expect_status 64 explain --json=x read /x
	expect_match "$output" "there is no option '--json=x'"
	expect_status 64 explain reed /x
	expect_match "$output" "unknown verb 'reed'.*did you mean 'read'"
	expect_status 64 explain --user ghost read /x
	expect_match "$output" "ghost: there is no such user"
	expect_status 64 explain --user alcie read /x
	expect_match "$output" "alcie: there is no such user.*did you mean 'alice'"
	expect_status 64 explain --group stafff read /x
	expect_match "$output" "no such group.*did you mean 'staff'"
	expect_status 64 explain --user alice --user bob read /x
	expect_match "$output" "--user is given twice"
	expect_status 64 explain --pid 1 --pid 2 read /x
	expect_status 64 explain --unit a.service --unit b.service read /x
	expect_status 3 explain --user alice --unit nginx read /x
	expect_match "$output" "warning: no unit is called 'nginx'.*write its suffix too"
	expect_status 64 explain bind 80
	expect_match "$output" "'80' is no object.*write tcp:80 or udp:80"
	expect_status 64 explain resolve a.example.org
	expect_match "$output" "write host:a.example.org"
	expect_status 64 explain option mark
	expect_match "$output" "write mark=VALUE"
	expect_status 64 explain read
	expect_status 64 explain read /x /y
	expect_status 64 explain --user alice --pid 1 read /x
	expect_status 64 explain --user
	expect_status 64 explain --bogus read /x
	expect_match "$(explain --help)" "^Usage: fdbroker explain"
	expect_status 0 explain --user alice bind "tcp:8443"
	expect_status 0 explain bind tcp:8443 --user alice
	printf 'client a {\nfrom user alice\nallow raed /x\n}\n' | policy
	expect_status 1 explain read /x
	expect_match "$output" "$POLICY:3:7-10: error: unknown verb 'raed'"
	expect_status 1 fdbroker explain --policy /nosuch read /x
}

test_bytes_that_could_steer_a_terminal_are_not_printed() {
	explain_policy
	expect_status 3 explain --user alice read $'/srv/other/\e[31m/x'
	[[ $output != *$'\e'* ]] || fail "an escape in: $output"
	output=$(printf 'read /srv/www/\e[31m\xc2\x9b\n' | explain --user alice -)
	[[ $output == allowed* && $output != *$'\e'* && $output != *$'\xc2\x9b'* ]] ||
		fail "an escape in: $output"
	explain --json --user alice read $'/srv/www/\xff\e' | python3 -c '
import json, sys
assert json.loads(sys.stdin.buffer.read().decode())["object"] == "/srv/www/\\xff\x1b"'
}

test_a_list_of_requests_is_a_policys_own_test() {
	explain_policy
	printf 'read /srv/www/a\n\n# a comment\nappend /var/log/www/a.log' >/run/test/requests
	expect_status 0 explain --user alice - </run/test/requests
	expect_equal "$output" "allowed $POLICY:5 read /srv/www/a
allowed $POLICY:4 append /var/log/www/a.log"
	printf '\nwrite /srv/a blank\nread /srv/www/secret\n' >>/run/test/requests
	expect_status 3 explain --user alice - </run/test/requests
	expect_match "$output" "denied - write /srv/a blank"$'\n'"denied $POLICY:11 read /srv/www/secret"
	printf 'read\n' >>/run/test/requests
	expect_status 64 explain --user alice - </run/test/requests
	expect_match "$output" "line 7: the object is missing"
	expect_status 64 explain --user alice - < <(printf 'read /a\0b\n')
	expect_match "$output" "line 1: a NUL byte"
}

test_json_has_all_of_it() {
	explain_policy
	mkdir -p /srv/www
	touch /srv/www/secret
	ln -s /srv/www/secret /srv/link
	printf 'client a {\nfrom anyone\nallow read /srv/link\ndeny read /srv/www/*\n}\n' >/run/test/link.policy
	{
		explain --json --user alice read,append /two/ax || true
		explain --json --user alice read /srv/www/a
		explain --json --user alice bind tcp:443 || true
		explain --json --user alice read /srv/www/secret || true
		explain --json --user carol read,write /two/b || true
		explain --json --user alice read /srv//www || true
		fdbroker explain --policy /run/test/link.policy --json --user alice read /srv/link || true
	} | tests/system/explain-json.py client-lib/cli/fdbroker.1.scd '
by_rule, only, malformed, link = answers[3:]
assert link["reason"] == "link" and link["rule"]["line"] == 4, link
assert link["target"] == "/srv/www/secret", link
conflict, allowed, denied = answers[:3]
assert by_rule["reason"] == "deny" and by_rule["rule"]["line"] == 11, by_rule
assert only["only"] == ["narrow"] and only["rule"]["client"] == "narrow", only
assert malformed["reason"] == "malformed" and malformed["rule"] is None, malformed
assert conflict["verdict"] == "denied" and conflict["reason"] == "options", conflict
assert {conflict["rule"]["line"], conflict["other"]["line"]} == {12, 13}, conflict
assert allowed["verdict"] == "allowed" and allowed["reason"] == "allow" and allowed["rule"]["line"] == 5, allowed
assert allowed["because"] == "user alice (uid 2001)" and "links" in allowed["options"], allowed
assert denied["missing"] == ["bind"] and denied["verbs"] == ["bind"], denied
assert denied["nearest"]["differences"] == ["port 8443, not 443"], denied
assert denied["nearest"]["client"] == "www", denied'
}

# ---- the broker says the same ----

# Real ids, and how explain is told of them.
explain_peers() {
	printf 'lab:x:3001:\n' >>/etc/group
	PEERS=(
		"--reuid=alice --regid=alice --init-groups"
		"--reuid=bob --regid=bob --groups=3001,3002"
		"--reuid=carol --regid=carol --clear-groups"
		"--reuid=2004 --regid=2004 --groups=3000"
		"--reuid=2005 --regid=3001 --clear-groups"
		"--reuid=2006 --regid=2006 --clear-groups"
	)
	local peer
	for peer in "${PEERS[@]}"; do
		# shellcheck disable=SC2086 # words
		setpriv $peer sleep 300 &
		ASKED+=("--pid $!")
	done
	ASKED[0]="--user alice"
	ASKED[3]="--user 2004 --group 2004 --group staff"
	# A mount over its file in /proc tells of its unit, as far as the broker can see.
	echo "0::/system.slice/app@ab.service" >/run/test/cgroup
	UNITS[5]=/run/test/cgroup
	ASKED[5]="--user 2006 --group 2006 --unit app@ab.service"
}

explain_tree() { # some of what is asked for is there
	mkdir -p /srv/{a,b,ab}/{a,b,.d} /home/alice/{a,.d} /tmp/a
	touch /srv/{a,b,ab}/{a,b,.d}/{c.log,ab,abc} /srv/c.log /srv/a/c.log
	chown -R alice:alice /home/alice
}

ask_both() { # POLICY NUMBER, PEER
	local asked=/run/test/random/$1.$2
	# shellcheck disable=SC2086,SC2016 # words; expanded inside
	bash -c '[[ -z $0 ]] || mount --bind "$0" "/proc/$$/cgroup" && exec "$@"' "${UNITS[$2]-}" \
		setpriv ${PEERS[$2]} --inh-caps=-all --no-new-privs -- verdicts \
		<"$asked" >"$asked.broker" ||
		fail "policy $1, peer $2: the broker could not be asked"
	# shellcheck disable=SC2086 # words
	fdbroker explain --policy "$POLICY" ${ASKED[$2]} - <"$asked" >"$asked.long" || (($? == 3)) ||
		fail "policy $1, peer $2: explain failed"
	sed -E 's/^(allowed|denied) [^ ]+ /\1 /' "$asked.long" >"$asked.explain"
	cmp -s "$asked.broker" "$asked.explain" ||
		fail "seed $EXPLAIN_SEED, policy $1, peer $2 (${PEERS[$2]}): the broker (<) and" \
			"explain (>) differ: $(diff "$asked.broker" "$asked.explain" | head -n 20 || true)"
}

test_explain_and_the_broker_agree_on_a_hundred_thousand_requests() {
	local -a PEERS=() ASKED=() UNITS=() asking
	local policies=50 requests=400 number peer all denied compared
	EXPLAIN_SEED=${EXPLAIN_SEED-$RANDOM}
	step "seed $EXPLAIN_SEED"
	explain_peers
	explain_tree
	mkdir /run/test/random
	tests/system/explain-random.py /run/test/random "$EXPLAIN_SEED" "$policies" \
		"${#PEERS[@]}" "$requests"
	chmod -R go+rX /run/test/random
	for ((number = 0; number < policies; number++)); do
		policy <"/run/test/random/$number.policy"
		if ((number == 0)); then
			start_broker
		else
			reload_broker || fail "seed $EXPLAIN_SEED: policy $number was not taken"
		fi
		asking=()
		for ((peer = 0; peer < ${#PEERS[@]}; peer++)); do
			ask_both "$number" "$peer" &
			asking+=($!)
		done
		for peer in "${asking[@]}"; do
			wait "$peer"
		done
	done
	all=$(cat /run/test/random/*.broker | wc -l)
	denied=$(cat /run/test/random/*.broker | grep -c ^denied)
	stop_broker
	compared=$(tests/system/explain-rules.py "$BROKER_LOG" /run/test/random "$policies" \
		2001 2002 2003 2004 2005 2006)
	echo "$all requests, $denied denied, $compared with their rules in the log"
	expect_equal "$all" $((policies * ${#PEERS[@]} * requests)) "all were answered"
	((compared * 2 >= all)) || fail "the rules of $compared were compared"
	((denied * 5 >= all && denied * 5 <= all * 4)) || fail "$denied of $all were denied"
}

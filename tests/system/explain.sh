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
	expect_equal "$output" "denied: client first is an 'only' block for this asker, and no rule of it allows read
so is client second
nearest: $POLICY:7 (client first): /srv/a, not /srv/c
    allow read /srv/a"
	expect_status 3 explain --user alice read /srv/a
	expect_match "$output" "^denied: client second is .* of it allows read"$'\n'"nearest: $POLICY:11 "
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
	expect_match "$output" "unit app@\*.service, not -"
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
	expect_match "$output" "group 3005, which the peer is not in"
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

test_who_may_be_anybody_is_nobodys_client() {
	policy <<-END
		client all {
			from anyone
			allow read /srv/file
		}
	END
	secret /srv/file content
	start_broker
	expect_equal "$(as alice ask "cat /srv/file")" "ok content"
	expect_status 0 explain --user alice read /srv/file
	output=$(setpriv --reuid=65534 --regid=65534 --clear-groups ask "cat /srv/file" 2>&1) || true
	[[ $output != "ok content" ]] || fail "the broker serves nobody"
	expect_status 3 explain --user nobody read /srv/file
	expect_match "$output" "uid 65534 may be anybody"
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
	expect_status 64 explain reed /x
	expect_match "$output" "unknown verb 'reed'.*did you mean 'read'"
	expect_status 64 explain --user ghost read /x
	expect_match "$output" "ghost: there is no such user"
	expect_status 64 explain read
	expect_status 64 explain read /x /y
	expect_status 64 explain --user alice --pid 1 read /x
	expect_status 64 explain --user
	expect_status 64 explain --bogus read /x
	expect_match "$(explain --help)" "^Usage: fdbroker explain"
	expect_status 0 explain --user alice bind "tcp:8443"
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
	{
		explain --json --user alice read,append /two/ax || true
		explain --json --user alice read /srv/www/a
		explain --json --user alice bind tcp:443 || true
		explain --json --user alice read /srv/www/secret || true
		explain --json --user carol read,write /two/b || true
		explain --json --user alice read /srv//www || true
	} | tests/system/explain-json.py client-lib/cli/fdbroker.1.scd '
by_rule, only, malformed = answers[3:]
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
	)
	local peer
	for peer in "${PEERS[@]}"; do
		# shellcheck disable=SC2086 # words
		setpriv $peer sleep 300 &
		ASKED+=("--pid $!")
	done
	ASKED[0]="--user alice"
	ASKED[3]="--user 2004 --group 2004 --group staff"
}

explain_tree() { # some of what is asked for is there
	mkdir -p /srv/{a,b,ab}/{a,b,.d} /home/alice/{a,.d} /tmp/a
	touch /srv/{a,b,ab}/{a,b,.d}/{c.log,ab,abc} /srv/c.log /srv/a/c.log
	chown -R alice:alice /home/alice
}

ask_both() { # POLICY NUMBER, PEER
	local asked=/run/test/random/$1.$2
	# shellcheck disable=SC2086 # words
	setpriv ${PEERS[$2]} --inh-caps=-all --no-new-privs -- verdicts <"$asked" >"$asked.broker" ||
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
	local -a PEERS=() ASKED=() asking
	local policies=50 requests=400 number peer all denied
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
	echo "$all requests, $denied denied"
	expect_equal "$all" $((policies * ${#PEERS[@]} * requests)) "all were answered"
	((denied * 5 >= all && denied * 5 <= all * 4)) || fail "$denied of $all were denied"
}

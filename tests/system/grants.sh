# shellcheck shell=bash
# What may I have? The policy's answer to whoever asks, and to nobody else.

LIST_BYTES_MAX=$((4 << 20))

grants_policy() { # [MORE RULES OF alice]
	policy <<-END
		# a comment
		client www {
			from user alice
			from group nogroup
			allow   read,list   /srv/www/**   "/srv/a \\x22b"  # for the site
			allow bind tcp:80,443
			${1-}
		}
		client "it's \\x22mine\\x22 \\\\" only {
			from user alice
			allow read /srv/** \\
				/etc/motd
			allow bind tcp:1-1000
			limit unread 40 sessions 10
			limit requests 100/s sessions 9
		}
		client others {
			from user bob
			allow read /srv/secret-of-bob
		}
		client never {
			from anyone
			deny all /srv/denied/** unix:/srv/denied/**
		}
	END
}

# A dot at the start of a line stands for a tab, which a here-document would lose.
listed() { # the text is the standard input
	sed 's/^\./\t/'
}

alices_grants() { # [ONE MORE RULE]
	listed <<-END
		# uid 2001
		client www {
		.allow read,list /srv/www/** "/srv/a \\x22b"
		.allow bind tcp:80,443${1:+
		.$1}
		}
		client "it's \\x22mine\\x22 \\x5c" only {
		.allow read /srv/** /etc/motd
		.allow bind tcp:1-1000
		.limit sessions 9 requests 100/s unread 40
		}
		client never {
		.deny all /srv/denied/** unix:/srv/denied/**
		}
	END
}

test_each_user_sees_what_concerns_that_user_and_nothing_else() {
	grants_policy
	start_broker
	expect_equal "$(as alice fdbroker list)" "$(alices_grants)"
	expect_equal "$(as bob fdbroker list)" "$(
		listed <<-'END'
			# uid 2002
			client others {
			.allow read /srv/secret-of-bob
			}
			client never {
			.deny all /srv/denied/** unix:/srv/denied/**
			}
		END
	)"
	# Nothing was decided.
	expect_equal "$(audit_lines .)" ""
}

test_a_reload_changes_what_is_listed() {
	grants_policy
	start_broker
	open_session alice alice
	expect_match "$(tell alice grants)" '^ok # uid 2001\\nclient www '
	grants_policy 'allow resolve host:example.org'
	reload_broker
	expect_match "$(tell alice grants)" 'resolve host:example\.org'
	expect_equal "$(as alice fdbroker list)" "$(alices_grants 'allow resolve host:example.org')"
	policy <<-END
		client others {
			from user bob
			allow read /srv/secret-of-bob
		}
	END
	reload_broker
	expect_equal "$(tell alice grants)" \
		"ok # uid 2001\\n# no client block of the policy is for it\\n"
	expect_status 1 as alice fdbroker list
	expect_match "$output" 'list: the broker has closed the connection'
}

test_a_narrowed_connection_is_told_what_it_was_narrowed_to() {
	grants_policy
	start_broker
	open_session alice alice
	tell alice "limit read /srv/**" >/dev/null
	tell alice "limit read,list /srv/www/**" >/dev/null
	output=$(tell alice grants)
	expect_equal "$(sed 's/^ok //; s/\\n/\n/g; s/\\x09/\t/g' <<<"${output%\\n}")" "$(
		alices_grants
		printf '# narrowed to:\n#\t%s\n' "read /srv/**" "read,list /srv/www/**"
	)"
	# As a program sees it that was given a narrowed connection.
	expect_match "$(as alice fdbroker exec --limit read:/srv/one -- fdbroker list)" \
		$'\n# narrowed to:\n#\tread /srv/one$'
}

# The `from` lines are left out; with others in their place it is a policy.
policy_of_list() { # FROM
	sed -E "s/^client .*\{\$/&\n\tfrom $1/"
}

test_what_is_listed_is_a_policy() {
	grants_policy 'allow credential key=/srv/key log none'
	start_broker
	as alice fdbroker list | policy_of_list "user alice" >/run/test/listed.policy
	expect_status 0 fdbroker check /run/test/listed.policy
	# And it means the same.
	cp /run/test/listed.policy "$POLICY"
	secret /srv/www/index index
	secret /srv/denied/file denied
	reload_broker
	expect_equal "$(as alice ask "cat /srv/www/index" "cat /srv/denied/file")" \
		$'ok index\nEACCES policy'
	expect_equal "$(as alice fdbroker list | policy_of_list "user alice")" \
		"$(cat /run/test/listed.policy)"
}

# As who asks is known: the policy has to need it.
test_a_list_says_who_asks() {
	policy <<-'END'
		client home {
			from user alice
			allow read %h/x /srv/%u
		}
	END
	start_broker
	expect_equal "$(as alice fdbroker list | head -n 1)" "# uid 2001, user alice, home /home/alice"
}

test_names_do_not_leave_their_line() {
	printf 'x\\\ty:x:2001:2001::/home/alice:/bin/bash\n' >>/etc/passwd
	sed -i '/^alice:/d' /etc/passwd
	policy <<-'END'
		client home {
			from user 2001
			allow read %h/x /srv/%u
		}
	END
	start_broker
	output=$(setpriv --reuid=2001 --regid=2001 --clear-groups fdbroker list)
	expect_equal "$(sed -n '1p;2p' <<<"$output")" \
		$'# uid 2001, user x\\x5c\\x09y, home /home/alice\nclient home {'
}

test_on_a_terminal_nothing_can_steer_it() {
	printf 'client a {\nfrom user alice\nallow read "/srv/\033]0;x\007"\n}\n' | policy
	start_broker
	expect_equal "$(as alice fdbroker list)" \
		$'# uid 2001\nclient a {\n\tallow read "/srv/\033]0;x\007"\n}'
	script -qec "setpriv --reuid=alice --regid=alice --clear-groups fdbroker list" \
		/run/test/terminal >/dev/null </dev/null
	grep -qF 'allow read "/srv/?]0;x?"' /run/test/terminal || fail "$(cat -v /run/test/terminal)"
}

rules_of() { # COUNT
	printf 'client many {\nfrom user alice\n'
	seq -f 'allow read /srv/files/number-%.0f' "$1"
	printf '}\n'
}

test_ten_thousand_rules_are_listed() {
	rules_of 10000 | policy
	start_broker
	as alice fdbroker list >/run/test/listed
	expect_equal "$(grep -c 'allow read /srv/files/number-' /run/test/listed)" 10000
	expect_equal "$(tail -n 2 /run/test/listed)" $'\tallow read /srv/files/number-10000\n}'
	expect_match "$(as alice sealed grants -)" \
		"^bytes=$(stat -c %s /run/test/listed) names=0 $SEALED\$"
}

test_there_is_an_end_to_what_is_listed() {
	local bytes
	# "# uid 2001\nclient many {\n" and "}\n" are 27 bytes, a rule with its tab and end is 1001.
	local count=$(((LIST_BYTES_MAX - 27) / 1001)) rest
	rest=$((LIST_BYTES_MAX - 27 - count * 1001))
	((rest > 20)) || fail "choose other rules"
	many_rules() { # BYTES OF THE LAST RULE
		printf 'client many {\nfrom user alice\n'
		awk -v count="$count" -v last="$1" 'BEGIN {
			fill = sprintf("%*s", 1000, ""); gsub(" ", "x", fill)
			gsub("x", "/x", fill)
			for (i = 0; i <= count; i++) {
				text = sprintf("allow read /%06d", i)
				print text substr(fill, 1, (i < count ? 999 : last - 2) - length(text) - 1) "y"
			}
		}'
		printf '}\n'
	}
	many_rules "$rest" | policy
	start_broker
	bytes=$(as alice sealed grants -)
	expect_match "$bytes" "^bytes=$LIST_BYTES_MAX "
	many_rules $((rest + 1)) | policy
	reload_broker
	expect_equal "$(as alice ask grants)" "EOVERFLOW limit"
	expect_status 1 as alice fdbroker list
	expect_match "$output" 'list: .*EOVERFLOW|list: .*too large'
}

test_the_memory_for_it_is_the_clients_to_provide() {
	local what length
	grants_policy
	start_broker
	length=$(as alice fdbroker list | wc -c)
	expect_equal "$(as alice copies grants fill 65536 65536 "")" "ok $length"
	expect_equal "$(as alice copies grants fill "$length" "$length" "")" "ok $length"
	expect_equal "$(as alice copies grants fill $((length - 1)) $((length - 1)) "")" \
		"EMSGSIZE copy $((length - 1))"
	expect_equal "$(as alice copies grants fill 0 "$length" "")" "EMSGSIZE copy $length"
	belongs_to alice /home/alice/file "what was there"
	for what in sealed-against-writing not-to-be-sealed temporary-file pipe socket folder \
		/home/alice/file /proc/self/mem /dev/null; do
		expect_equal "$(as alice copies grants send "$what" "")" "EINVAL copy unchanged" "$what"
	done
	expect_status 1 as alice copies grants open ""
	expect_match "$output" 'the connection was ended'
	expect_log 'protocol error: uid=2001 .*a request without its descriptor'
}

# Every policy has it: an executor that may do nothing else too.
test_it_is_there_under_every_policy() {
	local rule
	for rule in 'allow bind tcp:80' 'allow read /srv/x' 'allow resolve host:*' \
		'allow socket icmp' 'allow read /srv/x copy' 'allow credential a=/b' 'limit unread 3'; do
		policy <<<$'client a {\nfrom user alice\n'"$rule"$'\n}'
		if [[ -z $BROKER_PID ]]; then
			start_broker
		else
			stop_broker
			start_broker
		fi
		expect_equal "$(as alice fdbroker list)" \
			$'# uid 2001\nclient a {\n\t'"$rule"$'\n}' "$rule"
	done
}

test_it_is_answered_while_a_worker_has_much_to_do() {
	local pids
	grants_policy
	start_broker
	start_as bob ask "cat-often /srv/secret-of-bob x /run/test/enough"
	pids=$!
	for _ in {1..30}; do
		expect_equal "$(as alice fdbroker list)" "$(alices_grants)"
	done
	kill "$pids"
}

test_without_a_broker_it_says_so() {
	export FDBROKER_SOCKET=/run/test/none.sock
	expect_status 1 as alice fdbroker list
	expect_match "$output" '^fdbroker: cannot connect to the broker at /run/test/none\.sock: '
	expect_status 64 as alice fdbroker list /srv
	expect_match "$output" "takes no '/srv'"
	expect_status 0 as alice fdbroker list --help
}

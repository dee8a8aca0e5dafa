# shellcheck shell=bash
# What the documents show is what there is.

# The text between ```LANGUAGE and ``` number N of the README.
code_of_readme() { # LANGUAGE N
	awk -v begin="\`\`\`$1" -v wanted="$2" '
		$0 == "```" { shown = 0 }
		shown { print }
		$0 == begin && ++seen == wanted { shown = 1 }' README.md
}

test_the_first_program_of_the_README_is_the_example() {
	expect_equal "$(code_of_readme c 1)" "$(cat client-lib/examples/first.c)"
}

test_the_first_policy_of_the_README_works_with_the_first_program() {
	code_of_readme fdbroker 1 | sed 's/user www-data/user alice/' | policy
	expect_status 0 fdbroker check "$POLICY"
	secret /etc/ssl/private/example.key "the key"
	start_broker
	expect_equal "$(as alice example-first /etc/ssl/private/example.key)" "the key"
	expect_equal "$(as alice ask "listen tcp:443")" ok
}

test_every_policy_of_the_README_is_right() {
	local count=0 example
	printf 'www-data:x:33:33::/var/www:/usr/sbin/nologin\n' >>/etc/passwd
	printf 'app:x:1900:33::/srv/app:/usr/sbin/nologin\n' >>/etc/passwd
	printf 'www-data:x:33:\n' >>/etc/group
	while example=$(code_of_readme fdbroker $((count + 1))) && [[ -n $example ]]; do
		count=$((count + 1))
		policy <<<"$example"
		expect_status 0 fdbroker check "$POLICY"
	done
	expect_equal "$count" "$(grep -c '^```fdbroker' README.md)" "policies"
	((count > 2)) || fail "only $count policies"
}

# The examples of fdbroker.policy(5): each number N, between lines of three backquotes.
example_of_the_manual() { # N
	awk -v wanted="$1" '
		$0 == "```" { shown = !shown; seen += shown; next }
		shown && seen == wanted { print }' policy/fdbroker.policy.5.scd
}

test_every_example_of_the_manual_of_the_language_is_right() {
	local count=0 example
	printf 'www-data:x:33:33::/var/www:/usr/sbin/nologin\n' >>/etc/passwd
	while example=$(example_of_the_manual $((count + 1))) && [[ -n $example ]]; do
		count=$((count + 1))
		policy <<<"$example"
		expect_status 0 fdbroker check --strict "$POLICY"
	done
	expect_equal "$count" "$(($(grep -c '^```' policy/fdbroker.policy.5.scd) / 2))" "examples"
	((count > 5)) || fail "only $count examples"
}

# A formatter that breaks comments anew makes prose of its tables; this is how that looks.
test_the_header_is_as_it_was_written() {
	output=$(grep -nP '^ \*[^ \t/]' client-lib/fdbroker.h || true)
	expect_equal "$output" ""
}

test_every_manual_names_the_others() {
	local page other see_also
	local -a pages=(fdbroker.1 libfdbroker.3 fdbroker.policy.5 fdbroker-protocol.7 fdbrokerd.8)
	for page in "${pages[@]}"; do
		see_also=$(find client-lib policy broker -name "$page.scd" \
			-exec sed -n '/^# SEE ALSO/,$p' {} +)
		for other in "${pages[@]}"; do
			[[ $page != "$other" ]] || continue
			[[ $see_also == *"*${other%.*}*(${other##*.})"* ]] ||
				fail "$page does not name $other"
		done
	done
}

test_the_example_policy_is_right_and_grants_nothing() {
	cp policy/examples/50-example.policy "$POLICY"
	expect_status 0 fdbroker check --strict "$POLICY"
	start_broker
	expect_match "$(as alice ask "cat /etc/passwd" "listen tcp:80")" \
		$'^(ECONNRESET broker|EACCES policy)\n(ECONNRESET broker|EACCES policy)$'
}

# Every rule of it that is commented out would be right, too.
test_the_rules_in_the_example_policy_are_right() {
	sed -E 's/^#(client|\}|	)/\1/' policy/examples/50-example.policy | policy
	expect_status 0 fdbroker check "$POLICY"
	grep -q '^client' "$POLICY" || fail "there is no example in it"
}

test_the_units_are_right() {
	local folder=/run/systemd/system unit
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	mkdir -p "$folder"
	for unit in fdbroker.socket fdbroker.service; do
		# The daemon as it is here, so that the check finds it.
		sed -E "s|^ExecStart=[^ ]+|ExecStart=$(command -v fdbrokerd)|" \
			"$FDBROKER_BUILD/systemd/$unit" >"$folder/$unit"
	done
	# It complains of other units of the machine as well.
	output=$(systemd-analyze verify --man=no "$folder/fdbroker.socket" \
		"$folder/fdbroker.service" 2>&1 | grep fdbroker || true)
	expect_equal "$output" ""
}

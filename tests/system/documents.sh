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

test_the_manual_of_the_library_has_all_that_the_library_has() {
	local word
	while read -r word; do
		grep -qF "*${word%;}*()" client-lib/libfdbroker.3.scd || fail "no $word"
	done < <(grep -ohE '\bfdbroker_[a-z_]+;' client-lib/libfdbroker.map \
		client-lib/sandbox/libfdbroker-sandbox.map)
	while read -r word; do
		[[ $word == *_NONE ]] || grep -qF "*$word*" client-lib/libfdbroker.3.scd ||
			fail "no $word"
	done < <(grep -oE '^	FDBROKER_REASON_[A-Z]+' client-lib/fdbroker.h)
}

# Its tables have the operations and reasons, by number and name, and its prose has the bounds.
test_the_manual_of_the_protocol_has_all_that_the_protocol_has() {
	local name number manual=client-lib/fdbroker-protocol.7.scd count=0
	while read -r number name; do
		grep -qx "|  $number $name" "$manual" || fail "no operation $number, $name"
		count=$((count + 1))
	done < <(sed -nE 's/^	FDBROKER_([A-Z]+) = ([0-9]+),.*/\2 \L\1/p' client-lib/protocol.h |
		grep -vE ' (any|unix|cid)$')
	((count > 20)) || fail "only $count operations were found"
	while read -r number name; do
		[[ $name == local || $name == broker ]] || grep -A 1 -x "|  $number" "$manual" |
			grep -qE "^:[-<]? +$name$" || fail "no reason $number, $name"
	done < <(sed -nE 's/^	FDBROKER_REASON_([A-Z]+) = ([0-9]+),.*/\2 \L\1/p' client-lib/fdbroker.h)
	for name in PACKET DATA LIMITS; do
		number=$(sed -nE "s/^#define FDBROKER_${name}_MAX ([0-9]+)u.*/\1/p" client-lib/protocol.h)
		grep -qw "$number" "$manual" || fail "no FDBROKER_${name}_MAX, $number"
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
	source tests/system/examples.lib
	users_of_the_documents
	sed -E 's/^#(client|\}|	)/\1/' policy/examples/50-example.policy | policy
	expect_status 0 fdbroker check --strict "$POLICY"
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

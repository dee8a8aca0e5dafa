# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# Delegation: the example, a child with a connection that was cloned and narrowed; and programs that
# adopt a clone.

delegation() {
	policy <<-END
		client parent {
			from user alice
			allow read /etc/classics/*
		}
	END
	secret /etc/classics/one $'the one\n'
	secret /etc/classics/other $'the other\n'
	start_broker
}

test_the_child_gets_one_file_and_no_other() {
	delegation
	expect_equal "$(as alice example-delegate /etc/classics/one /etc/classics/other)" \
		"the one
/etc/classics/other: narrowed: this connection was narrowed, and may not do it any more"
}

test_the_child_gets_no_more_than_the_parent_has() {
	delegation
	secret /etc/denied denied
	expect_status 1 as alice example-delegate /etc/denied /etc/classics/one
	expect_match "$output" '^example-delegate: /etc/denied \(policy: .*\): Permission denied$'
}

test_nothing_is_left_of_it() {
	local before
	delegation
	as alice example-delegate /etc/classics/one /etc/classics/other
	before=$(broker_descriptors)
	for _ in {1..20}; do
		as alice example-delegate /etc/classics/one /etc/classics/other >/dev/null
	done
	expect_descriptors "$before"
}

# ---- clones that are adopted ----

# ask, with a connection that is not hers: of a clone the kernel names the broker's user.
ask_with_a_clone() { # COMMAND..., where CLONE is the number of the descriptor
	# shellcheck disable=SC2016 # expanded inside
	as alice fdbroker exec --limit 'read:/etc/classics/*' -- \
		fdbroker exec --limit read:/etc/classics/one -- \
		bash -c 'exec ask "${@//CLONE/$FDBROKER_FD}"' bash "$@"
}

test_a_clone_is_adopted_and_then_the_sandbox_entered() {
	delegation
	expect_equal "$(ask_with_a_clone "adopt-connection CLONE" confine \
		"open-myself /etc/passwd" "cat /etc/classics/one" "cat /etc/classics/other")" \
		$'ok\nok\nEPERM\nok the one\\n\nEACCES narrowed'
}

# Who is at its other end cannot be told there, which is not that it were somebody else.
test_in_a_sandbox_without_files_a_clone_cannot_be_adopted() {
	delegation
	expect_equal "$(ask_with_a_clone confine "adopt-connection CLONE" "adopt-connection 99")" \
		$'ok\nEACCES local\nEBADF local'
}

test_where_there_is_no_user_database_a_clone_cannot_be_adopted() {
	delegation
	expect_equal "$(ask_with_a_clone "say now" "wait-for /etc/passwd.away" \
		"adopt-connection CLONE" "say then" "wait-for /etc/passwd" \
		"adopt-connection CLONE" | while read -r answer; do
		if [[ $answer == now ]]; then mv /etc/passwd /etc/passwd.away; fi
		if [[ $answer == "then" ]]; then mv /etc/passwd.away /etc/passwd; fi
		echo "$answer"
	done)" $'now\nok\nENOENT local\nthen\nok\nok'
}

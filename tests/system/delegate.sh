# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# The example of delegation: a child with a connection that was cloned and narrowed.

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

# shellcheck shell=bash
# The main job: a program that may open and bind nothing by itself gets what the policy names.

sandboxed_policy() {
	policy <<-END
		client demo {
			from user alice
			allow read /etc/demo/key
			allow bind tcp:80
		}
	END
	secret /etc/demo/key "the key"
	secret /etc/demo/other "another key"
	start_broker
}

test_a_confined_program_reads_a_file_of_root() {
	sandboxed_policy
	expect_equal "$(as alice ask "confine" "open-myself /etc/demo/key" "cat /etc/demo/key")" \
		$'ok\nEPERM\nok the key'
	expect_log 'audit: allowed uid=2001 .*verb=read object="/etc/demo/key" .*rule=/etc/fdbroker/test.policy:3'
}

test_a_confined_program_serves_port_80_over_ipv4_and_ipv6() {
	local answers
	sandboxed_policy
	start_as alice ask "confine" "bind-myself 0.0.0.0 80" "listen tcp:80" "answer over v4" \
		"answer over v6" >/run/test/server 2>&1
	eventually 5 listening 80 || fail "nobody listens on port 80: $(cat /run/test/server)"
	answers=$(curl -s --max-time 5 http://127.0.0.1/ && curl -s --max-time 5 'http://[::1]/')
	expect_equal "$answers" $'over v4\nover v6'
	wait $!
	expect_equal "$(cat /run/test/server)" $'ok\nEPERM\nok\nok\nok'
	expect_log 'audit: allowed uid=2001 .*verb=bind object="?tcp:.*80"? .*rule=/etc/fdbroker/test.policy:4'
}

test_what_is_not_granted_is_denied_with_the_reason_policy() {
	sandboxed_policy
	expect_equal "$(as alice ask "confine" "cat /etc/demo/other" "listen tcp:81" \
		"open /etc/demo/key O_WRONLY" "listen udp:80")" \
		$'ok\nEACCES policy\nEACCES policy\nEACCES policy\nEACCES policy'
	expect_log 'audit: denied uid=2001 .*verb=read object="/etc/demo/other" .*reason=policy'
	expect_log 'audit: denied uid=2001 .*verb=bind object="?tcp:.*81"? .*reason=policy'
}

# Whether there is such a file is none of the business of who may not have it.
test_a_file_that_is_not_there_is_denied_like_any_other() {
	sandboxed_policy
	expect_equal "$(as alice ask "cat /etc/demo/nothing" "cat /nowhere/at/all")" \
		$'EACCES policy\nEACCES policy'
}

test_a_granted_file_that_is_not_there_is_ENOENT() {
	sandboxed_policy
	rm /etc/demo/key
	expect_equal "$(as alice ask "cat /etc/demo/key")" "ENOENT kernel"
}

test_who_is_named_by_no_block_gets_nothing() {
	sandboxed_policy
	expect_match "$(as bob ask "cat /etc/demo/key")" '^(ECONNRESET broker|EACCES policy)$'
	expect_match "$(ask "cat /etc/demo/key")" '^(ECONNRESET broker|EACCES policy)$' "for root too"
}

test_the_rights_are_those_of_who_connected() {
	policy <<-END
		client root {
			from user root
			allow read /srv/for-root
		}
		client alice {
			from user alice
			allow read /srv/for-alice
		}
	END
	secret /srv/for-root root
	secret /srv/for-alice alice
	start_broker
	expect_equal "$(ask "become $(id -u alice)" "cat /srv/for-root" "cat /srv/for-alice" \
		"connect-again" "cat /srv/for-root" "cat /srv/for-alice")" \
		$'ok\nok root\nEACCES policy\nok\nEACCES policy\nok alice'
}

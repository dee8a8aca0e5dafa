# shellcheck shell=bash
# What `fdbroker check` says of policies that are wrong. tests/policies/NAME.policy (or a folder,
# NAME.d) is the policy, NAME.expected what is said of it and the exit status; tests/policies/record
# makes these files anew, and must not be called before each of them has been read.

POLICIES=tests/policies

# What the policies speak of, besides what is in every sandbox.
prepare_names() {
	echo 'www-data:x:33:33::/var/www:/usr/sbin/nologin' >>/etc/passwd
	printf 'adm:x:4:\nwww-data:x:33:\n' >>/etc/group
	printf 'icmp\t1\tICMP\nudp\t17\tUDP\n' >/etc/protocols
}

observe() { # POLICY
	local status=0
	(cd "$POLICIES" && fdbroker check "$1" 2>&1) || status=$?
	echo "status $status"
}

# NAME.policy and NAME.d are both of NAME.
policies() {
	(cd "$POLICIES" && printf '%s\n' *.policy *.d)
}

expected_name() { # POLICY
	echo "${1%.*}.expected"
}

# For tests/policies/record: an archive of what should be expected.
record_all() {
	local policy
	prepare_names
	mkdir /run/test/recorded
	for policy in $(policies); do
		observe "$policy" >"/run/test/recorded/$(expected_name "$policy")"
	done
	tar -C /run/test/recorded -c .
}

test_every_wrong_policy_gets_the_recorded_diagnostics() {
	local policy count=0 wrong=0
	prepare_names
	for policy in $(policies); do
		count=$((count + 1))
		diff -u "$POLICIES/$(expected_name "$policy")" <(observe "$policy") || {
			echo "- $policy: not what is recorded"
			wrong=$((wrong + 1))
		}
	done
	((count >= 60)) || fail "only $count policies"
	((wrong == 0)) || fail "$wrong of $count policies"
}

# shellcheck shell=bash
# A client that keeps no rule costs one log line and one slot.

packets_policy() {
	policy <<-END
		client test {
			from user alice
			allow read /srv/file /etc/hostname
			allow bind tcp:80
		}
		client others {
			from user bob
			allow read /srv/file
			allow bind tcp:443
		}
	END
	secret /srv/file content
	echo sandbox >/etc/hostname
	start_broker
	open_session bob bob
	others_notice_nothing
	workers=$(broker_pids worker)
	before=$(broker_descriptors)
}

others_notice_nothing() {
	expect_equal "$(tell bob "cat /srv/file")" "ok content"
	expect_equal "$(tell bob "bind tcp 0.0.0.0 443")" "ok"
	expect_equal "$(tell bob "close")" "ok"
}

protocol_errors_are() { # COUNT
	(($(log_count 'protocol error') == $1))
}

# The connection is ended, one line is logged, nothing else happens.
expect_ended() { # HOSTILE...
	local errors
	errors=$(log_count 'protocol error')
	expect_equal "$(as alice timeout 20 hostile "$@")" closed "$*"
	eventually 5 protocol_errors_are $((errors + 1)) || fail "$*: not one line in the log"
	expect_log 'protocol error.*uid=2001|uid=2001.*protocol error'
	others_notice_nothing
	expect_descriptors "$before"
	expect_equal "$(broker_pids worker)" "$workers" "$*: the worker"
}

test_garbage_ends_the_connection() {
	packets_policy
	expect_ended garbage
}

test_half_a_header_ends_the_connection() {
	packets_policy
	expect_ended half-header
}

test_64_KiB_end_the_connection() {
	packets_policy
	expect_ended oversize
}

test_another_version_ends_the_connection() {
	packets_policy
	expect_ended wrong-version
}

test_a_nul_in_a_path_ends_the_connection() {
	packets_policy
	expect_ended nul-in-path
}

# All bits of each byte of the headers; where the change is none, or makes no difference to the
# protocol (the id, the flags), there is an answer.
test_every_changed_byte_is_met_with_an_answer_or_the_end() {
	local offset value answer
	packets_policy
	for offset in {0..23}; do
		for value in 0 1 255; do
			answer=$(as alice timeout 20 hostile altered "$offset" "$value")
			expect_match "$answer" '^(closed|answered (ok|E[A-Z]+) [a-z]+)$' "byte $offset=$value"
		done
	done
	others_notice_nothing
	expect_descriptors "$before"
	expect_equal "$(broker_pids worker)" "$workers" "the worker"
}

test_a_descriptor_that_nobody_asked_for_ends_the_connection() {
	packets_policy
	expect_ended descriptors 1
	expect_ended descriptors 2
	expect_ended descriptors 253
}

test_what_lies_behind_a_malformed_packet_is_discarded() {
	local i
	packets_policy
	for i in {1..5}; do
		expect_equal "$(as alice timeout 20 hostile mixed)" closed "time $i"
	done
	others_notice_nothing
	expect_descriptors "$before"
}

test_a_packet_without_bytes_ends_the_connection() {
	packets_policy
	expect_equal "$(as alice timeout 20 hostile empty)" closed
	expect_equal "$(as alice timeout 20 hostile empty-with-descriptors)" closed
	expect_at_most "$(log_count 'protocol error')" 2 "lines in the log"
	others_notice_nothing
	expect_descriptors "$before"
}

test_something_that_is_no_internet_socket_is_not_bound() {
	local kind
	packets_policy
	for kind in file epoll unix path pipe; do
		expect_match "$(as alice timeout 20 hostile bind-a "$kind" 80)" \
			'^(answered E[A-Z]+ socket|closed)$' "$kind"
	done
	others_notice_nothing
	expect_descriptors "$before"
}

test_a_bind_without_a_socket_is_an_error_of_the_client() {
	packets_policy
	expect_match "$(as alice timeout 20 hostile bind-nothing 80)" \
		'^(answered E[A-Z]+ [a-z]+|closed)$'
	others_notice_nothing
	expect_descriptors "$before"
}

test_limits_and_clones_come_alone_in_their_packet() {
	packets_policy
	expect_ended not-alone limit /srv/file
	expect_ended not-alone clone /srv/file
}

test_limits_and_clones_come_without_a_descriptor() {
	packets_policy
	expect_ended not-bare limit
	expect_ended not-bare clone
}

test_clients_that_say_nothing_for_ever_are_no_burden() {
	local pid
	packets_policy
	start_as alice hostile many-silent 50 >/run/test/silent 2>&1
	pid=$!
	eventually 5 grep -q holding /run/test/silent || fail "$(cat /run/test/silent)"
	others_notice_nothing
	expect_equal "$(log_count 'protocol error')" 0
	kill "$pid"
	expect_descriptors "$before"
	others_notice_nothing
}

test_half_a_hang_up_is_no_harm() {
	packets_policy
	expect_match "$(as alice timeout 20 hostile half-close /srv/file)" '^(closed|answered ok none)$'
	others_notice_nothing
	expect_descriptors "$before"
}

test_clients_that_are_gone_before_the_answer_leave_nothing_behind() {
	packets_policy
	expect_equal "$(as alice timeout 20 hostile vanish /srv/file 500)" gone
	others_notice_nothing
	expect_descriptors "$before"
	expect_equal "$(broker_pids worker)" "$workers" "the worker"
}

test_a_client_that_reads_no_answer_stops_nobody() {
	local pid
	packets_policy
	start_as alice hostile never-read /srv/file 20000 >/run/test/never 2>&1
	pid=$!
	sleep 2
	others_notice_nothing
	expect_equal "$(as bob timeout 10 ask "cat /srv/file")" "ok content"
	kill "$pid"
	expect_descriptors "$before"
	expect_equal "$(broker_pids worker)" "$workers" "the worker"
}

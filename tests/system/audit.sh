# shellcheck shell=bash
# The audit log: fields and values as fdbrokerd(8) describes them, in each of the ways to write it.

ENTRIES=/run/test/entries # of the journal, one JSON object a line
COLLECTOR_PID=

audited_policy() {
	policy <<-'END'
		client "web" {
			from user alice
			allow read /srv/one
			allow create,remove /srv/open/** as alice
			deny read /srv/one.key
			allow read /srv/link
		}
		client backup {
			from user carol
			allow read /srv/two
			deny read /srv/two.key
		}
	END
	secret /srv/one one
	secret /srv/two two
	mkdir -p /srv/open
	chown alice:alice /srv/open
	ln -sf one.key /srv/link
}

HOSTILE=$'/srv/x"\\\nFDBROKER_UID=0\nMESSAGE=all\tis\xffwell'
# shellcheck disable=SC1003
HOSTILE_ESCAPED='/srv/x\"\\\x0aFDBROKER_UID=0\x0aMESSAGE=all\x09is\xffwell'

# One of each kind: allowed, denied by a rule and by none, behind a link, a rename, a path that would
# fake an entry, and somebody whom no block is for.
ask_for_some() {
	belongs_to alice /srv/open/old old
	as alice ask "cat /srv/one" "cat /srv/one.key" "cat /srv/link" "rename /srv/open/old /srv/open/new" \
		"cat $HOSTILE"
	as bob ask "cat /srv/one" || true
}

# ---- lines ----

# The manual's fields, in their order: "+" before those that are in every record.
fields_of_the_manual() {
	awk '
		/^## / { shown = $0 == "## Fields"; next }
		shown && /^\*[a-z]+\*/ { split($0, part, "*"); name = part[2]; next }
		shown && name != "" { print (/^\tOptional: / ? "" : "+") name; name = "" }
	' broker/fdbrokerd.8.scd
}

# Reads records on the standard input, and fails unless each has the manual's fields in its order.
records_have_the_fields() { # text|json
	fields_of_the_manual >/run/test/fields
	python3 - "$1" /run/test/fields /run/test/records <<-'END'
		import json, re, sys
		manual = open(sys.argv[2]).read().split()
		names = [name.lstrip("+") for name in manual]
		needed = {name[1:] for name in manual if name.startswith("+")}
		assert len(names) > 10, names
		seen = set()
		for line in open(sys.argv[3]):
		    if sys.argv[1] == "json":
		        pairs = json.loads(line, object_pairs_hook=lambda pairs: pairs)
		        found = [name for name, value in pairs]
		    else:
		        line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).replace("audit: ", "audit=")
		        found = [word.split("=")[0] for word in line.split()]
		    assert found == [name for name in names if name in found], line
		    assert needed <= set(found), line
		    seen |= set(found)
		assert seen == set(names), set(names) - seen
	END
}

test_a_line_of_text_has_the_fields_of_the_manual_in_its_order() {
	audited_policy
	start_broker
	ask_for_some
	expect_log 'why=no-client'
	audit_lines . >/run/test/records
	records_have_the_fields text
}

test_an_object_of_JSON_has_the_fields_of_the_manual_in_its_order() {
	audited_policy
	start_broker --log-format json
	ask_for_some
	expect_log 'no-client'
	grep '^{"audit"' "$BROKER_LOG" >/run/test/records
	records_have_the_fields json
	# Whatever else there is, is JSON too, and has a time.
	python3 - "$BROKER_LOG" <<-'END'
		import json, sys
		for line in open(sys.argv[1]):
		    entry = json.loads(line)
		    assert list(entry)[-1] == "time", line
	END
}

test_a_deny_behind_a_link_is_recorded_with_the_path_that_it_led_to() {
	audited_policy
	start_broker
	expect_equal "$(as alice ask "cat /srv/link")" "EACCES policy"
	expect_log 'verb=read object="/srv/link" real="/srv/one\.key" reason=policy .* why=deny '
}

test_somebody_whom_no_block_is_for_is_recorded_with_the_unit() {
	audited_policy
	start_broker
	expect_match "$(as bob ask "cat /srv/one")" '^ECONNRESET broker$'
	expect_log '^audit: denied uid=2002 pid=[1-9][0-9]* unit=[^ ]+ verb=- object="" reason=broker error=ECONNRESET rule=- client=- why=no-client time='
}

test_a_connection_that_is_not_taken_is_no_record_at_a_level_that_is_more_urgent() {
	audited_policy
	# Not start_broker, which waits for a message.
	fdbrokerd --policy "$POLICY" --log-level warning >>"$BROKER_LOG" 2>&1 </dev/null &
	BROKER_PID=$!
	eventually 10 test -S /run/fdbroker/broker.sock || fail "it does not listen"
	as bob ask "cat /srv/one"
	expect_equal "$(as alice ask "cat /srv/one")" "ok one"
	expect_log '^audit: allowed'
	expect_equal "$(log_count 'no-client')" 0
}

# ---- the journal ----

# What the journal is for these tests: takes entries apart by the rules of its protocol.
collect() {
	cat >/run/test/collector <<-'END'
		import json, os, socket
		path = "/run/systemd/journal/socket"
		os.makedirs(os.path.dirname(path), exist_ok=True)
		journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		journal.bind(path)
		os.chmod(path, 0o666)
		while True:
		    data, entry = journal.recv(1 << 20), {}
		    while data:
		        line, data = data.split(b"\n", 1)
		        name, equals, value = line.partition(b"=")
		        if not equals:
		            length = int.from_bytes(data[:8], "little")
		            value, data = data[8:8 + length], data[9 + length:]
		        assert name.decode() not in entry, entry
		        entry[name.decode()] = value.decode("ascii")
		    print(json.dumps(entry), flush=True)
	END
	rm -f /run/systemd/journal/socket # that of the last one
	python3 /run/test/collector >>"$ENTRIES" &
	COLLECTOR_PID=$!
	eventually 5 test -w /run/systemd/journal/socket || fail "no journal"
}

# A broker whose stderr is the journal's stream: of that, a pipe has all that is needed.
run_journaled_broker() { # [ARGUMENTS]
	touch "$BROKER_LOG" "$ENTRIES"
	(
		exec 2> >(exec cat >>"$BROKER_LOG")
		JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
		export JOURNAL_STREAM
		exec fdbrokerd --policy "$POLICY" "$@" </dev/null
	) &
	BROKER_PID=$!
}

start_journaled_broker() { # [ARGUMENTS]
	run_journaled_broker "$@"
	eventually 10 grep -qs '\bready: ' "$ENTRIES" "$BROKER_LOG" || fail "the broker is not ready"
}

# Is there an entry for which this is true?
is_entry() { # PYTHON EXPRESSION about e
	python3 - "$1" "$ENTRIES" <<-'END'
		import json, sys
		class Entry(dict):
		    __getattr__ = dict.get
		condition = compile(sys.argv[1], "condition", "eval")
		entries = [Entry(json.loads(line)) for line in open(sys.argv[2])]
		sys.exit(not any(eval(condition, {"e": e}) for e in entries))
	END
}

expect_entry() { # PYTHON EXPRESSION about e
	eventually 5 is_entry "$1" || fail "the journal has no entry with $1: $(cat "$ENTRIES")"
}

id_of() { # NAME of broker/journal.h
	sed -nE "s/^#define JOURNAL_$1 \"([0-9a-f]{32})\"$/\1/p" broker/journal.h
}

test_a_record_is_an_entry_of_the_journal_with_its_fields() {
	audited_policy
	collect
	start_journaled_broker
	ask_for_some
	expect_entry "e.FDBROKER_WHY == 'no-client' and e.FDBROKER_UID == '2002' and \
		'FDBROKER_VERB' not in e and 'FDBROKER_OBJECT' not in e and \
		e.FDBROKER_REASON == 'broker' and e.FDBROKER_ERROR == 'ECONNRESET'"
	expect_entry "e.FDBROKER_VERDICT == 'allowed' and e.FDBROKER_VERB == 'read' and \
		e.FDBROKER_OBJECT == '/srv/one' and e.FDBROKER_RULE == '$POLICY:3' and \
		e.FDBROKER_CLIENT == 'web' and e.FDBROKER_UID == '2001' and \
		e.FDBROKER_PID.isdigit() and e.FDBROKER_REASON == 'none' and \
		'FDBROKER_ERROR' not in e and 'FDBROKER_WHY' not in e and \
		'FDBROKER_TARGET' not in e and e.PRIORITY == '6' and \
		e.SYSLOG_IDENTIFIER == 'fdbrokerd' and e.MESSAGE_ID == '$(id_of ALLOWED)' and \
		e.MESSAGE.startswith('audit: allowed uid=2001 ')"
	expect_entry "e.FDBROKER_VERDICT == 'denied' and e.FDBROKER_OBJECT == '/srv/one.key' and \
		e.FDBROKER_WHY == 'deny' and e.FDBROKER_RULE == '$POLICY:5' and \
		e.FDBROKER_ERROR == 'EACCES' and e.PRIORITY == '5' and \
		e.MESSAGE_ID == '$(id_of DENIED)'"
	expect_entry "e.FDBROKER_OBJECT == '/srv/link' and e.FDBROKER_REAL == '/srv/one.key'"
	expect_entry "e.FDBROKER_OBJECT == '/srv/open/old' and e.FDBROKER_TARGET == '/srv/open/new'"
	expect_entry "e.FDBROKER_OBJECT == r'''$HOSTILE_ESCAPED''' and e.FDBROKER_UID == '2001' and \
		e.MESSAGE.startswith('audit: denied ')"
	expect_equal "$(cat "$BROKER_LOG")" ""
}

test_messages_are_entries_of_the_journal() {
	audited_policy
	collect
	start_journaled_broker
	expect_entry "e.MESSAGE.startswith('ready: ') and e.PRIORITY == '6' and \
		e.SYSLOG_IDENTIFIER == 'fdbrokerd' and 'MESSAGE_ID' not in e"
	kill -HUP "$BROKER_PID"
	expect_entry "e.MESSAGE.startswith('reload done') and e.MESSAGE_ID == '$(id_of RELOAD_DONE)'"
	echo nonsense >>"$POLICY"
	kill -HUP "$BROKER_PID"
	expect_entry "e.MESSAGE.startswith('reload failed') and e.PRIORITY == '3' and \
		e.MESSAGE_ID == '$(id_of RELOAD_FAILED)'"
	expect_equal "$(cat "$BROKER_LOG")" ""
}

test_a_message_of_JSON_stays_JSON_in_the_journal() {
	audited_policy
	collect
	start_journaled_broker --log-format json
	as alice ask "cat $HOSTILE"
	expect_entry "e.FDBROKER_OBJECT == r'''$HOSTILE_ESCAPED''' and \
		__import__('json').loads(e.MESSAGE)['object'].encode('latin-1') == \
		b'/srv/x\"\\\\\\nFDBROKER_UID=0\\nMESSAGE=all\\tis\\xffwell'"
}

test_a_journal_that_comes_back_is_told_what_it_missed() {
	audited_policy
	collect
	start_journaled_broker
	kill "$COLLECTOR_PID"
	wait "$COLLECTOR_PID" || true
	# One process and one connection, so that three are logged before the fourth.
	expect_equal "$(as alice ask "cat /srv/one" "cat /srv/one" "cat /srv/one.key")" \
		$'ok one\nok one\nEACCES policy'
	# The records come after the replies.
	sleep 0.5
	collect
	# Though nothing more happens.
	expect_entry "e.MESSAGE == 'log: 3 lines skipped' and e.PRIORITY == '4'"
	expect_equal "$(as carol ask "cat /srv/two")" "ok two"
	expect_entry "e.FDBROKER_OBJECT == '/srv/two'"
}

test_a_journal_that_does_not_read_holds_nobody_up() {
	local requests=4000 taken skipped=0 count
	audited_policy
	collect
	start_journaled_broker
	kill -STOP "$COLLECTOR_PID"
	seq "$requests" | sed 's|.*|cat /srv/one|' >/run/test/requests
	as alice timeout 30 ask </run/test/requests >/run/test/answers
	expect_equal "$(grep -cx 'ok one' /run/test/answers)" "$requests"
	kill -CONT "$COLLECTOR_PID"
	sleep 0.5
	expect_equal "$(as carol ask "cat /srv/two")" "ok two"
	expect_entry "e.FDBROKER_OBJECT == '/srv/two'"
	taken=$(grep -c '"/srv/one"' "$ENTRIES")
	# By the journal, and by the ring before it.
	while read -r count; do
		skipped=$((skipped + count))
	done < <(sed -nE 's/.*: ([0-9]+) lines skipped.*/\1/p' "$ENTRIES")
	((skipped > 0)) || fail "nothing was skipped"
	expect_equal "$((taken + skipped))" "$requests" "taken and skipped"
}

journal_of_systemd() {
	local program
	for program in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald ""; do
		[[ ! -x $program ]] || break
	done
	if [[ -z $program ]] || ! command -v journalctl >/dev/null; then
		skip "systemd-journald is not installed"
	fi
	mkdir -p /run/log/journal
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	"$program" >/run/test/journald.log 2>&1 &
	eventually 5 test -S /run/systemd/journal/socket ||
		skip "systemd-journald does not start here: $(tail -n 1 /run/test/journald.log)"
}

take_entries() {
	journalctl -D /run/log/journal --all --output=json --identifier=fdbrokerd >"$ENTRIES" 2>&1 &&
		grep -q "$1" "$ENTRIES"
}

test_the_journal_of_systemd_understands_the_entries() {
	audited_policy
	journal_of_systemd
	run_journaled_broker
	eventually 10 take_entries '"ready: ' || fail "it is not ready: $(cat "$ENTRIES")"
	ask_for_some
	eventually 5 take_entries no-client || fail "not all are there: $(cat "$ENTRIES")"
	expect_entry "e.FDBROKER_OBJECT == r'''$HOSTILE_ESCAPED''' and e.FDBROKER_UID == '2001' and \
		e._UID == '$(id -u fdbroker)' and e.MESSAGE_ID == '$(id_of DENIED)'"
	expect_entry "e.FDBROKER_TARGET == '/srv/open/new' and e.FDBROKER_VERB == 'create,remove'"
	expect_match "$(journalctl -D /run/log/journal --output=cat \
		FDBROKER_WHY=deny FDBROKER_OBJECT=/srv/one.key 2>&1)" \
		'^audit: denied uid=2001 [^'$'\n'']* object="/srv/one.key" [^'$'\n'']*$'
}

test_without_the_socket_of_the_journal_lines_go_to_its_stream() {
	audited_policy
	start_journaled_broker
	expect_equal "$(as alice ask "cat /srv/one" "cat /srv/no")" $'ok one\nEACCES policy'
	expect_log '^<6>fdbrokerd: ready: '
	expect_log '^<6>audit: allowed uid=2001 '
	expect_log '^<5>audit: denied uid=2001 '
}

test_a_journal_that_is_not_of_its_stderr_gets_nothing() {
	audited_policy
	collect
	JOURNAL_STREAM=1:2 start_broker
	as alice ask "cat /srv/one"
	expect_log '^audit: allowed uid=2001 '
	expect_equal "$(cat "$ENTRIES")" ""
}

# ---- the catalog ----

test_the_ids_of_the_catalog_are_those_of_the_code() {
	expect_equal "$(sed -nE 's/^-- ([0-9a-f]{32})$/\1/p' systemd/fdbroker.catalog | sort)" \
		"$(sed -nE 's/^#define JOURNAL_[A-Z_]+ "([0-9a-f]{32})"$/\1/p' broker/journal.h | sort)"
	expect_equal "$(grep -c '^-- ' systemd/fdbroker.catalog)" 4
}

# Each @FIELD@ is one that an entry can have.
test_the_catalog_uses_fields_that_there_are() {
	local field
	while read -r field; do
		grep -q "^\*[a-z]*\* ($field)$" broker/fdbrokerd.8.scd || fail "no field $field"
	done < <(grep -oE '@[A-Z_]+@' systemd/fdbroker.catalog | tr -d @ | sort -u)
}

test_journalctl_accepts_the_catalog() {
	command -v journalctl >/dev/null || skip "journalctl is not installed"
	mkdir -p /run/test/root/{usr/lib,var/lib}/systemd/catalog
	cp systemd/fdbroker.catalog /run/test/root/usr/lib/systemd/catalog/
	expect_status 0 journalctl --root=/run/test/root --update-catalog
	expect_status 0 journalctl --root=/run/test/root --list-catalog
	# shellcheck disable=SC2154 # lib.sh
	expect_equal "$(grep -c '^[0-9a-f]\{32\} fdbroker: ' <<<"$output")" 4
}

# shellcheck shell=bash
# Watches on what only root may read, in the client's own inotify descriptor.

watch_policy() { # [MORE RULES]
	policy <<-END
		client watch {
			from user alice
			allow read,watch /srv/log/*
			allow watch /srv/tree/**
			${1-}
		}
		client direct {
			from user root
			allow read /srv/nothing
		}
	END
	mkdir -p /srv/log /srv/tree
	chmod 0700 /srv/log /srv/tree
}

# Two that are told the same: alice, by the broker, and root, directly.
open_watchers() {
	open_session brokered alice watcher
	open_session direct root watcher
	expect_equal "$(tell direct direct)" ok
}

# Both say the same, but for the library's reason.
expect_same() { # COMMAND EXPECTED
	local brokered
	brokered=$(tell brokered "$1")
	expect_equal "$(tell direct "$1")" "${2% kernel}" "$1, directly"
	expect_equal "$brokered" "$2" "$1"
}

# ---- a log ----

test_a_log_that_only_root_can_read_is_followed_through_rotations() {
	local i
	watch_policy
	secret /srv/log/app.log $'first\n'
	start_broker
	start_as alice example-follow /srv/log/app.log >/run/test/followed
	eventually 5 grep -qs first /run/test/followed || fail "nothing is printed"
	echo first >/run/test/written
	for i in {1..5}; do
		exec {log}>>/srv/log/app.log
		echo "before $i" | tee -a /run/test/written >&"$log"
		eventually 5 grep -q "before $i" /run/test/followed || fail "no event in round $i"
		mv /srv/log/app.log "/srv/log/app.log.$i"
		# Its writer goes on with the old one for a while.
		echo "after $i" | tee -a /run/test/written >&"$log"
		exec {log}>&-
		sleep "0.0$i"
		(umask 077 && echo "new $i" | tee -a /run/test/written >/srv/log/app.log)
		eventually 5 grep -q "new $i" /run/test/followed || fail "the new log of round $i is not found"
	done
	rm /srv/log/app.log
	(umask 077 && echo "another" | tee -a /run/test/written >/srv/log/app.log)
	eventually 5 grep -q another /run/test/followed || fail "the log after the one deleted is not found"
	# As a program that copies the log away and goes on with the same file.
	echo short | tee -a /run/test/written >/srv/log/app.log
	eventually 5 grep -q short /run/test/followed || fail "the log is not read after a truncation"
	kill $!
	diff /run/test/written /run/test/followed || fail "lines are missing"
}

test_what_happens_to_a_file_arrives_as_it_does_directly() {
	watch_policy
	secret /srv/log/file text
	start_broker
	open_watchers
	expect_same "add MODIFY|ATTRIB|OPEN|ACCESS|CLOSE_WRITE|CLOSE_NOWRITE|MOVE_SELF|DELETE_SELF /srv/log/file" \
		"ok 1"
	expect_same events ok
	echo more >>/srv/log/file
	expect_same events "ok 1:OPEN 1:MODIFY 1:CLOSE_WRITE"
	cat /srv/log/file >/dev/null
	expect_same events "ok 1:OPEN 1:ACCESS 1:CLOSE_NOWRITE"
	chmod 0640 /srv/log/file
	mv /srv/log/file /srv/log/other
	rm /srv/log/other
	expect_same events "ok 1:ATTRIB 1:MOVE_SELF 1:ATTRIB 1:DELETE_SELF 1:IGNORED"
}

# Not even opening it: with what the broker does to find it nothing is to be seen.
test_a_watch_is_not_disturbed_by_the_next_one() {
	watch_policy
	secret /srv/log/file text
	start_broker
	open_watchers
	expect_equal "$(tell direct "add OPEN|ACCESS|CLOSE_WRITE|CLOSE_NOWRITE|ATTRIB /srv/log/file")" "ok 1"
	expect_equal "$(tell brokered "add OPEN /srv/log/file")" "ok 1"
	expect_equal "$(tell direct events)" ok
}

# ---- folders ----

test_of_a_folder_come_no_events_that_have_names() {
	local word
	watch_policy
	mkdir /srv/tree/folder
	start_broker
	open_session alice alice watcher
	for word in ACCESS MODIFY ATTRIB CLOSE_WRITE CLOSE_NOWRITE OPEN MOVED_FROM MOVED_TO CREATE \
		DELETE; do
		expect_equal "$(tell alice "add $word /srv/tree/folder")" "EINVAL flags" "$word"
		expect_equal "$(tell alice "add $word|DELETE_SELF|MASK_ADD|ONLYDIR /srv/tree/folder")" \
			"EINVAL flags" "$word among others"
	done
	expect_equal "$(tell alice "add DELETE_SELF|MOVE_SELF /srv/tree/folder")" "ok 1"
	expect_equal "$(tell alice "add MOVE_SELF|MASK_ADD|ONLYDIR /srv/tree/folder")" "ok 1"
	echo text >/srv/tree/folder/file
	cat /srv/tree/folder/file >/dev/null
	chmod 0600 /srv/tree/folder/file
	mv /srv/tree/folder/file /srv/tree/folder/other
	mkdir /srv/tree/folder/below
	rmdir /srv/tree/folder/below
	rm /srv/tree/folder/other
	expect_equal "$(tell alice events)" ok
	mv /srv/tree/folder /srv/tree/moved
	rmdir /srv/tree/moved
	expect_equal "$(tell alice events)" "ok 1:MOVE_SELF 1:DELETE_SELF 1:IGNORED"
}

# ---- masks ----

test_flags_mean_what_they_mean_directly() {
	watch_policy
	secret /srv/log/file text
	mkdir /srv/tree/folder
	ln -s file /srv/log/link
	ln -s nothing /srv/log/dangling
	start_broker
	open_watchers
	expect_same "add MODIFY /srv/log/file" "ok 1"
	expect_same "add ATTRIB|MASK_ADD /srv/log/file" "ok 1"
	chmod 0640 /srv/log/file
	echo more >>/srv/log/file
	expect_same events "ok 1:ATTRIB 1:MODIFY"
	expect_same "add ATTRIB /srv/log/file" "ok 1"
	echo more >>/srv/log/file
	expect_same events ok
	expect_same "add MODIFY|MASK_CREATE /srv/log/file" "EEXIST kernel"
	expect_same "add MODIFY|MASK_CREATE|MASK_ADD /srv/log/file" "EINVAL kernel"
	expect_same "add MODIFY|ONESHOT /srv/log/link" "ok 1"
	echo more >>/srv/log/file
	echo more >>/srv/log/file
	expect_same events "ok 1:MODIFY 1:IGNORED"
	expect_same "remove 1" EINVAL
	expect_same "add MODIFY|MASK_CREATE /srv/log/file" "ok 2"
	expect_same "add MODIFY|ONLYDIR /srv/log/file" "ENOTDIR kernel"
	expect_same "add DELETE_SELF|ONLYDIR /srv/tree/folder" "ok 3"
	expect_same "add DELETE_SELF|DONT_FOLLOW /srv/log/link" "ok 4"
	expect_same "add DELETE_SELF|DONT_FOLLOW /srv/log/dangling" "ok 5"
	expect_same "add DELETE_SELF /srv/log/dangling" "ENOENT kernel"
	rm /srv/log/link
	expect_same events "ok 4:DELETE_SELF 4:IGNORED"
	expect_same "add MODIFY|EXCL_UNLINK /srv/log/file" "ok 2"
	expect_same "add 0 /srv/log/file" "EINVAL kernel"
	expect_same "add DELETE_SELF /srv/log/none" "ENOENT kernel"
	expect_same "add DELETE_SELF /srv/tree/folder/" "ok 3"
	expect_same "add MODIFY /srv/log/file/" "ENOTDIR kernel"
	expect_same "remove 2" ok
	expect_same events "ok 2:IGNORED"
}

test_what_is_no_event_cannot_be_asked_for() {
	local bit
	watch_policy
	secret /srv/log/file text
	start_broker
	open_session alice alice watcher
	for bit in UNMOUNT Q_OVERFLOW IGNORED ISDIR 0x1000 0x10000 0x00800000 0x08000000; do
		expect_equal "$(tell alice "add MODIFY|$bit /srv/log/file")" "EINVAL flags" "$bit"
	done
}

test_what_is_no_inotify_descriptor_is_refused_as_it_is_directly() {
	local what
	watch_policy
	secret /srv/log/file text
	start_broker
	open_watchers
	for what in pipe file epoll socket; do
		expect_same "add-to $what MODIFY /srv/log/file" "EINVAL kernel"
	done
	expect_match "$(tell brokered "add-to path MODIFY /srv/log/file")" '^EBADF '
	expect_match "$(tell brokered "add-to closed MODIFY /srv/log/file")" '^EBADF local$'
	expect_equal "$(tell brokered "add MODIFY /srv/log/file")" "ok 1"
}

# ---- what is granted ----

test_what_is_not_granted_is_not_watched() {
	watch_policy 'deny watch /srv/log/denied'
	secret /srv/log/denied text
	secret /srv/other text
	ln -s denied /srv/log/link
	as alice ln -s /srv/other /home/alice/link
	start_broker
	open_session alice alice watcher
	expect_equal "$(tell alice "add MODIFY /srv/other")" "EACCES policy"
	expect_equal "$(tell alice "add MODIFY /srv/none")" "EACCES policy"
	expect_equal "$(tell alice "add MODIFY /srv/log/denied")" "EACCES policy"
	expect_equal "$(tell alice "add MODIFY /srv/log/link")" "EACCES policy"
	echo more >>/srv/other
	echo more >>/srv/log/denied
	expect_equal "$(tell alice events)" ok
}

test_a_watch_is_on_what_was_judged_and_not_on_who_bears_the_name_later() {
	watch_policy 'allow watch /home/alice/*'
	belongs_to alice /home/alice/own hers
	secret /srv/other text
	as alice ln -s /srv/other /home/alice/link
	start_broker
	open_session alice alice watcher
	expect_equal "$(tell alice "add MODIFY /home/alice/link")" "EACCES symlink"
	expect_equal "$(tell alice "add MODIFY /home/alice/own")" "ok 1"
	as alice mv /home/alice/own /home/alice/moved
	as alice mv /home/alice/link /home/alice/own
	echo more >>/srv/other
	expect_equal "$(tell alice events)" ok
	echo more >>/home/alice/moved
	expect_equal "$(tell alice events)" "ok 1:MODIFY"
}

# It is the kernel's by then, as a descriptor that was handed out is.
test_a_watch_outlives_the_rule_that_granted_it() {
	watch_policy
	secret /srv/log/file text
	start_broker
	open_session alice alice watcher
	expect_equal "$(tell alice "add MODIFY /srv/log/file")" "ok 1"
	watch_policy 'deny all /srv/log/**'
	reload_broker
	expect_equal "$(tell alice "add MODIFY /srv/log/file")" "EACCES policy"
	echo more >>/srv/log/file
	expect_equal "$(tell alice events)" "ok 1:MODIFY"
}

# In a user namespace of her own alice may set a limit for it: user_namespaces(7), namespaces(7).
test_a_watch_is_charged_to_the_client() {
	local answer
	watch_policy
	secret /srv/log/one text
	secret /srv/log/two text
	secret /srv/log/three text
	start_broker
	# shellcheck disable=SC2016 # expanded inside
	answer=$(as alice unshare --user --map-root-user bash -c '
		echo 2 >/proc/sys/user/max_inotify_watches || exit 77
		watcher "add MODIFY /srv/log/one" "add MODIFY /srv/log/two" \
			"add MODIFY /srv/log/three" "remove 1" "add MODIFY /srv/log/three"' 2>&1) ||
		skip "no limit can be set here: $answer"
	expect_match "$answer" $'^ok 1\nok 2\nENOSPC kernel\nok\nok [34]$'
	# Nobody else has fewer for it.
	expect_equal "$(as alice watcher "add MODIFY /srv/log/one" "add MODIFY /srv/log/two" \
		"add MODIFY /srv/log/three")" $'ok 1\nok 2\nok 3'
}

test_the_broker_keeps_no_descriptor_of_a_client() {
	local before
	watch_policy
	secret /srv/log/file text
	start_broker
	expect_equal "$(as alice watcher "add MODIFY /srv/log/file")" "ok 1"
	before=$(broker_descriptors)
	for _ in {1..50}; do
		as alice watcher "add MODIFY /srv/log/file" "add MODIFY /srv/log/none" \
			"add-to pipe MODIFY /srv/log/file" "add CREATE /srv/tree" >/dev/null
	done
	expect_descriptors "$before"
}

# shellcheck shell=bash
# Copies: the client's own memory, filled and sealed, in the place of a descriptor.

copy_policy() { # [MORE RULES]
	policy <<-END
		client copy {
			from user alice
			allow read /srv/copy/** copy
			allow read /srv/small/** copy max 4K
			allow read /srv/large/** copy max 64M
			allow read /srv/plain/**
			${1-}
		}
	END
	mkdir -p /srv/{copy,small,large,plain}
	chmod 0700 /srv/{copy,small,large,plain}
}

bytes() { # COUNT PATH
	head -c "$1" /dev/zero | tr '\0' x >"$2"
}

test_a_copy_is_what_the_file_is_and_sealed() {
	copy_policy
	secret /srv/copy/file $'a line\n'
	: >/srv/copy/empty
	start_broker
	expect_equal "$(as alice ask "cat /srv/copy/file" "cat /srv/copy/empty")" $'ok a line\\n\nok '
	expect_equal "$(as alice sealed copy /srv/copy/file)" "bytes=7 names=0 $SEALED"
	# The next one has another memory.
	expect_equal "$(as alice ask "open /srv/copy/file" "write more" "cat /srv/copy/file")" \
		$'ok\nEPERM\nok a line\\n'
	echo "another line" >/srv/copy/file
	expect_equal "$(as alice ask "cat /srv/copy/file")" "ok another line\\n"
}

test_a_copy_serves_what_insists_on_a_path() {
	copy_policy
	secret /srv/copy/file "by its path"
	start_broker
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(as alice sealed run /srv/copy/file)" EACCES "what is handed out is no program"
	expect_equal "$(as alice fdbroker exec --open /srv/copy/file:r=key -- \
		cat /proc/self/fd/3)" "by its path"
}

test_a_file_is_copied_up_to_its_limit_and_not_one_byte_beyond() {
	local size
	copy_policy
	start_broker
	for size in 0 1 4095 4096; do
		bytes "$size" /srv/small/file
		expect_match "$(as alice sealed copy /srv/small/file)" "^bytes=$size names=0 seals=seal,"
	done
	bytes 4097 /srv/small/file
	expect_equal "$(as alice ask "cat /srv/small/file")" "EFBIG policy"
	# What no `max` says is 1 MiB.
	bytes $((1 << 20)) /srv/copy/file
	expect_match "$(as alice sealed copy /srv/copy/file)" "^bytes=$((1 << 20)) "
	bytes $(((1 << 20) + 1)) /srv/copy/file
	expect_equal "$(as alice ask "open /srv/copy/file")" "EFBIG policy"
	bytes $((20 << 20)) /srv/large/file
	expect_match "$(as alice sealed copy /srv/large/file)" "^bytes=$((20 << 20)) "
}

test_the_memory_is_the_clients_to_provide() {
	copy_policy
	bytes 100 /srv/copy/file
	start_broker
	expect_equal "$(as alice copies fill 100 100 /srv/copy/file)" "ok 100"
	expect_equal "$(as alice copies fill 65536 65536 /srv/copy/file)" "ok 100"
	expect_equal "$(as alice copies fill 65536 99 /srv/copy/file)" "EMSGSIZE copy 99"
	expect_equal "$(as alice copies fill 0 65536 /srv/copy/file)" "EMSGSIZE copy 65536" \
		"size without memory"
	expect_equal "$(as alice copies fill 65536 0 /srv/copy/file)" "EMSGSIZE copy 0" \
		"memory without size"
	expect_match "$(as alice copies behind 65536 /srv/copy/file)" "^EMSGSIZE copy [0-9]+$" \
		"memory that lies elsewhere"
	bytes 8192 /srv/copy/file
	expect_equal "$(as alice copies fill 4096 8192 /srv/copy/file)" "EMSGSIZE copy 8192"
	expect_equal "$(as alice copies fill 8192 8192 /srv/copy/file)" "ok 8192"
}

test_what_is_handed_out_as_a_copy_is_never_opened() {
	local flags
	copy_policy
	secret /srv/copy/file text
	start_broker
	expect_equal "$(as alice copies open /srv/copy/file)" "EOPNOTSUPP copy"
	expect_equal "$(as alice copies open /srv/copy/none)" "ENOENT kernel"
	for flags in O_WRONLY O_RDWR 'O_WRONLY|O_APPEND' 'O_WRONLY|O_TRUNC' 'O_RDWR|O_CREAT'; do
		expect_equal "$(as alice ask "open /srv/copy/file $flags")" "EACCES policy" "$flags"
	done
	# And the other way about.
	secret /srv/plain/file text
	expect_equal "$(as alice copies send memory /srv/plain/file)" "EINVAL flags unchanged"
}

test_only_files_are_copied() {
	copy_policy
	mkdir /srv/copy/folder
	mkfifo /srv/copy/fifo
	mknod /srv/copy/device c 1 5
	ln -s file /srv/copy/link
	secret /srv/copy/file text
	start_broker
	expect_equal "$(as alice ask "open /srv/copy/folder" "open /srv/copy/fifo" \
		"open /srv/copy/device" "open /srv/copy/none" "open /srv/other" "cat /srv/copy/link" \
		"open /srv/copy/link O_NOFOLLOW" "open /srv/copy/file O_DIRECTORY" \
		"open /srv/copy/file/")" \
		$'EACCES type\nEACCES type\nEACCES type\nENOENT kernel\nEACCES policy\nok text\nELOOP kernel\nENOTDIR kernel\nENOTDIR kernel'
}

test_files_of_proc_are_copied_though_they_have_no_size() {
	copy_policy 'allow read /proc/version copy'
	start_broker
	expect_equal "$(stat -c %s /proc/version)" 0
	expect_equal "$(as alice ask "cat /proc/version")" "ok $(cat /proc/version)\\n"
	expect_match "$(as alice sealed copy /proc/version)" "^bytes=$(wc -c </proc/version) names=0 "
}

test_files_whose_size_is_not_their_length_are_copied_whole() {
	copy_policy 'allow read /sys/kernel/uevent_seqnum copy
			allow read /proc/kallsyms copy max 4K'
	truncate -s 100000 /srv/copy/sparse
	truncate -s 4097 /srv/small/sparse
	start_broker
	expect_equal "$(stat -c %s /sys/kernel/uevent_seqnum)" 4096
	expect_match "$(as alice ask "cat /sys/kernel/uevent_seqnum")" '^ok [0-9]+\\n$'
	expect_match "$(as alice sealed copy /srv/copy/sparse)" "^bytes=100000 names=100000 "
	expect_equal "$(as alice copies send memory /srv/small/sparse)" "EFBIG policy unchanged"
	expect_equal "$(as alice copies send memory /proc/kallsyms)" "EFBIG policy unchanged"
}

test_what_is_refused_leaves_nothing_of_the_file_behind() {
	copy_policy
	bytes 4097 /srv/small/file
	bytes 65537 /srv/copy/file
	start_broker
	expect_equal "$(as alice copies send memory /srv/small/file)" "EFBIG policy unchanged"
	expect_equal "$(as alice copies send memory /srv/copy/file)" "EMSGSIZE copy unchanged"
}

test_a_link_that_a_user_could_have_placed_is_not_copied_through() {
	copy_policy 'allow read /home/alice/** copy'
	secret /srv/secret "not for her"
	as alice ln -s /srv/secret /home/alice/link
	echo -n "of root" >/home/alice/moved
	start_broker
	expect_equal "$(as alice ask "cat /home/alice/link" "cat /home/alice/moved")" \
		$'EACCES symlink\nEACCES placement'
}

test_a_copy_is_made_as_the_user_that_the_rule_names() {
	copy_policy 'allow read /home/alice/** copy as peer'
	belongs_to alice /home/alice/own hers
	chmod 0600 /home/alice/own
	secret /home/alice/of-root "not for her"
	mkdir -p /home/alice/closed
	secret /home/alice/closed/file "not for her"
	start_broker
	expect_equal "$(as alice ask "cat /home/alice/own" "cat /home/alice/of-root" \
		"cat /home/alice/closed/file")" $'ok hers\nEACCES kernel\nEACCES kernel'
	expect_match "$(as alice sealed copy /home/alice/own)" "^bytes=4 names=0 $SEALED\$"
}

test_what_is_no_memory_of_the_clients_is_refused_and_not_written_to() {
	local what
	copy_policy
	secret /srv/copy/file "what is copied"
	belongs_to alice /home/alice/file "what was there"
	start_broker
	expect_equal "$(as alice copies send memory /srv/copy/file)" "ok changed"
	for what in sealed-against-writing sealed-against-shrinking sealed-against-seals \
		not-to-be-sealed temporary-file pipe socket event folder connection \
		/home/alice/file /proc/self/mem /proc/self/comm /dev/null /dev/zero; do
		expect_equal "$(as alice copies send "$what" /srv/copy/file)" "EINVAL copy unchanged" \
			"$what"
	done
	# The library's own seals are none that were there before.
	expect_match "$(as alice copies send memory-to-read /srv/copy/file)" '^E[A-Z]+ [a-z]+ unchanged$'
	expect_match "$(as alice copies send memory-by-path /srv/copy/file)" '^E[A-Z]+ [a-z]+ unchanged$'
	expect_match "$(as alice copies send huge-memory /srv/copy/file)" \
		'^(E[A-Z]+ [a-z]+ unchanged|ENO[A-Z]+: not here)$'
	expect_equal "$(cat /home/alice/file)" "what was there"
}

test_a_file_of_a_fuse_file_system_is_not_written_to() {
	copy_policy
	secret /srv/copy/file "what is copied"
	hang alice /home/alice/hang
	start_broker
	expect_equal "$(as alice copies send /home/alice/hang/fine /srv/copy/file)" \
		"EINVAL copy unchanged"
	# Even one that never answers costs nobody anything.
	start_as alice copies send /home/alice/hang/getattr /srv/copy/file >/dev/null 2>&1
	expect_equal "$(as alice copies send memory /srv/copy/file)" "ok changed"
	kill -KILL "$HANGFS_PID"
}

test_a_file_that_grows_and_shrinks_is_copied_as_it_is_met() {
	local answer
	copy_policy
	bytes 4000 /srv/small/file
	start_broker
	while :; do
		bytes 4000 /srv/small/file
		bytes 5000 /srv/small/file
	done &
	for _ in {1..200}; do
		answer=$(as alice sealed copy /srv/small/file)
		[[ $answer =~ ^bytes=([0-9]+)\ names=0\ seals=seal,shrink,grow,write\ .*again=ok$ ]] ||
			expect_equal "$answer" "EFBIG 2"
		expect_at_most "${BASH_REMATCH[1]:-0}" 4096 "bytes of a copy"
	done
	kill $!
}

test_a_copy_of_a_file_that_became_shorter_is_recorded() {
	local answer= tries=0
	copy_policy
	bytes $((16 << 20)) /srv/large/file
	start_broker
	while :; do
		truncate -s 1M /srv/large/file
		truncate -s 16M /srv/large/file
	done &
	while [[ $answer != "EAGAIN copy "* ]]; do
		expect_at_most $((tries += 1)) 1000 "tries"
		answer=$(as alice copies fill $((16 << 20)) $((16 << 20)) /srv/large/file)
	done
	kill $!
	eventually 5 grep -q "^audit: allowed .*reason=copy error=EAGAIN" "$BROKER_LOG" ||
		fail "what was handed out is not in the log"
}

# Whatever it does to its memory meanwhile: others have their copies, and nobody of the broker ends.
test_a_client_that_spoils_its_memory_spoils_its_own() {
	local how pids
	copy_policy
	bytes 60000 /srv/copy/file
	start_broker
	expect_equal "$(as alice copies send memory /srv/copy/file)" "ok changed"
	pids=$(broker_pids | sort)
	for how in truncate punch write map seal append remove; do
		output=$(as alice copies spoil "$how" 3 /srv/copy/file)
		step "$how: $output"
		expect_match "$output" '^copied=[0-9]+ refused=[0-9]+ unsealed=0$'
		expect_match "$(as alice sealed copy /srv/copy/file)" "^bytes=60000 names=0 $SEALED\$"
	done
	expect_equal "$(broker_pids | sort)" "$pids" "the processes"
}

# Taken away in the middle of it: no page that came back would be the client's.
test_the_broker_allocates_nothing_for_a_client() {
	local how pids
	copy_policy
	bytes 60000 /srv/copy/file
	bytes $((8 << 20)) /srv/large/file
	start_broker
	expect_equal "$(as alice copies send memory /srv/copy/file)" "ok changed"
	pids=$(broker_pids | sort)
	for how in punch truncate behind; do
		output=$(as alice copies take "$how" 4 65536 /srv/copy/file)
		# How often it was filled before is a matter of speed.
		expect_match "$output" "^filled=(some|none) taken=some held=0\$" "$how"
		output=$(as alice copies take "$how" 4 $((8 << 20)) /srv/large/file)
		expect_match "$output" "^filled=(some|none) taken=some held=0\$" "$how of much"
	done
	# Who has it mapped has no copy that is sealed, fcntl(2).
	output=$(as alice copies take remove 4 $((8 << 20)) /srv/large/file)
	expect_equal "$output" "filled=none taken=some held=0"
	expect_equal "$(broker_pids | sort)" "$pids" "the processes"
}

test_the_broker_keeps_nothing_of_a_copy() {
	local before
	copy_policy
	secret /srv/copy/file text
	bytes 5000 /srv/small/file
	start_broker
	expect_equal "$(as alice ask "cat /srv/copy/file")" "ok text"
	before=$(broker_descriptors)
	for _ in {1..50}; do
		as alice ask "cat /srv/copy/file" "cat /srv/small/file" "cat /srv/copy/none" >/dev/null
		as alice copies send pipe /srv/copy/file >/dev/null
	done
	expect_descriptors "$before"
}

# shellcheck shell=bash
# Opening and creating files.

files_policy() {
	policy <<-END
		client files {
			from user alice
			allow read /srv/read/**
			allow write /srv/write/**
			allow read,write /srv/both/**
			allow append /srv/log/*.log
			allow read,write,create /srv/new/** mode 0640 owner bob:staff
			allow create,write /srv/plain/*
			allow append,create /srv/newlog/*.log mode 0664
		}
	END
	secret /srv/read/file read-only
	secret /srv/write/file write-only
	secret /srv/both/file both
	secret /srv/log/a.log $'first\n'
	mkdir /srv/new /srv/plain /srv/newlog
	start_broker
}

test_each_access_needs_its_own_verb() {
	files_policy
	expect_equal "$(as alice ask "open /srv/read/file O_RDONLY" "open /srv/read/file O_WRONLY" \
		"open /srv/read/file O_RDWR" "open /srv/read/file O_WRONLY|O_APPEND")" \
		$'ok\nEACCES policy\nEACCES policy\nEACCES policy'
	expect_equal "$(as alice ask "open /srv/write/file O_RDONLY" "open /srv/write/file O_WRONLY" \
		"open /srv/write/file O_RDWR")" $'EACCES policy\nok\nEACCES policy'
	expect_equal "$(as alice ask "open /srv/both/file O_RDONLY" "open /srv/both/file O_WRONLY" \
		"open /srv/both/file O_RDWR")" $'ok\nok\nok'
}

test_the_descriptor_can_do_what_was_asked_and_no_more() {
	files_policy
	expect_equal "$(as alice ask "open /srv/both/file O_RDONLY" flags "write no" \
		"open /srv/both/file O_WRONLY" flags "write x" read)" \
		$'ok\nok O_RDONLY\nEBADF\nok\nok O_WRONLY\nok\nEBADF'
	expect_equal "$(cat /srv/both/file)" xoth
	expect_equal "$(as alice ask "open /srv/both/file O_RDWR" flags)" $'ok\nok O_RDWR'
}

test_O_NONBLOCK_is_set_only_if_it_was_asked_for() {
	files_policy
	expect_equal "$(as alice ask "open /srv/read/file" flags "open /srv/read/file O_NONBLOCK" flags)" \
		$'ok\nok O_RDONLY\nok\nok O_RDONLY|O_NONBLOCK'
}

test_truncation_is_a_write() {
	files_policy
	expect_match "$(as alice ask "open /srv/read/file O_RDONLY|O_TRUNC")" '^(EACCES policy|EINVAL flags)$'
	expect_match "$(as alice ask "open /srv/log/a.log O_WRONLY|O_APPEND|O_TRUNC")" '^EACCES policy$'
	expect_match "$(as alice ask "open /srv/both/file O_RDONLY|O_TRUNC")" '^EINVAL flags$' \
		"what open(2) leaves undefined"
	expect_equal "$(cat /srv/read/file /srv/log/a.log /srv/both/file)" $'read-onlyfirst\nboth'
	expect_equal "$(as alice ask "open /srv/write/file O_WRONLY|O_TRUNC" "write new")" $'ok\nok'
	expect_equal "$(cat /srv/write/file)" new
}

test_append_only_adds() {
	files_policy
	expect_equal "$(as alice ask "open /srv/log/a.log O_WRONLY|O_APPEND" flags "write second")" \
		$'ok\nok O_WRONLY|O_APPEND\nok'
	expect_equal "$(as alice ask "open /srv/log/a.log O_WRONLY" "open /srv/log/a.log O_RDWR|O_APPEND" \
		"open /srv/log/a.log O_RDONLY")" $'EACCES policy\nEACCES policy\nEACCES policy'
	expect_equal "$(cat /srv/log/a.log)" $'first\nsecond'
}

test_a_new_file_has_the_mode_and_the_owner_of_the_rule_whatever_the_umask() {
	files_policy
	expect_equal "$(as alice ask "umask 000" "open /srv/new/a O_RDWR|O_CREAT 0777" "write text")" \
		$'ok\nok\nok'
	expect_equal "$(as alice ask "umask 777" "open /srv/new/b O_WRONLY|O_CREAT|O_EXCL 0000")" \
		$'ok\nok'
	expect_equal "$(stat -c '%a %U:%G' /srv/new/a /srv/new/b)" $'640 bob:staff\n640 bob:staff'
	expect_equal "$(cat /srv/new/a)" text
}

test_a_new_file_is_private_by_default() {
	files_policy
	expect_equal "$(as alice ask "open /srv/plain/a O_WRONLY|O_CREAT 0777")" ok
	expect_equal "$(stat -c %a /srv/plain/a)" 600
	expect_equal "$(as alice ask "open /srv/newlog/a.log O_WRONLY|O_CREAT|O_APPEND" "write line")" \
		$'ok\nok'
	expect_equal "$(stat -c %a /srv/newlog/a.log)" 664
}

test_O_CREAT_on_a_file_that_exists_needs_no_create_and_changes_nothing() {
	local before
	files_policy
	before=$(stat -c '%a %U:%G' /srv/write/file)
	expect_equal "$(as alice ask "open /srv/write/file O_WRONLY|O_CREAT 0666")" ok
	expect_equal "$(stat -c '%a %U:%G' /srv/write/file)" "$before"
	expect_equal "$(as alice ask "open /srv/write/new O_WRONLY|O_CREAT 0666")" "EACCES policy"
	[[ ! -e /srv/write/new ]] || fail "it was created"
	expect_equal "$(as alice ask "open /srv/new/a O_WRONLY|O_CREAT" \
		"open /srv/new/a O_WRONLY|O_CREAT|O_EXCL")" $'ok\nEEXIST kernel'
}

test_flags_that_are_not_served_are_refused() {
	local flags
	files_policy
	for flags in O_PATH 'O_TMPFILE|O_RDWR' O_ASYNC 0x80000000 '0x20000000|O_RDONLY' 3; do
		expect_match "$(as alice ask "open /srv/both/file $flags")" '^EINVAL flags$' "$flags"
	done
}

test_a_path_is_taken_as_it_is_or_not_at_all() {
	files_policy
	mkdir -p /srv/read/folder /srv/other
	secret /srv/other/file "not granted"
	expect_equal "$(as alice ask "cat /srv/read/../other/file")" "EACCES policy"
	expect_equal "$(as alice ask "cat /srv/read/folder/../file")" "EACCES policy"
	expect_equal "$(as alice ask "cat /srv//read/./file")" "ok read-only"
	expect_match "$(as alice ask "cat /srv/read/file/")" '^ENOTDIR '
}

test_odd_names_are_matched_as_bytes_and_logged_escaped() {
	local name=$'/srv/read/line\nbreak\x1b[31m\xff"quote'
	files_policy
	secret "$name" odd
	expect_equal "$(as alice ask "cat $name")" "ok odd"
	expect_log 'object="/srv/read/line(\\n|\\x0a|\\012)break(\\x1b|\\033|\\e)\[31m(\\xff|\\377)(\\"|\\x22|\\042)quote"'
	if grep -q $'\x1b' "$BROKER_LOG"; then
		fail "an escape byte reached the log"
	fi
}

test_the_longest_path_is_served_and_a_longer_one_is_refused() {
	local path=/srv/read
	files_policy
	# 4095 bytes: PATH_MAX without the NUL.
	while ((${#path} < 4095 - 201)); do
		path+=/$(printf 'x%.0s' {1..200})
	done
	(cd / && python3 -c '
import os, sys
parts = sys.argv[1].strip("/").split("/")
fd = os.open("/", os.O_RDONLY)
for part in parts:
    try:
        os.mkdir(part, dir_fd=fd)
    except FileExistsError:
        pass
    fd = os.open(part, os.O_RDONLY, dir_fd=fd)
rest = 4095 - len(sys.argv[1]) - 1
if rest > 0:
    os.close(os.open("y" * rest, os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=fd))
' "$path")
	path+=/$(printf 'y%.0s' $(seq $((4095 - ${#path} - 1))))
	expect_equal "${#path}" 4095
	expect_equal "$(as alice ask "cat $path")" "ok "
	expect_equal "$(as alice ask "cat ${path}y")" "ENAMETOOLONG local"
}

test_sixty_four_files_and_more_are_opened_in_one_call() {
	local i command=many expected=
	files_policy
	for ((i = 0; i < 70; i++)); do
		secret "/srv/read/$i" "$i"
		command+=" /srv/read/$i"
		expected+="ok, "
	done
	expect_equal "$(as alice ask "$command /srv/secret /srv/read/none")" \
		"${expected}EACCES policy, ENOENT kernel"
}

test_a_deny_beats_every_allow() {
	policy <<-END
		client wide {
			from user alice
			allow read,write,create /srv/**
		}
		client narrow {
			from user alice
			deny all /srv/private/**
			deny write /srv/readonly/**
		}
	END
	secret /srv/private/file private
	secret /srv/readonly/file readonly
	secret /srv/open open
	start_broker
	expect_equal "$(as alice ask "cat /srv/open" "cat /srv/private/file" "cat /srv/readonly/file" \
		"open /srv/readonly/file O_RDWR" "open /srv/readonly/new O_WRONLY|O_CREAT")" \
		$'ok open\nEACCES policy\nok readonly\nEACCES policy\nEACCES policy'
	expect_log 'audit: denied .*object="/srv/private/file" .*rule=/etc/fdbroker/test.policy:7'
}

test_a_block_marked_only_narrows() {
	policy <<-END
		client vendor {
			from user alice
			allow read /srv/*
		}
		client admin only {
			from user alice
			allow read /srv/one /srv/three
		}
	END
	secret /srv/one one
	secret /srv/two two
	secret /srv/three three
	start_broker
	expect_equal "$(as alice ask "cat /srv/one" "cat /srv/two" "cat /srv/three")" \
		$'ok one\nEACCES policy\nok three'
}

test_a_group_is_enough_to_be_matched() {
	policy <<-END
		client staff {
			from group staff
			allow read /srv/file
		}
	END
	secret /srv/file content
	start_broker
	expect_equal "$(as bob ask "cat /srv/file")" "ok content"
	expect_match "$(as carol ask "cat /srv/file")" '^(ECONNRESET broker|EACCES policy)$'
}

test_every_open_has_an_offset_of_its_own() {
	files_policy
	expect_equal "$(as alice ask "open /srv/read/file" read "open /srv/read/file" read)" \
		$'ok\nok read-only\nok\nok read-only'
}

# The name service is asked about whoever connects, in a process of its own.
test_the_name_and_the_home_of_the_user_are_part_of_a_path() {
	policy <<-END
		client own {
			from group staff
			allow read %h/mine /srv/%u/* /srv/uid-%U
		}
	END
	belongs_to alice /home/alice/mine "at home"
	belongs_to bob /home/bob/mine "of bob"
	secret /srv/alice/one one
	secret /srv/uid-2001 two
	chmod 0755 /srv/alice
	start_broker
	expect_equal "$(as alice ask "cat /home/alice/mine" "cat /srv/alice/one" \
		"cat /srv/uid-2001" "cat /home/bob/mine")" \
		$'ok at home\nok one\nok two\nEACCES policy'
	expect_equal "$(as bob ask "cat /srv/alice/one" "cat /home/alice/mine" "cat /home/bob/mine")" \
		$'EACCES policy\nEACCES policy\nok of bob'
}

# What is not the user's own home is nobody's: then the variable matches nothing.
test_a_home_that_is_somebody_elses_matches_nothing() {
	policy <<-END
		client own {
			from group staff
			allow read %h/file /srv/other
		}
	END
	sed -i 's|:/home/bob:|:/home/alice:|' /etc/passwd
	belongs_to alice /home/alice/file content
	secret /srv/other other
	start_broker
	expect_equal "$(as bob ask "cat /home/alice/file" "cat /srv/other")" \
		$'EACCES policy\nok other'
}

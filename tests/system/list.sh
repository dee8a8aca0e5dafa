# shellcheck shell=bash
# The names in a folder: those that the policy grants, and no others.

LIST_BYTES_MAX=$((4 << 20))

list_policy() { # [MORE RULES]
	policy <<-END
		client list {
			from user alice
			allow list /srv/list /srv/linked /srv/roots/*
			allow read /srv/list/*
			allow list /srv/all/**
			${1-}
		}
	END
	mkdir -p /srv/list /srv/all
	chmod 0700 /srv/list /srv/all
}

make_files() { # PATH...
	local path
	for path in "$@"; do
		: >"$path"
	done
}

test_a_list_has_the_names_that_are_granted_and_no_others() {
	list_policy '
		allow write /srv/list/.written
		allow stat /srv/list/.looked-at
		allow watch /srv/list/.watched
		deny read,stat /srv/list/denied
		deny all /srv/list/away*
		deny read /srv/list/still'
	make_files /srv/list/{one,two,denied,away,still,.written,.looked-at,.watched,.hidden}
	mkdir /srv/list/folder /srv/list/away-too
	start_broker
	# `still` can be looked at: deny read leaves stat.
	expect_equal "$(as alice ask "list /srv/list")" \
		"ok .looked-at .watched .written folder one still two"
	expect_equal "$(as alice ask "stat /srv/list/still" "cat /srv/list/still")" \
		$'ok 100644 0:0 0\nEACCES policy'
}

test_names_that_only_their_folder_grants_are_shown() {
	list_policy
	make_files /srv/all/file /srv/all/.hidden
	mkdir /srv/all/folder
	start_broker
	expect_equal "$(as alice ask "list /srv/all" "list /srv/all/folder")" \
		$'ok file folder\nok'
	expect_equal "$(as alice ask "cat /srv/all/file" "list /srv/all/.hidden")" \
		$'EACCES policy\nEACCES policy'
}

test_a_list_of_what_is_not_granted_says_nothing() {
	list_policy
	mkdir -p /srv/other
	make_files /srv/other/file /srv/list/file
	start_broker
	expect_equal "$(as alice ask "list /srv/other" "list /srv/none" "list /srv" "list /")" \
		$'EACCES policy\nEACCES policy\nEACCES policy\nEACCES policy'
	expect_equal "$(as alice ask "list /srv/all/none" "list /srv/list/file")" \
		$'ENOENT kernel\nEACCES policy'
	expect_equal "$(as bob ask "list /srv/list" 2>&1)" "ECONNRESET broker"
}

test_names_behind_a_link_are_judged_by_where_they_are_as_well() {
	list_policy '
		allow read /srv/linked/*
		deny all /srv/real/denied
		deny all /srv/real/folder/**'
	mkdir -p /srv/real/folder
	make_files /srv/real/shown /srv/real/denied
	ln -s real /srv/linked
	start_broker
	expect_equal "$(as alice ask "list /srv/linked")" "ok shown"
	expect_equal "$(as alice ask "cat /srv/linked/denied")" "EACCES policy"
}

test_a_folder_that_a_link_leads_to_may_be_denied_itself() {
	list_policy '
		allow read,list /srv/linked/**
		deny list /srv/real'
	mkdir /srv/real
	make_files /srv/real/file
	ln -s real /srv/linked
	start_broker
	expect_equal "$(as alice ask "list /srv/linked")" "EACCES policy"
}

test_a_link_that_a_user_could_have_placed_leads_to_no_list() {
	list_policy 'allow read,list /home/alice/**'
	make_files /srv/all/file
	as alice ln -s /srv/all /home/alice/link
	mkdir -p /home/alice/roots
	make_files /home/alice/roots/file
	start_broker
	expect_equal "$(as alice ask "list /home/alice/link" "list /home/alice/roots")" \
		$'EACCES symlink\nEACCES placement'
}

test_names_are_bytes() {
	list_policy
	make_files $'/srv/list/new\nline' $'/srv/list/\xff\xfe' '/srv/list/a b' $'/srv/list/\x01' \
		"/srv/list/$(printf 'n%.0s' {1..255})"
	start_broker
	expect_equal "$(as alice ask "list /srv/list")" \
		"ok \\x01 a b new\\n""line $(printf 'n%.0s' {1..255}) \\xff\\xfe"
}

test_a_list_is_sealed_and_whoever_has_it_has_an_offset_of_its_own() {
	list_policy
	make_files /srv/list/{one,two,three}
	start_broker
	expect_equal "$(as alice sealed list /srv/list)" "bytes=14 names=3 $SEALED"
	# Read to the end, and asked for once more.
	expect_equal "$(as alice ask "list /srv/list" "read" "list /srv/list")" \
		$'ok one three two\nok \nok one three two'
}

test_an_empty_list_is_a_list() {
	list_policy
	make_files /srv/list/.hidden
	start_broker
	expect_equal "$(as alice ask "list /srv/list" "write x")" $'ok\nEPERM'
}

# Names of 40 bytes.
make_names() { # FOLDER COUNT FILL
	python3 -c 'import os, sys
for i in range(int(sys.argv[2])): os.mknod(sys.argv[1] + "/" + str(i).rjust(40, sys.argv[3]))' "$@"
}

test_a_hundred_thousand_names_are_listed_and_not_one_byte_too_many() {
	list_policy
	mount -t tmpfs -o mode=0755,nr_inodes=0 tmpfs /srv/list
	make_names /srv/list 100000 x
	start_broker
	expect_equal "$(as alice sealed list /srv/list)" "bytes=4100000 names=100000 $SEALED"
	# With their NULs: there is room for 2300 more of them, and for one of three bytes.
	make_names /srv/list 2300 y
	make_files /srv/list/abc
	expect_equal "$(as alice sealed list /srv/list)" "bytes=$LIST_BYTES_MAX names=102301 $SEALED"
	make_files /srv/list/d
	expect_equal "$(as alice ask "list /srv/list")" "EOVERFLOW limit"
	# What is not shown takes no room.
	mv /srv/list/d /srv/list/.d
	expect_match "$(as alice sealed list /srv/list)" "^bytes=$LIST_BYTES_MAX "
}

test_a_deny_that_a_reload_brings_hides_the_name() {
	list_policy
	make_files /srv/list/{one,two}
	start_broker
	open_session alice alice
	expect_equal "$(tell alice "list /srv/list")" "ok one two"
	list_policy 'deny all /srv/list/one'
	reload_broker
	expect_equal "$(tell alice "list /srv/list")" "ok two"
}

test_a_narrowed_connection_sees_what_is_left_to_it() {
	list_policy
	make_files /srv/list/{a.txt,b.txt,c.log}
	start_broker
	expect_equal "$(as alice ask "limit list,read /srv/list/*.txt" "list /srv/list")" \
		$'ok\nEACCES narrowed'
	expect_equal "$(as alice ask "limit list,read /srv/list/**" "list /srv/list")" \
		$'ok\nok a.txt b.txt c.log'
	expect_equal "$(as alice ask "limit list /srv/list" "list /srv/list" "cat /srv/list/a.txt")" \
		$'ok\nok\nEACCES narrowed'
}

test_a_folder_is_listed_while_it_changes() {
	local answer
	list_policy
	make_files /srv/list/stays
	start_broker
	while :; do
		make_files /srv/list/{1..50}
		rm /srv/list/{1..50}
	done &
	for _ in {1..200}; do
		answer=$(as alice ask "list /srv/list")
		expect_match "$answer" '^ok( [0-9]+)* stays$'
	done
	kill $!
}

# As fdbroker.policy(5) says what to write for them.
test_names_that_begin_with_a_dot_are_shown_where_the_pattern_says_so() {
	local folder
	policy <<-END
		client dots {
			from user alice
			allow read,list /srv/plain/**
			allow read,list /srv/site/** /srv/site/**/.* /srv/site/**/.*/**
		}
	END
	for folder in /srv/plain /srv/site; do
		secret "$folder/.top" top
		secret "$folder/a/.inner" inner
		secret "$folder/a/b/.git/objects/one" one
		secret "$folder/.git/.hidden/x" x
	done
	start_broker
	expect_equal "$(as alice ask "list /srv/plain" "list /srv/plain/a" "list /srv/plain/.git" \
		"cat /srv/plain/.top" "cat /srv/plain/a/b/.git/objects/one")" \
		$'ok a\nok b\nEACCES policy\nEACCES policy\nEACCES policy'
	expect_equal "$(as alice ask "list /srv/site" "list /srv/site/a" "list /srv/site/.git" \
		"cat /srv/site/.top" "cat /srv/site/a/b/.git/objects/one" \
		"cat /srv/site/.git/.hidden/x")" \
		$'ok .git .top a\nok .inner b\nok\nok top\nok one\nEACCES policy'
}

test_the_memory_for_a_list_is_the_clients_to_provide() {
	local what
	list_policy
	mount -t tmpfs -o mode=0755,nr_inodes=0 tmpfs /srv/list
	make_names /srv/list 200 x
	start_broker
	expect_equal "$(as alice copies list fill 65536 65536 /srv/list)" "ok 8200"
	expect_equal "$(as alice copies list fill 8200 8200 /srv/list)" "ok 8200"
	expect_equal "$(as alice copies list fill 8199 8199 /srv/list)" "EMSGSIZE copy 8199"
	expect_equal "$(as alice copies list fill 4096 8200 /srv/list)" "EMSGSIZE copy 8200"
	expect_equal "$(as alice copies list fill 0 0 /srv/all)" "ok 0"
	belongs_to alice /home/alice/file "what was there"
	for what in sealed-against-writing not-to-be-sealed temporary-file pipe socket folder \
		/home/alice/file /proc/self/mem /dev/null; do
		expect_equal "$(as alice copies list send "$what" /srv/list)" "EINVAL copy unchanged" \
			"$what"
	done
	# What is not granted is not found out by memory that is too small.
	expect_equal "$(as alice copies list fill 0 0 /srv/other)" "EACCES policy 0"
}

test_the_broker_allocates_nothing_for_a_list() {
	local how pids
	list_policy
	mount -t tmpfs -o mode=0755,nr_inodes=0 tmpfs /srv/list
	make_names /srv/list 1500 x
	start_broker
	expect_equal "$(as alice copies list send memory /srv/list)" "ok changed"
	pids=$(broker_pids | sort)
	for how in punch truncate behind; do
		output=$(as alice copies list take "$how" 4 65536 /srv/list)
		# Under sanitizers the memory is always gone before it is looked at.
		expect_match "$output" "^filled=(some|none) taken=some held=0\$" "$how"
	done
	for how in truncate punch map append remove; do
		output=$(as alice copies list spoil "$how" 2 /srv/list)
		expect_match "$output" '^copied=[0-9]+ refused=[0-9]+ unsealed=0$'
	done
	expect_equal "$(broker_pids | sort)" "$pids" "the processes"
}

# shellcheck shell=bash
# Links and files that a user could have placed under a name that the policy grants.

SWAPS=200000

links_policy() {
	policy <<-END
		client links {
			from user alice
			from user bob
			allow read /etc/letsencrypt/live/*/*.pem
			allow read /home/alice/pub/*.txt /home/alice/pub/*/*.txt
			allow read,write,create /home/alice/drop/*
			allow read /tmp/shared/*
			allow read /srv/none/* symlinks none
		}
		client denied {
			from anyone
			deny all /etc/letsencrypt/archive/denied/**
		}
	END
	secret /srv/secret "not for you"
	belongs_to alice /home/alice/pub/own.txt "hers"
	belongs_to alice /home/alice/drop/own "hers"
	chown alice:alice /home/alice/pub /home/alice/drop
	start_broker
}

# As certbot leaves it: folders that root alone may enter, and links to the version in use.
certificate() { # NAME
	local base=/etc/letsencrypt
	(
		umask 077
		mkdir -p "$base/live/$1" "$base/archive/$1"
		echo -n "key-of-$1" >"$base/archive/$1/key1.pem"
		ln -s "../../archive/$1/key1.pem" "$base/live/$1/key.pem"
	)
}

expect_refused() { # PATH [REASONS]
	expect_match "$(as alice ask "cat $1")" "^E[A-Z]+ (${2-placement|symlink})\$" "$1"
}

test_a_tree_like_certbots_is_readable_through_its_links() {
	links_policy
	certificate x
	expect_equal "$(as alice ask "cat /etc/letsencrypt/live/x/key.pem")" "ok key-of-x"
	expect_equal "$(as alice ask "cat /etc/letsencrypt/archive/x/key1.pem")" "EACCES policy"
	# The next version, as a renewal does it.
	echo -n "second key" >/etc/letsencrypt/archive/x/key2.pem
	ln -sfn ../../archive/x/key2.pem /etc/letsencrypt/live/x/key.pem
	expect_equal "$(as alice ask "cat /etc/letsencrypt/live/x/key.pem")" "ok second key"
}

test_a_link_to_a_folder_is_followed_as_well_if_root_placed_it() {
	links_policy
	certificate x
	ln -s x /etc/letsencrypt/live/y
	expect_equal "$(as alice ask "cat /etc/letsencrypt/live/y/key.pem")" "ok key-of-x"
}

test_a_deny_holds_through_a_link() {
	links_policy
	certificate denied
	expect_equal "$(as alice ask "cat /etc/letsencrypt/live/denied/key.pem")" "EACCES policy"
	certificate x
	ln -sfn ../../archive/denied/key1.pem /etc/letsencrypt/live/x/key.pem
	expect_equal "$(as alice ask "cat /etc/letsencrypt/live/x/key.pem")" "EACCES policy"
	# A link to a link, and an absolute one.
	ln -sfn /etc/letsencrypt/live/denied/key.pem /etc/letsencrypt/live/x/key.pem
	expect_equal "$(as alice ask "cat /etc/letsencrypt/live/x/key.pem")" "EACCES policy"
	expect_log 'audit: denied .*object="/etc/letsencrypt/live/x/key.pem"'
}

test_a_link_that_a_user_could_have_placed_is_not_followed() {
	links_policy
	as alice ln -s /srv/secret /home/alice/pub/link.txt
	expect_refused /home/alice/pub/link.txt
	as alice ln -s /srv /home/alice/pub/folder
	expect_refused /home/alice/pub/folder/secret.txt
	# Not even to what she might have read there.
	as alice ln -s own.txt /home/alice/pub/self.txt
	expect_refused /home/alice/pub/self.txt
	expect_equal "$(as alice ask "cat /home/alice/pub/own.txt")" "ok hers"
}

test_a_link_of_root_in_a_folder_of_a_user_is_not_followed() {
	links_policy
	ln -s /srv/secret /home/alice/pub/link.txt
	expect_refused /home/alice/pub/link.txt
}

test_a_link_in_a_sticky_folder_is_not_followed_whoever_owns_it() {
	links_policy
	mkdir -m 1777 /tmp/shared
	ln -s /srv/secret /tmp/shared/of-root
	as alice ln -s /srv/secret /tmp/shared/of-alice
	expect_refused /tmp/shared/of-root
	expect_refused /tmp/shared/of-alice
}

test_a_link_through_proc_is_not_followed() {
	links_policy
	certificate x
	ln -sfn /dev/stdin /etc/letsencrypt/live/x/key.pem
	expect_refused /etc/letsencrypt/live/x/key.pem 'placement|symlink|kernel|type'
	ln -sfn /proc/self/fd/0 /etc/letsencrypt/live/x/key.pem
	expect_refused /etc/letsencrypt/live/x/key.pem 'placement|symlink|kernel|type'
	ln -sfn /proc/self/root/srv/secret /etc/letsencrypt/live/x/key.pem
	expect_refused /etc/letsencrypt/live/x/key.pem 'placement|symlink|kernel|type'
}

test_links_in_a_circle_end_and_so_do_long_chains() {
	local i
	links_policy
	mkdir -p /etc/letsencrypt/live/x
	ln -s b.pem /etc/letsencrypt/live/x/a.pem
	ln -s a.pem /etc/letsencrypt/live/x/b.pem
	expect_match "$(as alice ask "cat /etc/letsencrypt/live/x/a.pem")" '^E[A-Z]+ symlink$'
	echo -n end >/etc/letsencrypt/live/x/0.pem
	for i in {1..9}; do
		ln -s "$((i - 1)).pem" "/etc/letsencrypt/live/x/$i.pem"
	done
	expect_equal "$(as alice ask "cat /etc/letsencrypt/live/x/8.pem")" "ok end"
	expect_match "$(as alice ask "cat /etc/letsencrypt/live/x/9.pem")" '^E[A-Z]+ symlink$'
}

test_symlinks_none_follows_nothing() {
	links_policy
	mkdir -p /srv/none
	secret /srv/none/file content
	ln -s file /srv/none/link
	expect_equal "$(as alice ask "cat /srv/none/file")" "ok content"
	expect_match "$(as alice ask "cat /srv/none/link")" '^E[A-Z]+ symlink$'
}

test_a_file_of_root_that_a_user_moved_under_a_granted_name_is_refused() {
	links_policy
	echo -n "left by root" >/home/alice/report
	chmod 0600 /home/alice/report
	as alice mv /home/alice/report /home/alice/pub/report.txt
	expect_refused /home/alice/pub/report.txt placement
	expect_match "$(as alice ask "open /home/alice/pub/report.txt O_RDONLY")" ' placement$'
}

test_a_folder_of_root_that_a_user_moved_under_a_granted_name_is_refused() {
	links_policy
	secret /home/alice/backup/list.txt "left by root"
	# Only root can move another's folder to another parent; its name alice can change herself.
	mv /home/alice/backup /home/alice/pub/backup
	as alice mv /home/alice/pub/backup /home/alice/pub/moved
	expect_refused /home/alice/pub/moved/list.txt placement
}

test_a_file_of_root_that_is_hard_linked_under_a_granted_name_is_refused() {
	links_policy
	secret /home/vault/file "not for you"
	ln /home/vault/file /home/alice/pub/linked.txt
	expect_refused /home/alice/pub/linked.txt placement
}

test_a_file_of_another_user_in_her_folder_is_refused() {
	links_policy
	belongs_to bob /home/alice/pub/bobs.txt "his"
	chmod 0600 /home/alice/pub/bobs.txt
	expect_refused /home/alice/pub/bobs.txt placement
}

test_in_a_folder_that_all_may_write_nothing_is_opened() {
	links_policy
	chmod 0777 /home/alice/pub
	expect_refused /home/alice/pub/own.txt placement
	chmod 0775 /home/alice/pub
	chgrp staff /home/alice/pub
	expect_refused /home/alice/pub/own.txt placement
}

test_nothing_is_created_in_a_folder_of_a_user() {
	links_policy
	expect_match "$(as bob ask "open /home/alice/drop/new O_WRONLY|O_CREAT")" '^E[A-Z]+ placement$'
	[[ ! -e /home/alice/drop/new ]] || fail "it was created"
	expect_equal "$(as bob ask "open /home/alice/drop/own O_RDWR" read)" $'ok\nok hers'
}

# A dangling link must not make the broker create what it points to.
test_O_CREAT_does_not_follow_a_link_at_the_end() {
	links_policy
	as alice ln -s /srv/created /home/alice/drop/link
	expect_match "$(as alice ask "open /home/alice/drop/link O_WRONLY|O_CREAT")" '^E[A-Z]+ '
	[[ ! -e /srv/created ]] || fail "it was created where the link leads"
	ln -s /srv/created2 /srv/none-link
	mkdir -p /etc/letsencrypt
	policy <<-END
		client links {
			from user alice
			allow write,create /srv/*
			deny write /srv/created2
		}
	END
	reload_broker || fail "the reload failed"
	expect_match "$(as alice ask "open /srv/none-link O_WRONLY|O_CREAT")" '^E[A-Z]+ '
	[[ ! -e /srv/created2 ]] || fail "it was created in spite of the deny"
}

# ---- races ----

# alice exchanges A and B without pause while A is opened; only CONTENT may ever be seen.
race() { # OPENED A B CONTENT
	local swaps answer right refused
	chmod 1777 /run/test
	start_as alice swapper "$2" "$3" "$SWAPS" /run/test/enough >/run/test/swaps
	# cat-often ends the swapper by removing the file, so it runs as the same user.
	answer=$(as alice ask "cat-often $1 $4 /run/test/enough")
	wait $!
	swaps=$(cat /run/test/swaps)
	step "$answer against $swaps swaps"
	((swaps >= SWAPS)) || fail "only $swaps swaps"
	expect_match "$answer" '^ok right=[0-9]+ refused=[0-9]+ wrong=0$'
	right=${answer#*right=} refused=${answer#*refused=}
	((${right%% *} > 0 && ${refused%% *} > 0)) || fail "there was no race: $answer"
}

test_a_link_that_is_swapped_against_a_file_never_gives_a_wrong_content() {
	links_policy
	as alice ln -s /srv/secret /home/alice/pub/link
	race /home/alice/pub/own.txt /home/alice/pub/own.txt /home/alice/pub/link hers
}

test_a_folder_that_is_swapped_against_a_link_never_gives_a_wrong_content() {
	links_policy
	secret /srv/folder/a.txt "not for you"
	belongs_to alice /home/alice/pub/folder/a.txt "hers"
	chown alice /home/alice/pub/folder
	as alice ln -s /srv/folder /home/alice/pub/link
	race /home/alice/pub/folder/a.txt /home/alice/pub/folder /home/alice/pub/link hers
}

test_a_file_of_root_that_is_swapped_against_her_own_never_gives_a_wrong_content() {
	links_policy
	echo -n "not for you" >/home/alice/pub/of-root
	chmod 0600 /home/alice/pub/of-root
	race /home/alice/pub/own.txt /home/alice/pub/own.txt /home/alice/pub/of-root hers
}

# The name is root's, the deny is on one of the two that it leads to in turn.
test_a_deny_holds_while_root_swaps_the_link() {
	local answer
	links_policy
	certificate x
	certificate denied
	ln -s ../../archive/denied/key1.pem /etc/letsencrypt/live/x/other
	swapper /etc/letsencrypt/live/x/key.pem /etc/letsencrypt/live/x/other "$SWAPS" \
		/run/test/enough >/run/test/swaps &
	answer=$(as alice ask \
		"cat-often /etc/letsencrypt/live/x/key.pem key-of-x /run/test/enough")
	rm /run/test/enough # alice could not: it is root's
	wait $!
	step "$answer against $(cat /run/test/swaps) swaps"
	expect_match "$answer" 'right=[1-9][0-9]* refused=[1-9][0-9]* wrong=0'
}

# The id that the kernel gave the trusted one is given to the next that is mounted.
test_a_mount_in_the_place_of_one_that_was_trusted_is_not() {
	[[ -e /dev/fuse ]] || skip "this machine has no /dev/fuse"
	policy <<-END
		client links {
			from user alice
			allow read /home/alice/* /srv/*
		}
	END
	secret /opt/secret "the secret"
	secret /srv/file content
	mkdir /mnt/other
	mount -t tmpfs tmpfs /mnt/other
	start_broker
	umount /mnt/other
	hangfs --uid 0 --escape /opt/secret /home/alice >/run/test/hangfs.log 2>&1 &
	eventually 5 grep -qs mounted /run/test/hangfs.log || fail "$(cat /run/test/hangfs.log)"
	# Where ids are not unique the broker loads its policy anew, and then answers the same.
	expect_equal "$(as alice timeout 10 ask "cat /home/alice/escape")" "EACCES symlink"
	expect_equal "$(as alice timeout 10 ask "cat /home/alice/fine" "cat /srv/file")" \
		$'ok fine\\n\nok content'
}

# The denies judge each path that a link leads to before anything is looked at there: so whether it
# exists, and what it is, makes no difference to the answer.
test_what_a_denied_folder_holds_shows_through_no_link() {
	local path operation
	policy <<-END
		client test {
			from user alice
			allow read,write,list,remove,create,watch,stat /srv/pub/** type any
			deny all /etc/vault/**
		}
	END
	secret /etc/vault/folder/file "x"
	mkdir -p /etc/vault/users
	chown bob /etc/vault/users
	chmod 0777 /etc/vault/users
	ln -s /nonsense /etc/vault/link
	ln -s /srv/pub/own /etc/vault/back
	mkdir -p /srv/pub
	ln -s /etc/vault /srv/pub/ln
	ln -s ln/folder /srv/pub/twice
	echo x >/srv/pub/own
	start_broker
	for path in ln/folder ln/none ln/folder/file ln/folder/none ln/folder/file/x ln/none/x \
		ln/link ln/link/x ln/back ln/users/x twice/file twice/none twice/file/x; do
		for operation in stat lstat list readlink mkdir unlink rmdir cat; do
			expect_equal "$(as alice ask "$operation /srv/pub/$path" | tail -1)" \
				"EACCES policy" "$operation $path"
		done
		expect_equal "$(as alice ask "open /srv/pub/$path O_WRONLY|O_CREAT" | tail -1)" \
			"EACCES policy" "create $path"
		expect_equal "$(as alice ask "rename /srv/pub/$path /srv/pub/new" | tail -1)" \
			"EACCES policy" "rename $path"
		expect_equal "$(as alice ask "rename /srv/pub/own /srv/pub/$path" | tail -1)" \
			"EACCES policy" "rename to $path"
	done
	[[ $(cat /srv/pub/own) == x && ! -e /srv/pub/new ]] || fail "something was changed"
}

# `create` is asked for only when it is known that nothing is there: so is its deny.
test_what_may_not_be_made_in_a_folder_is_not_made_there_through_a_link() {
	policy <<-END
		client alice {
			from user alice
			allow write,create /srv/link/*
			deny create /srv/real/denied*
		}
	END
	mkdir -p /srv/real
	chmod 0755 /srv /srv/real
	ln -s real /srv/link
	start_broker
	expect_equal "$(as alice ask "open /srv/link/denied O_WRONLY|O_CREAT")" "EACCES policy"
	[[ ! -e /srv/real/denied ]] || fail "it was made"
	expect_equal "$(as alice ask "open /srv/link/other O_WRONLY|O_CREAT")" ok
	echo "there" >/srv/real/denied
	expect_equal "$(as alice ask "open /srv/link/denied O_WRONLY|O_CREAT")" ok
}

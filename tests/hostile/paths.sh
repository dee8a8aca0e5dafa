# shellcheck shell=bash
# Every operation on names that a user could have placed: nothing of root's, and nothing of another
# user's, is read, changed, made, removed, renamed or watched.

SWAPS=100000
HERS=/home/alice/pub
SHARED=/tmp/shared

# Everything is granted; who could have placed it is the only question.
placed_policy() { # [OPTIONS]
	policy <<-END
		client placed {
			from user alice
			allow read,write,append,create,remove,stat,list,watch $HERS/** $SHARED/** \
				type any mode 0644 $*
			allow read /home/alice/copies/* copy max 1M
			allow read,write,append,create,remove,stat,list,watch /srv/granted/** \
				type any mode 0644 $*
		}
	END
	secret /srv/roots/file "root's"
	secret /srv/roots/folder/inner "root's"
	mkdir /srv/roots/empty
	secret /srv/granted/file "root's"
	secret /home/bob/his "bob's"
	secret /home/bob/folder/inner "bob's"
	chown -R bob:bob /home/bob
	belongs_to alice "$HERS/own" "hers"
	belongs_to alice "$HERS/folder/inner" "hers"
	belongs_to alice /home/alice/copies/own "hers"
	mkdir "$HERS/nothing"
	chown alice:alice "$HERS" "$HERS/folder" "$HERS/nothing" /home/alice/copies
	mkdir -m 1777 "$SHARED"
	chmod 1777 /run/test
	start_broker
}

state() {
	find /srv/roots /srv/granted /home/bob "$@" -printf '%p %i %y %m %u:%g %n %s %T@ %C@\n' | sort
	find /srv/roots /srv/granted /home/bob "$@" -type f -exec md5sum {} + | sort
}

operations_on() { # PATH
	local flags mask
	for flags in O_RDONLY O_WRONLY O_RDWR\|O_TRUNC O_WRONLY\|O_APPEND O_WRONLY\|O_CREAT \
		O_WRONLY\|O_CREAT\|O_EXCL O_RDONLY\|O_NOFOLLOW O_RDONLY\|O_DIRECTORY; do
		echo "open $flags $1"
	done
	echo "stat $1"
	echo "lstat $1"
	echo "access F_OK $1"
	echo "access R_OK|W_OK $1"
	echo "readlink 4096 $1"
	echo "mkdir $1"
	echo "list $1"
	for mask in IN_MODIFY IN_DELETE_SELF IN_DELETE_SELF\|IN_DONT_FOLLOW; do
		echo "watch $mask $1"
	done
	echo "rename $1 $HERS/stolen"
	echo "rename $1 /srv/granted/stolen"
	echo "rename $HERS/own $1"
	echo "rename /srv/granted/file $1"
	echo "rename $HERS/nothing $1"
	echo "unlink $1"
	echo "rmdir $1"
}

# All that is said of a name is that it is not served; and nothing has happened.
expect_nothing() { # PATH [REGEX of lines about what is her own]
	local before line
	before=$(state "${HERE[@]}")
	operations_on "$1" | paths reasons alice >/run/test/answers
	while read -r line; do
		[[ $line =~ :\ EACCES\ (placement|symlink|kernel)$ || (-n ${2-} && $line =~ $2) ]] ||
			fail "answered: $line"
	done </run/test/answers
	diff <(echo "$before") <(state "${HERE[@]}") || fail "$1: something has changed"
}

HERE=() # what else must stay as it is

# Of a link that is hers: what it is itself. She could not get as far as this with any other.
HER_LINK='^(lstat [^:]*: ok .*owner=2001:|readlink [^:]*: ok |mkdir [^:]*: EEXIST kernel$|'
HER_LINK+='open [A-Z_|]*O_EXCL [^:]*: EEXIST|open O_RDONLY\|O_NOFOLLOW [^:]*: ELOOP kernel$|'
HER_LINK+='watch IN_DELETE_SELF\|IN_DONT_FOLLOW [^:]*: ok |rename [^:]*: EACCES type$)'

test_through_a_link_that_a_user_placed_nothing_is_done() {
	placed_policy
	as alice ln -s /srv/roots/file "$HERS/link"
	as alice ln -s /srv/roots/folder "$HERS/to-folder"
	as alice ln -s /srv/roots/new "$HERS/to-new"
	as alice ln -s /srv/roots/empty "$HERS/to-empty"
	expect_nothing "$HERS/link" "$HER_LINK"
	expect_match "$(grep -c ' ok ' /run/test/answers)" '^3$'
	expect_nothing "$HERS/to-folder" "$HER_LINK"
	expect_nothing "$HERS/to-new" "$HER_LINK"
	expect_nothing "$HERS/to-empty" "$HER_LINK"
	expect_nothing "$HERS/to-folder/inner"
	expect_nothing "$HERS/to-folder/new"
	expect_nothing "$HERS/to-folder/" ': (EISDIR local|EEXIST kernel|ENOTDIR kernel)$'
	# The watch is of the link itself.
	expect_match "$(paths reasons alice <<<"watch IN_DELETE_SELF|IN_DONT_FOLLOW $HERS/link")" \
		" ino:$(printf %x "$(stat -c %i "$HERS/link")") "
}

test_in_a_sticky_folder_nothing_is_done_through_a_link() {
	placed_policy
	as alice ln -s /srv/roots/file "$SHARED/link"
	as alice ln -s /srv/roots/folder "$SHARED/to-folder"
	expect_nothing "$SHARED/link"
	expect_nothing "$SHARED/to-folder"
	expect_nothing "$SHARED/to-folder/inner"
	expect_nothing "$SHARED/to-folder/new"
	# root's own link: a user can move it about there.
	ln -s /srv/roots/file "$SHARED/roots-link"
	expect_nothing "$SHARED/roots-link"
}

test_in_a_sticky_folder_nothing_is_done_to_what_is_there() {
	placed_policy
	echo "root's" >"$SHARED/file"
	mkdir "$SHARED/folder"
	echo "root's" >"$SHARED/folder/inner"
	belongs_to bob "$SHARED/his" "bob's"
	belongs_to alice "$SHARED/hers" "hers"
	HERE=("$SHARED")
	expect_nothing "$SHARED/file"
	expect_nothing "$SHARED/folder"
	expect_nothing "$SHARED/folder/inner"
	expect_nothing "$SHARED/his"
	expect_nothing "$SHARED/hers"
	expect_nothing "$SHARED/new" ': ENOENT kernel$'
	expect_nothing "$SHARED/folder/new" ': ENOENT kernel$'
}

# Files she can move within what is her own, folders of root's too as long as the parent stays.
test_what_root_made_in_a_users_folder_can_be_moved_but_not_used() {
	placed_policy
	secret /home/alice/backup "root's"
	secret "$HERS/made/inner" "root's"
	as alice mv /home/alice/backup "$HERS/moved"
	as alice mv "$HERS/made" "$HERS/moved-folder"
	HERE=("$HERS/moved" "$HERS/moved-folder")
	expect_nothing "$HERS/moved"
	expect_nothing "$HERS/moved-folder"
	expect_nothing "$HERS/moved-folder/inner"
	expect_nothing "$HERS/moved-folder/new" ': ENOENT kernel$'
}

test_a_hard_link_to_a_file_of_root_is_not_used() {
	placed_policy
	secret /home/vault "root's"
	ln /home/vault "$HERS/hard"
	ln /home/vault /home/alice/copies/hard
	ln /home/bob/his "$HERS/of-bob"
	HERE=(/home/vault "$HERS/hard")
	expect_nothing "$HERS/hard"
	expect_nothing "$HERS/of-bob"
	expect_equal "$(paths reasons alice <<<"copy /home/alice/copies/hard")" \
		"copy /home/alice/copies/hard: EACCES placement"
	expect_equal "$(paths reasons alice <<<"copy /home/alice/copies/own" | sed 's/.*: //')" \
		'ok size=4 content="hers"'
}

test_a_folder_of_another_user_in_the_middle_of_the_path_ends_it() {
	placed_policy
	mkdir "$HERS/bobs"
	secret "$HERS/bobs/of-root/file" "root's"
	belongs_to bob "$HERS/bobs/file" "bob's"
	belongs_to alice "$HERS/bobs/hers" "hers"
	chown bob "$HERS/bobs"
	HERE=("$HERS/bobs")
	expect_nothing "$HERS/bobs/file"
	expect_nothing "$HERS/bobs/hers"
	expect_nothing "$HERS/bobs/of-root"
	expect_nothing "$HERS/bobs/of-root/file"
	expect_nothing "$HERS/bobs/of-root/new" ': (ENOENT kernel|EACCES placement)$'
}

# What is her own, in her own folder, is found; but the folder changes only as her: `as`.
test_in_a_users_own_folder_nothing_is_made_removed_or_renamed() {
	local before
	placed_policy
	before=$(ls -lR --time-style=full-iso "$HERS")
	paths reasons alice >/run/test/answers <<-END
		mkdir $HERS/new
		open O_WRONLY|O_CREAT $HERS/new
		unlink $HERS/own
		rmdir $HERS/nothing
		rename $HERS/own $HERS/renamed
		rename $HERS/nothing $HERS/renamed
		rename $HERS/own $HERS/folder/inner
	END
	expect_equal "$(sed 's/.*: //' /run/test/answers | sort -u)" "EACCES placement"
	expect_equal "$(ls -lR --time-style=full-iso "$HERS")" "$before"
}

# alice grants herself nothing of bob's, whose identity is used on what she has placed.
test_as_a_user_nothing_of_that_user_is_done_through_what_another_placed() {
	placed_policy as bob
	chmod 0755 /home/alice "$HERS"
	as alice ln -s /home/bob/his "$HERS/link"
	as alice ln -s /home/bob/folder "$HERS/to-folder"
	as alice ln -s /home/bob/his "$SHARED/link"
	as alice ln -s /home/bob/folder "$SHARED/to-folder"
	ln /home/bob/his "$HERS/hard"
	belongs_to bob "$SHARED/his" "bob's"
	HERE=("$SHARED/his")
	expect_nothing "$HERS/link" "$HER_LINK"
	expect_nothing "$HERS/to-folder" "$HER_LINK"
	expect_nothing "$HERS/to-folder/inner"
	expect_nothing "$HERS/to-folder/new"
	expect_nothing "$HERS/hard"
	expect_nothing "$SHARED/link"
	expect_nothing "$SHARED/to-folder/inner"
	expect_nothing "$SHARED/to-folder/new"
	expect_nothing "$SHARED/his"
}

# ---- races ----

# alice exchanges two names without pause while all operations are done to one of them.
race() { # A B LINES
	start_as alice swapper "$1" "$2" "$SWAPS" /run/test/enough >/run/test/swaps
	paths often alice /run/test/enough 500 <<<"$3" >/run/test/tally
	wait $!
	step "$(wc -l </run/test/tally) outcomes in $(cat /run/test/swaps) swaps"
}

# Each outcome is a refusal, or what is said of her own; and there were both.
expect_tally() { # REGEX of what is right
	local line
	while read -r line; do
		[[ $line =~ $1 || $line =~ :\ (EACCES\ (placement|symlink)|ENOENT\ kernel|ENOTDIR\ kernel|ELOOP\ kernel|EINVAL\ kernel)\ \([0-9]+\ times\)$ ]] ||
			fail "came to pass: $line"
	done </run/test/tally
	grep -qE "$1" /run/test/tally || fail "there was no race: $(cat /run/test/tally)"
	grep -qE ': EACCES (placement|symlink)' /run/test/tally || fail "nothing was refused"
}

# Looking and opening: granted of what is hers, and never of what it is exchanged with.
test_a_file_that_is_swapped_against_a_link_never_shows_or_changes_what_is_behind() {
	local before ino link
	placed_policy
	as alice ln -s /srv/roots/file "$HERS/link"
	ino=$(stat -c %i "$HERS/own") link=$(stat -c %i "$HERS/link")
	before=$(state)
	race "$HERS/own" "$HERS/link" "\
open O_RDONLY $HERS/own
open O_WRONLY|O_APPEND $HERS/own
open O_RDONLY|O_NOFOLLOW $HERS/own
stat $HERS/own
lstat $HERS/own
readlink 100 $HERS/own
list $HERS/own
watch IN_MODIFY $HERS/own
unlink $HERS/own
mkdir $HERS/own
rename $HERS/own $HERS/new
open O_WRONLY|O_TRUNC|O_CREAT $HERS/own/new"
	expect_tally "owner=2001:.*content=\"hers\"|owner=2001:2001 flags=0[24]*001 |\
stat .*: ok ino=($ino|$link) .*owner=2001:|readlink .*: ok 15 \"/srv/roots/file\"|\
ino:($(printf %x "$ino")|$(printf %x "$link")) |mkdir .*EEXIST kernel|rename .*EACCES type"
	diff <(echo "$before") <(state) || fail "something has changed"
}

test_a_file_that_is_swapped_against_one_of_root_never_shows_or_changes_that() {
	local before ino
	placed_policy
	secret "$HERS/of-root" "root's"
	HERE=("$HERS/of-root")
	ino=$(stat -c %i "$HERS/own")
	before=$(md5sum <"$HERS/of-root")
	race "$HERS/own" "$HERS/of-root" "\
open O_RDONLY $HERS/own
open O_WRONLY|O_TRUNC $HERS/of-root
stat $HERS/own
lstat $HERS/own
watch IN_MODIFY $HERS/own
unlink $HERS/own
rename $HERS/own $HERS/folder/new"
	# Her own is empty as soon as it was truncated.
	expect_tally "owner=2001:.*content=\"(hers)?\"|owner=2001:2001 flags=01 |\
stat .*: ok ino=$ino .*owner=2001:|ino:$(printf %x "$ino") "
	expect_equal "$(md5sum <"$HERS/of-root")" "$before"
}

test_a_folder_that_is_swapped_against_a_link_never_leads_behind_it() {
	local before
	placed_policy
	echo -n "root's" >/srv/roots/folder/roots
	as alice ln -s /srv/roots/folder "$HERS/link"
	before=$(state)
	race "$HERS/folder" "$HERS/link" "\
open O_RDONLY $HERS/folder/inner
open O_WRONLY|O_TRUNC|O_APPEND $HERS/folder/roots
open O_WRONLY|O_CREAT $HERS/folder/new
stat $HERS/folder/inner
stat $HERS/folder/roots
stat $HERS/folder
list $HERS/folder
watch IN_DELETE_SELF $HERS/folder
watch IN_MODIFY $HERS/folder/roots
mkdir $HERS/folder/made
unlink $HERS/folder/inner
rmdir $HERS/folder
rename $HERS/folder/inner $HERS/folder/renamed
rename $HERS/own $HERS/folder/roots"
	expect_tally "owner=2001:.*content=\"hers\"|stat .*: ok .*owner=2001:|list .*: ok inner |\
watch IN_DELETE_SELF .*ino:($(printf '%x|%x' "$(stat -c %i "$HERS/folder")" "$(stat -c %i "$HERS/link")")) "
	diff <(echo "$before") <(state) || fail "something has changed"
	expect_equal "$(ls "$HERS/folder")" inner
}

# In her own folder, as herself, all can be done; but not by a link to where it would do the same.
test_as_the_peer_a_folder_that_is_swapped_against_a_link_never_leads_behind_it() {
	local before
	placed_policy as peer
	chmod 0755 /srv/roots
	mkdir /srv/roots/hers
	chown alice /srv/roots/hers
	echo -n "behind" >/srv/roots/hers/inner
	chown alice /srv/roots/hers/inner
	as alice ln -s /srv/roots/hers "$HERS/link"
	before=$(state)
	race "$HERS/folder" "$HERS/link" "\
open O_WRONLY|O_CREAT|O_EXCL $HERS/folder/new
rename $HERS/folder/new $HERS/folder/newer
unlink $HERS/folder/newer
unlink $HERS/folder/new
mkdir $HERS/folder/made
rmdir $HERS/folder/made
open O_RDWR $HERS/folder/inner
list $HERS/folder
rename $HERS/folder/inner $HERS/folder/renamed
rename $HERS/folder/renamed $HERS/folder/inner"
	expect_tally "owner=2001:2001 flags=02 at=0 content=\"hers\"|O_EXCL .*: (ok .*owner=2001:2001|EEXIST kernel)|\
(rename|unlink|mkdir|rmdir) .*: (ok 0|EEXIST kernel)|list .*: ok "
	diff <(echo "$before") <(state) || fail "something has changed"
}

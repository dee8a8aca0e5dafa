# shellcheck shell=bash
# Operations on files: what comes of them through the broker is what comes of them directly.

P=/srv/places
OWNER= # of the whole tree, if it is not what paths_tree says

# A tree that only root can use in full; with what a name may lead to.
paths_tree() {
	local i
	umount -R "$P" 2>/dev/null || true
	mkdir -p "$P"
	mount -t tmpfs -o mode=0755,noatime tmpfs "$P"
	(
		cd "$P" || exit
		umask 022
		mkdir folder empty full secret secret/inner
		echo -n "the file" >file
		echo -n "another file" >other
		echo -n "for root alone" >secret/file
		echo -n "for the owner" >private
		chmod 0600 private
		chmod 0700 secret
		chown carol:staff other
		chmod 0640 other
		echo -n a >folder/a
		ln folder/a folder/hard
		printf '%0102400d' 0 >large
		printf '%0102401d' 0 >too-large
		mkdir folder/b
		touch folder/c full/x
		mkfifo fifo
		mknod null c 1 3
		mknod block b 259 1048575
		python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
		ln -s file link
		ln -s /srv/places/folder to-folder
		ln -s nowhere dangling
		ln -s loop loop
		ln -s ../places/link up
		ln -s file chain1
		for ((i = 2; i <= 9; i++)); do ln -s "chain$((i - 1))" "chain$i"; done
	)
	paths_mounts
}

# A file system that is read-only, one that is full, one without room for one more name, and one
# more.
paths_mounts() {
	local name
	mkdir "$P/read-only" "$P/no-room" "$P/no-names" "$P/mounted"
	mount -t tmpfs -o mode=0755,noatime tmpfs "$P/read-only"
	mount -t tmpfs -o mode=0755,noatime,size=8k tmpfs "$P/no-room"
	mount -t tmpfs -o mode=0755,noatime,nr_inodes=3 tmpfs "$P/no-names"
	mount -t tmpfs -o mode=0755,noatime tmpfs "$P/mounted"
	mkdir "$P/read-only/empty"
	for name in read-only no-room no-names mounted; do
		echo -n "$name" >"$P/$name/file"
	done
	head -c 8192 /dev/zero >"$P/no-room/zeros" 2>/dev/null || true
	touch "$P/no-names/last" || true
	[[ -z $OWNER ]] || chown -hR "$OWNER" "$P"
	mount -o remount,ro "$P/read-only"
}

paths_rules() { # [OPTIONS]
	policy <<-END
		client paths {
			from user alice
			allow read,write,append,create,remove,stat,list,watch /** type any mode 0750 $*
		}
	END
}

# The same lines, both ways: directly as one user, and by the broker for alice. What does not change
# the tree must find it as it was, with all its times: then it is made but once.
compare_ways() { # USER LINES [once]
	paths_tree
	paths direct "$1" "$P" <<<"$2" >/run/test/direct
	[[ ${3-} == once ]] || paths_tree
	reload_broker || fail "the reload failed" # the mounts are others now
	paths brokered alice "$P" <<<"$2" >/run/test/brokered
	diff -U 0 /run/test/direct /run/test/brokered || fail "the answers differ"
}

# A table is worth nothing if what it is about did not come to pass.
expect_words() { # WORD...
	local word
	for word in "$@"; do
		grep -q ": $word\\b" /run/test/direct || fail "no case ended with $word"
	done
}

# ---- looking ----

LOOKS=$(
	# Every way to a path, for every kind of object.
	for path in "$P"/{file,other,private,secret/file,secret,folder,empty,fifo,null,block,socket} \
		"$P"/{link,to-folder,dangling,loop,up,chain8,missing,missing/missing,file/missing} \
		"$P"/{mounted,read-only/file,to-folder/a,to-folder/b,dangling/x,loop/x,link/x} \
		"$P"/{file/,folder/,link/,to-folder/,missing/,dangling/,loop/,folder/.,file/.} \
		"$P"/{./file,/folder///a,folder/./a,./././folder/./b/.} \
		"$P"/@255 "$P"/@256 "$P"/@255/x "$P"/@256/x \
		"$P#4095/file" "$P#4096/file" "$P/@200/@200" / /. // "$P" \
		file folder folder/ ./file .//folder/./a link dangling missing . ./ @255 @256; do
		for operation in stat lstat "access F_OK" "access R_OK" "access W_OK" "access R_OK|W_OK" \
			"readlink 4096" "readlink 3" list "watch IN_DELETE_SELF|IN_MOVE_SELF" \
			"watch IN_DELETE_SELF|IN_DONT_FOLLOW" "watch IN_DELETE_SELF|IN_ONLYDIR"; do
			echo "$operation $path"
		done
	done
)

looks() {
	echo "cd $P"
	# What differs on purpose, and why.
	while read -r line; do
		case $line in
		# A socket is of no type that a rule can name, fdbroker.policy(5).
		access\ [RW]*/socket) line+=" => EACCES type" ;;
		# Its names are another matter: no wildcard is about dot names, /proc, /sys and /dev.
		list\ /|list\ /.|list\ //) continue ;;
		# `**` at the end is about a folder itself under list, stat and watch alone.
		access\ [RW]*\ /|access\ [RW]*\ /.|access\ [RW]*\ //) line+=" => EACCES policy" ;;
		esac
		echo "$line"
	done <<<"$LOOKS"
	cat <<-END
		stat $P/chain9 => ELOOP
		stat $P/folder/../file => EACCES policy
		lstat .. => EACCES policy
		access X_OK $P/folder => EINVAL flags
		access 8 $P/folder => EINVAL flags
		readlink 0 $P/link
		watch 0 $P/file
		watch IN_MODIFY $P/file
		watch IN_ATTRIB|IN_OPEN $P/private
		watch IN_MODIFY $P/secret/file
		watch IN_CREATE $P/folder => EINVAL flags
		watch IN_MODIFY $P/folder => EINVAL flags
		watch IN_MODIFY|IN_ONLYDIR $P/file
	END
}

test_what_is_seen_is_what_root_sees() {
	paths_rules
	start_broker
	compare_ways root "$(looks)" once
	expect_words ok ENOENT ENOTDIR ELOOP EINVAL ENAMETOOLONG
}

# ---- opening ----

opens() {
	local path flags
	echo "cd $P"
	for path in "$P"/{file,private,secret/file,link,up,chain8,missing,missing/x,file/x,loop,folder/} \
		"$P"/{file/,link/,to-folder/a,folder,read-only/file,@255,@256,@255/x} "$P#4095/file" \
		"$P#4096/file" file ./folder//a . @256; do
		for flags in O_RDONLY O_WRONLY O_RDWR "O_WRONLY|O_APPEND" "O_RDONLY|O_NOFOLLOW" \
			"O_RDONLY|O_DIRECTORY" "O_RDWR|O_NOFOLLOW|O_NONBLOCK" \
			"O_RDWR|O_SYNC|O_APPEND" "O_RDONLY|O_DIRECTORY|O_NOFOLLOW" "O_RDWR|O_DSYNC"; do
			echo "open $flags $path"
		done
	done
	cat <<-END
		open O_RDONLY|O_NONBLOCK $P/fifo
		open O_WRONLY|O_NONBLOCK $P/fifo
		open O_RDWR $P/fifo
		open O_RDONLY $P/null
		open O_RDWR $P/null
		open O_RDONLY $P/block
		open O_RDONLY $P/socket => EACCES type
		open O_RDONLY $P/chain9 => ELOOP
		open O_RDONLY $P/dangling
		open O_RDONLY $P/dangling/x
		open O_RDONLY $P/folder/../file => EACCES policy
	END
}

test_what_is_opened_is_what_root_opens() {
	paths_rules
	start_broker
	compare_ways root "$(opens)"
	expect_words ok ENOENT ENOTDIR EISDIR ELOOP ENAMETOOLONG EROFS ENXIO
}

# ---- changing ----

# What one line does the next one finds done.
changes() {
	cat <<-END
		cd $P
		open O_WRONLY|O_CREAT $P/new
		open O_RDWR|O_CREAT $P/new
		open O_RDWR|O_CREAT|O_EXCL $P/new
		open O_WRONLY|O_CREAT|O_EXCL $P/exclusive
		open O_RDONLY|O_CREAT $P/read
		open O_WRONLY|O_CREAT|O_APPEND $P/log
		open O_RDWR|O_CREAT|O_TRUNC $P/folder/c
		open O_WRONLY|O_TRUNC $P/secret/file
		open O_WRONLY|O_CREAT|O_NOFOLLOW $P/link
		open O_WRONLY|O_CREAT|O_EXCL $P/link
		open O_WRONLY|O_CREAT $P/link
		open O_WRONLY|O_CREAT $P/to-folder/through
		open O_WRONLY|O_CREAT $P/dangling => EACCES symlink
		open O_WRONLY|O_CREAT|O_EXCL $P/dangling
		open O_WRONLY|O_CREAT $P/loop
		open O_WRONLY|O_CREAT $P/folder
		open O_WRONLY|O_CREAT $P/new/
		open O_WRONLY|O_CREAT $P/other-new/
		open O_WRONLY|O_CREAT $P/missing/new
		open O_WRONLY|O_CREAT $P/file/new
		open O_WRONLY|O_CREAT $P/read-only/new
		open O_WRONLY|O_CREAT $P/read-only/file
		open O_RDONLY|O_CREAT $P/read-only/file
		open O_WRONLY|O_CREAT $P/no-names/new
		open O_WRONLY|O_CREAT $P/no-room/new
		open O_WRONLY|O_CREAT $P/mounted/new
		open O_WRONLY|O_CREAT $P/@255
		open O_WRONLY|O_CREAT $P/@256
		open O_WRONLY|O_CREAT $P#4095/long
		open O_WRONLY|O_CREAT $P#4096/long
		open O_WRONLY|O_CREAT .//relative
		open O_WRONLY|O_CREAT folder/./relative

		mkdir $P/made
		mkdir $P/made
		mkdir $P/made/
		mkdir $P/slash/
		# The library tells by the text alone what is wrong with a last ".".
		mkdir $P/slash/. => EEXIST
		mkdir $P/none/. => EEXIST
		mkdir .//here//
		mkdir $P/to-folder/through-link
		mkdir $P/link
		mkdir $P/dangling
		mkdir $P/dangling/
		mkdir $P/file
		mkdir $P/file/x
		mkdir $P/missing/x
		mkdir $P/loop/x
		mkdir $P/read-only/x
		mkdir $P/read-only/file
		mkdir $P/no-names/x
		mkdir $P/no-room/x
		mkdir $P/@255/x
		mkdir $P/made/@255
		mkdir $P/made/@256
		mkdir /

		rmdir $P/made/@255
		rmdir $P/empty/.
		rmdir $P/empty/
		rmdir $P/empty
		rmdir $P/full
		rmdir $P/full/
		rmdir $P/file
		rmdir $P/file/
		rmdir $P/file/x
		rmdir $P/link
		rmdir $P/to-folder
		rmdir $P/to-folder/
		rmdir $P/missing
		rmdir $P/missing/x
		rmdir $P/mounted
		rmdir $P/read-only/empty
		rmdir $P/to-folder/b
		rmdir here
		rmdir @256
		rmdir .
		rmdir /

		unlink $P/folder
		unlink $P/folder/
		unlink $P/folder/.
		unlink $P/file/
		unlink $P/missing
		unlink $P/missing/
		unlink $P/missing/x
		unlink $P/file/x
		unlink $P/folder/hard
		unlink $P/to-folder/c
		unlink $P/chain9
		unlink $P/dangling
		unlink $P/to-folder/
		unlink $P/loop/
		unlink $P/loop
		unlink $P/fifo
		unlink $P/null
		unlink $P/socket
		unlink $P/private
		unlink $P/secret/file
		unlink $P/read-only/file
		unlink $P/read-only/none
		rmdir $P/read-only/none
		unlink $P/no-names/file
		unlink $P/@256
		unlink ./relative
		unlink /
		unlink .

		copy $P/file
	END
}

test_what_is_changed_is_what_root_changes() {
	paths_rules owner root:root
	start_broker
	compare_ways root "$(changes)"
	expect_words ok ENOENT ENOTDIR EISDIR ELOOP ENAMETOOLONG EROFS ENOSPC EEXIST ENOTEMPTY EBUSY EINVAL
}

# ---- renaming ----

renames() {
	cat <<-END
		cd $P
		rename $P/file $P/renamed
		rename $P/renamed $P/folder/renamed
		rename $P/folder/renamed $P/private
		rename $P/folder/a $P/folder/hard
		rename $P/folder/a $P/folder/a
		rename $P/folder/b $P/folder/b2
		rename $P/empty $P/empty2
		rename $P/empty2 $P/full
		rename $P/full $P/empty2
		rename $P/empty2 $P/empty2/inside
		rename $P/empty2/ $P/empty3/
		rename $P/private $P/private2/
		rename $P/private/ $P/private2
		rename $P/empty3 $P/private/
		rename $P/private $P/empty3
		rename $P/private $P/folder
		rename $P/folder $P/private
		rename $P/folder/b2 $P/folder
		rename $P/folder/b2 $P/full
		rename $P/missing $P/new
		rename $P/missing/x $P/new
		rename $P/private $P/missing/x
		rename $P/private/x $P/new
		rename $P/private $P/other/x
		rename $P/missing $P/missing
		rename $P/private $P/private
		rename $P/private $P/mounted/private
		rename $P/mounted/file $P/new
		rename $P/mounted $P/new
		rename $P/empty3 $P/mounted
		rename $P/read-only/file $P/read-only/new
		rename $P/private $P/read-only/new
		rename $P/no-names/file $P/no-names/new
		rename $P/no-room/file $P/no-room/zeros
		rename $P/private $P/@256
		rename $P/private $P/@255
		rename $P/@255 $P/private
		rename $P/loop/x $P/new
		rename $P/private $P/loop/x
		rename $P/private $P/to-folder/there
		rename $P/to-folder/there $P/private
		rename private ./folder//.///private
		rename folder/private private
		rename . $P/new
		rename $P/empty3/. $P/new => EBUSY
		rename $P/private .
		# The library tells by the text alone.
		rename / $P/new => EBUSY
		rename $P/private / => EBUSY
		# The kernel has EXDEV and EROFS before it looks, fdbroker.h.
		rename $P/missing $P/mounted/new => ENOENT
		rename $P/read-only/none $P/read-only/new => ENOENT
		rename $P/fifo $P/fifo2
		rename $P/null $P/null2
		rename $P/secret $P/secret2
		rename $P/secret2/inner $P/secret2/outer
		rename $P/secret2 $P/secret2/inner/x
		rename $P/private $P/loop
		# Links are not renamed: their text would mean something else elsewhere.
		rename $P/link $P/link2 => EACCES type
		rename $P/dangling $P/dangling2 => EACCES type
		rename $P/to-folder/ $P/x
		rename $P/socket $P/socket2 => EACCES type
		rename $P/private $P/../x => EACCES policy
	END
}

# A folder that is root's alone stays in the folder that it is in, fdbroker.policy(5).
renames_of_root() {
	renames | sed -E 's,^\s*rename \S+/(empty2 \S+/inside|b2 \S+/folder|b2 \S+/full)$,& => EACCES policy,'
}

test_what_is_renamed_is_what_root_renames() {
	paths_rules owner root:root
	start_broker
	compare_ways root "$(renames_of_root)"
	expect_words ok ENOENT ENOTDIR EISDIR ELOOP ENAMETOOLONG EROFS EXDEV ENOTEMPTY EBUSY
}

# ---- as another user ----

test_as_a_user_all_this_is_what_that_user_gets() {
	paths_rules as bob
	start_broker
	compare_ways bob "$(looks)" once
	expect_words ok EACCES ENOENT ENOTDIR ELOOP
	compare_ways bob "$(opens)"
	expect_words ok EACCES ENOENT ENOTDIR ELOOP
	compare_ways bob "$(changes)"
	expect_words ok EACCES ENOENT ENOTDIR ELOOP
	compare_ways bob "$(renames)"
	expect_words EACCES ENOENT ENOTDIR ELOOP
}

# Links in a user's folder are not followed: tests/hostile/paths.sh.
without_links() {
	grep -vE '[/ ](link|to-folder|dangling|loop|up|chain[0-9])\b'
}

test_as_a_user_in_folders_of_its_own_all_this_is_what_that_user_gets() {
	paths_rules as bob
	start_broker
	OWNER=bob:staff
	compare_ways bob "$(looks | without_links)" once
	expect_words ok ENOENT ENOTDIR EINVAL ENAMETOOLONG
	compare_ways bob "$(opens | without_links)"
	expect_words ok ENOENT ENOTDIR EISDIR ENAMETOOLONG EROFS ENXIO
	compare_ways bob "$(changes | without_links)"
	expect_words ok ENOENT ENOTDIR EISDIR ENAMETOOLONG EROFS ENOSPC EEXIST ENOTEMPTY EBUSY
	compare_ways bob "$(renames | without_links)"
	expect_words ok ENOENT ENOTDIR EISDIR ENAMETOOLONG EROFS EXDEV ENOTEMPTY EBUSY EINVAL
}

# ---- copies ----

copies() {
	cat <<-END
		cd $P
		copy $P/file
		copy $P/secret/file
		copy $P/folder/c
		copy $P/folder/./a
		copy file
		copy $P/link
		copy $P/up
		copy $P/to-folder/a
		copy $P/read-only/file
		copy $P/no-room/zeros
		copy $P/large
		copy $P/too-large => EFBIG policy
		copy $P/missing
		copy $P/missing/x
		copy $P/file/x
		copy $P/file/
		copy $P/folder => EACCES type
		copy $P/null => EACCES type
		copy $P/dangling
		copy $P/loop
		copy $P/@255
		copy $P/@256
		copy $P#4096/file
	END
}

test_a_copy_is_what_root_reads() {
	policy <<-END
		client paths {
			from user alice
			allow read /** copy max 100K
		}
	END
	start_broker
	compare_ways root "$(copies)" once
	expect_words ok ENOENT ENOTDIR ELOOP ENAMETOOLONG
	expect_equal "$(paths reasons alice <<<"open O_WRONLY $P/file")" \
		"open O_WRONLY $P/file: EACCES policy"
}

# ---- what is not granted ----

audit_count_is() { # NUMBER
	(($(log_count 'audit: ') == $1))
}

# Nothing in the answers or in the log says whether there is anything.
expect_all_the_same() { # WHAT LINES
	local seen
	: >"$BROKER_LOG"
	paths reasons alice <<<"$2" >/run/test/answers
	expect_equal "$(sed 's/.*: //' /run/test/answers | sort -u)" "EACCES policy" "$1"
	eventually 5 audit_count_is "$(grep -c . /run/test/answers)" || fail "$1: lines are missing"
	seen=$(audit_lines . | sed -E 's/(pid|object|target|time)=[^ ]*//g' | sort -u)
	expect_equal "$(wc -l <<<"$seen")" 1 "$1: the log says $seen"
}

ungranted_rules() {
	policy <<-END
		client ungranted {
			from user alice
			allow read,write,append,create,remove,stat,list,watch /srv/open/** type any
			deny all /srv/open/denied/**
		}
	END
	secret /srv/open/file "for alice"
	secret /srv/hidden/file "not for her"
	secret /srv/hidden/folder/inner "not for her"
	secret /srv/open/denied/file "not for her"
	secret /srv/open/denied/folder/inner "not for her"
	ln -s file /srv/hidden/link
	ln -s file /srv/open/denied/link
	start_broker
}

test_an_answer_never_tells_whether_what_is_not_granted_exists() {
	local operation root lines path
	ungranted_rules
	for operation in "open O_RDONLY" "open O_WRONLY" "open O_RDWR|O_APPEND" "open O_WRONLY|O_CREAT" \
		"open O_RDONLY|O_DIRECTORY" "open O_WRONLY|O_CREAT|O_EXCL" stat lstat "access F_OK" \
		"access R_OK" "access W_OK" "readlink 100" mkdir unlink rmdir list \
		"watch IN_DELETE_SELF" copy; do
		for root in /srv/hidden /srv/open/denied; do
			lines=
			for path in file none folder link none/x file/x folder/inner link/x; do
				lines+="$operation $root/$path"$'\n'
			done
			expect_all_the_same "$operation $root" "$lines"
		done
	done
}

test_a_rename_never_tells_whether_what_is_not_granted_exists() {
	local root path lines
	ungranted_rules
	for root in /srv/hidden /srv/open/denied; do
		lines=
		for path in file none folder link none/x file/x folder/inner; do
			lines+="rename $root/$path /srv/open/new"$'\n'
			lines+="rename $root/$path /srv/open/file"$'\n'
			lines+="rename $root/$path $root/none"$'\n'
		done
		expect_all_the_same "from $root" "$lines"
		lines=
		for path in file none folder link none/x file/x folder/inner; do
			lines+="rename /srv/open/file $root/$path"$'\n'
			lines+="rename /srv/open/none $root/$path"$'\n'
		done
		expect_all_the_same "to $root" "$lines"
	done
	expect_equal "$(cat /srv/open/file)" "for alice"
}

# ---- list, watch ----

test_a_list_shows_granted_names_alone() {
	policy <<-END
		client list {
			from user alice
			allow list /srv/folder/** /srv/link
			allow read /srv/folder/*.txt /srv/link/*.txt
			allow stat /srv/folder/.seen
			deny all /srv/folder/denied.txt
		}
	END
	secret /srv/folder/a.txt ""
	touch /srv/folder/{b.txt,denied.txt,other,.hidden,.hidden.txt,.seen} $'/srv/folder/new\nline.txt'
	mkdir /srv/folder/sub
	ln -s folder /srv/link
	start_broker
	# All but those with a dot: `list` is granted for what is below.
	expect_equal "$(paths reasons alice <<<"list /srv/folder")" \
		$'list /srv/folder: ok .seen a.txt b.txt new\nline.txt other sub'
	# By another name other rules, and the same denies.
	expect_equal "$(paths reasons alice <<<"list /srv/link")" \
		$'list /srv/link: ok a.txt b.txt new\nline.txt'
}

# Writes to it, by and by, until the test is over.
keep_writing() { # FILE
	while sleep 0.1; do
		echo line >>"$1"
	done
}

test_a_watch_tells_of_changes_to_a_file_that_root_alone_can_read() {
	policy <<-END
		client watch {
			from user alice
			allow watch /srv/log/*
		}
	END
	secret /srv/log/file ""
	secret /srv/log/ungranted/file ""
	start_broker
	keep_writing /srv/log/file &
	expect_equal "$(paths reasons alice <<<"events IN_MODIFY /srv/log/file")" \
		'events IN_MODIFY /srv/log/file: ok mask=0x2 name=""'
	expect_equal "$(paths reasons alice <<<"events IN_MODIFY /srv/log/ungranted/file")" \
		"events IN_MODIFY /srv/log/ungranted/file: EACCES policy"
	kill $!
}

# Events of a directory carry names; these two do not.
test_a_watch_of_a_folder_never_shows_a_name() {
	local mask
	policy <<-END
		client watch {
			from user alice
			allow watch /srv/**
		}
	END
	secret /srv/folder/file ""
	start_broker
	for mask in 0xfff 1 2 4 8 0x10 0x20 0x40 0x80 0x100 0x200 0x402 0x20000100 0x40000200; do
		expect_equal "$(paths reasons alice <<<"watch $mask /srv/folder")" \
			"watch $mask /srv/folder: EINVAL flags"
	done
	(sleep 0.5; mv /srv/folder /srv/moved) &
	expect_equal "$(paths reasons alice <<<"events IN_DELETE_SELF|IN_MOVE_SELF /srv/folder")" \
		'events IN_DELETE_SELF|IN_MOVE_SELF /srv/folder: ok mask=0x800 name=""'
}

# ---- descriptors ----

role_descriptors() {
	local role pid fds
	for role in "" worker executor; do
		for pid in $(broker_pids "$role"); do
			fds=("/proc/$pid/fd/"*)
			echo "${role:-supervisor} ${#fds[@]}"
		done
	done
}

role_descriptors_are() { # TEXT
	[[ $(role_descriptors) == "$1" ]]
}

# What succeeds and what fails, for every operation; each line undoes what one before it has done.
EVERYTHING="\
open O_RDONLY $P/file
open O_RDONLY $P/missing
open O_RDONLY $P/loop
open O_RDWR|O_CREAT|O_EXCL $P/made
open O_RDWR|O_CREAT|O_EXCL $P/made
unlink $P/made
unlink $P/made
unlink $P/folder
mkdir $P/made
mkdir $P/made
rmdir $P/made
rmdir $P/made
rmdir $P/full
rename $P/file $P/renamed
rename $P/renamed $P/file
rename $P/missing $P/new
rename $P/file $P/mounted/file2
stat $P/file
stat $P/missing
lstat $P/link
access R_OK $P/secret/file
access W_OK $P/read-only/file
readlink 100 $P/link
readlink 100 $P/file
list $P/folder
list $P/file
list $P/missing
watch IN_MODIFY $P/file
watch IN_CREATE $P/folder
watch IN_MODIFY $P/missing
copy /srv/copied/file
copy /srv/copied/missing
copy /srv/copied/large
open O_RDONLY /srv/denied/file
stat /srv/denied/file
list /srv/denied
watch IN_MODIFY /srv/denied/file
rename $P/file /srv/denied/file
many O_RDONLY $P/file O_RDONLY $P/missing O_RDONLY /srv/copied/file O_RDONLY|O_CREAT $P/file
descriptors"

everything_policy() {
	policy <<-END
		client paths {
			from user alice
			allow read,write,append,create,remove,stat,list,watch $P/** type any mode 0750
			allow read /srv/copied/* copy max 10
		}
	END
	paths_tree
	mkdir /srv/copied
	echo -n copied >/srv/copied/file
	echo "more than ten bytes" >/srv/copied/large
	secret /srv/denied/file ""
	start_broker
}

test_descriptors_are_as_many_after_hundreds_of_operations_as_before() {
	local before line
	everything_policy
	touch /run/test/enough
	paths often alice /run/test/enough 5 <<<"$EVERYTHING" >/dev/null
	before=$(role_descriptors)
	paths often alice /run/test/enough 300 <<<"$EVERYTHING" >/run/test/tally
	eventually 10 role_descriptors_are "$before" ||
		fail "before: $before, after: $(role_descriptors)"
	# Each came to the same all 300 times; so the client has as many open as well.
	while read -r line; do
		expect_match "$line" ' \(300 times\)$'
	done </run/test/tally
}

test_without_room_for_a_descriptor_only_what_gives_one_fails() {
	local before
	everything_policy
	paths reasons alice <<<"$EVERYTHING" >/dev/null
	before=$(role_descriptors)
	paths reasons alice <<-END >/run/test/answers
		descriptors
		room 0
		open O_RDONLY $P/file
		open O_RDWR|O_CREAT|O_EXCL $P/unseen
		list $P/folder
		copy /srv/copied/file
		many O_RDONLY $P/file O_RDONLY $P/missing O_RDONLY /srv/copied/file O_RDONLY $P/other
		access F_OK $P/unseen
		readlink 100 $P/link
		mkdir $P/made
		rename $P/made $P/made2
		rmdir $P/made2
		unlink $P/unseen
		descriptors
		room 3
		many O_RDONLY $P/file O_RDONLY $P/missing O_RDONLY /srv/copied/file O_RDONLY /srv/denied/file \
O_RDWR|O_CREAT|O_EXCL $P/new O_RDONLY $P/private
		watch IN_MODIFY $P/secret/file
		list $P/full
		descriptors
	END
	sed -i 's/ inotify .*//' /run/test/answers
	diff - <(sed 's/.*: //' /run/test/answers) <<-END || fail "the answers differ"
		$(head -n 1 /run/test/answers | sed 's/.*: //')
		ok 0
		EMFILE local
		EMFILE local
		EMFILE local
		EMFILE local
		0, EMFILE local, ENOENT kernel, EMFILE local, EMFILE local
		ok 0
		ok 4 "file"
		ok 0
		ok 0
		ok 0
		ok 0
		$(head -n 1 /run/test/answers | sed 's/.*: //')
		ok 0
		3, content="the file", ENOENT kernel, EMFILE local, EACCES policy, content="", \
content="for the owner"
		ok 1
		ok x
		$(head -n 1 /run/test/answers | sed 's/.*: //')
	END
	eventually 10 role_descriptors_are "$before" ||
		fail "before: $before, after: $(role_descriptors)"
}

test_one_call_opens_some_and_says_of_each_other_why_not() {
	everything_policy
	expect_equal "$(paths reasons alice <<-END | sed 's/.*: //'
		cd $P
		many O_RDONLY $P/file O_RDWR|O_CREAT|O_EXCL $P/new O_RDONLY /srv/copied/file \
O_RDONLY $P/missing O_RDONLY /srv/denied/file O_RDONLY $P/file/x O_RDONLY file \
O_RDWR|O_CREAT|O_EXCL $P/file O_RDONLY /srv/copied/large O_PATH $P/file O_RDONLY $P/loop \
O_RDONLY|O_NOFOLLOW $P/link O_RDONLY|O_DIRECTORY $P/file O_WRONLY|O_CREAT $P/read-only/new \
O_WRONLY /srv/copied/file O_RDONLY $P/chain9 O_RDONLY $P/secret/file
	END
	)" "ok 0
5, content=\"the file\", content=\"\", content=\"copied\", ENOENT kernel, EACCES policy, \
ENOTDIR kernel, content=\"the file\", EEXIST kernel, EFBIG policy, EINVAL flags, ELOOP symlink, \
ELOOP kernel, ENOTDIR kernel, EROFS kernel, EACCES policy, ELOOP symlink, \
content=\"for root alone\""
}

# ---- what a rename needs ----

rename_policy() {
	policy <<-END
		client rename {
			from user alice
			allow remove /srv/removable/**
			allow create /srv/creatable/** type any
			allow remove,create,stat /srv/both/** type any
			allow create,stat /srv/keeping/** type any
			allow read /srv/both/*.txt /srv/both/shown/**
			allow remove,create,stat /srv/as/** type any as bob
			allow remove,create /srv/files/*
			deny read /srv/both/**/denied.txt
		}
	END
	secret /srv/removable/file content
	secret /srv/creatable/file content
	secret /srv/both/file content
	secret /srv/both/a.txt content
	secret /srv/both/denied.txt content
	secret /srv/both/folder/x content
	secret /srv/both/shown/x content
	secret /srv/keeping/there other
	secret /srv/as/file other
	secret /srv/files/file content
	mkdir /srv/files/folder
	start_broker
}

# The answer to one rename, and whether it has come to pass.
expect_rename() { # FROM TO ANSWER
	local answer before
	before=$(find "$1" -printf '%i %s\n' 2>/dev/null || true)
	answer=$(paths reasons alice <<<"rename $1 $2")
	expect_equal "${answer##*: }" "$3" "$1 to $2"
	if [[ $3 == "ok 0" ]]; then
		[[ ! -e $1 ]] || fail "$1 is still there"
		expect_equal "$(find "$2" -printf '%i %s\n')" "$before"
	else
		expect_equal "$(find "$1" -printf '%i %s\n' 2>/dev/null || true)" "$before"
	fi
}

test_a_rename_needs_remove_for_the_old_name_and_create_for_the_new_one() {
	rename_policy
	expect_rename /srv/removable/file /srv/removable/new "EACCES policy"
	expect_rename /srv/creatable/file /srv/creatable/new "EACCES policy"
	expect_rename /srv/creatable/file /srv/both/new "EACCES policy"
	expect_rename /srv/both/file /srv/removable/new "EACCES policy"
	expect_rename /srv/both/file /srv/keeping/new "ok 0"
	expect_rename /srv/keeping/new /srv/both/file "EACCES policy"
	# Its verbs, and both of its names, are in the log.
	expect_log 'audit: allowed .* verb=create,remove object="/srv/both/file" target="/srv/keeping/new" reason=none error=- '
	expect_log 'audit: denied .* verb=create,remove object="/srv/keeping/new" target="/srv/both/file" reason=policy error=EACCES '
}

test_what_bears_the_new_name_goes_only_if_it_may_be_removed() {
	rename_policy
	expect_rename /srv/both/file /srv/keeping/there "EEXIST kernel"
	expect_equal "$(cat /srv/keeping/there)" other
	expect_rename /srv/both/file /srv/both/folder/x "ok 0"
	expect_equal "$(cat /srv/both/folder/x)" content
}

test_with_the_new_name_no_more_is_possible_than_with_the_old_one() {
	rename_policy
	expect_rename /srv/both/file /srv/both/new.txt "EACCES policy"
	expect_rename /srv/both/file /srv/both/shown/file "EACCES policy"
	expect_rename /srv/both/folder /srv/both/shown/folder "EACCES policy"
	expect_rename /srv/both/denied.txt /srv/both/allowed.txt "EACCES policy"
	expect_log 'audit: denied .* object="/srv/both/denied.txt" target="/srv/both/allowed.txt" reason=policy '
	expect_rename /srv/both/a.txt /srv/both/b.txt "ok 0"
	expect_rename /srv/both/b.txt /srv/both/denied.txt "ok 0"
	expect_rename /srv/both/folder /srv/both/other "ok 0"
}

test_a_rename_is_made_by_one_identity() {
	rename_policy
	expect_rename /srv/both/file /srv/as/new "EACCES policy"
	expect_rename /srv/as/file /srv/both/new "EACCES policy"
	# bob may not write there.
	expect_rename /srv/as/file /srv/as/new "EACCES kernel"
}

test_a_rename_is_of_the_types_that_the_rule_names() {
	rename_policy
	expect_rename /srv/files/folder /srv/files/new "EACCES type"
	expect_rename /srv/files/file /srv/files/new "ok 0"
}

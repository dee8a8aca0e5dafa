# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# Which file or socket the program under `fdbroker run` means, said in ways that mean something else
# to the supervisor: what is served is what the kernel would have opened, or nothing.
source tests/system/run.lib

# ---- /proc/self ----

# A tree of alice's own that has the names of root's. The names below lead into it; for the
# supervisor, whose folder is /, they would lead to root's.
own_tree() {
	run_policy - <<-'END'
		allow read,write,create /home/log
	END
	secret /home/log log
	belongs_to alice /home/alice/tree/srv/granted "alice's own"
	mkdir -p /home/alice/tree/below
	ln -s /proc/self/cwd /home/alice/cwd
	[[ -e /dev/fd ]] || ln -s /proc/self/fd /dev/fd
	chown -R alice:alice /home/alice
}

# What cat says of each, below run and without it.
expect_as_without_run() { # PATH...
	local path
	for path in "$@"; do
		# shellcheck disable=SC2016 # expanded inside
		set -- sh -c 'cd /home/alice/tree/below && exec 3<. && cat "$1" 2>&1; :' sh "$path"
		expect_equal "$(run "$@")" "$(as alice "$@")" "$path"
	done
}

test_names_of_the_process_itself_are_those_of_the_program() {
	own_tree
	expect_as_without_run /proc/self/cwd/../srv/granted /proc/self/cwd/../../srv/granted \
		/proc/thread-self/cwd/../srv/granted /home/alice/cwd/../srv/granted \
		/home/alice/cwd/../../srv/granted ../../cwd/../srv/granted \
		/dev/fd/3/../srv/granted /dev/fd/3/../../srv/granted /proc/self/fd/3/../srv/granted \
		/proc/self/root/srv/granted /home/alice/cwd/../../../srv/other /dev/fd/0/../granted
	# shellcheck disable=SC2016 # expanded inside
	expect_equal "$(run sh -c 'cd /home/alice/tree/below &&
		cat /proc/self/cwd/../srv/granted /home/alice/cwd/../srv/granted')" \
		"alice's ownalice's own"
}

test_nothing_is_created_where_the_program_did_not_mean_it() {
	own_tree
	expect_status 2 run sh -c 'cd /home/alice/tree/below && echo mine >/proc/self/cwd/../home/log'
	expect_match "$output" 'nonexistent|No such file'
	expect_equal "$(cat /home/log)" log
	mkdir -m 0777 /home/alice/tree/home
	expect_status 0 run sh -c 'cd /home/alice/tree/below && echo mine >/proc/self/cwd/../home/log'
	expect_equal "$(cat /home/log) $(cat /home/alice/tree/home/log)" "log mine"
}

# ---- trees that are not mounted here ----

# A folder in a tree of which only a user namespace of alice's own knows: the kernel tells its name
# from the root of that tree.
test_a_detached_tree_is_not_taken_for_the_hosts() {
	run_policy
	cat >/run/test/detached.py <<-'END'
		import ctypes, os, socket, sys
		libc = ctypes.CDLL(None, use_errno=True)
		def check(result):
		    if result < 0:
		        print("impossible:", os.strerror(ctypes.get_errno()))
		        sys.exit(0)
		    return result
		ours, theirs = socket.socketpair()
		if os.fork() == 0:
		    check(libc.unshare(0x10000000 | 0x00020000)) # CLONE_NEWUSER | CLONE_NEWNS
		    for name, text in ("setgroups", "deny"), ("uid_map", "0 2001 1"), ("gid_map", "0 2001 1"):
		        with open("/proc/self/" + name, "w") as file:
		            file.write(text)
		    context = check(libc.syscall(430, b"tmpfs", 0)) # fsopen(2)
		    check(libc.syscall(431, context, 6, None, None, 0)) # FSCONFIG_CMD_CREATE
		    tree = check(libc.syscall(432, context, 0, 0)) # fsmount(2)
		    os.mkdir("srv", dir_fd=tree)
		    log = os.open("srv/log", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=tree)
		    os.write(log, b"own\n")
		    socket.send_fds(theirs, [b"x"], [tree])
		    sys.exit(0)
		theirs.close()
		fds = socket.recv_fds(ours, 1, 1)[1]
		if fds:
		    print(os.readlink(f"/proc/self/fd/{fds[0]}"))
		    log = os.open("srv/log", os.O_WRONLY | os.O_APPEND, dir_fd=fds[0])
		    os.write(log, b"mine\n")
		    log = os.open("srv/log", os.O_RDONLY, dir_fd=fds[0])
		    print(os.read(log, 100).decode(), end="")
	END
	expect_status 0 run python3 /run/test/detached.py
	[[ $output != *impossible* ]] || skip "alice may make no tree: $output"
	expect_equal "$output" $'/\nown\nmine'
	expect_equal "$(cat /srv/log)" first
}

# The program's root is the host's, its folder is in a tree of another mount namespace.
test_a_folder_of_another_mount_namespace_is_not_taken_for_the_hosts() {
	may_unshare -Urm
	run_policy
	cat >/run/test/elsewhere <<-'END'
		unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /srv &&
			echo own >/srv/granted && echo own >/srv/log && echo $$ >/home/alice/pid &&
			exec sleep 300' &
		until [ -s /home/alice/pid ]; do sleep 0.05; kill -0 $! || exit 1; done
		cd "/proc/$(cat /home/alice/pid)/root/srv" || exit 1
		cat granted
		echo mine >>log
		cat log
		kill $!
	END
	expect_status 0 run bash /run/test/elsewhere
	expect_equal "$output" $'own\nown\nmine'
	expect_equal "$(cat /srv/log)" first
	expect_equal "$(audit_lines '/srv')" ""
}

# ---- a folder that is gone ----

# The kernel writes it so of a folder that has been removed: the two cannot be told apart.
test_a_folder_called_deleted_is_not_served() {
	run_policy - <<-'END'
		allow read /srv/open/**
	END
	mkdir -p /srv/open/d "/srv/open/d (deleted)"
	secret "/srv/open/d (deleted)/file" secret
	open_run program
	expect_equal "$(tell program "chdir /srv/open/d")" ok
	rmdir /srv/open/d
	expect_equal "$(tell program "cat file")" ENOENT
	expect_equal "$(run cat "/srv/open/d (deleted)/file")" secret
	expect_status 1 run sh -c 'cd "/srv/open/d (deleted)" && cat file'
	expect_match "$output" 'Permission denied'
}

# ---- the ends of a name ----

test_a_file_is_no_folder() {
	run_policy
	expect_equal "$(run calls read /srv/granted/)" ENOTDIR
	expect_equal "$(run calls read /srv/granted/.)" ENOTDIR
	expect_equal "$(run calls read /srv/granted)" "ok granted"
}

# ---- openat2(2), and flags that libc hides ----

test_openat2_is_served_where_the_kernel_would_take_it() {
	local opened="ok granted"
	run_policy
	expect_equal "$(run calls openat2 /srv/granted 0 0 24 0)" "$opened"
	expect_equal "$(run calls openat2 /srv/granted 0 0 32 0)" "$opened" "a longer struct"
	expect_equal "$(run calls openat2 /srv/granted 0 0 4096 0)" "$opened" "a page"
	expect_equal "$(run calls openat2 /srv/granted 0 0 32 1)" E2BIG "a flag of the future"
	expect_equal "$(run calls openat2 /srv/granted 0 0 4096 1)" E2BIG "a flag of the far future"
	expect_equal "$(run calls openat2 /srv/granted 0 0 4097 0)" E2BIG "more than a page"
	expect_equal "$(run calls openat2 /srv/granted 0 0 16 0)" EINVAL "a shorter struct"
	expect_equal "$(run calls openat2 /srv/granted 0 0644 24 0)" EINVAL "a mode, and no O_CREAT"
	expect_equal "$(run calls openat2 /srv/granted 0100 010000 24 0)" EINVAL "what is no mode"
	expect_equal "$(run calls openat2 /srv/granted 0100 0x100000000 24 0)" EINVAL "a wide mode"
	expect_equal "$(run calls openat2 /srv/granted 0x100000000 0 24 0)" EINVAL "a wide flag"
}

# Static programs of 64 bits send it, though it means nothing to them: open(2).
test_O_LARGEFILE_is_no_reason_to_refuse() {
	run_policy
	expect_equal "$(run calls openat /srv/granted 0100000)" "ok granted"
}

# shellcheck shell=bash
# What `fdbroker run` thinks that the broker could grant: it is what the broker says then.

run_policy() { # [MORE RULES OF alice]
	policy <<-END
		client files {
			from user alice
			allow read,write,create /srv/run/** mode 0600
			allow append /srv/log/*
			deny all /srv/run/denied/**
			deny write /srv/run/f
			allow read %h/own/* as peer
			allow read /srv/by-name/%u/* /srv/by-name/%%u
			allow read /srv/as/* as bob
			allow read "/srv/a\\x2bb/[xy]?"
			allow read /srv/copies/* copy
			allow read /srv/two/*
			allow write /srv/two/f symlinks none
			allow read /srv/folder/* type directory
			allow create /srv/new/*
			${1-}
		}
		client sockets {
			from user alice
			allow bind tcp:80,443 udp:127.0.0.1:53 tcp:10.0.0.0/8:90-99 tcp:[::1]:70 vsock:*:7 vsock:1:9
			allow bind unix:/srv/run/*.sock
			deny bind tcp:127.0.0.1:443
		}
		client narrow only {
			from user alice
			allow read,write,create /srv/run/** mode 0600
			allow append /srv/log/*
			allow read %h/own/* as peer
			allow read /srv/by-name/%u/*
			allow read /srv/as/* as bob
			allow read "/srv/a\\x2bb/[xy]?"
			allow read /srv/copies/* copy
			allow read /srv/two/*
			allow write /srv/two/f symlinks none
			allow create,read /srv/new/*
			allow bind tcp:80 tcp:10.0.0.1:90-95 udp:127.0.0.1:53 vsock:*:7 vsock:1:9 unix:/srv/run/*.sock
		}
		client others {
			from user bob
			allow read /srv/bob/*
		}
	END
}

run_files() {
	local path
	for path in /srv/run/{f,g,denied/f,x.sock} /srv/log/{f,g} /srv/by-name/{alice/f,bob/f,%u} \
		/srv/{as/f,copies/f,two/f,bob/f,run2/f} /srv/a+b/{x1,z1} /srv/a/f; do
		secret "$path" content
	done
	mkdir -p /srv/folder/d /srv/new
	belongs_to alice /home/alice/own/f content
	belongs_to alice /home/alice/f content
	belongs_to bob /srv/as/f content
	chmod 0755 /srv/as
}

FLAGS=(O_RDONLY O_WRONLY O_RDWR 'O_WRONLY|O_APPEND' 'O_WRONLY|O_APPEND|O_TRUNC' 'O_RDWR|O_APPEND'
	'O_RDONLY|O_TRUNC' 'O_RDONLY|O_NOFOLLOW|O_CLOEXEC' 'O_RDONLY|O_DIRECTORY' 'O_RDONLY|O_PATH'
	'O_RDWR|O_TMPFILE' 'O_RDONLY|O_ASYNC' 'O_RDONLY|O_NOATIME' O_ACCMODE
	'O_WRONLY|O_CREAT|O_DIRECTORY' 'O_RDONLY|O_SYNC|O_NONBLOCK')

questions() {
	local path flags type address
	for path in /srv/run/{f,g,denied/f,none} /srv/run /srv/log/{f,g,none} \
		/srv/by-name/{alice/f,bob/f,%u,alice} /srv/{as/f,copies/f,two/f,bob/f,run2/f,none} \
		/srv/folder/d /srv / /etc/shadow /etc/passwd /home/alice/{f,own/f,own} /home/bob/own/f \
		/srv/a+b/{x1,z1}; do
		for flags in "${FLAGS[@]}"; do
			echo "open $flags $path"
		done
	done
	for type in stream dgram mptcp udplite seqpacket; do
		for address in "inet "{0.0.0.0,127.0.0.1,10.0.0.1,10.1.1.1}" "{53,70,80,90,99,100,443,8080} \
			"inet6 "{::,::1,::ffff:10.0.0.1,::ffff:127.0.0.1,2001:db8::1}" "{53,70,80,90,443} \
			"vsock "{1,2,4294967295}" "{7,8,9} "unix "/srv/{run/x,run/x.sock,run/y.sock,run2/x.sock}; do
			echo "bind $type $address"
		done
	done
}

# The questions whose guess is not what came of them. What the rule grants may fail all the same.
wrong_guesses() { # the answers
	paste -d' ' <(questions) - |
		grep -vE ' (yes ok|yes [A-Z]+ (kernel|type|copy|netns|placement)|no [A-Z]+ (policy|flags|socket|local)|no such socket)$' || true
}

test_what_is_guessed_to_be_granted_is_what_the_broker_grants() {
	run_policy
	run_files
	start_broker
	{
		echo refresh
		questions
	} | as alice guesses >/run/test/answers
	expect_equal "$(head -n 1 /run/test/answers)" ok
	tail -n +2 /run/test/answers >/run/test/guesses
	expect_equal "$(wrong_guesses </run/test/guesses)" ""
	expect_equal "$(wc -l </run/test/guesses)" "$(questions | wc -l)"
	(($(grep -c '^yes ok' /run/test/guesses) >= 40)) || fail "little is granted"
	(($(grep -c '^no .*policy' /run/test/guesses) >= 100)) || fail "little is denied"
}

test_a_file_that_would_have_to_be_created_might_be_there() {
	run_policy
	run_files
	start_broker
	expect_equal "$(as alice guesses <<-'END'
		refresh
		open O_WRONLY|O_CREAT /srv/run/new
		open O_WRONLY|O_CREAT|O_EXCL /srv/run/new
		open O_WRONLY|O_APPEND|O_CREAT /srv/log/new
		open O_WRONLY|O_CREAT /srv/new/new
	END
	)" $'ok\nyes ok\nyes EEXIST kernel\nyes EACCES policy\nno EACCES policy'
}

test_what_only_another_open_would_be_granted_is_refused_by_both() {
	run_policy
	run_files
	start_broker
	# One rule grants to read, another one to write: which options are meant is left open.
	expect_equal "$(as alice guesses <<-'END'
		refresh
		open O_RDONLY /srv/two/f
		open O_WRONLY /srv/two/f
		open O_RDWR /srv/two/f
	END
	)" $'ok\nyes ok\nyes ok\nno EACCES policy'
}

test_an_address_that_is_too_short_is_nobodys() {
	run_policy "allow bind tcp:0.0.0.0:80 tcp:*:80 vsock:0:80 unix:/srv/s"
	sed -i '/^\tclient narrow/,/^\t}/d; /^client narrow/,/^}/d' "$POLICY"
	start_broker
	expect_equal "$(as alice guesses <<-'END' | xargs
		refresh
		short-bind inet 16
		short-bind inet6 28
		short-bind inet6 24
		short-bind vsock 16
		short-bind unix 9
		short-bind unix 8
		short-bind inet 15
		short-bind inet6 23
		short-bind vsock 15
		short-bind unix 7
		short-bind unix 2
		short-bind unix 111
		short-bind inet 1
		short-bind inet 0
	END
	)" "ok yes yes yes yes yes yes no no no no no no no no"
}

test_a_reload_is_known_after_the_next_refresh() {
	run_policy
	run_files
	start_broker
	open_session alice alice guesses
	expect_equal "$(tell alice "open O_RDONLY /srv/a/f")" "no EACCES policy"
	expect_equal "$(tell alice "refresh")" ok
	expect_equal "$(tell alice "open O_RDONLY /srv/by-name/alice/f")" "yes ok"
	sed -i 's|/srv/by-name/%u/\*|/srv/a/f|' "$POLICY"
	reload_broker
	expect_equal "$(tell alice "open O_RDONLY /srv/a/f")" "no ok"
	expect_equal "$(tell alice "open O_RDONLY /srv/by-name/alice/f")" "yes EACCES policy"
	expect_equal "$(tell alice "refresh")" ok
	expect_equal "$(tell alice "open O_RDONLY /srv/a/f")" "yes ok"
	expect_equal "$(tell alice "open O_RDONLY /srv/by-name/alice/f")" "no EACCES policy"
}

test_what_is_known_is_known_when_the_broker_is_gone() {
	run_policy
	run_files
	start_broker
	open_session alice alice guesses
	expect_equal "$(tell alice "refresh")" ok
	stop_broker
	expect_equal "$(tell alice "refresh")" "ECONNRESET broker"
	expect_equal "$(tell alice "open O_RDONLY /srv/run/g")" "yes ECONNRESET broker"
	expect_equal "$(tell alice "open O_RDONLY /srv/run/denied/f")" "no ECONNRESET broker"
}

test_nothing_is_granted_to_a_user_that_no_block_is_for() {
	run_policy
	secret /srv/bob/f content
	start_broker
	open_session bob bob guesses
	expect_equal "$(tell bob "refresh")" ok
	expect_equal "$(tell bob "open O_RDONLY /srv/bob/f")" "yes ok"
	expect_equal "$(tell bob "open O_RDONLY /srv/run/f")" "no EACCES policy"
	sed -i 's/from user bob/from user carol/' "$POLICY"
	reload_broker
	expect_equal "$(tell bob "refresh")" ok
	expect_equal "$(tell bob "open O_RDONLY /srv/bob/f")" "no EACCES policy"
	expect_equal "$(tell bob "bind stream inet 0.0.0.0 80")" "no EACCES policy"
}

test_grants_that_make_no_sense_to_the_client_might_grant_everything() {
	run_policy
	run_files
	start_broker
	cp /etc/passwd /run/test/passwd
	# A name that the policy has beside a deny, and which the broker has found.
	sed -i '/^bob:/d' /etc/passwd
	open_session alice alice guesses
	expect_equal "$(tell alice "open O_RDONLY /srv/a/f")" "no EACCES policy"
	expect_equal "$(tell alice "refresh")" ok
	expect_equal "$(tell alice "open O_RDONLY /srv/a/f")" "yes EACCES policy"
	expect_equal "$(tell alice "open O_RDONLY|O_PATH /srv/run/g")" "no EINVAL flags"
	expect_equal "$(tell alice "bind stream inet 0.0.0.0 81")" "yes EACCES policy"
	# It is tried again, though the text is the same.
	cp /run/test/passwd /etc/passwd
	expect_equal "$(tell alice "refresh")" ok
	expect_equal "$(tell alice "open O_RDONLY /srv/a/f")" "no EACCES policy"
	expect_equal "$(tell alice "open O_RDONLY /srv/as/f")" "yes ok"
}

refreshed_is_not_old() {
	[[ $(tell alice refresh) == ok && $(tell alice old) == no ]]
}

refreshed_in_vain_is_not_old() {
	[[ $(tell alice refresh) == "ECONNRESET broker" && $(tell alice old) == no ]]
}

test_what_was_never_asked_or_a_second_ago_is_old() {
	run_policy
	start_broker
	open_session alice alice guesses
	expect_equal "$(tell alice old)" yes
	eventually 10 refreshed_is_not_old || fail "a second has gone by each time"
	sleep 1
	expect_equal "$(tell alice old)" yes
}

# Or each open of a program would ask a broker that is not there.
test_what_was_asked_in_vain_is_not_asked_at_once_again() {
	run_policy
	start_broker
	open_session alice alice guesses
	stop_broker
	eventually 10 refreshed_in_vain_is_not_old || fail "a second has gone by each time"
}

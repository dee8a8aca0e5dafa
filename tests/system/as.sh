# shellcheck shell=bash
# Rules with `as`: what is done is done as that user, by nobody but executors, and they are the
# broker again afterwards.

as_policy() {
	policy <<-END
		client own {
			from user alice
			allow read,write,create,remove,list,watch,stat /srv/ground/** as peer \
				mode 0640 type file,directory
			allow read,write,create,remove,list,watch,stat /home/alice/** /srv/shared/** \
				/tmp/alice/** as peer mode 0640 type file,directory
		}
		client delegate {
			from user carol
			allow read,write,create,remove,list,watch,stat /srv/ground/** as alice \
				mode 0640 type file,directory
			allow read,write,create,remove,list,stat /home/*/** as alice mode 0640 \
				type file,directory
		}
	END
}

# ---- nothing that the user could not do ----

OBJECTS=200

expect_acting() { # PEER SEED
	local answer count kind
	answer=$(acting "$1" alice "$OBJECTS" "$2") || fail "$answer"
	step "$answer"
	# It is worth nothing if nothing came to pass.
	for kind in granted kernel placement symlink; do
		count=${answer#*"$kind"=}
		((${count%% *} > OBJECTS / 10)) || fail "$kind came to pass too seldom: $answer"
	done
}

test_as_peer_does_nothing_that_a_plain_process_could_not() {
	as_policy
	start_broker
	expect_acting alice 1
}

test_as_a_user_does_nothing_that_a_plain_process_of_that_user_could_not() {
	as_policy
	start_broker
	expect_acting carol 2
}

# shellcheck shell=bash
# Rules with `as`: what is done is done as that user, by nobody but executors, and they are the
# broker again afterwards.

OBJECTS=1000
CAP_SETGID=6
CAP_SETUID=7

as_policy() {
	policy <<-END
		client own {
			from user alice
			allow read,write,create,remove,list,watch,stat /srv/ground/** as peer \
				mode 0640 type file,directory
			allow read,write,create,remove,list,watch,stat /srv/shared/** /tmp/alice/** \
				/home/alice/** /home/bob/** as peer mode 0750 type file,directory
			allow read /srv/plain/** /home/alice-hang/**
		}
		client delegate {
			from user carol
			allow read,write,create,remove,list,watch,stat /srv/ground/** as alice \
				mode 0640 type file,directory
			allow read,write,create /home/alice/** as alice mode 0750
			allow read,write,create /srv/root/** as root
		}
		client others {
			from user bob
			allow read,write,create,remove,list,stat /home/bob/** /home/alice/** as peer
			allow read /srv/plain/**
		}
	END
	secret /srv/plain/file content
	start_broker
}

# What lib.sh starts begins as root. Here it begins as its user, with what it needs as ambient
# capabilities, as a service manager would have it.
start_unprivileged_broker() {
	local wanted=+dac_read_search,+setuid,+setgid
	mkdir -p /run/unprivileged
	chown fdbroker:fdbroker /run/unprivileged
	export FDBROKER_SOCKET=/run/unprivileged/broker.sock
	setpriv --reuid=fdbroker --regid=fdbroker --clear-groups --inh-caps="$wanted" \
		--ambient-caps="$wanted" -- fdbrokerd --policy "$POLICY" --log-format text \
		--socket "$FDBROKER_SOCKET" >>"$BROKER_LOG" 2>&1 </dev/null &
	BROKER_PID=$!
	eventually 10 test -S "$FDBROKER_SOCKET" || fail "the broker is not ready in 10 s"
	chmod 0666 "$FDBROKER_SOCKET"
}

status_fields() { # PID FIELD
	awk -v field="$2:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$1/status"
}

has_capability() { # PID SET NUMBER
	(((16#$(status_fields "$1" "$2") >> $3 & 1) == 1))
}

# ---- nothing that the user could not do ----

expect_acting() { # PEER SEED [OBJECTS]
	local answer count kind objects=${3-$OBJECTS}
	answer=$(acting "$1" alice "$objects" "$2") || fail "$answer"
	step "$answer"
	# It is worth nothing if nothing came to pass.
	for kind in granted kernel placement symlink; do
		count=${answer#*"$kind"=}
		((${count%% *} > objects / 10)) || fail "$kind came to pass too seldom: $answer"
	done
}

test_as_peer_does_nothing_that_a_plain_process_could_not() {
	as_policy
	expect_acting alice 1
}

test_as_a_user_does_nothing_that_a_plain_process_of_that_user_could_not() {
	as_policy
	expect_acting carol 2
}

test_a_broker_that_was_never_root_acts_as_others_as_well() {
	as_policy
	stop_broker
	start_unprivileged_broker
	expect_acting alice 3 200
	expect_acting carol 4 200
	expect_executors_to_be_the_broker
	unset FDBROKER_SOCKET
}

test_a_peer_acts_with_the_group_and_the_groups_that_it_has_and_not_with_those_of_its_user() {
	as_policy
	mkdir -p /srv/shared
	echo -n "for staff" >/srv/shared/file
	chown root:staff /srv/shared/file
	chmod 0640 /srv/shared/file
	expect_equal "$(as alice ask "cat /srv/shared/file")" "ok for staff"
	expect_equal "$(setpriv --reuid=alice --regid=alice --clear-groups --inh-caps=-all -- \
		ask "cat /srv/shared/file")" "EACCES kernel"
	expect_equal "$(setpriv --reuid=alice --regid=bob --clear-groups --inh-caps=-all -- \
		ask "open /home/alice/new O_WRONLY|O_CREAT" "stat /home/alice/new")" \
		$'ok\nok 100750 2001:2002 0'
}

# As many as an executor can take on, and one more. She has the last one in any case.
test_a_peer_may_have_a_thousand_groups_and_not_more_than_are_acted_with() {
	local groups
	as_policy
	mkdir -p /srv/shared
	echo -n "for staff" >/srv/shared/file
	chown root:9999 /srv/shared/file
	chmod 0640 /srv/shared/file
	groups=$(seq -s , 5001 6023),9999
	expect_equal "$(setpriv --reuid=alice --regid=alice --groups="$groups" --inh-caps=-all -- \
		ask "cat /srv/shared/file")" "ok for staff"
	expect_equal "$(setpriv --reuid=alice --regid=alice --groups="$groups,10000" \
		--inh-caps=-all -- ask "cat /srv/shared/file" 2>&1)" "ECONNRESET broker"
}

# Groups are those of the connection, whenever the policy comes to need them.
test_a_reload_that_brings_as_peer_counts_for_those_who_are_connected() {
	policy <<-END
		client own {
			from user alice
			allow read /srv/shared/** as bob
		}
	END
	mkdir -p /srv/shared
	echo -n "hers" >/srv/shared/file
	chown root:alice /srv/shared/file
	chmod 0640 /srv/shared/file
	echo -n "for staff" >/srv/shared/staff
	chown root:staff /srv/shared/staff
	chmod 0640 /srv/shared/staff
	start_broker
	open_session alice alice
	expect_equal "$(tell alice "cat /srv/shared/file")" "EACCES kernel"
	expect_equal "$(tell alice "cat /srv/shared/staff")" "ok for staff"
	policy <<-END
		client own {
			from user alice
			allow read /srv/shared/** as peer
		}
	END
	reload_broker
	expect_equal "$(tell alice "cat /srv/shared/file")" "ok hers"
	expect_equal "$(tell alice "cat /srv/shared/staff")" "ok for staff"
}

test_a_user_acts_with_all_of_its_groups_whatever_their_order() {
	printf 'lab:x:1500:alice\n' >>/etc/group # a lower number than that of the primary one
	as_policy
	mkdir -p /srv/ground
	echo -n "for the lab" >/srv/ground/file
	chown root:1500 /srv/ground/file
	chmod 0640 /srv/ground/file
	expect_equal "$(as carol ask "cat /srv/ground/file")" "ok for the lab"
}

test_as_root_is_root_without_its_capabilities() {
	as_policy
	secret /srv/root/file "of root"
	belongs_to alice /srv/root/hers "hers"
	chmod 0600 /srv/root/hers
	expect_equal "$(as carol ask "cat /srv/root/file" "cat /srv/root/hers" \
		"open /srv/root/new O_WRONLY|O_CREAT")" $'ok of root\nEACCES kernel\nok'
	expect_equal "$(stat -c '%a %U:%G' /srv/root/new)" "600 root:root"
}

# ---- whose is what is new, and where may it come ----

test_what_is_new_belongs_to_the_user_with_its_own_group_and_the_mode_of_the_rule() {
	as_policy
	chmod 2755 /home/alice
	chown alice:staff /home/alice
	expect_equal "$(as alice ask "umask 777" "open /home/alice/new O_RDWR|O_CREAT 0777" \
		"mkdir /home/alice/folder")" $'ok\nok\nok'
	expect_equal "$(as carol ask "umask 000" "open /home/alice/carols O_RDWR|O_CREAT|O_EXCL")" \
		$'ok\nok'
	expect_equal "$(stat -c '%a %U:%G' /home/alice/new /home/alice/carols)" \
		$'750 alice:alice\n750 alice:alice'
	expect_equal "$(stat -c '%a %U:%G' /home/alice/folder)" "750 alice:alice"
}

expect_no_change_there() { # FOLDER ANSWER
	local what
	echo -n here >"$1/there"
	chown alice "$1/there"
	for what in "open $1/new O_WRONLY|O_CREAT" "mkdir $1/new" "unlink $1/there" \
		"rename $1/there $1/new" "rename /home/alice/own $1/new"; do
		expect_equal "$(as alice ask "$what")" "$2" "$what"
	done
	[[ -e $1/there && ! -e $1/new ]] || fail "something was changed in $1"
}

test_a_users_own_folder_is_changed_as_that_user_only() {
	as_policy
	belongs_to alice /home/alice/own hers
	chmod 0755 /home/alice
	expect_equal "$(as alice ask "open /home/alice/new O_WRONLY|O_CREAT" "mkdir /home/alice/folder" \
		"rename /home/alice/new /home/alice/folder/old" "unlink /home/alice/folder/old" \
		"rmdir /home/alice/folder" "cat /home/alice/own")" $'ok\nok\nok\nok\nok\nok hers'
	policy <<-END
		client own {
			from user alice
			allow read,write,create,remove /home/alice/** type file,directory
		}
	END
	stop_broker
	start_broker # with the capabilities that this one needs
	expect_no_change_there /home/alice "EACCES placement"
}

test_a_folder_that_others_may_write_is_nobodys_own() {
	as_policy
	belongs_to alice /home/alice/own hers
	mkdir -p /home/alice/group /tmp/alice /srv/shared
	chown alice:staff /home/alice/group
	chmod 0775 /home/alice/group
	chown alice /tmp/alice
	chmod 1777 /srv/shared
	expect_no_change_there /home/alice/group "EACCES placement"
	expect_no_change_there /srv/shared "EACCES placement"
	# Her own folder, but in /tmp.
	expect_no_change_there /tmp/alice "EACCES placement"
}

test_the_folder_of_another_user_is_not_the_users_own() {
	as_policy
	belongs_to alice /home/alice/own hers
	chmod 0755 /home/bob
	expect_no_change_there /home/bob "EACCES placement"
}

test_what_of_roots_lies_in_a_users_folder_gives_what_the_user_could_have() {
	as_policy
	secret /home/alice/secret "not for her"
	echo -n "for all" >/home/alice/public
	secret /home/alice/folder/file "not for her"
	secret /srv/secret "not for her"
	ln -s /srv/secret /home/alice/link
	ln /srv/secret /home/alice/linked 2>/dev/null || cp -p /srv/secret /home/alice/linked
	expect_equal "$(as alice ask "cat /home/alice/secret" "cat /home/alice/public" \
		"open /home/alice/public O_WRONLY" "cat /home/alice/folder/file" \
		"cat /home/alice/link" "cat /home/alice/linked")" \
		$'EACCES kernel\nok for all\nEACCES kernel\nEACCES kernel\nEACCES symlink\nEACCES kernel'
	# As with unlink(2): it is her folder.
	expect_equal "$(as alice ask "unlink /home/alice/secret")" ok
}

# ---- the broker again afterwards ----

expect_executors_to_be_the_broker() {
	local pid uid gid executors
	uid=$(id -u fdbroker) gid=$(id -g fdbroker)
	mapfile -t executors < <(broker_pids executor)
	((${#executors[@]} > 0)) || fail "there is no executor"
	for pid in "${executors[@]}"; do
		expect_equal "$(status_fields "$pid" Uid)" "$uid $uid $uid $uid" "user ids"
		expect_equal "$(status_fields "$pid" Gid)" "$gid $gid $gid $gid" "group ids"
		expect_equal "$(status_fields "$pid" Groups)" "" "groups"
		expect_equal "$(status_fields "$pid" CapEff)" "$(status_fields "$pid" CapPrm)" \
			"capabilities in effect"
		has_capability "$pid" CapEff "$CAP_SETUID" || fail "it cannot act once more"
		# Not dumpable, proc(5).
		expect_equal "$(stat -c %u "/proc/$pid/environ")" 0 "owner of /proc/$pid"
	done
}

test_an_executor_is_the_broker_again_whatever_came_of_the_request() {
	local command
	local -a commands
	as_policy
	belongs_to alice /home/alice/own hers
	secret /home/alice/secret "not for her"
	commands=("cat /home/alice/own" "cat /home/alice/secret" "cat /home/alice/none"
		"cat /home/bob/none" "mkdir /tmp/alice/x" "list /home/alice"
		"rename /home/alice/own /home/alice/other" "unlink /home/alice/none"
		"open /home/alice/new O_WRONLY|O_CREAT" "stat /home/alice/a/b/c")
	for command in "${commands[@]}"; do
		as alice ask "$command"
		expect_executors_to_be_the_broker
	done
	expect_equal "$(as alice ask "cat /srv/plain/file")" "ok content"
}

# Whoever asks for something there waits, and can be killed. (Before anybody has asked, the kernel
# does not know whose the folder is.)
hang_from_now_on() { # FOLDER
	hang alice "$1"
	as alice cat "$1/fine" >/dev/null
	kill -STOP "$HANGFS_PID"
}

busy_executor() {
	local pid
	for pid in $(broker_pids executor); do
		[[ $(status_fields "$pid" Uid) != *"$(id -u alice)" ]] || echo "$pid"
	done
}

executor_is_busy() {
	[[ -n $(busy_executor) ]]
}

test_while_it_acts_an_executor_has_that_users_rights_and_no_capability() {
	local pid
	as_policy
	hang_from_now_on /home/alice/hang
	start_as alice ask "cat /home/alice/hang/fine" >/dev/null
	eventually 5 executor_is_busy || fail "no executor acts as alice"
	pid=$(busy_executor)
	expect_equal "$(status_fields "$pid" Uid | cut -d ' ' -f 4)" "$(id -u alice)"
	expect_equal "$(status_fields "$pid" Gid | cut -d ' ' -f 4)" "$(id -g alice)"
	expect_equal "$(status_fields "$pid" Groups)" "$(id -g alice) $(getent group staff | cut -d : -f 3)"
	expect_equal "$((16#$(status_fields "$pid" CapEff)))" 0 CapEff
	expect_equal "$(stat -c %u "/proc/$pid/environ")" 0 "owner of /proc/$pid"
	expect_status 1 as alice cat "/proc/$pid/environ"
	kill -KILL "$HANGFS_PID"
}

an_executor_waits() {
	local pid
	for pid in $(broker_pids executor); do
		! grep -q request_wait_answer "/proc/$pid/wchan" || return 0
	done
	return 1
}

no_broker_is_left() {
	[[ -z $(broker_pids) ]]
}

# Of its own accord no executor ends that hangs: it must be the signal of its parent's death.
expect_death_to_take_it_along() { # COMMAND
	start_as alice ask "$1" >/dev/null 2>&1
	eventually 5 an_executor_waits || fail "no executor waits for the file system"
	kill -KILL "$BROKER_PID"
	BROKER_PID=
	eventually 5 no_broker_is_left || fail "left: $(broker_pids)"
	kill -KILL "$HANGFS_PID"
}

test_the_death_of_the_worker_ends_who_acts_for_it() {
	local pid
	as_policy
	belongs_to alice /home/alice/own hers
	hang_from_now_on /home/alice/hang
	start_as alice ask "cat /home/alice/hang/fine" >/run/test/waiting 2>&1
	eventually 5 executor_is_busy || fail "no executor acts as alice"
	pid=$(busy_executor)
	kill_role worker
	cat /run/test/waiting
	eventually 15 process_is_gone "$pid" || fail "executor $pid is still there"
	expect_equal "$(as alice ask "cat /home/alice/own")" "ok hers"
	expect_executors_to_be_the_broker
	kill -KILL "$HANGFS_PID"
}

process_is_gone() { # PID
	[[ ! -e /proc/$1 ]]
}

test_the_death_of_the_supervisor_takes_along_who_acts_as_somebody() {
	as_policy
	hang_from_now_on /home/alice/hang
	expect_death_to_take_it_along "cat /home/alice/hang/fine"
}

test_the_death_of_the_supervisor_takes_along_who_has_acted_as_somebody() {
	as_policy
	belongs_to alice /home/alice/own hers
	hang_from_now_on /home/alice-hang
	expect_equal "$(as alice ask "cat /home/alice/own")" "ok hers"
	expect_death_to_take_it_along "cat /home/alice-hang/fine"
}

test_an_executor_that_is_killed_while_it_acts_leaves_the_outcome_unknown() {
	as_policy
	belongs_to alice /home/alice/own hers
	hang_from_now_on /home/alice/hang
	open_session alice alice
	tell_and_go_on alice "mkdir /home/alice/hang/new"
	eventually 5 executor_is_busy || fail "no executor acts as alice"
	kill -KILL "$(busy_executor)"
	IFS= read -r -t 15 -u "${SESSION_OUT[alice]}" output || fail "no answer in 15 s"
	expect_equal "$output" "EOWNERDEAD unknown"
	expect_equal "$(tell alice "cat /home/alice/own")" "ok hers"
	expect_executors_to_be_the_broker
	kill -KILL "$HANGFS_PID"
}

# ---- many at once ----

own_and_others() { # USER OTHER ROUNDS
	local i
	local -a commands=()
	for ((i = 0; i < $3; i++)); do
		commands+=("cat /home/$1/own" "cat /home/$2/own" "cat /srv/plain/file")
	done
	as "$1" ask "${commands[@]}" | paste -d ' ' - - - | sort | uniq -c
}

test_identities_do_not_mix_when_many_act_at_once() {
	local user i
	local -a pids=()
	as_policy
	for user in alice bob; do
		belongs_to "$user" "/home/$user/own" "of-$user"
		chmod 0600 "/home/$user/own"
		chmod 0755 "/home/$user"
	done
	for i in {1..8}; do
		own_and_others alice bob 200 >"/run/test/alice.$i" &
		pids+=($!)
		own_and_others bob alice 200 >"/run/test/bob.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in {1..8}; do
		expect_match "$(cat "/run/test/alice.$i")" '^ *200 ok of-alice EACCES kernel ok content$'
		expect_match "$(cat "/run/test/bob.$i")" '^ *200 ok of-bob EACCES kernel ok content$'
	done
	expect_executors_to_be_the_broker
}

# ---- who may change identities at all ----

# A ROLE has each of the two in this set, or neither.
expect_change_of_identity() { # ROLE SET true|false
	local pid capability
	for pid in $(broker_pids "$1"); do
		for capability in "$CAP_SETUID" "$CAP_SETGID"; do
			if has_capability "$pid" "$2" "$capability"; then
				$3 || fail "a ${1:-supervisor} has capability $capability in $2"
			elif $3; then
				fail "a ${1:-supervisor} lacks capability $capability in $2"
			fi
		done
	done
}

test_without_as_no_process_can_change_its_identity() {
	local role set
	policy <<-END
		client plain {
			from user alice
			allow read,write,create,remove,list,watch,stat /srv/plain/** owner alice
		}
	END
	secret /srv/plain/file content
	start_broker
	expect_equal "$(as alice ask "open /srv/plain/new O_WRONLY|O_CREAT")" ok
	for role in "" worker executor; do
		for set in CapInh CapPrm CapEff CapBnd CapAmb; do
			expect_change_of_identity "$role" "$set" false
		done
	done
}

test_with_as_executors_can_change_their_identity_and_workers_never_can() {
	local set
	as_policy
	belongs_to alice /home/alice/own hers
	expect_equal "$(as alice ask "cat /home/alice/own")" "ok hers"
	expect_change_of_identity executor CapPrm true
	expect_change_of_identity executor CapEff true
	expect_change_of_identity "" CapPrm true
	expect_change_of_identity "" CapEff false
	for set in CapInh CapPrm CapEff CapAmb; do
		expect_change_of_identity worker "$set" false
	done
	expect_change_of_identity executor CapInh false
	expect_change_of_identity executor CapAmb false
}

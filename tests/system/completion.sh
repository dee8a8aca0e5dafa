# shellcheck shell=bash
# shellcheck disable=SC2154 # $output is of expect_status
# The completion for bash, and the syntax for vim: their words are those of the tool and the language.

COMPLETION=policy/editors/fdbroker.bash
SYNTAX=policy/editors/vim/syntax/fdbroker.vim

# What is offered for a line with the cursor at its end, one a line, as the whole last word would be.
# bash takes words apart at colons and equals signs, or at those of BREAKS, and so does this.
offered() { # LINE
	bash --norc -c '
		source "$1"
		COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=() COMP_WORDBREAKS=" $3"
		rest=$2
		while [[ $rest =~ ^[[:blank:]]*([$3]+|[^[:blank:]$3]+) ]]; do
			COMP_WORDS+=("${BASH_REMATCH[1]}")
			rest=${rest:${#BASH_REMATCH[0]}}
		done
		last=${COMP_WORDS[-1]}
		[[ $2 != *[[:blank:]$3] ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_fdbroker
		before=${2%"${COMP_WORDS[COMP_CWORD]}"}
		before=${before##*[[:blank:]]}
		((${#COMPREPLY[@]} == 0)) || printf -- "$before%s\n" "${COMPREPLY[@]}" | sort -u' \
		offered "$COMPLETION" "$1" "${BREAKS-:=}" 2>/dev/null
}

words() { # WORD...
	printf '%s\n' "$@" | sort -u
}

expect_offered() { # LINE WORD...
	expect_equal "$(offered "$1")" "$(words "${@:2}")" "$1"
}

options_of_help() { # [COMMAND]
	fdbroker "$@" --help | grep -oE -- '--[a-z]+(-[a-z]+)*' | sort -u
}

test_subcommands_and_options_are_those_of_the_tool() {
	local command commands
	commands=$(fdbroker --help | sed -nE 's/^  fdbroker ([a-z]+)( .*)?$/\1/p')
	# shellcheck disable=SC2046,SC2086 # words
	expect_offered "fdbroker " $commands $(fdbroker --help | grep -oE -- '--(help|version)')
	for command in $commands; do
		# shellcheck disable=SC2046
		expect_offered "fdbroker $command --" $({
			options_of_help "$command"
			[[ $command != @(exec|run) ]] || echo --
		} | sed '/^--help$/d') --help
	done
}

# The words of a table of the language: what stands in quotes at the beginning of a row.
rows() { # FILE ROW
	sed -nE "s/^\t\[$2[A-Z0-9_]+\] = \{\"([a-z0-9]+)\".*/\1/p" "$1"
}

verbs_of_the_language() {
	rows policy/language.c POLICY_
}

# "tcp:", ..., and those without a colon.
kinds_of_the_language() {
	sed -nE 's/^\t\[OBJECT_[A-Z0-9]+\] = \{"[^"]*", "([a-z]+:)".*/\1/p
		s/^\t\[OBJECT_[A-Z0-9]+\] = \{"[^"]*", NULL, "([a-z0-9]+)".*/\1/p' policy/language.c
}

test_verbs_are_those_of_the_language() {
	# shellcheck disable=SC2046
	expect_offered "fdbroker explain " $(verbs_of_the_language)
	(($(verbs_of_the_language | wc -l) >= 14)) || fail "the verbs were not found"
	expect_offered "fdbroker explain read,wr" read,write
	expect_offered "fdbroker explain --user alice --json li" list
	! offered "fdbroker explain read,write,r" | grep -q 'write,read$' || fail "read twice"
	expect_offered "fdbroker exec --limit read,li" read,list:
}

# What `fdbroker check` says of an allow rule with it: that there is no such kind, or something else.
is_understood() { # VERB OBJECT
	policy <<<$'client a {\nfrom user alice\n'"allow $1 $2"$'\n}'
	fdbroker check "$POLICY" >/run/test/check 2>&1 || true
	! grep -q 'error:' /run/test/check
}

test_kinds_of_endpoints_are_those_of_the_language() {
	local verb kind all=
	local -A rest=([tcp:]=80 [udp:]=80 [unix:]=/a/b [vsock:]='*:*' [host:]=a [raw:]=1 [tap:]=a
		[netlink:]=route [tun:]=a [mark=]=1 [priority=]=1 [rcvbufforce=]=1 [sndbufforce=]=1
		[transparent=]=1 [debug=]=1 [bindtodevice=]=a)
	for verb in bind connect socket option resolve; do
		for kind in $(offered "fdbroker explain $verb "); do
			is_understood "$verb" "$kind${rest[$kind]-}" ||
				fail "$verb $kind: $(cat /run/test/check)"
			all+=" $kind"
		done
	done
	for kind in $(kinds_of_the_language); do
		[[ " $all " == *" $kind "* ]] || fail "no verb is offered $kind"
	done
	for kind in $(offered "fdbroker explain socket netlink:"); do
		is_understood socket "$kind" || fail "$kind: $(cat /run/test/check)"
	done
	expect_match "$all" 'tcp:.*icmp6.*mark=.*host:'
}

test_the_values_of_exec_are_those_that_it_takes() {
	local option kind
	expect_offered "fdbroker exec --listen " tcp: udp: unix: vsock:
	expect_offered "fdbroker exec --listen tcp:80 --dial t" tcp:
	expect_offered "fdbroker exec --tun tu" tun:
	expect_offered "fdbroker exec --socket ic" icmp icmp6
	expect_offered "fdbroker exec --socket netlink:ro" netlink:route
	policy <<<$'client a {\nfrom user alice\nallow read /a\n}'
	start_broker
	local -A rest=([tcp:]=192.0.2.1:80 [udp:]=192.0.2.1:80 [unix:]=/a/b [vsock:]=2:1 [raw:]=1
		[raw6:]=1 [netlink:]=route [tun:]=a [tap:]=a)
	for option in --listen --dial --socket --tun; do
		for kind in $(offered "fdbroker exec $option "); do
			# Understood, and denied: 64 would say that there is no such thing.
			expect_status 125 as alice fdbroker exec "$option" "$kind${rest[$kind]-}" -- true
			expect_match "$output" 'denied by policy'
		done
	done
}

test_files_modes_and_objects_are_completed() {
	mkdir -p /srv/files/folder
	touch /srv/files/one "/srv/files/with blank"
	expect_offered "fdbroker cat /srv/files/" /srv/files/folder/ /srv/files/one \
		"/srv/files/with blank"
	expect_offered "fdbroker exec --open /srv/files/o" /srv/files/one:
	expect_offered "fdbroker exec --open /srv/files/one:r" /srv/files/one:r /srv/files/one:rw
	expect_offered "fdbroker exec --limit read:/srv/files/f" read:/srv/files/folder/
	expect_offered "fdbroker exec --listen unix:/srv/files/f" unix:/srv/files/folder/
	expect_offered "fdbroker explain read /srv/files/o" /srv/files/one
	expect_offered "fdbroker explain connect " tcp: udp: vsock:
	expect_offered "fdbroker explain credential tls.key=/srv/files/o" tls.key=/srv/files/one
	expect_offered "fdbroker check --strict /srv/files/o" /srv/files/one
	expect_offered "fdbroker explain --policy /srv/files/o" /srv/files/one
}

test_who_and_when_are_completed() {
	expect_offered "fdbroker explain --user ali" alice
	expect_offered "fdbroker explain --group sta" staff
	grep -qx $$ < <(offered "fdbroker explain --pid ") || fail "this process is not offered"
	expect_match "$(offered "fdbroker suggest --since ")" 'today'
	cat >/etc/fdbroker/policy.d/a.policy <<<$'client mine {\nfrom user alice\nallow read /a\n}'
	grep -qx mine < <(offered "fdbroker suggest --client ") || fail "this block is not offered"
	expect_offered "fdbroker suggest --client ali" alice
	mkdir /run/test/bin
	printf '#!/bin/sh\necho "nginx.service loaded active running A server"\n' >/run/test/bin/systemctl
	chmod 0755 /run/test/bin/systemctl
	PATH=/run/test/bin:$PATH expect_offered "fdbroker explain --unit ng" nginx.service
	PATH=/run/test/bin:$PATH expect_offered "fdbroker suggest --client ng" nginx.service
}

test_values_behind_an_equals_sign_are_completed() {
	mkdir -p /srv/files
	touch /srv/files/one
	expect_offered "fdbroker explain --user=ali" --user=alice
	expect_offered "fdbroker explain --policy=/srv/files/o" --policy=/srv/files/one
	expect_offered "fdbroker exec --listen=u" --listen=udp: --listen=unix:
	expect_offered "fdbroker exec --limit=read:/srv/files/o" --limit=read:/srv/files/one
	expect_offered "fdbroker explain --json=a"
	BREAKS=: expect_offered "fdbroker explain --user=ali" --user=alice
}

test_services_are_completed_where_they_are_looked_up() {
	expect_offered "fdbroker explain bind tcp:ht" tcp:http tcp:https
	expect_offered "fdbroker explain bind udp:127.0.0.1:dom" udp:127.0.0.1:domain
	expect_offered "fdbroker explain connect tcp:[::1]:https" "tcp:[::1]:https"
	expect_offered "fdbroker explain connect tcp:ht"
	expect_offered "fdbroker explain connect tcp:[fe80::d"
	expect_offered "fdbroker exec --dial tcp:db.internal:ht" tcp:db.internal:http tcp:db.internal:https
	# It takes numbers alone.
	expect_offered "fdbroker exec --listen tcp:ht"
	expect_offered "fdbroker exec --limit bind:tcp:ht"
}

test_the_program_of_exec_is_completed_as_usual() {
	expect_offered "fdbroker exec --listen tcp:80 -- fdbroker" fdbroker fdbrokerd
	mkdir -p /srv/files
	touch /srv/files/argument
	expect_offered "fdbroker exec --listen tcp:80 -- cat /srv/files/ar" /srv/files/argument
	expect_offered "fdbroker exec --listen tcp:80 -- cat --strict=/srv/files/--li"
	# That of bash-completion, where it is there: it is told where the program stands.
	output=$(bash --norc -c '
		source "$1"
		_command_offset() { echo "from ${COMP_WORDS[$1]}"; }
		COMP_LINE="fdbroker exec --listen tcp:80 -- ls -" COMP_POINT=${#COMP_LINE}
		COMP_WORDS=(fdbroker exec --listen tcp : 80 -- ls -) COMP_CWORD=8
		_fdbroker' offered "$COMPLETION")
	expect_equal "$output" "from ls"
}

test_the_options_and_the_program_of_run_are_completed() {
	# shellcheck disable=SC2046 # words
	expect_offered "fdbroker run -" -- --help $(fdbroker run --help |
		grep -oE -- '(^|[[ ])--?[a-z]+(-[a-z]+)*' | tr -d '[ ' | grep -vxE -- '--help|-h')
	mkdir -p /srv/files/folder /srv/files/another
	touch /srv/files/file
	expect_offered "fdbroker run --sandbox -r /srv/files/" /srv/files/folder/ /srv/files/another/
	expect_offered "fdbroker run --sandbox -r / -w /srv/files/fo" /srv/files/folder/
	# With the -- and without.
	expect_offered "fdbroker run --sandbox -w /srv/files/folder -- fdbroker" fdbroker fdbrokerd
	expect_offered "fdbroker run --sandbox -w /srv/files/folder fdbroker" fdbroker fdbrokerd
	expect_offered "fdbroker run cat -r /srv/files/fi" /srv/files/file
	output=$(bash --norc -c '
		source "$1"
		_command_offset() { echo "from ${COMP_WORDS[$1]}"; }
		COMP_LINE="fdbroker run -r /a:b ls -" COMP_POINT=${#COMP_LINE}
		COMP_WORDS=(fdbroker run -r /a : b ls -) COMP_CWORD=7
		_fdbroker' offered "$COMPLETION")
	expect_equal "$output" "from ls"
}

# As a person at a terminal sees it.
test_a_key_completes() {
	output=$(timeout 20 python3 - "$COMPLETION" <<-'END'
		import os, pty, sys, time
		pid, terminal = pty.fork()
		if pid == 0:
		    os.environ.update(PS1="", TERM="dumb", INPUTRC="/dev/null")
		    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
		def type_in(text):
		    os.write(terminal, text.encode())
		    time.sleep(0.5)
		type_in(f"PS1=; source {sys.argv[1]}; fdbroker() {{ printf '<%s>' \"$@\"; }}\n")
		type_in("fdbroker exe\t--lis\ttc\t80 --sock\ticmp6 -- tru\t\n")
		type_in("exit\n")
		time.sleep(0.5)
		print(os.read(terminal, 65536).decode(errors="replace"))
	END
	)
	expect_match "$output" '<exec><--listen><tcp:80><--socket><icmp6><--><tru'
}

# ---- vim ----

# A copy, because a sandbox hides some folders in which a checkout may lie.
VIM_FOLDER=/run/test/vim
cp -r policy/editors/vim "$VIM_FOLDER"

# The words of a group of the syntax file, which stand in keywords or in a match.
group() { # NAME
	sed -E -e ':a' -e '/\n?$/ { N; s/\n[ \t]*\\/ /; ta' -e 'P; D' -e '}' "$SYNTAX" |
		sed -nE "s/^syntax (keyword|match) fdbroker$1 (.*)/\2/p" |
		sed -E 's/\\ze.*//; s/\\zs//; s/\\s//g; s/(nextgroup|contains)=[^ ]*//g' |
		grep -oE '[a-z0-9]+' | grep -vxE 'contained|skipwhite' | sort -u
}

test_the_words_of_the_syntax_are_those_of_the_language() {
	expect_equal "$(group Verb)" "$(verbs_of_the_language | sort -u)" verbs
	expect_equal "$(group Option)" "$(rows policy/parse-option.c OPTION_ | sort -u)" options
	expect_equal "$(group Setting)" \
		"$(offered "fdbroker explain option " | tr -d = | sort -u)" settings
	expect_equal "$({
		group Endpoint | grep -v icmp
		echo icmp
		echo icmp6
	} | sort -u)" "$(kinds_of_the_language | tr -d : | sort -u)" endpoints
	expect_equal "$(group Condition)" "$(words anyone user group unit)" conditions
	# What stands in quotes in the tables of the options' values, and "peer" of as.
	expect_equal "$(group Word)" "$({
		awk '/(choices|types|log_words|with_words)\[.*\{$|(choices|types)\[\] = \{/ { shown = 1 }
			shown { print }
			/};/ { shown = 0 }' policy/parse-option.c | grep -oE '"[a-z0-9]+' | tr -d '"'
		echo peer
	} | sort -u)" "values of options"
}

# Prints the group of each word that is asked for, as vim shows it in this file.
highlighted() { # FILE WORD...
	local word
	for word in "${@:2}"; do
		printf "call search('\\\\V%s', 'w') | call writefile([synIDattr(synID(line('.'), col('.'), 1), 'name')], '/run/test/groups', 'a')\n" \
			"${word//\'/\'\'}"
	done >/run/test/ask.vim
	rm -f /run/test/groups
	timeout 20 vim -Nu NONE -n -i NONE -es --cmd "set runtimepath^=$VIM_FOLDER" \
		--cmd 'filetype on' --cmd 'syntax on' "$1" -c 'source /run/test/ask.vim' -c 'qall!' \
		</dev/null >/run/test/vim.log 2>&1 || true
	sed 's/^fdbroker//' /run/test/groups
}

test_vim_highlights_a_policy() {
	command -v vim >/dev/null || skip "vim is not installed"
	vim --version | grep -q '+syntax' || skip "this vim has no syntax highlighting"
	cat >/srv/example.policy <<-'END'
		# a comment
		client www only {                 # and another one
			from   user www-data unit app@*.service
			allow  read,write  /srv/*/%u/file mode 0640 symlinks none
			allow  bind  tcp:80 icmp  log denied
			allow  read  "/srv/with a blank"
			deny   all   /etc/shadow*
			limit  sessions 4
			allow  option  priority=7
			allow  bind  udp:67  with v6only,transparent,device=eth0
			allow  read  /etc/key  copy max 64K
		}
	END
	expect_equal "$(highlighted /srv/example.policy "a comment" client www only "and another" from \
		"user www" www-data "unit app" "*.service" allow read write "/srv/*" "*/%u" "%u" mode \
		symlinks none tcp: icmp log denied "with a blank" deny all "*" limit sessions \
		priority= with v6only transparent device copy max)" "Comment
Statement
Name
Only
Comment
Statement
Condition
Who
Condition
Wildcard
Allow
Verb
Verb
Path
Wildcard
Variable
Option
Option
Word
Endpoint
Endpoint
Option
Word
String
Deny
All
Wildcard
Statement
Limit
Setting
Option
Word
Word
Word
Option
Option"
}

# One mistake a line, at the word that is asked for: the check refuses it, and vim shows it.
test_vim_shows_mistakes_that_the_check_refuses() {
	command -v vim >/dev/null || skip "vim is not installed"
	local rule wrong expected
	while IFS='|' read -r rule wrong expected; do
		printf 'client a {\nfrom user alice\n%s\n}\n' "$rule" >/srv/wrong.policy
		expect_status 1 fdbroker check /srv/wrong.policy
		expect_equal "$(highlighted /srv/wrong.policy "$wrong" | tail -n 1)" "$expected" "$rule"
	done <<-'END'
		allow read /srv/folder/|/\$|WrongPath
		allow read /srv/../file|../|WrongPath
		allow read /srv/./file|./file|WrongPath
		allow read /srv//file|/file|WrongPath
		allow read /srv/a**|**|WrongPath
		allow read /srv/**b|**b|WrongPath
		allow create /srv/a mode 640|640|WrongMode
		allow create /srv/a mode 01777|01777|WrongMode
		allow READ /srv/a|READ|WrongVerb
		Allow read /srv/a|Allow|WrongLine
	END
}

# What is right must never look wrong.
test_vim_shows_no_mistake_in_a_right_policy() {
	command -v vim >/dev/null || skip "vim is not installed"
	source tests/system/examples.lib
	local number=1
	: >/srv/right.policy
	while example "$RECIPES" "client " "$number" >>/srv/right.policy 2>/dev/null; do
		number=$((number + 1))
	done
	cat policy/examples/cases.policy >>/srv/right.policy
	timeout 50 vim -Nu NONE -n -i NONE -es --cmd "set runtimepath^=$VIM_FOLDER" \
		--cmd 'filetype on' --cmd 'syntax on' /srv/right.policy -c '
		for line in range(1, line("$"))
		  for column in range(1, len(getline(line)))
		    if synIDattr(synIDtrans(synID(line, column, 1)), "name") == "Error"
		      call writefile([line . ":" . column . ": " . getline(line)], "/run/test/wrong", "a")
		    endif
		  endfor
		endfor
		call writefile([&filetype], "/run/test/filetype")' -c 'qall!' </dev/null >/dev/null 2>&1 || true
	expect_equal "$(cat /run/test/filetype)" fdbroker
	[[ ! -e /run/test/wrong ]] || fail "$(cat /run/test/wrong)"
}

# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Completion of fdbroker(1) for bash: subcommands, their options, endpoints, verbs, files, users, units.
#
# It needs nothing of the package bash-completion, and must never ask the broker or a network anything:
# to press a key is not to ask for something. tests/system/completion.sh compares its words with those
# of the tool and of the language.

_fdbroker_commands="cat check exec explain list run suggest"
_fdbroker_file_verbs="read write append create remove stat list watch"
_fdbroker_verbs="$_fdbroker_file_verbs bind connect socket option resolve credential"
_fdbroker_settings="mark= priority= rcvbufforce= sndbufforce= transparent= debug= bindtodevice="
_fdbroker_families="route usersock sock_diag nflog xfrm selinux iscsi audit fib_lookup connector \
netfilter dnrtmsg kobject_uevent generic scsitransport ecryptfs rdma crypto smc"

# The words of the line as a person sees them: bash takes them apart at colons and equals signs.
# Sets words, cword, cur; and starts, where in COMP_WORDS each word begins.
_fdbroker_split() {
	local line=$COMP_LINE word i
	words=() starts=() cword=0
	for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
		word=${COMP_WORDS[i]}
		if ((i > 0)) && [[ $line != [[:blank:]]* && ${#words[@]} -gt 1 ]]; then
			words[${#words[@]} - 1]+=$word
		else
			words+=("$word") starts+=("$i")
		fi
		line=${line#"${line%%[![:blank:]]*}"}
		line=${line#"$word"}
		((i != COMP_CWORD)) || cword=$((${#words[@]} - 1))
	done
	cur=${words[cword]}
}

# Candidates that begin with cur; bash wants only what stands behind the last colon or equals sign. Where
# that is no end of a word for it, before_value is the option that stands before cur, as in --user=a.
_fdbroker_offer() { # CANDIDATE...
	local candidate typed=
	[[ $COMP_WORDBREAKS != *:* || $cur != *:* ]] || typed=${cur%"${cur##*:}"}
	[[ $COMP_WORDBREAKS != *=* || ${cur#"$typed"} != *=* ]] || typed=${cur%"${cur##*=}"}
	for candidate in "$@"; do
		[[ $candidate == "$cur"* ]] || continue
		COMPREPLY+=("$before_value${candidate#"$typed"}")
		# More is to come behind these.
		[[ $candidate != *[:=/] ]] || compopt -o nospace 2>/dev/null
	done
}

_fdbroker_words() { # WORDS in one string
	local -a candidates
	read -ra candidates <<<"$1"
	_fdbroker_offer "${candidates[@]}"
}

# Lines of the standard input, which may contain blanks.
_fdbroker_lines() {
	local -a candidates
	mapfile -t candidates
	_fdbroker_offer "${candidates[@]}"
}

# Paths behind PREFIX, folders with a slash, files with SUFFIX.
_fdbroker_paths() { # [PREFIX [SUFFIX]]
	local path
	if [[ -z ${1-}${2-} ]]; then
		compopt -o filenames 2>/dev/null # bash quotes them; a colon too, which would not do here
	fi
	while IFS= read -r path; do
		if [[ -d $path ]]; then
			path+=/
		else
			path+=${2-}
		fi
		[[ -z ${1-}${2-} ]] || printf -v path %q "$path"
		_fdbroker_offer "${1-}$path"
	done < <(compgen -f -- "${cur#"${1-}"}")
}

_fdbroker_folders() {
	local folder
	compopt -o filenames -o nospace 2>/dev/null
	while IFS= read -r folder; do
		_fdbroker_offer "$folder/"
	done < <(compgen -d -- "$cur")
}

# One more verb behind those that are there, and SUFFIX.
_fdbroker_verb_list() { # [SUFFIX]
	local verb before=
	[[ $cur != *,* ]] || before=${cur%,*},
	for verb in $_fdbroker_verbs; do
		[[ ,$before == *",$verb,"* ]] || _fdbroker_offer "$before$verb${1-}"
	done
}

# Endpoints of these kinds, behind PREFIX.
_fdbroker_endpoints() { # PREFIX KIND...
	local prefix=$1 kind
	for kind in "${@:2}"; do
		if [[ $kind == unix: && $cur == "${prefix}unix:"* ]]; then
			_fdbroker_paths "${prefix}unix:"
		elif [[ $kind == netlink: && $cur == "${prefix}netlink:"* ]]; then
			_fdbroker_words "${prefix}netlink:${_fdbroker_families// / ${prefix}netlink:}"
		else
			_fdbroker_offer "$prefix$kind"
		fi
	done
}

# Services as ports, once one is begun; a colon in brackets is one of an address.
_fdbroker_services() { # KIND:... up to the port
	[[ $cur == "$1"[a-z]* ]] || return 0
	_fdbroker_lines < <(compgen -A service -P "$1" -- "${cur#"$1"}" | sort -u)
}

_fdbroker_services_of_host() {
	[[ $cur == @(tcp|udp):* && $cur != *:\[*([^]]) ]] || return 0
	[[ $cur != *:*:* ]] || _fdbroker_services "${cur%:*}:"
}

# What these verbs can be about.
_fdbroker_objects() { # VERBS [PREFIX]
	local prefix=${2-} verb
	local -A kinds=([bind]="tcp: udp: unix: vsock:" [connect]="tcp: udp: vsock:"
		[socket]="icmp icmp6 raw: netlink: tun: tap: vsock:" [resolve]="host:"
		[option]="$_fdbroker_settings")
	verb=${1%%,*}
	if [[ " $_fdbroker_file_verbs " == *" $verb "* ]]; then
		_fdbroker_paths "$prefix"
	elif [[ -z $prefix && $verb == credential && $cur == *=/* ]]; then
		_fdbroker_paths "${cur%%=*}="
	elif [[ -n $verb && -n ${kinds[$verb]-} ]]; then
		# shellcheck disable=SC2086 # words
		_fdbroker_endpoints "$prefix" ${kinds[$verb]}
		[[ -z $prefix && $verb == @(bind|connect) ]] || return 0
		_fdbroker_services_of_host
		[[ $verb != bind ]] || _fdbroker_services "${cur%%:*}:"
	fi
}

# PATH:MODE
_fdbroker_file_and_mode() {
	if [[ $cur == *:* ]]; then
		_fdbroker_offer "${cur%:*}:"{r,w,a,rw}
	else
		_fdbroker_paths "" ":"
	fi
}

# VERBS:OBJECT
_fdbroker_limit() {
	if [[ $cur == *:* ]]; then
		_fdbroker_objects "${cur%%:*}" "${cur%%:*}:"
	else
		_fdbroker_verb_list ":"
	fi
}

# The units that there are, if a service manager can say so.
_fdbroker_units() {
	command -v systemctl >/dev/null || return 0
	_fdbroker_lines < <(systemctl list-units --all --plain --no-legend --no-pager \
		--type=service,scope 2>/dev/null | sed 's/ .*//')
}

# Those whom `suggest` knows by a name: client blocks, users, units.
_fdbroker_clients() {
	_fdbroker_units
	_fdbroker_lines < <(compgen -u)
	_fdbroker_lines < <(sed -nE 's/^[ \t]*client[ \t]+([^ \t{"]+).*/\1/p' \
		/{usr/lib,run,etc}/fdbroker/policy.d/*.policy 2>/dev/null)
}

# The value of an option. Fails if OPTION has none.
_fdbroker_value() { # OPTION
	case $1 in
	--listen) _fdbroker_endpoints "" tcp: udp: unix: vsock: ;;
	--dial)
		_fdbroker_endpoints "" tcp: udp: vsock:
		_fdbroker_services_of_host
		;;
	--socket) _fdbroker_endpoints "" icmp icmp6 raw: raw6: netlink: vsock ;;
	--tun) _fdbroker_endpoints "" tun: tap: ;;
	--open) _fdbroker_file_and_mode ;;
	--limit) _fdbroker_limit ;;
	--policy) _fdbroker_paths ;;
	--user) _fdbroker_lines < <(compgen -u) ;;
	--group) _fdbroker_lines < <(compgen -g) ;;
	--unit) _fdbroker_units ;;
	--pid) _fdbroker_lines < <(cd /proc 2>/dev/null && compgen -G "[1-9]*") ;;
	--since) _fdbroker_words "today yesterday -10min -1h -1d" ;;
	--client) _fdbroker_clients ;;
	-r | -w) _fdbroker_folders ;;
	*) return 1 ;;
	esac
	return 0
}

_fdbroker_options() { # COMMAND
	case $1 in
	check) echo "--strict --json" ;;
	exec) echo "-- --listen --dial --socket --tun --open --limit" ;;
	explain) echo "--policy --user --group --unit --pid --json" ;;
	run) echo "-- --policy-only --sandbox -r -w" ;;
	suggest) echo "--since --client" ;;
	esac
	echo "--help"
}

# Where the program of `exec` or `run` stands. Sets program; beyond the words if there is none yet.
_fdbroker_find_program() {
	for ((program = 2; program <= cword; program++)); do
		case "${words[1]} ${words[program]}" in
		"exec --" | "run --")
			program=$((program + 1))
			return 0
			;;
		"run -r" | "run -w") program=$((program + 1)) ;;
		"run -"*) ;;
		"run "*) return 0 ;;
		esac
	done
}

# That program, and what comes after: its own matter, if bash-completion is there to know it.
_fdbroker_program() { # INDEX of its word
	if declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset "${starts[$1]}"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "${starts[$1]}"
	elif ((cword == $1)) && [[ $cur != */* ]]; then
		_fdbroker_lines < <(compgen -c -- "$cur" | sort -u)
	else
		_fdbroker_paths
	fi
}

# The first words after the command that are no options and no values of them. Sets arguments.
_fdbroker_arguments() {
	local i
	arguments=()
	for ((i = 2; i < cword; i++)); do
		case ${words[i]} in
		--strict | --json | --help | -h | --*=*) ;;
		--?*) i=$((i + 1)) ;;
		*) arguments+=("${words[i]}") ;;
		esac
	done
}

_fdbroker_argument() { # COMMAND
	local -a arguments
	_fdbroker_arguments
	case $1 in
	cat | check | suggest) _fdbroker_paths ;;
	explain)
		case ${#arguments[@]} in
		0) _fdbroker_verb_list ;;
		1) _fdbroker_objects "${arguments[0]}" ;;
		esac
		;;
	exec) _fdbroker_offer -- ;;
	esac
}

_fdbroker() {
	local cur cword program option before_value=
	local -a words starts
	COMPREPLY=()
	_fdbroker_split
	if ((cword == 1)); then
		_fdbroker_words "$_fdbroker_commands --help --version"
		return 0
	fi
	_fdbroker_find_program
	if ((program <= cword)); then
		_fdbroker_program "$program"
	elif [[ $cur == --*=* ]]; then
		option=${cur%%=*} cur=${cur#*=}
		[[ $COMP_WORDBREAKS == *=* ]] || before_value=$option=
		_fdbroker_value "$option"
	elif _fdbroker_value "${words[cword - 1]}"; then
		:
	elif [[ $cur == -* ]]; then
		_fdbroker_words "$(_fdbroker_options "${words[1]}" | tr '\n' ' ')"
	else
		_fdbroker_argument "${words[1]}"
	fi
	return 0
}

complete -F _fdbroker fdbroker

# shellcheck shell=bash
# For tests/run and tests/demo: what must be installed, and the build. Run in the checkout, as root.
# What is built belongs to whoever called sudo: `meson setup build` must go on working for them.

# package, and a command that succeeds when it is there
NEEDED=(
	"meson" "command -v meson"
	"ninja-build" "command -v ninja"
	"gcc" "command -v gcc"
	"libc6-dev" "test -e /usr/include/stdlib.h"
	"pkg-config" "command -v pkg-config"
	"libseccomp-dev" "pkg-config --exists libseccomp"
	"libcap-dev" "pkg-config --exists libcap"
	"libjansson-dev" "pkg-config --exists jansson"
	"libcmocka-dev" "pkg-config --exists cmocka"
	"libsystemd-dev" "pkg-config --exists libsystemd"
	"libfuse3-dev" "pkg-config --exists fuse3"
	"scdoc" "command -v scdoc"
	"groff-base" "command -v groff"
	"python3" "command -v python3"
	"iproute2" "command -v ip"
	"procps" "command -v ps"
	"curl" "command -v curl"
)
# What only tests/run needs besides: programs that know nothing of fdbroker.
PROGRAMS=(
	"openssl" "command -v openssl"
	"busybox-static" "busybox --list | grep -x httpd"
	"nginx" "command -v nginx"
)

missing_packages() {
	local i
	for ((i = 0; i < ${#NEEDED[@]}; i += 2)); do
		eval "${NEEDED[i + 1]}" >/dev/null 2>&1 || echo "${NEEDED[i]}"
	done
}

install_missing() {
	local missing
	mapfile -t missing < <(missing_packages)
	((${#missing[@]} > 0)) || return 0
	if ! command -v apt-get >/dev/null; then
		echo "Please install what these packages of Debian are called here, and start again:" >&2
		printf '  %s\n' "${missing[@]}" >&2
		exit 1
	fi
	echo "Installing ${missing[*]}"
	apt-get update -q
	install_and_start_nothing "${missing[@]}"
}

# nginx(8) is wanted as a program: the service that comes with it must not begin to serve, neither
# now (policy-rc.d is asked by invoke-rc.d(8) and deb-systemd-invoke(1)) nor at the next start.
install_and_start_nothing() { # PACKAGE...
	local asked=/usr/sbin/policy-rc.d status=0 made=false
	if [[ ! -e $asked ]]; then
		printf '#!/bin/sh\nexit 101\n' >"$asked"
		chmod 0755 "$asked"
		made=true
	fi
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" || status=$?
	if $made; then
		rm -f "$asked"
	fi
	if [[ " $* " == *" nginx "* && -d /run/systemd/system ]]; then
		systemctl disable nginx.service || status=$?
	fi
	return "$status"
}

# -h: a link is given back, not what it leads to.
give_back() {
	if [[ -n ${SUDO_UID-} && -n ${SUDO_GID-} && -d build ]]; then
		chown -hR "$SUDO_UID:$SUDO_GID" build
	fi
}

build_in() { # FOLDER [MESON OPTIONS]
	local folder=$1 status=0
	shift
	install_missing
	# Set up again when the last attempt was broken off.
	if [[ ! -e $folder/build.ninja ]]; then
		rm -rf "$folder"
		meson setup "$folder" -Dtests=true -Dwerror=true "$@" || status=$?
	fi
	if ((status == 0)); then
		ninja -C "$folder" || status=$?
	fi
	give_back
	return "$status"
}

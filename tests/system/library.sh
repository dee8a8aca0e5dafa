# shellcheck shell=bash
# What libfdbroker is from outside.

library() {
	readlink -f /opt/fdbroker/lib/libfdbroker.so.0
}

test_the_library_exports_its_functions_with_a_version_and_nothing_else() {
	local wanted
	wanted=$(sed -nE 's/^[a-z].*[ *](fdbroker_[a-z_]+)\(.*/\1@@FDBROKER_0.1/p' \
		client-lib/fdbroker.h | grep -v sandbox | LC_ALL=C sort)
	expect_equal "$(nm -D --defined-only "$(library)" | awk '$2 == "T" { print $3 }' |
		LC_ALL=C sort)" "$wanted"
}

test_the_library_of_the_sandbox_exports_one_function() {
	expect_equal "$(nm -D --defined-only /opt/fdbroker/lib/libfdbroker-sandbox.so.0 |
		awk '$2 == "T" { print $3 }')" fdbroker_sandbox@@FDBROKER_SANDBOX_0.1
}

test_the_library_needs_libc_alone() {
	[[ $(nm -D "$(library)") != *__asan_* ]] || skip "built with sanitizers"
	# The dynamic linker is part of libc, and named for its thread-local storage.
	expect_equal "$(objdump -p "$(library)" |
		awk '$1 == "NEEDED" && $2 !~ /^ld-linux/ { print $2 }')" libc.so.6
}

test_the_text_of_the_library_is_small() {
	[[ $(nm -D "$(library)") != *__asan_* ]] || skip "built with sanitizers"
	expect_at_most "$(size "$(library)" | awk 'NR == 2 { print $1 }')" 32768 "bytes of text"
}

test_the_header_is_c11_and_c_plus_plus() {
	echo '#include "fdbroker.h"' >/run/test/header.c
	cp /run/test/header.c /run/test/header.cc
	gcc -std=c11 -pedantic -Wall -Wextra -Werror -Iclient-lib -fsyntax-only /run/test/header.c
	command -v g++ >/dev/null || skip "g++ is not installed; C11 is right"
	g++ -std=c++11 -pedantic -Wall -Wextra -Werror -Iclient-lib -fsyntax-only \
		/run/test/header.cc
}

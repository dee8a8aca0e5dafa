# shellcheck shell=bash
# What man(1) shows on a terminal of 80 columns, and under which names.
source tests/system/examples.lib

MANUALS=(client-lib/cli/fdbroker.1.scd client-lib/libfdbroker.3.scd policy/fdbroker.policy.5.scd
	client-lib/fdbroker-protocol.7.scd broker/fdbrokerd.8.scd)

page() { # MANUAL: what scdoc(1) made of it
	local page=$FDBROKER_BUILD/${1##*/}
	page=${page%.scd}
	[[ -e $page ]] || skip "the manuals were not built"
	echo "$page"
}

# As man(1) does it, on one page without an end. The folder of groff's own settings is hidden in a sandbox, and it
# would miss a file of that.
shown() { # PAGE [OPTION...]
	mkdir -p /run/test/macros
	touch /run/test/macros/man.local
	{ echo ".pl 3000i" && cat "$1"; } |
		groff -M/run/test/macros -t -man -Tutf8 -rLL=78n -rcR=1 -P-cbou "${@:2}"
}

test_every_line_of_an_example_can_be_copied_from_the_terminal() {
	command -v groff >/dev/null || skip "groff is not installed"
	local manual page broken count=0 line
	for manual in "${MANUALS[@]}"; do
		page=$(page "$manual")
		shown "$page" | sed -E 's/^ +//' >/run/test/shown
		while IFS= read -r line; do
			line=${line#"${line%%[![:space:]]*}"}
			[[ -n $line ]] || continue
			count=$((count + 1))
			# A tab becomes blanks.
			if [[ $line != *$'\t'* ]] && ! grep -qxF -- "$line" /run/test/shown; then
				broken+=$'\n'"$manual: $line"
			fi
		done < <(examples lines "$manual")
	done
	((count > 250)) || fail "only $count lines were found"
	expect_equal "${broken-}" ""
}

test_no_word_of_a_manual_is_hyphenated() {
	command -v groff >/dev/null || skip "groff is not installed"
	local manual page
	for manual in "${MANUALS[@]}"; do
		page=$(page "$manual")
		# U+2010, which is not the minus sign of an option.
		expect_equal "$(shown "$page" | grep $'\xe2\x80\x90$' || true)" "" "$manual"
	done
}

test_the_formatter_has_nothing_to_say_about_the_manuals() {
	command -v groff >/dev/null || skip "groff is not installed"
	local manual page
	for manual in "${MANUALS[@]}"; do
		page=$(page "$manual")
		expect_equal "$(shown "$page" -wmac -wbreak 2>&1 >/dev/null)" "" "$manual"
	done
}

test_every_function_of_the_library_has_a_manual_of_its_name() {
	local function count=0 page
	page "client-lib/libfdbroker.3.scd" >/dev/null
	while read -r function; do
		page=$FDBROKER_BUILD/client-lib/$function.3
		[[ -e $page ]] || fail "no manual $function"
		expect_equal "$(cat "$page")" ".so man3/libfdbroker.3" "$function"
		grep -qF "/man3/$function.3\"" "$FDBROKER_BUILD/meson-info/intro-installed.json" ||
			fail "the manual $function is not installed"
		count=$((count + 1))
	done < <(nm -D --defined-only "$FDBROKER_BUILD"/client-lib/libfdbroker{,-sandbox}.so |
		sed -nE 's/.* T (fdbroker_[a-z_]+).*/\1/p')
	((count > 30)) || fail "only $count functions were found"
}

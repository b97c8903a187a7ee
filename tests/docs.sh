#!/bin/sh
# docs.sh: the manual pages are well formed, tidings.conf(5) names each setting with its range and default, as --help and
# --print-config of the program do, and INTERNALS.md names each module. Where no program can check the form of the
# pages, that part is skipped (exit 77).
set -u
LC_ALL=C.UTF-8
export LC_ALL
pages=${top_srcdir:-.}/docs
program=${top_builddir:-.}/publisher/publish
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0

fail() {
	echo "$1:"
	cat "$2"
	status=1
}

# well_formed PAGE: one of the two must be there; both must be content.
well_formed() {
	if command -v mandoc >/dev/null; then
		mandoc -T lint -W warning "$1" >"$work/lint" 2>&1
		[ ! -s "$work/lint" ] || fail "mandoc on $1" "$work/lint"
	elif ! command -v man >/dev/null; then
		return 77
	fi
	command -v man >/dev/null || return 0
	man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>"$work/warnings" >/dev/null
	[ ! -s "$work/warnings" ] || fail "man --warnings on $1" "$work/warnings"
}

# name|allowed|default of each setting, as the page has it.
in_page() {
	awk '/^\.It Ic / { name = $3 }
		sub(/^Allowed: /, "") { allowed = $0 }
		sub(/^Default: /, "") { print name "|" allowed "|" ($0 == "empty" ? "" : $0) }
		/^Must be set for$/ { print name "|" allowed "|" }' "$pages/tidings.conf.5"
}

# The same, as the program has it: `  name  help (allowed)`, and `name = value  # default`.
in_program() {
	env -i "$program" --help >"$work/help" && env -i "$program" --print-config >"$work/config" || return 1
	awk 'FNR == NR { help[$1] = $0; next }
		{
			allowed = help[$1]
			for (at = length(allowed); at > 0; at--) {
				c = substr(allowed, at, 1)
				depth += (c == ")") - (c == "(")
				if (depth == 0)
					break
			}
			value = $0
			sub(/^[a-z_]+ = ?/, "", value)
			sub(/ *# (default|not set)$/, "", value)
			print $1 "|" substr(allowed, at + 1, length(allowed) - at - 1) "|" value
		}' "$work/help" "$work/config"
}

in_page >"$work/page"
in_program >"$work/program" || { echo "$program does not tell its settings"; exit 1; }
[ -s "$work/program" ] || { echo "$program tells no settings"; exit 1; }
diff "$work/program" "$work/page" >"$work/diff" || fail "settings: < $program, > $pages/tidings.conf.5" "$work/diff"

for folder in common publisher streamer; do
	sed -n "/^\*\*$folder\/\*\*$/,/^\(\*\*\|##\)[^|]*$/{ /^|/p; }" "$pages/INTERNALS.md" >"$work/modules"
	for file in "$pages/../$folder"/*.[ch]; do
		module=$(basename "${file%.[ch]}")
		grep -qF "\`$module\`" "$work/modules" || { echo "INTERNALS.md has no $folder/$module"; status=1; }
	done
done

skipped=0
for page in "$pages"/*.[58]; do
	well_formed "$page" || skipped=77
done
[ "$status" != 0 ] || status=$skipped
exit "$status"

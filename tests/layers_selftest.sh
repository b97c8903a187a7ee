#!/bin/sh
# layers_selftest.sh: does layers.sh catch what it is there for? Each case writes one wrong line into a small tree of its
# own and expects the words that name it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d "${TMPDIR:-/tmp}/layers.XXXXXX")
trap 'rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

start_tree() {
	rm -rf "${tree:?}"/*
	mkdir "$tree/common" "$tree/publisher" "$tree/streamer" "$tree/tests"
	cat >"$tree/tests/layers.txt" <<'TXT'
# a comment
group libc stdio.h string.h
group sockets sys/socket.h netdb.h
floor 1
common/low
common/hash  uthash.h
floor 2
streamer/first
streamer/second
streamer/part_*
publisher/decode
floor 5
streamer/late.h
streamer/link  ev.h @sockets
streamer/late
TXT
	for module in common/low common/hash streamer/first streamer/second streamer/part_a streamer/part_b \
		publisher/decode streamer/link streamer/late; do
		printf '#include <stdio.h>\n#include "%s.h"\n' "$module" >"$tree/$module.c"
		printf '#include <string.h>\n' >"$tree/$module.h"
	done
}

# holds WHAT: the tree as it stands is fine.
holds() {
	if ! said=$(sh "$here/layers.sh" "$tree" 2>&1) || [ -n "$said" ]; then
		printf 'not ok: %s\n%s\n' "$1" "$said"
		failed=1
	fi
}

# catches WHAT FILE LINE WORDS: LINE at the end of FILE must be told in WORDS.
catches() {
	start_tree
	printf '%s\n' "$3" >>"$tree/$2"
	if said=$(sh "$here/layers.sh" "$tree" 2>&1); then
		printf 'not ok: %s passed\n' "$1"
		failed=1
		return
	fi
	case "$said" in
	"layers: $2:"*"$4"*) ;;
	*)
		printf 'not ok: %s is told as: %s\n' "$1" "$said"
		failed=1
		;;
	esac
}

start_tree
holds 'a tree with right includes'
{
	echo '#include "common/low.h"'
	echo '  #  include   "streamer/first.h"  // and why'
	echo '/* #include "streamer/link.h" */'
} >>"$tree/streamer/second.c"
printf '#include <ev.h>\n#include <netdb.h>\n#include "streamer/late.h"\n' >>"$tree/streamer/link.c"
echo '#include "streamer/link.h"' >>"$tree/streamer/late.c"
holds 'lower floors, earlier siblings, allowed headers, groups, a header that stands lower than its .c'

catches 'a higher floor' streamer/first.c '#include "streamer/link.h"' 'higher floor 5'
catches 'a higher floor in a header' common/low.h '#include "streamer/first.h"' 'common neither'
catches 'a later sibling' streamer/first.c '#include "streamer/second.h"' 'puts behind it'
catches 'the circle that a later sibling closes' common/low.h '#include "common/hash.h"' 'puts behind it'
catches 'a sibling of the same line' streamer/part_a.c '#include "streamer/part_b.h"' 'shares its line'
catches 'a header before its turn' streamer/late.h '#include "streamer/link.h"' 'puts behind it'
catches 'publisher including streamer' publisher/decode.c '#include "streamer/first.h"' 'never include each other'
catches 'streamer including publisher' streamer/link.c '#include "publisher/decode.h"' 'never include each other'
catches 'an outside header' streamer/first.c '#include <ev.h>' '<ev.h>'
catches 'an outside header of another module' common/low.c '#include <uthash.h>' '<uthash.h>'
catches 'a header of another group' streamer/first.c '  #  include   <netdb.h>' '<netdb.h>'
catches 'a header without its folder' streamer/second.c '#include "first.h"' 'first'
catches 'a file that nobody lists' streamer/stray.c 'int stray;' 'streamer/stray is not listed'
catches 'an include that nobody lists' streamer/first.c '#include "streamer/stray.h"' 'does not list'
catches 'a group that nobody named' tests/layers.txt 'streamer/x @nobody' '@nobody'
catches 'floors that go down' tests/layers.txt 'floor 3' 'floors go upwards'
exit $failed

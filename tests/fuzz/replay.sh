#!/bin/sh
# replay.sh: every fuzz target once over its corpus, tests/fuzz/corpus/<target>/; no fuzzing, so any compiler will do.
set -eu
source=${top_srcdir:-.}/tests/fuzz
built=${top_builddir:-.}/tests/fuzz
failed=0

for target in "$source"/fuzz_*.c; do
	name=$(basename "$target" .c)
	corpus=$source/corpus/${name#fuzz_}
	if [ ! -d "$corpus" ]; then
		echo "FAIL: $name has no corpus"
		failed=1
	elif ! "$built/$name" -runs=0 "$corpus"; then
		echo "FAIL: $name"
		failed=1
	fi
done
exit $failed

#!/bin/sh
# layers.sh [TREE]: who may include whom, held against tests/layers.txt (read its head first). Prints one line a wrong
# include and exits 1; silent and 0 when the floors hold.
set -eu
cd "${1:-${top_srcdir:-$(dirname "$0")/..}}"

for folder in common publisher streamer; do
	[ ! -d "$folder" ] || find "$folder" -name '*.[ch]' -print
done | LC_ALL=C sort | xargs awk '
function wrong(text) {
	print "layers: " FILENAME ":" FNR ": " text
	bad = 1
}

# The line of layers.txt that speaks of a file, 0 when none does; the first that fits counts.
function line_of(file,    i) {
	if (file in found)
		return found[file]
	for (i = 1; i <= lines; i++)
		if (file ~ pattern[i] || stem(file) ~ pattern[i])
			return found[file] = i
	return found[file] = 0
}

function stem(file) {
	sub(/\.[ch]$/, "", file)
	return file
}

function top(path) {
	sub(/\/.*/, "", path)
	return path
}

# What stands behind a module: headers, or @groups of them.
function allow(line,    i, member) {
	for (i = 2; i <= NF; i++) {
		if ($i !~ /^@/)
			allowed[line, $i] = 1
		else if (!($i in groups))
			wrong("no group " $i " was named above")
		for (member in members)
			if (index(member, $i " ") == 1)
				allowed[line, substr(member, length($i) + 2)] = 1
	}
}

function read_layers(    i) {
	if ($0 ~ /^[ \t]*(#|$)/)
		return
	if ($1 == "group") {
		groups["@" $2] = 1
		for (i = 3; i <= NF; i++)
			members["@" $2 " " $i] = 1
	} else if ($1 == "floor") {
		if ($2 + 0 <= height)
			wrong("floors go upwards")
		height = $2 + 0
	} else {
		lines++
		floor[lines] = height
		pattern[lines] = $1
		gsub(/\./, "\\.", pattern[lines])
		gsub(/\*/, "[^/]*", pattern[lines])
		pattern[lines] = "^" pattern[lines] "$"
		allow(lines)
	}
}

function check_project(file,    other, line) {
	other = stem(file)
	if (other == module)
		return
	line = line_of(file)
	if (top(other) != "common" && top(other) != top(module))
		wrong(module " includes " other ": publisher and streamer never include each other, common neither")
	else if (!line)
		wrong(module " includes " other ", which tests/layers.txt does not list")
	else if (floor[line] > floor[mine])
		wrong(module " (floor " floor[mine] ") includes " other " of the higher floor " floor[line])
	else if (line == mine)
		wrong(module " includes " other ", which shares its line in tests/layers.txt: give each one of its own")
	else if (line > mine)
		wrong(module " includes its sibling " other ", which tests/layers.txt puts behind it")
}

function check_outside(header) {
	if (!(("@libc " header) in members) && !((mine, header) in allowed))
		wrong(module " includes <" header ">, which its line in tests/layers.txt does not allow")
}

FILENAME == "tests/layers.txt" {
	read_layers()
	next
}

FNR == 1 {
	module = stem(FILENAME)
	mine = line_of(FILENAME)
	if (!mine)
		wrong(module " is not listed in tests/layers.txt")
}

mine && /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	split($0, word, /[<">]/)
	if ($0 ~ /include[ \t]*</)
		check_outside(word[2])
	else
		check_project(word[2])
}

END { exit bad }
' tests/layers.txt || exit 1

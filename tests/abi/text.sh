#!/bin/sh
# text.sh SOURCE_DIR: what can be said of all code without a formatter, and that nothing in it is left for later.
set -u
cd "$1" || exit 1
complaints=$(mktemp) || exit 1
trap 'rm -f "$complaints"' EXIT
LC_ALL=C.UTF-8
export LC_ALL

code() { # grep's arguments
    grep -rnIE "$@" --include='*.[ch]' --include='*.cu' --include='*.inc' --include='*.sh' --include='*.py' \
        --include='CMakeLists.txt' --include='*.cmake' CMakeLists.txt cmake include src examples tests
    grep -nIE "$@" scripts/*
}
refuse() {
    found=$(cat)
    [ -z "$found" ] || printf '%s:\n%s\n' "$1" "$found" >>"$complaints"
}

code '.{121,}' | refuse "longer than 120 columns"
code "[[:blank:]]+$|$(printf '[\t\r]')" | refuse "tabs, carriage returns, or blanks at the end of a line"
code '\b(TO''DO|FIX''ME|XX''X|HA''CK|for ''now)\b' | refuse "unfinished"

cat "$complaints"
[ ! -s "$complaints" ]

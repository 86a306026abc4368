#!/bin/sh
# document.sh PREFIX CC FILE.md: compiles and runs every ```c block of a document that has a main().
set -eu
prefix=$1 cc=$2 document=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name lstmae.pc)")
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name liblstmae.so)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH

awk -v out="$work/block" '
    /^```c$/ { inside = 1; text = ""; next }
    /^```$/ && inside { inside = 0; if (text ~ /int main\(/) { n++; printf "%s", text > (out n ".c") } }
    inside { text = text $0 "\n" }' "$document"

count=0
for source in "$work"/block*.c; do
    [ -f "$source" ] || { echo "no program in $document"; exit 1; }
    "$cc" -std=c99 -Wall -Wextra -Werror -pedantic $(pkg-config --cflags lstmae) "$source" \
        $(pkg-config --libs lstmae) -lm -o "$work/program"
    (cd "$work" && ./program)
    count=$((count + 1))
done
echo "$count programs of $document compiled and ran"

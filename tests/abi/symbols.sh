#!/bin/sh
# symbols.sh CC LIBRARY: the library exports what the headers declare, and that is what symbols.txt lists.
# symbols.sh --update CC: writes symbols.txt from the headers.
set -u
here=$(cd "$(dirname "$0")" && pwd)
include=$here/../../include
export LC_ALL=C

# Names of functions that lstmae.h declares for export.
declared() {
    printf '#include <lstmae/lstmae.h>\n' | "$1" -E -P -x c -I"$include" - | tr '\n' ' ' | tr ';' '\n' |
        grep 'visibility("default")' | sed 's/__attribute__((visibility("default")))//; s/(.*//; s/.*[ *]//' | sort -u
}

if [ "$1" = --update ]; then
    declared "$2" >"$here/symbols.txt"
    exit
fi

cc=$1 library=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
declared "$cc" >"$work/declared"
nm -D --defined-only "$library" >"$work/nm" || exit 1
awk '$2 != "A" { print $NF }' "$work/nm" | sed 's/@.*//' | sort -u >"$work/exported"

diff -u "$here/symbols.txt" "$work/exported" ||
    { echo "exports differ from tests/abi/symbols.txt; if intended: tests/abi/symbols.sh --update cc"; failed=1; }
diff -u "$work/declared" "$work/exported" || { echo "exports differ from the public headers"; failed=1; }
if grep -v '^lstmae_' "$work/exported"; then echo "exported, but not ours by name"; failed=1; fi
if awk '$2 != "T" && $2 != "A"' "$work/nm" | grep .; then echo "exported, but not a function"; failed=1; fi
exit $failed

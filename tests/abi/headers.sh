#!/bin/sh
# headers.sh INCLUDE_DIR CC [CXX]: every public header compiles alone, and twice, in every language it promises.
set -u
include=$1 cc=$2 cxx=${3:-}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

try() { # compiler, language, flags...
    compiler=$1 suffix=$2
    shift 2
    for header in "$include"/lstmae/*.h; do
        name=lstmae/$(basename "$header")
        printf '#include <%s>\n#include <%s>\nextern int one_declaration;\n' "$name" "$name" >"$work/only.$suffix"
        if ! "$compiler" "$@" -Wall -Wextra -Werror -pedantic -fsyntax-only -I"$include" "$work/only.$suffix"; then
            echo "$name does not compile alone: $compiler $*"
            failed=1
        fi
    done
}

# -Wpadded: padding in an options struct would hide members that a later version appends.
for standard in c99 c11 c17; do try "$cc" c -std=$standard -Wpadded -Wstrict-prototypes; done
if [ -n "$cxx" ]; then
    for standard in c++98 c++17; do try "$cxx" cc -std=$standard -Wno-variadic-macros; done
else
    echo "no C++ compiler: headers were checked in C only"
fi

# layout.c knows every struct and every initialiser.
layout=$(dirname "$0")/layout.c
names='s/^typedef struct ([a-z0-9_]+) \{$/\1/p; s/^#define (LSTMAE_[A-Z0-9_]+_INIT)\>.*/\1/p'
for name in $(sed -nE "$names" "$include"/lstmae/*.h); do
    grep -qE "\b${name}[,)]" "$layout" || { echo "$name is not in tests/abi/layout.c"; failed=1; }
done
exit $failed

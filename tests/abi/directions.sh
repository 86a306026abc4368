#!/bin/sh
# directions.sh SOURCE_DIR: who may include, name and call whom.
set -u
cd "$1" || exit 1
complaints=$(mktemp) || exit 1
trap 'rm -f "$complaints"' EXIT

# refuse MESSAGE: the lines that come in should not be there.
refuse() {
    found=$(cat)
    [ -z "$found" ] || printf '%s:\n%s\n' "$1" "$found" >>"$complaints"
}
includes() { grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' --include='*.cu' "$@"; }
# own_headers: of those lines, the ones that name no header beside their file.
own_headers() {
    while IFS= read -r line; do
        header=$(printf '%s' "$line" | sed 's/.*"\(.*\)".*/\1/')
        [ -f "$(dirname "${line%%:*}")/$header" ] && [ "${header#*..}" = "$header" ] && continue
        printf '%s\n' "$line"
    done
}

includes src/cpu | grep -E '"|<lstmae/' | grep -vE '<lstmae/backend\.h>|"shared/[a-z0-9_]+\.h"' | own_headers |
    refuse "src/cpu may include <lstmae/backend.h>, shared/ and its own headers"
includes src/cuda | grep -vE '<(lstmae/backend|cuda_runtime|cublas_v2|cuda_bf16)\.h>|"shared/[a-z0-9_]+\.h"' |
    grep -vE '<(assert|limits|math|stddef|stdint|stdio|string|unistd|sys/types)\.h>' | own_headers |
    refuse "src/cuda may include <lstmae/backend.h>, shared/, CUDA, the C library and its own headers"
includes src/core | grep -E '[<"/]cpu/|[<"/]cuda/' | refuse "src/core includes a backend"
includes src/shared | grep -E '[<"/]c(pu|ore|uda)/' | refuse "src/shared includes core or a backend"
grep -rnE 'api->[a-z_]+\(' --include='*.[ch]' src/core |
    grep -vE '^src/core/(ops|ops_image|context|registry|call|record|replay)\.[ch]:' |
    refuse "only ops, replays, context and registry touch the backend table"
grep -rniE 'cuda|blas' include/lstmae | grep -vE '"cuda(:N)?"|a CUDA|backend\.h:' |
    refuse "a public header names a backend's library"
includes examples | grep -E '"(core|cpu|shared)/|"\.\./' | grep -v '"\.\./common/' |
    refuse "examples use installed headers only"

# Nothing in the repository names a place on someone's machine.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git grep -nIE '(^|[^A-Za-z0-9_.:/}-])/(home|root|work|Users|mnt|opt)/' -- . | grep -v '^LICENSE:' |
        refuse "names a path outside the repository"
fi
cat "$complaints"
[ ! -s "$complaints" ]

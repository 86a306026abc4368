#!/bin/sh
# pkgconfig.sh PREFIX CC [CXX]: a consumer through pkg-config, shared and static, in C and C++.
set -eu
prefix=$1 cc=$2 cxx=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pc=$(find "$prefix" -name lstmae.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name liblstmae.so)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH

cflags=$(pkg-config --cflags lstmae)
libs=$(pkg-config --libs lstmae)
# The same with the archive named in place of -llstmae.
static=$(pkg-config --static --libs lstmae | sed "s|-llstmae|$LD_LIBRARY_PATH/liblstmae.a|")

"$cc" -std=c99 -Wall -Wextra -Werror -pedantic $cflags "$here/consumer.c" $libs -o "$work/shared"
"$work/shared"
"$cc" -std=c99 $cflags "$here/consumer.c" $static -o "$work/static"
env -u LD_LIBRARY_PATH "$work/static"
if [ -n "$cxx" ]; then
    cp "$here/consumer.c" "$work/consumer.cc"
    "$cxx" -std=c++98 -Wall -Wextra -Werror $cflags "$work/consumer.cc" $libs -o "$work/cplusplus"
    "$work/cplusplus"
fi

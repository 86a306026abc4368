#!/bin/sh
# findpackage.sh PREFIX CMAKE GENERATOR CC [CXX]: a consumer through find_package(lstmae).
set -eu
prefix=$1 cmake=$2 generator=$3 cc=$4 cxx=${5:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

configure() { # folder, version
    "$cmake" -S "$here/project" -B "$work/$1" -G "$generator" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
        ${cxx:+-DCMAKE_CXX_COMPILER="$cxx"} -DWITH_CXX=${cxx:+ON} -DWANTED_VERSION="$2" >"$work/log" 2>&1
}

configure build 0.1 || { cat "$work/log"; exit 1; }
"$cmake" --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
for program in shared static ${cxx:+cplusplus}; do "$work/build/$program"; done

for version in 0.0 0.2 1.0; do
    if configure "refused-$version" $version; then
        echo "version $version was asked for and found"
        exit 1
    fi
done

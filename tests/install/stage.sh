#!/bin/sh
# stage.sh CMAKE BUILD_DIR DESTINATION: installs to a first place, moves the tree to DESTINATION, and looks for traces.
set -eu
cmake=$1 build=$2 destination=$3
first=$destination-first
rm -rf "$first" "$destination"
"$cmake" --install "$build" --prefix "$first" >/dev/null
mv "$first" "$destination"

failed=0
if grep -rIlF -e "$first" -e "$build" "$destination"; then
    echo "these installed files name the place they were built or installed in"
    failed=1
fi
library=$(find "$destination" -name 'liblstmae.so')
if readelf -d "$library" | grep -E 'RPATH|RUNPATH'; then
    echo "the library carries a search path"
    failed=1
fi
readelf -d "$library" | grep -qE 'SONAME.*\[liblstmae\.so\.[0-9]+\.[0-9]+\]' || { echo "no soname"; failed=1; }
exit $failed

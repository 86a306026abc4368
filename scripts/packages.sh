# Sourced by the other scripts: what a task needs from the system, by the names of Debian's packages.
# shellcheck shell=bash

# package_present NAME: does this machine have what the package brings, from wherever it came?
package_present() {
    case $1 in
    cmake) command -v cmake ;;
    gcc) command -v gcc ;;
    g++) command -v g++ ;;
    clang) command -v clang && echo 'int main(void){return 0;}' | clang -fsanitize=address -x c - -o /dev/null ;;
    libc6-dev) echo '#include <stdio.h>' | cc -E - ;;
    ninja-build) command -v ninja ;;
    pkg-config) command -v pkg-config || command -v pkgconf ;;
    python3) command -v python3 ;;
    valgrind) command -v valgrind ;;
    binutils) command -v readelf ;;
    git) command -v git ;;
    libcmocka-dev) pkg-config --exists cmocka ;;
    libopenblas-dev) pkg-config --exists openblas ;;
    zlib1g-dev) pkg-config --exists zlib ;;
    libpng-dev) pkg-config --exists libpng ;;
    libgif-dev) echo '#include <stdio.h>
#include <gif_lib.h>' | cc -E - ;;
    *) echo "packages.sh does not know $1" >&2 && return 1 ;;
    esac >/dev/null 2>&1
}

packages_missing() {
    local name
    for name in "$@"; do package_present "$name" || echo "$name"; done
}

# packages_need NAME...: installs what is missing where that is possible (root and apt-get), else names it and fails.
packages_need() {
    local missing
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "Missing: $missing"
        echo "On Debian or Ubuntu: sudo apt-get install --no-install-recommends $missing"
        return 1
    fi
    echo "Installing: $missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } </dev/null >/dev/null || return 1
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -z "$missing" ] || { echo "Installed, but still not found: $missing"; return 1; }
}

# Number of jobs for builds and tests.
jobs_default() {
    nproc 2>/dev/null || echo 2
}

#!/bin/sh
# order.sh ORDER_CASES [PROGRAM [ARGUMENT...]]: runs all cases of order_cases with and without what orders them, or a
# program that must be free of reports, for several seeds.
set -u
cases=$1
shift
fixed=
# ThreadSanitizer of gcc 12 cannot start where addresses are randomised by more than 28 bits.
[ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ] && fixed="setarch -R"
export TSAN_OPTIONS="exitcode=66 halt_on_error=1 history_size=7 report_signal_unsafe=0"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

$fixed "$cases" >"$log" 2>&1 || { cat "$log"; echo "ThreadSanitizer does not run here"; exit 77; }
names=$(cat "$log")

# expect STATUS COMMAND...
expect() {
    wanted=$1
    shift
    $fixed "$@" >"$log" 2>&1
    got=$?
    [ $got = "$wanted" ] && return
    cat "$log"
    echo "seed $LSTMAE_CUDA_HOST_SEED: $*: expected status $wanted, got $got"
    exit 1
}

for seed in 1 2 3; do
    export LSTMAE_CUDA_HOST_SEED=$seed
    if [ $# -gt 0 ]; then
        expect 0 "$@"
        continue
    fi
    for name in $names; do
        expect 0 "$cases" "$name" ordered
        expect 66 "$cases" "$name" unordered
    done
done

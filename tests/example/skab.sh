#!/bin/sh
# The Skoltech Anomaly Benchmark by examples/timeseries_ae: what its table promises.
# usage: LSTMAE_SKAB=FOLDER skab.sh PROGRAM; without the folder, which holds valve1, valve2 and other, it is skipped.
set -u
[ -n "${LSTMAE_SKAB-}" ] || exit 77
out=$("$1" bench-skab "$LSTMAE_SKAB") || exit 1
printf '%s\n' "$out"
printf '%s\n' "$out" | awk '
    function value(name) { match($0, "[ ]" name "=[0-9.]*"); return substr($0, RSTART + length(name) + 2, RLENGTH) + 0 }
    /^result: / {
        seen = 1
        if (value("f1") < 0.80) { print "FAILED: f1 is below 0.80"; bad = 1 }
        if (value("published_f1") < 0.74) { print "FAILED: published_f1 is below 0.74"; bad = 1 }
    }
    END { exit bad || !seen }'

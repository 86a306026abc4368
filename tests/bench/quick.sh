#!/bin/sh
# quick.sh BENCH PYTHON: the benchmark runs, and what it writes is JSON with the entries that readers rely on.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" --quick --filter peephole --json "$folder/result.json"
"$2" - "$folder/result.json" <<'CHECK'
import json
import sys

with open(sys.argv[1]) as file:
    result = json.load(file)
assert result["machine"]["fma_peak_gflops"] > 0
assert [w["mode"] for w in result["workloads"]] == ["train", "reconstruct"]
for workload in result["workloads"]:
    assert workload["name"] == "peephole_b1_t25_i385_h15"
    assert 0 < workload["min_ms"] <= workload["median_ms"] <= workload["max_ms"]
    assert workload["gflops"] > 0 and workload["share_of_peak"] > 0 and workload["peak_bytes"] > 0
CHECK

#!/bin/sh
# quick_device.sh BENCH PYTHON: the benchmark runs on a device, in a precision, and writes its peaks and floors.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" --machine --quick --device cuda >"$folder/log" 2>&1 || { cat "$folder/log"; exit 77; }
"$1" --quick --device cuda --precision bf16 --filter mnist_linear,stream_i8 --json "$folder/result.json"
"$2" - "$folder/result.json" <<'CHECK'
import json
import sys

with open(sys.argv[1]) as file:
    result = json.load(file)
machine = result["machine"]
assert machine["device"].startswith("cuda:0, ") and machine["precision"] == "bf16", machine
assert machine["gemm_gflops"] > 0 and machine["copy_gbytes_per_s"] > 0 and machine["fma_peak_gflops"] is None
assert [(w["name"], w["mode"]) for w in result["workloads"]] == [
    ("stream_i8_h64", "step"), ("mnist_linear_b256", "fit"), ("mnist_linear_b256", "train")]
for workload in result["workloads"]:
    assert 0 < workload["min_ms"] <= workload["median_ms"] <= workload["max_ms"]
    assert workload["floor_ms"] > 0 and workload["peak_bytes"] > 0
CHECK

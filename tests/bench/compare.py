#!/usr/bin/env python3
"""Prints the results of scripts/bench as a table in Markdown: compare.py FOLDER."""

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path

folder = Path(sys.argv[1])
machine, peer, entries, order = {}, {}, defaultdict(lambda: defaultdict(list)), []
for path in sorted(folder.glob("*.json"), key=lambda p: p.stat().st_mtime):
    result = json.loads(path.read_text())
    if "torch" in result["machine"]:
        peer.update(result["machine"])
    elif "onnxruntime" in result["machine"]:
        peer["onnxruntime"] = result["machine"]["onnxruntime"]
    else:
        # Every process measured the peak; the highest counts, since nothing can exceed what the machine can do.
        highest = max(machine.get("fma_peak_gflops", 0), result["machine"]["fma_peak_gflops"])
        machine.update({key: value for key, value in result["machine"].items() if value}, fma_peak_gflops=highest)
    for workload in result["workloads"]:
        key = workload["name"], workload["mode"]
        if key not in order:
            order.append(key)
        entries[key][workload.get("form", "ours")].append(workload)


def median(rows, field):
    return statistics.median(row[field] for row in rows)


def milliseconds(rows):
    value = median(rows, "median_ms")
    return f"{value:.4f}" if value < 1 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def row(key):
    forms = entries[key]
    ours = forms["ours"]
    times = {form: median(rows, "median_ms") for form, rows in forms.items() if rows}
    rate = f"{median(ours, 'gflops'):.0f} GFLOP/s" if times["ours"] > 0.5 else f"{median(ours, 'gflops'):.1f} GFLOP/s"
    if "gbytes_per_s" in ours[0]:
        rate = f"{median(ours, 'gbytes_per_s'):.0f} GB/s"
    cells = [f"`{key[0]}`", key[1], milliseconds(ours), f"{min(r['min_ms'] for r in ours):.4g} – "
             f"{max(r['max_ms'] for r in ours):.4g}", rate,
             f"{100 * median(ours, 'gflops') / machine['fma_peak_gflops']:.0f} %",
             f"{max(r['peak_bytes'] for r in ours) / 1e6:.1f}"]
    cells.append(f"{times['ours'] / ours[0]['floor_ms']:.2f}" if "floor_ms" in ours[0] else "")
    for form in "tutorial", "best", "onnxruntime":
        cells += [milliseconds(forms[form]), f"{times[form] / times['ours']:.2f}"] if form in times else ["", ""]
    return cells


print(f"{machine['cpu']}, {machine['threads']} threads, {machine['isa']}; lstmae {machine['library']}, "
      f"PyTorch {peer.get('torch', 'absent')}, ONNX Runtime {peer.get('onnxruntime', 'absent')}.\n")
for key, label in dict(fma_peak_gflops="FMA peak, GFLOP/s", gemm_gflops="our GEMM at 2048³, GFLOP/s",
                       openblas_sgemm_gflops="OpenBLAS sgemm at 2048³, GFLOP/s",
                       read_gbytes_per_s="memory, reading, GB/s", copy_gbytes_per_s="memory, copying, GB/s").items():
    if machine.get(key):
        print(f"- {label}: {machine[key]:.0f}")
heading = ["workload", "mode", "ms", "min – max", "rate", "of the peak", "held MB", "times its floor",
           "PyTorch tutorial, ms", "ratio", "PyTorch best, ms", "ratio", "ONNX Runtime, ms", "ratio"]
print("\n| " + " | ".join(heading) + " |\n|" + "---|" * len(heading))
for key in order:
    if "ours" in entries[key]:
        print("| " + " | ".join(row(key)) + " |")

#!/usr/bin/env python3
"""What scripts/check-gpu measured, as one JSON file and one table in Markdown."""

import argparse
import json
import re
from pathlib import Path

PRECISIONS = ["fp32", "tf32", "bf16"]

# What is aimed at on one H200: workload, mode, precision, milliseconds.
TARGETS = [
    ("composite_b128_h2048", "fit", "bf16", 6.6),
    ("composite_b128_h2048", "fit", "tf32", 9.5),
    ("composite_b128_h2048", "fit", "fp32", 42.0),
    ("cifar_uva_b256", "fit", "bf16", 0.5),
]
TARGET_RATIO = 2.0  # of PyTorch's best time to ours, at the same precision, for the training step of the first
TARGET_STREAM = "stream_i4096_h2048_l2", 1.25  # times its floor
TARGET_TRAINING = 10000, 80.0  # updates of the preset "seed", seconds


def number(value):
    if value is None:
        return ""
    return f"{value:.4f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def read_lines(path):
    return path.read_text().strip().splitlines() if path.exists() else []


class Results:
    """Everything in the folder of one run."""

    def __init__(self, folder):
        self.machines, self.ours, self.best, self.tutorial, self.torch = {}, [], {}, {}, {}
        for path in sorted(folder.glob("ours-*.json")):
            content = json.loads(path.read_text())
            precision = content["machine"]["precision"]
            self.machines.setdefault(precision, content["machine"])
            self.ours += [dict(workload, precision=precision) for workload in content["workloads"]]
        for path in sorted(folder.glob("torch-*.json")):
            content = json.loads(path.read_text())
            self.torch.update(content["machine"])
            for workload in content["workloads"]:
                self.add_peer(workload, content["machine"]["precision"])
        self.steps = [dict(zip(("step", "status", "seconds"), (name, int(status), int(seconds))))
                      for name, status, seconds in (line.split("\t") for line in read_lines(folder / "steps.tsv"))]
        gpu = read_lines(folder / "nvidia-smi.csv")
        keys = ["name", "driver", "memory", "most_sm_clock", "most_memory_clock", "sm_clock", "memory_clock",
                "power_limit"]
        self.gpu = dict(zip(keys, (field.strip() for field in gpu[0].split(",")))) if gpu else {}
        self.toolkit = " ".join(read_lines(folder / "nvcc.txt"))
        seconds = read_lines(folder / "training.txt")
        self.training = float(seconds[-1].split()[1]) if seconds else None

    def add_peer(self, workload, precision):
        key = workload["name"], workload["mode"]
        if workload["form"] == "tutorial":
            self.tutorial[key] = workload
            return
        key += (precision,)
        before = self.best.get(key)
        variants = {**(before or {}).get("variants", {}), **workload["variants"]}
        if not before or workload["median_ms"] < before["median_ms"]:
            before = workload
        self.best[key] = dict(before, variants=variants)

    def peers(self, ours):
        """PyTorch's entries for one of ours: lstmae_fit() does what its training loop does."""
        mode = "train" if ours["mode"] == "fit" else ours["mode"]
        return self.tutorial.get((ours["name"], mode)), self.best.get((ours["name"], mode, ours["precision"]))

    def find(self, name, mode, precision):
        for ours in self.ours:
            if (ours["name"], ours["mode"], ours["precision"]) == (name, mode, precision):
                return ours
        return None


def row(results, ours):
    tutorial, best = results.peers(ours)
    floor = ours.get("floor_ms")
    cells = [f"`{ours['name']}`", ours["mode"], ours["precision"], number(ours["median_ms"]),
             f"{number(ours['min_ms'])} .. {number(ours['max_ms'])}", number(floor),
             f"{ours['median_ms'] / floor:.2f}" if floor else "", number(tutorial and tutorial["median_ms"]),
             f"{number(best['median_ms'])} ({best['variant']})" if best else "",
             f"{best['median_ms'] / ours['median_ms']:.1f}" if best else "", f"{ours['peak_bytes'] / 1e6:.0f}"]
    return "| " + " | ".join(cells) + " |"


def verdict(text, value, most, unit):
    return f"| {text} | {number(most)} {unit} | {number(value)} {unit} | {'met' if value <= most else 'missed'} |"


def targets(results, iterations):
    lines = []
    for name, mode, precision, most in TARGETS:
        ours = results.find(name, mode, precision)
        if not ours:
            continue
        lines.append(verdict(f"`{name}`, training step, {precision}", ours["median_ms"], most, "ms"))
        _, best = results.peers(ours)
        if best and name == TARGETS[0][0]:
            ratio = best["median_ms"] / ours["median_ms"]
            lines.append(f"| the same beside PyTorch's best | {TARGET_RATIO:.1f} times | {ratio:.2f} times | "
                         f"{'met' if ratio >= TARGET_RATIO else 'missed'} |")
    for precision in PRECISIONS:
        ours = results.find(TARGET_STREAM[0], "step", precision)
        if ours and ours.get("floor_ms"):
            lines.append(verdict(f"`{TARGET_STREAM[0]}`, {precision}, over its floor",
                                 ours["median_ms"] / ours["floor_ms"], TARGET_STREAM[1], "times"))
    if results.training and iterations == TARGET_TRAINING[0]:
        lines.append(verdict(f"{iterations} updates of the preset `seed`, bf16, with pictures", results.training,
                             TARGET_TRAINING[1], "s"))
    return lines


def document(results, model, commit, iterations):
    gpu = results.gpu
    lines = [f"# {model}", ""]
    lines.append(f"Measured by `scripts/check-gpu` at commit `{commit}`. Driver {gpu.get('driver', 'unknown')}, CUDA "
                 f"toolkit {results.toolkit or 'none'}, PyTorch {results.torch.get('torch', 'absent')} (CUDA "
                 f"{results.torch.get('cuda', '-')}, cuDNN {results.torch.get('cudnn', '-')}).")
    if gpu:
        lines.append(f"Clocks: {gpu['sm_clock']} of at most {gpu['most_sm_clock']} when the run began, memory "
                     f"{gpu['memory_clock']} of {gpu['most_memory_clock']}; power limit {gpu['power_limit']}.")
    lines += ["", "| precision | our product | TFLOP/s | our copy, GB/s (read and written) |", "|---|---|---|---|"]
    for precision in PRECISIONS:
        machine = results.machines.get(precision)
        if machine:
            lines.append(f"| {precision} | {machine['gemm_size']}³ | {machine['gemm_gflops'] / 1e3:.3g} | "
                         f"{machine['copy_gbytes_per_s']:.0f} |")
    lines += ["", "Floors are of these two figures; [benchmarks](../benchmarks.md#on-a-gpu) says how. `fit` is an "
              "update of `lstmae_fit()`, captured as a graph; `train` is one of a loop of one's own.", "",
              "| workload | mode | precision | ours, ms | least .. most | floor, ms | over the floor | "
              "PyTorch tutorial, ms | PyTorch best, ms | best / ours | held MB |",
              "|---|---|---|---|---|---|---|---|---|---|---|"]
    order = {precision: place for place, precision in enumerate(PRECISIONS)}
    names = list(dict.fromkeys(ours["name"] for ours in results.ours))
    for ours in sorted(results.ours, key=lambda o: (names.index(o["name"]), o["mode"], order[o["precision"]])):
        lines.append(row(results, ours))
    if results.training:
        lines += ["", f"{iterations} updates of the preset `seed` in bf16, with validation and pictures: "
                  f"{results.training:.1f} s."]
    aims = targets(results, iterations) if "H200" in model else []
    if aims:
        lines += ["", "| aim | at most (ratios: at least) | measured | |", "|---|---|---|---|"] + aims
    lines += ["", "| step | result | seconds |", "|---|---|---|"]
    words = {0: "passed", 77: "left out"}
    lines += [f"| {s['step']} | {words.get(s['status'], 'FAILED')} | {s['seconds']} |" for s in results.steps]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder that scripts/check-gpu wrote")
    parser.add_argument("--documents", type=Path, required=True, help="folder for gpu-MODEL.md")
    parser.add_argument("--model", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--iterations", type=int, required=True)
    options = parser.parse_args()
    results = Results(options.results)
    text = document(results, options.model, options.commit, options.iterations)
    (options.results / "report.md").write_text(text)
    options.documents.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", options.model.lower().replace("nvidia", "")).strip("-")
    (options.documents / f"gpu-{slug}.md").write_text(text)
    everything = dict(model=options.model, commit=options.commit, gpu=results.gpu, toolkit=results.toolkit,
                      torch=results.torch, machines=results.machines, ours=results.ours,
                      pytorch_tutorial=list(results.tutorial.values()),
                      pytorch_best=[dict(entry, precision=key[2]) for key, entry in results.best.items()],
                      training=dict(iterations=options.iterations, seconds=results.training), steps=results.steps)
    (options.results / "gpu.json").write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()

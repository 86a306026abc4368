#!/usr/bin/env python3
"""Times the streaming workloads of lstmae_bench in ONNX Runtime: one step of a stacked LSTM from the state before.

Needs onnx, onnxruntime and numpy. The model is built here, one LSTM node of opset 14 for each layer, with random
weights; states stay in buffers of the runtime's own, bound to inputs and outputs once and swapped between two bindings,
so that a step is one call and copies nothing.
"""

import argparse
import json
import statistics
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

WORKLOADS = {
    "stream_i8_h64": (8, 64, 1),
    "stream_i32_h128_l2": (32, 128, 2),
    "stream_i64_h512_l2": (64, 512, 2),
    "stream_i4096_h1024_l2": (4096, 1024, 2),
    "stream_i4096_h2048_l2": (4096, 2048, 2),
}


def build(inputs, hidden, layers):
    """The model as bytes: x [1,1,I], h0.. and c0.. [1,1,H] in; hn.. and cn.. out."""
    random = numpy.random.default_rng(1)
    nodes, weights, ins, outs = [], [], [], []

    def value(name, width):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, width])

    def weight(name, *shape):
        values = random.uniform(-1, 1, shape).astype(numpy.float32) / numpy.sqrt(numpy.float32(hidden))
        weights.append(numpy_helper.from_array(values.astype(numpy.float32), name))
        return name

    if layers > 1:
        weights.append(numpy_helper.from_array(numpy.array([1], numpy.int64), "axis"))
    ins.append(value("x", inputs))
    below, width = "x", inputs
    for k in range(layers):
        operands = [below, weight(f"w{k}", 1, 4 * hidden, width), weight(f"r{k}", 1, 4 * hidden, hidden),
                    weight(f"b{k}", 1, 8 * hidden), "", f"h{k}", f"c{k}"]
        last = k + 1 == layers
        nodes.append(helper.make_node("LSTM", operands, ["" if last else f"y{k}", f"hn{k}", f"cn{k}"],
                                      hidden_size=hidden))
        if not last:
            nodes.append(helper.make_node("Squeeze", [f"y{k}", "axis"], [f"s{k}"]))
        below, width = f"s{k}", hidden
        ins += [value(f"h{k}", hidden), value(f"c{k}", hidden)]
        outs += [value(f"hn{k}", hidden), value(f"cn{k}", hidden)]
    graph = helper.make_graph(nodes, "stream", ins, outs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


def stepper(model, inputs, hidden, layers, threads):
    """A function that makes one step."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def buffer(width):
        return onnxruntime.OrtValue.ortvalue_from_numpy(numpy.full((1, 1, width), 0.1, numpy.float32))

    x = buffer(inputs)
    states = [{f"{s}{k}": buffer(hidden) for s in "hc" for k in range(layers)} for _ in range(2)]
    bindings = []
    for turn in range(2):
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        for name in states[0]:
            binding.bind_ortvalue_input(name, states[turn][name])
            binding.bind_ortvalue_output(name[0] + "n" + name[1:], states[1 - turn][name])
        bindings.append(binding)
    run, turn = session.run_with_iobinding, 0

    def step():
        nonlocal turn
        run(bindings[turn])
        turn ^= 1

    return step


def measure(step, quick):
    """Milliseconds of one step: groups of at least 0.2 ms for two seconds, as lstmae_bench does."""
    budget, least = (0.05, 3) if quick else (2.0, 5)
    for _ in range(3):
        step()
    group = 1
    while True:
        start = time.perf_counter()
        for _ in range(group):
            step()
        if time.perf_counter() - start >= 2e-4 or group >= 1 << 20:
            break
        group *= 2
    times, begin = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - begin < budget:
        start = time.perf_counter()
        for _ in range(group):
            step()
        times.append(1e3 * (time.perf_counter() - start) / group)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--filter", metavar="TEXT", default="", help="only workloads whose name contains TEXT")
    parser.add_argument("--threads", type=int, default=1, help="the faster of one thread and of so many is kept")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    options = parser.parse_args()
    results = []
    for name, shape in WORKLOADS.items():
        if options.filter not in name:
            continue
        model, fastest = build(*shape), None
        for threads in sorted({1, max(1, options.threads)}):
            times = measure(stepper(model, *shape, threads), options.quick)
            if fastest is None or statistics.median(times) < statistics.median(fastest[0]):
                fastest = times, threads
        times, threads = fastest
        results.append(dict(name=name, mode="step", form="onnxruntime", threads=threads, repetitions=len(times),
                            median_ms=statistics.median(times), min_ms=min(times), max_ms=max(times)))
        print("{name:28} {mode:12} {form:12} {median_ms:12.4f} ms   [{min_ms:.4f} .. {max_ms:.4f}]  "
              "{threads} threads".format(**results[-1]), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(dict(machine=dict(onnxruntime=onnxruntime.__version__), workloads=results), file, indent=1)


if __name__ == "__main__":
    main()

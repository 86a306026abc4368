#!/usr/bin/env python3
"""The workloads of lstmae_bench in PyTorch, on the CPU or a GPU, in two forms.

tutorial: as published examples write them: nn.LSTM called once per decoder step, Adam with foreach=True. On a GPU with
          the precisions that PyTorch chooses by itself (TF32 inside cuDNN, float32 elsewhere).
best:     the fastest form found: nn.LSTM over whole sequences where the inputs are known (oneDNN's or cuDNN's fused
          layer), LSTMCell steps where the output is fed back, Adam with fused=True, inference_mode; images channels
          last, as they come and compiled. On a GPU in the precision that is asked for, bf16 by autocast (inference:
          weights in bf16), each also as one CUDA graph. Where such forms compete all are timed and the fastest one is
          reported.
"""

import argparse
import contextlib
import copy
import json
import resource
import statistics
import time

import torch
from torch import nn


class Device:
    """Where the workloads run, and in which precision."""

    name, precision, gpu = "cpu", "fp32", False

    @classmethod
    def choose(cls, name, precision):
        cls.name, cls.precision, cls.gpu = name, precision, name.startswith("cuda")
        if cls.gpu:
            torch.cuda.set_device(torch.device(name) if ":" in name else 0)

    @classmethod
    def settle(cls, form):
        """PyTorch's own settings for the tutorial's form, those of the precision for the best one."""
        if not cls.gpu:
            return
        reduced = cls.precision != "fp32"
        torch.backends.cuda.matmul.allow_tf32 = reduced and form == "best"
        torch.backends.cudnn.allow_tf32 = reduced or form != "best"
        torch.backends.cudnn.benchmark = form == "best"

    @classmethod
    def autocast(cls):
        if cls.precision != "bf16":
            return contextlib.nullcontext()
        return torch.autocast("cuda" if cls.gpu else "cpu", dtype=torch.bfloat16)

    @classmethod
    def inference(cls, module, *tensors):
        """Module and data as inference has them: in bf16 everything is, rather than cast again in each run."""
        if cls.precision != "bf16":
            return module, *tensors
        return copy.deepcopy(module).to(torch.bfloat16), *(t.to(torch.bfloat16) for t in tensors)

    @classmethod
    def synchronize(cls):
        if cls.gpu:
            torch.cuda.synchronize()


def rand(*shape):
    return torch.rand(*shape, device=Device.name)


def graphed(step):
    """One CUDA graph of what `step` does; tensors of its results are written again by each call."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = step()

    def replay():
        graph.replay()
        return result

    return replay


def update(loss_of, optimizer):
    """A training step that reads its loss back."""
    optimizer.zero_grad()
    with Device.autocast():
        loss = loss_of()
    loss.backward()
    optimizer.step()
    return loss


def trainer(loss_of, parameters, make, graph=False, tutorial=False):
    """train() over `parameters`; `make` gives the optimizer, with capturable=True where a graph holds it."""
    holder = []

    def step():
        if tutorial:
            holder[0].zero_grad()
            loss = loss_of()
            loss.backward()
            holder[0].step()
            return loss
        return update(loss_of, holder[0])

    def train():
        if not holder:
            holder.append(make(parameters, **(dict(capturable=True) if graph else {})))
            holder.append(graphed(step) if graph else step)
        return holder[1]().item()

    return train


class Clock:
    """How often to repeat, and the times of one workload."""

    def __init__(self, quick, seconds):
        self.budget, self.most = (0.3, 5) if quick else (seconds, 2000)
        self.warm = 1 if quick else 3

    @staticmethod
    def group(step, count):
        start = time.perf_counter()
        for _ in range(count):
            step()
        Device.synchronize()
        return (time.perf_counter() - start) / count

    def measure(self, step):
        first = self.group(step, 1)
        for _ in range(self.warm - 1 if first < 2 or Device.gpu else 0):
            self.group(step, 1)
        # a GPU is waited for after a fifth of a millisecond at the earliest, as lstmae_bench does
        count = 1
        while Device.gpu and count < 1024 and self.group(step, count) * count < 2e-4:
            count *= 2
        times, begin = [], time.perf_counter()
        while len(times) < 3 or (time.perf_counter() - begin < self.budget and len(times) < self.most):
            times.append(1e3 * self.group(step, count))
        return times


# --- the composite model: one encoder, a reconstructing and a predicting decoder ------------------------------


class TutorialDecoder(nn.Module):
    def __init__(self, features, hidden, layers):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, layers)
        self.out = nn.Linear(hidden, features)

    def forward(self, state, steps, batch, features):
        frame, frames = state[0].new_zeros(1, batch, features), []
        for _ in range(steps):
            y, state = self.lstm(frame, state)
            frame = self.out(y)
            frames.append(frame)
        return torch.cat(frames)


class CellDecoder(nn.Module):
    def __init__(self, features, hidden, layers):
        super().__init__()
        self.cells = nn.ModuleList(nn.LSTMCell(features if l == 0 else hidden, hidden) for l in range(layers))
        self.out = nn.Linear(hidden, features)

    def forward(self, state, steps, batch, features):
        states = list(zip(*(s.unbind(0) for s in state)))
        frame, frames = state[0].new_zeros(batch, features), []
        for _ in range(steps):
            y = frame
            for l, cell in enumerate(self.cells):
                states[l] = cell(y, states[l])
                y = states[l][0]
            frame = self.out(y)
            frames.append(frame)
        return torch.stack(frames)


class CellEncoder(nn.Module):
    def __init__(self, features, hidden, layers):
        super().__init__()
        self.cells = nn.ModuleList(nn.LSTMCell(features if l == 0 else hidden, hidden) for l in range(layers))

    def forward(self, x):
        states = [None] * len(self.cells)
        for y in x:
            for l, cell in enumerate(self.cells):
                states[l] = cell(y, states[l])
                y = states[l][0]
        h, c = (torch.stack(s) for s in zip(*states))
        return None, (h, c)


class Composite(nn.Module):
    def __init__(self, features, hidden, layers, encoder, decoder):
        super().__init__()
        self.encoder = encoder(features, hidden, layers)
        self.decoders = nn.ModuleList(decoder(features, hidden, layers) for _ in range(2))


def composite(batch, hidden):
    features, layers, T = 4096, 2, 10
    x, future = rand(T, batch, features), rand(T, batch, features)
    reverse = x.flip(0)
    mse = nn.MSELoss()

    def variant(label, encoder, decoder, guard, graph=False, tutorial=False, compiled=False, **adam):
        model = Composite(features, hidden, layers, encoder, decoder).to(Device.name)

        def decode(model, x):
            _, state = model.encoder(x)
            return [d(state, T, batch, features) for d in model.decoders]

        run = torch.compile(decode) if compiled else decode

        def loss_of():
            reconstruction, prediction = run(model, x)
            return mse(reconstruction, reverse) + mse(prediction, future)

        ready = []

        def forward():
            frozen, data = ready[0]
            with guard():
                return frozen.decoders[1](frozen.encoder(data)[1], T, batch, features)

        def generate():
            if not ready:
                ready.append((model, x) if tutorial else Device.inference(model, x))
                ready.append(graphed(forward) if graph else forward)
            return ready[1]()

        make = lambda parameters, **more: torch.optim.Adam(parameters, 5e-4, **adam, **more)
        return label, dict(train=trainer(loss_of, list(model.parameters()), make, graph, tutorial), generate=generate)

    def tutorial():
        yield lambda: variant("eager", nn.LSTM, TutorialDecoder, torch.no_grad, tutorial=True, foreach=True)

    def best():
        guard = torch.no_grad if Device.gpu else torch.inference_mode
        yield lambda: variant("eager", nn.LSTM, CellDecoder, guard, fused=True)
        if Device.gpu:
            yield lambda: variant("graph", nn.LSTM, CellDecoder, guard, graph=True, fused=True)
            yield lambda: variant("graph, nn.LSTM steps", nn.LSTM, TutorialDecoder, guard, graph=True, fused=True)
            yield lambda: variant("compile", nn.LSTM, CellDecoder, guard, compiled=True, fused=True)
        elif hidden < 1024:
            yield lambda: variant("cells", CellEncoder, CellDecoder, guard, fused=True)

    return ["train", "generate"], dict(tutorial=tutorial, best=best)


# --- one sequence, peephole cells, encoder and a decoder that is fed back --------------------------------------


class PeepholeCell(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.ih, self.hh = nn.Linear(inputs, 4 * hidden), nn.Linear(hidden, 4 * hidden, bias=False)
        self.peephole = nn.Parameter(torch.rand(3, hidden) - 0.5)

    def cell(self, gates, c):
        i, f, g, o = gates.chunk(4, 1)
        i = torch.sigmoid(i + self.peephole[0] * c)
        f = torch.sigmoid(f + self.peephole[1] * c)
        c = f * c + i * torch.tanh(g)
        return torch.sigmoid(o + self.peephole[2] * c) * torch.tanh(c), c

    def forward(self, x, h, c):
        return self.cell(self.ih(x) + self.hh(h), c)


def peephole():
    B, T, F, H = 1, 25, 385, 15
    x = rand(T, B, F)
    reverse = x.flip(0)

    def variant(label, hoist, guard, graph=False, tutorial=False, **options):
        encoder, decoder, out = (m.to(Device.name) for m in (PeepholeCell(F, H), PeepholeCell(F, H), nn.Linear(H, F)))
        parameters = [p for m in (encoder, decoder, out) for p in m.parameters()]

        def forward():
            h = c = x.new_zeros(B, H)
            if hoist:
                for gates in encoder.ih(x):
                    h, c = encoder.cell(torch.addmm(gates, h, encoder.hh.weight.t()), c)
            else:
                for frame in x:
                    h, c = encoder(frame, h, c)
            frame, frames = x.new_zeros(B, F), []
            for _ in range(T):
                h, c = decoder(frame, h, c)
                frame = out(h)
                frames.append(frame)
            return torch.stack(frames)

        def guarded():
            with guard(), contextlib.nullcontext() if tutorial else Device.autocast():
                return forward()

        ready = []

        def reconstruct():
            if not ready:
                ready.append(graphed(guarded) if graph else guarded)
            return ready[0]()

        make = lambda parameters, **more: torch.optim.RMSprop(parameters, 1e-3, alpha=0.9, eps=1e-10, **options, **more)
        loss_of = lambda: nn.functional.mse_loss(forward(), reverse)
        return label, dict(train=trainer(loss_of, parameters, make, graph, tutorial), reconstruct=reconstruct)

    def best():
        guard = torch.no_grad if Device.gpu else torch.inference_mode
        yield lambda: variant("eager, foreach", True, guard, foreach=True)
        yield lambda: variant("eager", True, guard)
        if Device.gpu:
            yield lambda: variant("graph", True, guard, graph=True, foreach=True)

    return ["train", "reconstruct"], dict(
        tutorial=lambda: [lambda: variant("eager", False, torch.no_grad, tutorial=True)], best=best)


# --- one LSTM layer over a long sequence -----------------------------------------------------------------------


def layer():
    T, B, I, H = 100, 64, 512, 512
    x, dy = rand(T, B, I), rand(T, B, H)

    def variant(label, step_by_step, guard, graph=False, tutorial=False):
        lstm = nn.LSTM(I, H).to(Device.name)

        def run(lstm, x):
            if not step_by_step:
                return lstm(x)[0]
            state, rows = None, []
            for frame in x:
                y, state = lstm(frame.unsqueeze(0), state)
                rows.append(y)
            return torch.cat(rows)

        ready = {}

        def once(name, step):
            if name not in ready:
                ready[name] = graphed(step) if graph else step
            return ready[name]()

        def infer():
            if "frozen" not in ready:
                ready["frozen"] = (lstm, x) if tutorial else Device.inference(lstm, x)
            with guard():
                return run(*ready["frozen"])

        def both():
            lstm.zero_grad()
            with contextlib.nullcontext() if tutorial else Device.autocast():
                y = run(lstm, x)
            y.backward(dy.to(y.dtype))

        return label, dict(forward=lambda: once("forward", infer), train=lambda: once("train", both))

    def best():
        guard = torch.no_grad if Device.gpu else torch.inference_mode
        yield lambda: variant("eager", False, guard)
        if Device.gpu:
            yield lambda: variant("graph", False, guard, graph=True)

    return ["forward", "train"], dict(
        tutorial=lambda: [lambda: variant("eager", True, torch.no_grad, tutorial=True)], best=best)


# --- one step at a time ----------------------------------------------------------------------------------------


def stream(inputs, hidden, layers):
    x = rand(1, 1, inputs)

    def whole(label, guard, graph=False, tutorial=False):
        lstm = nn.LSTM(inputs, hidden, layers).eval().to(Device.name)
        model, sample = (lstm, x) if tutorial else Device.inference(lstm, x)
        h, c = (sample.new_zeros(layers, 1, hidden) for _ in range(2))
        state = None

        def step():
            nonlocal state
            with guard():
                _, state = model(sample, state)

        def step_in_place():
            with guard():
                _, (h1, c1) = model(sample, (h, c))
                h.copy_(h1)
                c.copy_(c1)

        return label, dict(step=graphed(step_in_place) if graph else step)

    def cells(label, guard, graph=False):
        stack = nn.ModuleList(nn.LSTMCell(inputs if l == 0 else hidden, hidden) for l in range(layers)).eval()
        stack, sample = Device.inference(stack.to(Device.name), x)
        states = [tuple(sample.new_zeros(1, hidden) for _ in range(2)) for _ in range(layers)]

        def step():
            with guard():
                y = sample[0]
                for l, cell in enumerate(stack):
                    new = cell(y, states[l])
                    if graph:
                        for old, value in zip(states[l], new):
                            old.copy_(value)
                    else:
                        states[l] = new
                    y = new[0]

        return label, dict(step=graphed(step) if graph else step)

    def best():
        guard = torch.no_grad if Device.gpu else torch.inference_mode
        yield lambda: whole("eager", guard)
        yield lambda: cells("cells", guard)
        if Device.gpu:
            yield lambda: whole("graph", guard, graph=True)
            yield lambda: cells("graph, cells", guard, graph=True)

    return ["step"], dict(tutorial=lambda: [lambda: whole("eager", torch.no_grad, tutorial=True)], best=best)


# --- autoencoders of images ------------------------------------------------------------------------------------


def cifar_uva():
    """Encoder of five convolutions and decoder of five, GELU, 128 latent numbers."""
    c, latent = 32, 128
    down = [nn.Conv2d(3, c, 3, 2, 1), nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, 2 * c, 3, 2, 1),
            nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.Conv2d(2 * c, 2 * c, 3, 2, 1)]
    up = [nn.ConvTranspose2d(2 * c, 2 * c, 3, 2, 1, 1), nn.Conv2d(2 * c, 2 * c, 3, 1, 1),
          nn.ConvTranspose2d(2 * c, c, 3, 2, 1, 1), nn.Conv2d(c, c, 3, 1, 1), nn.ConvTranspose2d(c, 3, 3, 2, 1, 1)]
    encoder = [layer for conv in down for layer in (conv, nn.GELU())]
    decoder = [layer for conv in up for layer in (conv, nn.GELU())][:-1]
    middle = [nn.Flatten(), nn.Linear(32 * c, latent), nn.Linear(latent, 32 * c), nn.GELU(),
              nn.Unflatten(1, (2 * c, 4, 4))]
    return nn.Sequential(*encoder, *middle, *decoder, nn.Tanh())


def mnist_conv():
    """Convolutions with batch norm after ReLU and two poolings; transposed convolutions back."""

    def block(conv, channels):
        return [conv, nn.ReLU(), nn.BatchNorm2d(channels)]

    return nn.Sequential(
        *block(nn.Conv2d(1, 16, 3, 1, 1), 16), *block(nn.Conv2d(16, 32, 3, 1, 1), 32),
        *block(nn.Conv2d(32, 64, 3, 1, 1), 64), nn.MaxPool2d(2), *block(nn.Conv2d(64, 128, 3, 1, 1), 128),
        nn.MaxPool2d(2), nn.Conv2d(128, 256, 3, 1, 1), nn.ReLU(),
        *block(nn.ConvTranspose2d(256, 128, 3, 2, 1, 1), 128), *block(nn.ConvTranspose2d(128, 64, 3, 1, 1), 64),
        *block(nn.ConvTranspose2d(64, 16, 3, 1, 1), 16), nn.ConvTranspose2d(16, 1, 3, 2, 1, 1), nn.ReLU())


def mnist_linear():
    return nn.Sequential(nn.Linear(784, 20), nn.Linear(20, 784))


def images(make, shape, modes, summed=False):
    """`summed`: squared error summed over an image, mean over the batch; else the mean of everything."""

    def variant(label, last, compiled, guard, graph=False, tutorial=False, **adam):
        x, model = rand(*shape), make().to(Device.name)
        if last and len(shape) == 4:
            x, model = (t.to(memory_format=torch.channels_last) for t in (x, model))
        run = torch.compile(model) if compiled else model

        def loss_of():
            y = run(x)
            return ((y - x) ** 2).sum(dim=(1, 2, 3)).mean() if summed else nn.functional.mse_loss(y, x)

        optimizer = lambda parameters, **more: torch.optim.Adam(parameters, 1e-3, **adam, **more)
        step = trainer(loss_of, list(model.parameters()), optimizer, graph, tutorial)
        ready = []

        def train():
            model.train()
            return step()

        def forward():
            frozen, data = ready[0]
            with guard():
                return frozen(data)

        def infer():
            if not ready:
                model.eval()
                frozen, data = (run, x) if tutorial else Device.inference(model, x)
                ready.append((torch.compile(frozen) if compiled and frozen is not run else frozen, data))
                ready.append(graphed(forward) if graph else forward)
            return ready[1]()

        return label, dict(train=train, infer=infer)

    def best():
        guard = torch.no_grad if Device.gpu else torch.inference_mode
        yield lambda: variant("channels last", True, False, guard, fused=True)
        if Device.gpu:
            yield lambda: variant("graph, channels last", True, False, guard, graph=True, fused=True)
            yield lambda: variant("graph", False, False, guard, graph=True, fused=True)
            yield lambda: variant("graph, compile, channels last", True, True, guard, graph=True, fused=True)
        yield lambda: variant("compile, channels last", True, True, guard, fused=True)
        yield lambda: variant("compile", False, True, guard, fused=True)

    def tutorial():
        yield lambda: variant("eager", False, False, torch.no_grad, tutorial=True, foreach=True)

    return modes, dict(tutorial=tutorial, best=best)


WORKLOADS = {
    "composite_b16_h256": lambda: composite(16, 256),
    "composite_b32_h512": lambda: composite(32, 512),
    "composite_b128_h2048": lambda: composite(128, 2048),
    "peephole_b1_t25_i385_h15": peephole,
    "lstm_b64_t100_i512_h512": layer,
    "stream_i8_h64": lambda: stream(8, 64, 1),
    "stream_i32_h128_l2": lambda: stream(32, 128, 2),
    "stream_i64_h512_l2": lambda: stream(64, 512, 2),
    "stream_i4096_h1024_l2": lambda: stream(4096, 1024, 2),
    "stream_i4096_h2048_l2": lambda: stream(4096, 2048, 2),
    "cifar_uva_b256": lambda: images(cifar_uva, (256, 3, 32, 32), ["train", "infer"], summed=True),
    "cifar_uva_b1": lambda: images(cifar_uva, (1, 3, 32, 32), ["infer"]),
    "mnist_conv_b256": lambda: images(mnist_conv, (256, 1, 28, 28), ["train"]),
    "mnist_linear_b256": lambda: images(mnist_linear, (256, 784), ["train"]),
}


def run(name, forms, options, clock):
    for form in forms:
        Device.settle(form)
        modes, makers = WORKLOADS[name]()
        fastest, all_of = {}, {}
        for make in makers[form]():
            label, steps = make()
            for mode in modes:
                if options.mode and mode not in options.mode:
                    continue
                if options.only not in label or any(word in label for word in options.without):
                    continue
                try:
                    times = clock.measure(steps[mode])
                except Exception as error:  # a form that this version of PyTorch cannot capture or compile
                    if form == "tutorial" or not Device.gpu:
                        raise
                    print(f"{name} {mode}: {label} is left out: {str(error).splitlines()[0]}", flush=True)
                    all_of.setdefault(mode, {})[label] = None
                    continue
                all_of.setdefault(mode, {})[label] = statistics.median(times)
                if mode not in fastest or statistics.median(times) < statistics.median(fastest[mode][1]):
                    fastest[mode] = label, times
            label = steps = None  # gives its memory back before the next one is made
            if Device.gpu:
                torch.cuda.empty_cache()
        for mode, (label, times) in fastest.items():
            peak = torch.cuda.max_memory_allocated() if Device.gpu else 0
            yield dict(name=name, mode=mode, form=form, variant=label, variants=all_of[mode],
                       median_ms=statistics.median(times), min_ms=min(times), max_ms=max(times), repetitions=len(times),
                       peak_rss_bytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                       peak_device_bytes=peak)


def machine():
    facts = dict(torch=torch.__version__, threads=torch.get_num_threads(), device=Device.name,
                 precision=Device.precision)
    if Device.gpu:
        facts.update(gpu=torch.cuda.get_device_name(), cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version())
    return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--filter", metavar="TEXTS", default="",
                        help="only workloads whose name contains one of TEXTS, which commas separate")
    parser.add_argument("--mode", action="append",
                        help="only this mode (train, infer, generate, reconstruct, forward, step)")
    parser.add_argument("--form", choices=["tutorial", "best", "both"], default="both")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each mode of each variant; default: 3")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument("--device", default="cpu", help="cpu (the default), cuda, cuda:1, ...")
    parser.add_argument("--precision", choices=["fp32", "tf32", "bf16"], default="fp32",
                        help="of the best form on a GPU; the CPU has fp32 alone")
    parser.add_argument("--only", metavar="WORD", default="", help="only variants whose label contains WORD")
    parser.add_argument("--without", action="append", default=[], metavar="WORD",
                        help="leave out variants of the best form whose label contains WORD, such as compile")
    options = parser.parse_args()
    if options.device == "cpu" and options.precision != "fp32":
        parser.error("precision: the CPU has fp32 alone")
    if options.threads:
        torch.set_num_threads(options.threads)
    Device.choose(options.device, options.precision)
    torch.manual_seed(1)
    forms = ["tutorial", "best"] if options.form == "both" else [options.form]
    results = []

    def write():
        if options.json:
            with open(options.json, "w") as file:
                json.dump(dict(machine=machine(), workloads=results), file, indent=1)

    for name in WORKLOADS:
        if not any(text in name for text in options.filter.split(",")):
            continue
        for result in run(name, forms, options, Clock(options.quick, options.seconds)):
            results.append(result)
            print("{name:28} {mode:12} {form:9} {median_ms:12.4f} ms   [{min_ms:.4f} .. {max_ms:.4f}]  "
                  "{variant}".format(**result), flush=True)
            write()
    write()


if __name__ == "__main__":
    main()

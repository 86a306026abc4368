#!/usr/bin/env python3
"""The workloads of lstmae_bench in PyTorch on the CPU, in two forms.

tutorial: as published examples write them: nn.LSTM called once per decoder step, Adam with foreach=True.
best:     the fastest form found: nn.LSTM over whole sequences where the inputs are known (oneDNN's fused layer),
          LSTMCell steps where the output is fed back, Adam with fused=True, inference_mode; images channels last, as
          they come and compiled. Where such forms compete all are timed and the fastest one is reported.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn


class Clock:
    """How often to repeat, and the times of one workload."""

    def __init__(self, quick):
        self.budget, self.most = (0.3, 5) if quick else (3.0, 2000)
        self.warm = 1 if quick else 3

    def measure(self, step):
        start = time.perf_counter()
        step()
        first = time.perf_counter() - start
        for _ in range(self.warm - 1 if first < 2 else 0):
            step()
        times, begin = [], time.perf_counter()
        while len(times) < 3 or (time.perf_counter() - begin < self.budget and len(times) < self.most):
            start = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - start))
        return times


# --- the composite model: one encoder, a reconstructing and a predicting decoder ------------------------------


class TutorialDecoder(nn.Module):
    def __init__(self, features, hidden, layers):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, layers)
        self.out = nn.Linear(hidden, features)

    def forward(self, state, steps, batch, features):
        frame, frames = torch.zeros(1, batch, features), []
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
        frame, frames = torch.zeros(batch, features), []
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
    x, future = torch.rand(T, batch, features), torch.rand(T, batch, features)
    reverse = x.flip(0)

    def variant(encoder, decoder, guard, **adam):
        model = Composite(features, hidden, layers, encoder, decoder)
        mse = nn.MSELoss()
        optimizer = None

        def train():
            nonlocal optimizer
            optimizer = optimizer or torch.optim.Adam(model.parameters(), 5e-4, **adam)
            optimizer.zero_grad()
            _, state = model.encoder(x)
            reconstruction, prediction = (d(state, T, batch, features) for d in model.decoders)
            loss = mse(reconstruction, reverse) + mse(prediction, future)
            loss.backward()
            optimizer.step()
            return loss.item()

        def generate():
            with guard():
                return model.decoders[1](model.encoder(x)[1], T, batch, features)

        return dict(train=train, generate=generate)

    def tutorial():
        return [variant(nn.LSTM, TutorialDecoder, torch.no_grad, foreach=True)]

    def best():
        yield variant(nn.LSTM, CellDecoder, torch.inference_mode, fused=True)
        if hidden < 1024:
            yield variant(CellEncoder, CellDecoder, torch.inference_mode, fused=True)

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
    x = torch.rand(T, B, F)
    reverse = x.flip(0)

    def variant(hoist, guard, **options):
        encoder, decoder, out = PeepholeCell(F, H), PeepholeCell(F, H), nn.Linear(H, F)
        parameters = [p for m in (encoder, decoder, out) for p in m.parameters()]
        optimizer = torch.optim.RMSprop(parameters, 1e-3, alpha=0.9, eps=1e-10, **options)

        def forward():
            h = c = torch.zeros(B, H)
            if hoist:
                for gates in encoder.ih(x):
                    h, c = encoder.cell(torch.addmm(gates, h, encoder.hh.weight.t()), c)
            else:
                for frame in x:
                    h, c = encoder(frame, h, c)
            frame, frames = torch.zeros(B, F), []
            for _ in range(T):
                h, c = decoder(frame, h, c)
                frame = out(h)
                frames.append(frame)
            return torch.stack(frames)

        def train():
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(forward(), reverse)
            loss.backward()
            optimizer.step()
            return loss.item()

        def reconstruct():
            with guard():
                return forward()

        return dict(train=train, reconstruct=reconstruct)

    return ["train", "reconstruct"], dict(
        tutorial=lambda: [variant(False, torch.no_grad)],
        best=lambda: [variant(True, torch.inference_mode, foreach=True), variant(True, torch.inference_mode)])


# --- one LSTM layer over a long sequence -----------------------------------------------------------------------


def layer():
    T, B, I, H = 100, 64, 512, 512
    x, dy = torch.rand(T, B, I), torch.rand(T, B, H)

    def variant(step_by_step, guard):
        lstm = nn.LSTM(I, H)

        def run():
            if not step_by_step:
                return lstm(x)[0]
            state, rows = None, []
            for frame in x:
                y, state = lstm(frame.unsqueeze(0), state)
                rows.append(y)
            return torch.cat(rows)

        def forward():
            with guard():
                return run()

        def train():
            lstm.zero_grad()
            run().backward(dy)

        return dict(forward=forward, train=train)

    return ["forward", "train"], dict(tutorial=lambda: [variant(True, torch.no_grad)],
                                      best=lambda: [variant(False, torch.inference_mode)])


# --- one step at a time ----------------------------------------------------------------------------------------


def stream(inputs, hidden, layers):
    x = torch.rand(1, 1, inputs)

    def whole(guard):
        lstm = nn.LSTM(inputs, hidden, layers).eval()
        state = None

        def step():
            nonlocal state
            with guard():
                _, state = lstm(x, state)

        return dict(step=step)

    def cells():
        stack = nn.ModuleList(nn.LSTMCell(inputs if l == 0 else hidden, hidden) for l in range(layers)).eval()
        states = [None] * layers

        def step():
            with torch.inference_mode():
                y = x[0]
                for l, cell in enumerate(stack):
                    states[l] = cell(y, states[l])
                    y = states[l][0]

        return dict(step=step)

    return ["step"], dict(tutorial=lambda: [whole(torch.no_grad)], best=lambda: [whole(torch.inference_mode), cells()])


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

    def variant(last, compiled, guard, **adam):
        x, model = torch.rand(*shape), make()
        if last and len(shape) == 4:
            x, model = (t.to(memory_format=torch.channels_last) for t in (x, model))
        run = torch.compile(model) if compiled else model
        optimizer = torch.optim.Adam(model.parameters(), 1e-3, **adam)

        def train():
            model.train()
            optimizer.zero_grad()
            y = run(x)
            loss = ((y - x) ** 2).sum(dim=(1, 2, 3)).mean() if summed else nn.functional.mse_loss(y, x)
            loss.backward()
            optimizer.step()
            return loss.item()

        def infer():
            model.eval()
            with guard():
                return run(x)

        return dict(train=train, infer=infer)

    def best():
        yield variant(True, False, torch.inference_mode, fused=True)
        yield variant(True, True, torch.inference_mode, fused=True)
        yield variant(False, True, torch.inference_mode, fused=True)

    return modes, dict(tutorial=lambda: [variant(False, False, torch.no_grad, foreach=True)], best=best)


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
    "cifar_uva_b256": lambda: images(cifar_uva, (256, 3, 32, 32), ["train", "infer"], summed=True),
    "cifar_uva_b1": lambda: images(cifar_uva, (1, 3, 32, 32), ["infer"]),
    "mnist_conv_b256": lambda: images(mnist_conv, (256, 1, 28, 28), ["train"]),
    "mnist_linear_b256": lambda: images(mnist_linear, (256, 784), ["train"]),
}


def run(name, forms, modes_wanted, clock):
    modes, makers = WORKLOADS[name]()
    for form in forms:
        fastest = {}
        for variant in makers[form]():
            for mode in modes:
                if modes_wanted and mode not in modes_wanted:
                    continue
                times = clock.measure(variant[mode])
                if mode not in fastest or statistics.median(times) < statistics.median(fastest[mode]):
                    fastest[mode] = times
            variant = None  # gives its memory back before the next one is made
        for mode, times in fastest.items():
            yield dict(name=name, mode=mode, form=form, median_ms=statistics.median(times), min_ms=min(times),
                       max_ms=max(times), repetitions=len(times),
                       peak_rss_bytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--filter", metavar="TEXT", default="", help="only workloads whose name contains TEXT")
    parser.add_argument("--mode", action="append",
                        help="only this mode (train, infer, generate, reconstruct, forward, step)")
    parser.add_argument("--form", choices=["tutorial", "best", "both"], default="both")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    forms = ["tutorial", "best"] if options.form == "both" else [options.form]
    results = []
    for name in WORKLOADS:
        if options.filter not in name:
            continue
        for result in run(name, forms, options.mode, Clock(options.quick)):
            results.append(result)
            print("{name:28} {mode:12} {form:9} {median_ms:12.4f} ms   [{min_ms:.4f} .. {max_ms:.4f}]".format(**result),
                  flush=True)
    if options.json:
        machine = dict(torch=torch.__version__, threads=torch.get_num_threads())
        with open(options.json, "w") as file:
            json.dump(dict(machine=machine, workloads=results), file, indent=1)


if __name__ == "__main__":
    main()

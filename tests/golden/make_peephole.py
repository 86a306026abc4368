#!/usr/bin/env python3
"""Writes peephole.h beside this file: losses of the peephole autoencoder over 200 updates, for test_golden_peephole.c.

25 steps of 385 features to 15 units and back, one window at a time, the decoder fed its own output, the target
reversed; RMSProp as TensorFlow 1 defines it, its rate a staircase. Everything is in float64: the model in plain
operations of PyTorch, which gives the gradients, and the updates by hand.
"""
import math
import pathlib

import numpy
import torch

T, F, H, UPDATES = 25, 385, 15, 200
LR, FACTOR, PERIOD, RHO, EPS = 2e-3, 0.7, 40, 0.9, 1e-10
SHAPES = [[4 * H, F], [4 * H, H], [4 * H], [4 * H], [3, H]] * 2 + [[F, H], [F]]


def parameters():
    """Uniform in +-1/sqrt(H) by a linear congruential generator, as float32 holds them."""
    out = []
    for index, shape in enumerate(SHAPES):
        state, values = index + 1, []
        for _ in range(math.prod(shape)):
            state = (state * 1664525 + 1013904223) % 2**32
            values.append(((state >> 8) / 2**23 - 1) / math.sqrt(H))
        rounded = numpy.array(values, numpy.float32).astype(numpy.float64).reshape(shape)
        out.append(torch.tensor(rounded, requires_grad=True))
    return out


def window(n):
    t, f = numpy.arange(T)[:, None] + 3 * n, numpy.arange(F)[None, :]
    wave = 0.5 + 0.4 * numpy.sin(2 * math.pi * (t * (1 + f % 7) / 40 + f / F))
    return torch.tensor(wave.astype(numpy.float32).astype(numpy.float64))


def step(x, h, c, w):
    w_ih, w_hh, b_ih, b_hh, p = w
    i, f, g, o = (w_ih @ x + b_ih + w_hh @ h + b_hh).view(4, H)
    i, f = torch.sigmoid(i + p[0] * c), torch.sigmoid(f + p[1] * c)
    c = f * c + i * torch.tanh(g)
    return torch.sigmoid(o + p[2] * c) * torch.tanh(c), c


def loss_of(x, w):
    h = c = torch.zeros(H, dtype=torch.float64)
    for frame in x:
        h, c = step(frame, h, c, w[:5])
    frame, frames = torch.zeros(F, dtype=torch.float64), []
    for _ in range(T):
        h, c = step(frame, h, c, w[5:10])
        frame = w[10] @ h + w[11]
        frames.append(frame)
    return ((torch.stack(frames) - x.flip(0)) ** 2).mean()


def main():
    w = parameters()
    square = [torch.ones_like(p) for p in w]
    losses = []
    for n in range(UPDATES):
        loss = loss_of(window(n), w)
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, w)
        rate = LR * FACTOR ** (n // PERIOD)
        with torch.no_grad():
            for p, g, v in zip(w, gradients, square):
                v.mul_(RHO).add_((1 - RHO) * g * g)
                p.sub_(rate * g / torch.sqrt(v + EPS))
    path = pathlib.Path(__file__).with_name("peephole.h")
    rows = [", ".join(f"{value:.12g}" for value in losses[i:i + 6]) for i in range(0, UPDATES, 6)]
    path.write_text("/* Written by make_peephole.py. */\nstatic const double peephole_losses[] = {\n    "
                    + ",\n    ".join(rows) + ",\n};\n")


if __name__ == "__main__":
    main()

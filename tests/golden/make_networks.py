#!/usr/bin/env python3
"""Writes data/networks.safetensors: fifteen updates by Adam of two tutorials' networks, as PyTorch makes them.

    python3 make_networks.py [folder]

Weights and images are not stored: both sides draw them from hashed() below. Of the weights that come out, PICKED
elements of each, evenly spaced, are stored. The networks are those of the University of Amsterdam's deep learning
course, tutorial 9, with 128 numbers as the code, and an MNIST autoencoder of convolutions, batch norm and pooling.
"""

import sys
from pathlib import Path

import numpy
import torch
from torch import nn

from make_golden import Golden

STEPS, FIRST, PICKED = 15, 4, 48


def hashed(count, salt):
    """Numbers in [-1, 1), exact in float32: the finaliser of MurmurHash3 over the element's number and a salt."""
    h = numpy.arange(count, dtype=numpy.uint32) + numpy.uint32(salt * 0x9E3779B9 % 2**32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h = (h ^ (h >> numpy.uint32(shift))) * numpy.uint32(factor)
    return torch.from_numpy((h >> numpy.uint32(8)).astype(numpy.float64) / 2.0**23 - 1.0)


def bound(module):
    """The range PyTorch draws from, rounded to float32; batch norm starts with ones and zeros."""
    if isinstance(module, nn.BatchNorm2d):
        return None
    fan_in = module.weight[0].numel()
    return float(numpy.float32(1.0 / fan_in**0.5))


def draw_weights(network):
    salt = 0
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            salt += 1
            limit = bound(module)
            if limit is not None:
                values = (hashed(parameter.numel(), salt) * limit).float().double()
                parameter.data = values.reshape(parameter.shape)


def images(step, *shape, low):
    values = hashed(int(numpy.prod(shape)), 1000 + step).reshape(shape)
    return values if low < 0 else (values + 1) / 2


def uva():
    c = 32
    encoder = nn.Sequential(
        nn.Conv2d(3, c, 3, 2, 1), nn.GELU(), nn.Conv2d(c, c, 3, 1, 1), nn.GELU(),
        nn.Conv2d(c, 2 * c, 3, 2, 1), nn.GELU(), nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.GELU(),
        nn.Conv2d(2 * c, 2 * c, 3, 2, 1), nn.GELU(), nn.Flatten(), nn.Linear(32 * c, 128))
    decoder = nn.Sequential(
        nn.Linear(128, 32 * c), nn.GELU(), nn.Unflatten(1, (2 * c, 4, 4)),
        nn.ConvTranspose2d(2 * c, 2 * c, 3, 2, 1, 1), nn.GELU(), nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.GELU(),
        nn.ConvTranspose2d(2 * c, c, 3, 2, 1, 1), nn.GELU(), nn.Conv2d(c, c, 3, 1, 1), nn.GELU(),
        nn.ConvTranspose2d(c, 3, 3, 2, 1, 1), nn.Tanh())
    return nn.Sequential(encoder, decoder)


def mnist(width=16):
    def block(i, o):
        return [nn.Conv2d(i, o, 3, 1, 1), nn.ReLU(), nn.BatchNorm2d(o)]

    def up(i, o, stride):
        return [nn.ConvTranspose2d(i, o, 3, stride, 1, stride - 1), nn.ReLU()]

    w = width
    encoder = nn.Sequential(*block(1, w), *block(w, 2 * w), *block(2 * w, 4 * w), nn.MaxPool2d(2),
                            *block(4 * w, 8 * w), nn.MaxPool2d(2), nn.Conv2d(8 * w, 16 * w, 3, 1, 1), nn.ReLU())
    decoder = nn.Sequential(*up(16 * w, 8 * w, 2), nn.BatchNorm2d(8 * w), *up(8 * w, 4 * w, 1), nn.BatchNorm2d(4 * w),
                            *up(4 * w, w, 1), nn.BatchNorm2d(w), *up(w, 1, 2))
    return nn.Sequential(encoder, decoder)


def pick(tensor):
    values = tensor.detach().flatten()
    return values[torch.arange(min(PICKED, len(values))) * len(values) // min(PICKED, len(values))]


def case(golden, name, network, shape, low, per_image):
    golden.case(name, dict(B=shape[0], C=shape[1], H=shape[2], W=shape[3]))
    draw_weights(network)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for step in range(STEPS):
        x = images(step, *shape, low=low)
        optimizer.zero_grad()
        squares = (network(x) - x).square()
        loss = squares.sum() / shape[0] if per_image else squares.mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    print(name, [f"{loss:.4f}" for loss in losses])
    golden.add("losses", torch.stack(losses), keep=True)
    golden.add("first", torch.stack(losses[:FIRST]), keep=True)
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            golden.add(f"final.{key}", pick(value))
    network.eval()
    with torch.no_grad():
        golden.add("output", pick(network(images(STEPS, *shape, low=low))))


def make_networks():
    golden = Golden()
    case(golden, "uva", uva(), (4, 3, 32, 32), -1, True)
    case(golden, "mnist", mnist(), (3, 1, 28, 28), 0, False)
    case(golden, "mnist_narrow", mnist(2), (2, 1, 28, 28), 0, False)
    return golden


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    make_networks().write(folder / "networks.safetensors")

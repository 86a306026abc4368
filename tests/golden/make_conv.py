#!/usr/bin/env python3
"""Writes data/conv.safetensors: what PyTorch computes for convolutions; see make_golden.py.

    python3 make_conv.py [folder]
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from make_golden import RELU, SIGMOID, TANH, Golden, add_parameters, draw, draw_parameters

LAYERS = {(0, 1): nn.Conv1d, (0, 2): nn.Conv2d, (1, 1): nn.ConvTranspose1d, (1, 2): nn.ConvTranspose2d}
SILU, GELU = 6, 7
MAPS = {RELU: torch.relu, TANH: torch.tanh, SIGMOID: torch.sigmoid, SILU: functional.silu, GELU: functional.gelu}


def case(golden, name, x, out, kernel=3, stride=1, padding=0, output_padding=0, dilation=1, groups=1, bias=1,
         transposed=0, map=0):
    """One layer with input of shape `x`, and an activation after it where `map` is its number."""
    torch.manual_seed(len(golden.cases) + 1)
    axes = len(x) - 2
    pairs = {"kernel": kernel, "stride": stride, "padding": padding, "output_padding": output_padding,
             "dilation": dilation}
    pairs = {key: value if isinstance(value, tuple) else (value,) * axes for key, value in pairs.items()}
    config = {"in": x[1], "out": out, "axes": axes, "transposed": transposed, "groups": groups, "bias": bias}
    config["map"] = map
    golden.case(name, config | {f"{key}{a}": value for key, pair in pairs.items() for a, value in enumerate(pair)})
    pairs["kernel_size"] = pairs.pop("kernel")
    if not transposed:
        del pairs["output_padding"]
    layer = draw_parameters(LAYERS[transposed, axes](x[1], out, groups=groups, bias=bool(bias), **pairs))
    x = draw(*x).requires_grad_()
    y = layer(x)
    if map:
        y = MAPS[map](y)
    dy = draw(*y.shape)
    (y * dy).sum().backward()
    for key, value in dict(x=x, dy=dy, y=y, dx=x.grad).items():
        golden.add(key, value)
    add_parameters(golden, layer)


def make_conv():
    golden = Golden()
    case(golden, "pixel", (1, 1, 1, 1), 1, kernel=1)
    case(golden, "plain", (2, 3, 7, 5), 4)
    case(golden, "padded", (1, 5, 6, 9), 7, padding=1)
    case(golden, "one_by_one", (2, 17, 3, 5), 6, kernel=1, bias=0)
    case(golden, "stride", (2, 3, 9, 8), 16, stride=2, padding=1)
    case(golden, "stride_odd", (1, 4, 11, 7), 5, kernel=(5, 2), stride=(3, 2), padding=(2, 0))
    case(golden, "stride_beyond_kernel", (2, 3, 9, 9), 3, kernel=2, stride=4)
    case(golden, "dilation", (1, 3, 9, 8), 4, dilation=2, padding=2)
    case(golden, "dilation_uneven", (2, 2, 10, 7), 3, kernel=(2, 3), dilation=(3, 1), stride=(1, 2), padding=(0, 3))
    case(golden, "groups", (2, 6, 6, 5), 9, groups=3, padding=1)
    case(golden, "depthwise", (2, 20, 5, 6), 20, groups=20, padding=1, stride=2)
    case(golden, "depthwise_more", (1, 3, 6, 6), 6, groups=3, kernel=(3, 2), bias=0)
    case(golden, "large_kernel", (1, 2, 9, 10), 3, kernel=7, padding=3)
    case(golden, "padding_alone", (2, 3, 1, 2), 4, padding=4)
    case(golden, "wide", (2, 32, 5, 4), 16, padding=1)
    case(golden, "relu", (2, 3, 8, 8), 20, stride=2, padding=1, map=RELU)
    case(golden, "tanh", (1, 16, 5, 5), 5, padding=1, map=TANH, bias=0)
    case(golden, "gelu", (2, 3, 9, 8), 20, stride=2, padding=1, map=GELU)
    case(golden, "signal", (2, 3, 17), 5)
    case(golden, "signal_stride", (1, 4, 23), 6, kernel=5, stride=3, padding=2, dilation=2, groups=2)
    case(golden, "transposed_pixel", (1, 1, 1, 1), 1, kernel=1, transposed=1)
    case(golden, "transposed", (2, 4, 5, 3), 3, transposed=1)
    case(golden, "transposed_padded", (1, 5, 4, 6), 7, padding=1, transposed=1)
    case(golden, "transposed_stride", (2, 16, 4, 4), 3, stride=2, padding=1, output_padding=1, transposed=1)
    case(golden, "transposed_touching", (2, 20, 3, 3), 5, kernel=2, stride=2, transposed=1)
    case(golden, "transposed_uneven", (1, 3, 3, 5), 4, kernel=(2, 5), stride=(3, 2), padding=(0, 2),
         output_padding=(2, 0), transposed=1)
    case(golden, "transposed_gaps", (2, 2, 3, 3), 3, kernel=2, stride=4, output_padding=3, transposed=1, bias=0)
    case(golden, "transposed_dilation", (1, 3, 5, 4), 4, dilation=2, padding=1, transposed=1)
    case(golden, "transposed_far", (1, 3, 4, 4), 2, kernel=2, stride=(1, 2), dilation=3, output_padding=2, transposed=1)
    case(golden, "transposed_groups", (2, 6, 4, 3), 4, groups=2, stride=2, padding=1, transposed=1)
    case(golden, "transposed_wide", (1, 32, 4, 3), 16, stride=2, padding=1, output_padding=(1, 0), transposed=1)
    case(golden, "transposed_sigmoid", (2, 16, 5, 5), 1, kernel=2, stride=2, transposed=1, map=SIGMOID)
    case(golden, "transposed_gelu", (1, 20, 4, 5), 16, stride=2, padding=1, output_padding=1, transposed=1, map=GELU)
    case(golden, "transposed_silu", (2, 5, 3, 3), 7, padding=1, transposed=1, map=SILU)
    case(golden, "transposed_signal", (2, 5, 7), 3, kernel=4, stride=3, padding=1, output_padding=2, transposed=1)
    return golden


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    make_conv().write(folder / "conv.safetensors")

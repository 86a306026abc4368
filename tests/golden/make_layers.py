#!/usr/bin/env python3
"""Writes data/layers_image.safetensors: what PyTorch computes for activations, normalisation, pooling, upsampling and
reshaping; see make_golden.py.

    python3 make_layers.py [folder]
"""

import sys
from pathlib import Path

import torch
from torch import nn

from make_golden import Golden, add_parameters, draw, draw_parameters

ACTIVATION, BATCH_NORM, LAYER_NORM, MAX_POOL, AVG_POOL, UPSAMPLE, FLATTEN, UNFLATTEN = range(8)
LEAKY_RELU, ELU, SILU, GELU, GELU_TANH, SOFTPLUS = range(4, 10)
NEAREST, LINEAR = range(2)


def run(golden, layer, x):
    """Output and gradients of a layer for an input that the caller may have prepared."""
    x = x.detach().requires_grad_()
    y = layer(x)
    dy = draw(*y.shape)
    (y * dy).sum().backward()
    for key, value in dict(x=x, dy=dy, y=y, dx=x.grad).items():
        golden.add(key, value)
    add_parameters(golden, layer)


def pair(name, value, axes):
    """One entry of the configuration for each axis."""
    values = value if isinstance(value, tuple) else (value,) * axes
    return {f"{name}{axis}": values[axis] for axis in range(axes)}


def seed(golden):
    torch.manual_seed(len(golden.cases) + 1)


def activation(golden, name, kind, layer, param=0):
    seed(golden)
    golden.case(name, dict(kind=ACTIVATION, which=kind, param=param))
    x = draw(3, 41, scale=9.0)
    x.view(-1)[:4] = torch.tensor([0.0, 30.0, -30.0, 1e-3])
    run(golden, layer, x)


def batch_norm(golden, name, *shape, affine=1, running=1, momentum=0.1, eps=1e-5, mean=0.0):
    """Three batches in training, the gradients of the last one, and inference with what they left."""
    seed(golden)
    golden.case(name, dict(kind=BATCH_NORM, affine=affine, running=running, cumulative=int(momentum is None),
                           momentum=momentum or 0, eps=eps))
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)]
    layer = kind(shape[1], eps, momentum, bool(affine), bool(running)).double()
    draw_parameters(layer, 1.0)
    for batch in range(2):
        x = (draw(*shape, scale=2.0) + mean).float().double()
        golden.add(f"before{batch}", x)
        layer(x)
    x = (draw(*shape) + mean).float().double()
    run(golden, layer, x)
    if running:
        for key in ("running_mean", "running_var", "num_batches_tracked"):
            golden.add(f"buffer.{key}", getattr(layer, key))
    layer.eval()
    golden.add("inference", layer(x))


def layer_norm(golden, name, shape, dims, affine=1, bias=1, eps=1e-5):
    seed(golden)
    golden.case(name, dict(kind=LAYER_NORM, affine=affine, bias=bias, eps=eps, axes=dims))
    layer = nn.LayerNorm(shape[-dims:], eps, bool(affine), bool(bias)).double()
    run(golden, draw_parameters(layer, 1.0), draw(*shape, scale=3.0))


def pool(golden, name, kind, *shape, kernel=2, stride=None, padding=0, dilation=1, ceil=0, exclude=0):
    seed(golden)
    axes = len(shape) - 2
    golden.case(name, dict(kind=kind, axes=axes, ceil=ceil, exclude=exclude) | pair("kernel", kernel, axes) |
                pair("stride", stride or kernel, axes) | pair("padding", padding, axes) |
                pair("dilation", dilation, axes))
    if kind == MAX_POOL:
        layer = (nn.MaxPool1d, nn.MaxPool2d)[axes - 1](kernel, stride, padding, dilation, ceil_mode=bool(ceil))
    else:
        layer = (nn.AvgPool1d, nn.AvgPool2d)[axes - 1](kernel, stride, padding, bool(ceil), not exclude)
    run(golden, layer, draw(*shape))


def upsample(golden, name, mode, *shape, factor=None, size=None):
    seed(golden)
    axes = len(shape) - 2
    golden.case(name, dict(kind=UPSAMPLE, axes=axes, mode=mode) | pair("factor", factor or 1, axes) |
                pair("size", size or 0, axes))
    text = "nearest" if mode == NEAREST else ("linear", "bilinear")[axes - 1]
    run(golden, nn.Upsample(size, factor, text, False if mode == LINEAR else None), draw(*shape))


def reshape(golden, name, kind, layer, shape, **config):
    seed(golden)
    golden.case(name, dict(kind=kind) | config)
    run(golden, layer, draw(*shape))


def make_activations(golden):
    activation(golden, "leaky_relu", LEAKY_RELU, nn.LeakyReLU())
    activation(golden, "leaky_relu_steep", LEAKY_RELU, nn.LeakyReLU(0.25), 0.25)
    activation(golden, "elu", ELU, nn.ELU())
    activation(golden, "elu_low", ELU, nn.ELU(2.5), 2.5)
    activation(golden, "silu", SILU, nn.SiLU())
    activation(golden, "gelu", GELU, nn.GELU())
    activation(golden, "gelu_tanh", GELU_TANH, nn.GELU("tanh"))
    activation(golden, "softplus", SOFTPLUS, nn.Softplus())
    activation(golden, "softplus_sharp", SOFTPLUS, nn.Softplus(3.0), 3.0)


def make_norms(golden):
    batch_norm(golden, "batch_norm_flat", 7, 5)
    batch_norm(golden, "batch_norm_signal", 3, 4, 9)
    batch_norm(golden, "batch_norm_image", 4, 17, 5, 6)
    batch_norm(golden, "batch_norm_pixel", 3, 33, 1, 1)
    batch_norm(golden, "batch_norm_one_sample", 1, 3, 7, 5)
    batch_norm(golden, "batch_norm_plain", 3, 16, 3, 4, affine=0)
    batch_norm(golden, "batch_norm_no_running", 3, 6, 4, 4, running=0)
    batch_norm(golden, "batch_norm_cumulative", 3, 6, 4, 4, momentum=None)
    batch_norm(golden, "batch_norm_momentum", 5, 20, 2, 3, momentum=0.7, eps=0.1)
    batch_norm(golden, "batch_norm_far", 8, 3, 6, 5, mean=100.0)
    layer_norm(golden, "layer_norm", (4, 7), 1)
    layer_norm(golden, "layer_norm_sequence", (5, 3, 33), 1)
    layer_norm(golden, "layer_norm_image", (3, 4, 5, 6), 3)
    layer_norm(golden, "layer_norm_two", (2, 3, 5, 7), 2, eps=0.01)
    layer_norm(golden, "layer_norm_plain", (3, 50), 1, affine=0)
    layer_norm(golden, "layer_norm_no_bias", (3, 16), 1, bias=0)


def make_pools(golden):
    for kind, name in ((MAX_POOL, "max"), (AVG_POOL, "avg")):
        pool(golden, f"{name}_pool", kind, 2, 5, 6, 8)
        pool(golden, f"{name}_pool_odd", kind, 2, 17, 7, 5)
        pool(golden, f"{name}_pool_ceil", kind, 2, 3, 7, 5, ceil=1)
        pool(golden, f"{name}_pool_overlap", kind, 1, 16, 9, 8, kernel=3, stride=2, padding=1)
        pool(golden, f"{name}_pool_wide", kind, 2, 4, 8, 9, kernel=(2, 5), stride=(1, 3), padding=(1, 2))
        pool(golden, f"{name}_pool_ceil_padded", kind, 1, 4, 8, 6, kernel=3, stride=(2, 4), padding=1, ceil=1)
        pool(golden, f"{name}_pool_gaps", kind, 2, 3, 9, 9, kernel=2, stride=3)
        pool(golden, f"{name}_pool_all", kind, 2, 20, 4, 4, kernel=4)
        pool(golden, f"{name}_pool_signal", kind, 2, 3, 11, kernel=3, stride=2, padding=1)
        pool(golden, f"{name}_pool_signal_ceil", kind, 3, 5, 10, kernel=4, stride=3, ceil=1)
    pool(golden, "max_pool_dilated", MAX_POOL, 2, 5, 9, 8, kernel=3, stride=1, padding=1, dilation=2)
    pool(golden, "max_pool_dilated_uneven", MAX_POOL, 1, 3, 10, 7, kernel=(2, 3), stride=2, dilation=(3, 1), ceil=1)
    pool(golden, "avg_pool_exclude", AVG_POOL, 2, 5, 7, 6, kernel=3, stride=2, padding=1, exclude=1)
    pool(golden, "avg_pool_exclude_ceil", AVG_POOL, 1, 4, 8, 6, kernel=3, stride=(2, 4), padding=1, ceil=1, exclude=1)


def make_upsamples(golden):
    for mode, name in ((NEAREST, "nearest"), (LINEAR, "linear")):
        upsample(golden, f"{name}", mode, 2, 5, 3, 4, factor=2)
        upsample(golden, f"{name}_thrice", mode, 1, 17, 4, 2, factor=3)
        upsample(golden, f"{name}_uneven", mode, 2, 3, 3, 5, factor=(1, 4))
        upsample(golden, f"{name}_size", mode, 2, 4, 5, 7, size=(8, 11))
        upsample(golden, f"{name}_pixel", mode, 2, 16, 1, 1, size=(3, 5))
        upsample(golden, f"{name}_down", mode, 1, 3, 9, 8, size=(4, 5))
        upsample(golden, f"{name}_signal", mode, 2, 3, 7, factor=2)
        upsample(golden, f"{name}_signal_size", mode, 2, 3, 7, size=(12,))


def make_reshapes(golden):
    reshape(golden, "flatten", FLATTEN, nn.Flatten(), (3, 4, 5, 6), first=1, last=-1)
    reshape(golden, "flatten_two", FLATTEN, nn.Flatten(0, 1), (3, 4, 5, 2), first=0, last=1)
    reshape(golden, "flatten_middle", FLATTEN, nn.Flatten(-3, -2), (3, 4, 5, 2), first=-3, last=-2)
    reshape(golden, "unflatten", UNFLATTEN, nn.Unflatten(1, (4, 3, 2)), (3, 24), axis=1, axes=3, size0=4, size1=3,
            size2=2)
    reshape(golden, "unflatten_last", UNFLATTEN, nn.Unflatten(-1, (2, 5)), (3, 4, 10), axis=-1, axes=2, size0=2,
            size1=5)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "data"
    golden = Golden()
    for make in (make_activations, make_norms, make_pools, make_upsamples, make_reshapes):
        make(golden)
    golden.write(folder / "layers_image.safetensors")


if __name__ == "__main__":
    main()

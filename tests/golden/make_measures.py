#!/usr/bin/env python3
"""Writes measures.h beside this file: what lstmae_measure_*() must give for images made of whole numbers.

Written for clarity from the definitions, window by window, not like the library: PSNR from the mean squared error, SSIM
after Wang, Bovik, Sheikh and Simoncelli (2004) with an 11 x 11 Gaussian window at every place inside of the image.
"""
import pathlib

import numpy as np

SHAPES = [(3, 1, 11, 11), (2, 3, 16, 13), (4, 3, 32, 32), (1, 2, 11, 40)]
RANGES = [1.0, 2.0, 255.0, 1.0]


def images(shape, which, peak):
    """Smooth waves and noise in [0, peak], of whole numbers up to 255 times a power of two or a 255th."""
    i = np.arange(np.prod(shape), dtype=np.int64)
    x, y = i % shape[3], i // shape[3] % shape[2]
    wave = (x * x * 3 + y * 5 + i // (shape[2] * shape[3]) * 17) % 200
    noise = (i * 7919 + 104729) % 101
    values = wave + noise // 2 if which == 0 else wave + (i * i % 97) // 2
    return (values.reshape(shape) / 256.0 * peak).astype(np.float32).astype(np.float64)


def window():
    at = np.arange(11) - 5
    g = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * 1.5**2))
    return g / g.sum()


def ssim_plane(x, y, peak, w):
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            p, q = x[top:top + 11, left:left + 11], y[top:top + 11, left:left + 11]
            mp, mq = (w * p).sum(), (w * q).sum()
            vp, vq, cov = (w * (p - mp) ** 2).sum(), (w * (q - mq) ** 2).sum(), (w * (p - mp) * (q - mq)).sum()
            values.append((2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    return np.mean(values)


def measure(shape, peak):
    a, b = images(shape, 0, peak), images(shape, 1, peak)
    w = window()
    rows = []
    for x, y in zip(a, b):
        mse = np.mean((x - y) ** 2)
        ssim = np.mean([ssim_plane(p, q, peak, w) for p, q in zip(x, y)])
        rows.append((mse, 10 * np.log10(peak**2 / mse), ssim))
    return rows


def main():
    lines = ["/* Made by make_measures.py: { mse, psnr, ssim } of each image. */",
             "static const struct {", "    int64_t dims[4];", "    double range;", "    double want[4][3];",
             "} measure_cases[] = {"]
    for shape, peak in zip(SHAPES, RANGES):
        rows = ",\n        ".join("{ " + ", ".join(repr(float(v)) for v in row) + " }" for row in measure(shape, peak))
        lines.append(f"    {{ {{ {', '.join(map(str, shape))} }}, {peak!r},\n      {{ {rows} }} }},")
    lines.append("};\n")
    pathlib.Path(__file__).with_name("measures.h").write_text("\n".join(lines))


if __name__ == "__main__":
    main()

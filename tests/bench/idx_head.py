#!/usr/bin/env python3
"""Copies a folder of MNIST's files with the first training images alone, for trainings that would take too long."""

import argparse
import gzip
import os
import struct


def head(source, target, count):
    """The first `count` items of an IDX file of bytes."""
    with gzip.open(source, "rb") as file:
        zero, kind, axes = struct.unpack(">HBB", file.read(4))
        dims = list(struct.unpack(f">{axes}I", file.read(4 * axes)))
        if (zero, kind) != (0, 8) or dims[0] < count:
            raise SystemExit(f"{source}: expected at least {count} items of bytes")
        size = 1
        for dim in dims[1:]:
            size *= dim
        items = file.read(count * size)
    with gzip.open(target, "wb") as file:
        file.write(struct.pack(f">HBB{axes}I", zero, kind, axes, count, *dims[1:]) + items)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="folder with the four files, gzipped")
    parser.add_argument("target", help="folder to make")
    parser.add_argument("--count", type=int, default=6000, help="training images that are kept")
    args = parser.parse_args()
    os.makedirs(args.target, exist_ok=True)
    for part, count in (("train", args.count), ("t10k", 10000)):
        for name in ("images-idx3", "labels-idx1"):
            file = f"{part}-{name}-ubyte.gz"
            head(os.path.join(args.source, file), os.path.join(args.target, file), count)


if __name__ == "__main__":
    main()

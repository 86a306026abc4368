#!/usr/bin/env python3
"""Files of Python's safetensors package for the tests, and its view of files of ours.

    make_safetensors.py           writes data/safetensors_python.safetensors
    make_safetensors.py --check FILE...
                                  opens checkpoints of the library with the package, and computes their checksums anew

Needs numpy, torch and safetensors. The numbers are what tests/unit/test_checkpoint.c expects.
"""
import json
import struct
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
DIGITS_AT = len('{"__metadata__":{"lstmae.digest":"')


def write():
    import torch
    from safetensors.torch import save_file

    # every value is exact in every type
    tensors = {
        "0.weight": torch.tensor([[1.5, -2.0, 0.25], [0.0, -0.0, 96.0]], dtype=torch.float32),
        "0.bias": torch.tensor([-0.5, 3.0], dtype=torch.float64),
        "1.weight": torch.tensor([[0.125, -7.0]], dtype=torch.bfloat16),
        "1.bias": torch.tensor([2.0**-24], dtype=torch.float16),
    }
    path = DATA / "safetensors_python.safetensors"
    save_file(tensors, path, metadata={"format": "pt", "note": "quotes \" and\nlines, \u20ac \U0001f600"})
    print(f"{path.name}: {path.stat().st_size} bytes")


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


def crc32c(data, table=crc_table()):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def check(path):
    import numpy
    from safetensors import safe_open

    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    text, data = raw[8 : 8 + length], raw[8 + length :]
    header = json.loads(text)
    metadata = header.pop("__metadata__")
    assert (8 + length) % 64 == 0, "data is not aligned"
    masked = text[:DIGITS_AT] + b"00000000" + text[DIGITS_AT + 8 :]
    assert metadata["lstmae.digest"] == f"{crc32c(masked):08x}", "digest"
    entries = sorted(header.items(), key=lambda item: item[1]["data_offsets"])
    sums = "".join(f"{crc32c(data[slice(*entry['data_offsets'])]):08x}" for _, entry in entries)
    assert metadata["lstmae.crc32c"] == sums, "checksums of tensors"
    with safe_open(path, "numpy") as file:
        assert set(file.keys()) == set(header) and file.metadata() == metadata
        for name, entry in entries:
            tensor = file.get_tensor(name)
            assert tensor.dtype == {"F32": numpy.float32, "F64": numpy.float64}[entry["dtype"]]
            assert list(tensor.shape) == entry["shape"]
            assert tensor.tobytes() == data[slice(*entry["data_offsets"])]
    print(f"{path}: {len(entries)} tensors, {len(metadata)} texts, checksums agree")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        for name in sys.argv[2:]:
            check(name)
    else:
        write()

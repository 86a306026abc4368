#!/usr/bin/env python3
"""Writes the seeds of the data files' fuzz targets, seeds/idx, seeds/npy and seeds/cifar10, beside this file."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def write(kind, name, content):
    folder = os.path.join(HERE, "seeds", kind)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def idx(code, dims, data):
    return struct.pack(">BBBB", 0, 0, code, len(dims)) + b"".join(struct.pack(">I", d) for d in dims) + data


def npy(text, data, version=1, align=64):
    start = 10 if version == 1 else 12
    padded = (start + len(text) + 1 + align - 1) // align * align - start
    length = struct.pack("<H" if version == 1 else "<I", padded)
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.ljust(padded - 1).encode("latin-1") + b"\n" + data


def numpy_dict(descr, order, shape):
    return "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)


def main():
    sizes = {0x08: 1, 0x09: 1, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8}
    for code, size in sizes.items():
        write("idx", "type_%02x" % code, idx(code, [2, 3], bytes(range(6 * size))))
    write("idx", "rank_1", idx(8, [5], b"label"))
    write("idx", "rank_3", idx(8, [2, 3, 2], bytes(range(12))))
    write("idx", "rank_4", idx(8, [1, 2, 1, 3], bytes(range(6))))
    write("idx", "empty", idx(8, [0, 28, 28], b""))
    write("idx", "limit", idx(8, [1 << 31, 0], b""))
    write("idx", "huge", idx(14, [1 << 31, 1 << 31, 1 << 31, 1 << 31], b""))

    widths = {"|u1": 1, "|i1": 1, "<u2": 2, ">i2": 2, "<u4": 4, ">i4": 4, "<u8": 8, ">i8": 8, "<f4": 4, ">f4": 4,
              "<f8": 8, ">f8": 8}
    for descr, size in widths.items():
        name = "type_" + descr.replace("<", "little_").replace(">", "big_").replace("|", "")
        write("npy", name, npy(numpy_dict(descr, False, "(2, 3)"), bytes(range(6 * size))))
    write("npy", "fortran", npy(numpy_dict("|u1", True, "(2, 3, 2)"), bytes(range(12))))
    write("npy", "number", npy(numpy_dict("<f4", False, "()"), bytes(4)))
    write("npy", "empty", npy(numpy_dict("<f4", False, "(0, 7)"), b""))
    write("npy", "axes_8", npy(numpy_dict("|u1", False, "(1, 2, 1, 1, 1, 1, 3, 1)"), bytes(6)))
    write("npy", "limit", npy(numpy_dict("|u1", False, "(2147483648, 0)"), b""))
    write("npy", "version_2", npy(numpy_dict("|u1", False, "(3,)"), bytes(3), version=2))
    write("npy", "version_3", npy(numpy_dict("|u1", False, "(3,)"), bytes(3), version=3))
    write("npy", "align_16", npy(numpy_dict("|u1", False, "(3,)"), bytes(3), align=16))
    write("npy", "python_2", npy(numpy_dict("|u1", False, "(3L, 1L)"), bytes(3)))
    write("npy", "object", npy(numpy_dict("|O", False, "(3,)"), bytes(24)))
    write("npy", "structure", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", bytes(4)))
    write("npy", "other_order", npy('{"shape":(3,),"fortran_order":False,"descr":"|u1"}', bytes(3)))

    def record(label):
        return bytes([label]) + bytes(3072)

    write("cifar10", "empty", b"")
    write("cifar10", "one", record(9))
    write("cifar10", "two", record(0) + record(3))
    write("cifar10", "label", record(0) + record(10))


if __name__ == "__main__":
    main()

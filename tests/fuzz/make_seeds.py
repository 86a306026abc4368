#!/usr/bin/env python3
"""Writes the seeds of the data files' fuzz targets, seeds/idx, seeds/npy, seeds/cifar10 and seeds/csv, beside
this file."""
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

    # two bytes of options (fuzz_csv.c), then the text
    texts = {
        "plain": b"\x00\x00a,b\n1,2\n3,4\n",
        "dates": b"\x00\x00time;v;w\r\n2020-03-01 15:44:06;1.5;-2e3\r\n2020-03-01 15:44:07;0.25;NA\r\n",
        "hold": b"\x10\x01t,a\n,1\nx,\ny,3\n",
        "line": b"\x20\x02a;b\n1;\n;2\nnan;3\n4;null\n",
        "quotes": b'\x01\x00"a","b ""c""\nd"\n"1",x\n2,"y\r\nz"\n',
        "blanks": b"\x00\x04 1  2\t3\n4 5 6 \n",
        "tabs": b"\x12\x03\t1\t\n2\t\t3\n",
        "comma": b"\x08\x02a;b\n1,5;2,25e1\n",
        "columns": b"\x11\xc0t,a,b\nx,1,2\ny,-9,3\n",
        "skipped": b"\x00\x1a# \"\n\n;;\na;b\n1;2\n",
        "bom": b"\x00\x00\xef\xbb\xbf1|2\r3|4\r",
        "numbers": b"\x02\x01" + b"1.17549435e-38,340282346638528859811704183484516925440,1e-45,.5,5.,+7e+02\n",
        "long": b"\x02\x01" + b"0." + b"1234567890" * 20 + b"e10," + b"9" * 30 + b"\n",
        "npy": b"\x10\x00" + npy(numpy_dict("<f4", False, "(2, 3)"), bytes(24)),
    }
    for name, text in texts.items():
        write("csv", name, text)


if __name__ == "__main__":
    main()

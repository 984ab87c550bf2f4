#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do two BPF objects hold the same code and data, but for what CO-RE writes anew when they are loaded?

usage: tools/same-bpf-code.py A.bpf.o B.bpf.o

Compares every allocated section byte by byte, leaving out the offset and immediate of the instructions
that .BTF.ext lists for relocation, and compares those lists. Exit status 1 and one line when they differ.
"""

import struct
import sys

ALLOCATED = 2  # SHF_ALLOC


def sections(path):
    """name: (flags, size, bytes) of a little-endian 64-bit ELF file."""
    data = open(path, "rb").read()
    if data[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"{path}: not a little-endian 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names_index = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    names = headers[names_index][4]
    out = {}
    for name, kind, flags, _, offset, length in headers:
        end = data.index(b"\0", names + name)
        content = b"" if kind == 8 else data[offset : offset + length]  # 8: no bits (.bss)
        out[data[names + name : end].decode()] = (flags, length, content)
    return out


def relocations(parts):
    """section name: [(offset in bytes, kind)], from .BTF.ext (struct btf_ext_header)."""
    out = {}
    if ".BTF.ext" not in parts:
        return out
    ext, btf = parts[".BTF.ext"][2], parts[".BTF"][2]
    (header,) = struct.unpack_from("<I", ext, 4)
    offset, length = struct.unpack_from("<II", ext, 24)
    btf_header, _, _, strings, _ = struct.unpack_from("<IIIII", btf, 4)
    if not length:
        return out
    at = header + offset
    end = at + length
    (record,) = struct.unpack_from("<I", ext, at)
    at += 4
    while at < end:
        name, count = struct.unpack_from("<II", ext, at)
        start = btf_header + strings + name
        name = btf[start : btf.index(b"\0", start)].decode()
        at += 8
        for _ in range(count):
            instruction, _, _, kind = struct.unpack_from("<IIII", ext, at)
            out.setdefault(name, []).append((instruction, kind))
            at += record
    return out


def blank(content, relocated):
    """The code with the offsets and immediates that are relocated set to zero."""
    code = bytearray(content)
    for at, _ in relocated:
        code[at + 2 : at + 8] = bytes(6)
        if code[at] == 0x18:  # a 64-bit immediate takes two slots
            code[at + 12 : at + 16] = bytes(4)
    return bytes(code)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    a, b = sections(sys.argv[1]), sections(sys.argv[2])
    a_relocations, b_relocations = relocations(a), relocations(b)
    for name in sorted(a.keys() | b.keys()):
        if name.startswith(".rel") or not (a.get(name, b.get(name))[0] & ALLOCATED):
            continue
        if name not in a or name not in b:
            sys.exit(f"{name}: only in one of them")
        if a_relocations.get(name, []) != b_relocations.get(name, []):
            sys.exit(f"{name}: other places are relocated")
        relocated = a_relocations.get(name, [])
        if a[name][1] != b[name][1] or blank(a[name][2], relocated) != blank(b[name][2], relocated):
            sys.exit(f"{name}: the code or data differs")


if __name__ == "__main__":
    main()

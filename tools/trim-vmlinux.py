#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Cuts a full vmlinux.h down to what the BPF sources use.

usage: tools/trim-vmlinux.py FULL.h FIELDS.h PREPROCESSED...

FULL.h is `bpftool btf dump … format c` of a whole kernel. FIELDS.h is the same of the BTF that
`bpftool gen min_core_btf` made from the compiled objects: it names exactly the structs and members that
they access, but has lost pointee types, so only its names are used. PREPROCESSED are the sources after
`clang -E`, with line markers: which typedefs, enumerators and opaque structs they name.

Members that nobody accesses are left out without padding: every access is relocated when it is loaded
(CO-RE), so the layout here means nothing. `gen-vmlinux.sh` checks that the code stays the same.
"""

import re
import sys

WORD = re.compile(r"[A-Za-z_]\w*")
TAGGED = re.compile(r"\b(struct|union|enum)\s+([A-Za-z_]\w*)")
MEMBER = re.compile(r"([A-Za-z_]\w*)(?:\[[^]]*\])*(?:\s*:\s*\d+)?(?:\s*__attribute__.*)?;$")
PADDING = ("long", "int", "short", "char")  # "long: 64;" has no name
FUNCTION = re.compile(r"\(\*+([A-Za-z_]\w*)")


def declarations(path):
    """The top-level declarations in order, each a list of lines without the preprocessor's."""
    block = []
    depth = 0
    for line in open(path, encoding="utf-8"):
        line = line.rstrip()
        if not block and (not line or line.startswith("#")):
            continue
        block.append(line)
        depth += line.count("{") - line.count("}")
        if depth == 0 and line.endswith(";"):
            yield block
            block = []


def key(block):
    """('struct', 'sock'), ('typedef', 'u32'), ('enum', None) …; None for a forward declaration."""
    first, last = block[0], block[-1]
    if first.startswith("typedef"):
        return "typedef", member_name(last)
    head = re.match(r"(struct|union|enum)(?:\s+([A-Za-z_]\w*))?", first)
    if not head or "{" not in first:
        return None
    return head[1], head[2]


def member_name(line):
    function = FUNCTION.search(line)
    if function:
        return function[1]
    name = MEMBER.search(line)
    return name[1] if name and name[1] not in PADDING else None


def is_record(block):
    return len(block) > 1 and re.match(r"(typedef )?(struct|union)\b", block[0])


def is_enum(block):
    return len(block) > 1 and re.match(r"(typedef )?enum\b", block[0])


def member_names(block):
    return {member_name(line.strip()) for line in block[1:]} - {None}


def keep_members(block, names):
    """The block with only the members in `names`; a nested record stays when one of its members does."""
    out = [[block[0]]]
    for line in block[1:-1]:
        if line.endswith("{"):
            out.append([line])
        elif line.strip().startswith("}"):
            inner = out.pop()
            if len(inner) > 1:
                out[-1] += inner + [line]
        elif member_name(line.strip()) in names:
            out[-1].append(line)
    return out[0] + [block[-1]]


def keep_enumerators(block, words):
    return [block[0]] + [l for l in block[1:-1] if WORD.search(l)[0] in words] + [block[-1]]


def source_words(paths):
    """All words outside vmlinux.h, and the tags that our own sources name."""
    words, own_tags = set(), set()
    name = ""
    for path in paths:
        for line in open(path, encoding="utf-8"):
            marker = re.match(r'# \d+ "(.*?)"', line)
            if marker:
                name = marker[1]
            elif not name.endswith("vmlinux.h"):
                line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
                words.update(WORD.findall(line))
                if name.startswith("bpf/"):
                    own_tags.update(TAGGED.findall(line))
    return words, own_tags


class Selection:
    """Which declarations of the full header are wanted, and how much of each."""

    def __init__(self, full, fields, words):
        self.full = {key(b): b for b in full if key(b) and key(b)[1]}
        self.fields = fields
        self.words = words
        self.chosen = {}  # key: lines

    def want(self, wanted):
        """Takes in a declaration and, in turn, what it holds by value and the typedefs it names."""
        if wanted in self.chosen or wanted not in self.full:
            return
        block = self.full[wanted]
        if is_record(block) and wanted in self.fields:
            block = keep_members(block, self.fields[wanted])
        elif is_enum(block):
            block = keep_enumerators(block, self.words)
        self.chosen[wanted] = block
        if is_enum(block):
            return
        for line in block:
            if line.startswith("struct") or line.startswith("union"):
                continue
            for tag in TAGGED.finditer(line):
                if not line[tag.end() :].lstrip().startswith("*"):
                    self.want((tag[1], tag[2]))
            for word in WORD.findall(line):
                self.want(("typedef", word))


def trim(full_path, fields_path, sources):
    full = list(declarations(full_path))
    fields = {key(b): member_names(b) for b in declarations(fields_path) if key(b) and is_record(b)}
    words, own_tags = source_words(sources)
    selection = Selection(full, fields, words)

    for wanted in fields:
        selection.want(wanted)
    for wanted in selection.full:
        if wanted[0] == "typedef" and wanted[1] in words:
            selection.want(wanted)

    opaque = sorted(t for t in own_tags if t in selection.full and t[0] != "enum" and t not in selection.chosen)
    out = [["%s %s;" % tag] for tag in opaque]
    for block in full:
        name = key(block)
        if name in selection.chosen:
            out.append(selection.chosen[name])
        elif is_enum(block):
            kept = keep_enumerators(block, words)
            if len(kept) > 2:
                out.append(kept)
    return out


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    for block in trim(sys.argv[1], sys.argv[2], sys.argv[3:]):
        print("\n".join(block) + "\n")


if __name__ == "__main__":
    main()

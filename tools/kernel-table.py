#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the README's table of kernels from what `make test-vm` left in build/vm/.

usage: tools/kernel-table.py [--check | --write]

Prints the table. --write puts it into README.md, between the two comments that mark its place. --check compares: exit
status 1 and one line when the README holds another one, 3 when build/vm/ does not have every kernel that the README has.
"""

import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
README = os.path.join(ROOT, "README.md")
RESULTS = os.path.join(ROOT, "build", "vm")
PLACE = re.compile(r"(<!-- kernels: tools/kernel-table.py -->\n)(.*?)(<!-- end -->)", re.S)
HEAD = ("kernel", "rung", "accept by", "reset reasons", "UDP", "UDP drops", "exact on rungs")


def results():
    found = []
    for path in glob.glob(os.path.join(RESULTS, "*.json")):
        with open(path, encoding="utf-8") as f:
            found.append(json.load(f))
    return sorted(found, key=lambda r: ([int(n) for n in re.findall(r"\d+", r["name"].split("-")[0])], r["name"]))


def row(result):
    check = result["check"]
    exact = [r for r in ("1", "2", "3") if result["rungs"].get(r) is True]
    return (
        f"{result['name'].split('-')[0]}, {check['machine']}",
        str(check["rung"]),
        check["accept"],
        "yes" if check["reset_reasons"] else "no",
        "yes" if check["udp"] else "no",
        "of their flow" if check["udp_drops_by_flow"] else "of the first flow",
        ", ".join(exact) or "none",
    )


def table(found):
    rows = [HEAD, ("---",) * len(HEAD), *map(row, found)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def main():
    found = results()
    if not found:
        print("kernel-table: build/vm/ is empty: run make test-vm first", file=sys.stderr)
        return 3
    made = table(found)
    if sys.argv[1:] not in (["--check"], ["--write"]):
        print(made, end="")
        return 0 if len(sys.argv) == 1 else 2
    with open(README, encoding="utf-8") as f:
        text = f.read()
    place = PLACE.search(text)
    if not place:
        print("kernel-table: README.md has no place for the table", file=sys.stderr)
        return 1
    if sys.argv[1] == "--write":
        with open(README, "w", encoding="utf-8") as f:
            f.write(PLACE.sub(lambda m: m[1] + made + m[3], text))
        return 0
    held = place[2].splitlines()[2:]
    if len(held) > len(found):
        print(f"kernel-table: build/vm/ has {len(found)} kernels, the README {len(held)}", file=sys.stderr)
        return 3
    if place[2] != made:
        print("kernel-table: the README's table is not that of build/vm/: run tools/kernel-table.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

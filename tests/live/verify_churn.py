# SPDX-License-Identifier: BSD-2-Clause
"""Compares the truth that `workload churn` wrote with the events of `nettrace --json`."""

import collections
import json


def expected_ends(lines):
    """Of the truth's lines: {(laddr, lport, raddr, rport): [(opening event, pid, comm, tx, rx, closed_by)]} and the namespace.

    A tuple may be used again: then its ends stand in the order of their time, as one process made them."""
    ends = collections.defaultdict(list)
    common, *connections = (json.loads(line) for line in lines)
    laddr, there, back = common["laddr"], common["request"], common["answer"]
    for client, lport, server, raddr, rport, client_first in connections:
        first, second = ("local", "remote") if client_first else ("remote", "local")
        here, other = (laddr, lport, raddr, rport), (raddr, rport, laddr, lport)
        ends[here].append(("connect", client, common["client_comm"], there, back, first))
        ends[other].append(("accept", server, common["server_comm"], back, there, second))
    return ends, common["netns"]


def differs(end, event):
    """Whether the event is not what it should be for this end; a healed close may lack what nobody saw."""
    opening, pid, comm, tx, rx, closed_by = end
    expected = {"pid": pid, "comm": comm, "event": opening}
    if event["event"] == "close":
        expected |= {"event": "close", "tx_bytes": tx, "rx_bytes": rx, "outcome": "clean", "closed_by": closed_by}
        if event.get("reconciled"):
            expected = {name: value for name, value in expected.items() if name in event}
    return any(event.get(name) != value for name, value in expected.items())


def compare(tap, ends, events, prefix=""):
    """Tells `tap` what was found, each name after `prefix`. Returns how many were reconciled."""
    opens, closes = collections.defaultdict(list), collections.defaultdict(list)
    foreign = []
    for e in events:
        key = e.get("laddr"), e.get("lport"), e.get("raddr"), e.get("rport")
        if e["event"] in ("connect", "accept", "fail", "close"):
            if key not in ends:
                foreign.append(json.dumps(e))
            else:
                (closes if e["event"] == "close" else opens)[key].append(e)
    total, reconciled, wrong = sum(map(len, ends.values())), 0, []
    for word, seen in (("opened", opens), ("closed", closes)):
        bad = [f"{key}: {word} {len(seen[key])} times, not {len(ends[key])}"
               for key in ends if len(seen[key]) != len(ends[key])]
        tap.equal(len(bad), 0, f"{prefix}each of {total} ends is {word} once", *bad)
        for key, mine in seen.items():
            mine.sort(key=lambda e: e["mono_ns"])
            reconciled += sum(bool(e.get("reconciled")) for e in mine)
            wrong += [f"{end} is {json.dumps(e)}" for end, e in zip(ends[key], mine) if differs(end, e)]
    tap.equal(len(wrong), 0, prefix + "each by the right process, with the right bytes and outcome", *wrong)
    tap.equal(len(foreign), 0, prefix + "nothing else is reported", *foreign)
    return reconciled


def compare_polled(tap, ends, events, prefix=""):
    """What polling can see of it: each end's close, its bytes; who it was where a pass met it. Nothing that is wrong."""
    closes = collections.defaultdict(list)
    for e in events:
        if e["event"] == "close":
            closes[e.get("laddr"), e.get("lport"), e.get("raddr"), e.get("rport")].append(e)
    total = sum(map(len, ends.values()))
    bad = [f"{key}: closed {len(closes[key])} times, not {len(ends[key])}"
           for key in ends if len(closes[key]) != len(ends[key])]
    tap.equal(len(bad), 0, f"{prefix}each of {total} ends is closed once", *bad)
    wrong = []
    for key, mine in closes.items():
        for (_, pid, comm, tx, rx, _), e in zip(ends.get(key, ()), sorted(mine, key=lambda e: e["mono_ns"])):
            expected = {"tx_bytes": tx} | ({"rx_bytes": rx} if "rx_bytes" in e else {})
            if e["owner"] == "snapshot":
                expected |= {"pid": pid, "comm": comm}
            if any(e.get(name) != value for name, value in expected.items()) or "outcome" in e:
                wrong.append(f"{expected} is {json.dumps(e)}")
    tap.equal(len(wrong), 0, prefix + "what is told of it is right", *wrong)
    tap.equal(len(closes.keys() - ends.keys()), 0, prefix + "nothing else is closed", *(closes.keys() - ends.keys()))

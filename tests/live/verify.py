#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares the workload's truth with what `nettrace --json` wrote.

usage: verify.py TRUTH EVENTS      exit status 1 when anything differs

Each end must have been opened once and closed once (a failed connect has no close), by the right process, with the
right addresses, bytes and outcome; nothing else may have been reported in the namespaces of the truth. What is
marked `reconciled` was brought back by a sweep: it may lack bytes and outcome, and is counted apart.
"""

import collections
import json
import sys

ACCEPT_HOOK = "fexit/inet_csk_accept"
OPENS = {"connect", "accept", "fail", "listen"}
CLOSES = {"close", "unlisten"}
REFUSED = 111


class Result:
    """Of one shape."""

    def __init__(self):
        self.ends = 0
        self.reconciled = 0
        self.errors = []


def key_of(e):
    """What tells one connection's end from all others that are open at the time."""
    return e.get("netns"), e.get("laddr"), e.get("lport"), e.get("raddr"), e.get("rport")


def listener_key(e):
    return e.get("netns"), e.get("laddr"), e.get("lport")


def group(events):
    """Events by end: (opens, closes) each in the order of their time."""
    groups = collections.defaultdict(lambda: ([], []))
    for e in events:
        kind = e["event"]
        if kind not in OPENS and kind not in CLOSES:
            continue
        key = listener_key(e) if kind in ("listen", "unlisten") else key_of(e)
        groups[key][kind in CLOSES].append(e)
    return groups


def differences(event, expected):
    """What of `expected` the event says otherwise; None expects that the field is absent."""
    for name, value in expected.items():
        if event.get(name) != value:
            yield f"{name} is {event.get(name)!r}, not {value!r}"


def expect_common(end):
    expected = {name: end[name] for name in ("laddr", "lport", "family", "netns", "uid")}
    if end["role"] != "listener":
        expected |= {name: end[name] for name in ("raddr", "rport", "direction")}
    if end["v4mapped"]:
        expected["v4mapped"] = True
    return expected


def expect_open(end):
    told = end["open"]
    expected = expect_common(end) | {name: told[name] for name in ("event", "pid", "comm")}
    if told["event"] == "fail":
        assert told["errno"] == REFUSED
        expected |= {"errno": REFUSED, "outcome": "refused", "owner": "connect"}
    elif told["never_accepted"]:
        expected["owner"] = "listener"
    else:
        expected["owner"] = told["event"]
    return expected


def expect_close(end, event):
    told = end["close"]
    expected = expect_common(end) | {"pid": told["pid"], "comm": told["comm"]}
    if end["role"] == "listener":
        return expected | {"event": "unlisten"}
    expected["event"] = "close"
    for name in ("tx_bytes", "rx_bytes", "outcome", "closed_by"):
        if name in event or not event.get("reconciled"):
            expected[name] = told[name]
    if told["pid"] != end["open"]["pid"]:
        expected |= {
            "owner": "handed",
            "opener_pid": end["open"]["pid"],
            "opener_comm": end["open"]["comm"],
        }
    elif event.get("opener_pid") not in (None, told["pid"]):
        expected["opener_pid"] = None
    return expected


def check_pair(end, opened, closed):
    """Errors in the events of one end, both there."""
    yield from (f"{opened['event']}: {d}" for d in differences(opened, expect_open(end)))
    if opened["event"] in ("connect", "fail") and not opened.get("reconciled") and "latency_us" not in opened:
        yield f"{opened['event']}: no latency_us"
    if v4mapped_wrong(end, opened):
        yield f"{opened['event']}: v4mapped"
    if closed is None:
        return
    yield from (f"{closed['event']}: {d}" for d in differences(closed, expect_close(end, closed)))
    if v4mapped_wrong(end, closed):
        yield f"{closed['event']}: v4mapped"
    if opened.get("id") is None or opened.get("id") != closed.get("id"):
        yield f"id is {opened.get('id')!r} at first and {closed.get('id')!r} at last"
    if closed["mono_ns"] < opened["mono_ns"]:
        yield "closed before it was opened"
    if closed["event"] == "close" and not closed.get("reconciled") and "duration_us" not in closed:
        yield "close: no duration_us"


def v4mapped_wrong(end, event):
    return bool(event.get("v4mapped")) and not end["v4mapped"]


def describe(end):
    remote = "" if end["role"] == "listener" else f" - {end['raddr']}:{end['rport']}"
    detail = f" ({end['detail']})" if end["detail"] else ""
    return f"{end['role']}{detail} {end['laddr']}:{end['lport']}{remote} netns {end['netns']}"


def names(events):
    return ", ".join(e["event"] for e in events) or "nothing"


def take_heir(end, opened):
    """The end as it looks where its accept could not be seen and its heir was the first to operate it.

    Nothing runs in accept() then but the hook that some kernels lack; the listener's owner is right as well. A pass over
    files may meet a forked heir while it still bears its parent's name."""
    if not end["open"].get("unseen") or opened.get("pid") != end["close"]["pid"]:
        return end
    comms = end["open"]["comm"], end["close"]["comm"]
    comm = opened["comm"] if opened.get("comm") in comms else comms[1]
    return end | {"open": end["open"] | {"pid": end["close"]["pid"], "comm": comm}}


def verify(truth, events):
    """Returns ({shape: Result}, [text of each event that belongs to no end])."""
    accepts_seen = any(ACCEPT_HOOK in e.get("hooks", ()) for e in events if e["event"] == "start")
    results = collections.defaultdict(Result)
    groups = group(events)
    ends = collections.defaultdict(list)
    for end in truth:
        ends[listener_key(end) if end["role"] == "listener" else key_of(end)].append(end)
    for key, same in ends.items():
        opens, closes = groups.pop(key, ([], []))
        for i, end in enumerate(same):
            result = results[end["shape"]]
            result.ends += 1
            wanted = end["close"] is not None
            mine = opens[i : i + 1], closes[i : i + 1] if wanted else []
            if i == len(same) - 1:  # what is too much is told with the last one
                mine = opens[i:], closes[i:]
            if len(mine[0]) != 1 or len(mine[1]) != wanted:
                result.errors.append(f"{describe(end)}: opened by {names(mine[0])}; closed by {names(mine[1])}")
                continue
            result.reconciled += any(e.get("reconciled") for side in mine for e in side)
            if not accepts_seen:
                end = take_heir(end, mine[0][0])
            for error in check_pair(end, mine[0][0], mine[1][0] if wanted else None):
                result.errors.append(f"{describe(end)}: {error}")
    return dict(results), [json.dumps(e) for e in strangers(truth, events, groups)]


def strangers(truth, events, groups):
    """Events left over in the truth's namespaces, while those were there: inodes are used again."""
    ours = {end["open"]["pid"] for end in truth}
    span = {}
    for e in events:
        if e.get("pid") in ours and "netns" in e:
            first, _ = span.get(e["netns"], (e["mono_ns"], 0))
            span[e["netns"]] = first, e["mono_ns"]
    for sides in groups.values():
        for e in sides[0] + sides[1]:
            first, last = span.get(e.get("netns"), (0, -1))
            if first <= e["mono_ns"] <= last and any(end["netns"] == e["netns"] for end in truth):
                yield e


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    truth, events = ([json.loads(line) for line in open(name, encoding="utf-8")] for name in arguments)
    results, extra = verify(truth, events)
    for shape, result in results.items():
        print(f"{shape:20} {result.ends:4} ends  {result.reconciled} reconciled  {len(result.errors)} wrong")
        for error in result.errors:
            print("    " + error)
    for event in extra:
        print("belongs to no end: " + event)
    return 1 if extra or any(r.errors for r in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

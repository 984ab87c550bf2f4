# SPDX-License-Identifier: BSD-2-Clause
"""Compares the truth of `workload datagrams` with what `nettrace --json -u` wrote."""

import collections

COUNTERS = ("tx_bytes", "rx_bytes", "tx_datagrams", "rx_datagrams", "drops")


def ends(e):
    """What tells a flow apart for who does not know its id."""
    return (e["netns"], e["family"], e.get("v4mapped", False), e["direction"],
            e["laddr"], e["lport"], e["raddr"], e["rport"])


def opened(e):
    return ends(e) + (e["event"], e.get("pid"), e.get("comm"), e["owner"])


def expected_open(f):
    event = "connect" if f["direction"] == "out" else "accept"
    return ends(f) + (event, f["open_pid"], f["open_comm"], event)


def closed(e):
    return (ends(e) + (e.get("pid"), e.get("comm"), e["owner"], e.get("opener_pid"), e.get("outcome"))
            + tuple(e.get(c) for c in COUNTERS))


def expected_close(f):
    seen = "connect" if f["direction"] == "out" else "accept"
    owner = ("handed", f["opener_pid"]) if f["opener_pid"] else (seen, None)
    return (ends(f) + (f["close_pid"], f["close_comm"], *owner, "clean")
            + tuple(f[c] for c in COUNTERS))


def difference(got, expected):
    missing, extra = expected - got, got - expected
    return [f"missing {m}" for m in missing] + [f"extra   {e}" for e in extra]


def pair(e):
    """The same for both ends of a flow."""
    return (e["netns"], *sorted(((e["laddr"], e["lport"]), (e["raddr"], e["rport"]))))


def without_told_drops(flow, sizes):
    """The flow as kernels tell it that do not say which datagram found no room: it stays counted as received.

    `sizes`: payload of each datagram that its peer sent; the workload floods with one size."""
    if not flow["drops"]:
        return flow
    return flow | {"rx_datagrams": flow["rx_datagrams"] + flow["drops"],
                   "rx_bytes": flow["rx_bytes"] + flow["drops"] * sizes}


def size_sent_to(flow, truth):
    """Of each datagram that the other end of this flow sent."""
    other = next(f for f in truth if f is not flow and pair(f) == pair(flow) and f["shape"] == flow["shape"])
    return other["tx_bytes"] // other["tx_datagrams"]


def in_networks(truth, events):
    """Those of `events` that are of UDP in the workload's network namespaces."""
    networks = {f["netns"] for f in truth}
    return [e for e in events if e.get("netns") in networks and e.get("proto") == "udp"]


def verify(truth, events, drops_stay_received=False):
    """{shape: (how many flows, [problems])}; `events`: of in_networks()."""
    if drops_stay_received:
        truth = [without_told_drops(f, size_sent_to(f, truth)) if f["drops"] else f for f in truth]
    results = {}
    for shape in dict.fromkeys(f["shape"] for f in truth):
        flows = [f for f in truth if f["shape"] == shape]
        keys = {pair(f) for f in flows}
        # A port may serve two shapes, one after the other: those of the other are taken along.
        expected = flows + [f for f in truth if f["shape"] != shape and pair(f) in keys]
        of_shape = [e for e in events if pair(e) in keys]
        got = collections.Counter(opened(e) for e in of_shape if e["event"] in ("connect", "accept"))
        problems = difference(got, collections.Counter(map(expected_open, expected)))
        got = collections.Counter(closed(e) for e in of_shape if e["event"] == "close")
        problems += difference(got, collections.Counter(map(expected_close, expected)))
        results[shape] = len(flows), problems
    return results

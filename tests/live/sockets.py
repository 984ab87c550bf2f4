# SPDX-License-Identifier: BSD-2-Clause
"""Tables of sockets, by cookie: what ss says of a namespace, and what nettrace's rows say."""

import os
import re
import subprocess

KERNEL_NAMES = {
    "ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "FIN-WAIT-1": "FIN_WAIT1",
    "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT", "UNCONN": "CLOSE", "CLOSE-WAIT": "CLOSE_WAIT",
    "LAST-ACK": "LAST_ACK",
}
HOLDER = re.compile(r'\("((?:[^"\\]|\\.)*)",pid=(\d+),fd=(\d+)\)')
COOKIE = re.compile(r"\bsk:([0-9a-f]+)")


def process_in(netns):
    """The pid of some process in this network namespace."""
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat(f"/proc/{name}/ns/net").st_ino == netns:
                return int(name)
        except OSError:
            pass  # it is gone, or a zombie
    raise RuntimeError(f"no process is in the namespace {netns}")


def endpoint(text):
    """(address, port); what ss writes in other ways made one."""
    address, _, port = text.rpartition(":")
    address = address.strip("[]").split("%")[0]
    if address.startswith("::ffff:"):
        address = address[len("::ffff:"):]
    if address in ("*", "::"):
        address = "0.0.0.0"
    return address, 0 if port == "*" else int(port)


def rows_of_ss(netns):
    """{cookie: (proto, state, Recv-Q, Send-Q, local, peer, holders)} of TCP and UDP."""
    out = subprocess.run(
        ["nsenter", f"--net=/proc/{process_in(netns)}/ns/net", "ss", "-tuanpeH"], stdout=subprocess.PIPE, check=True
    ).stdout.decode("utf-8", "backslashreplace")
    rows = {}
    for line in out.splitlines():
        proto, state, recv_q, send_q, local, peer, rest = line.split(None, 6)
        holders = sorted((int(pid), int(fd)) for _, pid, fd in HOLDER.findall(rest))
        rows[int(COOKIE.search(rest)[1], 16)] = (
            proto, KERNEL_NAMES.get(state, state), int(recv_q), int(send_q), endpoint(local), endpoint(peer), holders
        )
    return rows


def row_of_event(e):
    """The same of one of nettrace's rows."""
    holders = sorted((h["pid"], h["fd"]) for h in e.get("holders", ()))
    ends = ((e.get("laddr"), e.get("lport")), (e.get("raddr"), e.get("rport")))
    # Of a listener the peer is unknown: absent, where ss has a wildcard.
    local, peer = ((a if a and a != "::" else "0.0.0.0", p or 0) for a, p in ends)
    return e.get("proto"), e.get("state"), e.get("recv_q"), e.get("send_q"), local, peer, holders


def cookie_of(e):
    return int(e["id"].split("-")[0], 16)


def rows_of_events(events, netns):
    return {cookie_of(e): row_of_event(e) for e in events if e.get("netns") == netns}


def last_table(tracer):
    """The rows of the last table that is complete (those of one have one time); older ones are forgotten."""
    tracer.read()
    times = sorted({e["mono_ns"] for e in tracer.events if e["event"] == "socket"})
    if len(times) < 2:
        return []
    tracer.events = [e for e in tracer.events if e["mono_ns"] >= times[-2]]
    return [e for e in tracer.events if e["mono_ns"] == times[-2]]


def differences(expected, got):
    """Lines, one for each row that is missing, too many, or another."""
    lines = [f"missing: {expected[c]}" for c in expected.keys() - got.keys()]
    lines += [f"too many: {got[c]}" for c in got.keys() - expected.keys()]
    lines += [f"{expected[c]} is {got[c]}" for c in expected.keys() & got.keys() if expected[c] != got[c]]
    return sorted(lines)

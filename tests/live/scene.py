# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of a connection's whole life share: processes that do as told, loss, counters, TCP_INFO."""

import json
import os
import signal
import socket
import struct
import subprocess
import time

import harness

ADDRESS = "127.0.0.1"
ACCEPTABLE = 0.2  # seconds in which the acceptor must be known

TCP_FASTOPEN = 23
TCP_FASTOPEN_CONNECT = 30
SO_MEMINFO, MEMINFO_DROPS = 55, 8

# name: (offset, format) in struct tcp_info, include/uapi/linux/tcp.h
TCP_INFO = {
    "state": (0, "B"), "unacked": (24, "I"), "last_data_sent": (44, "I"), "last_data_recv": (52, "I"),
    "last_ack_recv": (56, "I"), "rtt": (68, "I"), "total_retrans": (100, "I"), "bytes_received": (128, "Q"),
    "segs_out": (136, "I"), "segs_in": (140, "I"), "min_rtt": (148, "I"), "bytes_sent": (200, "Q"),
    "bytes_retrans": (208, "Q"),
}


def tcp_info(s):
    data = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    return {name: struct.unpack_from(kind, data, at)[0] for name, (at, kind) in TCP_INFO.items()}


class QuietTracer(harness.Tracer):
    """nettrace --json with room for what else the machine does meanwhile; what was lost is a failure of its own.

    Events of other network namespaces than the caller's are dropped, so that a busy host does not slow the test."""

    def __init__(self, *arguments, **options):
        self._netns = b'"netns":%d,' % harness.network_inode()
        super().__init__("--json", "--buffer", "64M", *arguments, **options)

    def read(self):
        *lines, self._rest = (self._rest + self._in.read()).split(b"\n")
        new = [json.loads(line) for line in lines if self._netns in line or b'"netns":' not in line]
        self.events += new
        return new

    def finish(self, tap, netns, what=""):
        """Stops it; returns the events of this network namespace."""
        what = what and what + ": "
        status, _ = self.stop()
        tap.equal(status, 0, f"{what}SIGINT ends it with 0", self.errors())
        summary = self.summary() or {}
        tap.equal(summary.get("lost"), 0, f"{what}nothing is lost", summary)
        return [e for e in self.events if e.get("netns") == netns]


def find(events, **wanted):
    """Those that have all of these values; None stands for a field that is absent."""
    return [e for e in events if all(e.get(name) == value for name, value in wanted.items())]


def now_us():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def read_counters():
    """The network namespace's own, as {"TcpRetransSegs": 1, "TcpExtListenDrops": 2, ...}."""
    values = {}
    for name in ("snmp", "netstat"):
        with open(f"/proc/self/net/{name}", encoding="ascii") as f:
            lines = f.read().splitlines()
        for names, numbers in zip(lines[::2], lines[1::2]):
            prefix, *names = names.split()
            values |= {prefix[:-1] + n: int(v) for n, v in zip(names, numbers.split()[1:])}
    return values


def growth(before, *names):
    """How much these counters have grown since `before`, together; one that a kernel lacks has not."""
    after = read_counters()
    return sum(after.get(name, 0) - before.get(name, 0) for name in names)


def sysctl(name, value):
    """Sets one of this network namespace. False when the kernel has none of that name."""
    try:
        with open("/proc/sys/net/" + name, "w", encoding="ascii") as f:
            f.write(str(value))
    except FileNotFoundError:
        return False
    return True


def command(*words, **options):
    """Runs a program that must succeed; returns its output."""
    words = [str(w) for w in words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def filter_packets(incoming=(), outgoing=()):
    """Replaces all of the namespace's packet rules by these, one nftables statement each, at once."""
    lines = ["table inet loss", "delete table inet loss", "table inet loss {"]
    for hook, rules in (("input", incoming), ("output", outgoing)):
        lines += [f"chain {hook} {{ type filter hook {hook} priority 0;", *rules, "}"]
    command("nft", "-f", "-", input="\n".join([*lines, "}", ""]))


class Remote(harness.Helper):
    """A process of this name that holds make()'s object; its methods are called by name, JSON in and out.

    A method that ends with an OSError answers {"errno": N}."""

    def __init__(self, name, make, uid=None):
        self.name = name
        super().__init__(name, lambda: self._obey(make), uid)
        self.answer()

    @staticmethod
    def _obey(make):
        thing = make()
        answer = None
        while True:
            word, *rest = yield answer
            try:
                answer = getattr(thing, word)(*rest)
            except OSError as e:
                answer = {"errno": e.errno}

    def tell(self, *words):
        """Asks, and does not wait for the answer."""
        self.channel.send(json.dumps(words).encode())

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.end()

    def __getattr__(self, word):
        return lambda *rest: self.ask((word, *rest))


class Hands:
    """Holds sockets, each under a number, for a Remote."""

    def __init__(self):
        self.held = []

    def add(self, s):
        self.held.append(s)
        return len(self.held) - 1

    def listen(self, address=ADDRESS, backlog=64, port=0):
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        s.listen(backlog)
        return self.add(s), s.getsockname()[1]

    def connect(self, address, port):
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        s.settimeout(20)
        s.connect((address, port))
        return self.add(s), s.getsockname()[1]

    def accept(self, listener):
        self.held[listener].settimeout(20)
        s = self.held[listener].accept()[0]
        s.settimeout(20)
        return self.add(s)

    def write(self, n, size):
        self.held[n].sendall(bytes(size))

    def read(self, n, size):
        left = size
        while left:
            data = self.held[n].recv(min(left, 1 << 20))
            if not data:
                break
            left -= len(data)
        return size - left

    def read_end(self, n):
        """What the peer's end looks like: "" for a FIN, else {"errno": N}."""
        return self.held[n].recv(1).decode()

    def info(self, n):
        return tcp_info(self.held[n])

    def shutdown(self, n):
        self.held[n].shutdown(socket.SHUT_WR)

    def linger(self, n):
        """close() will send a RST."""
        self.held[n].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self, n):
        self.held[n].close()

    def drops(self, n):
        data = self.held[n].getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 64)
        return struct.unpack_from("I", data, 4 * MEMINFO_DROPS)[0]

    def wait_idle(self, n, milliseconds=300):
        """Until nothing is on its way and nothing has moved for that long."""
        def idle():
            info = tcp_info(self.held[n])
            quiet = min(info[f"last_{what}"] for what in ("data_sent", "data_recv", "ack_recv"))
            return not info["unacked"] and quiet >= milliseconds

        return bool(harness.wait_until(idle, 10))


class Connection:
    """Between a client and a server, both Remotes with Hands."""

    def __init__(self, client, server, listener, port, address=ADDRESS):
        self.client, self.server, self.port, self.address = client, server, port, address
        client.tell("connect", address, port)
        self.theirs = server.accept(listener)
        self.ours, self.lport = client.answer()

    def client_end(self):
        """The fields by which its events are found."""
        return {"lport": self.lport, "rport": self.port, "direction": "out"}

    def server_end(self):
        return {"lport": self.port, "rport": self.lport, "direction": "in"}


def owner_of(e):
    return e.get("pid"), e.get("comm")

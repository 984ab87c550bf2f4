# SPDX-License-Identifier: BSD-2-Clause
"""Sockets of every kind and in every state that lasts, in a network namespace of their own."""

import os
import select
import signal
import socket

import harness
import scene

LOOPBACK = "127.0.0.1"
HANDSHAKE, CLOSING = 7101, 7102  # ports: where no handshake completes; whose FINs never arrive
BACKLOG = 3
TCP_LINGER2 = 8
MUCH = 64 << 20  # more than all buffers take
PATHS = [b"plain.sock", b"tab\tescape\x1b[31m.sock", b"line\nfeed.sock", b"not-utf8-\xff.sock"]
ABSTRACT = [b"\0tk-plain", b"\0tk\0nul\x07bell"]


def listen(address, port=0, backlog=BACKLOG, dual=False):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
    s.bind((address, port))
    s.listen(backlog)
    return s


def connect(to, linger=None):
    s = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_STREAM)
    if linger:
        s.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, linger)
    s.connect(to[:2])
    return s


def begin_connect(to):
    """What no answer comes to."""
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(to)
    return s


def pair(listener, to=None, linger=None):
    ours = connect(to or listener.getsockname(), linger)
    return ours, listener.accept()[0]


def fill(s):
    """Writes until neither end's buffers take more."""
    s.setblocking(False)
    sent = 0
    while sent < MUCH and harness.wait_until(lambda: is_writable(s), 0.3):
        try:
            sent += s.send(bytes(1 << 16))
        except BlockingIOError:
            pass


def is_writable(s):
    return select.select([], [s], [], 0)[1]


def is_shut(s):
    """Whether the peer's FIN has come."""
    return scene.tcp_info(s)["state"] == 8  # CLOSE_WAIT


def wait_shut(s):
    if not harness.wait_until(lambda: is_shut(s), 10):
        raise RuntimeError("no FIN came")


def make_queue(held):
    """A full accept queue, and a SYN that has no room in it."""
    listener = listen(LOOPBACK)
    waiting = [connect(listener.getsockname()) for _ in range(BACKLOG + 1)]
    waiting[0].sendall(bytes(777))  # unread by who has not even accepted
    held += [listener, *waiting, begin_connect(listener.getsockname())]


def make_ends(held, listener):
    """All ways to the end, with a file and without."""
    ours, theirs = pair(listener)
    theirs.shutdown(socket.SHUT_WR)  # FIN_WAIT2 there, CLOSE_WAIT here
    held += [ours, theirs]
    for linger in (None, 110):  # FIN_WAIT2 without a file: as a small successor; as itself, for it lasts long
        ours, theirs = pair(listener, linger=linger)
        ours.close()
        wait_shut(theirs)
        held.append(theirs)
    ours, theirs = pair(listener)  # FIN_WAIT1 without a file: the data before its FIN is not taken
    fill(ours)
    ours.close()
    held.append(theirs)
    ours, theirs = pair(listener)  # LAST_ACK without a file, likewise
    theirs.shutdown(socket.SHUT_WR)
    wait_shut(ours)
    fill(ours)
    ours.close()
    held.append(theirs)


def make_time_wait(held):
    """These last for a minute: made last."""
    listener = listen(LOOPBACK)
    held.append(listener)
    for _ in range(3):  # TIME_WAIT
        ours, theirs = pair(listener)
        ours.close()
        wait_shut(theirs)
        theirs.close()


def make_unanswered(held):
    """What lasts only while packets are lost: SYN_RECV, CLOSING."""
    scene.filter_packets(incoming=[
        f"tcp dport {HANDSHAKE} tcp flags & (syn|ack) == ack drop",
        f"tcp sport {CLOSING} tcp flags & fin == fin drop",
    ])
    # Room for all: with the accept queue full there would be none for requests.
    held.append(listen(LOOPBACK, HANDSHAKE, 16))
    held += [connect((LOOPBACK, HANDSHAKE)) for _ in range(5)]
    listener = listen(LOOPBACK, CLOSING)
    ours, theirs = pair(listener)
    theirs.shutdown(socket.SHUT_WR)
    ours.shutdown(socket.SHUT_WR)
    held += [listener, ours, theirs]


def make_tcp(held):
    listener = listen(LOOPBACK, backlog=16)
    held.append(listener)
    make_queue(held)
    make_ends(held, listener)
    ours, theirs = pair(listener)
    ours.sendall(bytes(4321))
    full, unread = pair(listener)
    fill(full)
    held += [ours, theirs, full, unread, *pair(listener)]
    idle = socket.socket()
    idle.bind((LOOPBACK, 0))  # a name and nothing else: in no list
    held.append(idle)
    if harness.has_ipv6():
        six, dual = listen("::1"), listen("::", dual=True)
        held += [six, dual, *pair(six), *pair(dual, (LOOPBACK, dual.getsockname()[1]))]
        held += [*pair(dual, ("::1", dual.getsockname()[1])), listen("::")]


def make_udp(held):
    held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))  # without a port: in no list
    families = [(socket.AF_INET, LOOPBACK, "0.0.0.0")]
    if harness.has_ipv6():
        families.append((socket.AF_INET6, "::1", "::"))
    for family, address, wildcard in families:
        bound, anywhere, client = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(3))
        bound.bind((address, 0))
        anywhere.bind((wildcard, 0))
        client.connect(bound.getsockname()[:2])
        for size in (1, 100, 1000):
            client.send(bytes(size))
        held += [bound, anywhere, client]
    if harness.has_ipv6():
        mapped = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        mapped.connect(("::ffff:" + LOOPBACK, held[-6].getsockname()[1]))
        held.append(mapped)


def make_raw(held):
    def raw(family, protocol):
        s = socket.socket(family, socket.SOCK_RAW, protocol)
        held.append(s)
        return s

    raw(socket.AF_INET, socket.IPPROTO_ICMP)
    raw(socket.AF_INET, socket.IPPROTO_RAW)
    raw(socket.AF_INET, 200).bind((LOOPBACK, 0))
    raw(socket.AF_INET, 201).connect((LOOPBACK, 0))
    raw(socket.AF_INET, 201).sendto(bytes(300), (LOOPBACK, 0))  # queued at the one above, and at itself
    if harness.has_ipv6():
        raw(socket.AF_INET6, socket.IPPROTO_ICMPV6)
        raw(socket.AF_INET6, 200).bind(("::1", 0))


def make_unix(held, directory):
    kinds = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
    for kind in kinds:
        held += socket.socketpair(socket.AF_UNIX, kind)
        held[-1].send(bytes(50))
        held.append(socket.socket(socket.AF_UNIX, kind))
        for name in ABSTRACT + [os.fsencode(directory) + b"/%d-" % kind + p for p in PATHS]:
            s = socket.socket(socket.AF_UNIX, kind)
            s.bind(name if name[0] else name + b"-%d" % kind)
            client = socket.socket(socket.AF_UNIX, kind)
            held += [s, client]
            if kind != socket.SOCK_DGRAM:
                s.listen(5)
                client.connect(s.getsockname())
                held.append(s.accept()[0])
                held[-1].send(bytes(9))
                held.append(socket.socket(socket.AF_UNIX, kind))
                held[-1].connect(s.getsockname())  # nobody accepts
            else:
                client.connect(s.getsockname())
                client.send(bytes(9))


def fork(name, run):
    """A process that lives as long as this one."""
    pid = os.fork()
    if pid == 0:
        harness.libc.prctl(harness.PR_SET_PDEATHSIG, signal.SIGKILL)
        harness.set_name(name)
        run()
        while True:
            signal.pause()


class Receiver:
    """A process that holds what is handed to it."""

    def __init__(self, name):
        self.ours, theirs = socket.socketpair()
        fork(name, lambda: self._take(theirs))
        theirs.close()

    @staticmethod
    def _take(channel):
        kept = []
        while True:
            kept += socket.recv_fds(channel, 1, 64)[1]
            channel.send(b"x")

    def give(self, sockets):
        socket.send_fds(self.ours, [b"x"], [s.fileno() for s in sockets])
        if self.ours.recv(1) != b"x":
            raise RuntimeError("the receiver is gone")


def hand_out(held, home):
    """More holders: by dup, by fork, by descriptors that are passed, from another network namespace, on the way."""
    held += [s.dup() for s in held[::7]]
    receiver = Receiver("tk-receiver")
    some = held[::5]
    receiver.give(some)
    receiver.give(some[:3])
    fork("tk-heir", lambda: [s.close() for s in held[1::2]])
    fork("tk-elsewhere", lambda: harness.check(harness.libc.setns(home, 0), "setns"))
    only_there = [listen(LOOPBACK), socket.socket(socket.AF_INET, socket.SOCK_DGRAM), *socket.socketpair()]
    only_there[1].bind((LOOPBACK, 0))
    receiver.give(only_there)
    on_the_way = [listen(LOOPBACK), socket.socket(socket.AF_INET, socket.SOCK_DGRAM), *socket.socketpair()]
    on_the_way[1].bind((LOOPBACK, 0))
    channel = socket.socketpair()
    socket.send_fds(channel[0], [b"x"], [s.fileno() for s in on_the_way])
    for s in only_there + on_the_way:
        s.close()
    held += channel


def build(directory, lossy):
    """For a Helper: yields the namespace's inode when all is there; `lossy`: packets can be dropped here."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    held = []
    netns = harness.unshare_network()
    make_tcp(held)
    make_udp(held)
    make_raw(held)
    make_unix(held, directory)
    hand_out(held, home)
    if lossy:
        make_unanswered(held)
    make_time_wait(held)
    yield netns

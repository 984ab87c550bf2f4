# SPDX-License-Identifier: BSD-2-Clause
"""What the live tests share: TAP output, nettrace as a process, helpers that hold sockets, network namespaces."""

import atexit
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NETTRACE = os.environ.get("NETTRACE", os.path.join(ROOT, "build", "nettrace"))
PROGRAMS = os.environ.get("TEST_PROGRAMS", os.path.join(ROOT, "build", "tests"))
WORKLOAD = os.path.join(PROGRAMS, "live", "workload")

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TURN = 0.01  # seconds between two looks at a file that another process writes
READY = 60  # seconds that nettrace may take to its `start` on the busiest machine

libc = ctypes.CDLL(None, use_errno=True)

directory = tempfile.mkdtemp(prefix="nettrace-live-")
atexit.register(shutil.rmtree, directory, ignore_errors=True)


class Tap:
    """Numbers and prints results; use as `with Tap() as tap`. An exception in the block is a failure."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, condition, name, *details):
        """Details are printed when it fails, each line of them as a comment, at most 20."""
        self.count += 1
        self.failed += not condition
        print(f"{'ok' if condition else 'not ok'} {self.count} - {name}")
        if not condition:
            lines = [line for d in details for line in str(d).splitlines()]
            for line in lines[:20]:
                self.note("  " + line[:700])
            if len(lines) > 20:
                self.note(f"  ... and {len(lines) - 20} lines more")
        sys.stdout.flush()
        return condition

    def equal(self, got, expected, name, *details):
        return self.ok(got == expected, name, f"got      {got!r}", f"expected {expected!r}", *details)

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def note(self, text):
        print("# " + text.encode("unicode_escape", "replace").decode(), flush=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        kill_all()
        if isinstance(error, Exception):
            self.ok(False, "runs to its end", "".join(traceback.format_exception(kind, error, trace)))
        print(f"1..{self.count}", flush=True)
        return isinstance(error, Exception)

    def exit(self):
        sys.exit(1 if self.failed else 0)


def may_go_unseen(events):
    """Of so many events in softirq, how many may be missing here. Some machines run no BPF program while the current task is a
    thread of PID 1; in the VMs every single one is asked for."""
    return -(-events // 100)


processes = []  # Popen objects and pids that must not outlive the test


def kill_all():
    for p in processes:
        try:
            if isinstance(p, int):
                os.kill(p, signal.SIGKILL)
                os.waitpid(p, 0)
            elif p.poll() is None:
                p.kill()
                p.wait()
        except (ProcessLookupError, ChildProcessError):
            pass
    processes.clear()


def need_root_and_programs():
    """Bails out with a clear line where the tests can't mean anything."""
    for path in (NETTRACE, WORKLOAD):
        if not os.access(path, os.X_OK):
            print(f"Bail out! {path} is not built")
            sys.exit(1)
    if os.geteuid() != 0:
        print("Bail out! needs root")
        sys.exit(1)


def wait_until(condition, seconds, what="condition"):
    """Looks again and again; returns the condition's first true value, or None when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            return None
        time.sleep(TURN)


def path(name):
    return os.path.join(directory, name)


def check(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def unshare_network():
    """Moves this process into a network namespace of its own, loopback up. Returns its inode."""
    check(libc.unshare(CLONE_NEWNET), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(s, 0x8914, request)  # SIOCSIFFLAGS
    return network_inode()


def network_inode(pid="self"):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def set_name(name):
    """The name that ps shows; bytes are taken as they are."""
    with open("/proc/self/comm", "wb") as f:
        f.write(name if isinstance(name, bytes) else name.encode())


class Helper:
    """A forked process that runs a generator function: each `yield value` is an answer and gets the next word.

    The first answer must be fetched with answer(), the others come from ask(word)."""

    def __init__(self, name, function, uid=None):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = ours
        self.pid = os.fork()
        if self.pid == 0:
            try:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                signal.alarm(600)
                ours.close()
                set_name(name)
                if uid is not None:
                    os.setgroups([])
                    os.setgid(uid)
                    os.setuid(uid)
                self._serve(theirs, function())
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        processes.append(self.pid)
        theirs.close()

    @staticmethod
    def _serve(channel, generator):
        answer = next(generator)
        while True:
            channel.send(json.dumps(answer).encode())
            word = channel.recv(65536)
            if not word:
                return
            try:
                answer = generator.send(json.loads(word))
            except StopIteration:
                channel.send(b"null")
                return

    def answer(self, seconds=60):
        self.channel.settimeout(seconds)
        text = self.channel.recv(65536)
        if not text:
            raise RuntimeError(f"helper {self.pid} died")
        return json.loads(text)

    def ask(self, word=None):
        self.channel.send(json.dumps(word).encode())
        return self.answer()

    def end(self):
        """Waits for its end, which it must come to by itself once the channel is closed."""
        self.channel.close()
        os.waitpid(self.pid, 0)
        processes.remove(self.pid)


class Tracer:
    """nettrace with its output in files. As a context it is ready inside and gone behind."""

    serial = 0

    def __init__(self, *arguments, ready=True, program=None, **popen):
        Tracer.serial += 1
        self.out_path, self.error_path = path(f"out{Tracer.serial}"), path(f"err{Tracer.serial}")
        self.arguments = [program or NETTRACE, *map(str, arguments)]
        self.ready = ready
        self.events = []
        self._rest = b""
        self._out = open(self.out_path, "wb")
        self._in = open(self.out_path, "rb")
        self.bad = []  # lines that are no JSON
        with open(self.error_path, "wb") as errors:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=self._out, stderr=errors, **popen
            )
        processes.append(self.process)

    def __enter__(self):
        if self.ready:
            self.wait_ready()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._in.close()
        self._out.close()

    def read(self):
        """The events written since the last call, which `events` gets too."""
        data = self._rest + self._in.read()
        lines = data.split(b"\n")
        self._rest = lines.pop()
        new = []
        for line in lines:
            try:
                new.append(json.loads(line.decode()))
            except ValueError as e:
                self.bad.append(f"{e}: {line[:200]!r}")
        self.events += new
        return new

    def seen(self, condition):
        """Whether an event for which `condition` holds was ever written."""
        self.read()
        return any(condition(e) for e in self.events)

    def wait_ready(self):
        wait_until(lambda: self.seen(lambda e: e["event"] == "start") or self.process.poll() is not None, READY)
        if not self.seen(lambda e: e["event"] == "start"):
            raise RuntimeError(f"{' '.join(self.arguments)}: no start: {self.errors()}")

    def wait_for(self, condition, seconds=10):
        return wait_until(lambda: self.seen(condition), seconds)

    def wait_closes(self, count, seconds=10):
        """Until this many closes and fails have been written; whether they were."""
        seen = [0]

        def enough():
            seen[0] += sum(e["event"] in ("close", "fail") for e in self.read())
            return seen[0] >= count

        seen[0] = sum(e["event"] in ("close", "fail") for e in self.events)
        return bool(wait_until(enough, seconds))

    def stop(self, number=signal.SIGINT, seconds=5):
        """Returns (exit status, seconds it took); the rest of its events is read."""
        begin = time.monotonic()
        if self.process.poll() is not None:
            self.read()
            return f"ended before it was told to, with {self.process.returncode}", 0
        self.process.send_signal(number)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
            status = f"killed: did not end within {seconds} s of signal {number}"
        took = time.monotonic() - begin
        self.read()
        return status, took

    def wait(self, seconds=60):
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = f"killed: did not end within {seconds} s"
        self.read()
        return status

    def summary(self):
        return self.events[-1] if self.events and self.events[-1]["event"] == "summary" else None

    def errors(self):
        with open(self.error_path, "rb") as f:
            return f.read().decode("utf-8", "backslashreplace")

    def text(self):
        with open(self.out_path, "rb") as f:
            return f.read()


def run(*arguments, seconds=60, program=None, **popen):
    """nettrace to its end: (status, stdout as bytes, stderr as text)."""
    done = subprocess.run(
        [program or NETTRACE, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=popen.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        timeout=seconds,
        **popen,
    )
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace")


def run_json(*arguments, **options):
    status, out, errors = run(*arguments, **options)
    if status != 0:
        raise RuntimeError(f"nettrace {arguments}: exit {status}: {errors}")
    return [json.loads(line) for line in out.decode().splitlines()]


def run_workload(*arguments, own_network=True, seconds=120):
    """Runs it to its end, in a network namespace of its own; returns what it printed."""
    done = subprocess.run(
        [WORKLOAD, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=seconds,
        preexec_fn=unshare_network if own_network else None,
    )
    if done.returncode:
        raise RuntimeError(f"workload {arguments}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def read_json_lines(name):
    with open(name, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


class Actor(Helper):
    """A process of this name that holds sockets and does with them what it is told; sockets are named by a number.

    `sockets` are there from the start: its copies of those that the caller has open."""

    def __init__(self, name, sockets=(), uid=None):
        self.name = name
        super().__init__(name, lambda: self._act(list(sockets)), uid)
        self.answer()

    @staticmethod
    def _act(held):
        def add(s):
            held.append(s)
            return len(held) - 1

        answer = None
        while True:
            word, *rest = yield answer
            if word == "listen":
                address, backlog = rest
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                s = socket.socket(family, socket.SOCK_STREAM)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
                s.bind((address, 0))
                s.listen(backlog)
                answer = add(s), s.getsockname()[1]
            elif word == "connect":
                address, port = rest
                s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
                s.connect((address, port))
                answer = add(s), s.getsockname()[1]
            elif word == "accept":
                answer = add(held[rest[0]].accept()[0])
            elif word == "write":
                held[rest[0]].sendall(bytes(rest[1]))
                answer = rest[1]
            elif word == "read":
                answer = rest[1]
                left = rest[1]
                while left:
                    data = held[rest[0]].recv(min(left, 1 << 20))
                    if not data:
                        answer = rest[1] - left
                        break
                    left -= len(data)
            elif word == "read_end":
                answer = held[rest[0]].recv(1) == b""
            elif word == "shutdown":
                held[rest[0]].shutdown(socket.SHUT_WR)
                answer = None
            elif word == "dup":
                answer = add(held[rest[0]].dup())
            elif word == "fd":
                answer = held[rest[0]].fileno()
            elif word == "close":
                held[rest[0]].close()
                answer = None
            elif word == "churn":
                # So many connections to this address, each with this many bytes written.
                address, port, count, size = rest
                for _ in range(count):
                    with socket.create_connection((address, port)) as s:
                        s.sendall(bytes(size))
                        while s.recv(65536):
                            pass
                answer = count
            elif word == "serve":
                # Takes so many, reads each to this size and closes.
                listener, count, size = rest
                for _ in range(count):
                    s = held[listener].accept()[0]
                    left = size
                    while left:
                        left -= len(s.recv(left))
                    s.close()
                answer = count
            else:
                raise ValueError(word)

    def tell(self, *words):
        """Asks, and does not wait for the answer."""
        self.channel.send(json.dumps(words).encode())

    def __getattr__(self, word):
        return lambda *rest: self.ask((word, *rest))


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def connect_pair(client, server, listener, address, port, there=0, back=0):
    """A connection between two actors with so many bytes each way: (client's socket, lport, server's socket)."""
    client.tell("connect", address, port)
    accepted = server.accept(listener)
    socket_number, lport = client.answer()
    if there:
        client.write(socket_number, there)
        server.read(accepted, there)
    if back:
        server.write(accepted, back)
        client.read(socket_number, back)
    return socket_number, lport, accepted

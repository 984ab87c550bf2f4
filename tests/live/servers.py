# SPDX-License-Identifier: BSD-2-Clause
"""Real servers from the distribution's packages, each in a directory of its own, and who of them holds what."""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import harness
import scene
from scene import ADDRESS

PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
READY = 20  # seconds

NGINX = """
daemon off; user root; worker_processes 3; pid {here}/pid; error_log {here}/errors;
events {{ worker_connections 256; }}
http {{
	access_log off;
	client_body_temp_path {here}/t1; proxy_temp_path {here}/t2; fastcgi_temp_path {here}/t3;
	uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5;
	server {{
		listen {address}:{port}; listen {address}:{port2} reuseport;
		location / {{ return 200 "$pid\\n"; }}
	}}
}}
"""

# Without an AcceptFilter the kernel would hand a connection over with its first data only.
APACHE = """
ServerRoot {here}
ServerName localhost
DefaultRuntimeDir {here}
PidFile {here}/pid
ErrorLog {here}/errors
User www-data
Group www-data
Listen {address}:{port}
AcceptFilter http none
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
StartServers 10
MinSpareServers 2
MaxSpareServers 20
ServerLimit 30
MaxRequestWorkers 30
LogFormat "%{{remote}}p %P" who
CustomLog {here}/who who
"""

# A worker answers each line with its pid; it neither asks for the peer nor touches the socket before data comes.
WORKER = """
import ctypes, os, select, signal, socket
libc = ctypes.CDLL(None)
libc.accept4.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
def work(fd):
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    poll, held = select.poll(), {}
    poll.register(fd, select.POLLIN)
    os.set_blocking(fd, False)
    while True:
        for ready, _ in poll.poll():
            if ready == fd:
                new = libc.accept4(fd, None, None, os.O_CLOEXEC)
                if new >= 0:
                    held[new] = socket.socket(fileno=new)
                    poll.register(new, select.POLLIN)
            elif held[ready].recv(4096):
                held[ready].sendall(b"%d\\n" % os.getpid())
            else:
                poll.unregister(ready)
                held.pop(ready).close()
"""
PREFORK = WORKER + """
import multiprocessing, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=64)
context = multiprocessing.get_context("fork")
workers = [context.Process(target=work, args=(s.fileno(),), daemon=True) for _ in range(4)]
[w.start() for w in workers]
[w.join() for w in workers]
"""
ACTIVATED = WORKER + "work(3)\n"


def find_program(name):
    return shutil.which(name, path=PATH)


def free_port():
    with socket.create_server((ADDRESS, 0)) as s:
        return s.getsockname()[1]


def listens(port):
    wanted = f":{port:04X} 00000000:0000 0A "
    with open("/proc/self/net/tcp", encoding="ascii") as f:
        return wanted in f.read()


class Server:
    """A running one. Its listeners' ports are `ports`; `pid` is that of the process that was started."""

    def __init__(self, name, ports, *command, **options):
        self.name, self.ports = name, ports
        self.here = harness.path(name)
        os.makedirs(self.here, exist_ok=True)
        self.log = open(os.path.join(self.here, "log"), "wb")
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env=os.environ | {"PATH": PATH}, preexec_fn=leave_group, **options,
        )
        self.pid = self.process.pid
        atexit.register(self.stop)
        for port in ports:
            if not harness.wait_until(lambda p=port: listens(p) or self.has_ended(), READY):
                raise RuntimeError(f"{name} does not listen: {self.said()}")
        if self.has_ended():
            raise RuntimeError(f"{name} has ended: {self.said()}")

    def has_ended(self):
        """Without reaping it, which stop() does."""
        return bool(os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))

    def said(self):
        texts = []
        for name in ("log", "errors"):
            path = os.path.join(self.here, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    texts.append(f.read()[-2000:])
        return "\n".join(texts)

    def stop(self):
        """Ends it with all that it started."""
        if self.process.returncode is not None:
            return
        self.process.terminate()
        harness.wait_until(self.has_ended, 10)
        os.killpg(self.pid, signal.SIGKILL)  # before it is reaped: the number is still its own
        self.process.wait()
        self.log.close()


def leave_group():
    """Some servers end theirs by a signal to their whole group; so it is not ours. They end when we do."""
    os.setsid()
    harness.libc.prctl(harness.PR_SET_PDEATHSIG, signal.SIGTERM)


def write_file(name, text, **fields):
    here = harness.path(name)
    os.makedirs(here, exist_ok=True)
    os.chmod(here, 0o755)
    path = os.path.join(here, "conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(text.format(here=here, address=ADDRESS, **fields))
    return path


def nginx():
    """Two ports: one listener for all workers, and one for each."""
    ports = [free_port(), free_port()]
    conf = write_file("nginx", NGINX, port=ports[0], port2=ports[1])
    errors = os.path.join(os.path.dirname(conf), "errors")
    return Server("nginx", ports, "nginx", "-e", errors, "-c", conf)


def apache():
    ports = [free_port()]
    modules = next(d for d in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules") if os.path.isdir(d))
    conf = write_file("apache", APACHE, port=ports[0], modules=modules)
    return Server("apache", ports, "apache2", "-f", conf, "-DFOREGROUND")


def redis():
    ports = [free_port()]
    options = ("--bind", ADDRESS, "--save", "", "--appendonly", "no", "--dir", harness.directory)
    return Server("redis", ports, "redis-server", "--port", ports[0], *options)


def dnsmasq():
    """A DNS server, which forks for each connection."""
    ports = [free_port()]
    options = (
        "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--keep-in-foreground", "--user=root", "--pid-file",
        "--bind-interfaces", f"--listen-address={ADDRESS}", "--address=/name.test/192.0.2.7",
    )
    return Server("dnsmasq", ports, "dnsmasq", f"--port={ports[0]}", *options)


def socat():
    """Forks for each connection; the child echoes."""
    ports = [free_port()]
    listen = f"TCP-LISTEN:{ports[0]},bind={ADDRESS},fork,reuseaddr,backlog=64"
    return Server("socat", ports, "socat", listen, "PIPE")


def prefork():
    """Python's multiprocessing."""
    ports = [free_port()]
    return Server("prefork", ports, sys.executable, "-c", PREFORK, ADDRESS, ports[0])


def inherited():
    """A parent that listens and starts another program with its listener as fd 3."""
    with socket.create_server((ADDRESS, 0), backlog=64) as s:
        port = s.getsockname()[1]
        script = 'exec 3<&"$1"; shift; exec "$@"'
        words = ("sh", "-c", script, "sh", s.fileno(), sys.executable, "-c", ACTIVATED)
        return Server("inherited", [port], *words, pass_fds=[s.fileno()])


def activated():
    """systemd-socket-activate listens, and becomes the server when the first connection comes."""
    ports = [free_port()]
    words = ("systemd-socket-activate", "-l", f"{ADDRESS}:{ports[0]}", sys.executable, "-c", ACTIVATED)
    return Server("activated", ports, *words)


def inetd():
    """systemd-socket-activate accepts, and starts a program for each connection."""
    ports = [free_port()]
    words = ("systemd-socket-activate", "--accept", "--inetd", "-l", f"{ADDRESS}:{ports[0]}", find_program("cat"))
    return Server("inetd", ports, *words)


def holders(port):
    """{the peer's port: {pid, ...}} of the established connections of this local port, as ss finds them in /proc."""
    found = {}
    for line in scene.command("ss", "-Htnp", "state", "established", "sport", "=", f":{port}").splitlines():
        peer = line.split()[3].rsplit(":", 1)[1]
        found[int(peer)] = {int(pid) for pid in re.findall(r"pid=(\d+)", line)}
    return found


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
        return f.read().rstrip("\n")

# SPDX-License-Identifier: BSD-2-Clause
"""Builds an initramfs: busybox, programs, and those modules of a kernel that the tests need."""

import glob
import gzip
import lzma
import os
import re
import shutil
import stat
import subprocess

# Loaded at boot, in this order; one that isn't there is built in.
LOADED = ("virtio_pci", "virtio_blk", "inet_diag", "tcp_diag", "udp_diag", "raw_diag", "unix_diag")
# For whoever asks: busybox's modprobe, and the kernel through it, find them by name and by alias.
AT_HAND = (
    "sch_tbf", "sch_netem", "sch_ingress", "veth", "dummy", "tun", "tls", "mptcp_diag", "nf_tables", "nft_ct",
    "nft_reject_inet", "nft_counter", "nfnetlink", "ip_tables", "iptable_filter", "xt_tcpudp", "ipt_REJECT",
    "ip6_tables", "ip6table_filter", "ip6t_REJECT",
)  # fmt: skip


class Cpio:
    """An archive in the format `newc` (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self, file):
        self.file = file
        self.made = set()
        self.inode = 0

    def _add(self, name, mode, content=b"", device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        numbers = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08x" % n for n in numbers)
        for part in (header + encoded, content):
            self.file.write(part + b"\0" * (-len(part) % 4))

    def directory(self, path):
        path = path.strip("/")
        if path and path not in self.made:
            self.directory(os.path.dirname(path))
            self.made.add(path)
            self._add(path, stat.S_IFDIR | 0o755)

    def content(self, path, content, mode=0o644):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._add(path, stat.S_IFREG | mode, content)

    def copy(self, path, source):
        with open(source, "rb") as f:
            self.content(path, f.read(), stat.S_IMODE(os.stat(source).st_mode))

    def link(self, path, target):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path, major, minor):
        self.directory(os.path.dirname(path))
        self._add(path.strip("/"), stat.S_IFCHR | 0o600, device=(major, minor))

    def tree(self, path, source):
        """All files below a directory of the host, links followed."""
        for directory, _, files in os.walk(source, followlinks=True):
            below = os.path.relpath(directory, source)
            for name in files:
                self.copy(os.path.normpath(os.path.join(path, below, name)), os.path.join(directory, name))

    def end(self):
        self._add("TRAILER!!!", 0)


class Module:
    """One file of the kernel's, unpacked, and what its .modinfo says."""

    def __init__(self, path):
        with open(path, "rb") as f:
            packed = f.read()
        if path.endswith(".xz"):
            self.content = lzma.decompress(packed)
        elif path.endswith(".zst"):
            self.content = subprocess.run(["zstd", "-dcq"], input=packed, stdout=subprocess.PIPE, check=True).stdout
        elif path.endswith(".gz"):
            self.content = gzip.decompress(packed)
        else:
            self.content = packed
        self.depends = [name for value in self._info("depends") for name in value.split(",") if name]
        self.aliases = self._info("alias")

    def _info(self, key):
        return [v.decode() for v in re.findall(rb"(?:^|\0)" + key.encode() + rb"=([^\0]*)(?=\0)", self.content)]


def read_modules(directory):
    """{name: Module} of LOADED and AT_HAND and all they depend on, those first."""
    paths = {}
    for path in glob.glob(os.path.join(directory, "**", "*.ko*"), recursive=True):
        paths[os.path.basename(path).split(".ko")[0].replace("-", "_")] = path
    modules = {}

    def take(name):
        name = name.replace("-", "_")
        if name in modules or name not in paths:
            return
        module = Module(paths[name])
        for dependency in module.depends:
            take(dependency)
        modules[name] = module

    for name in LOADED + AT_HAND:
        take(name)
    return modules


def add_modules(cpio, kernel):
    with open(os.path.join(kernel, "release"), encoding="utf-8") as f:
        base = "/lib/modules/" + f.read().strip()
    modules = read_modules(os.path.join(kernel, "modules"))
    if "inet_diag" not in modules:
        raise RuntimeError(f"{kernel}/modules has no inet_diag: not a stock kernel of Debian's?")
    for name, module in modules.items():
        cpio.content(f"{base}/{name}.ko", module.content)

    def chain(name):
        """All that it needs, the nearest first."""
        found = []
        for dependency in modules[name].depends:
            for d in (dependency.replace("-", "_"), *chain(dependency.replace("-", "_"))):
                if d not in found:
                    found.append(d)
        return found

    lines = (f"{name}.ko:" + "".join(f" {d}.ko" for d in chain(name)) for name in modules)
    cpio.content(base + "/modules.dep", "".join(line + "\n" for line in lines).encode())
    lines = (f"alias {alias} {name}" for name, module in modules.items() for alias in module.aliases)
    cpio.content(base + "/modules.alias", "".join(line + "\n" for line in lines).encode())
    cpio.content("/etc/modules", "".join(name + "\n" for name in LOADED if name in modules).encode())


def missing():
    """What is lacking to build one: a list of texts."""
    busybox = shutil.which("busybox")
    if busybox:
        with open(busybox, "rb") as f:
            if b"/ld-linux" not in f.read(4096):  # the dynamic linker's name stands at the start
                return []
    return ["a static busybox (package busybox-static)"]


def add_busybox(cpio, kernel):
    """That of the kernel's architecture; it has the same programs as this machine's, which can be asked."""
    busybox = shutil.which("busybox")
    own = os.path.join(kernel, "busybox")
    cpio.copy("/bin/busybox", own if os.path.exists(own) else busybox)
    applets = subprocess.run([busybox, "--list"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            cpio.link("/bin/" + applet, "busybox")
    cpio.link("/sbin/modprobe", "../bin/busybox")  # where the kernel looks for it


def build(path, kernel, programs, job, put=None):
    """Writes the initramfs for build/kernels/… `kernel` to `path`.

    `programs` are files of the host for /bin, `job` is the text of the shell script that init runs,
    `put` a directory of the host that becomes /put."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(path, "wb") as file:
        cpio = Cpio(file)
        for directory in ("dev", "proc", "sys", "tmp", "out", "put", "run", "root"):
            cpio.directory(directory)
        cpio.character_device("/dev/console", 5, 1)
        cpio.copy("/init", os.path.join(here, "init"))
        add_busybox(cpio, kernel)
        add_modules(cpio, kernel)
        for program in programs:
            cpio.copy("/bin/" + os.path.basename(program), program)
        cpio.content("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
        cpio.content("/etc/group", b"root:x:0:\nnogroup:x:65534:\n")
        cpio.content("/job", job.encode())
        if put:
            cpio.tree("/put", put)
        cpio.end()

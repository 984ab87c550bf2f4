# SPDX-License-Identifier: BSD-2-Clause
"""Boots a kernel with an initramfs in QEMU and brings back what its job left: no KVM, so that it runs anywhere."""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time

import image

QEMU = "qemu-system-x86_64"
QEMU_ARM = "qemu-system-aarch64"
DISK = 512 << 20  # bytes at most that the machine may hand back; the file is sparse
MEMORY = "1024M"
CPU = "Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid"  # less what QEMU only warns that it lacks
TURN = 0.05


class Run:
    """What came of a machine: `files` is None when its job did not come to its end."""

    def __init__(self, files, console, output, seconds, why=""):
        self.files = files  # {name: bytes} of /out
        self.console = console
        self.output = output
        self.seconds = seconds
        self.why = why

    def text(self, name):
        return (self.files or {}).get(name, b"").decode(errors="replace")


def is_arm(kernel):
    return os.path.basename(kernel).endswith("-arm64")


def missing(kernels):
    """What this machine lacks for these kernels, one text each with the package that has it."""
    needed = {(QEMU_ARM, "qemu-system-arm") if is_arm(k) else (QEMU, "qemu-system-x86") for k in kernels}
    lacking = [f"{program} (package {package})" for program, package in sorted(needed) if not shutil.which(program)]
    return lacking + image.missing()


def version_of(kernel):
    return tuple(int(n) for n in re.findall(r"\d+", os.path.basename(kernel))[:2])


def qemu_version():
    text = subprocess.run([QEMU, "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return int(re.search(r"version (\d+)", text)[1])


def processors(kernel):
    """How QEMU runs its CPUs, and which.

    QEMU 7.2 gets the flags of cmpxchg16b wrong, which kernels die of, and with a thread for each CPU now and then
    takes a breakpoint that the kernel has already patched away. So there all CPUs share a thread and lack that
    instruction, but for kernels from 6.18 on: without it they have no socket storage, and they take no harm."""
    if qemu_version() >= 10:
        return "multi", CPU
    return "single", CPU + ",-cx16" if version_of(kernel) < (6, 18) else CPU


def system(kernel, directory):
    """The machine itself. That for ARM has one serial line only: what the job says comes back in a file."""
    append = "quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on"
    if is_arm(kernel):
        return [
            QEMU_ARM, "-accel", "tcg,thread=multi", "-machine", "virt", "-cpu", "max,pauth-impdef=on",
            "-append", f"console=ttyAMA0 output=/out/output {append}",
            "-serial", "file:" + directory + "/console",
        ]  # fmt: skip
    threads, model = processors(kernel)
    return [
        QEMU, "-accel", "tcg,thread=" + threads, "-machine", "q35", "-cpu", model,
        "-append", f"console=ttyS0 output=/dev/ttyS1 {append}",
        "-serial", "file:" + directory + "/console", "-serial", "file:" + directory + "/output",
    ]  # fmt: skip


def command(kernel, directory):
    return [
        "nice", "-n", "5", *system(kernel, directory), "-smp", "2", "-m", MEMORY, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", os.path.join(kernel, "vmlinuz"), "-initrd", directory + "/initramfs",
        "-drive", f"file={directory}/disk,if=none,id=disk,format=raw,cache=unsafe",
        "-device", "virtio-blk-pci,drive=disk",
    ]  # fmt: skip


def read_files(disk):
    """The tar archive at the start of the disk, or None."""
    with open(disk, "rb") as f:
        if not f.read(512).strip(b"\0"):
            return None
        f.seek(0)
        try:
            with tarfile.open(fileobj=f, mode="r:") as archive:
                return {m.name.removeprefix("./"): archive.extractfile(m).read() for m in archive if m.isfile()}
        except tarfile.TarError:
            return None


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def boot(kernel, programs, job, put=None, timeout=300, show=None):
    """Runs the shell script `job` in a machine; `show` is a file that gets its output at once."""
    with tempfile.TemporaryDirectory(prefix="nettrace-vm-") as directory:
        image.build(directory + "/initramfs", kernel, programs, job, put)
        with open(directory + "/disk", "wb") as f:
            f.truncate(DISK)
        began = time.monotonic()
        with open(directory + "/qemu", "wb") as errors:
            process = subprocess.Popen(
                command(kernel, directory), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
        why = ""
        shown = 0
        try:
            while True:
                over = process.poll() is not None
                if show:
                    output = read(directory + "/output")
                    show.write(output[shown:])
                    show.flush()
                    shown = len(output)
                if over:
                    break
                if time.monotonic() - began > timeout:
                    why = f"not done after {timeout:g} s"
                    break
                time.sleep(TURN)
        finally:
            process.kill()
            status = process.wait()
        seconds = time.monotonic() - began
        files = None if why else read_files(directory + "/disk")
        if files is None and not why:
            why = f"QEMU ended with status {status} before the job did: " + read(directory + "/qemu")[-2000:]
        output = read(directory + "/output") or (files or {}).get("output", b"").decode(errors="replace")
        return Run(files, read(directory + "/console"), output, seconds, why)

# SPDX-License-Identifier: BSD-2-Clause
"""A terminal to drive the screen of --top in: tmux, on a server of its own."""

import atexit
import os
import shlex
import subprocess
import tempfile

import harness

PATIENCE = 20  # seconds until a screen must have come to what is expected


class Screen:
    """One pane of this size that runs a command; as a context it is gone behind."""

    serial = 0

    def __init__(self, command, columns=80, lines=24, environment=None):
        Screen.serial += 1
        self.name = f"nettrace-test-{os.getpid()}-{Screen.serial}"
        self.directory = tempfile.TemporaryDirectory(prefix="nettrace-screen-")
        values = {"TERM": "tmux-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "NO_COLOR": ""}
        values |= environment or {}
        words = " ".join(f"{k}={shlex.quote(v)}" for k, v in values.items())
        atexit.register(self.end)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), "-c", self.directory.name,
                  f"exec env {words} {command}")

    def tmux(self, *words, check=True):
        done = subprocess.run(["tmux", "-L", self.name, *words], capture_output=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"tmux {words}: {done.stderr.decode()}")
        return done.stdout.decode("utf-8", "replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.tmux("kill-server", check=False)
        self.directory.cleanup()

    def keys(self, *keys):
        """Names of keys as tmux has them, or characters."""
        for key in keys:
            self.tmux("send-keys", key)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def mouse(self, button, column, line):
        """As xterm tells of it; 0: the left one, which is let go again, 64 and 65: the wheel. Places count from 0."""
        for code in (button, 3) if button < 3 else (button,):
            self.tmux("send-keys", "-H", *(f"{b:x}" for b in (0x1B, 0x5B, 0x4D, 32 + code, 33 + column, 33 + line)))

    def text(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def lines(self):
        return self.text().split("\n")

    def flag(self, name):
        return self.tmux("display-message", "-p", "#{" + name + "}").strip()

    def wait(self, condition):
        """The screen once the condition holds of its text, or as it is when patience ends."""
        harness.wait_until(lambda: condition(self.text()), PATIENCE)
        return self.text()

    def has(self, text):
        return text in self.wait(lambda shown: text in shown)

    def lacks(self, text):
        return text not in self.wait(lambda shown: text not in shown)

    def pid(self, name):
        """The process of that name below the pane."""
        root = self.flag("pane_pid")

        def find():
            out = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
            rows = [line.split(None, 2) for line in out.splitlines()]
            below = {root}
            for _ in range(4):
                below |= {r[0] for r in rows if r[1] in below}
            return next((int(r[0]) for r in rows if r[0] in below and r[2] == name), None)

        return harness.wait_until(find, PATIENCE)

# SPDX-License-Identifier: Apache-2.0
"""The gateway under test: a real process with a config of its own, on ports of its own."""
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from .ports import free_port, wait_for_port
from .tokens import AUDIENCE, ISSUER


def until(what, seconds=10):
    """Waits for something to become true; False when it did not in time."""
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def head(identity, more=""):
    """The beginning of a config, to be formatted by a Gateway: what stands under `identity`, and further keys."""
    return """version: 1
listen:
  - address: 127.0.0.1:{port}
admin: {{ address: "127.0.0.1:{admin}", token: "file:admin.token" }}
workers: {workers}
""" + more + "identity:\n" + identity + """policies: ["policies/*.yaml"]
telemetry:
  access_log: {{ to: stdout }}
"""


CONFIG = head("""  jwt:
    - issuer: {issuer}
      audiences: ["{audience}"]
      jwks: file:keys.json
      algorithms: [EdDSA]
""")


class Gateway:
    """`extra` is YAML for the end of the config (mcp:, llm:, …); `policy` a policy file's text; `env` is put into its
    environment, DIR in a value standing for the config's directory."""

    def __init__(self, binary, issuer, extra="", policy="", workers=2, config=None, files=None, env=None):
        self.dir = tempfile.mkdtemp(prefix="sallyport-flow-")
        self.port, self.admin = free_port(), free_port()
        os.mkdir(os.path.join(self.dir, "policies"))
        self.write("keys.json", issuer.jwks())
        self.write("admin.token", "admin-token-of-the-tests")
        self.write("policies/p.yaml", policy)
        for name, text in (files or {}).items():
            self.write(name, text)
        head = config or CONFIG
        self.write("sallyport.yaml", head.format(port=self.port, admin=self.admin, workers=workers,
                                                 issuer=ISSUER, audience=AUDIENCE) + extra)
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.records = queue.Queue()
        env = {k: v.replace("DIR", self.dir) for k, v in (env or {}).items()}
        self.command, self.env = [binary, "serve", "-c", os.path.join(self.dir, "sallyport.yaml")], {**os.environ, **env}
        self._start()

    def _start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.env)
        threading.Thread(target=self._read_records, args=(self.process.stdout,), daemon=True).start()
        try:
            wait_for_port(self.port)
        except AssertionError:
            raise AssertionError("the gateway did not start:\n" + self.log_text()) from None

    def crash(self):
        """Ends it as nobody should (kill -9), and starts it anew where it was."""
        self.process.kill()
        self.process.wait()
        self._start()

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def _read_records(self, lines):
        for line in lines:
            try:
                self.records.put(json.loads(line))
            except ValueError:
                self.records.put({"not json": line})

    def record(self, seconds=10):
        """The next access-log line."""
        return self.records.get(timeout=seconds)

    def forget_records(self):
        time.sleep(0.05)
        while not self.records.empty():
            self.records.get()

    def log_text(self):
        self.log.flush()
        with open(self.log.name) as f:
            return f.read()[-20000:]

    def children(self, script):
        """The processes of its own that run this script."""
        out = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    ours = any(a.endswith(script.encode()) for a in f.read().split(b"\0")[1:3])
                with open(f"/proc/{pid}/stat") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if ours and parent == self.process.pid:
                out.append(int(pid))
        return out

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Ends it as an operator would, and holds it to a clean end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("SIGTERM did not end the gateway in 30 s:\n" + self.log_text()) from None
        text = self.log_text()
        if code != 0 or "Sanitizer" in text or "runtime error" in text:
            raise AssertionError(f"the gateway ended with {code}:\n{text}")
        shutil.rmtree(self.dir)

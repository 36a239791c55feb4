# SPDX-License-Identifier: Apache-2.0
"""Starts the fakes of tests/fakes as processes, so that they can be killed and hung like real ones."""
import json
import os
import subprocess
import sys
import urllib.request

from .ports import free_port

FAKES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "fakes")
STDIO = [sys.executable, os.path.abspath(os.path.join(FAKES, "stdio_server.py"))]


class HttpFake:
    def __init__(self, era, program="http_server.py"):
        self.era, self.port, self.program = era, free_port(), program
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, os.path.join(FAKES, self.program), str(self.port), self.era],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/mcp"

    def control(self, **what):
        rq = urllib.request.Request(f"http://127.0.0.1:{self.port}/control", json.dumps(what).encode())
        return json.load(urllib.request.urlopen(rq, timeout=5))

    def heard(self):
        """How many listen to what it says unasked."""
        return self.control()["listeners"]

    def seen(self):
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/seen", timeout=5))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(timeout=5)
        self.process.stdout.close()


def servers_yaml(modern=None, legacy=None, stdio=None, **more):
    """The `mcp:` part of a config for these fakes."""
    out = ["mcp:", "  endpoints:", "    - { path: /mcp, public_url: \"https://gw.test/mcp\" }", "  servers:"]
    for name, fake in (("new", modern), ("old", legacy)):
        if fake:
            limits = "".join(f", {k}: {v}" for k, v in more.items())
            out.append(f"    {name}: {{ url: \"{fake.url}\"{limits} }}")
    if stdio:
        argv = ", ".join(json.dumps(a) for a in stdio[1:])
        out.append(f"    child: {{ command: {json.dumps(stdio[0])}, args: [{argv}] }}")
    return "\n".join(out) + "\n"


def models_yaml(fake):
    return (f"llm:\n  backends:\n    local: {{ schema: openai, url: \"http://127.0.0.1:{fake.port}\","
            f" auth: {{ bearer: key-of-the-backend }} }}\n"
            "  routes:\n    - { name: all, models: [gpt-small, gpt-large, \"free-*\"], stream_idle_timeout: 3s, timeout: 5s,\n"
            "        to: [ { backend: local } ] }\n"
            "    - { name: renamed, models: [alias], to: [ { backend: local, model: real-name } ] }\n")

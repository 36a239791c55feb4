# SPDX-License-Identifier: Apache-2.0
"""`sallyport policy inventory`: from live servers of both eras and transports into a file, and checked against."""
import json
import os
import subprocess
import sys
import tempfile

from house import upstreams

POLICY = """policy: v1
rules:
  - id: echoes
    permit: [child/echo, new/ecoh]
    when: args.txt == "x"
"""


class Servers:
    """A modern and an old HTTP server and a child, in a configuration nobody serves."""

    def __init__(self, binary):
        self.binary, self.folder = binary, tempfile.TemporaryDirectory()
        self.modern, self.legacy = upstreams.HttpFake("modern"), upstreams.HttpFake("legacy")
        self.write("sallyport.yaml", "version: 1\n" + upstreams.servers_yaml(self.modern, self.legacy, stdio=[sys.executable, os.path.join(upstreams.FAKES, "stdio_server.py")], list_timeout="10s")
                   + "policies: [none.yaml]\n")
        self.write("none.yaml", "policy: v1\n")
        self.write("p.yaml", POLICY)

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w") as f:
            f.write(text)

    def policy(self, *arguments):
        return subprocess.run([self.binary, "policy", *arguments], cwd=self.folder.name, capture_output=True, text=True, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.modern.stop()
        self.legacy.stop()
        self.folder.cleanup()


def test_inventory_of_live_servers_is_checked_against(binary):
    with Servers(binary) as s:
        done = s.policy("inventory", "-c", "sallyport.yaml", "-o", "inventory.json")
        assert (done.returncode, done.stdout) == (0, ""), done
        text = open(os.path.join(s.folder.name, "inventory.json")).read()
        servers = json.loads(text)["servers"]
        assert list(servers) == sorted(servers) and len(servers) == 3, list(servers)
        for server in servers.values():
            names = [tool["name"] for tool in server["tools"]]
            assert "echo" in names and names == sorted(names), names
            assert all(tool["inputSchema"]["type"] == "object" for tool in server["tools"])
        again = s.policy("inventory", "-c", "sallyport.yaml")
        assert (again.returncode, again.stdout) == (0, text), "the same servers, the same bytes"
        found = json.loads(s.policy("check", "-i", "inventory.json", "--format=json", "p.yaml").stdout)["findings"]
        assert [(f["code"], f["line"], f["suggestion"]) for f in found] == [
            ("W321", 4, "did you mean 'new/echo'?"), ("E201", 5, "did you mean 'text'?")], found


def test_inventory_names_who_does_not_answer(binary):
    with Servers(binary) as s:
        s.legacy.kill()
        done = s.policy("inventory", "-c", "sallyport.yaml", "-o", "inventory.json")
        assert done.returncode == 1 and "did not answer" in done.stderr, done
        servers = json.load(open(os.path.join(s.folder.name, "inventory.json")))["servers"]
        assert len(servers) == 2, list(servers)
        assert s.policy("inventory", "x").returncode == 2
        assert s.policy("inventory", "-c", "nothing.yaml").returncode == 1

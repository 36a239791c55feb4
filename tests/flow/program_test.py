# SPDX-License-Identifier: Apache-2.0
"""Servers that are programs, run as somebody else."""
import os
import subprocess
import tempfile

from house import mcp
from house.gateway import until
from house.household import Household

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: "*/*" }
"""
# It says who it is, whether it can read what only the gateway may, and reads its stdin to the end.
SAYS = "echo who=$(id -u):$(id -G) home=$HOME user=$USER log=$LOGNAME here=$(pwd) key=$(cat $KEY 2>&1) >&2; cat > /dev/null"


def program(user, key="/nowhere"):
    return ("mcp:\n  servers:\n    said: { command: /bin/sh, args: [-c, \"" + SAYS + "\"],\n"
            f"      user: {user}, cwd: /, env: {{ KEY: \"{key}\" }}, isolation: shared, list_timeout: 100ms }}\n")


def test_a_program_runs_as_the_user_of_its_server(binary):
    if os.geteuid() != 0:
        return refused(binary, program("root"), "only root can run a program as `root`")
    with tempfile.NamedTemporaryFile("w") as key:  # its owner's alone
        key.write("of the gateway")
        key.flush()
        with Household(binary, [], program("nobody", key.name), POLICY) as h:
            mcp.modern(h.gateway, "tools/list", token=h.issuer.token("alice"))
            said = "who=65534:65534 home=/nonexistent user=nobody log=nobody here=/ key=cat: "
            assert until(lambda: said in h.gateway.log_text()), h.gateway.log_text()
            assert "of the gateway" not in h.gateway.log_text()
    return refused(binary, program("nobody-here"), "there is no user `nobody-here` on this machine")


def refused(binary, config, why):
    with tempfile.TemporaryDirectory() as d:
        with open(os.path.join(d, "sallyport.yaml"), "w") as f:
            f.write("version: 1\n" + config)
        done = subprocess.run([binary, "check", "-c", f.name], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and why in done.stderr, done

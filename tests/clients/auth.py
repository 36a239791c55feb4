# SPDX-License-Identifier: Apache-2.0
"""The SDK's own authorization flow: the gateway's 401, its metadata, a mock authorization server from npm, and back."""
import os
import subprocess

from house import upstreams
from house.gateway import Gateway
from house.ports import free_port
from house.tokens import Issuer

here = os.path.dirname(os.path.abspath(__file__))
POLICY = "policy: v1\nname: auth\nrules:\n  - { id: echo, permit: { tools: ['*/echo'] }, when: \"jwt.sub == 'alice'\" }\n"
HEAD = """version: 1
listen:
  - address: 127.0.0.1:{port}
admin: {{ address: "127.0.0.1:{admin}", token: "file:admin.token" }}
workers: {workers}
identity:
  jwt:
    - {{ issuer: ISSUER, audiences: ["AUDIENCE"], algorithms: [RS256] }}
policies: ["policies/*.yaml"]
telemetry:
  access_log: {{ to: stdout }}
"""


def sdk_auth(binary, node, modules, count, run):
    """`modules` holds the SDK and oauth2-mock-server. The audience is an address the gateway is given beforehand."""
    script, port, fake = os.path.join(here, "sdk_auth.mjs"), free_port(), upstreams.HttpFake("modern")
    audience = "urn:gateway-of-the-test"
    server = subprocess.Popen([node, script, modules, "serve", str(port), audience], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    gateway = None
    try:
        issuer = server.stdout.readline().strip()
        head = HEAD.replace("ISSUER", issuer).replace("AUDIENCE", audience)
        gateway = Gateway(binary, Issuer(), f"mcp:\n  servers:\n    s: {{ url: \"{fake.url}\" }}\n", POLICY, config=head)
        url = f"http://127.0.0.1:{gateway.port}/mcp"
        code, out = run([node, script, modules, "go", url])
        count.check("the SDK finds the issuer by our metadata, gets a token and is listed its tools",
                    code == 0 and f"resource {url}" in out and "tools s__echo" in out, out + gateway.log_text())
        count.check("the gateway ends cleanly", gateway.stop() is None)
    finally:
        server.stdin.close()
        server.wait()
        fake.stop()

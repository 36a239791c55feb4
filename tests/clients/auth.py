# SPDX-License-Identifier: Apache-2.0
"""The authorization flows of the SDK and of mcp-remote: the gateway's 401, its metadata, a mock authorization server from
npm, and back. And tokens that the same server lends to backends."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import threading

from house import upstreams
from house.browser import Browser
from house.gateway import Gateway, head
from house.ports import free_port
from house.tokens import Issuer
from house.http import once

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

POLICY = "policy: v1\nname: auth\nrules:\n  - { id: echo, permit: { tools: ['*/echo'] }, when: \"jwt.sub == 'alice'\" }\n"
HEAD = head("""  jwt:
    - {{ issuer: ISSUER, audiences: ["AUDIENCE"], algorithms: [RS256] }}
""")


def sdk_auth(binary, node, modules, remote, count, run):
    """`modules` holds the SDK and oauth2-mock-server, `remote` is mcp-remote's script. The audience is an address the gateway is
    given beforehand."""
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
        tools, seen = remote_tools(node, remote, url)
        count.check("mcp-remote sends a browser to the issuer, comes back with a token, and is listed its tools",
                    tools == ["s__echo"], f"{tools} {seen} {gateway.log_text()}")
        count.check("the gateway ends cleanly", gateway.stop() is None)
    finally:
        server.stdin.close()
        server.wait()
        fake.stop()


def remote_tools(node, remote, url):
    """What mcp-remote lists on its standard output, once the address it prints was opened as a browser would; and all it said."""
    with tempfile.TemporaryDirectory(prefix="sallyport-remote-") as home:
        env = {"HOME": home, "MCP_REMOTE_CONFIG_DIR": home, "BROWSER": "true", "PATH": "/usr/bin:/bin"}
        client = json.dumps({"client_id": "mcp-remote"})
        p = subprocess.Popen([node, remote, url, str(free_port()), "--transport", "http-only", "--static-oauth-client-info", client],
                             env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said, opened = [], threading.Event()

        def watch():
            for line in p.stderr:
                said.append(line)
                if line.startswith("http") and "/authorize?" in line and not opened.is_set():
                    opened.set()
                    said.append(str(Browser().open(line.strip()).status))

        threading.Thread(target=watch, daemon=True).start()
        end = threading.Timer(60, p.kill)
        end.start()
        try:
            hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
            ask(p, {"id": 1, "method": "initialize", "params": hello})
            p.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
            listed = ask(p, {"id": 2, "method": "tools/list", "params": {}})
            return [t["name"] for t in listed["result"]["tools"]] if opened.is_set() else "no browser was asked for", said
        except (ValueError, KeyError, OSError) as e:
            return repr(e), said
        finally:
            end.cancel()
            p.kill()
            p.wait()


def ask(p, message):
    p.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    p.stdin.flush()
    while (m := json.loads(p.stdout.readline())).get("id") != message["id"]:
        pass
    return m


def sdk_channel(binary, node, modules, count, run):
    """The SDK's client of HTTP+SSE (2024-11-05), at an endpoint that serves it."""
    fake, issuer = upstreams.HttpFake("modern"), Issuer()
    gateway = Gateway(binary, issuer, f"mcp:\n  endpoints: [ {{ path: /sse, sse: true, public_url: 'https://gw.test/mcp' }} ]\n"
                      f"  servers:\n    s: {{ url: \"{fake.url}\" }}\n", POLICY)
    try:
        script, url = os.path.join(here, "sdk_channel.mjs"), f"http://127.0.0.1:{gateway.port}/sse"
        code, out = run([node, script, modules, url, issuer.token("alice")])
        count.check("the SDK's HTTP+SSE client lists and calls", code == 0 and "tools s__echo" in out and "said hello" in out, out + gateway.log_text())
        code, out = run([node, script, modules, url, "nobody"])
        count.check("the SDK's HTTP+SSE client is refused without a good token", code != 0, out)
        count.check("the gateway ends cleanly", gateway.stop() is None)
    finally:
        fake.stop()


LENT = """llm:
  backends:
    entra: {{ schema: azure, url: "{model}", auth: {{ entra: {{ tenant: t, client_id: app, client_secret: s, token_url: "{issuer}/token" }} }} }}
    google: {{ schema: gcp-vertex, url: "{model}", project: p, region: r, auth: {{ gcp: {{ file: user.json }} }} }}
  routes:
    - {{ name: e, models: [entra], to: [entra] }}
    - {{ name: g, models: [google], to: [google] }}
"""
ANSWERS = {
    "entra": {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]},
    "google": {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]},
}


def lent(binary, node, modules, count):
    """Entra's client credentials and Google's refresh token, from a server that nobody here wrote."""
    script, port, model = os.path.join(here, "sdk_auth.mjs"), free_port(), Provider()
    server = subprocess.Popen([node, script, modules, "serve", str(port), "models"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url, issuer = server.stdout.readline().strip(), Issuer()
        user = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r", "token_uri": url + "/token"}
        gateway = Gateway(binary, issuer, LENT.format(issuer=url, model=f"http://127.0.0.1:{model.port}"),
                          "policy: v1\nname: p\nrules:\n  - { id: all, permit: { models: ['*'] } }\n", files={"user.json": json.dumps(user)})
        for name, answer in ANSWERS.items():
            model.will(Answer(json.dumps(answer)))
            a = once(gateway.port, "POST", "/v1/chat/completions",
                     {"Authorization": f"Bearer {issuer.token('alice')}", "Content-Type": "application/json"},
                     json.dumps({"model": name, "messages": [{"role": "user", "content": "hi"}]}))
            shown = {k.lower(): v for k, v in model.asked[0][1].items()}.get("authorization", "") if model.asked else ""
            claims = json.loads(base64.urlsafe_b64decode(shown.split(".")[1] + "==")) if shown.count(".") == 2 else {}
            count.check(f"oauth2-mock-server lends the {name} backend its token", a.status == 200 and claims.get("iss") == url,
                        f"{a.status} {a.body} {shown} {gateway.log_text()}")
        count.check("the gateway ends cleanly", gateway.stop() is None)
    finally:
        server.stdin.close()
        server.wait()
        model.stop()

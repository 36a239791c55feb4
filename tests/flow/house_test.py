# SPDX-License-Identifier: Apache-2.0
"""What an operator does: reload, drain, look at the admin listener, mistype a config."""
import os
import ssl
import subprocess
import tempfile
import time

from house import mcp, upstreams
from house.gateway import CONFIG, until
from house.household import Household
from house.http import Connection, once
from house.ports import free_port

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: '*/%s' }\n"


class Running(Household):
    def __init__(self, binary, policy=POLICY % "*", config=None, extra=""):
        self.fake = upstreams.HttpFake("modern")
        super().__init__(binary, [self.fake], upstreams.servers_yaml(self.fake) + extra, policy, config=config)
        self.token = self.issuer.token("alice")


def test_an_edited_policy_is_live_within_a_second(binary):
    with Running(binary, POLICY % "echo") as r:
        assert mcp.list_tools(r.gateway, r.token) == ["new__echo"]
        r.gateway.write("policies/p.yaml", POLICY % "write")
        assert until(lambda: mcp.list_tools(r.gateway, r.token) == ["new__write"], 2)


def test_a_bad_policy_keeps_the_running_one_and_says_so(binary):
    with Running(binary, POLICY % "echo") as r:
        r.gateway.write("policies/p.yaml", "policy: v1\nname: p\nrules:\n  - { id: x, permitt: 'a/b' }\n")
        assert until(lambda: "permitt" in r.gateway.log_text()), r.gateway.log_text()
        assert "permit" in r.gateway.log_text()
        assert mcp.list_tools(r.gateway, r.token) == ["new__echo"]
        ready = once(r.gateway.admin, "GET", "/readyz", {})
        config = ready.json()["config"]
        assert config["current"] is False and "permitt" in config["error"], ready.body


def test_a_policy_that_fails_its_own_tests_is_refused(binary):
    with Running(binary, POLICY % "echo") as r:
        wants = "tests:\n  - { name: echo is for all, as: { jwt: { sub: a } }, call: new/echo, expect: permit }\n"
        r.gateway.write("policies/p.yaml", POLICY % "write" + wants)
        assert until(lambda: "reload refused" in r.gateway.log_text()), r.gateway.log_text()
        assert mcp.list_tools(r.gateway, r.token) == ["new__echo"]
        config = once(r.gateway.admin, "GET", "/readyz", {}).json()["config"]
        assert config["current"] is False and 'p.yaml:6: test "echo is for all": expected permit' in config["error"], config
        started = subprocess.run([binary, "serve", "-c", os.path.join(r.gateway.dir, "sallyport.yaml")],
                                 capture_output=True, text=True)
        assert started.returncode == 1 and "echo is for all" in started.stderr, started
        r.gateway.write("policies/p.yaml", POLICY % "echo" + wants)
        assert until(lambda: once(r.gateway.admin, "GET", "/readyz", {}).json()["config"]["current"] is True, 2)


def test_admin_shows_health_to_all_and_the_rest_to_the_token(binary):
    with Running(binary) as r:
        mcp.list_tools(r.gateway, r.token)
        assert once(r.gateway.admin, "GET", "/livez", {}).status == 200
        assert once(r.gateway.admin, "GET", "/readyz", {}).status == 200
        metrics = once(r.gateway.admin, "GET", "/metrics", {}).body.decode()
        assert "# TYPE sallyport_requests_total counter" in metrics, metrics[:500]
        assert once(r.gateway.admin, "GET", "/config", {}).status == 401
        shown = once(r.gateway.admin, "GET", "/config", {"Authorization": "Bearer admin-token-of-the-tests"})
        assert shown.status == 200 and b"admin-token-of-the-tests" not in shown.body
        assert once(r.gateway.port, "GET", "/metrics", {}).status == 404, "metrics are not public"
        assert once(r.gateway.admin, "GET", "/config", {"Host": "evil.example.com"}).status == 403


def test_sigterm_lets_a_running_call_finish(binary):
    with Running(binary) as r:
        head, body = mcp.modern_request("tools/call", {"name": "new__slow", "arguments": {"ms": 700}})
        c = Connection(r.gateway.port)
        c.request("POST", "/mcp", {**head, **mcp.bearer(r.token)}, body)
        time.sleep(0.2)
        r.gateway.process.terminate()
        assert c.answer().message()["result"]["content"][0]["text"] == "slept"
        assert r.gateway.process.wait(timeout=15) == 0


def test_a_config_with_mistakes_names_them_all(binary):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "sallyport.yaml")
        with open(path, "w") as f:
            f.write("version: 1\nlisten:\n  - adress: 127.0.0.1:1\nworkers: many\nmcp:\n  servers:\n    Bad_Name: { url: \"ftp://x\" }\n")
        p = subprocess.run([binary, "check", "-c", path], capture_output=True, text=True)
        out = p.stdout + p.stderr
        assert p.returncode == 1, out
        assert "sallyport.yaml:3:5:" in out and "address" in out, out
        assert "sallyport.yaml:4:" in out and "workers" in out, out
        assert "sallyport.yaml:7:" in out, out
        assert subprocess.run([binary, "serve", "-c", path], capture_output=True).returncode == 1
        assert subprocess.run([binary, "frobnicate"], capture_output=True).returncode == 2
        assert subprocess.run([binary, "--help"], capture_output=True).returncode == 0


def test_policies_are_checked_tested_and_tried_from_the_command_line(binary):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "p.yaml")
        with open(path, "w") as f:
            f.write("policy: v1\nname: p\nrules:\n  - { id: readers, permit: fs/read, when: 'jwt.sub == \"a\"' }\n"
                    "tests:\n  - { name: a reads, as: { jwt: { sub: a } }, call: fs/read, expect: permit, because: [readers] }\n"
                    "  - { name: b sees nothing, as: { jwt: { sub: b } }, list: fs, expect_tools: [] }\n")
        run = lambda *a: subprocess.run([binary, *a], capture_output=True, text=True)  # noqa: E731
        assert run("policy", "check", path).returncode == 0
        tested = run("policy", "test", path)
        assert tested.returncode == 0 and tested.stdout.endswith("2 passed, 0 failed\n"), tested
        with open(path, "a") as f:
            f.write("  - { name: b reads, as: { jwt: { sub: b } }, call: fs/read, expect: permit }\n")
        tested = run("policy", "test", path)
        assert tested.returncode == 1 and tested.stdout.endswith("2 passed, 1 failed\n"), tested
        assert "p.yaml:8: b reads" in tested.stdout, tested.stdout
        with open(os.path.join(d, "sallyport.yaml"), "w") as f:
            f.write("version: 1\nlisten: ['127.0.0.1:1']\nidentity: { anonymous: allow }\npolicies: [p.yaml]\n")
        checked = run("check", "-c", os.path.join(d, "sallyport.yaml"))
        assert checked.returncode == 1 and "b reads" in checked.stderr, checked
        assert run("policy", "eval", "[1, 2].map(x, x * 2)").stdout.strip().replace(" ", "") == "[2,4]"
        wrong = run("policy", "eval", "'a'.startswith('b')")
        assert wrong.returncode == 1 and "startsWith" in wrong.stderr, wrong


def test_no_policy_means_nothing_is_allowed(binary):
    config = CONFIG.replace('policies: ["policies/*.yaml"]\n', "")
    with Running(binary, config=config) as r:
        assert mcp.list_tools(r.gateway, r.token) == []
        assert "no polic" in r.gateway.log_text().lower()


def test_smuggled_requests_are_refused_and_the_connection_closed(binary):
    body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    base = ["POST /mcp HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    length = f"Content-Length: {len(body)}"
    bad = {
        "two lengths": base + [length, length],
        "two different lengths": base + [length, "Content-Length: 4"],
        "a length beside chunked": base + [length, "Transfer-Encoding: chunked"],
        "two hosts": base + ["Host: other", length],
        "two tokens": base + ["Authorization: Bearer a", "Authorization: Bearer b", length],
        "two origins": base + ["Origin: http://127.0.0.1", "Origin: http://evil", length],
        "two content types": base + ["Content-Type: text/plain", length],
        "two Mcp-Method": base + ["Mcp-Method: a", "Mcp-Method: b", length],
        "a space before the colon": base + ["X-A : 1", length],
        "no host": [base[0], base[2], length],
        "a length that is no number": base + ["Content-Length: 1e2"],
        "a negative length": base + ["Content-Length: -1"],
    }
    with Running(binary) as r:
        for name, lines in bad.items():
            c = Connection(r.gateway.port)
            c.send("\r\n".join(lines) + "\r\n\r\n" + body)
            try:
                a = c.answer()
                assert a.status == 400, f"{name}: {a.status}"
                try:
                    c.more()
                    raise AssertionError(f"{name}: the connection stayed open")
                except (EOFError, ConnectionResetError):
                    pass
            except (EOFError, ConnectionResetError):
                pass  # closed without a word: nothing was served either
            c.close()
        assert r.gateway.records.empty() or all(x.get("status") in (400, None) for x in iter_queue(r.gateway.records))
        assert mcp.list_tools(r.gateway, r.token)


def iter_queue(q):
    while not q.empty():
        yield q.get()


def test_what_is_too_large_is_refused(binary):
    config = CONFIG + "limits: {{ body: 64KiB, header: 8KiB }}\n"
    with Running(binary, config=config) as r:
        head, body = mcp.modern_request("tools/call", {"name": "new__echo", "arguments": {"text": "x" * 100_000}})
        assert once(r.gateway.port, "POST", "/mcp", {**head, **mcp.bearer(r.token)}, body).status == 413
        head, body = mcp.modern_request("tools/list")
        big = once(r.gateway.port, "POST", "/mcp", {**head, **mcp.bearer(r.token), "X-Big": "x" * 20_000}, body)
        assert big.status == 431, big.status
        deep = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":' + "[" * 200 + "]" * 200 + "}"
        assert once(r.gateway.port, "POST", "/mcp", {**head, **mcp.bearer(r.token)}, deep).status in (400, 413)
        c = Connection(r.gateway.port)
        c.send("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
               f"Authorization: Bearer {r.token}\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(40):
                c.send("1000\r\n" + "x" * 4096 + "\r\n")
            status = c.answer().status
        except (BrokenPipeError, ConnectionResetError):
            status = 413  # cut off while sending
        assert status == 413, status
        assert mcp.list_tools(r.gateway, r.token)


def test_tls_on_the_listener(binary):
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{d}/key.pem", "-out", f"{d}/cert.pem", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        port = free_port()
        second = f"  - {{{{ address: '127.0.0.1:{port}', tls: {{{{ certificate: {d}/cert.pem, key: {d}/key.pem }}}} }}}}\nadmin:"
        with Running(binary, config=CONFIG.replace("admin:", second, 1)) as r:
            context = ssl.create_default_context(cafile=f"{d}/cert.pem")
            c = Connection(port)
            c.s = context.wrap_socket(c.s, server_hostname="localhost")
            head, body = mcp.modern_request("tools/call", {"name": "new__echo", "arguments": {"text": "sealed"}})
            c.request("POST", "/mcp", {**head, **mcp.bearer(r.token)}, body)
            assert c.answer().message()["result"]["content"][0]["text"] == "sealed"
            c.close()
            plain = Connection(port)
            plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                assert plain.s.recv(100)[:4] != b"HTTP"
            except ConnectionResetError:
                pass

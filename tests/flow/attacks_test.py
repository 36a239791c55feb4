# SPDX-License-Identifier: Apache-2.0
"""Attacks on gateways that are known by name, each tried on this one (docs/attacks.md says where the others are)."""
import json

from house import mcp, upstreams
from house.gateway import until
from house.household import Household
from house.http import Connection, once

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { tools: ['*/echo', '*/args'], resources: ['*/note://public/*'], prompts: ['*/greet', '*/show'] } }
  - { id: admins, permit: '*/write', when: '"admin" in jwt.groups' }
"""
OLD = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
TELLTALE = {"date", "x-request-id"}


class House(Household):
    """Alice is an administrator and Mallory is not; /other is a second endpoint for both."""

    def __init__(self, binary, **more):
        self.new, self.old = upstreams.HttpFake("modern"), upstreams.HttpFake("legacy")
        config = upstreams.servers_yaml(self.new, self.old, upstreams.STDIO)
        config = config.replace("  servers:", "    - { path: /other }\n  servers:", 1)
        super().__init__(binary, [self.new, self.old], config, POLICY, **more)
        self.alice, self.mallory = self.issuer.token("alice", groups=["admin"]), self.issuer.token("mallory", groups=[])

    def wrote(self):
        """How often the tool for few was reached."""
        return sum(m["body"].get("params", {}).get("name") == "write" for fake in self.fakes for m in fake.seen())

    def ask(self, verb, path, session, token, message=None):
        head = {"Accept": "application/json, text/event-stream", "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25", **mcp.bearer(token)}
        if message:
            head["Content-Type"] = "application/json"
        return once(self.gateway.port, verb, path, head, json.dumps(message) if message else b"")


def facts(answer):
    """All of an answer that its reader could tell two apart by."""
    return answer.status, {k: v for k, v in answer.headers.items() if k not in TELLTALE}, answer.body


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def test_a_session_is_of_no_use_to_a_thief_or_elsewhere(binary):
    with House(binary) as h:
        hers = mcp.Session(h.gateway, h.alice)
        for verb, message in (("POST", LIST), ("GET", None), ("DELETE", None)):
            stolen = h.ask(verb, "/mcp", hers.id, h.mallory, message)
            never = h.ask(verb, "/mcp", "A" * len(hers.id), h.mallory, message)
            assert stolen.status == 404 and facts(stolen) == facts(never), (verb, facts(stolen), facts(never))
            assert h.ask(verb, "/mcp", hers.id, None, message).status == 401, verb
            assert h.ask(verb, "/other", hers.id, h.alice, message).status == 404, verb
        assert hers.request("tools/list").status == 200, "a thief ended the session of another"
        assert hers.id not in h.gateway.log_text() and h.alice not in h.gateway.log_text()


def test_no_revision_is_a_way_around_a_rule(binary):
    with House(binary) as h:
        args = {"name": "old__write", "arguments": {"path": "/etc/passwd", "size": 1}}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": args}
        refusal = mcp.modern(h.gateway, "tools/call", args, h.mallory).message()["error"]
        for version in OLD:
            s = mcp.Session(h.gateway, h.mallory, version)
            assert s.version == version
            assert s.request("tools/call", args).message()["error"] == refusal, version
            for lie in (None, "2024-11-05", mcp.MODERN):  # the session knows what was agreed
                m = s.post(call, **{"MCP-Protocol-Version": lie}).json()
                assert m.get("error") == refusal or m.get("error", {}).get("code") in (-32600, -32602, -32020), (version, lie, m)
        batch = mcp.Session(h.gateway, h.mallory, "2025-03-26").post([call, {**call, "id": 2}])
        assert b"error" in batch.body and b"wrote" not in batch.body, batch.body
        assert h.wrote() == 0


def test_headers_do_not_speak_for_the_body(binary):
    with House(binary) as h:
        s = mcp.Session(h.gateway, h.mallory)
        args = {"name": "new__write", "arguments": {"path": "/srv", "size": 1}}
        lies = {"Mcp-Method": "tools/list", "Mcp-Name": "new__echo"}
        m = s.post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": args}, **lies).message()
        assert m["error"]["message"] == "Unknown tool: new__write", m
        head, body = mcp.modern_request("tools/call", args, headers={"Mcp-Name": "new__echo"})
        for twice in ("Mcp-Name: new__write", "mcp-name: new__echo"):
            c = Connection(h.gateway.port)
            lines = [f"{k}: {v}" for k, v in {**head, **mcp.bearer(h.mallory), "Content-Length": len(body)}.items()] + [twice]
            c.send("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "\r\n".join(lines) + "\r\n\r\n" + body)
            assert c.answer().status == 400, twice
            c.close()
        assert h.wrote() == 0


def test_a_key_cannot_be_said_twice_however_it_is_spelled(binary):
    with House(binary) as h:
        inner = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
        head, _ = mcp.modern_request("tools/call", {"name": "new__echo"})
        split = ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{%s,"name":"new__echo","na\\u006de":"new__write","arguments":{}}}' % inner,
                 '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{%s,"name":"new__echo","arguments":{"text":"a","\\u0074ext":"b"}}}' % inner,
                 '{"jsonrpc":"2.0","id":1,"method":"tools/call","\\u006dethod":"tools/list","params":{%s,"name":"new__echo"}}' % inner,
                 '\ufeff{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{%s,"name":"new__echo","arguments":{}}}' % inner]
        for body in split:
            a = once(h.gateway.port, "POST", "/mcp", {**head, **mcp.bearer(h.mallory)}, body)
            assert a.status == 400 and a.json()["error"]["code"] == -32700, (body, a.status, a.body)
        other = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{%s,"name":"new__echo","Name":"new__write","arguments":{"text":"a"}}}' % inner
        a = once(h.gateway.port, "POST", "/mcp", {**head, **mcp.bearer(h.mallory)}, other)
        assert b"wrote" not in a.body and h.wrote() == 0, a.body


def same(say, hidden, missing):
    """The answers about a hidden and a missing thing of equally long names, but for the name."""
    def said(name):
        a = say(name)
        return a.status, {k: v for k, v in a.headers.items() if k not in TELLTALE}, a.body.replace(name.encode(), b"*")
    assert len(hidden) == len(missing)
    first, second = said(hidden), said(missing)
    assert first == second, (first, second)


def test_what_is_hidden_answers_as_what_is_not_there(binary):
    with House(binary) as h:
        ways = [lambda m, p: mcp.modern(h.gateway, m, p, h.mallory, request_id=7)]
        for version in OLD:
            s = mcp.Session(h.gateway, h.mallory, version)
            ways.append(lambda m, p, s=s: s.post({"jsonrpc": "2.0", "id": 7, "method": m, "params": p}))
        for server in ("new", "old", "child"):
            for ask in ways:
                for arguments in ({}, {"path": "/srv", "size": 1}, {"path": 7}):
                    same(lambda n, a=arguments: ask("tools/call", {"name": n, "arguments": a}), f"{server}__write", f"{server}__wrote")
                same(lambda n: ask("prompts/get", {"name": n}), f"{server}__hidden", f"{server}__nobody")
                same(lambda n: ask("resources/read", {"uri": n}), f"{server}+note://secret/two", f"{server}+note://secret/six")
                for kind, key, names in (("ref/prompt", "name", ("hidden", "nobody")), ("ref/resource", "uri", ("note://secret/{id}", "note://nobody/{id}"))):
                    sign = "__" if key == "name" else "+"
                    same(lambda n, k=key, t=kind: ask("completion/complete", {"ref": {"type": t, k: n}, "argument": {"name": "id", "value": "a"}}),
                         server + sign + names[0], server + sign + names[1])
        for ask in ways[1:]:
            same(lambda n: ask("resources/subscribe", {"uri": n}), "new+note://secret/two", "new+note://secret/six")


def test_no_foreign_name_leads_here(binary):
    with House(binary) as h:
        head, body = mcp.modern_request("tools/list")
        port = h.gateway.port
        evil = ["evil.example.com", f"evil.example.com:{port}", "127.0.0.1.evil.example.com", "localhost.evil.example.com", f"0x7f000001.evil:{port}",
                "evil.example.com/127.0.0.1", "127.0.0.1@evil.example.com", ""]
        for name in evil:
            a = once(port, "POST", "/mcp", {**head, **mcp.bearer(h.alice), "Host": name}, body)
            assert a.status in (400, 403, 421) and b"echo" not in a.body, (name, a.status)
        for origin in ("null", "http://evil.example.com", f"http://evil.example.com:{port}", f"http://127.0.0.1:{port}.evil.example.com",
                       f"http://127.0.0.1@evil.example.com:{port}", f"http://localhost.evil.example.com:{port}"):
            for verb in ("POST", "GET", "DELETE", "OPTIONS"):
                a = once(port, verb, "/mcp", {**head, **mcp.bearer(h.alice), "Origin": origin}, body if verb == "POST" else b"")
                assert a.status == 403 and "access-control-allow-origin" not in a.headers, (verb, origin, a.status)


SERVED = ("an id", "a number as id", "an envelope")  # as long as the body is within its bound


def oversized():
    long = "x" * 60_000
    yield "a tool's name", mcp.modern_request("tools/call", {"name": long, "arguments": {}}, headers={"Mcp-Name": "x"})
    yield "an id", mcp.modern_request("tools/list", request_id=long)
    yield "a number as id", mcp.modern_request("tools/list", request_id=int("9" * 4000))
    yield "a cursor", mcp.modern_request("tools/list", {"cursor": long})
    yield "a URI", mcp.modern_request("resources/read", {"uri": "new+note://public/" + long}, headers={"Mcp-Name": "x"})
    yield "a method", mcp.modern_request(long, headers={"Mcp-Method": "x"})
    yield "a state", mcp.modern_request("tools/call", {"name": "new__echo", "arguments": {"text": "x"}, "requestState": long, "inputResponses": {}})
    yield "a session id", ({**mcp.modern_request("tools/list")[0], "Mcp-Session-Id": long}, json.dumps(LIST))
    yield "many headers", ({**mcp.modern_request("tools/list")[0], **{f"X-{i}": "x" for i in range(5000)}}, json.dumps(LIST))
    yield "an envelope", mcp.modern_request("tools/list", meta={f"io.example/{i}": i for i in range(20_000)})
    yield "many answers", mcp.modern_request("tools/call", {"name": "new__echo", "arguments": {"text": "x"}, "requestState": "x",
                                                            "inputResponses": {str(i): {} for i in range(20_000)}})
    yield "a batch", ({**mcp.modern_request("tools/list")[0], "MCP-Protocol-Version": "2025-03-26"}, json.dumps([LIST] * 5000))


def test_everything_has_a_bound(binary):
    with House(binary) as h:
        mcp.list_tools(h.gateway, h.alice)
        before = h.gateway.rss_kb()
        for what, (head, body) in oversized():
            a = once(h.gateway.port, "POST", "/mcp", {**head, **mcp.bearer(h.alice)}, body)
            assert len(a.body) < 100_000, (what, len(a.body))
            served = what in SERVED and "result" in a.message()
            assert served or a.status in (400, 404, 413, 431) or "error" in a.message(), (what, a.status, a.body[:200])
        for path in ("/mcp?" + "x" * 60_000, "/" + "x" * 60_000, "/mcp/" + "../" * 3000):
            assert once(h.gateway.port, "GET", path, mcp.bearer(h.alice)).status in (400, 404, 414, 431), path[:10]
        assert mcp.list_tools(h.gateway, h.alice), "it serves no more"
        assert h.gateway.rss_kb() - before < 64 * 1024, "it grew by much"


def test_a_storm_of_sessions_leaves_no_process_behind(binary):
    with House(binary) as h:
        def children():
            return len(h.gateway.children("stdio_server.py"))
        mcp.call(h.gateway, "child__echo", {"text": "x"}, h.alice)
        assert until(lambda: children() > 0), "no child of the gateway's own is to be seen"
        before, files = children(), h.gateway.open_files()
        for _ in range(30):
            s = mcp.Session(h.gateway, h.alice)
            s.open_request("tools/call", {"name": "child__echo", "arguments": {"text": "x"}}).close()
        assert mcp.Session(h.gateway, h.alice).request("tools/call", {"name": "child__echo", "arguments": {"text": "on"}}).status == 200
        assert children() <= before + 1, (before, children())
        assert until(lambda: h.gateway.open_files() <= files + 12), (files, h.gateway.open_files())

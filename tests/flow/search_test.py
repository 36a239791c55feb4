# SPDX-License-Identifier: Apache-2.0
"""An endpoint with `discovery: search`: two tools that reach all others, under the same rules."""
import json

from house import mcp, upstreams
from house.gateway import until
from house.household import Household
from house.http import once
from house.stream import listen

POLICY = """policy: v1
name: p
rules:
  - { id: most, permit: { tools: ["*/echo", "*/count", "*/slow"] } }
  - { id: write, permit: { tools: ["new/write"] }, args: { path: "this.startsWith('/tmp/')" } }
  - { id: secret, permit: { tools: ["new/secret"] }, when: "jwt.sub == 'alice'" }
  - { id: prompts, permit: { prompts: ["*"] } }
"""


class House(Household):
    def __init__(self, binary):
        self.new, self.old = upstreams.HttpFake("modern"), upstreams.HttpFake("legacy")
        config = upstreams.servers_yaml(self.new, self.old).replace(
            "  servers:", "    - { path: /find, public_url: \"https://gw.test/mcp\", discovery: search }\n  servers:", 1)
        super().__init__(binary, [self.new, self.old], config, POLICY)
        self.alice, self.bob = self.issuer.token("alice"), self.issuer.token("bob")

    def ask(self, method, params=None, token=None):
        head, body = mcp.modern_request(method, params)
        return once(self.gateway.port, "POST", "/find", {**head, **mcp.bearer(token or self.alice)}, body)

    def call(self, tool, arguments, token=None):
        return self.ask("tools/call", {"name": tool, "arguments": arguments}, token)

    def find(self, query, token=None, **more):
        result = self.call("search_tools", {"query": query, **more}, token).message()["result"]
        return json.loads(result["content"][0]["text"])["tools"]

    def names(self, query, token=None, **more):
        return [t["name"] for t in self.find(query, token, **more)]


def test_two_tools_are_listed_and_the_rest_is_found(binary):
    with House(binary) as h:
        listed = h.ask("tools/list").message()["result"]["tools"]
        assert [t["name"] for t in listed] == ["search_tools", "call_tool"]
        assert len(mcp.list_tools(h.gateway, h.alice)) > 5, "other endpoints list as ever"
        found = h.find("report progress")
        assert {t["name"] for t in found} == {"new__count", "old__count"}, found
        assert found[0]["inputSchema"]["type"] == "object" and found[0]["description"]
        assert h.names("takes its time", limit=1) == ["new__slow"]
        assert h.names("no such thing whatsoever zebra") == []


def test_what_may_not_be_listed_is_not_found(binary):
    with House(binary) as h:
        assert h.names("secret") == ["new__secret"]
        assert h.names("secret", h.bob) == []
        assert h.names("fails as a tool does crash error") == []
        a, b = h.call("call_tool", {"name": "new__secret"}, h.bob), h.call("call_tool", {"name": "new__secres"}, h.bob)
        assert a.message()["error"] == {"code": -32602, "message": "Unknown tool: new__secret"}
        assert a.status == b.status and a.message()["error"].keys() == b.message()["error"].keys()


def test_a_call_through_it_is_the_tools_own_call(binary):
    with House(binary) as h:
        h.gateway.forget_records()
        for tool in ("new__echo", "old__echo"):
            r = h.call("call_tool", {"name": tool, "arguments": {"text": "hi"}}).message()
            assert r["result"]["content"][0]["text"] == "hi", r
            record = h.gateway.record()
            assert record["tool"] == tool.replace("__", "/") and record["verdict"] == "permit" and record["rule"] == "most", record
        r = h.call("call_tool", {"name": "new__write", "arguments": {"path": "/etc/passwd"}}).message()
        assert r["result"]["isError"] and r["result"]["content"][0]["text"] == "denied by policy", r
        assert "result" in h.call("call_tool", {"name": "new__write", "arguments": {"path": "/tmp/x"}}).message()
        assert "result" in h.call("new__echo", {"text": "by its own name"}).message()


def test_a_client_of_the_old_era_can_search_too(binary):
    with House(binary) as h:
        head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **mcp.bearer(h.alice)}
        opened = once(h.gateway.port, "POST", "/find", head, json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}))
        head |= {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-06-18"}
        for name, args in (("search_tools", {"query": "say again"}), ("call_tool", {"name": "new__echo", "arguments": {"text": "hi"}})):
            r = once(h.gateway.port, "POST", "/find", head, json.dumps(
                {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": name, "arguments": args}})).message()
            assert "error" not in r and not r["result"].get("isError") and "resultType" not in r["result"], r


def test_a_list_of_two_is_never_another(binary):
    with House(binary) as h:
        streams = {path: listen(h.gateway, h.alice, path=path, toolsListChanged=True, promptsListChanged=True) for path in ("/mcp", "/find")}
        assert all(s.method() == "notifications/subscriptions/acknowledged" for s in streams.values())
        assert until(lambda: h.new.heard() > 0), "the gateway does not listen"
        h.new.control(tools=[{"name": "echo", "description": "other", "inputSchema": {"type": "object"}}], announce="tools")
        assert streams["/mcp"].method() == "notifications/tools/list_changed"
        h.new.control(prompts=["extra"], announce="prompts")
        m = streams["/find"].method()
        assert m == "notifications/prompts/list_changed", m


def test_nonsense_is_answered(binary):
    with House(binary) as h:
        assert h.call("search_tools", {"query": 7}).message()["result"]["isError"]
        assert h.call("search_tools", {}).message()["result"]["isError"]
        for arguments in ({}, {"name": 7}, {"name": "new__echo", "arguments": [1]}):
            assert h.call("call_tool", arguments).message()["error"]["code"] == -32602, arguments
        for name in ("call_tool", "search_tools"):
            r = h.call("call_tool", {"name": name, "arguments": {"query": "x"}}).message()
            assert r["error"]["message"] == f"Unknown tool: {name}", r
        assert len(h.names("say it again progress time " * 200, limit=-5)) == 1

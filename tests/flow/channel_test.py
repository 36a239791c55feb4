# SPDX-License-Identifier: Apache-2.0
"""Clients that speak HTTP+SSE (2024-11-05): a GET that brings everything, and a POST for each message."""
import json

from house import asking, mcp, upstreams
from house.gateway import until
from house.household import Household
from house.http import once
from house.stream import Stream

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { tools: ['*/*'], resources: ['*/*'], prompts: ['*/*'] }, when: jwt.sub != "eve" }
"""
CHANGED = "notifications/tools/list_changed"


class House(Household):
    def __init__(self, binary, program="http_server.py"):
        self.fake = upstreams.HttpFake("modern", program)
        config = upstreams.servers_yaml(self.fake)
        config = config.replace("  servers:", "    - { path: /sse, sse: true }\n    - { path: /plain }\n  servers:", 1)
        super().__init__(binary, [self.fake], config, POLICY)


class Client:
    def __init__(self, house, who, capabilities=None, initialize=True):
        self.port, self.token, self.told = house.gateway.port, house.issuer.token(who), []
        self.stream = Stream(self.port, "GET", {"Accept": "text/event-stream", **mcp.bearer(self.token)}, path="/sse")
        assert self.stream.status == 200, self.stream.status
        first = self.stream.event()
        assert first.fields["event"] == "endpoint", first.fields
        self.address = first.data
        if initialize:
            hello = self.request("initialize", {"protocolVersion": "2024-11-05", "capabilities": capabilities or {},
                                                "clientInfo": {"name": "t", "version": "1"}})
            assert hello["result"]["protocolVersion"] == "2024-11-05", hello
            self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def post(self, message, status=202, token=None, address=None):
        head = {"Content-Type": "application/json", **mcp.bearer(token or self.token)}
        a = once(self.port, "POST", address or self.address, head, json.dumps(message))
        assert a.status == status, (a.status, a.body)
        return a

    def request(self, method, params=None, answer=None):
        m = {"jsonrpc": "2.0", "id": next(mcp.ids), "method": method, "params": params or {}}
        self.post(m)
        while True:
            said = self.stream.message()
            assert said, f"no answer to {method}"
            if said.get("id") == m["id"]:
                return said
            if "id" in said:
                self.post({"jsonrpc": "2.0", "id": said["id"], "result": answer})
            else:
                self.told.append(said["method"])


def test_a_client_of_http_and_sse_is_served(binary):
    with House(binary) as h:
        alice = Client(h, "alice")
        assert "new__echo" in [t["name"] for t in alice.request("tools/list")["result"]["tools"]]
        said = alice.request("tools/call", {"name": "new__echo", "arguments": {"text": "x\u00e9"}})
        assert said["result"]["content"][0]["text"] == "x\u00e9", said
        big = alice.request("tools/call", {"name": "new__big", "arguments": {"bytes": 300000}})
        assert len(big["result"]["content"][0]["text"]) == 300000
        count = {"name": "new__count", "arguments": {"n": 3}, "_meta": {"progressToken": "p"}}
        assert "result" in alice.request("tools/call", count) and alice.told.count("notifications/progress") == 3, alice.told
        assert alice.request("nonsense")["error"]["code"] == -32601
        assert alice.request("ping")["result"] == {}
        assert until(lambda: h.fake.heard() > 0)
        eve = Client(h, "eve")
        assert eve.request("tools/list")["result"]["tools"] == []
        said = eve.request("tools/call", {"name": "new__echo", "arguments": {"text": "x"}})
        assert said["error"] == {"code": -32602, "message": "Unknown tool: new__echo"}, said

        def told():
            h.fake.control(extra=["extra"], announce="tools")
            return alice.stream.method(1) == CHANGED
        assert until(told, 20), "a change is not told"


def test_a_channel_is_its_callers(binary):
    with House(binary) as h:
        alice = Client(h, "alice")
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        alice.post(ping, 404, token=h.issuer.token("bob"))
        alice.post(ping, 404, address="/sse?channel=" + "0" * 32)
        alice.post([ping], 400)
        alice.post(ping, 401, token="nonsense")
        for address in ("/plain", "/sse"):
            alice.post(ping, 400, address=alice.address.replace("/sse", address).replace("channel", "x"))
        early = Client(h, "alice", initialize=False)
        early.post(ping, 400)
        assert Stream(h.gateway.port, "GET", {"Accept": "text/event-stream", **mcp.bearer(alice.token)}, path="/plain").status == 400
        address, token = alice.address, alice.token
        alice.stream.close()
        assert until(lambda: once(h.gateway.port, "POST", address, {"Content-Type": "application/json", **mcp.bearer(token)},
                                  json.dumps(ping)).status == 404), "a channel outlives its stream"


def test_a_client_of_http_and_sse_can_be_asked(binary):
    with House(binary, asking.SCRIPT) as h:
        alice = Client(h, "alice", {"roots": {}})
        said = alice.request("tools/call", {"name": "new__ask", "arguments": {"what": ["roots"]}}, asking.ANSWERS["roots/list"])
        assert json.loads(asking.said(said)) == [asking.ANSWERS["roots/list"]], said

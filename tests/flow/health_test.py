# SPDX-License-Identifier: Apache-2.0
"""Servers that fail: the breaker, bounds on calls and results, and what is never sent twice."""
import json
import sys
import threading
import time

from house import mcp, upstreams
from house.gateway import until
from house.household import Household
from house.http import once

sys.path.insert(0, upstreams.FAKES)
import tools as fake_tools  # noqa: E402

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: { tools: ['*/*'] } }\n"


class House(Household):
    """A gateway before a modern and a legacy server."""

    def __init__(self, binary, **more):
        self.new, self.old = upstreams.HttpFake("modern"), upstreams.HttpFake("legacy")
        config = upstreams.servers_yaml(self.new, self.old, timeout="3s", **more)
        super().__init__(binary, [self.new, self.old], config, POLICY)
        self.token = self.issuer.token("alice")
        assert until(lambda: {t.split("__")[0] for t in mcp.list_tools(self.gateway, self.token)} == {"new", "old"})

    def call(self, tool="new__echo", **args):
        return mcp.call(self.gateway, tool, args or {"text": "hi"}, self.token)

    def works(self, tool="new__echo"):
        return "result" in self.call(tool).message()

    def health(self, server="new"):
        return json.loads(once(self.gateway.admin, "GET", "/readyz", {}).body)["servers"][server]

    def metrics(self):
        return once(self.gateway.admin, "GET", "/metrics", {}).body.decode()

    def calls_seen(self, fake):
        return sum(x["body"]["method"] == "tools/call" for x in fake.seen())


def test_a_dead_server_is_left_alone_and_tried_again(binary):
    with House(binary) as h:
        assert h.health() == {"answers": True, "breaker": "closed", "calls": 0}
        h.new.kill()
        for _ in range(8):
            r = h.call()
            assert r.message()["error"] == {"code": -32603, "message": "the upstream failed"}
        assert h.health()["breaker"] in ("open", "trial") and not h.health()["answers"]
        assert h.health("old")["breaker"] == "closed" and h.works("old__echo")
        assert 'sallyport_upstream_down{server="new"} 1' in h.metrics()
        assert 'sallyport_breaker_opened_total{server="new"} 1' in h.metrics()
        assert "upstream is left alone for a while" in h.gateway.log_text()
        assert once(h.gateway.admin, "GET", "/readyz", {}).status == 200
        h.new.start()
        assert until(h.works, 40), "it was never tried again"
        assert h.health() == {"answers": True, "breaker": "closed", "calls": 0}
        assert 'sallyport_upstream_down{server="new"} 0' in h.metrics()


def test_an_open_breaker_fails_calls_at_once(binary):
    with House(binary) as h:
        h.new.control(hang=True)
        threads = [threading.Thread(target=h.call) for _ in range(6)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        took = []
        for _ in range(3):  # one of them may be the trial
            began = time.time()
            assert "error" in h.call().message()
            took.append(time.time() - began)
        assert min(took) < 1, took
        h.new.control(hang=False)
        assert until(h.works, 40)


def test_a_tool_that_fails_does_not_shut_its_server(binary):
    with House(binary) as h:
        for tool in ("new__error", "old__error", "new__fail"):
            for _ in range(8):
                h.call(tool)
        assert h.health()["breaker"] == "closed" and h.health("old")["breaker"] == "closed"


def test_calls_over_the_bound_are_told_to_come_again(binary):
    with House(binary, limits="{ concurrent: 2 }") as h:
        slow = [threading.Thread(target=h.call, args=("new__slow",), kwargs={"ms": 1500}) for _ in range(2)]
        [t.start() for t in slow]
        assert until(lambda: h.health()["calls"] == 2)
        r = h.call()
        assert r.status == 429 and r.headers["retry-after"] == "1", (r.status, r.headers)
        assert r.message()["error"] == {"code": 429, "message": "the upstream has too many calls under way",
                                        "data": {"retryAfterMs": 1000}}
        assert h.works("old__echo"), "the bound is each server's own"
        assert 'sallyport_limited_total{limit="server_calls"} 1' in h.metrics()
        [t.join() for t in slow]
        assert h.works() and h.health()["calls"] == 0


def test_what_is_too_large_is_not_believed(binary):
    with House(binary, limits="{ result: 2000, description: 100 }", list_ttl="100ms") as h:
        r = h.call("new__big", bytes=5000).message()
        assert r["error"] == {"code": -32603, "message": "the upstream failed"}, r
        assert "result" in h.call("new__big", bytes=100).message()
        h.old.control(tools=[{**fake_tools.DEFINITIONS[0], "description": "x" * 101}, *fake_tools.DEFINITIONS[1:]])
        assert until(lambda: "old__echo" not in mcp.list_tools(h.gateway, h.token))
        assert "its description is over the limit" in h.gateway.log_text()


def test_a_call_is_sent_twice_only_where_that_is_allowed(binary):
    with House(binary) as h:
        assert h.works()
        before = h.calls_seen(h.new)
        h.new.control(drop=1)
        assert "error" in h.call().message()
        assert h.calls_seen(h.new) == before + 1, "a call was repeated"
    with House(binary, trusted="true") as h:
        assert h.works()
        # a connection of each worker may have to be kept first
        for tool, may in (("new__echo", True), ("new__write", False)):
            for _ in range(8):
                h.call(tool)
            h.new.control(drop=1)
            r = h.call(tool).message()
            assert ("result" in r) == may, (tool, r)
            h.new.control(drop=0)


def test_a_schema_that_changed_unseen_costs_no_call(binary):
    with House(binary) as h:
        schema = {"type": "object", "properties": {"text": {"type": "string", "x-mcp-header": "Text"}}}
        changed = [{**t, **({"inputSchema": schema} if t["name"] == "echo" else {})} for t in fake_tools.DEFINITIONS]
        h.new.control(tools=changed, demands="mcp-param-text")
        old = mcp.Session(h.gateway, h.token)
        said = old.request("tools/call", {"name": "new__echo", "arguments": {"text": "hi"}}).message()
        assert said["result"]["content"][0]["text"] == "hi", said
        assert h.calls_seen(h.new) == 2, "refused once, then with the header"
        again = mcp.call(h.gateway, "new__echo", {"text": "hi"}, h.token)
        assert again.status == 400 and again.json()["error"]["code"] == -32020, "new clients are held to what is published"
        h.new.control(demands="mcp-param-other")
        said = old.request("tools/call", {"name": "new__echo", "arguments": {"text": "hi"}}).message()
        assert said["error"]["code"] == -32603 and h.calls_seen(h.new) == 4, (said, h.calls_seen(h.new))
        h.new.control(tools=[t for t in changed if t["name"] != "echo"])
        said = old.request("tools/call", {"name": "new__echo", "arguments": {"text": "hi"}}).message()
        assert said["error"]["message"] == "Unknown tool: new__echo" and h.calls_seen(h.new) == 5, said

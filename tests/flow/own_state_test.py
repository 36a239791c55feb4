# SPDX-License-Identifier: Apache-2.0
"""Servers that are another for each who calls: their lists, their changes and their log."""
import json

from house import mcp, upstreams
from house.gateway import until
from house.household import Household
from house.stream import Stream, listen

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { tools: ['*/*'], resources: ['*/*'] } }
"""
CHANGED, UPDATED, LOGGED = (f"notifications/{m}" for m in ("tools/list_changed", "resources/updated", "message"))
FORM = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}


def messages(answer):
    streamed = answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(data) for _, data in answer.events() if data] if streamed else [answer.message()]


class House(Household):
    def __init__(self, binary, era="legacy", **spec):
        self.fake = upstreams.HttpFake(era, "own_server.py")
        config = upstreams.servers_yaml(**{era: self.fake}, **spec)
        super().__init__(binary, [self.fake], config, POLICY)
        self.server = "old" if era == "legacy" else "new"

    def tools(self, who, **more):
        answer = mcp.modern(self.gateway, "tools/list", token=self.issuer.token(who), **more).message()
        return {t["name"].split("__")[1] for t in answer["result"]["tools"]}

    def call(self, who, tool, **more):
        return mcp.call(self.gateway, f"{self.server}__{tool}", {}, self.issuer.token(who), **more)

    def listen(self, who, **wishes):
        s = listen(self.gateway, self.issuer.token(who), **wishes)
        assert s.method() == "notifications/subscriptions/acknowledged"
        return s


def test_what_changes_in_the_session_of_a_call_is_its_callers(binary):
    with House(binary) as h:
        h.call("alice", "log")  # now there is a session
        alice = h.listen("alice", toolsListChanged=True, resourceSubscriptions=["old+note://own"])
        bob = h.listen("bob", toolsListChanged=True, resourceSubscriptions=["old+note://own"])
        before = h.tools("alice")
        h.call("alice", "flip")
        assert alice.method() == CHANGED
        assert h.tools("alice") == before | {"extra"} and h.tools("bob") == before
        assert "result" in h.call("alice", "extra").message() and "error" in h.call("bob", "extra").message()
        h.call("alice", "touch")
        assert alice.method() == UPDATED
        h.call("alice", "flip")
        assert alice.method() == CHANGED and h.tools("alice") == before
        assert bob.event(0.3) is None


def test_a_caller_who_listens_first_hears_of_his_first_call(binary):
    with House(binary) as h:
        client = mcp.Session(h.gateway, h.issuer.token("alice"))
        head = client.headers()
        s = Stream(h.gateway.port, "GET", {k: v for k, v in head.items() if k != "Content-Type"})
        assert s.event().data == ""  # the first is there for its id
        client.request("tools/list")
        assert until(lambda: h.fake.seen().get("GET") == 1), "the gateway does not listen"
        client.request("resources/subscribe", {"uri": "old+note://own"})
        client.request("tools/call", {"name": "old__touch", "arguments": {}})
        assert s.method() == UPDATED
        client.request("tools/call", {"name": "old__flip", "arguments": {}})
        assert s.method() == CHANGED
        names = [t["name"] for t in client.request("tools/list").message()["result"]["tools"]]
        assert "old__extra" in names, names


def test_what_a_server_logs_apart_is_heard_by_who_asked(binary):
    with House(binary) as h:
        h.tools("alice")
        asked = messages(h.call("alice", "log", meta={"io.modelcontextprotocol/logLevel": "debug"}))
        assert [m.get("method") for m in asked] == [LOGGED, None] and asked[0]["params"]["data"] == "said apart", asked
        plain = messages(h.call("alice", "log"))
        assert len(plain) == 1 and "result" in plain[0], plain
        client = mcp.Session(h.gateway, h.issuer.token("bob"))
        client.request("logging/setLevel", {"level": "info"})
        asked = messages(client.request("tools/call", {"name": "old__log", "arguments": {}}))
        assert [m.get("method") for m in asked] == [LOGGED, None], asked


def check_capabilities(binary, era):
    with House(binary, era, lists="capabilities") as h:
        assert "asker" in h.tools("alice", meta=FORM) and "asker" in h.tools("bob", meta=FORM)
        assert "asker" not in h.tools("alice") and "error" in h.call("alice", "asker").message()
        assert "result" in h.call("alice", "asker", meta=FORM).message()
        assert h.fake.seen()["tools/list"] == 2, h.fake.seen()


def test_lists_for_each_set_of_capabilities(binary):
    check_capabilities(binary, "legacy")
    check_capabilities(binary, "modern")


def test_lists_for_each_caller(binary):
    for era in ("legacy", "modern"):
        with House(binary, era, lists="caller", auth="{ passthrough: true }") as h:
            for who, other in (("alice", "bob"), ("bob", "alice"), ("alice", "bob")):
                names = h.tools(who)
                assert f"for_{who}" in names and f"for_{other}" not in names, (era, who, names)
            assert "result" in h.call("bob", "for_bob").message() and "error" in h.call("bob", "for_alice").message()
            assert h.fake.seen()["tools/list"] == 2, h.fake.seen()

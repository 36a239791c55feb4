# SPDX-License-Identifier: Apache-2.0
"""Servers that speak HTTP+SSE (2024-11-05), for clients of both eras."""
import json

from house import asking, mcp, upstreams
from house.gateway import until
from house.household import Household

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { tools: ['*/*'], resources: ['*/*'], prompts: ['*/*'] } }
"""


class House(Household):
    def __init__(self, binary, program="stdio_server.py", **spec):
        self.fake = upstreams.HttpFake(program, "sse_server.py")
        config = upstreams.servers_yaml(None, self.fake, transport="sse", **spec)
        super().__init__(binary, [self.fake], config, POLICY)

    def call(self, tool, args=None, **more):
        return mcp.call(self.gateway, f"old__{tool}", args or {}, self.issuer.token("alice"), **more).message()


def test_a_server_over_http_and_sse_serves_clients_of_both_eras(binary):
    with House(binary, auth="{ bearer: of-the-server }") as h:
        said = h.call("echo", {"text": "x\u00e9"})
        assert said["result"]["content"][0]["text"] == "x\u00e9" and said["result"]["resultType"] == "complete", said
        assert "old__echo" in mcp.list_tools(h.gateway, h.issuer.token("alice"))
        old = mcp.Session(h.gateway, h.issuer.token("bob"))
        assert old.request("prompts/list").message()["result"]["prompts"]
        streamed = old.request("tools/call", {"name": "old__count", "arguments": {"n": 3}, "_meta": {"progressToken": "p"}})
        assert "notifications/progress" in streamed.body.decode() and "result" in streamed.message(), streamed.body
        assert {a for _, a in h.fake.seen()} == {"Bearer of-the-server"}, h.fake.seen()
        h.fake.control(cut=True)
        assert until(lambda: "result" in h.call("echo", {"text": "again"})), "it is not asked again"
        h.fake.control(refuse=True)
        said = h.call("echo", {"text": "no"})
        assert said["error"]["code"] == -32603 and "404" not in json.dumps(said), said


def test_tokens_are_got_for_streams_as_for_requests(binary):
    as_ = upstreams.HttpFake("t1", "auth_server.py")
    own = f"{{ oauth_client: {{ token_url: 'http://127.0.0.1:{as_.port}/token', client_id: gw, client_secret: s }} }}"
    with House(binary, auth=own) as h:
        h.fakes.append(as_)
        assert h.call("echo", {"text": "x"})["result"]["content"][0]["text"] == "x"
        assert {a for _, a in h.fake.seen()} == {"Bearer t1-access-1"}, h.fake.seen()
        h.fake.control(unwelcome=["Bearer t1-access-1"], cut=True)
        assert until(lambda: "result" in h.call("echo", {"text": "again"}), 20), h.gateway.log_text()
        assert h.fake.seen()[-1][1] == "Bearer t1-access-2", h.fake.seen()
    with House(binary, auth="{ passthrough: true }", lists="caller") as h:
        assert h.call("echo", {"text": "x"})["result"]["content"][0]["text"] == "x"
        token = f"Bearer {h.issuer.token('alice')}"
        assert ["POST", token] in h.fake.seen() and ["GET", token] in h.fake.seen(), h.fake.seen()
        mcp.call(h.gateway, "old__echo", {"text": "y"}, h.issuer.token("bob")).message()
        assert {a for _, a in h.fake.seen()} <= {None, token, f"Bearer {h.issuer.token('bob')}"}, h.fake.seen()


def test_a_server_over_http_and_sse_may_ask(binary):
    with House(binary, asking.SCRIPT) as h:
        for client in (asking.OldClient(h.gateway, h.issuer.token("alice"), "2025-06-18", asking.CAN),
                       asking.OldClient(h.gateway, h.issuer.token("bob"), "2025-11-25", asking.CAN)):
            asked, m = client.call("old__ask", what=["form", "sampling"]).finish()
            assert len(asked) == 2 and len(json.loads(asking.said(m))) == 2, m
        asked, m = asking.NewClient(h.gateway, h.issuer.token("eve"), asking.CAN).finish("old__ask", {"what": ["form"]})
        assert len(asked) == 1 and json.loads(asking.said(m)) == [asking.ANSWERS["elicitation/create"]], m


def test_messages_go_to_the_servers_own_origin_alone(binary):
    with House(binary) as h:
        h.fake.control(endpoint="http://127.0.0.1:1/messages?of=")
        assert h.call("echo", {"text": "x"})["error"]["code"] in (-32602, -32603)
        assert not [m for m, _ in h.fake.seen() if m == "POST"]
        h.fake.control(endpoint=f"http://127.0.0.1:{h.fake.port}/messages?of=")
        assert until(lambda: "result" in h.call("echo", {"text": "x"}), 20), "its own origin is not taken"

# SPDX-License-Identifier: Apache-2.0
"""limits.streams_per_caller: how many answers one caller may have streamed at the same time."""
import json

from house import mcp, upstreams
from house.gateway import until
from house.household import Household
from house.http import Connection

POLICY = "policy: v1\nname: p\nrules:\n  - { id: all, permit: { tools: ['*/*'], models: ['*'] } }\n"


class House(Household):
    """A gateway where one caller may have three streams, over two workers, and a model that talks slowly."""

    def __init__(self, binary):
        fake = upstreams.HttpFake("modern")
        extra = upstreams.servers_yaml(fake) + upstreams.models_yaml(fake)
        super().__init__(binary, [fake], extra + "limits: { streams_per_caller: 3 }\n", POLICY)

    def ask(self, who, **more):
        body = {"model": "gpt-small", "stream": True, "n_chunks": 400, "pace_ms": 25,
                "messages": [{"role": "user", "content": "talk"}], **more}
        c = Connection(self.gateway.port)
        c.request("POST", "/v1/chat/completions", mcp.bearer(self.issuer.token(who)), json.dumps(body))
        return c

    def opened(self, who):
        """A stream that has begun; its connection."""
        c = self.ask(who)
        status, headers = c.head()
        assert status == 200 and headers["content-type"].startswith("text/event-stream"), (status, headers)
        assert c.chunk()
        return c

    def refused(self, who):
        return self.ask(who).answer()

    def short(self, who):
        """Is a stream of this caller's let through, and ends well?"""
        answer = self.ask(who, n_chunks=2, pace_ms=0).answer()
        return answer.status == 200 and b"[DONE]" in answer.body


def test_one_stream_too_many_is_429_and_only_for_that_caller(binary):
    with House(binary) as h:
        open_ones = [h.opened("alice") for _ in range(3)]
        answer = h.refused("alice")
        assert answer.status == 429 and answer.headers["retry-after"] == "1", (answer.status, answer.headers)
        assert answer.json()["error"]["type"] == "rate_limit_error", answer.body
        assert "3 streams" in answer.json()["error"]["message"], answer.body
        assert h.short("bob"), "another caller is held to it too"
        whole = h.ask("alice", stream=False).answer()
        assert whole.status == 200, "an answer that is no stream is held to it too"
        for c in open_ones:
            c.close()


def test_a_stream_that_ends_makes_room_however_it_ends(binary):
    with House(binary) as h:
        for _ in range(4):  # ends well
            assert h.short("alice")
        open_ones = [h.opened("alice") for _ in range(3)]
        assert h.refused("alice").status == 429
        open_ones.pop().close()  # the client leaves
        assert until(lambda: h.short("alice")), "no room after a client left"
        for _ in range(4):  # the provider breaks off
            h.ask("alice", messages=[{"role": "user", "content": "CUT"}]).more()
        assert until(lambda: h.short("alice")), "no room after broken streams"
        for c in open_ones:
            c.close()
        assert until(lambda: all([h.short("alice") for _ in range(3)]))


def test_a_call_over_the_limit_is_answered_whole(binary):
    with House(binary) as h:
        token = h.issuer.token("alice")

        def slow():
            return mcp.call(h.gateway, "new__count", {"n": 3}, token, meta={"progressToken": "t"})
        assert slow().headers["content-type"].startswith("text/event-stream")
        open_ones = [h.opened("alice") for _ in range(3)]
        h.gateway.forget_records()
        answer = slow()
        assert answer.status == 200 and answer.headers["content-type"].startswith("application/json"), answer.headers
        assert answer.json()["result"]["content"], answer.body
        assert h.gateway.record()["limited"] == "streams_per_caller"
        for c in open_ones:
            c.close()


def test_the_limit_follows_a_reload(binary):
    with House(binary) as h:
        open_ones = [h.opened("alice") for _ in range(3)]
        assert h.refused("alice").status == 429
        path = h.gateway.dir + "/sallyport.yaml"
        with open(path) as f:
            text = f.read()
        h.gateway.write("sallyport.yaml", text.replace("streams_per_caller: 3", "streams_per_caller: 4"))
        assert until(lambda: h.short("alice")), "the larger limit is not in force"
        for c in open_ones:
            c.close()

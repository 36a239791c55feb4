# SPDX-License-Identifier: Apache-2.0
"""Answers of the Responses API that the gateway keeps where the provider keeps none."""
import json
import os
import sys

from house.gateway import until
from house.household import Household
from house.http import Connection

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from provider import Answer, Provider, stream  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"], endpoints: ["*"] } }
"""
CONFIG = """llm:
  responses: {{ keep: {keep}, size: 64KiB }}
  backends:
    claude: {{ schema: anthropic, prefix: v1, url: "http://127.0.0.1:{claude}" }}
    openai: {{ schema: openai, url: "http://127.0.0.1:{openai}" }}
  routes:
    - {{ name: c, models: [claude], to: [{{ backend: claude }}] }}
    - {{ name: o, models: [gpt], to: [{{ backend: openai }}] }}
store: "sqlite:kept.db"
"""
PATH = "/v1/responses"


def reply(n, *content):
    return {"id": f"msg_{n}", "type": "message", "role": "assistant", "model": "m", "content": list(content),
            "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 2}}


def text(what):
    return {"type": "text", "text": what}


def streamed(n, what):
    events = [{"type": "message_start", "message": {**reply(n), "stop_reason": None}},
              {"type": "content_block_start", "index": 0, "content_block": text("")},
              {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": what}},
              {"type": "content_block_stop", "index": 0},
              {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
              {"type": "message_stop"}]
    return stream(*[f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events])


class House(Household):
    def __init__(self, binary, keep="1h", anonymous=False):
        self.claude, self.openai = Provider(), Provider()
        super().__init__(binary, [self.claude, self.openai],
                         CONFIG.format(keep=keep, claude=self.claude.port, openai=self.openai.port), POLICY)

    def ask(self, method, path, body=None, who="alice"):
        c = Connection(self.gateway.port)
        c.request(method, path, {"Authorization": f"Bearer {self.issuer.token(who)}", "Content-Type": "application/json"},
                  json.dumps(body) if body else "")
        return c.answer()

    def say(self, what, who="alice", **more):
        return self.ask("POST", PATH, {"model": "claude", "input": what, **more}, who)


def test_a_conversation_goes_on_from_what_the_gateway_kept(binary):
    with House(binary) as h:
        thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
        h.claude.will(Answer(json.dumps(reply(1, thought, text("one")))), Answer(json.dumps(reply(2, text("two")))), streamed(3, "three"))
        first = h.say("a", instructions="be brief").json()
        assert first["store"] is True and first["previous_response_id"] is None, first
        second = h.say([{"role": "user", "content": "b"}], previous_response_id=first["id"]).json()
        assert second["previous_response_id"] == first["id"], second
        asked = h.claude.body(1)
        assert "system" not in asked, "instructions are of one request"
        assert [m["role"] for m in asked["messages"]] == ["user", "assistant", "user"], asked
        assert asked["messages"][1]["content"] == [thought, text("one")], asked
        a = h.say("c", previous_response_id=second["id"], stream=True)
        third = json.loads(a.events()[-1][1])["response"]
        assert third["store"] is True and len(h.claude.body(2)["messages"]) == 5, h.claude.body(2)
        h.claude.will(Answer(json.dumps(reply(4, text("four")))))
        assert h.say("d", previous_response_id=third["id"]).status == 200
        said = [m["content"][0]["text"] for m in h.claude.body()["messages"] if m["content"][0]["type"] == "text"]
        assert said == ["a", "b", "two", "c", "three", "d"], said
        assert h.ask("GET", f"{PATH}/{second['id']}").json() == second
        input_items_are_listed_in_pages(h, third["id"])
        a = h.ask("GET", f"{PATH}/{second['id']}?stream=true")
        assert a.status == 400 and "complete" in a.json()["error"]["message"], a.body
        h.claude.will(Answer(json.dumps(reply(5, text("x" * 30000)))), Answer(json.dumps(reply(6, text("six")))))
        long = h.say("e").json()
        assert h.ask("GET", f"{PATH}/{long['id']}").json() == long
        assert h.say("f", previous_response_id=long["id"]).status == 200


def input_items_are_listed_in_pages(h, kept):
    """Of an answer whose conversation is: a, [thought, one], b, two, c."""
    at = f"{PATH}/{kept}/input_items"
    whole = h.ask("GET", at + "?order=asc").json()
    assert whole["object"] == "list" and whole["has_more"] is False, whole
    assert [i["type"] for i in whole["data"]] == ["message", "reasoning", "message", "message", "message", "message"], whole
    assert whole["data"][0] == {"id": "item_0", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}
    assert [i["content"][0]["text"] for i in whole["data"] if i["type"] == "message"] == ["a", "one", "b", "two", "c"], whole
    newest = h.ask("GET", at).json()
    assert newest["data"] == whole["data"][::-1] and newest["first_id"] == whole["last_id"], newest
    pages, after = [], ""
    while True:
        page = h.ask("GET", f"{at}?limit=4&order=asc{after}").json()
        pages += page["data"]
        after = f"&after={page['last_id']}"
        if not page["has_more"]:
            break
    assert pages == whole["data"], pages
    for wrong in ("limit=0", "limit=101", "limit=x", "order=up", "after=nobody"):
        a = h.ask("GET", f"{at}?{wrong}")
        assert a.status == 400 and wrong.split("=")[0] in a.json()["error"]["message"], (wrong, a.body)
    for path in (f"{at}/x", f"{PATH}/{kept}/other", f"{PATH}/resp_none/input_items"):
        assert h.ask("GET", path).status == 404, path
    assert h.ask("GET", at, who="bob").status == 404 and h.ask("DELETE", at).status == 404


def test_what_is_kept_is_its_callers_alone(binary):
    with House(binary) as h:
        h.claude.will(Answer(json.dumps(reply(1, text("one")))), Answer(json.dumps(reply(2, text("two")))))
        kept = h.say("a").json()
        passing = h.say("a", store=False).json()
        assert passing["store"] is False and h.ask("GET", f"{PATH}/{passing['id']}").status == 404
        for method in ("GET", "DELETE"):
            a = h.ask(method, f"{PATH}/{kept['id']}", who="bob")
            assert a.status == 404 and a.json()["error"]["message"], a.body
        a = h.say("b", who="bob", previous_response_id=kept["id"])
        assert a.status == 400 and "previous_response_id" in a.json()["error"]["message"], a.body
        a = h.ask("DELETE", f"{PATH}/{kept['id']}")
        assert a.json() == {"id": kept["id"], "object": "response", "deleted": True}, a.body
        assert h.ask("GET", f"{PATH}/{kept['id']}").status == 404 and h.ask("DELETE", f"{PATH}/{kept['id']}").status == 404
        assert h.say("c", previous_response_id=kept["id"]).status == 400
        a = h.ask("POST", f"{PATH}/{kept['id']}", {"x": 1})
        assert a.status == 405 and a.headers["allow"] == "GET, DELETE", a.headers


def test_what_is_too_long_or_too_old_is_not_kept(binary):
    with House(binary, keep="2s") as h:
        h.claude.will(Answer(json.dumps(reply(1, text("x" * 70000)))), Answer(json.dumps(reply(2, text("short")))))
        long, short = h.say("a").json(), h.say("a").json()
        assert h.ask("GET", f"{PATH}/{long['id']}").status == 404
        assert "a response was not kept" in h.gateway.log_text()
        assert until(lambda: h.ask("GET", f"{PATH}/{short['id']}").status == 404), "it outlives its time"


def test_openai_goes_on_by_itself(binary):
    with House(binary) as h:
        h.openai.will(Answer('{"id":"resp_o","object":"response","status":"completed","output":[]}'))
        a = h.ask("POST", PATH, {"model": "gpt", "input": "a", "previous_response_id": "resp_theirs"})
        assert a.status == 200 and h.openai.body()["previous_response_id"] == "resp_theirs"
        h.claude.will(Answer(json.dumps(reply(1, text("one")))))
        ours = h.say("a").json()
        h.openai.will(Answer('{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}'))
        a = h.ask("POST", PATH, {"model": "gpt", "input": "b", "previous_response_id": ours["id"]})
        assert a.status == 200 and [m["role"] for m in h.openai.body()["messages"]] == ["user", "assistant", "user"], a.body
        assert h.ask("GET", f"{PATH}/{a.json()['id']}").json()["previous_response_id"] == ours["id"]

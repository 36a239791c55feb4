# SPDX-License-Identifier: Apache-2.0
"""Which backend answers: by what the request is, and by how the backends are."""
import json
import os
import socket
import sys
import time

from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider, stream  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"] } }
"""


def chat(name):
    return Answer(json.dumps({"id": "c", "object": "chat.completion", "model": name, "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}))


class House(Household):
    """Backends a, b and c, each of which answers with its own name."""

    def __init__(self, binary, routes, backends=None, **more):
        self.by = {name: Provider() for name in "abc"}
        lines = "".join('    %s: { schema: openai, url: "http://127.0.0.1:%d"%s }\n'
                        % (name, p.port, (backends or {}).get(name, "")) for name, p in self.by.items())
        super().__init__(binary, list(self.by.values()), f"llm:\n  backends:\n{lines}  routes:\n{routes}", POLICY,
                         **more)
        self.rest()

    def rest(self):
        for name, p in self.by.items():
            p.will(*[chat(name)] * 200)

    def ask(self, model="m", headers=None, as_="alice", claims=None, **more):
        c = Connection(self.gateway.port)
        head = {"Authorization": f"Bearer {self.issuer.token(as_, **(claims or {}))}", **(headers or {})}
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        c.request("POST", "/v1/chat/completions", {"Content-Type": "application/json", **head}, json.dumps(body))
        return c.answer()

    def who(self, *args, **more):
        a = self.ask(*args, **more)
        return a.json()["model"] if a.status == 200 else a.status

    def until(self, holds, seconds=20):
        end = time.time() + seconds
        while not holds():
            assert time.time() < end, "it never came to that"
            time.sleep(0.1)

    def models(self, as_):
        c = Connection(self.gateway.port)
        c.request("GET", "/v1/models", {"Authorization": f"Bearer {self.issuer.token(as_)}"}, "")
        return [m["id"] for m in c.answer().json()["data"]]


CHOSEN = """    - { name: blue, models: [m, hidden], match_headers: { x-team: "blue*" }, to: [b] }
    - { name: bob, models: [m, bobs], when: 'jwt.sub == "bob" && llm.params.n == 1', to: [c] }
    - { name: rest, models: [m], to: [a] }
"""


def test_headers_and_conditions_choose_the_route(binary):
    with House(binary, CHOSEN) as h:
        assert h.who() == "a"
        assert h.who(headers={"X-Team": "blue-1"}) == "b"
        assert h.who(headers={"X-Team": "red"}) == "a"
        assert h.who(as_="bob", n=1) == "c"
        assert h.who(as_="bob") == "a"  # `n` is missing: the condition errs, and does not hold
        assert h.who("hidden") == 404
        assert h.models("alice") == ["m", "hidden"]  # some call of hers can have it
        assert h.models("bob") == ["m", "hidden", "bobs"]


def down(n):
    return [Answer("{}", status=503)] * n


LEFT_ALONE = """    - { name: r, models: [m], to: [{ backend: a }, { backend: b, priority: 1 }] }
    - { name: half, models: [half], eject_most: 50, to: [{ backend: b, model: x }, { backend: c, model: x }] }
"""
SOON = ", breaker: { failures: 3, pause: 2s }"


def test_who_fails_is_left_alone_and_tried_by_one_request(binary):
    with House(binary, LEFT_ALONE, {"a": SOON, "b": SOON, "c": SOON}) as h:
        h.by["a"].will(*down(3), chat("a"), chat("a"))
        assert [h.who() for _ in range(6)] == ["b"] * 6
        assert len(h.by["a"].asked) == 3, len(h.by["a"].asked)
        h.until(lambda: h.who() == "a")
        assert h.who() == "a"
        # all fail: nobody but they could be asked, the one that is well again first
        h.by["a"].will(*down(3), chat("a"))
        h.by["b"].will(*down(3))
        assert [h.who() for _ in range(4)] == [503, 503, 503, "a"]
        log = h.gateway.log_text()
        assert "backend is left alone for a while" in log, log


def test_no_more_are_left_out_than_the_route_allows(binary):
    with House(binary, LEFT_ALONE, {"b": SOON, "c": SOON}) as h:
        h.by["b"].will(*down(9))
        h.by["c"].will(*down(9))
        for _ in range(6):
            h.ask("half")
        assert len(h.by["b"].asked) > 3 and len(h.by["c"].asked) > 3


LIMITS = """    - { name: r, models: [m], to: [a, { backend: b, priority: 1 }] }
    - { name: one, models: [one], to: [c, b] }
    - { name: alone, models: [alone], to: [c] }
    - { name: again, models: [again], retry: { attempts: 3, back_off: 10ms }, to: [c, { backend: b, priority: 1 }] }
"""


def test_who_is_full_is_left_out_before_it_refuses(binary):
    limits = {"a": ", limits: { requests: { limit: 2, window: 3s } }",
              "b": ", limits: { requests: { limit: 3, window: 1h }, models: { one: { requests: { limit: 1 } } } }"}
    with House(binary, LIMITS, limits) as h:
        assert [h.who() for _ in range(4)] == ["a", "a", "b", "b"]
        h.until(lambda: h.who() == "a")  # its window is over
        answers = [h.ask() for _ in range(4)]
        full = [a for a in answers if a.status == 429]
        assert full and {a.status for a in answers} <= {200, 429}, [a.status for a in answers]
        assert 1 <= int(full[0].headers["retry-after"]) <= 3, full[0].headers  # a's window, not b's
        assert full[0].json()["error"]["type"] == "rate_limit_error", full[0].body
        assert len(h.by["b"].asked) <= 3
        # the other failed, and no room is no reason not to ask it again
        h.by["c"].will(*down(2), chat("c"))
        assert h.who("again") == "c" and len(h.by["c"].asked) == 3, len(h.by["c"].asked)
        assert any(r.get("limited") == "backend_limits" for r in [h.gateway.record() for _ in range(10)])


def test_what_a_provider_says_of_its_limits_is_heeded(binary):
    with House(binary, LIMITS) as h:
        said = {"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "30s"}
        h.by["a"].will(Answer(chat("a").pieces[0], **said))
        assert [h.who() for _ in range(3)] == ["a", "b", "b"]
        # all have refused: the soonest says when to come again
        h.by["c"].will(Answer("{}", status=429, retry_after="50"))
        h.by["b"].will(Answer("{}", status=429, retry_after="20"))
        a = h.ask("one")
        assert a.status == 429 and 15 <= int(a.headers["retry-after"]) <= 20, (a.status, a.headers)
        assert h.ask("one").status == 429  # and nobody is asked meanwhile
        assert len(h.by["b"].asked) == 1 and len(h.by["c"].asked) == 1
        # who is the only one is asked each time, and says it itself
        h.by["c"].will(Answer("{}", status=429, retry_after="40"), chat("c"))
        first = h.ask("alone")
        assert (first.status, first.headers["retry-after"]) == (429, "40") and h.who("alone") == "c", first.headers


STICKY = """    - { name: r, models: [m], sticky: [header:x-session, prompt_cache_key, caller], to: [a, b, c] }
"""


def test_a_key_stays_at_its_backend(binary):
    with House(binary, STICKY, {"a": SOON, "b": SOON, "c": SOON}) as h:
        by = {k: {h.who(headers={"x-session": k}) for _ in range(2)} for k in "0123456789ab"}
        assert all(len(names) == 1 for names in by.values()), by
        assert len(set.union(*by.values())) == 3, by
        assert len({h.who(prompt_cache_key="k") for _ in range(3)}) == 1
        mine = {h.who() for _ in range(3)}
        assert len(mine) == 1
        gone = mine.pop()
        h.by[gone].will(*down(3))
        others = {h.who() for _ in range(5)}
        assert len(others) == 1 and gone not in others, others  # all of them the same other one


HEDGED = """    - { name: r, models: [m], hedge: { after: 300ms }, to: [a, { backend: b, priority: 1 }] }
"""


def piece(content=None, **more):
    delta = {"content": content} if content else {}
    choices = [{"index": 0, "delta": delta, "finish_reason": more.pop("stop", None)}]
    return "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more},
                                 separators=(",", ":")) + "\n\n"


def test_a_second_attempt_stands_beside_a_slow_one(binary):
    used = {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}
    says = [piece("from b"), piece(stop="stop", usage={**used, "completion_tokens": 2, "total_tokens": 7}), "data: [DONE]\n\n"]
    with House(binary, HEDGED) as h:
        a, b = h.by["a"], h.by["b"]
        assert h.who() == "a" and not b.asked  # in time: there is none
        # one that hangs is cancelled when the other has answered
        a.will(Answer(hold=True))
        assert h.who() == "b" and a.left.wait(10)
        h.gateway.forget_records()
        # streamed, and what the first had used is charged, too
        a.will(stream(piece(usage=used), hold=True))
        b.will(stream(*says))
        answer = h.ask(stream=True)
        assert b"from b" in answer.body and answer.events()[-1][1] == "[DONE]", answer.body
        r = h.gateway.record()
        assert (r["server"], r["tokens.in"], r["tokens.out"]) == ("b", 10, 2) and a.left.wait(10), r
        # the first one may still win, whatever becomes of the second
        for second in (Answer(hold=True), Answer("{}", status=503)):
            a.will(Answer(" ", *chat("a").pieces, pace=0.9))
            b.will(second)
            assert h.who() == "a" and len(b.asked) == 1
        assert h.gateway.record()["server"] == "a"
        # both fail: the answer is the first one's
        a.will(Answer(" ", '{"error":{"message":"first"}}', pace=0.5, status=500))
        b.will(Answer('{"error":{"message":"second"}}', status=503))
        answer = h.ask()
        assert answer.status == 500 and answer.json()["error"]["message"] == "first", answer.body


def test_a_route_waits_for_a_connection_no_longer_than_for_an_answer(binary):
    mute = socket.socket()  # takes connections and says nothing: the tunnel is never there
    mute.bind(("127.0.0.1", 0))
    mute.listen(9)
    via = f", proxy: '127.0.0.1:{mute.getsockname()[1]}'"
    with House(binary, "    - { name: r, timeout: 200ms, to: [a, { backend: b, priority: 1 }] }\n", {"a": via}) as h:
        began = time.time()
        assert h.who() == "b" and not h.by["a"].asked
        assert time.time() - began < 4, "as long as a connection may take where nobody is in a hurry"
    mute.close()

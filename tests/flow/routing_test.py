# SPDX-License-Identifier: Apache-2.0
"""Which backend answers: by what the request is, and by how the backends are."""
import json
import os
import sys

from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

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

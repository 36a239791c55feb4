# SPDX-License-Identifier: Apache-2.0
"""What a provider is asked beside the translation: with which key, with what changed, and how often."""
import json
import os
import sys

from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from aws import is_signed  # noqa: E402
from provider import Answer, Provider  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"] } }
  # by names made up at the moment: all headers and claims are read, and so recorded
  - { id: reads, forbid: { models: ["*"] }, when: '("no" + llm.model) in http.headers || ("no" + llm.model) in jwt' }
"""
CHAT = json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}})
CLAUDE = json.dumps({"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
                     "content": [{"type": "text", "text": "hello"}], "usage": {"input_tokens": 3, "output_tokens": 1}})
CONVERSE = json.dumps({"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
                       "stopReason": "end_turn", "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}})
DOWN = Answer("{}", status=503)


class House(Household):
    def __init__(self, binary):
        self.one, self.two, self.aws = Provider(), Provider(), Provider()
        at = 'url: "http://127.0.0.1:%d"'
        one, two, aws = (at % p.port for p in (self.one, self.two, self.aws))
        config = f"""  audit_log: {{ to: audit.jsonl }}
llm:
  endpoint_prefixes: {{ anthropic: /claude }}
  backends:
    plain: {{ schema: openai, {one}, auth: {{ bearer: sk-ours }}, headers: {{ set: {{ x-team: blue, x-both: backend }} }},
              body: {{ set: {{ seed: 7, user: backend }}, remove: [top_p, store] }} }}
    claude: {{ schema: anthropic, {two}, auth: {{ api_key: sk-ours }}, headers: {{ remove: [anthropic-beta] }},
               body: {{ set: {{ metadata: {{ user_id: gw, n: [1, "1", true, null] }} }} }} }}
    own: {{ schema: openai, {one}, auth: {{ bearer: sk-ours }}, credential: {{ from_header: x-my-key, fallback: true }} }}
    strict: {{ schema: anthropic, {two}, credential: {{ from_header: x-my-key }} }}
    claimed: {{ schema: openai, {one}, credential: {{ from_claim: keys.openai }} }}
    aws: {{ schema: aws-bedrock, {aws}, region: eu-west-1, credential: {{ from_header: x-my-aws-, fallback: true }},
            auth: {{ aws: {{ access_key_id: AKIDOURS, secret_access_key: our-secret }} }} }}
  routes:
    - {{ name: p, models: [plain], to: [{{ backend: plain, model: other }}], headers: {{ set: {{ x-both: route }} }},
         body: {{ set: {{ temperature: 0.5, user: route, kind: "0.5" }}, remove: [seed] }} }}
    - {{ name: c, models: [claude], to: [{{ backend: claude }}] }}
    - {{ name: o, models: [own], to: [{{ backend: own }}] }}
    - {{ name: s, models: [strict], to: [{{ backend: strict }}] }}
    - {{ name: k, models: [claimed], to: [{{ backend: claimed }}] }}
    - {{ name: a, models: [aws], to: [{{ backend: aws, model: "anthropic.claude:0" }}] }}
    - {{ name: r, models: [again], to: [{{ backend: own }}], retry: {{ attempts: 3, on: [5xx, reset], back_off: 20ms }} }}
    - {{ name: b, models: [both], retry: {{ attempts: 3, back_off: 1ms, budget: 0 }},
         to: [{{ backend: own }}, {{ backend: strict, priority: 1, model: there }}] }}
"""
        super().__init__(binary, [self.one, self.two, self.aws], config, POLICY)

    def ask(self, model, path="/v1/chat/completions", claims=None, headers=None, **more):
        c = Connection(self.gateway.port)
        head = {"Authorization": f"Bearer {self.issuer.token('alice', **(claims or {}))}", **(headers or {})}
        body = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **more}
        c.request("POST", path, {"Content-Type": "application/json", **head}, json.dumps(body))
        return c.answer()


    def keeps_quiet(self, *secrets):
        """About keys, though all that came with the requests was read by a rule and is in the audit log."""
        with open(os.path.join(self.gateway.dir, "audit.jsonl")) as f:
            audit = f.read()
        assert '"http.headers":{"' in audit, audit
        assert not [s for s in secrets if s in audit + self.gateway.log_text()], audit


def sent(provider, n=0):
    return {k.lower(): v for k, v in provider.asked[n][1].items()}


def test_headers_and_members_are_removed_then_set(binary):
    with House(binary) as h:
        h.one.will(Answer(CHAT))
        a = h.ask("plain", top_p=0.1, seed=1, n=1, user="client", headers={"X-Team": "red"})
        assert a.status == 200, a.body
        assert (sent(h.one)["x-team"], sent(h.one)["x-both"]) == ("blue", "route"), sent(h.one)
        want = {"model": "other", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "n": 1,
                "user": "route", "temperature": 0.5, "kind": "0.5"}
        assert h.one.body() == want, h.one.body()
        assert sent(h.one)["authorization"] == "Bearer sk-ours"
        # the same after a translation, where the backend's own headers may be left out too
        h.two.will(Answer(CLAUDE))
        assert h.ask("claude", headers={"anthropic-beta": "x"}).status == 200
        assert h.two.body()["metadata"] == {"user_id": "gw", "n": [1, "1", True, None]}, h.two.body()
        assert h.two.body()["messages"] and "anthropic-beta" not in sent(h.two), sent(h.two)


def test_a_key_of_the_callers_own_goes_up_in_place_of_ours(binary):
    with House(binary) as h:
        h.one.will(Answer(CHAT), Answer(CHAT), Answer(CHAT))
        assert h.ask("own", headers={"X-My-Key": "sk-mine"}).status == 200
        assert h.ask("own").status == 200
        assert [sent(h.one, i)["authorization"] for i in (0, 1)] == ["Bearer sk-mine", "Bearer sk-ours"]
        assert "x-my-key" not in sent(h.one), sent(h.one)
        assert h.ask("claimed", claims={"keys": {"openai": "sk-claimed"}}).status == 200
        assert sent(h.one, 2)["authorization"] == "Bearer sk-claimed"
        h.two.will(Answer(CLAUDE))
        assert h.ask("strict", "/v1/messages", headers={"x-my-key": "sk-mine"}).status == 200
        assert sent(h.two)["x-api-key"] == "sk-mine" and "x-my-key" not in sent(h.two), sent(h.two)
        for path in ("/v1/chat/completions", "/v1/messages", "/claude/v1/messages"):
            a = h.ask("strict", path)
            error = a.json()["error"]
            assert (a.status, error["type"], error["message"]) == (
                401, "authentication_error", "missing upstream credential"), a.body
        assert h.ask("strict", "/anthropic/v1/messages").status == 404  # its prefix is another one here
        a = h.ask("claimed", claims={"keys": {"openai": ["sk"]}})
        assert a.status == 401 and len(h.one.asked) == 3, a.body
        h.keeps_quiet("sk-mine", "sk-claimed")


def test_what_goes_to_aws_is_signed(binary):
    with House(binary) as h:
        h.aws.will(Answer(CONVERSE), Answer(CONVERSE))
        spoofed = {"X-Amz-Date": "20000101T000000Z", "X-Amz-Security-Token": "theirs", "X-Amz-Content-Sha256": "0"}
        assert h.ask("aws", headers=spoofed).status == 200
        path, headers, body = h.aws.asked[0]
        assert path == "/model/anthropic.claude%3A0/converse", path
        assert is_signed("POST", path, headers, body, "our-secret"), headers
        assert not is_signed("POST", path, headers, body + b" ", "our-secret")
        assert "AKIDOURS/" in sent(h.aws)["authorization"] and "x-amz-security-token" not in sent(h.aws), headers
        own = {"x-my-aws-access-key-id": "ASIAMINE", "x-my-aws-secret-access-key": "my-secret",
               "x-my-aws-session-token": "my-session"}
        assert h.ask("aws", headers=own).status == 200
        path, headers, body = h.aws.asked[1]
        assert is_signed("POST", path, headers, body, "my-secret"), headers
        assert sent(h.aws, 1)["x-amz-security-token"] == "my-session"
        assert not [name for name in sent(h.aws, 1) if name.startswith("x-my-aws")], headers
        h.keeps_quiet("ASIAMINE", "my-secret", "my-session")


def test_a_request_is_tried_again_within_its_bounds(binary):
    with House(binary) as h:
        h.one.will(DOWN, DOWN, Answer(CHAT))
        a = h.ask("again")
        assert a.status == 200 and len(h.one.asked) == 3, (a.body, len(h.one.asked))
        assert {body for _, _, body in h.one.asked} == {h.one.asked[0][2]}, h.one.asked
        h.one.will(DOWN, DOWN, DOWN, Answer(CHAT))
        assert h.ask("again").status == 503 and len(h.one.asked) == 3
        h.one.will(Answer('{"error":{"message":"slow"}}', status=429), Answer(CHAT))
        assert h.ask("again").status == 429 and len(h.one.asked) == 1  # not a failure that `on` names
        # each attempt begins with what the client sent, whichever dialect the next one speaks
        h.one.will(DOWN)
        h.two.will(Answer(CLAUDE))
        a = h.ask("both", headers={"x-my-key": "sk-mine"})
        assert a.status == 200 and h.two.body()["model"] == "there" and "max_tokens" in h.two.body(), a.body


def test_retries_are_a_share_of_what_is_asked(binary):
    with House(binary) as h:
        h.one.will(*[DOWN] * 99)
        h.two.will(*[Answer("{}", status=500)] * 99)
        for _ in range(16):
            assert h.ask("both", headers={"x-my-key": "sk-mine"}).status >= 500
        tried = len(h.one.asked) + len(h.two.asked)
        assert 16 < tried <= 16 + 20, tried  # two workers, ten each
        assert any(r.get("limited") == "retry_budget" for r in [h.gateway.record() for _ in range(16)])

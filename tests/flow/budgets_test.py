# SPDX-License-Identifier: Apache-2.0
"""What calls cost, and what is refused because of it."""
import json
import os
import sys

from house.household import Household
from house.http import once

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"] } }
"""
PRICES = """prices: v1
models:
  gpt: { input: 2.5, output: 10, cached_input: 1.25 }
backends:
  other: { real: { input: 100, output: 100 } }
"""


def chat(tokens_in=3, tokens_out=1, cached=0):
    return json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out,
                  "prompt_tokens_details": {"cached_tokens": cached}}})


class House(Household):
    def __init__(self, binary):
        self.one, self.other = Provider(), Provider()
        config = f"""llm:
  prices: prices.yaml
  backends:
    one: {{ schema: openai, url: "http://127.0.0.1:{self.one.port}" }}
    other: {{ schema: openai, url: "http://127.0.0.1:{self.other.port}" }}
  routes:
    - {{ name: g, models: [gpt, unpriced], to: [{{ backend: one }}] }}
    - {{ name: o, models: [both], to: [{{ backend: one, model: gpt }}, {{ backend: other, priority: 1, model: real }}] }}
"""
        super().__init__(binary, [self.one, self.other], config, POLICY, files={"prices.yaml": PRICES})
        self.token = self.issuer.token("alice")

    def ask(self, model, **more):
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        return once(self.gateway.port, "POST", "/v1/chat/completions", head, json.dumps(body))

    def metric(self, name):
        text = once(self.gateway.admin, "GET", "/metrics", {}).body.decode()
        return next((int(line.rsplit(" ", 1)[1]) for line in text.split("\n") if line.startswith(name)), None)


def test_what_a_call_costs_is_recorded(binary):
    with House(binary) as h:
        h.one.will(Answer(chat(1000, 100, cached=400)))
        assert h.ask("gpt").status == 200
        assert h.gateway.record()["cost.micro_usd"] == 600 * 2.5 + 400 * 1.25 + 100 * 10
        h.one.will(Answer(chat()))
        assert h.ask("unpriced").status == 200
        assert "cost.micro_usd" not in h.gateway.record()
        h.one.will(Answer(chat(7, 0), status=500))
        h.other.will(Answer(chat(2, 1)))
        assert h.ask("both").status == 200
        assert h.gateway.record()["cost.micro_usd"] == 300
        assert h.metric('sallyport_cost_micro_usd_total{backend="one"}') == 3000
        assert h.metric('sallyport_cost_micro_usd_total{backend="other"}') == 300

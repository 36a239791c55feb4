# SPDX-License-Identifier: Apache-2.0
"""What calls cost, and what is refused because of it."""
import json
import os
import signal
import sys
import tempfile
import threading

from house import mcp, upstreams
from house.asking import CAN, NewClient, OldClient, said
from house.gateway import until
from house.household import Household
from house.http import Connection, once
from house.ports import free_port

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider, stream  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"], tools: ["*/*"] } }
quotas:
  - { id: requests, for: { models: [few] }, limit: 20, window: 1h, kind: fixed, cost: 1, message: "20 an hour, and no more" }
  - { id: twice, for: { models: [twice] }, limit: 2, window: 1h, kind: fixed, cost: 1 }
  - { id: mails, for: { tools: ["new/echo"] }, key: 'http.headers["x-run"]', limit: 3, window: 1h, kind: fixed }
  - { id: run, for: { models: [gpt], tools: ["new/echo"] }, key: 'http.headers["x-run"]', limit: 10, window: 1h, kind: fixed,
      cost: 1 }
  - { id: run-money, for: { models: [gpt] }, key: 'http.headers["x-run"]', limit: 0.02, window: month, cost: usage.usd,
      message: "this run has spent its money" }
  - { id: money, for: { models: [dear, unpriced] }, limit: 0.05, window: 1h, cost: usage.usd }
  - { id: tokens, for: { models: [counted, gone] }, limit: 4000, window: 1h, kind: fixed, cost: usage.total }
  - { id: watched, for: { models: [watched] }, limit: 1, window: 1h, kind: fixed, cost: 1, mode: shadow }
  - { id: crash, for: { models: [crash] }, key: '"all"', limit: 60, window: 1h, kind: fixed, cost: 1 }
  - { id: child, for: { tools: ["child/echo"] }, limit: 2, window: 1h, kind: fixed }
  - { id: asked, for: { tools: ["*/ask"] }, limit: 2, window: 1h, kind: fixed }
"""
PRICES = """prices: v1
models:
  gpt: { input: 2.5, output: 10, cached_input: 1.25 }
  dear: { input: 0, output: 100 }
  search: { input: 0, output: 0, request: 0.001 }
backends:
  other: { real: { input: 100, output: 100 } }
"""


def chat(tokens_in=3, tokens_out=1, cached=0):
    return json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out,
                  "prompt_tokens_details": {"cached_tokens": cached}}})


def piece(text):
    return "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [
        {"index": 0, "delta": {"content": text}, "finish_reason": None}]}) + "\n\n"


def at_once(n, do):
    """What `do` gives, n times at the same time."""
    got = []
    threads = [threading.Thread(target=lambda i=i: got.append(do(i))) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return got


def rest_of(connection):
    try:
        while True:
            connection.more()
    except EOFError:
        return connection.held


class House(Household):
    def __init__(self, binary):
        self.one, self.other, self.tools = Provider(), Provider(), upstreams.HttpFake("modern")
        self.new, self.old = (upstreams.HttpFake(era, "asking_server.py") for era in ("modern", "legacy"))
        self.door = os.path.join(tempfile.mkdtemp(prefix="sallyport-flow-"), "open")
        open(self.door, "w").close()
        config = f"""  audit_log: {{ to: audit.jsonl }}
llm:
  prices: prices.yaml
  backends:
    one: {{ schema: openai, url: "http://127.0.0.1:{self.one.port}" }}
    other: {{ schema: openai, url: "http://127.0.0.1:{self.other.port}" }}
    gone: {{ schema: openai, url: "http://127.0.0.1:{free_port()}" }}
  routes:
    - {{ name: g, models: [gpt, few, dear, unpriced, counted, watched, crash, search], to: [{{ backend: one }}] }}
    - {{ name: o, models: [both], to: [{{ backend: one, model: gpt }}, {{ backend: other, priority: 1, model: real }}] }}
    - {{ name: w, models: [twice], to: [{{ backend: one }}, {{ backend: other, priority: 1 }}] }}
    - {{ name: n, models: [gone], to: [{{ backend: gone }}] }}
mcp:
  servers:
    new: {{ url: "{self.tools.url}" }}
    young: {{ url: "{self.new.url}" }}
    old: {{ url: "{self.old.url}" }}
    child: {{ command: sh, args: ["-c", "test -e {self.door} && exec {' '.join(upstreams.STDIO)}"] }}
"""
        super().__init__(binary, [self.one, self.other, self.tools, self.new, self.old], config, POLICY,
                         files={"prices.yaml": PRICES})
        self.token, _ = (self.issuer.token(w) for w in ("alice", "bob"))  # before there are threads

    def open(self, model, who=None, path="/v1/chat/completions", run=None, **more):
        head = {"Authorization": f"Bearer {self.issuer.token(who) if who else self.token}",
                "Content-Type": "application/json", "x-run": run}
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        c = Connection(self.gateway.port)
        c.request("POST", path, head, json.dumps(body))
        return c

    def ask(self, model, *args, **more):
        return self.open(model, *args, **more).answer()

    def call(self, tool, run):
        return mcp.call(self.gateway, tool, {"text": "x"}, self.token, headers={"x-run": run})

    def left(self, model, who):
        """Of the quota that counts this model, after a call that costs nothing."""
        self.one.will(Answer(chat(0, 0)))
        return int(self.ask(model, who, max_tokens=0).headers["x-ratelimit-remaining"])

    def record(self, *wanted):
        """The next line of the log, or those of its members."""
        r = self.gateway.record()
        return tuple(r.get(w) for w in wanted) if wanted else r

    def events(self):
        """What the audit log says of quotas."""
        with open(os.path.join(self.gateway.dir, "audit.jsonl")) as f:
            lines = [json.loads(line) for line in f]
        return [(e["event"], e["quota"], e["kind"], e["name"]) for e in lines if "quota" in e.get("event", "")]

    def metric(self, name):
        text = once(self.gateway.admin, "GET", "/metrics", {}).body.decode()
        return next((int(line.rsplit(" ", 1)[1]) for line in text.split("\n") if line.startswith(name)), None)


def costs_are_recorded(h):
    h.one.will(Answer(chat(1000, 100, cached=400)))
    assert h.ask("gpt", run="r0").status == 200
    assert h.record("cost.micro_usd") == (600 * 2.5 + 400 * 1.25 + 100 * 10,)
    h.one.will(Answer(chat()))
    assert h.ask("watched").status == 200
    assert "cost.micro_usd" not in h.record()
    h.one.will(Answer(chat()), Answer('{"error":{"message":"no"}}', status=400))
    assert h.ask("search").status == 200 and h.record("cost.micro_usd") == (1000,)
    assert h.ask("search").status == 400 and h.record("cost.micro_usd") == (0,)
    h.one.will(Answer(chat(7, 0), status=500))
    h.other.will(Answer(chat(2, 1)))
    assert h.ask("both").status == 200
    assert h.record("cost.micro_usd", "cost.guessed") == (300, None)
    h.one.will(Answer("{", cut=True))
    h.other.will(Answer(chat(2, 1)))
    assert h.ask("both", max_tokens=100).status == 200  # the attempt that was given up may have cost its 100 tokens
    cost, guessed = h.record("cost.micro_usd", "cost.guessed")
    assert 1300 < cost < 1500 and guessed == 1, cost
    assert h.metric('sallyport_cost_micro_usd_total{backend="one"}') == 3000 + 1000
    assert h.metric('sallyport_cost_micro_usd_total{backend="other"}') == 300 + cost


def callers_are_limited_apart(h):
    """50 calls at the same time, by two who may make 20 each; then what a refusal is like."""
    h.one.will(*[Answer(chat(), pace=0.02) for _ in range(40)])
    got = at_once(50, lambda i: (i % 2, h.ask("few", ("alice", "bob")[i % 2]).status))
    for who in (0, 1):
        assert sorted(s for w, s in got if w == who) == [200] * 20 + [429] * 5, got
    h.gateway.forget_records()
    for path, error in (("/v1/chat/completions", "rate_limit_error"), ("/v1/messages", "rate_limit_error")):
        no = h.ask("few", path=path, max_tokens=9)
        assert no.status == 429 and no.json()["error"]["type"] == error, no.body
        assert no.json()["error"]["message"] == "20 an hour, and no more"
        assert 0 < int(no.headers["retry-after"]) <= 3600
        assert (no.headers["x-ratelimit-limit"], no.headers["x-ratelimit-remaining"]) == ("20", "0")
        assert 0 < int(no.headers["x-ratelimit-reset"]) <= 3600
        assert h.record("quota", "limited", "status") == ("requests", "quota", 429)
    assert h.metric('sallyport_quota_total{quota="requests",outcome="refused"}') == 12


def a_run_has_a_budget_of_money_and_mails(h):
    for i in range(3):
        a = h.call("new__echo", "run-1")
        assert a.status == 200 and "result" in a.message(), a.body
        assert (a.headers["x-ratelimit-limit"], a.headers["x-ratelimit-remaining"]) == ("3", str(2 - i)), a.headers
    no = h.call("new__echo", "run-1")
    assert no.status == 429 and no.json()["error"]["code"] == 429, no.body
    assert no.json()["error"]["data"]["retryAfterMs"] > 1000 and int(no.headers["retry-after"]) > 1
    assert no.headers["x-ratelimit-remaining"] == "0"
    h.one.will(Answer(chat(1000, 1000)), Answer(chat(1000, 400)))
    a = h.ask("gpt", run="run-1", max_tokens=1200)
    assert a.status == 200 and a.headers["x-ratelimit-limit"] == "0.02", a.headers
    assert h.ask("gpt", run="run-1", max_tokens=500).status == 200
    no = h.ask("gpt", run="run-1", max_tokens=100)
    assert no.status == 429 and no.json()["error"]["message"] == "this run has spent its money", no.body
    assert h.call("new__echo", "run-2").status == 200
    h.one.will(*[Answer(chat(0, 0)) for _ in range(9)])
    got = [h.ask("gpt", run="run-2", max_tokens=1).status for _ in range(9)]
    assert got == [200] * 9 and h.call("new__echo", "run-2").status == 429, got
    assert h.ask("gpt").status == 403  # no header: its key cannot be told
    h.gateway.forget_records()


def money_stays_below_its_cap(h):
    """Each costs 0.01 $ of 0.05 $; at most five of them, however many come at once."""
    h.one.will(*[Answer(chat(0, 100), pace=0.02) for _ in range(50)])
    got = at_once(50, lambda i: h.ask("dear", max_tokens=100))
    assert [a.status for a in got].count(200) == 5, [a.status for a in got]
    assert sum(h.gateway.record().get("cost.micro_usd", 0) for _ in range(50)) == 50000
    no = h.ask("unpriced")
    assert no.status == 403 and no.json()["error"]["code"] == "price_unknown", no.body
    assert h.record("quota") == ("money",)


def what_was_begun_is_charged(h):
    """A cut stream, a client that leaves, an upstream that says nothing; but not one that never was asked."""
    h.one.will(stream(piece("a"), piece("b"), cut=True))
    c = h.open("counted", "carol", stream=True, max_tokens=300)
    assert c.head()[0] == 200 and b"error" in rest_of(c)
    assert h.record("tokens.out", "error") == (None, "upstream_cut")
    left = h.left("counted", "carol")
    assert 3600 < left < 3700, left
    h.one.will(stream(piece("a"), hold=True))
    c = h.open("counted", "carol", stream=True, max_tokens=300)
    c.head()
    c.close()
    assert h.one.left.wait(10)
    assert h.record("status") and h.record("error") == ("client_gone",)
    assert 3200 < h.left("counted", "carol") < left - 290
    h.one.will(Answer("{", cut=True))
    assert h.ask("counted", "carol", max_tokens=300).status == 502
    assert 2900 < h.left("counted", "carol") < 3200
    h.one.will(Answer('{"error":{"message":"no"}}', status=400))
    before = h.left("counted", "carol")
    h.one.will(Answer('{"error":{"message":"no"}}', status=400))
    assert h.ask("counted", "carol", max_tokens=300).status == 400
    assert h.ask("gone", "carol", max_tokens=300).status == 502
    assert h.left("counted", "carol") == before
    assert h.ask("counted", "carol", max_tokens=4001).headers["x-should-retry"] == "false"
    h.gateway.forget_records()


def a_request_that_is_tried_again_counts_once(h):
    for lost in (Answer("{", cut=True), Answer('{"error":{"message":"no"}}', status=500)):
        h.one.will(lost)
        h.other.will(Answer(chat()))
        assert h.ask("twice", "erin").status == 200
    assert h.ask("twice", "erin").status == 429
    h.one.will(Answer('{"error":{"message":"no"}}', status=400), Answer("{", cut=True))
    h.other.will(Answer("{", cut=True))
    assert [h.ask("twice", "fred").status for _ in range(3)] == [400, 502, 429]  # nor is one free that fails for good
    h.gateway.forget_records()


def a_shadow_refuses_nobody(h):
    h.one.will(Answer(chat()), Answer(chat()))
    assert [h.ask("watched", "dora").status for _ in range(2)] == [200, 200]
    assert h.record("quota.shadow", "quota") == (None, None)
    assert h.record("quota.shadow", "quota") == ("watched", None)
    assert h.metric('sallyport_quota_total{quota="watched",outcome="shadow"}') == 1


def a_call_that_asks_is_charged_once(h):
    """Whatever the eras: a call is one, however many rounds it takes."""
    for n, (who, server) in enumerate((w, s) for w in ("new", "old") for s in ("young", "old")):
        token = h.issuer.token(f"asker-{n}")
        client = NewClient(h.gateway, token, CAN) if who == "new" else OldClient(h.gateway, token, "2025-11-25", CAN)

        def ask():
            if who == "new":
                return client.finish(f"{server}__ask", {})[1]
            return client.call(f"{server}__ask").finish()[1]
        for _ in range(2):
            m = ask()
            assert "result" in m and said(m), (who, server, m)
        no = mcp.call(h.gateway, f"{server}__ask", {}, token)
        assert no.status == 429, (who, server, no.body)
    one_that_is_never_finished_is_charged_too(h)
    h.new.kill()
    token = h.issuer.token("asker-of-nobody")
    for _ in range(3):  # what reached no server cost nothing
        no = mcp.call(h.gateway, "young__ask", {}, token)
        assert no.status == 200 and no.message()["error"]["code"] == -32603, no.body
    h.gateway.forget_records()


def one_that_is_never_finished_is_charged_too(h):
    """And the second use of a state is a call of its own."""
    for server in ("young", "old"):
        client = NewClient(h.gateway, h.issuer.token(f"leaver-of-{server}"), CAN)
        left = [client.round(f"{server}__ask", {}) for _ in range(2)]
        assert all(m["result"]["resultType"] == "input_required" for m in left), left
        assert client.send(f"{server}__ask", {}).status == 429, server
        assert all(said(client.again(f"{server}__ask", {}, m)) for m in left), "what was paid for is refused"
        assert client.send(f"{server}__ask", {}).status == 429, server
    client = NewClient(h.gateway, h.issuer.token("repeater"), CAN)
    asked = client.round("young__ask", {})
    ends = [client.again("young__ask", {}, asked) for _ in range(3)]
    assert all(said(m) for m in ends[:2]) and ends[2]["error"]["code"] == 429, ends


def a_child_that_does_not_start_was_not_called(h):
    def said():
        return h.call("child__echo", None)
    assert "result" in said().message()
    os.remove(h.door)
    for pid in h.gateway.children("stdio_server.py"):
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not h.gateway.children("stdio_server.py"))
    for _ in range(3):
        no = said()
        assert no.status == 200 and no.message()["error"]["code"] == -32603, no.body
    open(h.door, "w").close()
    assert until(lambda: "result" in said().message(), 30)
    assert said().status == 429
    h.gateway.forget_records()


def items_of_a_batch_are_counted_apart(h):
    s = mcp.Session(h.gateway, h.token, "2025-03-26")
    items = [{"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": "new__echo", "arguments": {"text": "x"}}}
             for i in range(5)]
    said = s.post(items, **{"x-run": "run-3"}).json()
    codes = [m["error"]["code"] if "error" in m else 200 for m in sorted(said, key=lambda m: m["id"])]
    assert sorted(codes) == [200, 200, 200, 429, 429], said
    h.gateway.forget_records()


def a_crash_forgets_nothing(h):
    """kill -9 while eight ask: never more than the limit, and no less but for what was in flight."""
    h.one.will(*[Answer(chat(), pace=0.05) for _ in range(200)])

    def client(_):
        try:
            while h.ask("crash").status == 200:
                pass
        except (OSError, EOFError):
            pass
    asking = threading.Thread(target=at_once, args=(8, client))
    asking.start()
    assert until(lambda: len(h.one.asked) >= 20)
    h.gateway.crash()
    asking.join()
    client(None)
    assert 60 - 8 <= len(h.one.asked) <= 60, len(h.one.asked)


def test_budgets_hold(binary):
    with House(binary) as h:
        costs_are_recorded(h)
        callers_are_limited_apart(h)
        a_run_has_a_budget_of_money_and_mails(h)
        money_stays_below_its_cap(h)
        what_was_begun_is_charged(h)
        a_request_that_is_tried_again_counts_once(h)
        a_shadow_refuses_nobody(h)
        a_call_that_asks_is_charged_once(h)
        a_child_that_does_not_start_was_not_called(h)
        items_of_a_batch_are_counted_apart(h)
        said = [("quota", "requests", "model", "few"), ("quota", "mails", "tool", "echo"), ("quota", "asked", "tool", "ask"),
                ("quota_shadow", "watched", "model", "watched"), ("quota", "money", "model", "unpriced")]
        assert until(lambda: set(said) <= set(h.events())), h.events()
        a_crash_forgets_nothing(h)

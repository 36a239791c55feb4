# SPDX-License-Identifier: Apache-2.0
"""Every client dialect on providers of OpenAI and Anthropic, whole and streamed, when all goes well and when not."""
import json
import os
import sys

from house.ports import free_port
from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider, stream  # noqa: E402

GOLDEN = os.path.join(here, "..", "golden")
POLICY = """policy: v1
name: p
rules:
  - { id: some, permit: { models: [gpt, claude, spread, gone] } }
  - { id: dear, permit: { models: [dear] }, when: 'jwt.sub == "nobody"' }
"""


def golden(*path):
    with open(os.path.join(GOLDEN, *path), "rb") as f:
        return f.read()


class House(Household):
    """Two providers, one of each kind, behind one gateway."""

    def __init__(self, binary):
        self.openai, self.claude = Provider(), Provider()
        config = f"""llm:
  backends:
    openai: {{ schema: openai, url: "http://127.0.0.1:{self.openai.port}", auth: {{ bearer: sk-openai }},
      breaker: {{ failures: 99 }} }}
    claude: {{ schema: anthropic, url: "http://127.0.0.1:{self.claude.port}", prefix: v1, auth: {{ api_key: sk-claude }} }}
    gone: {{ schema: openai, url: "http://127.0.0.1:{free_port()}" }}
  routes:
    - {{ name: o, models: [gpt], to: [{{ backend: openai }}] }}
    - {{ name: c, models: [claude, dear], to: [{{ backend: claude, model: claude-sonnet-4-5 }}] }}
    - {{ name: s, models: [spread], to: [{{ backend: openai }}, {{ backend: claude, priority: 1, model: claude-sonnet-4-5 }}] }}
    - {{ name: g, models: [gone], to: [{{ backend: gone }}, {{ backend: claude, priority: 1, model: claude-sonnet-4-5 }}] }}
"""
        super().__init__(binary, [self.openai, self.claude], config, POLICY)
        self.token = self.issuer.token("alice")

    def open(self, path, body, **headers):
        c = Connection(self.gateway.port)
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        c.request("POST", path, head, json.dumps(body) if isinstance(body, dict) else body)
        return c

    def ask(self, path, body, **headers):
        return self.open(path, body, **headers).answer()

    def record(self):
        return self.gateway.record()


def asks(path, model, **more):
    """The least that each dialect needs, answered by `said`."""
    if path == "/v1/responses":
        return {"model": model, "input": "hi", **more}
    return {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **more}


PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/anthropic/v1/messages"]
CHAT_REPLY = golden("anthropic_messages-openai_chat", "tools", "reply.in")
CHAT_STREAM = golden("anthropic_messages-openai_chat", "tools", "stream.in")
CLAUDE_REPLY = golden("openai_chat-anthropic_messages", "tools", "reply.in")
CLAUDE_STREAM = golden("openai_chat-anthropic_messages", "tools", "stream.in")
CLAUDE_BEGUN = CLAUDE_STREAM[:CLAUDE_STREAM.index(b"see. ")]
CLAUDE_BEGUN = CLAUDE_BEGUN[:CLAUDE_BEGUN.rindex(b"event:")]
CHAT_BEGUN = CHAT_STREAM[:CHAT_STREAM.index(b"data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"tool")]


def texts(path, answer):
    """What a whole answer says, and whom it calls."""
    j = answer.json()
    if path == "/v1/chat/completions":
        m = j["choices"][0]["message"]
        return m["content"], [c["function"]["name"] for c in m["tool_calls"]]
    if path == "/v1/responses":
        return "".join(p["text"] for i in j["output"] if i["type"] == "message" for p in i["content"]), \
            [i["name"] for i in j["output"] if i["type"] == "function_call"]
    return "".join(b["text"] for b in j["content"] if b["type"] == "text"), \
        [b["name"] for b in j["content"] if b["type"] == "tool_use"]


def test_every_client_is_answered_by_every_provider(binary):
    with House(binary) as h:
        for path in PATHS:
            for model, provider, reply, says in (("gpt", h.openai, CHAT_REPLY, "I look."),
                                                 ("claude", h.claude, CLAUDE_REPLY, "Let me see. ")):
                if path == "/v1/responses" and model == "gpt":
                    continue  # that passes: the provider speaks it
                provider.will(Answer(reply))
                a = h.ask(path, asks(path, model))
                assert a.status == 200 and a.headers["content-type"] == "application/json", (path, model, a.body)
                assert texts(path, a) == (says, ["weather", "weather"]), (path, model, a.body)
                r = h.record()
                assert r["tokens.out"] and r["tokens.in"] and r["status"] == 200, r


def test_every_client_has_every_provider_streamed(binary):
    with House(binary) as h:
        for path in PATHS:
            for model, provider, events in (("gpt", h.openai, CHAT_STREAM), ("claude", h.claude, CLAUDE_STREAM)):
                if path == "/v1/responses" and model == "gpt":
                    continue
                provider.will(stream(*[events[i:i + 97] for i in range(0, len(events), 97)]))
                a = h.ask(path, asks(path, model, stream=True))
                assert a.status == 200 and a.headers["content-type"].startswith("text/event-stream"), (path, a.body)
                kinds = [e for e, _ in a.events()]
                if path == "/v1/chat/completions":
                    assert a.events()[-1][1] == "[DONE]" and b'"usage":{' not in a.body, a.body
                elif path == "/v1/responses":
                    data = [json.loads(d) for _, d in a.events()]
                    assert [d["sequence_number"] for d in data] == list(range(len(data)))
                    assert kinds[-1] == "response.completed" and data[-1]["response"]["usage"]["input_tokens"] == 105
                else:
                    assert kinds[0] == "message_start" and kinds[-1] == "message_stop", kinds
                    starts = [json.loads(d)["index"] for e, d in a.events() if e == "content_block_start"]
                    assert starts == [0, 1, 2], starts
                r = h.record()
                assert r["streamed"] == 1 and r["tokens.out"] == (30 if model == "gpt" else 40), r


def test_claude_is_asked_as_claude_wants_to_be(binary):
    with House(binary) as h:
        a = h.ask("/v1/chat/completions", asks("/v1/chat/completions", "claude", tools=[{"type": "retrieval"}]))
        assert a.status == 400 and "retrieval" in a.json()["error"]["message"], a.body
        assert h.record()["status"] == 400
        h.claude.will(Answer(CLAUDE_REPLY))
        a = h.ask("/v1/chat/completions", asks("/v1/chat/completions", "claude", seed=1, logit_bias={"1": 2}),
                  **{"X-Sallyport-Explain": "1"})
        assert a.headers["x-sallyport-dropped"] == "seed,logit_bias", a.headers
        assert h.record()["dropped"] == "seed,logit_bias"
        path, headers, _ = h.claude.asked[0]
        headers = {k.lower(): v for k, v in headers.items()}
        assert path == "/v1/messages" and headers["x-api-key"] == "sk-claude", (path, headers)
        assert headers["anthropic-version"] == "2023-06-01" and "authorization" not in headers, headers
        assert h.claude.body()["model"] == "claude-sonnet-4-5"


def test_the_same_dialect_passes_byte_for_byte(binary):
    body = '{"model":"claude","max_tokens":9, "x":1.10,"metadata":{"n":18446744073709551616},' \
           '"messages":[{"role":"user","content":"hi"}]}'
    with House(binary) as h:
        h.claude.will(Answer(CLAUDE_REPLY))
        a = h.ask("/v1/messages", body)
        assert a.body == CLAUDE_REPLY, a.body
        assert h.claude.asked[0][2].decode() == body.replace('"claude"', '"claude-sonnet-4-5"')
        h.openai.will(Answer('{"id":"resp_1","object":"response","status":"completed","output":[],"usage":'
                             '{"input_tokens":5,"output_tokens":7,"output_tokens_details":{"reasoning_tokens":4}}}'))
        a = h.ask("/v1/responses", asks("/v1/responses", "gpt", tools=[{"type": "from_the_future"}]))
        assert a.status == 200 and h.openai.asked[0][0] == "/v1/responses"
        r = [h.record(), h.record()][1]
        assert (r["tokens.in"], r["tokens.out"], r["tokens.reasoning"]) == (5, 3, 4), r


def test_usage_of_every_end_of_a_responses_stream_is_counted(binary):
    with House(binary) as h:
        for end in ("completed", "incomplete", "failed"):
            h.openai.will(stream('data:{"type":"response.created","response":{}}\n\n',
                                 f'event: response.{end}\ndata: {{"type":"response.{end}","response":'
                                 '{"usage":{"input_tokens":5,"output_tokens":7}}}\n\n'))
            a = h.ask("/v1/responses", asks("/v1/responses", "gpt", stream=True))
            assert a.status == 200 and a.body.count(b"data:") == 2, a.body
            assert h.record()["tokens.out"] == 7


def test_usage_is_asked_for_and_hidden_from_who_did_not_ask(binary):
    with House(binary) as h:
        for options, hidden in (({}, True), ({"stream_options": {"include_usage": True}}, False)):
            h.openai.will(stream(CHAT_STREAM))
            a = h.ask("/v1/chat/completions", asks("/v1/chat/completions", "gpt", stream=True, **options))
            assert h.openai.body()["stream_options"] == {"include_usage": True}
            assert (b'"usage"' not in a.body) == hidden and a.events()[-1][1] == "[DONE]", a.body
            assert h.record()["tokens.out"] == 30


def test_another_target_is_tried_until_something_was_said(binary):
    failures = [Answer('{"error":{"message":"slow down"}}', status=429, retry_after_ms="0"), Answer("oops", status=503),
                stream('data: {"error":{"message":"no","type":"server_error"}}\n\n'),
                stream(CHAT_STREAM[:CHAT_STREAM.index(b"data:{")], cut=True), stream(cut=True)]
    nothing = ({}, {"role": "assistant"}, {"role": "assistant", "content": None}, {"role": "assistant", "content": ""})
    failures += [stream("data: " + json.dumps({"choices": [{"index": 0, "delta": d}]}, separators=(",", ":")) + "\n\n",
                        cut=True) for d in nothing]
    # a role, by a server that writes spaces; pages of somebody who stands before the provider
    failures += [stream("data: " + json.dumps({"choices": [{"index": 0, "delta": nothing[3]}]}) + "\n\n", cut=True),
                 Answer("<html>log in</html>", type="text/html"), Answer(""), Answer("ok", type="text/plain")]
    with House(binary) as h:
        for failure in failures:
            h.openai.will(failure)
            h.claude.will(stream(CLAUDE_STREAM))
            a = h.ask("/v1/chat/completions", asks("/v1/chat/completions", "spread", stream=True))
            assert a.status == 200 and b"Let me " in a.body and b"error" not in a.body, (failure.status, a.body)
            assert h.record()["server"] == "claude" and len(h.openai.asked) == 1
        h.claude.will(Answer(CLAUDE_REPLY))
        assert h.ask("/v1/chat/completions", asks("/v1/chat/completions", "gone")).status == 200
        h.openai.will(Answer('{"error":{"message":"bad","type":"invalid_request_error"}}', status=400))
        a = h.ask("/v1/chat/completions", asks("/v1/chat/completions", "spread"))
        assert a.status == 400 and a.json()["error"]["message"] == "bad"


def read_to_the_end(c):
    """The body of a stream, and whether it ended cleanly."""
    body = b""
    try:
        while piece := c.chunk():
            body += piece
        return body, True
    except (EOFError, OSError):
        return body, False


def test_who_answers_whole_though_asked_to_stream_is_put_into_events(binary):
    with House(binary) as h:
        for kind in ("application/json", "text/event-stream", ""):
            h.openai.will(Answer(CHAT_REPLY, type=kind))
            a = h.ask("/v1/messages", asks("/v1/messages", "gpt", stream=True))
            kinds = [e for e, _ in a.events()]
            assert kinds[0] == "message_start" and kinds[-1] == "message_stop", (kind, a.body)
            assert b"I look." in a.body and h.record()["tokens.out"] == 30
        h.openai.will(Answer(CHAT_STREAM, type="application/json"))
        a = h.ask("/v1/messages", asks("/v1/messages", "gpt", stream=True))
        assert a.headers["content-type"] == "text/event-stream" and b"message_stop" in a.body, a.body


def test_a_stream_that_is_cut_never_ends_cleanly(binary):
    with House(binary) as h:
        for path in PATHS:
            for model, provider, begun in (("gpt", h.openai, CHAT_BEGUN), ("claude", h.claude, CLAUDE_BEGUN)):
                if path == "/v1/responses" and model == "gpt":
                    continue
                for ending in ({"cut": True}, {}):  # torn, or ended before its time
                    provider.will(stream(begun, pace=0.05, **ending))
                    c = h.open(path, asks(path, model, stream=True))
                    assert c.head()[0] == 200
                    body, clean = read_to_the_end(c)
                    assert not clean, (path, model, ending, body)
                    last = body.decode().strip().split("\n\n")[-1]
                    if path == "/v1/chat/completions":
                        assert last.startswith('data: {"error":{'), last
                    else:
                        assert last.startswith("event: error\ndata: {"), last
                    assert h.record()["error"] == "upstream_cut"


def test_an_error_event_is_told_in_the_clients_own_words(binary):
    with House(binary) as h:
        for path, model, provider, begun, error in (
                ("/v1/messages", "gpt", h.openai, CHAT_BEGUN, 'data: {"error":{"message":"full"}}\n\n'),
                ("/v1/chat/completions", "claude", h.claude, CLAUDE_BEGUN,
                 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"full"}}\n\n'),
                ("/v1/chat/completions", "gpt", h.openai, CHAT_BEGUN, 'data: {"error":{"message":"full"}}\n\n')):
            provider.will(stream(begun, error))
            c = h.open(path, asks(path, model, stream=True))
            assert c.head()[0] == 200
            body, clean = read_to_the_end(c)
            assert not clean and body.count(b'"message":"full"') == 1, (path, model, body)
            assert h.record()["error"] == "upstream_error"


def test_a_client_that_leaves_takes_the_upstream_with_it(binary):
    with House(binary) as h:
        for path, model, provider, begun in (("/v1/messages", "gpt", h.openai, CHAT_BEGUN),
                                             ("/v1/messages", "claude", h.claude, CLAUDE_BEGUN)):
            provider.will(stream(begun, hold=True))
            c = h.open(path, asks(path, model, stream=True))
            assert c.head()[0] == 200 and c.chunk()
            c.close()
            assert provider.left.wait(10), "the upstream was not cancelled"
            r = h.record()
            assert r["error"] == "client_gone", r
            assert model == "gpt" or r["tokens.cached"] == 90, r


def error_of(path, answer):
    j = answer.json()
    if path.endswith("/messages"):
        assert j["type"] == "error", j
        return j["error"]["type"]
    assert set(j["error"]) >= {"message", "type", "code"}, j
    return j["error"]["type"]


def test_refusals_have_the_shape_of_the_client(binary):
    with House(binary) as h:
        for path in PATHS:
            ours = path.endswith("/messages")
            a = h.ask(path, asks(path, "gpt"), Authorization=None)
            assert (a.status, error_of(path, a)) == (401, "authentication_error"), a.body
            a = h.ask(path, asks(path, "gpt"), Authorization=None, **{"x-api-key": "nonsense"})
            assert (a.status, error_of(path, a)) == (401, "authentication_error"), a.body
            a = h.ask(path, asks(path, "dear"))
            assert (a.status, error_of(path, a)) == (404, "not_found_error" if ours else "invalid_request_error"), a.body
            a = h.ask(path, "{")
            assert (a.status, error_of(path, a)) == (400, "invalid_request_error"), a.body
            a = h.ask(path, {"model": "claude", "messages": 1, "input": 1}) if not ours else \
                h.ask(path, {"model": "gpt", "messages": 1})
            assert (a.status, error_of(path, a)) == (400, "invalid_request_error"), a.body


def test_a_providers_refusal_is_told_with_its_limits(binary):
    with House(binary) as h:
        h.openai.will(Answer("<html>500 at 10.0.0.1</html>", type="text/html"))
        a = h.ask("/v1/messages", asks("/v1/messages", "gpt"))
        assert a.status == 502 and b"10.0.0.1" not in a.body and error_of("/v1/messages", a) == "api_error", a.body
        h.openai.will(Answer('{"error":{"message":"slow \\"down\\"","type":"tokens","code":"rate_limit_exceeded"}}',
                             status=429, retry_after="7", x_ratelimit_limit_tokens="100"))
        a = h.ask("/v1/messages", asks("/v1/messages", "gpt"))
        assert a.status == 429 and a.json()["error"]["message"] == 'slow "down"', a.body
        assert a.headers["retry-after"] == "7" and a.headers["x-ratelimit-limit-tokens"] == "100", a.headers
        for odd, says in (('{"error":"no such model"}', "no such model"), ('{"error":{"message":5}}', "the provider answered 404")):
            h.openai.will(Answer(odd, status=404))
            a = h.ask("/v1/chat/completions", asks("/v1/chat/completions", "gpt"))
            assert a.status == 404 and a.json()["error"]["message"] == says, a.body
        h.claude.will(Answer('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', status=529))
        a = h.ask("/v1/chat/completions", asks("/v1/chat/completions", "claude"))
        assert a.status == 503 and a.json()["error"]["type"] == "overloaded_error", a.body
        for path in PATHS:
            h.claude.will(Answer('{"type":"error","error":{"type":"authentication_error","message":"bad key"}}', status=401))
            a = h.ask(path, asks(path, "claude"))
            assert a.status == 401 and error_of(path, a) == "authentication_error", a.body


def test_a_caller_may_show_its_token_where_its_sdk_puts_keys(binary):
    with House(binary) as h:
        h.claude.will(Answer(CLAUDE_REPLY))
        a = h.ask("/v1/messages", asks("/v1/messages", "claude"), Authorization=None, **{"x-api-key": h.token})
        assert a.status == 200, a.body


def test_models_are_listed_in_either_shape(binary):
    with House(binary) as h:
        for path, headers in (("/v1/models", {"anthropic-version": "2023-06-01"}), ("/anthropic/v1/models", {})):
            c = Connection(h.gateway.port)
            c.request("GET", path, {"Authorization": f"Bearer {h.token}", **headers})
            j = c.answer().json()
            ids = [m["id"] for m in j["data"]]
            assert ids == ["gpt", "claude", "spread", "gone"] and all(m["type"] == "model" for m in j["data"]), j
            assert (j["first_id"], j["last_id"], j["has_more"]) == ("gpt", "gone", False), j



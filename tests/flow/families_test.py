# SPDX-License-Identifier: Apache-2.0
"""What each family of providers says in its own way, told to clients of any dialect: one gateway, a fake of each."""
import json
import os
import sys
import time

from house.household import Household
from house.http import Connection

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from provider import Answer, Provider, aws_frame, aws_stream, stream  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"], endpoints: ["*"] } }
"""
KEYS = "auth: { aws: { access_key_id: A, secret_access_key: S } }"
BACKENDS = {
    "openai": "schema: openai",
    "claude": "schema: anthropic, prefix: v1",
    "converse": "schema: aws-bedrock, region: r, " + KEYS,
    "gemini": "schema: gemini",
}
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"


class House(Household):
    """Model NAME is at the provider NAME; `more` is YAML for further routes."""

    def __init__(self, binary, more=""):
        self.at = {name: Provider() for name in BACKENDS}
        backends = "".join(f"    {n}: {{ {what}, url: \"http://127.0.0.1:{self.at[n].port}\" }}\n" for n, what in BACKENDS.items())
        routes = "".join(f"    - {{ name: {n}, models: [{n}], to: [{{ backend: {n}, model: m-{n} }}] }}\n" for n in BACKENDS)
        super().__init__(binary, self.at.values(), f"llm:\n  backends:\n{backends}  routes:\n{routes}{more}", POLICY)
        self.token = self.issuer.token("alice")

    def open(self, path, body, **headers):
        c = Connection(self.gateway.port)
        c.request("POST", path, {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers},
                  json.dumps(body))
        return c

    def ask(self, path, body, **headers):
        return self.open(path, body, **headers).answer()


def asks(path, model, content="hi", **more):
    if path == RESPONSES:
        return {"model": model, "input": [{"role": "user", "content": content}], **more}
    return {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": content}], **more}


def test_a_file_that_the_provider_does_not_take_is_refused(binary):
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    clip = {"type": "video_url", "video_url": {"url": "https://x.test/v.mp4"}}
    page = {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}}
    odd = {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}}
    with House(binary) as h:
        for path, model, part, word in ((CHAT, "claude", sound, "audio"), (CHAT, "claude", clip, "video"),
                                        (CHAT, "claude", odd, "image"), (MESSAGES, "openai", page, "document"),
                                        (CHAT, "converse", clip, "Bedrock takes the bytes")):
            a = h.ask(path, asks(path, model, [{"type": "text", "text": "what?"}, part]))
            assert a.status == 400 and word in a.json()["error"]["message"], (path, model, a.body)
            assert h.at[model].asked == []


def test_google_says_in_the_body_when_to_come_back(binary):
    refusal = '{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[{"@type":"x"},' \
              '{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"%s"}]}}'
    with House(binary) as h:
        for path, delay, want in ((RESPONSES, "0s", "0"), (MESSAGES, "1.5s", "2"), (CHAT, "soon", None), (CHAT, "13s", "13")):
            h.at["gemini"].will(Answer(refusal % delay, status=429))
            a, end = h.ask(path, asks(path, "gemini")), time.time() + 20
            while not h.at["gemini"].asked and time.time() < end:  # it is left alone for as long as it said
                time.sleep(0.1)
                a = h.ask(path, asks(path, "gemini"))
            assert a.status == 429 and a.headers.get("retry-after") == want, (path, delay, a.headers)


def test_ai_studio_embeds_and_counts(binary):
    with House(binary) as h:
        studio = h.at["gemini"]
        studio.will(Answer('{"embeddings":[{"values":[1,-0.5]},{"values":[2,0.10]}]}'))
        a = h.ask("/v1/embeddings", {"model": "gemini", "input": ["a", "b"], "dimensions": 2})
        assert [d["embedding"] for d in a.json()["data"]] == [[1, -0.5], [2, 0.1]], a.body
        assert studio.asked[0][0] == "/v1beta/models/m-gemini:batchEmbedContents"
        assert studio.body()["requests"][1] == {"model": "models/m-gemini", "content": {"parts": [{"text": "b"}]},
                                                "outputDimensionality": 2}, studio.body()
        studio.will(Answer('{"totalTokens":7}'))
        a = h.ask("/v1/messages/count_tokens", asks(MESSAGES, "gemini", system="be brief"))
        assert a.json() == {"input_tokens": 7}, a.body
        asked = studio.body()["generateContentRequest"]
        assert asked["model"] == "models/m-gemini" and asked["contents"][0]["parts"] == [{"text": "hi"}], asked
        assert asked["systemInstruction"] == {"parts": [{"text": "be brief"}]}
        studio.will(Answer('{"totalTokens":3}'))
        assert h.ask("/tokenize", {"model": "gemini", "prompt": "hi"}).json() == {"count": 3}


# Streams that begin well, and how each family breaks one off.
def delta(text):
    return aws_frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})


def sse(**event):
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


CONVERSE_BEGUN = aws_frame("messageStart", {"role": "assistant"}) + delta("so far")
BAD_CRC = delta("never")[:-1] + b"!"
GEMINI_BEGUN = 'data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"so far"}]}}],' \
               '"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}\r\n\r\n'
CLAUDE_START = sse(type="message_start", message={"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
                                                  "usage": {"input_tokens": 100, "output_tokens": 1}})
CLAUDE_BEGUN = CLAUDE_START + sse(type="content_block_start", index=0, content_block={"type": "text", "text": ""}) + \
    sse(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "so far"})
CHAT_BEGUN = 'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"so far"}}]}\n\n'
RESPONSES_BEGUN = sse(type="response.created", sequence_number=0, response={"id": "r"}) + \
    sse(type="response.output_text.delta", sequence_number=1, item_id="i", output_index=0, content_index=0, delta="so far")
OVERLOADED = sse(type="error", error={"type": "overloaded_error", "message": "full"})
BREAKS = [  # provider, its stream, what the record says
    ("converse", aws_stream(CONVERSE_BEGUN, aws_frame("throttlingException", {"message": "full"}, "exception")), "upstream_error"),
    ("converse", aws_stream(CONVERSE_BEGUN, BAD_CRC), "upstream_cut"),
    ("converse", aws_stream(CONVERSE_BEGUN, delta("half")[:20]), "upstream_cut"),
    ("converse", aws_stream(CONVERSE_BEGUN, cut=True, pace=0.05), "upstream_cut"),
    ("gemini", stream(GEMINI_BEGUN, 'data: {"error":{"code":503,"message":"full","status":"UNAVAILABLE"}}\r\n\r\n'), "upstream_error"),
    ("gemini", stream(GEMINI_BEGUN), "upstream_cut"),
    ("gemini", stream(GEMINI_BEGUN, cut=True, pace=0.05), "upstream_cut"),
    ("claude", stream(CLAUDE_BEGUN, OVERLOADED), "upstream_error"),
    ("claude", stream(CLAUDE_BEGUN, "data: {broken\n\n"), "upstream_cut"),
    ("openai", stream(CHAT_BEGUN, 'data: {"error":{"message":"full","type":"server_error"}}\n\n'), "upstream_error"),
]


def to_the_end(c):
    """The body of a stream, and whether it ended cleanly."""
    body = b""
    try:
        while piece := c.chunk():
            body += piece
        return body.decode(), True
    except (EOFError, OSError):
        return body.decode(), False


def last_error(path, body):
    """The error event of this dialect, which must stand last."""
    block = body.strip().split("\n\n")[-1]
    data = json.loads(block.split("data: ", 1)[1])
    if path == CHAT:
        assert block.startswith("data: "), block
        return data["error"]
    assert block.startswith("event: error\n") and data["type"] == "error", block
    return data["error"] if path == MESSAGES else data


def test_a_broken_stream_ends_with_an_error_of_the_clients_dialect(binary):
    with House(binary) as h:
        for provider, answer, why in BREAKS:
            for path in (CHAT, RESPONSES, MESSAGES):
                if provider == "openai" and path == RESPONSES:
                    continue  # that passes, below
                h.at[provider].will(answer)
                c = h.open(path, asks(path, provider, stream=True))
                assert c.head()[0] == 200
                body, clean = to_the_end(c)
                assert "so far" in body and not clean and "[DONE]" not in body, (provider, path, body)
                error = last_error(path, body)
                assert error["message"] and (why == "upstream_cut" or "full" in error["message"]), (provider, path, error)
                assert h.gateway.record()["error"] == why, (provider, path)


def test_a_passing_stream_of_responses_that_fails_is_no_clean_end(binary):
    failed = sse(type="error", sequence_number=2, code="server_error", message="full")
    with House(binary) as h:
        for answer, why in ((stream(RESPONSES_BEGUN, failed), "upstream_error"), (stream(RESPONSES_BEGUN), "upstream_cut"),
                            (stream(RESPONSES_BEGUN, cut=True, pace=0.05), "upstream_cut")):
            h.at["openai"].will(answer)
            c = h.open(RESPONSES, asks(RESPONSES, "openai", stream=True))
            assert c.head()[0] == 200
            body, clean = to_the_end(c)
            assert not clean and last_error(RESPONSES, body)["message"], body
            assert h.gateway.record()["error"] == why


def test_who_leaves_takes_every_upstream_along(binary):
    with House(binary) as h:
        for provider, answer in (("converse", aws_stream(CONVERSE_BEGUN, hold=True)), ("gemini", stream(GEMINI_BEGUN, hold=True)),
                                 ("claude", stream(CLAUDE_BEGUN, hold=True)), ("openai", stream(CHAT_BEGUN, hold=True))):
            h.at[provider].will(answer)
            c = h.open(CHAT, asks(CHAT, provider, stream=True))
            assert c.head()[0] == 200 and c.chunk()
            c.close()
            assert h.at[provider].left.wait(10), f"{provider} was not cancelled"
            record = h.gateway.record()
            assert record["error"] == "client_gone", record
            assert record.get("tokens.in") == {"claude": 100, "gemini": 5}.get(provider), record


def test_what_a_failed_attempt_used_is_counted_too(binary):
    more = "    - { name: both, models: [both], to: [{ backend: claude }, { backend: openai, priority: 1 }] }\n"
    chat_done = 'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' \
                'data: {"id":"c","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}\n\ndata: [DONE]\n\n'
    reply = '{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],' \
            '"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}'
    with House(binary, more) as h:
        for path in (CHAT, MESSAGES):
            h.at["claude"].will(stream(CLAUDE_START, OVERLOADED))
            h.at["openai"].will(stream(CHAT_BEGUN, chat_done))
            a = h.ask(path, asks(path, "both", stream=True))
            assert a.status == 200 and b"so far" in a.body and b"full" not in a.body, a.body
            record = h.gateway.record()
            assert (record["tokens.in"], record["tokens.out"], record["server"]) == (107, 4, "openai"), record
        h.at["claude"].will(stream(CLAUDE_START, OVERLOADED))
        h.at["openai"].will(Answer('{"error":{"message":"no","type":"invalid_request_error"}}', status=400))
        assert h.ask(CHAT, asks(CHAT, "both", stream=True)).status == 400
        assert h.gateway.record()["tokens.in"] == 100
        h.at["openai"].will(Answer(reply))
        h.at["claude"].will(Answer("down", status=503))
        assert h.ask(CHAT, asks(CHAT, "both")).status == 200
        assert h.gateway.record()["tokens.in"] == 7


# Gemini's thought, signed on the text after it; its call, and what comes back.
GEMINI_THOUGHT = '{"candidates":[{"index":0,"finishReason":"STOP","content":{"role":"model","parts":[{"text":"hm","thought":true},' \
                 '{"text":"so","thoughtSignature":"R2Vt"}]}}]}'
CLAUDE_REPLY = '{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"ok"}],' \
               '"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}'
CHAT_REPLY = '{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}'


def thought_of(answer, streamed):
    """The thinking block that a client of messages keeps."""
    if not streamed:
        return answer.json()["content"][0]
    data = [json.loads(d) for _, d in answer.events()]
    deltas = [d["delta"] for d in data if d["type"] == "content_block_delta"]
    return {"type": "thinking", "thinking": "".join(d.get("thinking", "") for d in deltas),
            "signature": next(d["signature"] for d in deltas if d["type"] == "signature_delta")}


def test_a_signature_goes_back_to_its_family_alone(binary):
    with House(binary) as h:
        for streamed in (False, True):
            h.at["gemini"].will(stream(f"data: {GEMINI_THOUGHT}\r\n\r\n") if streamed else Answer(GEMINI_THOUGHT))
            thought = thought_of(h.ask(MESSAGES, asks(MESSAGES, "gemini", stream=streamed)), streamed)
            assert thought == {"type": "thinking", "thinking": "hm", "signature": "sp1.gemini.s.R2Vt"}, thought
        turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [thought, {"type": "text", "text": "so"}]},
                 {"role": "user", "content": "and?"}]
        h.at["gemini"].will(Answer(GEMINI_THOUGHT))
        assert h.ask(MESSAGES, {"model": "gemini", "max_tokens": 9, "messages": turns}).status == 200
        parts = h.at["gemini"].body()["contents"][1]["parts"]
        assert parts[0] == {"text": "hm", "thought": True, "thoughtSignature": "R2Vt"}, parts
        for provider, reply in (("claude", CLAUDE_REPLY), ("openai", CHAT_REPLY)):
            h.at[provider].will(Answer(reply))
            a = h.ask(MESSAGES, {"model": provider, "max_tokens": 9, "messages": turns}, **{"X-Sallyport-Explain": "1"})
            assert a.status == 200 and "R2Vt" not in h.at[provider].asked[0][2].decode(), h.at[provider].body()
            assert a.headers["x-sallyport-dropped"] == "messages.content.thinking", a.headers
        mine = {**thought, "signature": "Q2xhdWRl"}
        turns[1]["content"][0] = mine
        h.at["claude"].will(Answer(CLAUDE_REPLY))
        assert h.ask(MESSAGES, {"model": "claude", "max_tokens": 9, "messages": turns}).status == 200
        assert h.at["claude"].body()["messages"][1]["content"][0] == mine


def test_reasoning_items_of_others_do_not_reach_openai(binary):
    with House(binary) as h:
        h.at["gemini"].will(Answer(GEMINI_THOUGHT))
        output = h.ask(RESPONSES, asks(RESPONSES, "gemini")).json()["output"]
        assert output[0]["encrypted_content"] == "sp1.gemini.s.R2Vt", output
        h.at["openai"].will(Answer(CHAT_REPLY))
        said = [{"role": "user", "content": "hi"}, *output, {"role": "user", "content": "and?"}]
        assert h.ask(RESPONSES, {"model": "openai", "input": said}).status == 200
        path, _, body = h.at["openai"].asked[0]
        assert path == CHAT and b"R2Vt" not in body, (path, body)


def test_a_failover_to_another_family_goes_on_without_its_thoughts(binary):
    more = "    - { name: both, models: [both], to: [{ backend: gemini }, { backend: claude, model: claude-sonnet-4-5, priority: 1 }] }\n"
    call = [{"type": "thinking", "thinking": "hm", "signature": "sp1.gemini.s.R2Vt"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {}}]
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": call},
             {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "18"}]}]
    asked = {"model": "both", "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 1024}, "messages": turns,
             "tools": [{"name": "f", "input_schema": {"type": "object"}}]}
    with House(binary, more) as h:
        h.at["gemini"].will(Answer('{"error":{"code":503,"message":"full","status":"UNAVAILABLE"}}', status=503))
        h.at["claude"].will(Answer(CLAUDE_REPLY))
        a = h.ask(MESSAGES, asked, **{"X-Sallyport-Explain": "1"})
        assert a.status == 200 and "thinking" in a.headers["x-sallyport-dropped"].split(","), (a.body, a.headers)
        body = h.at["claude"].body()
        assert "thinking" not in body and [b["type"] for b in body["messages"][1]["content"]] == ["tool_use"], body
        tool = {"id": "d0f6", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        blocks = [{"type": "thinking", "thinking": "hm", "signature": "R2Vt"}]
        turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "thinking_blocks": blocks, "content": None, "tool_calls": [tool]},
                 {"role": "tool", "tool_call_id": "d0f6", "content": "18"}]
        for maker, other in (("gemini", "claude"), ("claude", "gemini")):
            tool["id"] = turns[2]["tool_call_id"] = "toolu_1" if maker == "claude" else "d0f6"
            if maker == "gemini":
                h.at["gemini"].will(Answer('{"error":{"code":503,"message":"full","status":"UNAVAILABLE"}}', status=503))
                h.at["claude"].will(Answer(CLAUDE_REPLY))
            else:
                h.at["gemini"].will(Answer(GEMINI_THOUGHT))
            a = h.ask(CHAT, {"model": "both", "messages": turns}, **{"X-Sallyport-Explain": "1"})
            assert a.status == 200 and "messages.thinking" in a.headers["x-sallyport-dropped"], (a.body, a.headers)
            assert b"R2Vt" not in h.at[other].asked[-1][2], h.at[other].body()
            assert maker == "claude" or b"R2Vt" in h.at[maker].asked[-1][2], h.at[maker].body()


def test_an_object_in_the_place_of_a_list_is_survived(binary):
    def forty(item):
        return {f"k{i}": item for i in range(40)}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    block = {"type": "text", "text": "x"}
    answers = {"openai": {"choices": [{"message": {"role": "assistant", "tool_calls": forty(call)}}]},
               "claude": {"type": "message", "content": forty(block)},
               "converse": {"output": {"message": {"role": "assistant", "content": forty(block)}}, "stopReason": "end_turn"},
               "gemini": {"candidates": [{"content": {"parts": forty(block)}, "finishReason": "STOP"}]}}
    with House(binary) as h:
        for provider, answer in answers.items():
            path = MESSAGES if provider == "openai" else CHAT
            h.at[provider].will(Answer(json.dumps(answer)))
            assert h.ask(path, asks(path, provider)).status in (200, 502), provider
            turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": forty(call)}]
            h.at[provider].will(Answer(CHAT_REPLY if provider == "openai" else json.dumps(answer)))
            a = h.ask(CHAT, {"model": provider, "messages": turns})
            assert a.status == 200 if provider == "openai" else a.status == 400 and "tool_calls" in a.json()["error"]["message"], a.body

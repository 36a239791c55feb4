# SPDX-License-Identifier: Apache-2.0
"""What the LLM door promises provider by provider, each promise under its own name, through the running binary.

All share one gateway and a fake of each family; a failure says which promise it broke."""
import json
import os
import sys

from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider, aws_frame, aws_stream, stream  # noqa: E402

GOLDEN = os.path.join(here, "..", "golden")
POLICY = 'policy: v1\nname: p\nrules:\n  - { id: all, permit: { models: ["*"], endpoints: ["*"] } }\n'
AWS = "auth: { aws: { access_key_id: A, secret_access_key: S } }"
GCP = "auth: { gcp: { token: t } }"
BACKENDS = {
    "openai": "schema: openai, prefix: v9",
    "azure": 'schema: azure, version: "2025-04-01-preview", auth: { api_key: k }',
    "claude": "schema: anthropic, prefix: own, version: v7",
    "converse": "schema: aws-bedrock, region: r, " + AWS,
    "bedclaude": "schema: aws-anthropic, region: r, prefix: own, " + AWS,
    "gemini": "schema: gemini",
    "vclaude": "schema: gcp-anthropic, project: p, region: r, prefix: own, " + GCP,
}
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
PNG = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
CHAT_REPLY = json.dumps({"id": "c", "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]})
CLAUDE_REPLY = json.dumps({"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "ok"}],
                           "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}})
RESPONSES_REPLY = '{"id":"r","object":"response","status":"completed","output":[]}'


def gemini_reply(reason="STOP", part=None):
    return json.dumps({"candidates": [{"index": 0, "finishReason": reason, "content": {"role": "model", "parts": [part or {"text": "ok"}]}}]})


class House(Household):
    """A model NAME or NAME/ANYTHING is at the provider NAME."""

    def __init__(self, binary):
        self.at = {name: Provider() for name in BACKENDS}
        llm = "llm:\n  backends:\n" + "".join(f"    {n}: {{ {what}, url: \"http://127.0.0.1:{self.at[n].port}\", breaker: {{ failures: 99 }} }}\n"
                                              for n, what in BACKENDS.items())
        llm += "  routes:\n" + "".join(f"    - {{ name: {n}, models: [{n}, \"{n}/*\"], to: [{{ backend: {n} }}] }}\n" for n in BACKENDS)
        super().__init__(binary, self.at.values(), llm, POLICY)
        self.token = self.issuer.token("alice")

    def ask(self, path, body, **headers):
        c = Connection(self.gateway.port)
        c.request("POST", path, {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}, json.dumps(body))
        return c.answer()

    def told(self, path, body, answer, **headers):
        """What the provider was asked: (path, body)."""
        at = self.at[body["model"].split("/")[0]]
        at.will(Answer(answer) if isinstance(answer, str) else answer)
        a = self.ask(path, body, **headers)
        assert a.status == 200, a.body
        return at.asked[0][0], at.body()


def turns(path, model, *said, **more):
    if path == RESPONSES:
        return {"model": model, "input": list(said), **more}
    return {"model": model, "max_tokens": 2048, "messages": list(said), **more}


def user(content="hi"):
    return {"role": "user", "content": content}


def messages_to_bedrock_converse_with_text_images_tool_use_thinking_and_streaming(h):
    said = turns(MESSAGES, "converse/claude-sonnet-4-5", user([{"type": "text", "text": "see"}, {"type": "image", "source": PNG}]),
                 {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "cmVk"},
                                                   {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]},
                 user([{"type": "tool_result", "tool_use_id": "t1", "content": "18"}]),
                 tools=[{"name": "f", "input_schema": {"type": "object"}}], thinking={"type": "enabled", "budget_tokens": 1024}, stream=True)
    frames = [aws_frame("messageStart", {"role": "assistant"}),
              aws_frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "so"}}}),
              aws_frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "sig"}}}),
              aws_frame("contentBlockStop", {"contentBlockIndex": 0}),
              aws_frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "warm"}}),
              aws_frame("contentBlockStop", {"contentBlockIndex": 1}), aws_frame("messageStop", {"stopReason": "end_turn"}),
              aws_frame("metadata", {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}})]
    h.at["converse"].will(aws_stream(*frames))
    a = h.ask(MESSAGES, said)
    sent = h.at["converse"].body()
    assert h.at["converse"].asked[0][0].endswith("/converse-stream"), h.at["converse"].asked[0][0]
    assert sent["messages"][0]["content"] == [{"text": "see"}, {"image": {"format": "png", "source": {"bytes": "AAAA"}}}], sent
    kinds = [next(iter(b)) for b in sent["messages"][1]["content"]]
    assert kinds == ["reasoningContent", "reasoningContent", "toolUse"] and "toolResult" in sent["messages"][2]["content"][0], sent
    assert sent["additionalModelRequestFields"]["thinking"] == {"type": "enabled", "budget_tokens": 1024}, sent
    deltas = [json.loads(d)["delta"] for e, d in a.events() if e == "content_block_delta"]
    assert deltas == [{"type": "thinking_delta", "thinking": "so"}, {"type": "signature_delta", "signature": "sig"},
                      {"type": "text_delta", "text": "warm"}], deltas
    end = [json.loads(d) for e, d in a.events() if e == "message_delta"][0]
    assert end["usage"]["input_tokens"] == 5 and end["usage"]["output_tokens"] == 2, end


def thinking_redacted_thinking_and_images_from_messages_to_chat_and_back(h):
    thought = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "cmVk"}]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    _, sent = h.told(CHAT, turns(CHAT, "claude/claude-sonnet-4-5", user([image]), {"role": "assistant", "content": "x", "thinking_blocks": thought}, user()),
                     CLAUDE_REPLY)
    assert sent["messages"][0]["content"][0] == {"type": "image", "source": PNG}, sent
    assert sent["messages"][1]["content"][:2] == thought, sent
    reply = json.loads(CLAUDE_REPLY)
    reply["content"] = thought + reply["content"]
    h.at["claude"].will(Answer(json.dumps(reply)))
    message = h.ask(CHAT, turns(CHAT, "claude/claude-sonnet-4-5", user())).json()["choices"][0]["message"]
    assert message["thinking_blocks"] == thought and message["reasoning_content"] == "hm" and message["content"] == "ok", message
    _, sent = h.told(MESSAGES, turns(MESSAGES, "openai", user([{"type": "image", "source": PNG}])), CHAT_REPLY)
    assert sent["messages"][0]["content"][0] == image, sent
    reply = json.loads(CHAT_REPLY)
    reply["choices"][0]["message"]["thinking_blocks"] = thought
    h.at["openai"].will(Answer(json.dumps(reply)))
    content = h.ask(MESSAGES, turns(MESSAGES, "openai", user())).json()["content"]
    assert [b["type"] for b in content] == ["thinking", "redacted_thinking", "text"] and content[1]["data"] == "cmVk", content


def opus_4_7_and_mythos_preview_reason_adaptively_with_display_and_older_models_by_budget(h):
    for model in ("claude/claude-opus-4-7", "claude/claude-mythos-preview"):
        for effort in ("low", "medium", "high", "xhigh"):
            _, sent = h.told(CHAT, turns(CHAT, model, user(), reasoning_effort=effort), CLAUDE_REPLY)
            assert sent["output_config"] == {"effort": effort} and "budget_tokens" not in json.dumps(sent), sent
        for display in ("summarized", "omitted"):
            _, sent = h.told(CHAT, turns(CHAT, model, user(), thinking={"type": "adaptive", "display": display}), CLAUDE_REPLY)
            assert sent["thinking"] == {"type": "adaptive", "display": display}, sent
    _, sent = h.told(CHAT, turns(CHAT, "claude/claude-sonnet-4-5", user(), reasoning_effort="low"), CLAUDE_REPLY)
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 1024} and "output_config" not in sent, sent


def prefix_on_anthropic_and_openai_backends_and_on_no_cloud(h):
    at = {n: h.told(MESSAGES, turns(MESSAGES, n, user()), CLAUDE_REPLY)[0] for n in ("claude", "bedclaude", "vclaude")}
    assert at == {"claude": "/own/messages", "bedclaude": "/model/bedclaude/invoke",
                  "vclaude": "/v1/projects/p/locations/r/publishers/anthropic/models/vclaude:rawPredict"}, at
    assert h.told(CHAT, turns(CHAT, "openai", user()), CHAT_REPLY)[0] == "/v9/chat/completions"


def anthropic_beta_into_the_body_for_claude_on_aws_filtered(h):
    betas = "prompt-caching-2024-07-31, interleaved-thinking-2025-05-14,interleaved-thinking-2025-05-14"
    for path in (MESSAGES, CHAT):
        _, sent = h.told(path, turns(path, "bedclaude", user()), CLAUDE_REPLY, **{"anthropic-beta": betas})
        assert sent["anthropic_beta"] == ["interleaved-thinking-2025-05-14"], sent


def azure_responses_at_openai_responses_with_an_api_version(h):
    path, sent = h.told(RESPONSES, turns(RESPONSES, "azure", user()), RESPONSES_REPLY)
    assert path == "/openai/responses?api-version=2025-04-01-preview" and sent["model"] == "azure", (path, sent)


def audio_url_and_video_url_parts(h):
    parts = [{"type": "audio_url", "audio_url": {"url": "data:audio/wav;base64,AAAA"}}, {"type": "video_url", "video_url": {"url": "gs://b/v.mp4"}}]
    _, sent = h.told(CHAT, turns(CHAT, "gemini", user(parts)), gemini_reply())
    assert sent["contents"][0]["parts"] == [{"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
                                            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v.mp4"}}], sent


def sse_fields_without_a_space_and_events_cut_anywhere_by_tcp(h):
    events = ('data:{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"a b"}}]}\r\n\r\n'
              'data:{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata:[DONE]\r\n\r\n').encode()
    for size in (1, 7, len(events)):
        h.at["openai"].will(stream(*[events[i:i + size] for i in range(0, len(events), size)]))
        a = h.ask(MESSAGES, turns(MESSAGES, "openai", user(), stream=True))
        text = [json.loads(d)["delta"]["text"] for e, d in a.events() if e == "content_block_delta"]
        assert text == ["a b"] and a.events()[-1][0] == "message_stop", a.body


def a_bedrock_200_without_output_is_an_error(h):
    for path in (CHAT, MESSAGES, RESPONSES):
        h.at["converse"].will(Answer('{"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":0,"totalTokens":1}}'))
        assert h.ask(path, turns(path, "converse", user())).status == 502


GEMINI_FINISH = {"STOP": "stop", "MAX_TOKENS": "length", "RECITATION": "recitation", "IMAGE_RECITATION": "recitation", "LANGUAGE": "language",
                 "MALFORMED_FUNCTION_CALL": "malformed_function_call", "UNEXPECTED_TOOL_CALL": "unexpected_tool_call", "NO_IMAGE": "no_image",
                 "OTHER": "error", "FROM_THE_FUTURE": "error",
                 **dict.fromkeys(("SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT"), "content_filter")}


def the_full_gemini_finish_reason_map_with_unknown_ones_as_errors(h):
    for reason, want in GEMINI_FINISH.items():
        h.at["gemini"].will(Answer(gemini_reply(reason)))
        got = h.ask(CHAT, turns(CHAT, "gemini", user())).json()["choices"][0]["finish_reason"]
        assert got == want, (reason, got)
    h.at["gemini"].will(Answer(gemini_reply("STOP", {"functionCall": {"name": "f", "args": {}}})))
    assert h.ask(CHAT, turns(CHAT, "gemini", user())).json()["choices"][0]["finish_reason"] == "tool_calls"


def an_empty_delta_in_streamed_chunks_without_content(h):
    h.at["gemini"].will(stream(f"data: {gemini_reply()}\n\n"))
    a = h.ask(CHAT, turns(CHAT, "gemini", user(), stream=True))
    choices = [c for _, d in a.events() if d != "[DONE]" for c in json.loads(d)["choices"]]
    assert all(isinstance(c["delta"], dict) for c in choices) and choices[-1] == {"index": 0, "delta": {}, "finish_reason": "stop"}, a.body


def typeless_assistant_items_in_responses(h):
    items = [user(), {"role": "assistant", "content": "x"}, {"role": "assistant", "content": [{"type": "output_text", "text": "y"}]}, user()]
    _, sent = h.told(RESPONSES, turns(RESPONSES, "claude", *items), CLAUDE_REPLY)
    assert [b["text"] for b in sent["messages"][1]["content"]] == ["x", "y"], sent
    assert h.told(RESPONSES, turns(RESPONSES, "azure", *items), RESPONSES_REPLY)[1]["input"] == items


def unknown_tool_types_and_bodies_of_codex_opencode_and_claude_code(h):
    odd = [{"type": "from_the_future", "x": 1}]
    assert h.told(RESPONSES, turns(RESPONSES, "azure", user(), tools=odd), RESPONSES_REPLY)[1]["tools"] == odd
    h.at["claude"].will(Answer(CLAUDE_REPLY))
    a = h.ask(RESPONSES, turns(RESPONSES, "claude", user(), tools=odd), **{"x-sallyport-explain": "1"})
    assert a.status == 200 and a.headers["x-sallyport-dropped"] == "tools", (a.body, a.headers)
    for pair, case, path, model, reply in (("openai_responses-anthropic_messages", "codex", RESPONSES, "claude", CLAUDE_REPLY),
                                           ("openai_chat-anthropic_messages", "opencode", CHAT, "claude", CLAUDE_REPLY),
                                           ("anthropic_messages-openai_chat", "claude_code", MESSAGES, "openai", CHAT_REPLY)):
        with open(os.path.join(GOLDEN, pair, case, "request.in")) as f:
            body = json.load(f)
        h.told(path, {**body, "model": model, "stream": False}, reply)


def parts_of_an_answer_that_no_other_dialect_knows_are_named(h):
    block = {"type": "from_the_future", "x": 1}
    h.at["claude"].will(Answer(json.dumps({**json.loads(CLAUDE_REPLY), "content": [block, {"type": "text", "text": "ok"}]})))
    a = h.ask(CHAT, turns(CHAT, "claude", user()), **{"x-sallyport-explain": "1"})
    assert a.json()["choices"][0]["message"]["content"] == "ok" and a.headers["x-sallyport-dropped"] == "answer.content", a.headers
    events = [{"type": "message_start", "message": {**json.loads(CLAUDE_REPLY), "content": []}},
              {"type": "content_block_start", "index": 0, "content_block": block}, {"type": "content_block_stop", "index": 0},
              {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}, {"type": "message_stop"}]
    h.gateway.forget_records()
    h.at["claude"].will(stream("".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)))
    assert h.ask(CHAT, turns(CHAT, "claude", user(), stream=True)).status == 200
    assert h.gateway.record()["dropped"] == "answer.content"


PROMISES = [
    parts_of_an_answer_that_no_other_dialect_knows_are_named,
    messages_to_bedrock_converse_with_text_images_tool_use_thinking_and_streaming,
    thinking_redacted_thinking_and_images_from_messages_to_chat_and_back,
    opus_4_7_and_mythos_preview_reason_adaptively_with_display_and_older_models_by_budget,
    prefix_on_anthropic_and_openai_backends_and_on_no_cloud,
    anthropic_beta_into_the_body_for_claude_on_aws_filtered,
    azure_responses_at_openai_responses_with_an_api_version,
    audio_url_and_video_url_parts,
    sse_fields_without_a_space_and_events_cut_anywhere_by_tcp,
    a_bedrock_200_without_output_is_an_error,
    the_full_gemini_finish_reason_map_with_unknown_ones_as_errors,
    an_empty_delta_in_streamed_chunks_without_content,
    typeless_assistant_items_in_responses,
    unknown_tool_types_and_bodies_of_codex_opencode_and_claude_code,
]


def test_every_promise_about_a_provider_is_kept(binary):
    with House(binary) as h:
        for promise in PROMISES:
            try:
                promise(h)
            except Exception as e:
                raise AssertionError(f"{promise.__name__}: {type(e).__name__} {e}") from e

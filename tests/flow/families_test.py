# SPDX-License-Identifier: Apache-2.0
"""What each family of providers says in its own way, told to clients of any dialect: one gateway, a fake of each."""
import json
import os
import sys

from house.household import Household
from house.http import Connection

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

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
        for path, delay, want in ((CHAT, "13s", "13"), (MESSAGES, "1.5s", "2"), (RESPONSES, "0s", "0"), (CHAT, "soon", None)):
            h.at["gemini"].will(Answer(refusal % delay, status=429))
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

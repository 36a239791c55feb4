# SPDX-License-Identifier: Apache-2.0
"""Cohere as a provider: chat for every client dialect, embeddings, and reranking in its own shape."""
import base64
import json
import os
import struct
import sys

from house.household import Household
from house.http import once

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider, stream  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: some, permit: { models: ["command*", "embed*", "rerank*"] } }
"""
USAGE = {"tokens": {"input_tokens": 20, "output_tokens": 3}, "billed_units": {"input_tokens": 2, "output_tokens": 3}}
REPLY = json.dumps({"id": "r", "message": {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
                    "finish_reason": "COMPLETE", "usage": USAGE})
RANKED = '{"id":"x","results":[{"index":1,"relevance_score":0.9500}],"meta":{"billed_units":{"search_units":1}}}'


def events(*evs):
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in evs)


BEGUN = events({"type": "message-start", "id": "r", "delta": {"message": {"role": "assistant"}}},
               {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": "Yes."}}}})
ENDED = events({"type": "content-end", "index": 0}, {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}})


class House(Household):
    def __init__(self, binary):
        self.provider = Provider()
        config = f"""llm:
  backends:
    cohere: {{ schema: cohere, url: "http://127.0.0.1:{self.provider.port}", auth: {{ bearer: co-key }} }}
  routes:
    - {{ name: r, models: ["rerank-mine"], to: [{{ backend: cohere, model: rerank-v3.5 }}] }}
    - {{ name: c, to: [{{ backend: cohere }}] }}
"""
        super().__init__(binary, [self.provider], config, POLICY)
        self.token = self.issuer.token("alice")

    def ask(self, path, body, **headers):
        return once(self.gateway.port, "POST", path, {"Authorization": f"Bearer {self.token}", **headers,
                                                      "Content-Type": "application/json"}, json.dumps(body))


def test_cohere_chats_embeds_and_reranks(binary):
    with House(binary) as h:
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            body = {"model": "command-a", "max_tokens": 9, "messages": [{"role": "user", "content": "Is it?"}],
                    "temperature": 0.3, "logit_bias": {"1": 2}}
            if path == "/v1/responses":
                body = {"model": "command-a", "input": "Is it?", "temperature": 0.3, "logit_bias": {"1": 2}}
            for streams in (False, True):
                h.provider.will(stream(BEGUN, ENDED) if streams else Answer(REPLY))
                a = h.ask(path, {**body, "stream": streams}, **{"x-sallyport-explain": "1"})
                assert a.status == 200 and b"Yes." in a.body, (path, a.body)
                assert "logit_bias" in a.headers["x-sallyport-dropped"], a.headers
                sent_to, head, _ = h.provider.asked[0]
                assert (sent_to, head["authorization"]) == ("/v2/chat", "Bearer co-key"), sent_to
                assert h.provider.body()["messages"] == [{"role": "user", "content": "Is it?"}]
                r = h.gateway.record()
                assert (r["tokens.in"], r["tokens.out"], r["server"]) == (20, 3, "cohere"), r
        named = {"name": "answer", "description": "In one word.", "schema": {"type": "object"}}
        for path, body, lost in (
                ("/v1/chat/completions", {"messages": [], "response_format": {"type": "json_schema", "json_schema": named}},
                 "response_format.json_schema.name,response_format.json_schema.description"),
                ("/v1/responses", {"input": "Is it?", "text": {"format": {"type": "json_schema", **named}}},
                 "text.format.name,text.format.description")):
            h.provider.will(Answer(REPLY))
            a = h.ask(path, {"model": "command-a", **body}, **{"x-sallyport-explain": "1"})
            assert a.status == 200 and a.headers["x-sallyport-dropped"] == lost, (path, a.body, a.headers)
            assert h.provider.body()["response_format"]["json_schema"] == {"type": "object"}
        h.provider.will(Answer('{"message":"too many tokens"}', status=400))
        assert h.ask("/v1/chat/completions", {"model": "command-a", "messages": []}).json()["error"]["message"] == "too many tokens"
        assert h.ask("/v1/chat/completions", {"model": "command-a", "messages": [], "n": 2}).status == 400

        h.provider.will(Answer('{"id":"e","embeddings":{"float":[[0.5,-1],[2,0.25]]},"meta":{"billed_units":{"input_tokens":4}}}'))
        a = h.ask("/v1/embeddings", {"model": "embed-v4", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 2})
        vectors = [struct.unpack("<2f", base64.b64decode(d["embedding"])) for d in a.json()["data"]]
        assert vectors == [(0.5, -1), (2, 0.25)] and a.json()["usage"]["prompt_tokens"] == 4, a.body
        assert h.provider.asked[0][0] == "/v2/embed"
        assert h.provider.body() == {"model": "embed-v4", "texts": ["a", "b"], "input_type": "search_document",
                                     "embedding_types": ["float"], "output_dimension": 2}
        h.provider.will(Answer('{"embeddings":{"float":[[1]]}}'))
        h.ask("/v1/embeddings", {"model": "embed-v4", "input": "a", "input_type": "search_query"})
        assert h.provider.body()["input_type"] == "search_query"
        h.provider.will()
        assert h.ask("/v1/embeddings", {"model": "embed-v4", "input": [[1, 2]]}).status == 400

        for path in ("/v2/rerank", "/cohere/v2/rerank"):
            h.provider.will(Answer(RANKED))
            a = h.ask(path, {"model": "rerank-mine", "query": "q", "documents": ["a", "b"], "top_n": 1})
            assert a.status == 200 and a.body.decode() == RANKED, a.body
            assert h.provider.asked[0][0] == "/v2/rerank"
            assert h.provider.body() == {"model": "rerank-v3.5", "query": "q", "documents": ["a", "b"], "top_n": 1}
        h.provider.will(Answer('{"id":"1","message":"no such \\"model\\""}', status=404))
        a = h.ask("/v2/rerank", {"model": "rerank-mine", "query": "q", "documents": ["a"]})
        assert (a.status, a.json()) == (404, {"message": 'no such "model"'}), a.body
        h.provider.will()
        for body in ({"query": "", "documents": ["a"]}, {"query": "q", "documents": []}, {"query": "q"}):
            a = h.ask("/v2/rerank", {"model": "rerank-mine", **body})
            assert a.status == 400 and "message" in a.json() and not h.provider.asked, a.body
        assert h.ask("/v2/rerank", {"model": "gpt", "query": "q", "documents": ["a"]}).status == 404

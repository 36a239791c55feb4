# SPDX-License-Identifier: Apache-2.0
"""A gateway without a file: the environment says which providers there are, a model's name says whose it is."""
import json
import os
import queue
import subprocess
import sys
import tempfile

from house import upstreams
from house.gateway import Gateway
from house.http import once
from house.ports import free_port

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from aws import is_signed  # noqa: E402
from provider import Answer, Provider  # noqa: E402

NAMED = ("OPENAI_", "ANTHROPIC_", "AZURE_", "AWS_", "GOOGLE_", "GEMINI_", "CO_API", "COHERE_")


def environment(**named):
    """That of the tests, without what its owner may have of providers."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith(NAMED)}, **named}


class Bare(Gateway):
    """Gateway's process without its configuration, in an empty directory."""

    def __init__(self, binary, *options, **named):
        self.dir, self.port, self.records = tempfile.mkdtemp(prefix="sallyport-flow-"), free_port(), queue.Queue()
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.command = ["env", "-C", self.dir, binary, "serve", "--port", str(self.port), *options]
        self.env = environment(**named)
        self._start()


class House:
    def __init__(self, binary):
        self.fakes = {n: Provider() for n in ("openai", "anthropic", "azure", "bedrock", "gemini")}
        url = {n: f"http://127.0.0.1:{p.port}" for n, p in self.fakes.items()}
        self.gateway = Bare(
            binary, OPENAI_API_KEY="sk-openai", OPENAI_BASE_URL=url["openai"] + "/v1", OPENAI_ORG_ID="org-1",
            ANTHROPIC_API_KEY="sk-claude", ANTHROPIC_BASE_URL=url["anthropic"],
            AZURE_OPENAI_ENDPOINT=url["azure"] + "/", AZURE_OPENAI_API_KEY="key-azure", OPENAI_API_VERSION="2025-01-01",
            AZURE_OPENAI_DEPLOYMENT="our-gpt", AWS_REGION="eu-west-1", AWS_ACCESS_KEY_ID="AKIA1",
            AWS_SECRET_ACCESS_KEY="aws-secret", AWS_ENDPOINT_URL_BEDROCK_RUNTIME=url["bedrock"],
            GEMINI_API_KEY="key-gemini", GOOGLE_GEMINI_BASE_URL=url["gemini"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gateway.stop()
        for fake in self.fakes.values():
            fake.stop()

    def asked(self, model, provider):
        """Where the request for this model arrived, with which headers; the provider refuses it, which is enough."""
        fake = self.fakes[provider]
        fake.will(Answer('{"error":{"message":"no","type":"invalid_request_error"}}', status=400))
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]})
        a = once(self.gateway.port, "POST", "/v1/chat/completions", {"Content-Type": "application/json"}, body)
        assert len(fake.asked) == 1, (model, a.status, a.body, self.gateway.log_text())
        path, headers, sent = fake.asked[0]
        return path, {k.lower(): v for k, v in headers.items()}, sent


def test_a_model_goes_to_the_provider_of_its_name(binary):
    with House(binary) as h:
        path, head, _ = h.asked("gpt-5", "openai")
        assert path == "/v1/chat/completions" and head["authorization"] == "Bearer sk-openai", (path, head)
        assert head["openai-organization"] == "org-1" and "openai-project" not in head, head
        path, head, _ = h.asked("claude-sonnet-4-5", "anthropic")
        assert path == "/v1/messages" and head["x-api-key"] == "sk-claude", (path, head)
        path, head, _ = h.asked("our-gpt", "azure")
        assert path == "/openai/deployments/our-gpt/chat/completions?api-version=2025-01-01", path
        assert head["api-key"] == "key-azure", head
        path, head, body = h.asked("us.amazon.nova-pro-v1:0", "bedrock")
        assert path.endswith("/converse") and is_signed("POST", path, head, body, "aws-secret"), (path, head)
        path, head, body = h.asked("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock")
        assert path.endswith("/invoke") and is_signed("POST", path, head, body, "aws-secret"), (path, head)
        path, head, _ = h.asked("gemini-2.5-pro", "gemini")
        assert ":generateContent" in path and head["x-goog-api-key"] == "key-gemini", (path, head)
        assert once(h.gateway.port, "GET", "/v1/models", {}).json()["data"][0]["id"] == "our-gpt"
        said = h.gateway.log_text()
        assert "claude-* by anthropic" in said and "every other model by openai" in said, said
        assert "permit-all" in said and "sk-" not in said and "aws-secret" not in said, said


def test_models_stand_beside_the_servers_of_a_desktop_client(binary):
    fake = Provider()
    clients = json.dumps({"mcpServers": {"My child": {"command": upstreams.STDIO[0], "args": upstreams.STDIO[1:]}}})
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write(clients)
        f.flush()
        gateway = Bare(binary, "--mcp-config", f.name, OPENAI_BASE_URL=f"http://127.0.0.1:{fake.port}/v1")
        try:
            head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                    "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
            meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"}}
            tools = once(gateway.port, "POST", "/mcp", head,
                         json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}))
            assert "my-child__" in tools.body.decode(), tools.body
            fake.will(Answer("{}", status=400))
            once(gateway.port, "POST", "/v1/chat/completions", {"Content-Type": "application/json"},
                 '{"model":"llama","messages":[{"role":"user","content":"hi"}]}')
            assert "authorization" not in {k.lower() for k in fake.asked[0][1]}, fake.asked
        finally:
            gateway.stop()
            fake.stop()


def refusal(binary, *options, **named):
    with tempfile.TemporaryDirectory() as d:
        p = subprocess.run([binary, "serve", *options], capture_output=True, text=True, timeout=60, cwd=d,
                           env=environment(**named))
    return p.returncode, p.stderr


def test_what_cannot_be_made_of_it_is_said(binary):
    code, said = refusal(binary)
    assert code == 1 and "OPENAI_API_KEY, ANTHROPIC_API_KEY" in said and "sallyport demo" in said, said
    code, said = refusal(binary, OPENAI_API_KEY="1", AZURE_OPENAI_API_KEY="secret-1")
    assert code == 1 and "AZURE_OPENAI_ENDPOINT is not" in said and "secret-1" not in said, said
    code, said = refusal(binary, "--port", "70000", OPENAI_API_KEY="1")
    assert code == 2 and "0 to 65535" in said, said
    code, said = refusal(binary, "--port", "0", "-c", "x.yaml")
    assert code == 2 and "`listen`" in said, said

# SPDX-License-Identifier: Apache-2.0
"""What the SDK suites run against: a third-party provider mock, in plain dress and in the four that
torture readers of streams, and one gateway with a loopback address for every provider behind it."""
import json
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.abspath(os.path.join(here, "..", ".."))
shared = os.path.join(root, "..", "shared", "conformance", "clients")
sys.path.insert(0, os.path.join(root, "tests", "flow"))
from house.gateway import CONFIG, Gateway  # noqa: E402
from house.ports import free_port, wait_for_port  # noqa: E402
from house.tokens import Issuer  # noqa: E402

POLICY = """policy: v1
name: sdks
rules:
  - { id: all, permit: { models: ["*"], endpoints: ["*"] } }
"""

# A key that verifies in the mock, which knows its secret.
AWS = {"aws": {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}}
GCP = {"project": "p", "region": "us-central1", "auth": {"gcp": {"token": "ya29.mock"}}}
SUITES_ASK = ["M_OPENAI", "M_RESPONSES", "M_ANTHROPIC", "M_EMBED", "M_STT", "M_TTS", "M_IMAGE", "M_COHERE"]
OPENAI = {"M_ANTHROPIC": "gpt-4o"}  # the rest is what the suites ask for by themselves
GEMINI = {"*": "gemini-2.5-flash", "M_EMBED": "gemini-embedding-001"}

# name -> (backend, the models that the suites ask it for)
PROVIDERS = {
    "openai": ({"schema": "openai"}, OPENAI),
    "azure": ({"schema": "azure", "auth": {"api_key": "azure-key"}}, OPENAI),
    "anthropic": ({"schema": "anthropic", "prefix": "v1", "auth": {"api_key": "sk-ant"}}, {"*": "claude-opus-4-7"}),
    "bedrock": ({"schema": "aws-bedrock", "region": "us-east-1", "auth": AWS},
                {"*": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "M_EMBED": "amazon.titan-embed-text-v2:0"}),
    "aws-anthropic": ({"schema": "aws-anthropic", "region": "us-east-1", "auth": AWS}, {"*": "us.anthropic.claude-opus-4-7-v1:0"}),
    "vertex": ({"schema": "gcp-vertex", **GCP}, GEMINI),
    "gemini": ({"schema": "gemini", "auth": {"api_key": "AIza"}}, GEMINI),
    "gcp-anthropic": ({"schema": "gcp-anthropic", **GCP}, {"*": "claude-opus-4-7@default"}),
    "cohere": ({"schema": "cohere", "auth": {"bearer": "co"}}, {"*": "command-a-03-2025", "M_EMBED": "embed-v4.0"}),
}
TORTURES = {"nospace": {"NOSPACE": "1"}, "crlf": {"CRLF": "1"}, "comments": {"COMMENTS": "1"}, "split": {"SPLIT": "7"}}


class World:
    """Behind `address(PROVIDER, DRESS)` the gateway serves every model from that provider's mock in that dress."""

    def __init__(self, binary):
        self.harness = os.path.join(root, "build", "llm-harness")
        subprocess.run([os.path.join(here, "harness"), shared, self.harness], check=True)
        self.node = os.path.join(self.harness, "node_modules", ".bin", "node")
        self.kids, self.dresses = [], {}
        self.hosts = {(p, d): f"127.0.0.{20 + 10 * i + k}" for i, d in enumerate(["plain", *TORTURES])
                      for k, p in enumerate(PROVIDERS)}
        try:
            self.start_mocks()
            issuer = Issuer()
            self.key = issuer.token("sdk")
            self.gateway = Gateway(binary, issuer, f"llm: {json.dumps(self.llm())}\n", POLICY, config=self.head())
        except BaseException:
            self.end_mocks()
            raise

    def start(self, argv, env=None):
        path = os.path.join(self.harness, "node_modules", ".bin") + ":" + os.environ["PATH"]
        self.kids.append(subprocess.Popen(argv, env={**os.environ, "PATH": path, **(env or {})}, cwd=self.harness,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def start_mocks(self):
        self.mock = free_port()
        self.start([os.path.join(self.harness, "node_modules", ".bin", "llmock"), "-p", str(self.mock), "-f", "fixtures/llm.json",
                    "--validate-on-load", "--log-level", "warn"])
        ports = [self.mock]
        for dress, env in {"plain": {}, **TORTURES}.items():
            gap, self.dresses[dress] = free_port(), free_port()
            mock = f"http://127.0.0.1:{self.mock}"
            self.start([self.node, "mocks/gap.mjs", str(gap)], {"AIMOCK": mock, "SIGV4": "1", **env})
            self.start([self.node, os.path.join(here, "rest.mjs"), str(self.dresses[dress])],
                       {"MOCK": mock, "GAP": f"http://127.0.0.1:{gap}", "HARNESS": self.harness})
            ports += [gap, self.dresses[dress]]
        for port in ports:
            wait_for_port(port, 60)

    def head(self):
        more = "".join(f"  - address: {host}:{{port}}\n" for host in self.hosts.values())
        return CONFIG.replace("admin:", more + "admin:", 1)

    def llm(self):
        backends, routes = {}, []
        for (provider, dress), host in self.hosts.items():
            name = f"{provider}-{dress}"
            backends[name] = {**PROVIDERS[provider][0], "url": f"http://127.0.0.1:{self.dresses[dress]}"}
            routes.append({"name": name, "hosts": [host], "models": ["a-model", "*"], "to": [{"backend": name}]})
        return {"backends": backends, "routes": routes}

    def environment(self, provider, dress="plain"):
        """Of a suite that shall have this provider behind."""
        base = f"http://{self.hosts[provider, dress]}:{self.gateway.port}"
        models = PROVIDERS[provider][1]
        asked = {k: models.get(k, models.get("*")) for k in SUITES_ASK}
        return {"BASE": base, "KEY": self.key, "UPSTREAM": f"http://127.0.0.1:{self.mock}",
                **{k: v for k, v in asked.items() if v}}

    def end_mocks(self):
        for kid in self.kids:
            kid.kill()
            kid.wait()

    def stop(self):
        try:
            self.gateway.stop()
        finally:
            self.end_mocks()

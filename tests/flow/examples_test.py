# SPDX-License-Identifier: Apache-2.0
"""What stands in examples/ works: each is checked, its policies are tested, and it is started as it is.

A configuration reads where its upstreams are from the environment, so that fakes can stand there."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from house import mcp, upstreams
from house.gateway import until
from house.http import Connection, once
from house.ports import free_port, wait_for_port
from house.redis import Redis

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
SAID = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}


class Example:
    """A copy of an example, on a port of its own; `env` is what its configuration reads."""

    def __init__(self, binary, name, **env):
        self.binary, self.dir, self.port = binary, tempfile.mkdtemp(prefix="sallyport-example-"), free_port()
        self.env = {**os.environ, **{k: str(v) for k, v in env.items()}}
        shutil.copytree(os.path.join(EXAMPLES, name), self.dir, dirs_exist_ok=True)
        self.env["AWS_SHARED_CREDENTIALS_FILE"] = os.path.join(self.dir, "files", "aws.ini")
        path = os.path.join(self.dir, "sallyport.yaml")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(re.sub(r"127\.0\.0\.1:8080", f"127.0.0.1:{self.port}", text))
        for secret in set(re.findall(r"file:([\w.]+\.key)", text)):
            with open(os.path.join(self.dir, secret), "w") as f:
                f.write("a secret of the tests, of thirty-two bytes and more")
        self.process = None

    def run(self, *args):
        return subprocess.run([self.binary, *args], cwd=self.dir, env=self.env, capture_output=True, text=True, timeout=60)

    def __enter__(self):
        with open(os.path.join(self.dir, "log"), "w") as log:
            self.process = subprocess.Popen([self.binary, "serve"], cwd=self.dir, env=self.env, stdout=log, stderr=log)
        wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        with open(os.path.join(self.dir, "log")) as log:
            text = log.read()[-4000:]
        shutil.rmtree(self.dir)
        assert code == 0, text

    def chat(self, model, path="/v1/chat/completions", more=None, **headers):
        c = self.open(model, path, more, **headers)
        try:
            return c.answer()
        finally:
            c.close()

    def open(self, model, path="/v1/chat/completions", more=None, **headers):
        """The question has gone, the answer is not waited for."""
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], **(more or {})})
        c = Connection(self.port)
        c.request("POST", path, {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}, body)
        return c


def test_every_example_is_right(binary):
    names = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(EXAMPLES + "/*/sallyport.yaml"))
    assert len(names) >= 4, names
    for name in names:
        assert os.path.exists(os.path.join(EXAMPLES, name, "README.md")), name
        example = Example(binary, name)
        done = example.run("check")
        assert done.returncode == 0 and "warning" not in done.stderr, (name, done)
        done = example.run("policy", "test", *glob.glob(example.dir + "/policies/*.yaml"))
        assert done.returncode == 0 and re.search(r"^\d+ passed, 0 failed$", done.stdout, re.M), (name, done)
        shutil.rmtree(example.dir)


def written(folder, *sections):
    """Every `key:` of the examples' files, and those of the reference that are in these sections."""
    with open(os.path.join(EXAMPLES, "..", "docs", "config.md")) as f:
        wanted = [k for k in re.findall(r"^\| `([^`]+)`", f.read(), re.M) if k.startswith(sections)]
    text = ""
    for path in glob.glob(EXAMPLES + folder):
        with open(path) as f:
            text += re.sub(r"#.*", "", f.read())
    return set(re.findall(r"([\w-]+):[\s}]", text + " ")), {k.rstrip("[]").split(".")[-1] for k in wanted} - {"*"}


def test_every_key_of_routes_credentials_and_quotas_has_an_example(binary):
    has, wants = written("/*/sallyport.yaml", "llm.", "identity.keys", "store", "on_store_loss", "seal_keys")
    assert len(wants) > 70 and wants <= has, wants - has
    has, _ = written("/*/policies/*.yaml", "none")
    quota = {"id", "for", "key", "limit", "window", "kind", "cost", "mode", "hard", "message", "note", "tools", "resources",
             "prompts", "models", "endpoints"}
    assert quota <= has, quota - has


def heads(provider, n=-1):
    return {k.lower(): v for k, v in provider.asked[n][1].items()}


def test_the_example_of_routing(binary):
    openai, azure, local = (Provider() for _ in range(3))
    env = {f"{name}_URL": f"http://127.0.0.1:{p.port}" for name, p in (("OPENAI", openai), ("AZURE", azure), ("LOCAL", local))}
    with Example(binary, "routing", **env) as e:
        fine = Answer(json.dumps(SAID))
        openai.will(*[fine] * 40)
        azure.will(*[fine] * 40)
        assert [e.chat("gpt-4o").status for _ in range(40)] == [200] * 40
        assert len(openai.asked) + len(azure.asked) == 40 and len(azure.asked) < 8, "nine to one, on each worker"
        azure.will(fine)
        assert e.chat("gpt-4o", more={"max_tokens": 9000}).status == 200
        assert "gpt-4o-eu" in azure.asked[0][0] and heads(azure)["api-key"] == "key-of-the-gateway"
        local.will(fine)
        assert e.chat("gpt-4o", x_team="batch-7", more={"store": True}).status == 200
        sent, body = heads(local), local.body()
        assert local.asked[0][0] == "/api/v1/chat/completions" and sent["x-queue"] == "night" and "x-gateway" not in sent
        assert (body["model"], body["keep_alive"], body["priority"], body.get("store")) == ("llama", "10m", 9, None)
        openai.will(*[fine] * 4)
        azure.will(*[fine] * 4)
        assert [e.chat("gpt-4o", x_session_id="s1").status for _ in range(4)] == [200] * 4
        assert sorted((len(openai.asked), len(azure.asked))) == [0, 4], "a session stays where it is"
        no = Answer("{}", status=500)
        openai.will(no), azure.will(no), local.will(fine)
        assert e.chat("gpt-4o", x_session_id="s1").status == 200
        assert (len(openai.asked), len(azure.asked), len(local.asked)) == (1, 1, 1) and heads(local)["x-gateway"] == "sallyport"
        openai.will(Answer(hold=True))
        azure.will(*[fine] * 9)
        assert until(lambda: e.chat("o3", Host="fast.ai.example.com").status == 200 and openai.asked)
        assert openai.left.wait(10), "the one that says nothing is left for another"
    for p in (openai, azure, local):
        p.stop()


def test_the_example_of_providers(binary):
    openai, claude, bedrock = (Provider() for _ in range(3))
    env = {f"{name}_URL": f"http://127.0.0.1:{p.port}"
           for name, p in (("OPENAI", openai), ("ANTHROPIC", claude), ("BEDROCK", bedrock))}
    with Example(binary, "providers", **env) as e:
        openai.will(Answer("{}", status=500), *[Answer(json.dumps(SAID))] * 2)
        assert e.chat("gpt-4o", more={"user": "u"}).status == 200 and len(openai.asked) == 2
        sent, body = heads(openai), openai.body(1)
        assert (sent["authorization"], sent["openai-project"]) == ("Bearer sk-of-the-gateway", "proj_gateway")
        assert body["store"] is False and "user" not in body
        assert e.chat("gpt-4o", x_openai_key="sk-of-alice").status == 200
        assert heads(openai)["authorization"] == "Bearer sk-of-alice" and "x-openai-key" not in heads(openai)
        claude.will(Answer("{}", status=529))
        bedrock.will(Answer(json.dumps({"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
                                        "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 2}})))
        said = e.chat("claude-sonnet-4-5", "/claude/v1/messages", {"max_tokens": 9}, anthropic_beta="b",
                      x_my_aws_access_key_id="AKIDALICE", x_my_aws_secret_access_key="s")
        assert said.status == 200 and said.json()["content"][0]["text"] == "hello", said.body
        assert "anthropic-beta" not in heads(claude) and heads(claude)["x-api-key"] == "sk-of-the-gateway"
        assert bedrock.asked[0][0] == "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
        assert "Credential=AKIDALICE/" in heads(bedrock)["authorization"] and "x-my-aws-secret-access-key" not in heads(bedrock)
    for p in (openai, claude, bedrock):
        p.stop()


def test_the_example_of_keys(binary):
    model = Provider()
    with Example(binary, "keys", OPENAI_URL=f"http://127.0.0.1:{model.port}") as e:
        key = {team: e.run("key", "new", "--name", team, "--claims", json.dumps({"team": team})).stdout.strip()
               for team in ("research", "sales")}
        head = {team: f"Bearer {token}" for team, token in key.items()}
        for team, models in (("research", 2), ("sales", 1)):
            def seen():
                return once(e.port, "GET", "/v1/models", {"Authorization": head[team]})
            assert until(lambda: seen().status == 200) and len(seen().json()["data"]) == models
        model.will(Answer(json.dumps(SAID)))
        assert e.chat("gpt-4o", authorization=head["research"]).status == 200
        assert e.chat("gpt-4o", authorization=head["sales"]).status == 404
        assert e.run("key", "revoke", "research").returncode == 0
        assert until(lambda: e.chat("gpt-4o", authorization=head["research"]).status == 401)
        bounds = ["--scope", "tools:read", "--models", "gpt-4o*", "--servers", "", "--budget", "20/month", "--expires", "90d"]
        old = e.run("key", "new", "--name", "ci", "--claims", '{"team":"research"}', *bounds).stdout.strip()
        new = e.run("key", "rotate", "ci", "--overlap", "24h").stdout.strip()
        model.will(*[Answer(json.dumps(SAID))] * 9)
        for token in old, new:
            assert until(lambda: e.chat("gpt-4o", authorization="Bearer " + token).status == 200)
        assert e.chat("gpt-4o", authorization="Bearer " + new).headers["x-ratelimit-limit"] == "20"
    model.stop()


def test_the_example_of_budgets(binary):
    """A run spends its dollars and its mails, and another one has its own."""
    model, mail = Provider(), upstreams.HttpFake("modern")
    dear = {**SAID, "usage": {"prompt_tokens": 0, "completion_tokens": 200000, "total_tokens": 200000}}
    with Example(binary, "budgets", OPENAI_URL=f"http://127.0.0.1:{model.port}", MAIL_URL=mail.url) as e:
        def mails(run):
            return mcp.call(e, "mail__echo", {"text": "x"}, headers={"x-session-id": run}).status
        model.will(Answer(json.dumps(dear)), Answer(json.dumps(dear)), Answer(json.dumps(SAID)))
        first = e.chat("gpt-4o", x_session_id="run-7")
        assert (first.status, first.headers["x-ratelimit-limit"]) == (200, "2"), first.headers
        assert e.chat("gpt-4o", x_session_id="run-7").status == 200  # 1.76 $ each, which nobody could know before
        no = e.chat("gpt-4o", x_session_id="run-7")
        assert no.status == 403 and no.json()["error"]["message"] == "less than a cent is left, use gpt-4o-mini"
        no = e.chat("gpt-4o-mini", x_session_id="run-7")
        assert no.status == 429 and no.json()["error"]["message"] == "this run has spent its two dollars"
        assert [mails("run-7") for _ in range(4)] == [200, 200, 200, 429]
        assert e.chat("gpt-4o", x_session_id="run-8").status == 200 and mails("run-8") == 200
        model.will(Answer(hold=True))
        slow = e.open("gpt-4o-mini", x_session_id="run-9")
        assert until(lambda: model.asked)
        assert e.chat("gpt-4o-mini", x_session_id="run-9").status == 429, "one at a time"
        slow.close()
    model.stop()
    mail.stop()


def test_the_example_of_replicas(binary):
    model = Provider()
    with Redis() as redis:
        env = {"OPENAI_URL": f"http://127.0.0.1:{model.port}", "STORE": redis.url}
        with Example(binary, "replicas", **env) as one, Example(binary, "replicas", **env) as two:
            head = {"authorization": "Bearer " + one.run("key", "new", "--name", "research").stdout.strip()}
            for e in one, two:
                model.will(Answer(json.dumps(SAID)))
                assert until(lambda: e.chat("gpt-4o-mini", **head).status == 200)
            assert two.run("key", "revoke", "research").returncode == 0
            for e in one, two:
                assert until(lambda: e.chat("gpt-4o-mini", **head).status == 401)
    model.stop()

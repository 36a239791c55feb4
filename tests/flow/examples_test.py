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
from house.http import once
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

    def chat(self, model, **headers):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]})
        return once(self.port, "POST", "/v1/chat/completions",
                    {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}, body)


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
        assert no.status == 429 and no.json()["error"]["message"] == "this run has spent its two dollars"
        assert [mails("run-7") for _ in range(4)] == [200, 200, 200, 429]
        assert e.chat("gpt-4o", x_session_id="run-8").status == 200 and mails("run-8") == 200
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

# SPDX-License-Identifier: Apache-2.0
"""Two gateways spend one quota; one of them is killed and comes back: what was neither spent nor in flight is there."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from house.gateway import Gateway, head, until
from house.http import Connection, once
from house.tokens import Issuer

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

LIMIT, SPENT = 30, 10
POLICY = f"""policy: v1
name: p
rules:
  - {{ id: all, permit: {{ models: [m] }} }}
quotas:
  - {{ id: thirty, for: {{ models: [m] }}, limit: {LIMIT}, window: 30d, kind: fixed, cost: 1 }}
"""
ANSWER = json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}})
BODY = json.dumps({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})


def test_a_crash_withholds_nothing_that_was_not_spent(binary):
    issuer, one = Issuer(), Provider()
    token = issuer.token("alice")
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def config(store):
        return f"""store: "sqlite:{store}"
llm:
  backends:
    one: {{ schema: openai, url: "http://127.0.0.1:{one.port}" }}
"""
    mortal = Gateway(binary, issuer, config("sallyport.db"), POLICY)
    other = Gateway(binary, issuer, config(os.path.join(mortal.dir, "sallyport.db")), POLICY)

    def ask(gateway):
        one.answers.append(Answer(ANSWER))
        status = once(gateway.port, "POST", "/v1/chat/completions", sent, BODY).status
        if status == 429:
            one.answers.pop()
        return status
    try:
        assert [ask(mortal) for _ in range(SPENT)] == [200] * SPENT
        one.answers.append(Answer(hold=True))
        hanging = Connection(mortal.port)
        hanging.request("POST", "/v1/chat/completions", sent, BODY)
        assert until(lambda: len(one.asked) == SPENT + 1)
        assert os.path.exists(os.path.join(mortal.dir, "sallyport.cells"))
        mortal.crash()
        passed, end = 0, time.time() + 30
        while passed < LIMIT - SPENT - 1 and time.time() < end:
            # a lease that the other holds comes back when it lies idle
            got = [ask(mortal), ask(other)]
            assert set(got) <= {200, 429}, got
            passed += got.count(200)
            if 200 not in got:
                time.sleep(0.3)
        assert passed == LIMIT - SPENT - 1, passed
        assert {ask(mortal), ask(other)} == {429}
        mortal.stop()
        assert not os.path.exists(os.path.join(mortal.dir, "sallyport.cells"))
    finally:
        other.stop()
        if mortal.process.poll() is None:
            mortal.stop()
        shutil.rmtree(mortal.dir, ignore_errors=True)
        one.stop()


def test_a_store_that_is_broken_refuses_and_says_so(binary):
    """Whoever has room in a lease goes on, and what no quota counts; the operator is told why the rest does not."""
    one, policy = Provider(), POLICY.replace("models: [m] }, limit", "models: [m] }, key: 'http.headers[\"x-k\"]', limit")
    policy = policy.replace("permit: { models: [m] }", "permit: { models: [m, free] }")
    gateway = Gateway(binary, Issuer(), f"""store: "sqlite:sallyport.db"
llm: {{ backends: {{ one: {{ schema: openai, url: "http://127.0.0.1:{one.port}" }} }} }}
""", policy, config=head("  anonymous: allow\n"))

    def ask(key, model="m"):
        one.will(Answer(ANSWER))
        return once(gateway.port, "POST", "/v1/chat/completions", {"Content-Type": "application/json", "x-k": key},
                    BODY.replace('"m"', f'"{model}"')).status
    try:
        assert ask("known") == 200
        for name in "", "-wal", "-shm":
            with open(os.path.join(gateway.dir, "sallyport.db" + name), "r+b") as f:
                f.write(b"\xde\xad" * 4096)
        assert until(lambda: ask("new") == 503) and ask("newer") == 503 and ask("new", "free") == 200
        assert "quotas refuse what they cannot count: the store does not answer" in gateway.log_text(), gateway.log_text()
    finally:
        gateway.stop()
        one.stop()


def test_a_hard_quota_wants_a_store_that_keeps(binary):
    """Refused where a debit can be lost, or is done without."""
    with tempfile.TemporaryDirectory() as d:
        with open(os.path.join(d, "p.yaml"), "w") as f:
            f.write("policy: v1\nquotas:\n  - { id: h, for: { models: '*' }, limit: 3, window: 1h, hard: true }\n")
        for more, want in (("", 0), ("on_store_loss: local\n", 1), ('store: "memory:"\n', 1),
                           ('store: "redis://127.0.0.1:1"\n', 1)):
            with open(os.path.join(d, "c.yaml"), "w") as f:
                f.write('version: 1\npolicies: ["p.yaml"]\n' + more)
            done = subprocess.run([binary, "check", "-c", os.path.join(d, "c.yaml")], capture_output=True, text=True)
            assert done.returncode == want, (more, done.stderr)
            assert ("quota 'h' is hard" in done.stderr) == bool(want), done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Tokens that clouds lend: asked for once, whoever waits for them, and renewed before they end."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import parse_qs

from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"] } }
"""
GEMINI = json.dumps({"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]})
CHAT = json.dumps({"id": "c", "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]})
ACCOUNT = "robot@project.iam.gserviceaccount.com"


def token(name, lives=3600, **more):
    return Answer(json.dumps({"access_token": name, "token_type": "Bearer", "expires_in": lives}), **more)


def nobodys_key():
    with open(os.path.join(here, "..", "..", "examples", "credentials", "files", "nobody.key")) as f:
        return f.read()


class House(Household):
    def __init__(self, binary):
        self.cloud, self.model, self.key = Provider(), Provider(), nobodys_key()
        account = {"type": "service_account", "client_email": ACCOUNT, "private_key": self.key,
                   "token_uri": f"http://127.0.0.1:{self.cloud.port}/google"}
        at = f'url: "http://127.0.0.1:{self.model.port}"'
        config = f"""llm:
  backends:
    vertex: {{ schema: gcp-vertex, {at}, project: p, region: r, auth: {{ gcp: {{ file: account.json }} }} }}
    azure: {{ schema: azure, {at}, credential: {{ from_header: x-my-key, fallback: true }},
              auth: {{ entra: {{ tenant: contoso.example, client_id: app, client_secret: "s&cret",
                                 token_url: "http://127.0.0.1:{self.cloud.port}/entra" }} }} }}
  routes:
    - {{ name: v, models: [gemini], to: [{{ backend: vertex }}] }}
    - {{ name: a, models: [gpt], to: [{{ backend: azure }}] }}
"""
        super().__init__(binary, [self.cloud, self.model], config, POLICY, files={"account.json": json.dumps(account)})
        self.token = self.issuer.token("alice")

    def ask(self, model, **headers):
        c = Connection(self.gateway.port)
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        c.request("POST", "/v1/chat/completions", head, json.dumps({"model": model, "messages": [
            {"role": "user", "content": "hi"}]}))
        return c.answer()

    def shown(self, n):
        """What the model's provider was shown with its n-th request."""
        return {k.lower(): v for k, v in self.model.asked[n][1].items()}.get("authorization")

    def said(self, n=0):
        path, _, body = self.cloud.asked[n]
        return path, {k: v[0] for k, v in parse_qs(body.decode()).items()}


def is_signed_with(key, statement):
    text, _, signature = statement.rpartition(".")
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, n) for n in ("key", "public", "signature")]
        for path, content in zip(paths[::2], (key.encode(), base64.urlsafe_b64decode(signature + "=="))):
            with open(path, "wb") as f:
                f.write(content)
        subprocess.run(["openssl", "pkey", "-in", paths[0], "-pubout", "-out", paths[1]], check=True)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", paths[1], "-signature", paths[2]],
                              input=text.encode(), capture_output=True)
        return done.returncode == 0


def test_a_service_account_gets_one_token_for_all_who_wait(binary):
    with House(binary) as h:
        h.cloud.will(token("ya29.one", pace=0.4))
        h.model.will(*[Answer(GEMINI)] * 7)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(h.ask("gemini"))) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert [a.status for a in answers] == [200] * 6, [a.body for a in answers]
        assert h.ask("gemini").status == 200 and len(h.cloud.asked) == 1
        assert {h.shown(n) for n in range(7)} == {"Bearer ya29.one"}
        path, form = h.said()
        assert (path, form["grant_type"]) == ("/google", "urn:ietf:params:oauth:grant-type:jwt-bearer"), form
        claims = json.loads(base64.urlsafe_b64decode(form["assertion"].split(".")[1] + "=="))
        assert claims["iss"] == ACCOUNT and claims["aud"].endswith("/google") and "cloud-platform" in claims["scope"]
        assert claims["exp"] - claims["iat"] == 3600 and abs(claims["iat"] - time.time()) < 120, claims
        assert is_signed_with(h.key, form["assertion"])


def test_an_application_of_entra_has_its_token_renewed_ahead(binary):
    with House(binary) as h:
        h.cloud.will(token("eyJ.first", lives=2), *[token("eyJ.next")] * 9)
        h.model.will(*[Answer(CHAT)] * 999)
        assert h.ask("gpt").status == 200 and h.shown(0) == "Bearer eyJ.first"
        path, form = h.said()
        assert path == "/entra" and form == {"grant_type": "client_credentials", "client_id": "app",
                                             "client_secret": "s&cret",
                                             "scope": "https://cognitiveservices.azure.com/.default"}, form
        end = time.time() + 30
        while h.shown(-1) != "Bearer eyJ.next" and time.time() < end:
            assert h.ask("gpt").status == 200
            time.sleep(0.05)
        assert h.shown(-1) == "Bearer eyJ.next" and len(h.cloud.asked) == 2, len(h.cloud.asked)
        # a key of the caller's own needs none of it
        h.cloud.will()
        assert h.ask("gpt", **{"x-my-key": "mine"}).status == 200
        last = {k.lower(): v for k, v in h.model.asked[-1][1].items()}
        assert last["api-key"] == "mine" and "authorization" not in last and not h.cloud.asked, last


def test_a_cloud_that_lends_nothing_is_not_asked_at_once_again(binary):
    with House(binary) as h:
        h.cloud.will(Answer('{"error":"invalid_grant","error_description":"eyJsecret"}', status=400),
                     token("a\\r\\nx-evil: 1"), token("fine"))
        h.model.will(*[Answer(GEMINI)] * 9)
        for _ in range(2):
            a = h.ask("gemini")
            assert a.status == 502 and b"eyJsecret" not in a.body, a.body
        assert len(h.cloud.asked) == 1, len(h.cloud.asked)
        assert not h.model.asked and "eyJsecret" not in h.gateway.log_text()
        end = time.time() + 30
        while h.ask("gemini").status != 200 and time.time() < end:
            time.sleep(0.1)
        assert h.shown(0) == "Bearer fine" and len(h.cloud.asked) == 3, h.cloud.asked

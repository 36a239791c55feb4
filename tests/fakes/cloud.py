# SPDX-License-Identifier: Apache-2.0
"""Three clouds in one server: what lends credentials, and the models that want them.

Every credential is numbered and known here, so a model lets in only what was lent, while it lives. `mood` is what the
lenders do wrong: fail, hang, garbage, huge, or dead (what is lent has ended already); `lives` how long a credential
lives, `ahead` how far the clouds' clock is ahead of ours, in seconds; `revoked` what is taken back."""
import base64
import json
import os
import re
import sys
import threading
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from aws import is_signed  # noqa: E402
from serving import Answering, Server  # noqa: E402

CONVERSE = {"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}
GEMINI = {"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]}
CHAT = {"id": "c", "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]}
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "hello"}],
           "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}
ANY = object()
BASE = ("AKIDBASE", "base-secret")
ROLE = "bedrock-role"


def stated_at(form, cloud):
    """When a statement that the gateway signed says it was made; what has none was made now."""
    parts = (form.get("assertion") or form.get("client_assertion") or "").split(".")
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "==")) if len(parts) == 3 and parts[0].startswith("eyJ") else {}
    return claims.get("iat", cloud.now())


class Handler(Answering):
    def date_time_string(self, timestamp=None):
        return super().date_time_string((timestamp or time.time()) + self.server.cloud.ahead)

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def do_PUT(self):
        self.lend("machine token", {"ttl": self.headers.get("x-aws-ec2-metadata-token-ttl-seconds")},
                  lambda c: self.reply(200, b"imds-session"))

    def do_GET(self):
        auth = self.headers.get("authorization")
        if self.path.startswith("/latest/meta-data/iam/security-credentials/"):
            if self.headers.get("x-aws-ec2-metadata-token") != "imds-session":
                return self.reply(401)
            if self.path.endswith("/"):
                return self.reply(200, ROLE.encode() + b"\n")
            return self.lend("machine", {"role": self.path.split("/")[-1]}, lambda c: self.reply(200, c.keys_json("Success")))
        if self.path == "/container":
            return self.lend("container", {"auth": auth}, lambda c: self.reply(200, c.keys_json()))
        if self.path.startswith("/computeMetadata/v1/instance/service-accounts/default/token"):
            return self.lend("google machine", {"flavor": self.headers.get("metadata-flavor")}, Handler.oauth(self))
        if self.path == "/subject":
            return self.reply(200, {"id_token": "subject-by-url", "seen": self.headers.get("x-want")})
        self.reply(404)

    def oauth(self):
        return lambda c: self.reply(200, {"access_token": c.bearer(), "token_type": "Bearer", "expires_in": c.lives})

    def do_POST(self):
        cloud, source = self.server.cloud, self.body()
        if self.path.startswith("/model/"):
            return self.bedrock(cloud, source)
        if self.path.startswith("/v1/projects/") or "/chat/completions" in self.path or self.path == "/v1/messages":
            return self.model(cloud, source)
        form = dict(parse_qsl(source.decode()))
        if abs(stated_at(form, cloud) - cloud.now()) > 300:
            cloud.asked.append(("refused", "invalid_grant"))
            return self.reply(400, {"error": "invalid_grant", "error_description": "a statement of another time"})
        if self.path == "/":
            return self.sts(cloud, source, form)
        if self.path == "/google/impersonate":
            def said(c):
                end = datetime.fromtimestamp(c.now() + c.lives, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
                self.reply(200, {"accessToken": c.bearer(), "expireTime": end})
            return self.lend("impersonate", {"auth": self.headers.get("authorization"), **json.loads(source)}, said)
        self.lend(self.path[1:], form, self.oauth())

    def lend(self, kind, what, answer):
        self.server.cloud.lend(self, kind, what, answer)

    def sts(self, cloud, source, form):
        if form["Action"] == "AssumeRole":
            key = re.search("Credential=([^/]+)/", self.headers.get("authorization", ""))
            why = cloud.objection(key and key.group(1), self.headers, self.path, source)
            if why:
                xml = f"<ErrorResponse><Error><Type>Sender</Type><Code>{why}</Code></Error></ErrorResponse>"
                cloud.asked.append(("refused", why))
                return self.reply(403, xml.encode())
        def said(c):
            key, secret, token, end = c.keys()
            self.reply(200, (f"<{form['Action']}Response><{form['Action']}Result><Credentials><AccessKeyId>{key}</AccessKeyId>"
                             f"<SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>{end}"
                             f"</Expiration></Credentials></{form['Action']}Result></{form['Action']}Response>").encode())
        self.lend(form["Action"], form, said)

    def bedrock(self, cloud, source):
        key = re.search("Credential=([^/]+)/", self.headers.get("authorization", ""))
        why = cloud.objection(key and key.group(1), self.headers, self.path, source)
        cloud.shown.append((key and key.group(1), why))
        if why:
            return self.reply(403, {"message": why}, [("x-amzn-errortype", why + ":http://internal/")])
        self.reply(200, CONVERSE if self.path.endswith("/converse") else MESSAGE)

    def model(self, cloud, source):
        token = self.headers.get("x-api-key") or self.headers.get("x-team-key") or self.headers.get("authorization") or ""
        token = token.removeprefix("Bearer ")
        good = cloud.tokens.get(token, 0) > time.time() and token not in cloud.revoked
        cloud.shown.append((token, None if good else "stale"))
        if not good:
            return self.reply(401, {"error": {"message": "who?"}})
        self.reply(200, GEMINI if "/projects/" in self.path else MESSAGE if self.path == "/v1/messages" else CHAT)


class Cloud:
    def __init__(self):
        self.asked, self.shown, self.tokens, self.secrets = [], [], {}, {BASE[0]: (BASE[1], None, float("inf"))}
        self.lives, self.ahead, self.mood, self.delay, self.revoked, self.made = 3600, 0, "", 0.0, set(), 0
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.cloud = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.mood = ""
        self.server.shutdown()
        self.server.server_close()

    def now(self):
        return time.time() + self.ahead

    def number(self):
        with self.lock:
            self.made += 1
            return self.made

    def bearer(self):
        token = f"ya29.secret-{self.number()}"
        self.tokens[token] = time.time() + self.lives
        return token

    def keys(self):
        n, end = self.number(), self.now() + (-10 if self.mood == "dead" else self.lives)
        key, secret, token = f"ASIA{n:04}", f"lent/secret+{n}", f"session-{n}=="
        self.secrets[key] = (secret, token, end)
        return key, secret, token, datetime.fromtimestamp(end, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def keys_json(self, code=None):
        key, secret, token, end = self.keys()
        more = {"Code": code} if code else {}
        return {"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": end, **more}

    def lend(self, handler, kind, what, answer):
        self.asked.append((kind, what))
        time.sleep(self.delay)
        if self.mood == "hang":
            end = time.time() + 30
            while self.mood == "hang" and time.time() < end:
                time.sleep(0.05)
        bad = {"fail": (500, b'{"error":"internal_failure","error_description":"ya29.secret"}'),
               "garbage": (200, b"<html>ya29.secret</html>"), "huge": (200, b'{"access_token":"' + b"a" * 300000 + b'"}')}
        if self.mood in bad:
            return handler.reply(*bad[self.mood])
        answer(self)

    def kinds(self):
        return [kind for kind, _ in self.asked]

    def objection(self, key, headers, path, body):
        """What AWS has against this request; None: nothing."""
        secret, token, end = self.secrets.get(key, (None, None, 0))
        head = {k.lower(): v for k, v in headers.items()}
        if secret is None or (token is not ANY and head.get("x-amz-security-token") != token):
            return "UnrecognizedClientException"
        if key in self.revoked or end < self.now():
            return "ExpiredTokenException"
        said = datetime.strptime(head["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        if abs(said - self.now()) > 300:
            return "InvalidSignatureException"
        return None if is_signed("POST", path, head, body, secret) else "InvalidSignatureException"

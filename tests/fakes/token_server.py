#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OAuth token endpoint: `token_server.py PORT`. Tokens are numbered: token-1, token-2, …

POST /control {"mood": "..."} picks what goes wrong: slow (never answers), huge, garbage, redirect, denied, split (a
token with a line break), dpop; {"lives": 2} how long tokens live; {"delay": 0.3} before each. GET /seen lists what was asked."""
import base64
import json
import threading
import time
from urllib.parse import parse_qsl

from serving import Answering, serve

state = {"mood": "", "lives": 3600, "delay": 0, "seen": [], "made": 0}
lock = threading.Lock()


class Handler(Answering):
    def do_GET(self):
        self.reply(200, state["seen"])

    def do_POST(self):
        source = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path == "/control":
            state.update(json.loads(source))
            return self.reply(200, {})
        form = dict(parse_qsl(source))
        sent = self.headers.get("authorization", "")
        if sent.startswith("Basic "):
            form["basic"] = base64.b64decode(sent[6:]).decode()
        state["seen"].append(form)
        time.sleep(state["delay"])
        getattr(self, state["mood"] or "fine")()

    def fine(self):
        with lock:
            state["made"] += 1
            token = f"token-{state['made']}"
        self.reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": state["lives"]})

    def slow(self):
        end = time.time() + 30
        while state["mood"] == "slow" and time.time() < end:
            time.sleep(0.05)

    def huge(self):
        self.reply(200, b'{"access_token":"' + b"a" * 200000 + b'"}')

    def garbage(self):
        self.reply(200, b"<html>login please</html>")

    def redirect(self):
        self.reply(302, {}, [("location", "http://169.254.169.254/latest/meta-data/")])

    def denied(self):
        self.reply(400, {"error": "invalid_grant", "error_description": "subject token eyJsecret is not ours"})

    def split(self):
        self.reply(200, {"access_token": "a\r\nx-evil: 1", "token_type": "Bearer"})

    def dpop(self):
        self.reply(200, {"access_token": "a", "token_type": "DPoP"})


serve(Handler)

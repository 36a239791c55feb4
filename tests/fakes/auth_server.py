#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OAuth authorization server that approves of everybody: `auth_server.py PORT NAME`; its issuer is
http://127.0.0.1:PORT/NAME.

Metadata (RFC 8414), /authorize with PKCE S256 and `iss`, /token (client_credentials, authorization_code, refresh_token),
/register, /introspect. POST /control changes: {"metadata": {...}} members of the metadata (null: left out), {"user": "bob"}
who sits at the browser, {"lives": 5}, {"refuse": "invalid_grant"} what /token answers, {"break": "..."} what goes wrong at
/introspect (slow, garbage, down), {"signer": [key file, kid]} what signs id tokens, {"revoke": token}. GET /seen lists what
the endpoints were asked; tokens are NAME-access-1, NAME-refresh-1, …"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from serving import Answering, serve

PORT, NAME = sys.argv[1:3]
BASE = f"http://127.0.0.1:{PORT}"
ISSUER = f"{BASE}/{NAME}"
METADATA = {"issuer": ISSUER, "authorization_endpoint": f"{BASE}/authorize", "token_endpoint": f"{BASE}/token",
            "registration_endpoint": f"{BASE}/register", "introspection_endpoint": f"{BASE}/introspect",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "authorization_response_iss_parameter_supported": True}
state = {"metadata": {}, "user": "alice", "lives": 3600, "refuse": None, "break": None, "signer": None, "seen": [], "made": 0}
codes, tokens = {}, {}
lock = threading.Lock()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims):
    key, kid = state["signer"]
    text = b64(json.dumps({"alg": "EdDSA", "kid": kid}).encode()) + "." + b64(json.dumps(claims).encode())
    with tempfile.NamedTemporaryFile() as f:
        f.write(text.encode())
        f.flush()
        sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", f.name],
                             check=True, capture_output=True).stdout
    return text + "." + b64(sig)


class Handler(Answering):
    def do_GET(self):
        at = urlsplit(self.path)
        if at.path == "/seen":
            return self.reply(200, state["seen"])
        if at.path == f"/.well-known/oauth-authorization-server/{NAME}":
            now = {**METADATA, **state["metadata"]}
            return self.reply(200, {k: v for k, v in now.items() if v is not None})
        if at.path == "/authorize":
            return self.authorize(dict(parse_qsl(at.query)))
        self.reply(404, {})

    def authorize(self, asked):
        state["seen"].append({"at": "authorize", **asked})
        code = f"code-{len(codes)}-{os.urandom(8).hex()}"
        codes[code] = {**asked, "user": state["user"]}
        back = {"code": code, "state": asked.get("state", ""), "iss": state.get("iss", ISSUER)}
        back = {k: v for k, v in back.items() if v is not None}
        self.reply(302, {}, [("location", asked["redirect_uri"] + "?" + urlencode(back))])

    def do_POST(self):
        source = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path == "/control":
            what = json.loads(source)
            tokens.pop(what.pop("revoke", None), None)
            state.update(what)
            return self.reply(200, {})
        if self.path == "/register":
            asked = json.loads(source)
            state["seen"].append({"at": "register", **asked})
            return self.reply(201, {**asked, "client_id": "registered-1"})
        form = dict(parse_qsl(source))
        sent = self.headers.get("authorization", "")
        if sent.startswith("Basic "):
            form["basic"] = base64.b64decode(sent[6:]).decode()
        state["seen"].append({"at": self.path[1:], **form})
        if self.path == "/introspect":
            return self.introspect(form)
        if state["refuse"]:
            return self.reply(400, {"error": state["refuse"], "error_description": "not for NAME-access-1"})
        getattr(self, form["grant_type"])(form)

    def give(self, user, asked, **more):
        with lock:
            state["made"] += 1
            n = state["made"]
        access, refresh = f"{NAME}-access-{n}", f"{NAME}-refresh-{n}"
        tokens[access] = {"sub": user, "client_id": asked.get("client_id", "c"), "scope": asked.get("scope", ""), "iss": ISSUER,
                          "exp": int(time.time()) + state["lives"], "token_type": "Bearer"}
        tokens[refresh] = {"user": user, "asked": asked}
        self.reply(200, {"access_token": access, "refresh_token": refresh, "token_type": "Bearer",
                         "expires_in": state["lives"], **more})

    def client_credentials(self, form):
        self.give("client", form)

    def refresh_token(self, form):
        was = tokens.pop(form["refresh_token"], None)
        if not was:
            return self.reply(400, {"error": "invalid_grant"})
        self.give(was["user"], was["asked"])

    def authorization_code(self, form):
        was = codes.pop(form["code"], None)
        proof = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not was or was["redirect_uri"] != form.get("redirect_uri") or was.get("code_challenge") != proof:
            return self.reply(400, {"error": "invalid_grant"})
        more = {}
        if "openid" in was.get("scope", "").split():
            now = int(time.time())
            more["id_token"] = signed({"iss": state.get("login_issuer", ISSUER), "aud": was["client_id"], "sub": was["user"],
                                       "nonce": was.get("nonce"), "iat": now, "exp": now + 60})
        self.give(was["user"], was, **more)

    def introspect(self, form):
        if state["break"] == "slow":
            time.sleep(20)
        if state["break"] == "down":
            return self.reply(500, {})
        if state["break"] == "garbage":
            return self.reply(200, b"yes")
        found = tokens.get(form.get("token"))
        if not found or "exp" not in found or found["exp"] < time.time():
            return self.reply(200, {"active": False})
        self.reply(200, {"active": True, **found, **state.get("claims", {})})


serve(Handler)

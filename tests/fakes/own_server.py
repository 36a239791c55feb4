#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An MCP server that is another for each who calls: `own_server.py PORT modern|legacy`.

Legacy: each session has a state of its own, and what changes in it is said on its own GET stream alone. Tool `flip` shows
or hides `extra`, `touch` updates note://own if that is subscribed to, `log` says something to that stream.
Both eras: `asker` is listed only to clients that can be asked by form, `for_NAME` to the caller whose token says NAME.
GET /seen: how often what was asked, and how many sessions were opened."""
import base64
import collections
import json
import sys
import time
import uuid

from serving import Answering, serve

MODERN = "2026-07-28"
SERVER = {"name": "own", "version": "1"}
OFFERS = {"tools": {"listChanged": True}, "resources": {"subscribe": True, "listChanged": True}, "logging": {}}
sessions, seen = {}, collections.Counter()


class State:
    """Of one session; of the modern era there is one for each request, which changes nothing."""

    def __init__(self, capabilities):
        self.capabilities, self.extra, self.subscribed, self.unsaid, self.open = capabilities, False, set(), [], True

    def say(self, method, **params):
        self.unsaid.append({"jsonrpc": "2.0", "method": method, "params": params})

    def tools(self, caller):
        names = ["flip", "touch", "log"] + ["extra"] * self.extra + ["asker"] * ("elicitation" in self.capabilities)
        names += [f"for_{caller}"] * bool(caller)
        return [{"name": n, "inputSchema": {"type": "object"}} for n in names]

    def call(self, name):
        if name == "flip":
            self.extra = not self.extra
            self.say("notifications/tools/list_changed")
        elif name == "touch" and "note://own" in self.subscribed:
            self.say("notifications/resources/updated", uri="note://own")
        elif name == "log":
            self.say("notifications/message", level="info", data="said apart")
        return {"content": [{"type": "text", "text": name}]}


class Handler(Answering):
    def caller(self):
        """The name in a bearer token, if there is one: whether it is a good one is not asked here."""
        token = self.headers.get("authorization", "").removeprefix("Bearer ").split(".")
        if len(token) != 3:
            return ""
        return json.loads(base64.urlsafe_b64decode(token[1] + "=="))["sub"]

    def do_GET(self):
        if self.path == "/seen":
            return self.reply(200, {**seen, "sessions": len(sessions)})
        own = sessions.get(self.headers.get("mcp-session-id"))
        if not own:
            return self.reply(404 if sys.argv[2] == "legacy" else 405, {})
        seen["GET"] += 1
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        while own.open:
            while own.unsaid:
                self.wfile.write(b"event: message\ndata: " + json.dumps(own.unsaid.pop(0)).encode() + b"\n\n")
            self.wfile.flush()
            time.sleep(0.002)
        self.close_connection = True

    def do_DELETE(self):
        own = sessions.pop(self.headers.get("mcp-session-id"), None)
        if own:
            own.open = False
        self.reply(200, {})

    def do_POST(self):
        m = json.loads(self.rfile.read(int(self.headers["content-length"])))
        method, params = m.get("method"), m.get("params") or {}
        seen[method] += 1
        if "id" not in m:
            return self.reply(202)
        if sys.argv[2] == "modern":
            own = State(params["_meta"].get("io.modelcontextprotocol/clientCapabilities", {}))
            if method == "server/discover":
                return self.result(m, {"supportedVersions": [MODERN], "capabilities": OFFERS})
            return self.serve(m, method, params, own)
        if method == "initialize":
            sid = uuid.uuid4().hex
            sessions[sid] = State(params["capabilities"])
            return self.result(m, {"protocolVersion": "2025-11-25", "capabilities": OFFERS, "serverInfo": SERVER},
                               [("Mcp-Session-Id", sid)])
        own = sessions.get(self.headers.get("mcp-session-id"))
        if not own:
            missing = self.headers.get("mcp-session-id") is None
            error = {"code": -32000 if missing else -32001, "message": "Session not found"}
            return self.reply(400 if missing else 404, {"jsonrpc": "2.0", "id": m["id"], "error": error})
        self.serve(m, method, params, own)

    def serve(self, m, method, params, own):
        if method == "tools/list":
            return self.result(m, {"tools": own.tools(self.caller()), "ttlMs": 60000, "cacheScope": "private"})
        if method == "tools/call":
            return self.result(m, own.call(params["name"]))
        if method == "resources/list":
            return self.result(m, {"resources": [{"uri": "note://own", "name": "own"}], "ttlMs": 60000, "cacheScope": "private"})
        if method in ("resources/subscribe", "resources/unsubscribe"):
            (own.subscribed.add if method == "resources/subscribe" else own.subscribed.discard)(params["uri"])
            return self.result(m, {})
        if method in ("logging/setLevel", "ping"):
            return self.result(m, {})
        self.reply(404 if sys.argv[2] == "modern" else 200,
                   {"jsonrpc": "2.0", "id": m["id"], "error": {"code": -32601, "message": "Method not found"}})

    def result(self, m, result, headers=()):
        more = {"resultType": "complete"} if sys.argv[2] == "modern" else {}
        self.reply(200, {"jsonrpc": "2.0", "id": m["id"], "result": {**result, **more}}, headers)


serve(Handler)

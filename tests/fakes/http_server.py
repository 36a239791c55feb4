#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An MCP server over Streamable HTTP, of one era: `http_server.py PORT modern|legacy`.

Also an OpenAI-shaped model at /v1/chat/completions, whose last message picks what goes wrong:
CUT (the stream breaks), HANG (never answers), BAD (not JSON), CODED (compressed, though nobody asked), 429, or else it says it again.
POST /control {"hang": true} makes every later MCP answer hang, {"tools": [...]} changes what is listed, {"extra": ["t"]} adds tools,
{"announce": "tools"} says so to everybody who listens (listen or GET), {"updated": uri} likewise, {"cut": true} breaks those streams off,
{"streams": false} refuses them; {"refuse": [...]} answers these Authorizations 401, {"guard": {"issuer": url, …}} all without
a token, and serves that as its resource metadata, {"wants": {"scope": "s", "of": [...]}} asks these for more to let them call,
{"drop": n} hangs up on the next n calls; {"put_off": how} ends the streams of later calls before their answer, which a GET that names
the last event gets ("owed"), or does not ("lost"); {"demands": header} (modern) refuses calls without it; {"told": text} are its instructions; GET /seen lists what came."""
import json
import os
import sys
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import subjects  # noqa: E402
import tools  # noqa: E402
from serving import Answering, serve  # noqa: E402

MODERN = "2026-07-28"
SERVER = {"name": "fake", "version": "1"}
state = {"hang": False, "seen": [], "sessions": set(), "page": 4, "refuse": [], "drop": 0, "ttl": 60000, "streams": True, "tools": None, "put_off": None, "guard": None, "wants": None, "demands": None, "told": None,
         "offers": list(subjects.CAPABILITIES)}
owed = {}  # event id -> the answer that is still to come
listeners = []  # (handler, subscription id or None): whom to tell


class Handler(Answering):
    def here(self, path):
        return f"http://127.0.0.1:{sys.argv[1]}{path}"

    def begin_stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def event(self, message):
        self.chunk(b"event: message\ndata: " + json.dumps(message).encode() + b"\n\n")

    def gone(self):
        try:
            self.connection.setblocking(False)
            return self.connection.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.connection.setblocking(True)

    # --- MCP ------------------------------------------------------------------------------

    def do_DELETE(self):
        state["sessions"].discard(self.headers.get("mcp-session-id"))
        self.reply(200, {})

    def do_GET(self):
        if self.path == "/seen":
            return self.reply(200, state["seen"])
        if self.path == "/about-me" and state["guard"]:
            return self.reply(200, {"resource": self.here("/mcp"), "authorization_servers": [state["guard"]["issuer"]],
                                    "scopes_supported": ["all"], **state["guard"].get("metadata", {})})
        if not state["streams"] or state["era"] == "modern":
            return self.reply(405, {})
        if self.headers.get("mcp-session-id") not in state["sessions"]:
            return self.reply(404, {})
        if "last-event-id" in self.headers:
            return self.go_on(self.headers["last-event-id"])
        self.listen(None)

    def go_on(self, last):
        """The rest of a stream that was put off; the first time only another place to ask from."""
        state["seen"].append({"headers": {k.lower(): v for k, v in self.headers.items()}, "body": {"method": "GET"}})
        if state["put_off"] == "lost":
            return self.reply(404, {})
        self.begin_stream()
        if last.startswith("first-"):
            self.chunk(b"id: second-%s\nretry: 1\ndata: \n\n" % last[6:].encode())
        else:
            self.event(owed.pop(last[7:]))
        self.chunk(b"")

    def listen(self, subscription, wishes=()):
        """A stream that goes on until either side has enough."""
        self.begin_stream()
        if subscription is not None:
            self.tell("notifications/subscriptions/acknowledged", subscription, {"notifications": {"toolsListChanged": True}})
        self.wishes = list(wishes)
        me = (self, subscription)
        listeners.append(me)
        while me in listeners and not self.gone():
            time.sleep(0.02)
        if me in listeners:
            listeners.remove(me)
        self.close_connection = True

    def tell(self, method, subscription, params):
        if subscription is not None:
            params = {**params, "_meta": {"io.modelcontextprotocol/subscriptionId": subscription}}
        self.event({"jsonrpc": "2.0", "method": method, "params": params})

    def controlled(self, what):
        tools.extra[:] = [tools.new_tool(n) for n in what.pop("extra", [t["name"] for t in tools.extra])]
        updated = what.pop("updated", None)
        for handler, subscription in list(listeners) if updated else []:
            handler.tell("notifications/resources/updated", subscription, {"uri": updated})
        subjects.RESOURCES.extend({"uri": f"note://many/{i}", "name": str(i)} for i in range(what.pop("many", 0)))
        subjects.RESOURCES.extend({"uri": uri, "name": uri} for uri in what.pop("uris", []))
        subjects.PROMPTS.extend({"name": name} for name in what.pop("prompts", []))
        kind = what.pop("announce", None)
        for handler, subscription in list(listeners) if kind else []:
            handler.tell(f"notifications/{kind}/list_changed", subscription, {})
        if what.pop("cut", False):
            listeners.clear()
        state.update(what)

    def do_POST(self):
        source = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path == "/control":
            self.controlled(json.loads(source))
            return self.reply(200, {"listeners": len(listeners), "wishes": [w for h, _ in listeners for w in h.wishes]})
        if self.path == "/v1/chat/completions":
            return self.chat(source)
        m = json.loads(source)
        state["seen"].append({"headers": {k.lower(): v for k, v in self.headers.items()}, "body": m})
        if state["drop"] and m.get("method") == "tools/call":
            state["drop"] -= 1
            self.close_connection = True
            return
        if self.headers.get("authorization") in state["refuse"]:
            return self.reply(401, {})
        if state["guard"] and not self.headers.get("authorization", "").startswith("Bearer "):
            told = f'Bearer resource_metadata="{self.here("/about-me")}", scope="tools"'
            return self.reply(401, {}, [("WWW-Authenticate", told)])
        wants = state["wants"]
        if wants and m.get("method") == "tools/call" and self.headers.get("authorization") in wants["of"]:
            told = f'Bearer error="insufficient_scope", scope="{wants["scope"]}"'
            return self.reply(403, {}, [("WWW-Authenticate", told)])
        while state["hang"]:
            if self.gone():
                return
            time.sleep(0.02)
        if "id" not in m:
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        (self.modern if state["era"] == "modern" else self.legacy)(m, source)

    def error(self, m, code, message, status=200, data=None):
        e = {"code": code, "message": message}
        if data is not None:
            e["data"] = data
        self.reply(status, {"jsonrpc": "2.0", "id": m["id"], "error": e})

    def offered(self):
        told = {"instructions": state["told"]} if state["told"] else {}
        return {"capabilities": {name: {} for name in state["offers"]}, **told}

    def modern(self, m, source):
        if self.headers.get("mcp-protocol-version") != MODERN:
            return self.error(m, -32022, "Unsupported protocol version", 400,
                              {"supported": [MODERN], "requested": self.headers.get("mcp-protocol-version") or ""})
        if self.headers.get("mcp-method") != m["method"]:
            return self.error(m, -32020, "Header mismatch", 400)
        if m["method"] == "tools/call" and state["demands"] and state["demands"] not in self.headers:
            return self.error(m, -32020, "Header mismatch", 400)
        extra = {"resultType": "complete", "_meta": {"io.modelcontextprotocol/serverInfo": SERVER}}
        if m["method"] == "server/discover":
            return self.result(m, {**extra, "supportedVersions": [MODERN], **self.offered(),
                                   "ttlMs": 1000, "cacheScope": "public"})
        if m["method"] == "subscriptions/listen" and state["streams"]:
            state["seen"].pop()  # counted as a listener, not as a message
            return self.listen(m["id"], m["params"]["notifications"].get("resourceSubscriptions", []))
        self.methods(m, source, extra, {"ttlMs": state["ttl"], "cacheScope": "public"})

    def legacy(self, m, source):
        if m["method"] == "initialize":
            sid = uuid.uuid4().hex
            state["sessions"].add(sid)
            return self.result(m, {"protocolVersion": "2025-06-18", **self.offered(), "serverInfo": SERVER},
                               [("Mcp-Session-Id", sid)])
        sid = self.headers.get("mcp-session-id")
        if sid is None:
            return self.error(m, -32000, "Bad Request: Server not initialized", 400)
        if sid not in state["sessions"]:
            return self.error(m, -32001, "Session not found", 404)
        self.methods(m, source, {}, {})

    def result(self, m, result, headers=()):
        self.reply(200, {"jsonrpc": "2.0", "id": m["id"], "result": result}, headers)

    def methods(self, m, source, extra, cache):
        if m["method"] == "tools/list":
            at = int(m.get("params", {}).get("cursor") or 0)
            now = state["tools"] or tools.definitions()
            page = {"tools": now[at:at + state["page"]], **extra, **cache}
            if at + state["page"] < len(now):
                page["nextCursor"] = str(at + state["page"])
            return self.result(m, page)
        if m["method"] == "tools/call":
            return self.call(m, source, extra)
        if m["method"] in ("ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"):
            return self.result(m, {})
        try:
            found = subjects.answer(m["method"], m.get("params", {}))
        except subjects.NotFound as e:
            return self.error(m, -32602 if extra else -32002, "no such note", 200, {"uri": str(e)})
        if found:
            return self.result(m, {**found[0], **extra, **(cache if found[1] else {})})
        self.error(m, -32601, "Method not found", 404 if extra else 200)

    def call(self, m, source, extra):
        params = m["params"]
        raw = tools.raw_member(source[source.index('"params"'):], "arguments")
        steps = tools.run(params["name"], params.get("arguments") or {}, params.get("_meta") or {}, raw,
                          lambda: not self.gone())
        streaming = False
        try:
            while True:
                note = next(steps)
                if not streaming:
                    streaming = True
                    self.begin_stream()
                self.event(note)
        except StopIteration as end:
            answer = {"jsonrpc": "2.0", "id": m["id"], "result": {**end.value, **extra}}
        except tools.RpcError as e:
            answer = {"jsonrpc": "2.0", "id": m["id"], "error": {"code": e.code, "message": str(e)}}
        if state["put_off"]:
            self.begin_stream()
            owed[str(m["id"])] = answer
            self.chunk(b"id: first-%d\nretry: 300\ndata: \n\n" % m["id"])
            return self.chunk(b"")
        if not streaming:
            return self.reply(200, answer)
        self.event(answer)
        self.chunk(b"")

    # --- a model ----------------------------------------------------------------------------

    def chat(self, source):
        rq = json.loads(source)
        state["seen"].append({"headers": {k.lower(): v for k, v in self.headers.items()}, "body": rq, "source": source})
        word = rq["messages"][-1]["content"]
        usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14,
                 "prompt_tokens_details": {"cached_tokens": 4}}
        if word == "HANG":
            while not self.gone():
                time.sleep(0.02)
            return
        if word == "BAD":
            return self.reply(200, b"this is no JSON")
        if word == "CODED":
            return self.reply(200, b'{"object":"chat.completion"}', [("content-encoding", "gzip")])
        if word == "429":
            return self.reply(429, {"error": {"message": "slow down", "type": "rate_limit_error"}}, [("retry-after", "7")])
        if not rq.get("stream"):
            return self.reply(200, {"id": "c1", "object": "chat.completion", "model": rq["model"],
                                    "choices": [{"index": 0, "message": {"role": "assistant", "content": word},
                                                 "finish_reason": "stop"}], "usage": usage})
        self.begin_stream()
        for i in range(int(rq.get("n_chunks", 5))):
            self.chunk(b"data: " + json.dumps({"object": "chat.completion.chunk", "model": rq["model"],
                                               "choices": [{"index": 0, "delta": {"content": word}}]}).encode() + b"\n\n")
            time.sleep(rq.get("pace_ms", 2) / 1000)
            if word == "CUT" and i == 2:
                self.connection.close()
                return
        self.chunk(b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [], "usage": usage}).encode() + b"\n\n")
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")


def main():
    state["era"] = sys.argv[2]
    serve(Handler)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP+SSE (2024-11-05) before a fake that speaks on stdio: `sse_server.py PORT PROGRAM`; each stream has a process of its own.

GET opens a stream and names the address for messages; POST there says one. POST /control {"endpoint": "…"} names another
address (the stream's id is added), {"cut": true} ends all streams, {"refuse": true} takes no message, {"unwelcome": [...]} answers these Authorizations 401; GET /seen: who came with what."""
import json
import os
import subprocess
import sys
import uuid

from serving import Answering, serve

HERE = os.path.dirname(os.path.abspath(__file__))
state = {"endpoint": "/messages?of=", "refuse": False, "unwelcome": [], "seen": []}
streams = {}  # id -> process


class Handler(Answering):
    def note(self):
        state["seen"].append([self.command, self.headers.get("authorization")])

    def do_GET(self):
        if self.path == "/seen":
            return self.reply(200, state["seen"])
        self.note()
        if self.headers.get("authorization") in state["unwelcome"]:
            return self.reply(401)
        sid = uuid.uuid4().hex
        command = [sys.executable, os.path.join(HERE, sys.argv[2]), "stdio"]
        p = streams[sid] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.event("endpoint", (state["endpoint"] + sid).encode())
        try:
            for line in p.stdout:
                self.event("message", line.rstrip(b"\n"))
        except OSError:
            pass  # the client has gone
        p.kill()
        self.close_connection = True

    def event(self, name, data):
        self.wfile.write(b"event: " + name.encode() + b"\r\ndata: " + data + b"\r\n\r\n")
        self.wfile.flush()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/control":
            what = json.loads(body)
            if what.pop("cut", False):
                for p in streams.values():
                    p.kill()
            state.update(what)
            return self.reply(200, {})
        self.note()
        if self.headers.get("authorization") in state["unwelcome"]:
            return self.reply(401)
        p = streams.get(self.path.rpartition("=")[2])
        if not p or state["refuse"]:
            return self.reply(404)
        p.stdin.write(body + b"\n")
        p.stdin.flush()
        self.reply(202, b"Accepted")


serve(Handler)

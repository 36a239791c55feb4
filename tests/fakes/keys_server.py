#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An issuer's side of the web: `keys_server.py PORT`. POST /control {"/keys": {…}} puts a document at a path; GET gives it.

GET /seen lists what was fetched."""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

documents, seen = {}, []


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/seen":
            return self.reply(200, seen)
        seen.append(self.path)
        self.reply(200 if self.path in documents else 404, documents.get(self.path, {}))

    def do_POST(self):
        documents.update(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.reply(200, {})


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


main()

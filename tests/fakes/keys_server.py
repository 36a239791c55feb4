#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An issuer's side of the web: `keys_server.py PORT`. POST /control {"/keys": {…}} puts a document at a path; GET gives it.

GET /seen lists what was fetched."""
import json

from serving import Answering, serve

documents, seen = {}, []


class Handler(Answering):
    protocol_version = "HTTP/1.0"  # hangs up after each answer

    def do_GET(self):
        if self.path == "/seen":
            return self.reply(200, seen)
        seen.append(self.path)
        self.reply(200 if self.path in documents else 404, documents.get(self.path, {}))

    def do_POST(self):
        documents.update(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.reply(200, {})


serve(Handler)

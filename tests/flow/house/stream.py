# SPDX-License-Identifier: Apache-2.0
"""A client that listens: an event stream, read one event at a time."""
import json
import time

from . import mcp
from .http import Connection


class Event:
    def __init__(self, block):
        fields = [line.split(":", 1) for line in block.split("\n") if ":" in line]
        self.comment = all(k == "" for k, _ in fields)
        self.fields = {k: v[1:] if v.startswith(" ") else v for k, v in fields}
        self.id, self.data = self.fields.get("id"), self.fields.get("data")

    def json(self):
        return json.loads(self.data)


class Stream(Connection):
    """`status` and `headers` of the answer, then events. A stream that ends has `ended` set, `clean` when by its last chunk."""

    def __init__(self, port, verb, headers, body=b"", path="/mcp", **more):
        super().__init__(port, **more)
        self.text, self.ended, self.clean = "", False, False
        self.request(verb, path, headers, body)
        self.status, self.headers = self.head()

    def answer_body(self):
        """The body of a refusal."""
        n = int(self.headers["content-length"])
        while len(self.held) < n:
            self.more()
        return self.held[:n]

    def _read(self):
        try:
            piece = self.chunk()
        except (EOFError, ConnectionError):
            self.ended = True
            return
        self.text += piece.decode().replace("\r\n", "\n")
        if not piece:
            self.ended = self.clean = True

    def event(self, seconds=10):
        """The next event; None when there is none in time or the stream has ended."""
        end = time.time() + seconds
        while True:
            while "\n\n" in self.text:
                block, self.text = self.text.split("\n\n", 1)
                one = Event(block)
                if not one.comment:
                    return one
            left = end - time.time()
            if self.ended or left <= 0:
                return None
            self.s.settimeout(left)
            try:
                self._read()
            except TimeoutError:
                return None

    def message(self, seconds=10):
        one = self.event(seconds)
        return one and one.json()

    def method(self, seconds=10):
        """The method of the next notice, or None."""
        m = self.message(seconds)
        return m and m.get("method")

    def rest(self, seconds=10):
        """All further events until the stream ends."""
        out = []
        while one := self.event(seconds):
            out.append(one)
        return out


def listen(gateway, token=None, request_id=None, headers=None, path="/mcp", meta=None, **filters):
    """subscriptions/listen; the acknowledgement is still to be read."""
    head, body = mcp.modern_request("subscriptions/listen", {"notifications": filters}, request_id=request_id, meta=meta)
    return Stream(gateway.port, "POST", {**head, **mcp.bearer(token), **(headers or {})}, body, path)

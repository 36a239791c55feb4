# SPDX-License-Identifier: Apache-2.0
"""A model provider that answers as it was told, one answer a request, and remembers what it was asked."""
import http.server
import json
import socketserver
import struct
import threading
import time
import zlib


class Answer:
    """`pieces` are written one after the other, `pace` seconds apart. `cut`: the connection is then
    torn instead of ended. `hold`: nothing more comes until the gateway has left."""

    def __init__(self, *pieces, status=200, type="application/json", pace=0.0, cut=False, hold=False, **headers):
        self.pieces = [p.encode() if isinstance(p, str) else p for p in pieces]
        self.status, self.type, self.pace, self.cut, self.hold = status, type, pace, cut, hold
        self.headers = {k.replace("_", "-"): v for k, v in headers.items()}


def stream(*pieces, **more):
    return Answer(*pieces, type="text/event-stream", **more)


def aws_frame(name, payload, kind="event"):
    """One frame of AWS's event streams; `kind` may be exception."""
    head = b""
    for key, value in ((f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)):
        head += struct.pack(">B", len(key)) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(head) + len(body), len(head))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return whole + struct.pack(">I", zlib.crc32(whole))


def aws_stream(*frames, **more):
    return Answer(*frames, type="application/vnd.amazon.eventstream", **more)


class Provider:
    def __init__(self):
        self.asked, self.answers, self.left = [], [], threading.Event()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                provider.asked.append((self.path, dict(self.headers.items()), body))
                provider.answer(self, provider.answers.pop(0))

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the gateway may leave in the middle

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, h, a):
        h.send_response(a.status)
        h.send_header("content-type", a.type)
        h.send_header("transfer-encoding", "chunked")
        for name, value in a.headers.items():
            h.send_header(name, value)
        h.end_headers()
        for piece in a.pieces:
            h.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(a.pace)
        if a.hold:
            h.connection.settimeout(20)
            try:
                if h.connection.recv(1) == b"":
                    self.left.set()
            except OSError:
                self.left.set()
        if a.cut or a.hold:
            h.close_connection = True
            h.connection.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: a reset
            return
        h.wfile.write(b"0\r\n\r\n")

    def will(self, *answers):
        self.answers, self.asked = list(answers), []
        self.left.clear()

    def body(self, n=0):
        return json.loads(self.asked[n][2])

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

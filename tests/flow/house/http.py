# SPDX-License-Identifier: Apache-2.0
"""A client that sends exactly what it is told, and an SSE reader."""
import json
import socket


PATIENCE = 15  # seconds for every read, unless somebody says otherwise


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def events(self):
        """The events of an SSE body, as (event, data)."""
        out = []
        for block in self.body.decode().replace("\r\n", "\n").split("\n\n"):
            fields = [line.split(":", 1) for line in block.split("\n") if ":" in line and not line.startswith(":")]
            data = "\n".join(v.lstrip(" ") for k, v in fields if k == "data")
            if data:
                out.append((next((v.strip() for k, v in fields if k == "event"), ""), data))
        return out

    def message(self):
        """The JSON-RPC response, whether it came as JSON or as the last event of a stream."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            return json.loads(self.events()[-1][1])
        return self.json()


class Connection:
    """One TCP connection; `timeout` guards every read."""

    def __init__(self, port, timeout=None, receive_buffer=None):
        self.s = socket.socket()
        if receive_buffer:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.s.settimeout(timeout or PATIENCE)
        self.s.connect(("127.0.0.1", port))
        self.held = b""

    def close(self):
        self.s.close()

    def send(self, data):
        self.s.sendall(data if isinstance(data, bytes) else data.encode())

    def request(self, method, path, headers, body=b""):
        if isinstance(body, str):
            body = body.encode()
        head = {"Host": f"127.0.0.1:{self.s.getpeername()[1]}", **headers}
        if body or method == "POST":
            head["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1"] + [f"{k}: {v}" for k, v in head.items() if v is not None]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def more(self):
        data = self.s.recv(65536)
        if not data:
            raise EOFError("the gateway closed the connection")
        self.held += data

    def head(self):
        while b"\r\n\r\n" not in self.held:
            self.more()
        head, self.held = self.held.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        return int(lines[0].split()[1]), {k.lower(): v.strip() for k, v in (x.split(":", 1) for x in lines[1:])}

    def chunk(self):
        """The next chunk of a chunked body; b'' is its clean end."""
        while b"\r\n" not in self.held:
            self.more()
        size, rest = self.held.split(b"\r\n", 1)
        n = int(size.split(b";")[0], 16)
        while len(rest) < n + 2:
            self.held = size + b"\r\n" + rest
            self.more()
            rest = self.held.split(b"\r\n", 1)[1]
        self.held = rest[n + 2:]
        return rest[:n]

    def answer(self, no_body=False):
        status, headers = self.head()
        body = b""
        if no_body or status in (204, 304) or status < 200:
            pass
        elif headers.get("transfer-encoding") == "chunked":
            while piece := self.chunk():
                body += piece
        elif "content-length" in headers:
            n = int(headers["content-length"])
            while len(self.held) < n:
                self.more()
            body, self.held = self.held[:n], self.held[n:]
        return Answer(status, headers, body)


def once(port, method, path, headers, body=b"", timeout=None):
    c = Connection(port, timeout)
    try:
        c.request(method, path, headers, body)
        return c.answer(no_body=method == "HEAD")
    finally:
        c.close()
